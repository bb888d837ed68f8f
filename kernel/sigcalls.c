/*
 * sigcalls.c - the system calls about signals. What they mean is in kernel/signal.c.
 *
 * Locks: task_lock while receivers are looked for; sig_lock of the current task for its own masks
 * and actions. User memory is touched with neither.
 */
#include "arch/riscv/uaccess.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "lib/string.h"

#define UNBLOCKABLE (sigmask(SIGKILL) | sigmask(SIGSTOP))

/* ---- sending ---- */

/* True when kill(@pid) means @task. task_lock held. */
static bool kill_selects(pid_t pid, const struct task *task)
{
	if (task->state == TASK_ZOMBIE && pid <= 0)
		return false;
	if (pid > 0)
		return task->pid == pid;
	if (pid == -1)
		return task != init_task && task != current;
	return task->pgid == (pid ? -pid : current->pgid);
}

SYSCALL_DEFINE2(kill, pid_t, pid, int, sig)
{
	struct sig_info info = { .code = SI_USER, .pid = current->pid, .uid = current->cred.uid };
	struct task *task;
	unsigned long flags;
	long ret = -ESRCH;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (pid == INT_MIN)
		return -ESRCH;
	flags = spin_lock_irqsave(&task_lock);
	list_for_each_entry(task, &task_list, all_link) {
		if (!kill_selects(pid, task))
			continue;
		if (!may_signal(task, sig)) {
			/* One that may be reached is enough; kill(-1) does not even tell. */
			ret = pid == -1 || !ret ? 0 : -EPERM;
			continue;
		}
		if (sig)
			send_signal(task, sig, &info);
		ret = 0;
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return ret;
}

static long do_tkill(pid_t tid, int sig)
{
	struct sig_info info = { .code = SI_TKILL, .pid = current->pid, .uid = current->cred.uid };
	unsigned long flags;
	struct task *task;
	long ret = -ESRCH;

	if (tid <= 0 || sig < 0 || sig > NSIG)
		return -EINVAL;
	flags = spin_lock_irqsave(&task_lock);
	task = find_task_locked(tid);
	if (task)
		ret = may_signal(task, sig) ? 0 : -EPERM;
	if (!ret && sig)
		send_signal(task, sig, &info);
	spin_unlock_irqrestore(&task_lock, flags);
	return ret;
}

SYSCALL_DEFINE2(tkill, pid_t, tid, int, sig)
{
	return do_tkill(tid, sig);
}

SYSCALL_DEFINE3(tgkill, pid_t, tgid, pid_t, tid, int, sig)
{
	if (tgid <= 0)
		return -EINVAL;
	return tgid == tid ? do_tkill(tid, sig) : -ESRCH;
}

/* ---- actions and masks ---- */

static void set_action(int sig, const struct sigaction_k *action)
{
	struct task *task = current;
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);

	task->sigaction[sig] = *action;
	task->sigaction[sig].mask &= ~UNBLOCKABLE;
	if (action->handler == SIG_IGN ||
	    (action->handler == SIG_DFL &&
	     (sig == SIGCHLD || sig == SIGCONT || sig == SIGURG || sig == SIGWINCH)))
		task->sig_pending &= ~sigmask(sig);
	recalc_sigpending(task);
	spin_unlock_irqrestore(&task->sig_lock, flags);
}

SYSCALL_DEFINE4(rt_sigaction, int, sig, const struct sigaction_k *, new, struct sigaction_k *, old,
		size_t, size)
{
	struct sigaction_k action, before;

	if (size != sizeof(u64))
		return -EINVAL;
	if (new &&copy_from_user(&action, new, sizeof(action)))
		return -EFAULT;
	if (sig < 1 || sig > NSIG || (new && (sigmask(sig) & UNBLOCKABLE)))
		return -EINVAL;
	before = current->sigaction[sig];
	if (new) {
		if (action.handler > SIG_IGN)
			return -EOPNOTSUPP;
		set_action(sig, &action);
	}
	return old && copy_to_user(old, &before, sizeof(before)) ? -EFAULT : 0;
}

static void set_blocked(u64 blocked)
{
	struct task *task = current;
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);

	task->sig_blocked = blocked & ~UNBLOCKABLE;
	recalc_sigpending(task);
	spin_unlock_irqrestore(&task->sig_lock, flags);
}

SYSCALL_DEFINE4(rt_sigprocmask, int, how, const u64 *, new, u64 *, old, size_t, size)
{
	u64 before = current->sig_blocked;
	u64 set;

	if (size != sizeof(u64))
		return -EINVAL;
	if (new) {
		if (get_user(set, new))
			return -EFAULT;
		if (how == SIG_BLOCK)
			set_blocked(before | set);
		else if (how == SIG_UNBLOCK)
			set_blocked(before & ~set);
		else if (how == SIG_SETMASK)
			set_blocked(set);
		else
			return -EINVAL;
	}
	return old ? put_user(before, old) : 0;
}

SYSCALL_DEFINE2(rt_sigpending, u64 *, user, size_t, size)
{
	u64 pending = READ_ONCE(current->sig_pending) & current->sig_blocked;

	if (size > sizeof(pending))
		return -EINVAL;
	return copy_to_user(user, &pending, size) ? -EFAULT : 0;
}

/* ---- waiting for signals ---- */

SYSCALL_DEFINE2(rt_sigsuspend, const u64 *, user, size_t, size)
{
	struct wait_queue nobody;
	u64 set;

	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(set, user))
		return -EFAULT;
	wait_queue_init(&nobody);
	current->sig_saved = current->sig_blocked;
	set_blocked(set);
	current->sig_restore = true;
	return wait_event_interruptible(&nobody, false);
}

/* Sleeps until a signal of @set is pending, and takes it. -EAGAIN: @deadline came first; -EINTR. */
static int wait_for_signal(u64 set, u64 deadline, struct sig_info *info)
{
	struct task *task = current;
	bool late, other;
	int sig;

	for (;;) {
		unsigned long flags;

		late = ktime_ns() >= deadline;
		WRITE_ONCE(task->state, TASK_INTERRUPTIBLE);
		flags = spin_lock_irqsave(&task->sig_lock);
		sig = dequeue_signal(set, info);
		task->sig_awaited = sig || late ? 0 : set;
		recalc_sigpending(task);
		other = signal_pending(task);
		if (other)
			task->sig_awaited = 0;
		spin_unlock_irqrestore(&task->sig_lock, flags);
		if (sig || late || other)
			break;
		schedule_until(deadline);
	}
	WRITE_ONCE(task->state, TASK_RUNNING);
	if (sig)
		return sig;
	return late ? -EAGAIN : -EINTR;
}

SYSCALL_DEFINE4(rt_sigtimedwait, const u64 *, user_set, struct siginfo_abi *, user_info,
		const struct timespec64 *, user_timeout, size_t, size)
{
	struct sig_info info;
	struct siginfo_abi abi;
	struct timespec64 timeout;
	u64 set, deadline = ~0ULL;
	int sig;

	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(set, user_set))
		return -EFAULT;
	if (user_timeout) {
		if (copy_from_user(&timeout, user_timeout, sizeof(timeout)))
			return -EFAULT;
		if (!timespec_valid(&timeout))
			return -EINVAL;
		deadline = deadline_after(timespec_to_ns(&timeout));
	}
	sig = wait_for_signal(set & ~UNBLOCKABLE, deadline, &info);
	if (sig < 0 || !user_info)
		return sig;
	memset(&abi, 0, sizeof(abi));
	abi.signo = sig;
	abi.code = info.code;
	abi.pid = info.pid;
	abi.uid = info.uid;
	abi.status = info.value;
	return copy_to_user(user_info, &abi, sizeof(abi)) ? -EFAULT : sig;
}
