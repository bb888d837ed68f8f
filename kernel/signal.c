/*
 * signal.c - sending signals, and what a task does with which.
 *
 *	kill, ^C, a fault, a child, a timer --> send_signal(): sig_pending, wake the task
 *	     way back to user mode --> exit_to_user_work(): a handler's frame, or the default:
 *	                               die, stop, ignore (kernel/sigdeliver.c)
 *
 * A signal whose action is to be ignored vanishes when it is sent, unless it is blocked. What waits
 * is kept by kernel/sigqueue.c.
 *
 * Invariants: TASK_SIGPENDING is set whenever a pending signal is not blocked, or awaited;
 * `killed` tells that one of those is deadly; only the task itself clears the flag. Init gets no
 * deadly signal but by its own fault.
 * Locks: sig_lock of the receiver, interrupts off: pending, blocked, actions, killed, stop_*. It is
 * inside task_lock, and sched_lock is inside it.
 */
#include "kernel/signal.h"

#include "arch/riscv/smp.h"
#include "kernel/sched.h"
#include "lib/bitmap.h"

#define CLOCK_TICK_NS (NSEC_PER_SEC / 100)

static bool is_deadly(const struct task *task, int sig)
{
	return task->sigaction[sig].handler == SIG_DFL &&
	       !(sigmask(sig) & (STOP_SIGNALS | IGNORED_BY_DEFAULT));
}

void recalc_sigpending(struct task *task)
{
	u64 waiting = task->sig_pending & ~task->sig_blocked;
	bool killed = false;

	for (u64 left = waiting; left; left &= left - 1)
		killed |= is_deadly(task, __ffs64(left) + 1);
	WRITE_ONCE(task->killed, killed); /* once: others look without the lock */
	if (!waiting && !(task->sig_pending & task->sig_awaited)) {
		if (task == current && (READ_ONCE(task->flags) & TASK_SIGPENDING))
			atomic_and_ulong(&task->flags, ~TASK_SIGPENDING);
		return;
	}
	atomic_or_ulong(&task->flags, TASK_SIGPENDING);
}

/* ---- sending ---- */

/* Stop and continue cancel each other; SIGCONT and SIGKILL end a stop. Returns states to wake. */
static unsigned job_control(struct task *task, int sig)
{
	if (sigmask(sig) & STOP_SIGNALS)
		task->sig_pending &= ~sigmask(SIGCONT);
	if (sig != SIGCONT && sig != SIGKILL)
		return 0;
	task->sig_pending &= ~STOP_SIGNALS;
	task->stop_wanted = false;
	WRITE_ONCE(task->stop_signal, 0);
	return STATE_BIT(TASK_STOPPED);
}

/* True when @task never learns of @sig. */
static bool vanishes(const struct task *task, int sig)
{
	if (!task->mm)
		return true; /* a kernel thread, or on its way out */
	if (task == init_task && sigmask(sig) != sigmask(SIGCHLD) &&
	    task->sigaction[sig].handler == SIG_DFL)
		return true;
	return is_ignored(task, sig) && !((task->sig_blocked | task->sig_awaited) & sigmask(sig));
}

/* Makes @task notice: out of a sleep, or out of user mode on another hart. */
static void poke(struct task *task, unsigned states)
{
	if (signal_pending(task))
		states |= STATE_BIT(TASK_INTERRUPTIBLE);
	if (task->killed)
		states |= STATE_BIT(TASK_KILLABLE);
	if (states && !wake_task_in(task, states) && task != current && READ_ONCE(task->on_hart))
		ipi_send(1UL << task->hart->id, IPI_RESCHED);
}

int send_signal_queued(struct task *task, int sig, const struct sig_info *info,
		       struct list_head *room)
{
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);
	unsigned states = job_control(task, sig);
	int err = 0;

	if (!vanishes(task, sig)) {
		err = sigqueue_add(task, sig, info, room);
		recalc_sigpending(task);
	}
	poke(task, states);
	spin_unlock_irqrestore(&task->sig_lock, flags);
	return err;
}

void send_signal(struct task *task, int sig, const struct sig_info *info)
{
	send_signal_queued(task, sig, info, NULL);
}

void signal_self(int sig)
{
	struct sig_info info = {
		.code = SI_USER,
		.fields = { .pid = current->pid, .uid = current->cred.uid },
	};

	send_signal(current, sig, &info);
}

int kill_pgrp(pid_t pgid, int sig)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *task;
	int err = -ESRCH;

	list_for_each_entry(task, &task_list, all_link) {
		if (task->pgid == pgid && task->state != TASK_ZOMBIE) {
			send_signal(task, sig, NULL);
			err = 0;
		}
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return err;
}

void force_signal(int sig, int code, unsigned long addr)
{
	struct task *task = current;
	struct sigaction_k *action = &task->sigaction[sig];
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);

	if (action->handler == SIG_IGN || (task->sig_blocked & sigmask(sig))) {
		action->handler = SIG_DFL;
		task->sig_blocked &= ~sigmask(sig);
	}
	/* Its own fault comes before one that somebody only pretended. */
	task->sig_pending |= sigmask(sig);
	task->sig_info[sig] = (struct sig_info){ .code = code, .fields.addr = addr };
	recalc_sigpending(task);
	spin_unlock_irqrestore(&task->sig_lock, flags);
}

void force_sigsegv(int sig)
{
	if (sig == SIGSEGV) {
		unsigned long flags = spin_lock_irqsave(&current->sig_lock);

		current->sigaction[SIGSEGV].handler = SIG_DFL;
		spin_unlock_irqrestore(&current->sig_lock, flags);
	}
	force_signal(SIGSEGV, SI_KERNEL, 0);
}

void notify_parent(struct task *task, int code)
{
	struct task *parent = task->parent;
	bool ended = code == CLD_EXITED || code == CLD_KILLED;
	struct sig_info info = {
		.code = code,
		.fields = { .pid = task->pid,
			    .uid = task->cred.uid,
			    .utime = task->utime / CLOCK_TICK_NS,
			    .stime = task->stime / CLOCK_TICK_NS },
	};
	int sig = ended ? task->exit_signal : SIGCHLD;

	if (ended)
		info.fields.status =
			code == CLD_KILLED ? task->exit_code & 0x7f : task->exit_code >> 8;
	else
		info.fields.status = code == CLD_STOPPED ? task->stop_signal : SIGCONT;
	if (sig && (ended || !(parent->sigaction[SIGCHLD].flags & SA_NOCLDSTOP)))
		send_signal(parent, sig, &info);
	wake_up(&parent->child_wait);
}

/* ---- masks and actions ---- */

bool signal_is_ignored(int sig)
{
	return (current->sig_blocked & sigmask(sig)) || current->sigaction[sig].handler == SIG_IGN;
}

bool current_pgrp_is_orphaned(void)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	bool orphaned = pgrp_is_orphaned(current->pgid, NULL);

	spin_unlock_irqrestore(&task_lock, flags);
	return orphaned;
}

u64 set_blocked(u64 blocked)
{
	struct task *task = current;
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);
	u64 before = task->sig_blocked;

	task->sig_blocked = blocked & ~UNBLOCKABLE_SIGNALS;
	recalc_sigpending(task);
	spin_unlock_irqrestore(&task->sig_lock, flags);
	return before;
}

void set_blocked_for_call(u64 blocked)
{
	current->sig_saved = set_blocked(blocked);
	current->sig_restore = true;
}

void flush_signal_handlers(struct task *task)
{
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);

	for (int sig = 1; sig <= NSIG; sig++) {
		struct sigaction_k *action = &task->sigaction[sig];

		if (action->handler != SIG_IGN)
			action->handler = SIG_DFL;
		action->flags = 0;
		action->mask = 0;
	}
	recalc_sigpending(task);
	spin_unlock_irqrestore(&task->sig_lock, flags);
	task->sig_stack = (struct sig_stack){ 0, 0, SS_DISABLE };
}

void exit_signals(struct task *task)
{
	LIST_HEAD(used);
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);

	sigqueue_drop(task, ~0UL, &used);
	spin_unlock_irqrestore(&task->sig_lock, flags);
	sigqueue_release(&used);
}
