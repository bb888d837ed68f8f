/*
 * wait.h - sleeping until something is true.
 *
 *	struct wait_queue ---> entry (task) ---> entry (task)
 *
 * The waiter queues itself and sets its state, *then* tests the condition, then sleeps; the waker
 * makes the condition true, then wakes. So no wake-up is lost. The queue's lock is taken with
 * interrupts off: interrupt handlers may wake.
 */
#ifndef RAVEL_KERNEL_WAIT_H
#define RAVEL_KERNEL_WAIT_H

#include "kernel/lock_types.h"
#include "kernel/lockdep.h"
#include "lib/errno.h"

struct task;

struct wait_queue {
	struct spinlock lock;
	struct list_head entries;
};

/* Starts as WAIT_ENTRY_INIT; `task` is set while the entry is in use. */
struct wait_entry {
	struct task *task;
	struct list_head link;
};

#define WAIT_ENTRY_INIT                                                                            \
	{                                                                                          \
		NULL,                                                                              \
		{                                                                                  \
			NULL, NULL                                                                 \
		}                                                                                  \
	}

/* For static queues; others are made by wait_queue_init(). */
#define WAIT_QUEUE_INIT(name)                                                                      \
	{                                                                                          \
		SPINLOCK_INIT, LIST_HEAD_INIT((name).entries)                                      \
	}

void wait_queue_init(struct wait_queue *wq);

/*
 * Queues the current task, unless it is still queued, and sets its state: TASK_INTERRUPTIBLE,
 * TASK_KILLABLE, TASK_UNINTERRUPTIBLE or TASK_IDLE (kernel/task.h). Called again after each
 * wake-up.
 */
void prepare_to_wait(struct wait_queue *wq, struct wait_entry *entry, int state);
void finish_wait(struct wait_queue *wq, struct wait_entry *entry);
/* True when the current task, sleeping in @state, has a signal that ends that sleep. */
bool signal_ends_sleep(int state);
void schedule(void);
/* Sleeps at most until monotonic time @deadline_ns (nanoseconds); true when it has passed. */
bool schedule_until(u64 deadline_ns);

/* Each takes the waiters it wakes off the queue. Any context. */
void wake_up(struct wait_queue *wq);	 /* the first waiter */
void wake_up_all(struct wait_queue *wq); /* every waiter */

/* Sleeps until @cond; 0, or -EINTR when a signal came first (never for TASK_UNINTERRUPTIBLE). */
#define wait_event_state(wq, cond, state)                                                          \
	({                                                                                         \
		struct wait_entry __entry = WAIT_ENTRY_INIT;                                       \
		int __ret = 0;                                                                     \
		might_sleep();                                                                     \
		for (;;) {                                                                         \
			prepare_to_wait((wq), &__entry, (state));                                  \
			if (cond)                                                                  \
				break;                                                             \
			if (signal_ends_sleep(state)) {                                            \
				__ret = -EINTR;                                                    \
				break;                                                             \
			}                                                                          \
			schedule();                                                                \
		}                                                                                  \
		finish_wait((wq), &__entry);                                                       \
		__ret;                                                                             \
	})

#define wait_event(wq, cond)		   ((void)wait_event_state(wq, cond, TASK_UNINTERRUPTIBLE))
#define wait_event_killable(wq, cond)	   wait_event_state(wq, cond, TASK_KILLABLE)
#define wait_event_interruptible(wq, cond) wait_event_state(wq, cond, TASK_INTERRUPTIBLE)

#endif
