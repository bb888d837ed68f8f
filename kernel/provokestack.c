/*
 * provokestack.c - kernel stacks driven to their limits on purpose: `ravel.panic=WHAT`.
 *
 *	WHAT              what is done                                         what comes of it
 *	overflow          a recursion without end                              panic
 *	stack-locked      down to the end and up, a lock held, interrupts off  the stack grows
 *	stack-traps       traps close above what is mapped (see there)         likewise
 *	stack-reserve     stacks grow until the reserve is empty, then our own panic
 *	stack-astray      sp points to no stack                                panic
 *	stack-emergency   a trap on the emergency stack                        panic
 *
 * scripts/kstack.py looks at what came of it.
 * Locks: spin, to have one held.
 */
#include "kernel/provoke.h"

#include "arch/riscv/memlayout.h"
#include "kernel/panic.h"
#include "kernel/task.h"
#include "lib/string.h"
#include "mm/kstack.h"

#define ENOUGH_LEFT 700 /* bytes, for the frames of descend() and of a trap */
#define MAX_STACKS  32

extern char emergency_stacks[];

static struct spinlock spin = SPINLOCK_INIT;

/* Eats the stack until the guard is met; the compiler must not see that it never ends. */
static unsigned long __attribute__((noinline)) recurse(unsigned long depth)
{
	volatile char frame[256];

	frame[depth % sizeof(frame)] = depth;
	return depth == ~0UL ? 0 : recurse(depth + 1) + frame[depth % sizeof(frame)];
}

static void overflow(void)
{
	recurse(0);
}

/* Down to the last bytes of the stack, and up again: nothing may have changed meanwhile. */
static void __attribute__((noinline)) descend(unsigned long depth)
{
	volatile unsigned long frame[32];

	for (unsigned i = 0; i < ARRAY_SIZE(frame); i++)
		frame[i] = depth * 1000 + i;
	if ((unsigned long)frame - (unsigned long)current->stack > ENOUGH_LEFT)
		descend(depth + 1);
	for (unsigned i = 0; i < ARRAY_SIZE(frame); i++)
		BUG_ON(frame[i] != depth * 1000 + i);
}

static void grow_locked(void)
{
	unsigned long flags = spin_lock_irqsave(&spin);

	descend(1);
	spin_unlock_irqrestore(&spin, flags);
	BUG_ON(current->stack_low != (unsigned long)current->stack);
}

/* ---- traps close above what is mapped ---- */

/* Waits, its sp at @sp, for an interrupt of this hart. */
static void interrupt_at(unsigned long sp)
{
	const unsigned long *count = &this_hart()->nr_irqs;
	unsigned long saved;

	__asm__ volatile("mv	%0, sp\n\t"
			 "mv	sp, %1\n"
			 "1:	ld	t0, (%2)\n\t"
			 "beq	t0, %3, 1b\n\t"
			 "mv	sp, %0"
			 : "=&r"(saved)
			 : "r"(sp), "r"(count), "r"(READ_ONCE(*count))
			 : "t0", "memory");
}

/* Copies, its sp at @sp, a byte from a user address where nothing is; returns what is left. */
static unsigned long uaccess_at(unsigned long sp)
{
	static char byte;
	register unsigned long a0 __asm__("a0") = (unsigned long)&byte;
	register unsigned long a1 __asm__("a1") = 0;
	register unsigned long a2 __asm__("a2") = 1;

	__asm__ volatile("mv	s1, sp\n\t"
			 "mv	sp, %3\n\t"
			 "call	__copy_user\n\t"
			 "mv	sp, s1"
			 : "+r"(a0), "+r"(a1), "+r"(a2)
			 : "r"(sp)
			 : "ra", "s1", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3", "t4",
			   "t5", "t6", "memory");
	return a0;
}

/* A page of the stack for each case; sp is below all that is in use. */
static void traps_at_the_border(void)
{
	/* The frame fits exactly: the handler's first store finds no room. */
	interrupt_at(current->stack_low + sizeof(struct trap_frame));
	/* The frame does not fit: the interrupt is taken again. */
	interrupt_at(current->stack_low + sizeof(struct trap_frame) - 16);
	/* Nor does that of a fault that has a fix-up. */
	BUG_ON(uaccess_at(current->stack_low) != 1);
	BUG_ON(current->stack_low != (unsigned long)current->stack);
}

/* ---- what cannot go well ---- */

static void empty_reserve(void)
{
	unsigned long low[MAX_STACKS];
	unsigned n = kstack_nr_reserved() / (THREAD_SIZE / PAGE_SIZE - 1) + 1;

	for (unsigned i = 0; i < n; i++)
		BUG_ON(i == MAX_STACKS || !kstack_alloc(&low[i]));
	for (unsigned i = 0; i < n; i++)
		kstack_grow(low[i], low[i] & ~(THREAD_SIZE - 1UL));
	descend(1);
}

static void sp_astray(void)
{
	__asm__ volatile("mv	sp, %0\n\t"
			 "sd	zero, (sp)"
			 :
			 : "r"(VMAP_END + PAGE_SIZE)
			 : "memory");
}

static void trap_in_emergency(void)
{
	__asm__ volatile("mv	sp, %0\n\t"
			 "unimp"
			 :
			 : "r"(emergency_stacks + PAGE_SIZE / 2)
			 : "memory");
}

static const struct {
	const char *what;
	void (*fn)(void);
} provocations[] = {
	{ "overflow", overflow },
	{ "stack-locked", grow_locked },
	{ "stack-traps", traps_at_the_border },
	{ "stack-reserve", empty_reserve },
	{ "stack-astray", sp_astray },
	{ "stack-emergency", trap_in_emergency },
};

void stack_provoke(const char *what)
{
	for (unsigned i = 0; i < ARRAY_SIZE(provocations); i++) {
		if (strcmp(what, provocations[i].what) == 0)
			provocations[i].fn();
	}
}
