/*
 * tlb.c - flushing, and the gather object. mm/tlb.h has the order of events.
 *
 * hart_mask of an mm has the bit of every hart whose satp points at its tables. A hart sets its bit
 * before it writes satp and flushes itself after (mm_switch()); a flusher changes PTEs before it
 * reads the mask. So a hart either is in the mask, or sees the new PTEs when it starts to walk.
 *
 * Locks: a gather belongs to its creator; flushing may be done under page-table locks, because
 * remote fences are carried out by the firmware and wait for no kernel lock.
 */
#include "mm/tlb.h"

#include "arch/riscv/mmu.h"
#include "mm/buddy.h"
#include "mm/window.h"

unsigned long mm_harts(const struct mm *mm)
{
	smp_mb(); /* PTE changes before the mask; pairs with mm_switch() */
	return READ_ONCE(mm->hart_mask);
}

void flush_tlb_range(struct mm *mm, unsigned long start, unsigned long end)
{
	unsigned long mask = mm_harts(mm);

	if (mask)
		flush_tlb_harts(mask, start, end);
}

static void restart(struct mmu_gather *g)
{
	g->nr = 0;
	g->start = ~0UL;
	g->end = 0;
	g->tables = false;
}

void gather_init(struct mmu_gather *g, struct mm *mm)
{
	g->mm = mm;
	g->freed = NULL;
	restart(g);
}

/* As pages_put(), counting what was freed. */
static void put_counting(struct gather_freed *freed, struct page **pages, unsigned nr)
{
	unsigned last = pages_drop(pages, nr);

	freed->all += last;
	for (unsigned i = 0; i < last; i++)
		freed->file += pages[i]->type == PAGE_FILE;
	pages_free(pages, last);
}

void gather_finish(struct mmu_gather *g)
{
	window();
	/* A flush by address reaches leaves only: cut-out tables need the whole space flushed. */
	if (g->tables)
		flush_tlb_range(g->mm, 0, TASK_SIZE);
	else if (g->start < g->end)
		flush_tlb_range(g->mm, g->start, g->end);
	window();
	if (g->freed)
		put_counting(g->freed, g->page, g->nr);
	else
		pages_put(g->page, g->nr);
	restart(g);
}

void gather_table(struct mmu_gather *g, struct page *page)
{
	g->tables = true;
	gather_add(g, page);
}
