/*
 * tlb.h - the gather object: what every unmap collects between clearing PTEs and freeing frames.
 *
 *	gather_init -> (gather_page | gather_table | gather_note)* -> gather_finish
 *
 *	1. clear the PTEs                       under their lock
 *	2. flush the harts that use the mm      no hart can reach the frames any more
 *	3. only then drop the frames' references
 *
 * Invariant: no frame is freed while a TLB may still translate to it. (Test: race.)
 */
#ifndef RAVEL_MM_TLB_H
#define RAVEL_MM_TLB_H

#include "mm/mm.h"

#define GATHER_MAX 128

/* Frames that lost their last reference: all, tables too, and those of files. */
struct gather_freed {
	unsigned long all, file;
};

struct mmu_gather {
	struct mm *mm;
	unsigned long start, end; /* what must be flushed: empty when start >= end */
	bool tables;		  /* tables were cut out: intermediate entries may be cached too */
	struct gather_freed *freed; /* NULL, or who wants to know what came of the frames */
	unsigned nr;
	struct page *page[GATHER_MAX];
};

void gather_init(struct mmu_gather *g, struct mm *mm);
/* Flushes and frees what was collected. */
void gather_finish(struct mmu_gather *g);

/* The PTE of @addr was changed or cleared: the harts must forget it. */
static inline void gather_note(struct mmu_gather *g, unsigned long addr)
{
	if (addr < g->start)
		g->start = addr;
	if (addr + PAGE_SIZE > g->end)
		g->end = addr + PAGE_SIZE;
}

static inline void gather_add(struct mmu_gather *g, struct page *page)
{
	g->page[g->nr++] = page;
	if (unlikely(g->nr == GATHER_MAX))
		gather_finish(g);
}

/* ... and @page loses the reference that its PTE held, after the flush. */
static inline void gather_page(struct mmu_gather *g, struct page *page, unsigned long addr)
{
	gather_note(g, addr);
	gather_add(g, page);
}

/* @page was a table of the mm. */
void gather_table(struct mmu_gather *g, struct page *page);

/* The harts that may have translations of @mm in their TLBs, by PTEs as they are now. */
unsigned long mm_harts(const struct mm *mm);
/* Makes all harts that use @mm forget [start, end), user addresses. */
void flush_tlb_range(struct mm *mm, unsigned long start, unsigned long end);

#endif
