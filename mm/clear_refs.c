/*
 * clear_refs.c - forgets that pages were used, so that it shows which are used from now on.
 *
 *	       clear            the program runs            look (mm/smaps.c)
 *	A  A  A  A  A  -->  .  .  .  .  .  -->  .  A  A  .  .  -->  Referenced: 2 pages
 *
 *	What was touched between the clearing and the look is the working set of that time.
 *
 * A page was used when A is set in a PTE that maps it, or when the page is marked: a read() of a
 * file leaves PG_REFERENCED and no PTE. Both are taken away; of the PTE of the zero page neither,
 * for smaps counts that page for nobody.
 *
 * A hart that remembers a translation does not look at A again: so it must forget it, or pages that
 * are used all the time would look unused. (Linux leaves that flush out, for speed.) After it the
 * next access walks the tables. The hardware then sets A itself, as QEMU's does unless its machine
 * has Svade alone; or it traps and the fault handler does (CASE_ACCESS_BITS in mm/decide.h).
 *
 * Reclaim reads and clears the same bits (mm/reclaim.c): to it such a page looks idle until it is
 * used again.
 *
 * Invariant: nothing but A and PG_REFERENCED changes; no page comes or goes.
 * Locks: mmap_lock for reading, inside it each leaf table's lock. Areas are taken as they are
 * found: one that is edited afterwards is its editor's.
 * Source: proc_pid_clear_refs(5).
 */
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/tlb.h"
#include "mm/vma.h"
#include "mm/walk.h"

/* Of one table, whose lock is held. What changed is noted in the gather object @arg. */
static void clear_leaves(pte_t *ptep, unsigned long addr, unsigned long end, void *arg)
{
	for (; addr < end; addr += PAGE_SIZE, ptep++) {
		pte_t pte = pte_read(ptep);
		struct page *page;

		if (!pte_present(pte) || pte_special(pte))
			continue;
		page = pfn_to_page(pte_pfn(pte));
		if (page_flags(page) & PG_REFERENCED)
			page_clear_flags(page, PG_REFERENCED);
		if (!(pte.val & PTE_A))
			continue;
		pte_clear_bits(ptep, PTE_A);
		gather_note(arg, addr);
	}
}

static bool is_meant(const struct vm_area *vma, enum refs_of which)
{
	return which == REFS_ALL || (which == REFS_FILE) == (vma->vm_file != NULL);
}

void mm_clear_refs(struct mm *mm, enum refs_of which)
{
	struct mmu_gather g;

	down_read(&mm->mmap_lock);
	gather_init(&g, mm);
	for (struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next)
		if (is_meant(vma, which))
			walk_range(mm, vma->vm_start, vma->vm_end, clear_leaves, &g);
	gather_finish(&g);
	up_read(&mm->mmap_lock);
}

void mm_reset_peak(struct mm *mm)
{
	WRITE_ONCE(mm->hiwater_rss, mm_rss(mm));
}
