/*
 * provoke.c - mistakes made on purpose, to see that the debug kernel finds them.
 *
 * `ravel.panic=WHAT` on the kernel's command line, once the machine is up. scripts/test checks the
 * text of each report.
 */
#ifdef CONFIG_DEBUG

#include "kernel/provoke.h"

#include "arch/riscv/memlayout.h"
#include "arch/riscv/uaccess.h"
#include "kernel/lock.h"
#include "kernel/sched.h"
#include "kernel/stackwatch.h"
#include "lib/string.h"

static volatile unsigned long word = 1;
static volatile unsigned bits = 64;

static void undefined_shift(void)
{
	word = word << bits;
}

/* ---- locks ---- */

static struct mutex outer, inner;
static struct spinlock spin = SPINLOCK_INIT;

/* The second order would only sometimes be a deadlock, and with one task never. */
static void lock_order(void)
{
	mutex_init(&outer);
	mutex_init(&inner);
	mutex_lock(&outer);
	mutex_lock(&inner);
	mutex_unlock(&inner);
	mutex_unlock(&outer);
	mutex_lock(&inner);
	mutex_lock(&outer);
}

static void lock_twice(void)
{
	spin_lock(&spin);
	spin_lock(&spin);
}

static void lock_not_held(void)
{
	spin_lock(&spin);
	spin_unlock(&spin);
	spin_unlock(&spin);
}

static void spin_timer(struct timer *timer __maybe_unused)
{
	spin_lock(&spin);
	spin_unlock(&spin);
}

/* Takes with interrupts on what its interrupt handler takes. */
static void lock_irq(void)
{
	struct timer timer = { 0 };
	u64 now = ktime_ns();

	spin_lock(&spin);
	spin_unlock(&spin);
	timer_start(&timer, now + NSEC_PER_SEC / 1000, spin_timer);
	WRITE_ONCE(current->state, TASK_UNINTERRUPTIBLE);
	schedule_until(now + NSEC_PER_SEC);
}

static void sleep_atomic(void)
{
	mutex_init(&inner);
	spin_lock(&spin);
	mutex_lock(&inner);
}

static void fault_locked(void)
{
	static char byte;

	pagefault_disable();
	spin_lock(&spin);
	copy_from_user(&byte, NULL, 1);
	pagefault_enable();
	copy_from_user(&byte, NULL, 1);
}

/* ---- stacks ---- */

/* Down to @low bytes above the guard; the compiler must not see that this could be a loop. */
static unsigned long __attribute__((noinline)) go_down(unsigned long low)
{
	volatile char frame[256];

	frame[low % sizeof(frame)] = low;
	if ((unsigned long)&frame - (unsigned long)current->stack < low)
		return frame[0];
	return go_down(low) + frame[low % sizeof(frame)];
}

static void stack_deep(void)
{
	go_down(THREAD_SIZE / 5);
	stack_check(current, "go_down");
}

static const struct {
	const char *what;
	void (*fn)(void);
} provocations[] = {
	{ "ubsan", undefined_shift },	  { "lock-order", lock_order },
	{ "lock-twice", lock_twice },	  { "lock-not-held", lock_not_held },
	{ "lock-irq", lock_irq },	  { "sleep-atomic", sleep_atomic },
	{ "fault-locked", fault_locked }, { "stack-deep", stack_deep },
};

void debug_provoke(const char *what)
{
	for (unsigned i = 0; i < ARRAY_SIZE(provocations); i++) {
		if (strcmp(what, provocations[i].what) == 0)
			provocations[i].fn();
	}
}

#endif
