/*
 * signal.c - sending signals, and acting on them before user mode.
 *
 *	kill, ^C, a fault, a child, a timer --> send_signal(): sig_pending, wake the task
 *	     way back to user mode --> exit_to_user_work(): default actions die, stop, ignore
 *
 * A signal whose action is to be ignored vanishes when it is sent, unless it is blocked. Signals
 * of one number do not queue: one bit each. Handlers do not exist yet: rt_sigaction() refuses
 * them.
 *
 * Invariants: TASK_SIGPENDING is set whenever a pending signal is not blocked, or awaited;
 * `killed` tells that one of those is deadly; only the task itself clears the flag. Init gets no
 * deadly signal but by its own fault.
 * Locks: sig_lock of the receiver, interrupts off: pending, blocked, actions, killed, stop_*. It is
 * inside task_lock, and sched_lock is inside it.
 */
#include "kernel/signal.h"

#include "arch/riscv/switch.h"
#include "arch/riscv/traps.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "lib/bitmap.h"
#include "mm/mm.h"

#define STOP_SIGNALS (sigmask(SIGSTOP) | sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU))
#define IGNORED_BY_DEFAULT                                                                         \
	(sigmask(SIGCHLD) | sigmask(SIGCONT) | sigmask(SIGURG) | sigmask(SIGWINCH))
/* A fault comes before what others send. */
#define URGENT_SIGNALS                                                                             \
	(sigmask(SIGKILL) | sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) |                 \
	 sigmask(SIGTRAP) | sigmask(SIGFPE))

static bool is_deadly(const struct task *task, int sig)
{
	return task->sigaction[sig].handler == SIG_DFL &&
	       !(sigmask(sig) & (STOP_SIGNALS | IGNORED_BY_DEFAULT));
}

static bool is_ignored(const struct task *task, int sig)
{
	unsigned long handler = task->sigaction[sig].handler;

	return handler == SIG_IGN || (handler == SIG_DFL && (sigmask(sig) & IGNORED_BY_DEFAULT));
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

/* Sets the bit and the reason. sig_lock held. */
static void set_pending(struct task *task, int sig, const struct sig_info *info)
{
	static const struct sig_info from_kernel = { .code = SI_KERNEL };

	task->sig_pending |= sigmask(sig);
	if (sig <= NSIG_STD)
		task->sig_info[sig] = info ? *info : from_kernel;
	recalc_sigpending(task);
}

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

void send_signal(struct task *task, int sig, const struct sig_info *info)
{
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);
	unsigned states = job_control(task, sig);

	if (!vanishes(task, sig))
		set_pending(task, sig, info);
	poke(task, states);
	spin_unlock_irqrestore(&task->sig_lock, flags);
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
	struct sig_info info = { .code = code, .value = addr };
	struct sigaction_k *action = &task->sigaction[sig];
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);

	if (action->handler == SIG_IGN || (task->sig_blocked & sigmask(sig))) {
		action->handler = SIG_DFL;
		task->sig_blocked &= ~sigmask(sig);
	}
	set_pending(task, sig, &info);
	spin_unlock_irqrestore(&task->sig_lock, flags);
}

void notify_parent(struct task *task, int code)
{
	struct task *parent = task->parent;
	bool ended = code == CLD_EXITED || code == CLD_KILLED;
	struct sig_info info = { .code = code, .pid = task->pid, .uid = task->cred.uid };
	int sig = ended ? task->exit_signal : SIGCHLD;

	if (ended)
		info.value = code == CLD_KILLED ? task->exit_code & 0x7f : task->exit_code >> 8;
	else
		info.value = code == CLD_STOPPED ? task->stop_signal : SIGCONT;
	if (sig && (ended || !(parent->sigaction[SIGCHLD].flags & SA_NOCLDSTOP)))
		send_signal(parent, sig, &info);
	wake_up(&parent->child_wait);
}

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
}

/* ---- exceptions of user programs (called by arch/riscv/trap.c) ---- */

void fault_signal(struct trap_frame *regs, unsigned long addr, enum fault_access access,
		  enum fault_result res)
{
	fault_report(current->mm, addr, regs->sepc, access, res);
	switch (res) {
	case FAULT_SIGBUS:
		force_signal(SIGBUS, BUS_ADRERR, addr);
		break;
	case FAULT_OOM:
		force_signal(SIGKILL, SI_KERNEL, addr);
		break;
	default:
		force_signal(SIGSEGV, res == FAULT_SEGV_ACCERR ? SEGV_ACCERR : SEGV_MAPERR, addr);
	}
}

void trap_signal(struct trap_frame *regs, int sig, unsigned long addr)
{
	printk("%s[%d]: %s at pc 0x%lx, address 0x%lx: signal %d\n", current->comm, current->pid,
	       trap_cause(regs->scause), regs->sepc, addr, sig);
	force_signal(sig,
		     sig == SIGILL  ? ILL_ILLOPC :
		     sig == SIGBUS  ? BUS_ADRALN :
		     sig == SIGTRAP ? TRAP_BRKPT :
				      SEGV_ACCERR,
		     addr);
}

/* ---- acting on signals ---- */

int dequeue_signal(u64 set, struct sig_info *info)
{
	struct task *task = current;
	u64 waiting = task->sig_pending & set;
	int sig;

	if (!waiting)
		return 0;
	if (waiting & URGENT_SIGNALS)
		waiting &= URGENT_SIGNALS;
	if (waiting & sigmask(SIGKILL))
		waiting = sigmask(SIGKILL);
	sig = __ffs64(waiting) + 1;
	task->sig_pending &= ~sigmask(sig);
	*info = sig <= NSIG_STD ? task->sig_info[sig] : (struct sig_info){ .code = SI_USER };
	if ((sigmask(sig) & STOP_SIGNALS) && task->sigaction[sig].handler == SIG_DFL)
		task->stop_wanted = true;
	return sig;
}

/* Stops the current task by @sig until SIGCONT or SIGKILL, unless one of them came already. */
static void stop_by(int sig)
{
	struct task *task = current;
	unsigned long flags;
	bool stopped;

	if (sig != SIGSTOP && current_pgrp_is_orphaned())
		return;
	flags = spin_lock_irqsave(&task_lock);
	spin_lock(&task->sig_lock);
	stopped = task->stop_wanted;
	if (stopped) {
		task->stop_wanted = false;
		WRITE_ONCE(task->stop_signal, sig);
		task->stop_reported = task->continued = false;
	}
	spin_unlock(&task->sig_lock);
	if (stopped)
		notify_parent(task, CLD_STOPPED);
	spin_unlock_irqrestore(&task_lock, flags);
	if (!stopped)
		return;

	for (;;) {
		WRITE_ONCE(task->state, TASK_STOPPED);
		smp_mb(); /* the waker clears stop_signal, then looks at the state */
		if (!READ_ONCE(task->stop_signal))
			break;
		schedule();
	}
	WRITE_ONCE(task->state, TASK_RUNNING);
	flags = spin_lock_irqsave(&task_lock);
	if (!task->killed) {
		task->continued = true;
		notify_parent(task, CLD_CONTINUED);
	}
	spin_unlock_irqrestore(&task_lock, flags);
}

/*
 * Takes the default action of each signal that waits. A system call that gave up because of a
 * signal that did not kill is made again: sepc back to the ecall, a0 as it was.
 */
static void do_signals(struct trap_frame *regs)
{
	struct task *task = current;
	struct sig_info info;
	unsigned long flags;
	int sig;

	for (;;) {
		flags = spin_lock_irqsave(&task->sig_lock);
		sig = dequeue_signal(~task->sig_blocked, &info);
		recalc_sigpending(task);
		spin_unlock_irqrestore(&task->sig_lock, flags);
		if (!sig)
			break;
		if (is_ignored(task, sig))
			continue;
		if (sigmask(sig) & STOP_SIGNALS)
			stop_by(sig);
		else
			do_exit(sig);
	}
	if (regs->scause == CAUSE_USER_ECALL && (long)regs->a0 == -EINTR) {
		regs->a0 = regs->orig_a0;
		regs->sepc -= 4;
		regs->scause = 0; /* once */
	}
	if (task->sig_restore) {
		flags = spin_lock_irqsave(&task->sig_lock);
		task->sig_restore = false;
		task->sig_blocked = task->sig_saved;
		recalc_sigpending(task);
		spin_unlock_irqrestore(&task->sig_lock, flags);
	}
}

void exit_to_user_work(struct trap_frame *regs)
{
	if (READ_ONCE(current->flags) & TASK_NEED_RESCHED)
		schedule();
	if (READ_ONCE(current->flags) & TASK_SIGPENDING)
		do_signals(regs);
}
