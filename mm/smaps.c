/*
 * smaps.c - how much of an area is in memory, whose it is, and whether it was written to.
 *
 *	each present PTE, but those of the zero page, which belongs to nobody:
 *
 *	                    mapcount 1      mapcount n > 1
 *	clean               private clean   shared clean        clean: the file has the same
 *	written to          private dirty   shared dirty        PTE's D, or the page's PG_DIRTY
 *
 *	each swap entry: swap, and in SwapPss 1/n where n PTEs hold it
 *
 *	rss = the sum of the four       pss = the sum of 1/n, in 1/4096 of a page
 *
 * Summed over all processes, pss counts each frame once: it is what would be free if all of them
 * ended. rss counts a frame once for each.
 *
 * Locks: mmap_lock, from the caller; each leaf table's lock. Mapcounts may change meanwhile: each
 * page is counted by one value of it.
 * Source: proc_pid_smaps(5).
 */
#include "fs/mapping.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/swap.h"
#include "mm/walk.h"

static void add_page(struct area_usage *usage, const struct page *page, pte_t pte)
{
	u32 flags = page_flags(page);
	bool dirty = (pte.val & PTE_D) || (flags & PG_DIRTY);
	int maps = max(atomic_read(&page->mapcount), 1);
	u64 share = (1UL << PSS_SHIFT) / maps;

	if (maps > 1 && dirty)
		usage->shared_dirty++;
	else if (maps > 1)
		usage->shared_clean++;
	else if (dirty)
		usage->private_dirty++;
	else
		usage->private_clean++;
	if ((pte.val & PTE_A) || (flags & PG_REFERENCED))
		usage->referenced++;
	if (dirty)
		usage->pss_dirty += share;
	if (page_is_anon(page)) {
		usage->anon++;
		usage->pss_anon += share;
	} else if (flags & PG_SHMEM) {
		usage->pss_shmem += share;
	} else {
		usage->pss_file += share;
	}
}

static void add_leaves(pte_t *ptep, unsigned long addr, unsigned long end, void *arg)
{
	struct area_usage *usage = arg;

	for (; addr < end; addr += PAGE_SIZE, ptep++) {
		pte_t pte = pte_read(ptep);

		if (pte_swap(pte)) {
			usage->swap++;
			usage->swap_share += (1UL << PSS_SHIFT) / max(swap_count(pte), 1U);
		} else if (pte_present(pte) && !pte_special(pte)) {
			add_page(usage, pfn_to_page(pte_pfn(pte)), pte);
		}
	}
}

void vma_add_usage(const struct vm_area *vma, struct area_usage *usage)
{
	u64 before = usage_pss(usage);

	walk_range(vma->vm_mm, vma->vm_start, vma->vm_end, add_leaves, usage);
	if (vma->vm_flags & VM_LOCKED)
		usage->pss_locked += usage_pss(usage) - before;
}

/* Not counted in passing, but when somebody asks: few processes have such areas. */
unsigned long mm_nr_shmem(struct mm *mm)
{
	unsigned long pages = 0;

	down_read(&mm->mmap_lock);
	for (const struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next) {
		struct area_usage usage = {};

		if (!vma->vm_file || !file_mapping(vma->vm_file)->ops->no_backing)
			continue;
		vma_add_usage(vma, &usage);
		pages += usage.shared_clean + usage.shared_dirty + usage.private_clean +
			 usage.private_dirty - usage.anon;
	}
	up_read(&mm->mmap_lock);
	return pages;
}
