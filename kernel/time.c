/*
 * time.c - the clock, timers, and the interrupt that drives both them and the scheduler.
 *
 *	hart 0: timers --> [timer] <-> [timer] <-> ...    sorted by `expires`; a timer is queued on
 *	hart 1: timers --> [timer]                        the hart that started it, and fires there
 *
 *	next interrupt of a hart = min(first timer, end of the slice, or a second if idle)
 *
 * Invariants: hart->timer_armed is never later than what the hart needs; `running` is the timer
 * whose function that hart is in.
 * Locks: timer_lock, interrupts off, guards all lists and `running`; it is released around a
 * timer's function, which may wake, send signals and start timers again. timer_armed is its
 * hart's own.
 */
#include "kernel/time.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/timer.h"
#include "drivers/rtc.h"
#include "kernel/sched.h"

static struct spinlock timer_lock = SPINLOCK_INIT;
static struct timer *running[MAX_HARTS];
/* Realtime is monotonic time plus this, ns; set once at boot. */
static u64 real_offset;

u64 ktime_ns(void)
{
	return arch_ktime_ns();
}

u64 ktime_real_ns(void)
{
	return real_offset + ktime_ns();
}

void time_init(void)
{
	for (unsigned i = 0; i < MAX_HARTS; i++) {
		INIT_LIST_HEAD(&harts[i].timers);
		harts[i].timer_armed = ~0ULL;
	}
	real_offset = rtc_boot_ns();
}

void timer_arm_earlier(u64 ns)
{
	struct hart *hart = this_hart();

	if (ns < hart->timer_armed) {
		hart->timer_armed = ns;
		arch_timer_arm(ns);
	}
}

void timer_start(struct timer *timer, u64 expires, void (*fn)(struct timer *))
{
	unsigned long flags = spin_lock_irqsave(&timer_lock);
	struct hart *hart = this_hart();
	struct list_head *after = hart->timers.prev;

	timer->expires = expires;
	timer->fn = fn;
	timer->hart = hart;
	/* Most timers end later than those before them. */
	while (after != &hart->timers && list_entry(after, struct timer, link)->expires > expires)
		after = after->prev;
	list_add(&timer->link, after);
	timer_arm_earlier(expires);
	spin_unlock_irqrestore(&timer_lock, flags);
}

void timer_cancel(struct timer *timer)
{
	unsigned long flags = spin_lock_irqsave(&timer_lock);

	while (timer->hart && READ_ONCE(running[timer->hart->id]) == timer) {
		spin_unlock_irqrestore(&timer_lock, flags);
		flags = spin_lock_irqsave(&timer_lock);
	}
	if (timer->hart) {
		list_del(&timer->link);
		timer->hart = NULL;
	}
	spin_unlock_irqrestore(&timer_lock, flags);
}

/* Runs this hart's timers that are due; returns when the next is, ~0: there is none. */
static u64 run_timers(struct hart *hart)
{
	unsigned long flags = spin_lock_irqsave(&timer_lock);
	/* Once: what a timer's function re-arms waits for the next interrupt, so this loop ends. */
	u64 next = ~0ULL, now = ktime_ns();

	while (!list_empty(&hart->timers)) {
		struct timer *timer = list_first_entry(&hart->timers, struct timer, link);
		void (*fn)(struct timer *) = timer->fn;

		next = timer->expires;
		if (next > now)
			break;
		next = ~0ULL;
		list_del_init(&timer->link);
		running[hart->id] = timer;
		spin_unlock(&timer_lock);
		fn(timer);
		spin_lock(&timer_lock);
		running[hart->id] = NULL;
	}
	spin_unlock_irqrestore(&timer_lock, flags);
	return next;
}

void timer_interrupt(void)
{
	struct hart *hart = this_hart();
	u64 next, tick;

	hart->timer_armed = ~0ULL;
	next = run_timers(hart);
	tick = sched_tick(ktime_ns());
	timer_arm_earlier(min(next, tick));
}
