/*
 * lock.h, host: the kernel's locks as a single thread sees them, each use checked.
 *
 * The harts of the host machine take turns, so a lock that is not free will never become free: that
 * is a deadlock, and reported with who holds it. Kept for each task: what it holds, in order. Kept
 * for ever: which class was taken inside which; two classes taken both ways round are reported. A
 * class is the place where the lock was initialised, or the lock itself if it never was.
 */
#ifndef RAVEL_KERNEL_LOCK_H
#define RAVEL_KERNEL_LOCK_H

#include "arch/riscv/hart.h"
#include "arch/riscv/irqflags.h"
#include "kernel/lock_types.h"
#include "kernel/lockdep.h"
#include "lib/atomic.h"

#define HOST_PLACE_(line) #line
#define HOST_PLACE(line)  HOST_PLACE_(line)
#define HOST_HERE	  __FILE__ ":" HOST_PLACE(__LINE__)

void host_spin_init(struct spinlock *lock, const char *place);
void host_mutex_init(struct mutex *m, const char *place);
void host_rwsem_init(struct rwsem *sem, const char *place);

#define spin_lock_init(lock) host_spin_init(lock, #lock " " HOST_HERE)
#define mutex_init(m)	     host_mutex_init(m, #m " " HOST_HERE)
#define rwsem_init(sem)	     host_rwsem_init(sem, #sem " " HOST_HERE)

/* Several of one class have no order that is checked here. */
#define spin_lock_nested(lock, n) spin_lock(lock)
#define down_write_nested(sem, n) down_write(sem)

void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);
bool spin_trylock(struct spinlock *lock);
unsigned long spin_lock_irqsave(struct spinlock *lock);
void spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags);
bool spin_held(const struct spinlock *lock);

void mutex_lock(struct mutex *m);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_held(const struct mutex *m);

bool down_read_trylock(struct rwsem *sem);
void down_read(struct rwsem *sem);
void up_read(struct rwsem *sem);
bool down_write_trylock(struct rwsem *sem);
void down_write(struct rwsem *sem);
void up_write(struct rwsem *sem);
void downgrade_write(struct rwsem *sem);
bool rwsem_held_write(const struct rwsem *sem);
bool rwsem_held(const struct rwsem *sem);

#endif
