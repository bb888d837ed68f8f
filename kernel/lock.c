/*
 * lock.c - the paths of the locks that wait. kernel/lock.h has the structures and the short paths.
 *
 *	mutex, rwsem ---> [waiter] <-> [waiter] <-> ...     each on its task's own stack
 *
 * Whoever releases hands over: it makes the first waiter the holder before it wakes it, so late
 * comers cannot overtake the queue. A waiter reads `granted` under the lock, and leaves only
 * after it could take it once more: so the releaser may use the waiter until it unlocks.
 *
 * Locks: the spinlock inside each; it is held when a waiter is woken (sched_lock is inside it). The
 * debug kernel watches the lock, by the class in that spinlock, and not the spinlock.
 */
#include "kernel/lock.h"

#include "kernel/panic.h"
#include "kernel/sched.h"

struct lock_waiter {
	struct list_head link;
	struct task *task;
	bool write;
	bool granted;
};

/* ---- spinlocks ---- */

void raw_spin_lock_init(struct spinlock *lock)
{
	*lock = (struct spinlock)SPINLOCK_INIT;
}

void spin_wait(struct spinlock *lock)
{
	BUG_ON(spin_held(lock));
	do {
		/*
		 * Only looking, until it seems free: an exchange would take the line from the
		 * holder.
		 */
		while (READ_ONCE(lock->locked))
			cpu_relax();
	} while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE));
}

bool spin_trylock(struct spinlock *lock)
{
	struct hart *hart = this_hart();

	hart->spin_depth++;
	if (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE)) {
		hart->spin_depth--;
		return false;
	}
	lock->owner = hart->id + 1;
	lockdep_take(lock, LOCK_TRY);
	return true;
}

/* ---- waiting, for both sleeping locks ---- */

/* Queues at @waiters and sleeps until granted. @lock is held on entry and released on return. */
static void wait_for_grant(struct spinlock *lock, struct list_head *waiters, bool write)
{
	struct lock_waiter waiter = { .task = current, .write = write };

	list_add_tail(&waiter.link, waiters);
	while (!waiter.granted) {
		WRITE_ONCE(current->state, TASK_UNINTERRUPTIBLE);
		raw_spin_unlock(lock);
		schedule();
		raw_spin_lock(lock);
	}
	WRITE_ONCE(current->state, TASK_RUNNING);
	raw_spin_unlock(lock);
}

static void grant(struct lock_waiter *waiter)
{
	list_del(&waiter->link);
	waiter->granted = true;
	wake_task(waiter->task);
}

/* ---- mutexes ---- */

void raw_mutex_init(struct mutex *m)
{
	raw_spin_lock_init(&m->lock);
	m->owner = NULL;
	INIT_LIST_HEAD(&m->waiters);
}

/* For the caller at @pc of one of the next two. */
static inline void lock_mutex(struct mutex *m, unsigned n __maybe_unused,
			      const void *pc __maybe_unused)
{
	lockdep_take_at(&m->lock, LOCK_SLEEP | LOCK_NESTED(n), pc);
	raw_spin_lock(&m->lock);
	if (likely(!m->owner)) {
		m->owner = current;
		raw_spin_unlock(&m->lock);
		return;
	}
	BUG_ON(m->owner == current);
	wait_for_grant(&m->lock, &m->waiters, true);
}

void mutex_lock(struct mutex *m)
{
	might_sleep();
	lock_mutex(m, 0, __builtin_return_address(0));
}

void mutex_lock_nested(struct mutex *m, unsigned n)
{
	might_sleep();
	lock_mutex(m, n, __builtin_return_address(0));
}

bool mutex_trylock(struct mutex *m)
{
	bool free;

	raw_spin_lock(&m->lock);
	free = !m->owner;
	if (free)
		m->owner = current;
	raw_spin_unlock(&m->lock);
	if (free)
		lockdep_take(&m->lock, LOCK_SLEEP | LOCK_TRY);
	return free;
}

void mutex_unlock(struct mutex *m)
{
	BUG_ON(m->owner != current);
	lockdep_give(&m->lock);
	raw_spin_lock(&m->lock);
	m->owner = NULL;
	if (unlikely(!list_empty(&m->waiters))) {
		struct lock_waiter *first = list_first_entry(&m->waiters, struct lock_waiter, link);

		m->owner = first->task;
		grant(first);
	}
	raw_spin_unlock(&m->lock);
}

bool mutex_held(const struct mutex *m)
{
	return READ_ONCE(m->owner) == current;
}

/* ---- read-write semaphores ---- */

void raw_rwsem_init(struct rwsem *sem)
{
	raw_spin_lock_init(&sem->lock);
	sem->count = 0;
	sem->writer = NULL;
	INIT_LIST_HEAD(&sem->waiters);
}

/* True when somebody who wants to write or read may enter as far as the holders are concerned. */
static bool rwsem_admits(const struct rwsem *sem, bool write)
{
	int count = READ_ONCE(sem->count);

	return write ? !(count & ~RWSEM_WAITERS) : !(count & RWSEM_WRITER);
}

/* RWSEM_WAITERS is set and sem->lock held: nobody else adds to count. */
static void rwsem_take(struct rwsem *sem, struct task *task, bool write)
{
	if (write)
		sem->writer = task;
	__atomic_fetch_add(&sem->count, write ? RWSEM_WRITER : RWSEM_READER, __ATOMIC_ACQUIRE);
}

static void rwsem_update_waiters(struct rwsem *sem)
{
	if (list_empty(&sem->waiters))
		__atomic_fetch_and(&sem->count, ~RWSEM_WAITERS, __ATOMIC_RELAXED);
}

void rwsem_wait(struct rwsem *sem, bool write)
{
	BUG_ON(rwsem_held_write(sem));
	raw_spin_lock(&sem->lock);
	__atomic_fetch_or(&sem->count, RWSEM_WAITERS, __ATOMIC_SEQ_CST);
	if (list_empty(&sem->waiters) && rwsem_admits(sem, write)) {
		rwsem_take(sem, current, write);
		rwsem_update_waiters(sem);
		raw_spin_unlock(&sem->lock);
		return;
	}
	wait_for_grant(&sem->lock, &sem->waiters, write);
}

void rwsem_wake(struct rwsem *sem)
{
	raw_spin_lock(&sem->lock);
	while (!list_empty(&sem->waiters)) {
		struct lock_waiter *first =
			list_first_entry(&sem->waiters, struct lock_waiter, link);

		if (!rwsem_admits(sem, first->write))
			break;
		rwsem_take(sem, first->task, first->write);
		grant(first);
	}
	rwsem_update_waiters(sem);
	raw_spin_unlock(&sem->lock);
}
