/*
 * stackwatch.c - how deep kernel stacks get, and in whose hands: seen by what is left of a pattern.
 *
 *	stack                                                    kernel_sp
 *	| unmapped | pattern pattern | LOOK | used by the deepest so far |
 *	                             ^ only this is looked at, after every call
 *
 * A function that goes deeper leaves its return address at the top of its frame, and no frame is
 * larger than LOOK (the compiler warns: -Wframe-larger-than); so when these bytes are still the
 * pattern, nobody has been below them. Else the whole stack is searched.
 *
 * Interrupts are handled on the stack of the task that they interrupt, and count as its call's.
 * Locks: deepest_lock, interrupts off, for the record; it is read without.
 */
#ifdef CONFIG_DEBUG

#include "kernel/stackwatch.h"

#include "arch/riscv/memlayout.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "lib/string.h"

#define PATTERN 0x57ac4b0770f57ac4UL
#define LOOK	1152

static struct spinlock deepest_lock = SPINLOCK_INIT;
static struct {
	unsigned depth; /* bytes */
	pid_t pid;
	char comm[TASK_COMM_LEN];
	const char *call;
	bool warned;
} deepest;

void stack_watch(void *low, const void *end)
{
	for (unsigned long *p = low; (const void *)p < end; p++)
		*p = PATTERN;
}

/* Not through a call of the filler: its own frame would be filled. */
void stack_watch_boot(void)
{
	unsigned long *end = (unsigned long *)((char *)__builtin_frame_address(0) - 1024);

	for (unsigned long *p = current->stack; p < end; p++)
		*p = PATTERN;
}

/* The bytes of @task's stack that were ever used. */
static unsigned stack_depth(const struct task *task)
{
	const unsigned long *p = (const void *)task->stack_low;
	const unsigned long *end = (const void *)task->kernel_sp;

	while (p < end && READ_ONCE(*p) == PATTERN)
		p++;
	return (const char *)end - (const char *)p;
}

/* True when nothing was written in the LOOK bytes below the deepest use so far. */
static bool is_untouched(const struct task *task)
{
	unsigned used = ALIGN_UP(READ_ONCE(deepest.depth), 8);
	const unsigned long *end = (const void *)(task->kernel_sp - used);
	const unsigned long *p = (const void *)max(task->stack_low, task->kernel_sp - used - LOOK);

	while (p < end && READ_ONCE(*p) == PATTERN)
		p++;
	return p >= end;
}

void stack_check(const struct task *task, const char *call)
{
	unsigned long flags;
	unsigned depth;
	bool warns;

	if (is_untouched(task))
		return;
	depth = stack_depth(task);
	flags = spin_lock_irqsave(&deepest_lock);
	if (depth > deepest.depth) {
		deepest.depth = depth;
		deepest.pid = task->pid;
		strlcpy(deepest.comm, task->comm, sizeof(deepest.comm));
		deepest.call = call;
	}
	warns = deepest.depth > THREAD_SIZE / 4 * 3 && !deepest.warned;
	deepest.warned |= warns;
	spin_unlock_irqrestore(&deepest_lock, flags);
	if (warns)
		warn("kernel stack: %u of %u bytes used (%s, %s)", depth, THREAD_SIZE, task->comm,
		     call);
}

void stack_report(void)
{
	for (unsigned i = 0; i < nr_harts; i++) {
		if (harts[i].idle)
			stack_check(harts[i].idle, "idle");
	}
	stack_check(current, "kernel thread");
	printk("debug: deepest kernel stack: %u of %u bytes (%s, %s)\n", deepest.depth, THREAD_SIZE,
	       deepest.comm, deepest.call);
}

#endif
