/*
 * kstack.h - kernel stacks in the vmap region, which grow on demand. mm/kstack.c has the drawing.
 *
 * A stack is named by its lowest usable byte, mapped or not, which is THREAD_SIZE aligned; `low` is
 * the lowest byte that is mapped, kept by its owner (task->stack_low).
 */
#ifndef RAVEL_MM_KSTACK_H
#define RAVEL_MM_KSTACK_H

#include "mm/page.h"

/*
 * A stack whose upper bytes, from *@low on, are mapped: `kstack=` pages, or more if its last owner
 * had them. NULL: no memory, here or for the reserve. May sleep; the caller then runs on the hart
 * whose translations know the stack, and hands it to a task whose ->hart is that one or NULL.
 */
void *kstack_alloc(unsigned long *low);
/* Nobody uses @stack, mapped from @low on, any more. */
void kstack_free(void *stack, unsigned long low);

/*
 * Maps pages of the reserve below @low, until @need is mapped; @need lies in the same stack, which
 * is the running task's. Any context, with any lock held; interrupts off. Returns the new lowest
 * mapped byte: above @need when the reserve is empty.
 */
unsigned long kstack_grow(unsigned long low, unsigned long need);
/*
 * Fills every hart's reserve again; false: some is still short of pages. Unseen by fail_alloc. With
 * GFP_KERNEL it may sleep, with GFP_ATOMIC not; no spinlocks held that are above the buddy's.
 */
bool kstack_refill(gfp_t gfp);
/*
 * This hart is about to run on @stack, mapped from @low on, which may have grown on another: it
 * forgets that its pages were not there.
 */
void kstack_arrive(const void *stack, unsigned long low);
/*
 * True when kernel address @va, which has faulted, is mapped in a stack: this hart's translation
 * was older, and is flushed now.
 */
bool kstack_fault_stale(unsigned long va);

extern bool kstack_padded;
unsigned kstack_random_pad(void); /* for kstack_pad() */

/*
 * Where in its stack a new task begins: bytes below the top, 16-byte aligned, 0 but for tests. With
 * `ravel.kstackpad=seed` they are random and may fill the first page, so that stacks grow in all
 * places; and what has grown is unmapped when it is given back.
 */
static inline unsigned kstack_pad(void)
{
	return likely(!kstack_padded) ? 0 : kstack_random_pad();
}

unsigned long kstack_nr_pages(void);	/* mapped, their tables, and the reserve */
unsigned long kstack_nr_reserved(void); /* of these, the reserve */
unsigned long kstack_nr_used(void);	/* stacks, without those that wait for their next owner */
unsigned kstack_deepest(void);		/* most pages that a stack has grown to since boot */
/* Looks for stacks with holes and for guards that are mapped; how many. The machine is stopped. */
int kstack_check(void);
/* After slab_init(), before the first task: reads `kstack=`, fills the reserve. */
void kstack_init(void);

#endif
