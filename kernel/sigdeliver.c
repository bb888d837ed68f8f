/*
 * sigdeliver.c - what is done about waiting signals before a task goes back to user mode.
 *
 *	exit_to_user_work() --> take_signal() --> handler: sigframe_push(), into user mode
 *	                             ^     |----> default: ignore it, stop_by(), do_exit()
 *	                             '-----'
 *
 *	an interrupted system call returned     no handler ran   handler, SA_RESTART   handler
 *	  ERESTARTSYS   (read, wait4, ...)       made again       made again            EINTR
 *	  ERESTARTNOINTR         (clone)         made again       made again            made again
 *	  ERESTARTNOHAND (ppoll, pause, ...)     made again       EINTR                 EINTR
 *	  ERESTART_RESTARTBLOCK (nanosleep)      restart_syscall  EINTR                 EINTR
 *
 * "Made again": sepc back on the ecall, a0 as it was.
 *
 * Locks: sig_lock of the current task; task_lock outside of it for a stop.
 * Source: signal(7), "Interruption of system calls and library functions by signal handlers".
 */
#include "arch/riscv/csr.h"
#include "arch/riscv/traps.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kstack.h"

#define NR_RESTART_SYSCALL 128
#define ECALL_SIZE	   4

/* ---- exceptions of user programs (called by arch/riscv/trap.c) ---- */

/* Nobody but the reader of the console will learn of @sig. */
static bool is_unhandled(int sig)
{
	return !is_handler(current->sigaction[sig].handler) ||
	       (current->sig_blocked & sigmask(sig));
}

void fault_signal(struct trap_frame *regs, unsigned long addr, enum fault_access access,
		  enum fault_result res)
{
	int sig = res == FAULT_SIGBUS ? SIGBUS : res == FAULT_OOM ? SIGKILL : SIGSEGV;

	if (is_unhandled(sig))
		fault_report(current->mm, addr, regs->sepc, access, res);
	force_signal(sig,
		     res == FAULT_SIGBUS      ? BUS_ADRERR :
		     res == FAULT_OOM	      ? SI_KERNEL :
		     res == FAULT_SEGV_ACCERR ? SEGV_ACCERR :
						SEGV_MAPERR,
		     addr);
}

void trap_signal(struct trap_frame *regs, int sig, unsigned long addr)
{
	if (is_unhandled(sig))
		printk("%s[%d]: %s at pc 0x%lx, address 0x%lx: signal %d\n", current->comm,
		       current->pid, trap_cause(regs->scause), regs->sepc, addr, sig);
	force_signal(sig,
		     sig == SIGILL  ? ILL_ILLOPC :
		     sig == SIGBUS  ? BUS_ADRALN :
		     sig == SIGTRAP ? TRAP_BRKPT :
				      SEGV_ACCERR,
		     addr);
}

/* ---- stopping ---- */

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

/* ---- system calls that gave way ---- */

/*
 * Makes the interrupted system call again, or lets it fail with EINTR; @action is the handler's
 * that runs first, NULL: none does.
 */
static void end_or_restart_call(struct trap_frame *regs, const struct sigaction_k *action)
{
	bool again = !action;

	if (regs->scause != CAUSE_USER_ECALL)
		return;
	switch (-(long)regs->a0) {
	case ERESTARTSYS:
		again = again || (action->flags & SA_RESTART);
		break;
	case ERESTARTNOINTR:
		again = true;
		break;
	case ERESTARTNOHAND:
		break;
	case ERESTART_RESTARTBLOCK:
		if (again)
			regs->a7 = NR_RESTART_SYSCALL;
		break;
	default:
		return;
	}
	if (again) {
		regs->a0 = regs->orig_a0;
		regs->sepc -= ECALL_SIZE;
	} else {
		regs->a0 = -EINTR;
	}
	regs->scause = 0; /* once */
}

/* ---- delivery ---- */

/* Takes the next signal that a handler is to have; false: none. Does what needs no handler. */
static bool take_signal(struct delivery *d)
{
	struct task *task = current;
	unsigned long handler;

	for (;;) {
		LIST_HEAD(used);
		unsigned long flags = spin_lock_irqsave(&task->sig_lock);
		int sig = dequeue_signal(~task->sig_blocked, &d->info, &used);

		d->sig = sig;
		d->action = task->sigaction[sig];
		handler = d->action.handler;
		if (is_handler(handler) && (d->action.flags & SA_RESETHAND))
			task->sigaction[sig].handler = SIG_DFL;
		recalc_sigpending(task);
		spin_unlock_irqrestore(&task->sig_lock, flags);
		sigqueue_release(&used);
		if (!sig || is_handler(handler))
			return sig;
		if (is_ignored(task, sig))
			continue;
		if (sigmask(sig) & STOP_SIGNALS)
			stop_by(sig);
		else
			do_exit(sig);
	}
}

static void enter_handler(struct trap_frame *regs, const struct delivery *d)
{
	struct task *task = current;
	u64 blocked = task->sig_restore ? task->sig_saved : task->sig_blocked;

	end_or_restart_call(regs, &d->action);
	if (sigframe_push(regs, d, blocked)) {
		force_sigsegv(d->sig);
		return;
	}
	task->sig_restore = false;
	blocked = task->sig_blocked | d->action.mask;
	if (!(d->action.flags & SA_NODEFER))
		blocked |= sigmask(d->sig);
	set_blocked(blocked);
}

static void do_signals(struct trap_frame *regs)
{
	struct task *task = current;
	struct delivery d;

	if (take_signal(&d)) {
		enter_handler(regs, &d);
		return;
	}
	end_or_restart_call(regs, NULL);
	if (task->sig_restore) {
		task->sig_restore = false;
		set_blocked(task->sig_saved);
	}
}

/* What others need of the hart, or of the pages that its reserve gave. */
static void work_for_others(void)
{
	if (READ_ONCE(current->flags) & TASK_STACK_GROWN) {
		/* Here, unlike in schedule(), caches may be emptied for it. */
		atomic_and_ulong(&current->flags, ~TASK_STACK_GROWN);
		kstack_refill(GFP_KERNEL);
	}
	if (READ_ONCE(current->flags) & TASK_NEED_RESCHED)
		schedule();
}

void exit_to_user_work(struct trap_frame *regs)
{
	if (READ_ONCE(current->flags) & (TASK_NEED_RESCHED | TASK_STACK_GROWN))
		work_for_others();
	if (READ_ONCE(current->flags) & TASK_SIGPENDING)
		do_signals(regs);
}

/* ---- for programs ---- */

void siginfo_to_abi(struct siginfo_abi *abi, int sig, const struct sig_info *info)
{
	BUILD_BUG_ON(sizeof(*abi) != 128);
	memset(abi, 0, sizeof(*abi));
	abi->signo = sig;
	abi->code = info->code;
	abi->err = info->err;
	abi->fields = info->fields;
}
