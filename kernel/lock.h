/*
 * lock.h - spinlocks, sleeping mutexes and read-write semaphores.
 *
 * The order of all locks, outer to inner, is docs/locking.md. The kernel is not preempted: a
 * spinlock keeps other harts out, and only locks that interrupt handlers also take need the
 * _irqsave forms. Nobody sleeps with a spinlock held (asserted in schedule()).
 *
 * What costs nothing when nobody competes is inline here: mmap_lock and the page-table locks are
 * taken on every fault. What waits is in kernel/lock.c.
 *
 * The forms ending in _nested take the n-th of several locks of one class: LOCK_NESTED() in
 * kernel/lockdep.h. The raw_ forms, for kernel/lock.c, are not watched by the debug kernel.
 */
#ifndef RAVEL_KERNEL_LOCK_H
#define RAVEL_KERNEL_LOCK_H

#include "arch/riscv/hart.h"
#include "arch/riscv/irqflags.h"
#include "kernel/lock_types.h"
#include "kernel/lockdep.h"
#include "lib/atomic.h"

/* ---- spinlocks ---- */

#define spin_lock_init(lock)                                                                       \
	do {                                                                                       \
		raw_spin_lock_init(lock);                                                          \
		lockdep_init(lock, #lock);                                                         \
	} while (0)

void raw_spin_lock_init(struct spinlock *lock);
/* The slow path of spin_lock(): until it is ours. */
void spin_wait(struct spinlock *lock);

static __always_inline void raw_spin_lock(struct spinlock *lock)
{
	struct hart *hart = this_hart();

	hart->spin_depth++; /* first: harts_pause() must not stop a hart between the two */
	if (unlikely(__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE)))
		spin_wait(lock);
	lock->owner = hart->id + 1;
}

static __always_inline void raw_spin_unlock(struct spinlock *lock)
{
	lock->owner = 0;
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
	this_hart()->spin_depth--;
}

static __always_inline void spin_lock(struct spinlock *lock)
{
	lockdep_take(lock, 0);
	raw_spin_lock(lock);
}

static __always_inline void spin_lock_nested(struct spinlock *lock, unsigned n __maybe_unused)
{
	lockdep_take(lock, LOCK_NESTED(n));
	raw_spin_lock(lock);
}

static __always_inline void spin_unlock(struct spinlock *lock)
{
	lockdep_give(lock);
	raw_spin_unlock(lock);
}

bool spin_trylock(struct spinlock *lock);

/* As above with this hart's interrupts off; returns the state that spin_unlock_irqrestore wants. */
static __always_inline unsigned long spin_lock_irqsave(struct spinlock *lock)
{
	unsigned long flags = local_irq_save();

	spin_lock(lock);
	return flags;
}

static __always_inline void spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags)
{
	spin_unlock(lock);
	local_irq_restore(flags);
}

/* True when the calling hart holds @lock. */
static __always_inline bool spin_held(const struct spinlock *lock)
{
	return READ_ONCE(lock->owner) == this_hart()->id + 1;
}

/* ---- mutexes: sleepers are woken in order of arrival. May sleep; task context only. ---- */

#define mutex_init(m)                                                                              \
	do {                                                                                       \
		raw_mutex_init(m);                                                                 \
		lockdep_init(&(m)->lock, #m);                                                      \
	} while (0)

void raw_mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_lock_nested(struct mutex *m, unsigned n);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_held(const struct mutex *m); /* by the current task */

/*
 * ---- read-write semaphores: many readers or one writer ----
 *
 * Waiters queue in order of arrival, so a writer is not starved; a task must therefore not take the
 * read side twice.
 */

#define RWSEM_WRITER  1
#define RWSEM_WAITERS 2
#define RWSEM_READER  4

#define rwsem_init(sem)                                                                            \
	do {                                                                                       \
		raw_rwsem_init(sem);                                                               \
		lockdep_init(&(sem)->lock, #sem);                                                  \
	} while (0)

void raw_rwsem_init(struct rwsem *sem);
/* The slow paths: queue and sleep until the semaphore is ours; admit who may enter now. */
void rwsem_wait(struct rwsem *sem, bool write);
void rwsem_wake(struct rwsem *sem);

/* Enters as a reader if nobody writes or waits. */
static __always_inline bool raw_down_read(struct rwsem *sem)
{
	int old = READ_ONCE(sem->count);

	do {
		if (old & (RWSEM_WRITER | RWSEM_WAITERS))
			return false;
	} while (!__atomic_compare_exchange_n(&sem->count, &old, old + RWSEM_READER, true,
					      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	return true;
}

static __always_inline bool down_read_trylock(struct rwsem *sem)
{
	if (!raw_down_read(sem))
		return false;
	lockdep_take(&sem->lock, LOCK_SLEEP | LOCK_TRY);
	return true;
}

static __always_inline void down_read(struct rwsem *sem)
{
	might_sleep();
	lockdep_take(&sem->lock, LOCK_SLEEP);
	if (unlikely(!raw_down_read(sem)))
		rwsem_wait(sem, false);
}

static __always_inline void up_read(struct rwsem *sem)
{
	int now;

	lockdep_give(&sem->lock);
	now = __atomic_sub_fetch(&sem->count, RWSEM_READER, __ATOMIC_RELEASE);
	if (unlikely(now == RWSEM_WAITERS))
		rwsem_wake(sem);
}

/* Enters as the writer if nobody is in or waits. */
static __always_inline bool raw_down_write(struct rwsem *sem)
{
	int old = 0;

	if (!__atomic_compare_exchange_n(&sem->count, &old, RWSEM_WRITER, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	sem->writer = current;
	return true;
}

static __always_inline bool down_write_trylock(struct rwsem *sem)
{
	if (!raw_down_write(sem))
		return false;
	lockdep_take(&sem->lock, LOCK_SLEEP | LOCK_TRY);
	return true;
}

static __always_inline void down_write_nested(struct rwsem *sem, unsigned n __maybe_unused)
{
	might_sleep();
	lockdep_take(&sem->lock, LOCK_SLEEP | LOCK_NESTED(n));
	if (unlikely(!raw_down_write(sem)))
		rwsem_wait(sem, true);
}

static __always_inline void down_write(struct rwsem *sem)
{
	down_write_nested(sem, 0);
}

static __always_inline void up_write(struct rwsem *sem)
{
	lockdep_give(&sem->lock);
	sem->writer = NULL;
	if (unlikely(__atomic_fetch_sub(&sem->count, RWSEM_WRITER, __ATOMIC_RELEASE) &
		     RWSEM_WAITERS))
		rwsem_wake(sem);
}

/* A writer becomes a reader; no other writer enters between. */
static inline void downgrade_write(struct rwsem *sem)
{
	sem->writer = NULL;
	if (__atomic_fetch_add(&sem->count, RWSEM_READER - RWSEM_WRITER, __ATOMIC_RELEASE) &
	    RWSEM_WAITERS)
		rwsem_wake(sem);
}

/* By the current task. */
static inline bool rwsem_held_write(const struct rwsem *sem)
{
	return READ_ONCE(sem->writer) == current;
}

/* By anyone, either side. */
static inline bool rwsem_held(const struct rwsem *sem)
{
	return READ_ONCE(sem->count) & ~RWSEM_WAITERS;
}

#endif
