/*
 * sched.c - who runs: one queue of runnable tasks, first come first served, for all harts.
 *
 *	wake_task() --> tail [task] <-> [task] <-> [task] head --> schedule() on some hart
 *	                 ^                                            |
 *	                 +------ slice of 10 ms over, or yield -------+
 *
 * The kernel is not preempted; user mode is, through TASK_NEED_RESCHED on the way back to it.
 *
 * Invariants: a task is on the queue exactly when its state is TASK_RUNNING and no hart holds it
 * (on_hart is 0), the idle tasks aside. sched_lock stays held across switch_to() and is released by
 * the task switched to (finish_task_switch()): so nobody runs a task that is still being left.
 * Locks: sched_lock, interrupts off, guards the queue, idle_harts, and changes of state from
 * sleeping to running. It is the innermost lock; a task sets its own state to sleeping without
 * it, and is then safe because a waker that comes too early only makes the sleep end at once.
 */
#include "kernel/sched.h"

#include "arch/riscv/switch.h"
#include "arch/riscv/traps.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/syscall.h"
#include "mm/kstack.h"
#include "mm/mm.h"

#define SLICE_NS (10 * 1000 * 1000ULL)
static struct spinlock sched_lock = SPINLOCK_INIT;
static LIST_HEAD(run_queue);
static unsigned nr_queued;
/* Harts in their idle loop that nobody has sent for yet. */
static unsigned long idle_harts;

/* ---- making tasks runnable ---- */

/* Queues @task; returns the mask of the idle hart that must be told, or 0. sched_lock held. */
static unsigned long enqueue(struct task *task)
{
	unsigned long self = 1UL << this_hart()->id;
	unsigned long chosen;

	list_add_tail(&task->run_link, &run_queue);
	nr_queued++;
	/* An interrupted idle hart looks at the queue by itself, and takes one. */
	if ((idle_harts & self) && nr_queued == 1)
		return 0;
	chosen = idle_harts & ~self;
	chosen &= -chosen;
	idle_harts &= ~chosen;
	return chosen;
}

bool wake_task_in(struct task *task, unsigned states)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);
	unsigned long tell = 0;
	bool woken = STATE_BIT(READ_ONCE(task->state)) & states;

	if (woken) {
		WRITE_ONCE(task->state, TASK_RUNNING);
		if (!task->on_hart)
			tell = enqueue(task);
	}
	spin_unlock(&sched_lock);
	if (tell)
		ipi_send(tell, IPI_RESCHED);
	local_irq_restore(flags);
	return woken;
}

void sched_start(struct task *task)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);
	unsigned long tell = enqueue(task);

	spin_unlock(&sched_lock);
	if (tell)
		ipi_send(tell, IPI_RESCHED);
	local_irq_restore(flags);
}

unsigned nr_running(void)
{
	unsigned running = READ_ONCE(nr_queued);

	for (unsigned i = 0; i < nr_harts; i++)
		if (harts[i].online && harts[i].idle && !READ_ONCE(harts[i].idle->on_hart))
			running++;
	return running;
}

/* ---- time ---- */

/* Charges the time since @task's time stamp, whole, to the user or to the system. */
static void account_time(struct task *task, u64 now, bool user)
{
	u64 delta = now - task->time_stamp;

	task->time_stamp = now;
	if (user)
		task->utime += delta;
	else
		task->stime += delta;
}

void sched_account_self(void)
{
	unsigned long flags = local_irq_save();

	account_time(current, ktime_ns(), false);
	local_irq_restore(flags);
}

u64 sched_tick(u64 now)
{
	struct task *task = current;
	struct hart *hart = task->hart;

	hart->nr_ticks++;
	if (task == hart->idle)
		return ~0ULL; /* nobody's slice ends */
	account_time(task, now, interrupted_user());
	if (unlikely(task->cpu_itimer_on))
		itimer_tick();
	if (now >= task->slice_end) {
		task->slice_end = now + SLICE_NS;
		if (READ_ONCE(nr_queued))
			atomic_or_ulong(&task->flags, TASK_NEED_RESCHED);
	}
	return task->slice_end;
}

/* ---- switching ---- */

static struct task *pick_next(struct hart *hart)
{
	struct task *next;

	if (list_empty(&run_queue)) {
		idle_harts |= 1UL << hart->id;
		return hart->idle;
	}
	next = list_first_entry(&run_queue, struct task, run_link);
	list_del(&next->run_link);
	nr_queued--;
	idle_harts &= ~(1UL << hart->id);
	return next;
}

/* What @prev's flags ask for before it leaves the hart. Interrupts off, no locks. */
static void work_before_switch(struct task *prev)
{
	if (READ_ONCE(prev->flags) & TASK_NEED_RESCHED)
		atomic_and_ulong(&prev->flags, ~TASK_NEED_RESCHED);
	/* The next task may need as many; what misses is asked for again, until it is there. */
	if ((READ_ONCE(prev->flags) & TASK_STACK_GROWN) && kstack_refill(GFP_ATOMIC))
		atomic_and_ulong(&prev->flags, ~TASK_STACK_GROWN);
}

/* Accounts, changes the address space and the task. Returns on @prev's next turn. */
static void switch_tasks(struct hart *hart, struct task *prev, struct task *next)
{
	u64 now = ktime_ns();

	if (prev == hart->idle)
		hart->idle_time += now - hart->idle_since;
	else
		account_time(prev, now, false);
	if (next == hart->idle) {
		hart->idle_since = now;
	} else {
		next->time_stamp = now;
		next->slice_end = now + SLICE_NS;
		timer_arm_earlier(next->slice_end);
	}
	hart->nr_switches++;
	if (next->hart != hart) {
		kstack_arrive(next->stack, next->stack_low);
		next->hart = hart;
	}
	next->on_hart = 1;
	hart->switched_from = prev;
	mm_switch(next->mm);
	lockdep_switch(prev, next);
	switch_to(prev, next);
}

void schedule(void)
{
	struct task *prev = current, *next;
	struct hart *hart = prev->hart;
	unsigned long flags;

	might_sleep();
	flags = local_irq_save();
	BUG_ON(hart->spin_depth != 0);
	if (unlikely(READ_ONCE(prev->flags) & (TASK_NEED_RESCHED | TASK_STACK_GROWN)))
		work_before_switch(prev);
	spin_lock(&sched_lock);
	if (READ_ONCE(prev->state) == TASK_RUNNING && prev != hart->idle) {
		list_add_tail(&prev->run_link, &run_queue);
		nr_queued++;
	}
	next = pick_next(hart);
	if (next != prev) {
		switch_tasks(hart, prev, next);
		finish_task_switch();
	} else {
		spin_unlock(&sched_lock);
	}
	local_irq_restore(flags);
}

void finish_task_switch(void)
{
	struct task *prev = this_hart()->switched_from;
	bool dead = prev->state == TASK_DEAD;

	smp_store_release(&prev->on_hart, 0); /* a zombie's stack may be freed from here on */
	spin_unlock(&sched_lock);
	if (dead)
		release_task(prev);
}

void cond_resched(void)
{
	if (unlikely(READ_ONCE(current->flags) & TASK_NEED_RESCHED))
		schedule();
}

SYSCALL_DEFINE0(sched_yield)
{
	schedule();
	return 0;
}

/* ---- sleeping for a time ---- */

struct sleeper {
	struct timer timer;
	struct task *task;
};

static void sleeper_wake(struct timer *timer)
{
	wake_task(container_of(timer, struct sleeper, timer)->task);
}

bool schedule_until(u64 deadline_ns)
{
	struct sleeper sleeper = { .task = current };

	if (ktime_ns() >= deadline_ns) {
		WRITE_ONCE(current->state, TASK_RUNNING);
		return true;
	}
	timer_start(&sleeper.timer, deadline_ns, sleeper_wake);
	schedule();
	timer_cancel(&sleeper.timer);
	return ktime_ns() >= deadline_ns;
}

/* ---- nothing to do ---- */

/*
 * The test and the wait are made with interrupts off: a task queued after the test has sent an IPI,
 * which ends the wait. The hart waits only while its bit is in idle_harts, else nobody would send.
 */
void idle_loop(void)
{
	struct hart *hart = this_hart();
	unsigned long self = 1UL << hart->id;

	hart->idle_since = ktime_ns(); /* what came before was work: the boot */
	for (;;) {
		schedule();
		local_irq_disable();
		if (!READ_ONCE(nr_queued) && (READ_ONCE(idle_harts) & self))
			wait_for_interrupt();
		local_irq_enable();
	}
}
