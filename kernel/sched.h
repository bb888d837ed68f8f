/*
 * sched.h - who runs: the operations of the scheduler beyond schedule() (kernel/wait.h).
 */
#ifndef RAVEL_KERNEL_SCHED_H
#define RAVEL_KERNEL_SCHED_H

#include "kernel/task.h"

/* States as sets. */
#define STATE_BIT(state) (1u << (state))
#define STATES_SLEEPING                                                                            \
	(STATE_BIT(TASK_INTERRUPTIBLE) | STATE_BIT(TASK_KILLABLE) |                                \
	 STATE_BIT(TASK_UNINTERRUPTIBLE) | STATE_BIT(TASK_IDLE))

/* Makes @task run if its state is in @states; false: it was not. Any context. */
bool wake_task_in(struct task *task, unsigned states);

static inline void wake_task(struct task *task)
{
	wake_task_in(task, STATES_SLEEPING);
}

/* Puts a new task, state TASK_RUNNING, on the run queue for the first time. */
void sched_start(struct task *task);
/*
 * timer interrupt: accounts, and asks for the hart when the slice is over. Returns when to come
 * again.
 */
u64 sched_tick(u64 now);
/* Brings the current task's utime and stime up to date. */
void sched_account_self(void);
/* Tasks on the run queue or on a hart, without the idle ones. */
unsigned nr_running(void);

/* The loop of each hart when nobody wants it; never returns. */
void idle_loop(void) __noreturn;

#endif
