/*
 * sigcalls.c - the system calls that send signals and that say what is to be done about them.
 *
 * What they mean is in kernel/signal.c; those that wait are in kernel/sigwait.c.
 *
 * Locks: task_lock while receivers are looked for; sig_lock of the current task for its own masks
 * and actions. User memory is touched, and memory taken, with neither.
 */
#include "arch/riscv/switch.h"
#include "arch/riscv/uaccess.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/vdso.h"
#include "lib/string.h"

/* What MINSIGSTKSZ of <signal.h> is: a frame and a little. */
#define MIN_SIG_STACK 2048

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

/* Room for what kill(@pid, @sig) may have to queue: about as many as there are receivers. */
static void reserve_for(struct list_head *room, pid_t pid, int sig)
{
	unsigned long flags;
	struct task *task;
	unsigned n = 0;

	if (sig <= NSIG_STD)
		return;
	flags = spin_lock_irqsave(&task_lock);
	list_for_each_entry(task, &task_list, all_link)
		n += kill_selects(pid, task);
	spin_unlock_irqrestore(&task_lock, flags);
	sigqueue_reserve(room, sig, n);
}

SYSCALL_DEFINE2(kill, pid_t, pid, int, sig)
{
	struct sig_info info = {
		.code = SI_USER,
		.fields = { .pid = current->pid, .uid = current->cred.uid },
	};
	LIST_HEAD(room);
	struct task *task;
	unsigned long flags;
	long ret = -ESRCH;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (pid == INT_MIN)
		return -ESRCH;
	reserve_for(&room, pid, sig);
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
			send_signal_queued(task, sig, &info, &room);
		ret = 0;
	}
	spin_unlock_irqrestore(&task_lock, flags);
	sigqueue_release(&room);
	return ret;
}

/* Sends @sig (0: only looks whether it might) to the one task @tid; 0 or -errno. */
static long send_to_task(pid_t tid, int sig, const struct sig_info *info)
{
	LIST_HEAD(room);
	unsigned long flags;
	struct task *task;
	long ret = -ESRCH;

	sigqueue_reserve(&room, sig, 1);
	flags = spin_lock_irqsave(&task_lock);
	task = find_task_locked(tid);
	if (task)
		ret = may_signal(task, sig) ? 0 : -EPERM;
	if (!ret && sig)
		ret = send_signal_queued(task, sig, info, &room);
	spin_unlock_irqrestore(&task_lock, flags);
	sigqueue_release(&room);
	return ret;
}

static long do_tkill(pid_t tid, int sig)
{
	struct sig_info info = {
		.code = SI_TKILL,
		.fields = { .pid = current->pid, .uid = current->cred.uid },
	};

	if (tid <= 0 || sig < 0 || sig > NSIG)
		return -EINVAL;
	return send_to_task(tid, sig, &info);
}

SYSCALL_DEFINE2(tkill, pid_t, tid, int, sig)
{
	return do_tkill(tid, sig);
}

SYSCALL_DEFINE3(tgkill, pid_t, tgid, pid_t, tid, int, sig)
{
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	return tgid == tid ? do_tkill(tid, sig) : -ESRCH;
}

/* sigqueue(3): a signal that says of itself whatever its sender wants. */
static long do_sigqueue(pid_t tid, int sig, const struct siginfo_abi *user)
{
	struct siginfo_abi abi;
	struct sig_info info;

	if (copy_from_user(&abi, user, sizeof(abi)))
		return -EFAULT;
	/* Not as if the kernel, kill() or tkill() had sent it; but to itself. */
	if ((abi.code >= 0 || abi.code == SI_TKILL) && tid != current->pid)
		return -EPERM;
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	info = (struct sig_info){ .code = abi.code, .err = abi.err, .fields = abi.fields };
	return send_to_task(tid, sig, &info);
}

SYSCALL_DEFINE3(rt_sigqueueinfo, pid_t, pid, int, sig, const struct siginfo_abi *, user)
{
	return do_sigqueue(pid, sig, user);
}

SYSCALL_DEFINE4(rt_tgsigqueueinfo, pid_t, tgid, pid_t, tid, int, sig, const struct siginfo_abi *,
		user)
{
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	return tgid == tid ? do_sigqueue(tid, sig, user) : -ESRCH;
}

/* ---- actions and masks ---- */

static void set_action(int sig, const struct sigaction_k *action)
{
	struct task *task = current;
	LIST_HEAD(used);
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);

	task->sigaction[sig].handler = action->handler;
	task->sigaction[sig].flags = action->flags & SA_KNOWN;
	task->sigaction[sig].mask = action->mask & ~UNBLOCKABLE_SIGNALS;
	if (is_ignored(task, sig))
		sigqueue_drop(task, sigmask(sig), &used);
	recalc_sigpending(task);
	spin_unlock_irqrestore(&task->sig_lock, flags);
	sigqueue_release(&used);
}

SYSCALL_DEFINE4(rt_sigaction, int, sig, const struct sigaction_k *, new, struct sigaction_k *, old,
		size_t, size)
{
	struct sigaction_k action, before;

	if (size != sizeof(u64))
		return -EINVAL;
	if (new &&copy_from_user(&action, new, sizeof(action)))
		return -EFAULT;
	if (sig < 1 || sig > NSIG || (new && (sigmask(sig) & UNBLOCKABLE_SIGNALS)))
		return -EINVAL;
	if (new &&is_handler(action.handler) && vdso_map(current->mm))
		return -ENOMEM;
	before = current->sigaction[sig];
	if (new)
		set_action(sig, &action);
	return old && copy_to_user(old, &before, sizeof(before)) ? -EFAULT : 0;
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

/* ---- the alternate stack ---- */

int set_sig_stack(const struct stack_abi *new, unsigned long sp)
{
	struct sig_stack *stack = &current->sig_stack;
	unsigned mode = new->flags & ~SS_AUTODISARM;

	if (on_sig_stack(sp))
		return -EPERM;
	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
		return -EINVAL;
	if (mode != SS_DISABLE && new->size < MIN_SIG_STACK)
		return -ENOMEM;
	*stack = (struct sig_stack){ new->sp, new->size, new->flags };
	if (mode == SS_DISABLE)
		stack->sp = stack->size = 0;
	return 0;
}

SYSCALL_DEFINE2(sigaltstack, const struct stack_abi *, user_new, struct stack_abi *, user_old)
{
	const struct sig_stack *stack = &current->sig_stack;
	unsigned long sp = task_regs(current)->sp;
	struct stack_abi new, old = { .sp = stack->sp, .size = stack->size };
	int err = 0;

	old.flags = stack->flags & SS_AUTODISARM;
	if (!stack->size)
		old.flags |= SS_DISABLE;
	else if (on_sig_stack(sp))
		old.flags |= SS_ONSTACK;
	if (user_new && copy_from_user(&new, user_new, sizeof(new)))
		return -EFAULT;
	if (user_new)
		err = set_sig_stack(&new, sp);
	if (!err && user_old && copy_to_user(user_old, &old, sizeof(old)))
		err = -EFAULT;
	return err;
}
