/*
 * time.h - the machine's clock in nanoseconds, and timers.
 */
#ifndef RAVEL_KERNEL_TIME_H
#define RAVEL_KERNEL_TIME_H

#include "lib/list.h"
#include "lib/types.h"

struct hart;

#define NSEC_PER_SEC 1000000000ULL

struct timespec64 {
	s64 tv_sec;
	s64 tv_nsec;
};

/* struct timeval of the time(2) family. */
struct timeval_abi {
	s64 sec, usec;
};

static inline bool timespec_valid(const struct timespec64 *ts)
{
	return ts->tv_sec >= 0 && (u64)ts->tv_nsec < NSEC_PER_SEC;
}

/* Nanoseconds of a valid @ts; as many as fit. */
static inline u64 timespec_to_ns(const struct timespec64 *ts)
{
	if ((u64)ts->tv_sec >= ~0ULL / NSEC_PER_SEC)
		return ~0ULL;
	return ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
}

static inline struct timespec64 ns_to_timespec(u64 ns)
{
	return (struct timespec64){ ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
}

/* Nanoseconds since boot, from the time CSR and the device tree's timebase. */
u64 ktime_ns(void);
/* Nanoseconds since 1970 (the RTC at boot plus ktime_ns()). */
u64 ktime_real_ns(void);

/* The monotonic time @ns from now; ~0 when that is past all time. */
static inline u64 deadline_after(u64 ns)
{
	u64 now = ktime_ns();

	return ns > ~0ULL - now ? ~0ULL : now + ns;
}

struct timer {
	struct list_head link;
	u64 expires;			 /* ktime_ns() */
	void (*fn)(struct timer *timer); /* interrupt context */
	struct hart *hart;
};

/* Boot hart, before the first timer: empty lists, and the time of day from the clock chip. */
void time_init(void);

/*
 * @timer is zeroed, or was used before and is not queued. Any context, also from a timer's
 * function.
 */
void timer_start(struct timer *timer, u64 expires, void (*fn)(struct timer *));
/* After return @fn is not running and will not run. Not from @fn itself. */
void timer_cancel(struct timer *timer);

/* Makes this hart's next timer interrupt come at @ns, if it would come later. Interrupts off. */
void timer_arm_earlier(u64 ns);

/* The arch's timer interrupt calls this; it runs what is due and re-arms. */
void timer_interrupt(void);

/* ---- interval timers (kernel/itimer.c) ---- */

/*
 * A tick, from the timer interrupt: fires ITIMER_VIRTUAL and ITIMER_PROF of the current task, one
 * of which runs.
 */
void itimer_tick(void);
/* exit: no timer of the current task fires any more. */
void itimer_stop(void);

/* arch/riscv/timer.c: ask for a timer interrupt at ktime_ns() == @ns. */
void arch_timer_arm(u64 ns);

#endif
