/*
 * timecalls.c - the system calls about time: clocks and sleeping.
 *
 *	CLOCK_REALTIME   = monotonic time + what the clock chip said at boot
 *	CLOCK_BOOTTIME   = CLOCK_MONOTONIC: the machine never sleeps
 *	*_COARSE, *_RAW  = their exact brothers: reading the counter is as cheap as a cached value
 *
 * Interval timers are in kernel/itimer.c.
 * Locks: none; restart_deadline belongs to the current task.
 */
#include "arch/riscv/uaccess.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"

#define CLOCK_REALTIME		 0
#define CLOCK_MONOTONIC		 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	 3
#define CLOCK_MONOTONIC_RAW	 4
#define CLOCK_REALTIME_COARSE	 5
#define CLOCK_MONOTONIC_COARSE	 6
#define CLOCK_BOOTTIME		 7

#define TIMER_ABSTIME 1
#define CLOCK_RES_NS  100 /* one tick of the 10 MHz counter of the boards that we know */

/* The time of @clock in *@ns; -EINVAL: no such clock. */
static int clock_read(int clock, u64 *ns)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = ktime_real_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = ktime_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		sched_account_self();
		*ns = current->utime + current->stime;
		return 0;
	default:
		return -EINVAL;
	}
}

static int put_timespec(struct timespec64 *user, u64 ns)
{
	struct timespec64 ts = ns_to_timespec(ns);

	return copy_to_user(user, &ts, sizeof(ts)) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(clock_gettime, int, clock, struct timespec64 *, user)
{
	u64 ns;
	int err = clock_read(clock, &ns);

	return err ? err : put_timespec(user, ns);
}

SYSCALL_DEFINE2(clock_getres, int, clock, struct timespec64 *, user)
{
	u64 ns;
	int err = clock_read(clock, &ns);

	if (err || !user)
		return err;
	return put_timespec(user, CLOCK_RES_NS);
}

SYSCALL_DEFINE2(gettimeofday, struct timeval_abi *, user_tv, u64 *, user_tz)
{
	u64 ns = ktime_real_ns();
	struct timeval_abi tv = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000 };

	if (user_tv && copy_to_user(user_tv, &tv, sizeof(tv)))
		return -EFAULT;
	/* struct timezone is two ints: Greenwich, no daylight saving. */
	return user_tz ? put_user(0UL, user_tz) : 0;
}

/* ---- sleeping ---- */

/* Sleeps until @deadline; 0, or -ERESTARTNOHAND when a signal came first. */
static int sleep_until(u64 deadline)
{
	for (;;) {
		WRITE_ONCE(current->state, TASK_INTERRUPTIBLE);
		if (signal_pending(current)) {
			WRITE_ONCE(current->state, TASK_RUNNING);
			return -ERESTARTNOHAND;
		}
		if (schedule_until(deadline))
			return 0;
	}
}

/*
 * The sleep of a relative time that ends at @deadline. When a signal comes first, @user_rem (may be
 * NULL) gets what was left, and restart_syscall() would go on to the same end.
 */
static int sleep_rest(u64 deadline, struct timespec64 *user_rem)
{
	u64 now;

	if (!sleep_until(deadline))
		return 0;
	now = ktime_ns();
	if (user_rem && put_timespec(user_rem, deadline > now ? deadline - now : 0))
		return -EFAULT;
	current->restart_deadline = deadline;
	current->restart_rem = user_rem;
	return -ERESTART_RESTARTBLOCK;
}

static int sleep_for(const struct timespec64 *ts, struct timespec64 *user_rem)
{
	return sleep_rest(deadline_after(timespec_to_ns(ts)), user_rem);
}

/* What a sleep that was stopped, but met no handler, becomes; of no use to programs. */
SYSCALL_DEFINE0(restart_syscall)
{
	u64 deadline = current->restart_deadline;

	current->restart_deadline = 0;
	return deadline ? sleep_rest(deadline, current->restart_rem) : -EINTR;
}

SYSCALL_DEFINE2(nanosleep, const struct timespec64 *, user, struct timespec64 *, user_rem)
{
	struct timespec64 ts;

	if (copy_from_user(&ts, user, sizeof(ts)))
		return -EFAULT;
	return timespec_valid(&ts) ? sleep_for(&ts, user_rem) : -EINVAL;
}

SYSCALL_DEFINE4(clock_nanosleep, int, clock, int, flags, const struct timespec64 *, user,
		struct timespec64 *, user_rem)
{
	struct timespec64 ts;
	u64 until, now;
	int err = clock_read(clock, &now);

	if (err || (flags & ~TIMER_ABSTIME) || clock == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return -EOPNOTSUPP;
	if (copy_from_user(&ts, user, sizeof(ts)))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	if (!(flags & TIMER_ABSTIME))
		return sleep_for(&ts, user_rem);
	until = timespec_to_ns(&ts);
	return until > now ? sleep_until(deadline_after(until - now)) : 0;
}
