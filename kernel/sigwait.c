/*
 * sigwait.c - the system calls that wait for a signal.
 *
 *	rt_sigsuspend     other mask, sleep -> any handler; the mask comes back behind it
 *	rt_sigtimedwait   sig_awaited, sleep -> takes the signal off itself: no handler
 *
 * Locks: sig_lock of the current task. User memory is touched without it.
 */
#include "arch/riscv/uaccess.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "lib/string.h"

SYSCALL_DEFINE2(rt_sigsuspend, const u64 *, user, size_t, size)
{
	struct wait_queue nobody;
	u64 set;

	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(set, user))
		return -EFAULT;
	wait_queue_init(&nobody);
	set_blocked_for_call(set);
	wait_event_interruptible(&nobody, false);
	return -ERESTARTNOHAND;
}

/* Sleeps until a signal of @set is pending, and takes it. -EAGAIN: @deadline came first; -EINTR. */
static int wait_for_signal(u64 set, u64 deadline, struct sig_info *info)
{
	struct task *task = current;
	bool late, other;
	int sig;

	for (;;) {
		LIST_HEAD(used);
		unsigned long flags;

		late = ktime_ns() >= deadline;
		flags = spin_lock_irqsave(&task->sig_lock);
		sig = dequeue_signal(set, info, &used);
		task->sig_awaited = 0;
		recalc_sigpending(task);
		other = signal_pending(task);
		if (!sig && !late && !other) {
			/* Senders take sig_lock too: what comes from here on wakes. */
			task->sig_awaited = set;
			WRITE_ONCE(task->state, TASK_INTERRUPTIBLE);
		}
		spin_unlock_irqrestore(&task->sig_lock, flags);
		sigqueue_release(&used);
		if (sig || late || other)
			break;
		schedule_until(deadline);
	}
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
	sig = wait_for_signal(set & ~UNBLOCKABLE_SIGNALS, deadline, &info);
	if (sig < 0 || !user_info)
		return sig;
	siginfo_to_abi(&abi, sig, &info);
	return copy_to_user(user_info, &abi, sizeof(abi)) ? -EFAULT : sig;
}
