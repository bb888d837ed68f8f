/*
 * lockdep.h - the debug kernel's watch over locks: order, owners, interrupts, and sleeping.
 *
 * Each lock belongs to a class: all that one line of the kernel initialises (`inode->lock`), or, of
 * static locks, each itself. What was once seen of two classes holds for all their locks, so a
 * deadlock is reported as soon as both orders have been used, by whomever, however far apart in
 * time. kernel/lockdep.c has the drawing, docs/locking.md the order. In the usual kernel all of
 * this is empty.
 */
#ifndef RAVEL_KERNEL_LOCKDEP_H
#define RAVEL_KERNEL_LOCKDEP_H

#include "kernel/lock_types.h"

struct address_space;
struct page;
struct task;

/* How a lock is taken. */
#define LOCK_SLEEP 0x01 /* a mutex, rwsem or page lock: who waits for it sleeps */
#define LOCK_TRY   0x02 /* it was free: nobody waited for it */
/*
 * The @n-th (1 to 3) of several locks of one class that a task holds at once. The caller says in a
 * comment which order among them all its like keep: within a class nobody checks it.
 */
#define LOCK_NESTED(n) ((unsigned)(n) << 4)

#ifdef CONFIG_DEBUG

/*
 * Most are page locks: a write-back's 16 (mm/writeback.c), inside which the memory for its pointer
 * blocks is reclaimed, or 31 that kswapd has put aside while it begins such a write: with the locks
 * around and inside, about 65.
 */
#define MAX_HELD_LOCKS 96
#define LOCK_NAME_MAX  40

struct lock_key {
	const char *name;
	u16 class; /* 0: no lock of it was taken yet */
	/* May @inner be taken while @outer, of the same class, is held? NULL: never. */
	bool (*ordered)(const void *outer, const void *inner);
};

struct held_lock {
	const void *lock;
	u32 pc; /* where it was taken, from the start of kernel text */
	u16 class;
	u8 how;
	bool irq; /* by an interrupt handler */
};

/* What a task holds, in the order in which it was taken. Interrupts off while it changes. */
struct lock_trace {
	unsigned nr, lost; /* lost: held too, but there was no room */
	struct held_lock held[MAX_HELD_LOCKS];
};

#define lockdep_init(lock, text)                                                                   \
	do {                                                                                       \
		static struct lock_key key_ = { .name = text };                                    \
		lockdep_set_key(lock, &key_);                                                      \
	} while (0)

void lockdep_set_key(struct spinlock *lock, struct lock_key *key);

/*
 * The current task is about to take @lock, or, with LOCK_TRY, has. Panics, with both chains, when
 * that is against an order seen before, when it holds the lock or one of its class, or when an
 * interrupt could wait for what it interrupted. Any context. _at: for the caller at @pc.
 */
void lockdep_take(struct spinlock *lock, unsigned how);
void lockdep_take_at(struct spinlock *lock, unsigned how, const void *pc);
/* The current task is about to release @lock; panics when it does not hold it. */
void lockdep_give(struct spinlock *lock);
/*
 * The same for the lock bit of @page, of @as or, NULL, of none. It belongs to the task only until
 * that hands it to an I/O: giving what another context has given already is no mistake.
 */
void lockdep_take_page(const struct page *page, const struct address_space *as, unsigned how,
		       const void *pc);
void lockdep_give_page(const struct page *page);

/* A new task holds nothing. */
void lockdep_task_init(struct task *task);
/* The spinlock that schedule() holds goes over from @prev to @next. Interrupts off. */
void lockdep_switch(struct task *prev, struct task *next);
/* Panics when the current task holds a lock: it goes back to user mode, or dies. */
void lockdep_check_none(const char *when);
/* In a panic: from now on nothing is watched; prints the report, if there is one, and the locks. */
void lockdep_last_words(void);

/* How many orders were seen; the @i-th, and how it came about, as a line of text. */
unsigned lockdep_nr_orders(void);
const char *lockdep_order_text(unsigned i, char *buf, size_t size);
/* At power-off, with ravel.lockdep on the command line: prints them, in short. */
void lockdep_report_orders(void);

/* Panics when the current task must not sleep: spinlock held, interrupts off, or in a handler. */
#define might_sleep() lockdep_might_sleep(__func__)
void lockdep_might_sleep(const char *what);
/* The same for who touches user memory: the fault takes mmap_lock, and must not wait for a page. */
void might_fault(void);

#else

#define lockdep_init(lock, text)	     ((void)0)
#define lockdep_take(lock, how)		     ((void)0)
#define lockdep_take_at(lock, how, pc)	     ((void)0)
#define lockdep_give(lock)		     ((void)0)
#define lockdep_take_page(page, as, how, pc) ((void)0)
#define lockdep_give_page(page)		     ((void)0)
#define lockdep_task_init(task)		     ((void)0)
#define lockdep_switch(prev, next)	     ((void)0)
#define lockdep_check_none(when)	     ((void)0)
#define lockdep_last_words()		     ((void)0)
#define might_sleep()			     ((void)0)
#define might_fault()			     ((void)0)

#endif
#endif
