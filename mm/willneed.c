/*
 * willneed.c - MADV_WILLNEED of memory that is in swap: it is read before it is touched.
 *
 *	[start .................... end)
 *	 a  s  s  .  s' a  s  s  s  .        s   in its slot: read, with its neighbours there
 *	                                     s'  cached for its slot already: left alone
 *
 * Nothing is mapped: the fault finds the page in the swap cache and need not wait for the disk. It
 * is advice: it ends where memory is short, at an eighth of memory, or where a read fails, which
 * the fault will tell.
 *
 * Locks: mmap_lock for reading and the leaf table's lock while entries are collected, none while
 * they are read. They may name nothing any more by then: swap_read_in() looks.
 * Source: madvise(2).
 */
#include "kernel/task.h"
#include "mm/buddy.h"
#include "mm/pageout.h"
#include "mm/piece.h"
#include "mm/swap_internal.h"
#include "mm/vma.h"
#include "mm/walk.h"
#include "mm/watermark.h"

struct entries {
	pte_t entry[SWAP_CLUSTER];
	unsigned nr;
};

static void collect(pte_t *ptep, unsigned long addr, unsigned long end, void *arg)
{
	struct entries *e = arg;

	for (; addr < end; addr += PAGE_SIZE, ptep++) {
		pte_t pte = pte_read(ptep);

		if (pte_swap(pte))
			e->entry[e->nr++] = pte;
	}
}

/* False: there is no point in going on. */
static bool read_all(const struct entries *e, bool around)
{
	for (unsigned i = 0; i < e->nr; i++) {
		if (memory_is_short() || current->killed)
			return false;
		if (!swap_is_cached(e->entry[i]) && swap_read_in(e->entry[i], around) != 0)
			return false;
	}
	return true;
}

void mm_swap_in(struct mm *mm, const struct area_piece *p)
{
	unsigned long left = nr_managed_pages() / 8, next;
	struct entries e;

	/* A signal ends it also where a large area has next to nothing. */
	for (unsigned long addr = p->start; addr < p->end && mm_swapped(mm) > 0; addr = next) {
		if (current->killed)
			return;
		next = min(addr + SWAP_CLUSTER * PAGE_SIZE, p->end);
		e.nr = 0;
		down_read(&mm->mmap_lock);
		walk_range(mm, addr, next, collect, &e);
		up_read(&mm->mmap_lock);
		if (e.nr > left || !read_all(&e, !(p->flags & VM_RAND)))
			return;
		left -= e.nr;
		cond_resched();
	}
}
