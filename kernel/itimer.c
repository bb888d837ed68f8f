/*
 * itimer.c - interval timers: setitimer(2), getitimer(2); glibc makes alarm(3) of them.
 *
 *	ITIMER_REAL      a timer of the machine's (kernel/time.c)     -> SIGALRM
 *	ITIMER_VIRTUAL   the task's utime, looked at by each tick     -> SIGVTALRM
 *	ITIMER_PROF      utime + stime, likewise                      -> SIGPROF
 *
 * The last two are as fine as ticks are: 10 ms, less when the machine ticks for something else.
 *
 * Invariants: cpu_itimer_on is true if a timer of the task's own time runs. A timer is stopped in
 * do_exit(), so that it never fires for a task that is gone.
 * Locks: none. A task sets its own timers only: the machine's it cancels first, and from the tick,
 * which interrupts the task itself, interrupts are off.
 */
#include "arch/riscv/irqflags.h"
#include "arch/riscv/uaccess.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"

#define ITIMER_REAL    0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF    2

/* More often a signal cannot be taken usefully, and many such timers would leave no time to run. */
#define ITIMER_MIN_NS (NSEC_PER_SEC / 1000)

struct itimerval_abi {
	struct timeval_abi interval, value;
};

/* In nanoseconds. */
struct itimer_setting {
	u64 value, interval;
};

/* ---- numbers ---- */

static struct timeval_abi ns_to_timeval(u64 ns)
{
	return (struct timeval_abi){ ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000 };
}

/* Nanoseconds of @tv; false: not a time. */
static bool timeval_to_ns(const struct timeval_abi *tv, u64 *ns)
{
	struct timespec64 ts = { tv->sec, tv->usec * 1000 };

	if ((u64)tv->usec >= 1000000 || !timespec_valid(&ts))
		return false;
	*ns = timespec_to_ns(&ts);
	return true;
}

static u64 time_left(u64 expires, u64 now)
{
	return expires > now ? expires - now : 0;
}

static u64 saturating_add(u64 a, u64 b)
{
	return b > ~0ULL - a ? ~0ULL : a + b;
}

/* ---- the real one ---- */

static void itimer_fire(struct timer *timer)
{
	struct task *task = container_of(timer, struct task, itimer);

	send_signal(task, SIGALRM, NULL);
	if (task->itimer_interval)
		timer_start(timer, deadline_after(max(task->itimer_interval, ITIMER_MIN_NS)),
			    itimer_fire);
}

static struct itimer_setting get_real(void)
{
	return (struct itimer_setting){
		.value = time_left(READ_ONCE(current->itimer.expires), ktime_ns()),
		.interval = current->itimer_interval,
	};
}

static struct itimer_setting set_real(const struct itimer_setting *new)
{
	struct timer *timer = &current->itimer;
	struct itimer_setting old;

	timer_cancel(timer);
	old = get_real();
	current->itimer_interval = new->interval;
	timer->expires = 0;
	if (new->value)
		timer_start(timer, deadline_after(new->value), itimer_fire);
	return old;
}

/* ---- those of the task's own time ---- */

/* The clock of timer @which. */
static u64 cpu_clock(int which)
{
	return current->utime + (which == ITIMER_PROF ? current->stime : 0);
}

static struct cpu_itimer *cpu_itimer(int which)
{
	return &current->cpu_itimer[which - ITIMER_VIRTUAL];
}

void itimer_tick(void)
{
	static const int signals[] = { [ITIMER_VIRTUAL] = SIGVTALRM, [ITIMER_PROF] = SIGPROF };
	bool on = false;

	for (int which = ITIMER_VIRTUAL; which <= ITIMER_PROF; which++) {
		struct cpu_itimer *timer = cpu_itimer(which);
		u64 now = cpu_clock(which);

		if (timer->expires && timer->expires <= now) {
			timer->expires = timer->interval ? saturating_add(now, timer->interval) : 0;
			send_signal(current, signals[which], NULL);
		}
		on |= timer->expires != 0;
	}
	current->cpu_itimer_on = on;
}

static struct itimer_setting get_cpu(int which)
{
	const struct cpu_itimer *timer = cpu_itimer(which);

	sched_account_self();
	return (struct itimer_setting){
		.value = time_left(timer->expires, cpu_clock(which)),
		.interval = timer->interval,
	};
}

static struct itimer_setting set_cpu(int which, const struct itimer_setting *new)
{
	struct cpu_itimer *timer = cpu_itimer(which);
	struct itimer_setting old = get_cpu(which);
	unsigned long flags = local_irq_save();

	timer->interval = new->interval;
	timer->expires = new->value ? saturating_add(cpu_clock(which), new->value) : 0;
	if (timer->expires)
		current->cpu_itimer_on = true;
	local_irq_restore(flags);
	return old;
}

void itimer_stop(void)
{
	timer_cancel(&current->itimer);
	current->cpu_itimer_on = false;
}

/* ---- the calls ---- */

static int put_setting(struct itimerval_abi *user, const struct itimer_setting *setting)
{
	struct itimerval_abi abi = {
		.interval = ns_to_timeval(setting->interval),
		.value = ns_to_timeval(setting->value),
	};

	return copy_to_user(user, &abi, sizeof(abi)) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(getitimer, int, which, struct itimerval_abi *, user)
{
	struct itimer_setting setting;

	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	setting = which == ITIMER_REAL ? get_real() : get_cpu(which);
	return put_setting(user, &setting);
}

SYSCALL_DEFINE3(setitimer, int, which, const struct itimerval_abi *, user_new,
		struct itimerval_abi *, user_old)
{
	struct itimerval_abi abi = { { 0, 0 }, { 0, 0 } };
	struct itimer_setting new, old;

	if (user_new && copy_from_user(&abi, user_new, sizeof(abi)))
		return -EFAULT;
	if (!timeval_to_ns(&abi.value, &new.value) || !timeval_to_ns(&abi.interval, &new.interval))
		return -EINVAL;
	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	old = which == ITIMER_REAL ? set_real(&new) : set_cpu(which, &new);
	return user_old ? put_setting(user_old, &old) : 0;
}
