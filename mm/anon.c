/*
 * anon.c - memory without a file: nothing is there until it is touched.
 *
 *	PTE empty, read    -> the shared zero page, read-only; not counted, never freed
 *	PTE empty, write   -> a fresh zeroed page, writable
 *
 * Each page is allocated before its PTE's lock is taken and given back if another hart was first.
 *
 * Invariants: an anonymous page names its family's anon_root and its linear index; it is writable
 * through a PTE only if no other PTE maps it.
 * Locks: mmap_lock for reading, from the caller; the leaf table's lock inside fault_install().
 */
#include "mm/buddy.h"
#include "mm/decide.h"
#include "mm/fault.h"
#include "mm/internal.h"
#include "mm/lru.h"
#include "mm/pgtable.h"
#include "mm/vma.h"
#include "mm/vmstat.h"

void fault_own_anon(struct fault *f, struct page *page)
{
	page->type = PAGE_ANON;
	page->mapping = anon_owner(f->mm);
	page->index = anon_index(f->vma, f->addr);
	if (unlikely(page->flags & PG_SWAPCACHE))
		lru_add(page);
	else
		lru_add_fresh(page); /* reclaim passes by what is mapped nowhere yet */
	/* fork looks at this under mmap_lock for writing; faults only ever set it. */
	if (!READ_ONCE(f->vma->vm_anon))
		WRITE_ONCE(f->vma->vm_anon, true);
}

static enum fault_result map_zero_page(struct fault *f)
{
	unsigned long bits = fault_pte_bits(f->vma, false) | PTE_SPECIAL;
	enum fault_result res;

	if (f->vma->vm_prot & PROT_EXEC)
		fault_sync_icache(&zero_page, 1);
	res = fault_install(f, pte_make(page_to_pfn(zero_page), bits));
	if (res == FAULT_OK)
		count_vm(VM_fault_zero_page);
	return res;
}

static enum fault_result map_fresh_page(struct fault *f)
{
	struct page *page = alloc_page(GFP_KERNEL | GFP_ZERO);
	enum fault_result res;

	if (!page)
		return FAULT_OOM;
	fault_own_anon(f, page);
	if (f->vma->vm_prot & PROT_EXEC)
		fault_sync_icache(&page, 1);
	res = fault_install(f, pte_make(page_to_pfn(page), fault_pte_bits(f->vma, true) | PTE_D));
	if (res != FAULT_OK) {
		page_put(page);
		return res;
	}
	mm_add_rss_anon(f->mm, 1);
	count_vm(VM_fault_demand_zero);
	return FAULT_OK;
}

enum fault_result anon_fault(struct fault *f)
{
	return decide_anon(f->access) == CASE_DEMAND_ZERO ? map_fresh_page(f) : map_zero_page(f);
}
