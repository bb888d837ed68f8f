/*
 * buddy.h - the page allocator: mm/page_alloc.c hands out, mm/buddy.c keeps what is free.
 */
#ifndef RAVEL_MM_BUDDY_H
#define RAVEL_MM_BUDDY_H

#include "mm/page.h"

#define MAX_ORDER 10

/*
 * 2^order pages, physically contiguous and aligned to their size, refcount 1, mapcount 0, type
 * PAGE_KERNEL; NULL when there are none (after reclaim, unless GFP_ATOMIC) or when the current
 * task's fail_alloc says so. Not from interrupt handlers.
 */
struct page *alloc_pages(unsigned order, gfp_t gfp);
/*
 * Gives a block back. It must be the block that was allocated, with its order, refcount 1,
 * unmapped.
 */
void free_pages(struct page *page, unsigned order);

/*
 * page_put() of @nr single pages: cheaper, above all where they were allocated in a row. The array
 * is used up.
 */
void pages_put(struct page **pages, unsigned nr);
/*
 * The same in two steps: those that lost their last reference come first in the array, and their
 * number is returned; then they are freed.
 */
unsigned pages_drop(struct page **pages, unsigned nr);
void pages_free(struct page **pages, unsigned nr);

/* Who asked for the block, if it is not who called alloc_pages(): for page_story(). */
void page_set_owner(struct page *page, const void *caller);

static inline struct page *alloc_page(gfp_t gfp)
{
	return alloc_pages(0, gfp);
}

/*
 * Every so many-th allocation of pages fails, whoever asks, but with GFP_UNFAILED; 0: none. In
 * /proc/sys/vm, for tests.
 */
extern unsigned long fail_page_alloc;

/* True when this task asked that its next allocation fail, and this is that one. */
bool alloc_should_fail(void);

/*
 * From here to memory_must_end(), which gets what this returns, the current task does what it can
 * neither undo nor leave out: it brings to the disk, or frees, what only memory knows of. Its
 * allocations that may sleep use a part of the reserve, and wait for memory as long as there is
 * hope (a minute); no failure is injected. Who reclaims (task->reclaiming) does not wait: what
 * fails him, he leaves. May be nested.
 */
bool memory_must_begin(void);
void memory_must_end(bool before);

struct buddy_stats {
	unsigned long total, free, pcp;	      /* pages; free includes pcp */
	unsigned long nr_free[MAX_ORDER + 1]; /* blocks */
};

void buddy_get_stats(struct buddy_stats *stats);
unsigned long nr_free_pages(void);
unsigned long nr_managed_pages(void); /* all that the buddy ever got */
/* Every hart's single pages go back to the lists. Other harts' lists: only in harts_pause(). */
void buddy_drain_local(void);
/* Boot: hands frames [pfn, end_pfn) to the allocator. */
void buddy_add_range(unsigned long pfn, unsigned long end_pfn);
/* Verifies lists, flags, alignment and counts; 0 or the number of faults, each printed. */
int buddy_check(void);

#endif
