/*
 * table_reclaim.c - page tables that translate nothing go back when memory is short.
 *
 *	root        [.. x ..........]
 *	                |
 *	level 1     [.. a .. b .. c ]         a  one PTE or swap entry: stays, and so does level 1
 *	                |    |    |           b  MADV_DONTNEED has emptied it: goes
 *	leaves      [..x.] [....] [....]      c  reclaim has taken every page of the file: goes
 *
 * munmap() frees tables with the last area that they serve; these serve areas that are still there.
 * A fault makes them again. How many entries a table has is not counted, for faults and unmaps
 * would pay for that: each is looked at, up to the first entry.
 *
 * Who might be using a table: a fault or an edit, which have mmap_lock; the reverse walk, which has
 * page_table_lock; the hardware, which is told before the frame is free. So mmap_lock for writing
 * keeps everybody away who could fill a table, page_table_lock who could be looking into it.
 *
 * Who reclaims may hold any sleeping lock, the mmap_lock of his own or, in fork, of two address
 * spaces too: locks are only tried, and what is in use stays for the next time.
 *
 * Invariant: an mm stays on mm_list, and so does its place there, while mmap_lock is ours: its last
 * user takes that lock for writing before it takes the mm off. (As for mm/oom_reaper.c.)
 * Locks: mm_list_lock to find an address space; inside it mmap_lock is tried, and released. Then
 * page_table_lock for each table.
 */
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/reclaim.h"
#include "mm/tlb.h"

/*
 * The next address space after @mm (NULL: the first) with tables and with nobody in it: mmap_lock
 * held for writing. That of @mm is released: in here, so that who frees @mm comes after. NULL: that
 * was the last.
 */
static struct mm *next_unused(struct mm *mm)
{
	struct list_head *link = mm ? &mm->all_link : &mm_list;
	struct mm *found = NULL;

	spin_lock(&mm_list_lock);
	while (!found && (link = link->next) != &mm_list) {
		struct mm *next = list_entry(link, struct mm, all_link);

		if (READ_ONCE(next->nr_ptes) > 0 && down_write_trylock(&next->mmap_lock))
			found = next;
	}
	if (mm)
		up_write(&mm->mmap_lock);
	spin_unlock(&mm_list_lock);
	return found;
}

unsigned long reclaim_tables(void)
{
	unsigned long freed = 0, nr;
	struct mmu_gather g;

	for (struct mm *mm = next_unused(NULL); mm; mm = next_unused(mm)) {
		gather_init(&g, mm);
		nr = free_empty_pgtables(&g);
		if (nr > 0)
			gather_finish(&g);
		freed += nr;
	}
	count_vm_n(VM_pgtable_reclaimed, freed);
	return freed;
}
