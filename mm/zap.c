/*
 * zap.c - every unmap: clears PTEs and hands their frames to the gather.
 *
 *	for each leaf table of the range, its lock held:
 *	    PTE of an anonymous page   rss_anon--, mapcount--, the PTE's reference to the gather
 *	    swap entry                 swap_ents--, the slot's count--; flushed only while a batch
 *	                               that goes to swap is not (mm/swapout.c)
 *	    PTE of a file page         rss_file--, mapcount--, likewise (the cache keeps its own)
 *	    PTE of the zero page       cleared; nobody counts it
 *
 * Used by munmap, brk, MAP_FIXED, exec, exit, MADV_DONTNEED and truncation.
 * Invariant: a frame loses the PTE's reference only through the gather, after the flush.
 *
 *	A writable PTE of a file with a disk is flushed at once, before the leaf lock is released.
 *	Write-back, which looks for such PTEs to take W from (mm/rmap.c), would find none, clear
 *	dirty and write; and what another hart, not yet told, stored after that would be lost.
 *
 * Locks: the caller keeps the area and its tables in place (mmap_lock; or the file mapping's
 * mmap_lock and page_table_lock); each leaf table's lock is taken here, inside all.
 */
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/swap.h"
#include "mm/tlb.h"
#include "mm/vma.h"

static pte_t *next_table(pte_t *table, unsigned long addr, unsigned level)
{
	pte_t entry = pte_read(&table[pt_index(addr, level)]);

	return pte_present(entry) ? phys_to_virt(PFN_PHYS(pte_pfn(entry))) : NULL;
}

/* Stores through @pte, of @page, are to come to a disk. (Memory without a disk is never dirty.) */
static bool stores_are_kept(pte_t pte, const struct page *page)
{
	return pte_write(pte) && !page_is_anon(page) && (page_flags(page) & PG_DIRTY);
}

/* What is left of @pte of @addr, which maps no counted frame. True if it was a swap entry. */
static bool zap_other(struct mmu_gather *g, pte_t pte, unsigned long addr)
{
	if (!pte_swap(pte)) {
		gather_note(g, addr);
		return false;
	}
	swap_put(pte);
	if (swap_is_unflushed())
		gather_note(g, addr);
	return true;
}

/* Clears [addr, end), which one leaf table translates. */
static void zap_leaves(struct mmu_gather *g, pte_t *ptep, unsigned long addr, unsigned long end)
{
	struct spinlock *ptl = pte_lockptr(ptep);
	unsigned long start = addr;
	long anon = 0, file = 0, swapped = 0, shared_anon = 0, shared_file = 0;
	bool flush = false;

	spin_lock(ptl);
	for (; addr < end; addr += PAGE_SIZE, ptep++) {
		struct page *page;
		bool shared;
		pte_t pte;

		if (pte_none(pte_read(ptep)))
			continue;
		pte = pte_take(ptep);
		if (unlikely(pte.val & (PTE_SWAP | PTE_SPECIAL))) {
			swapped += zap_other(g, pte, addr);
			continue;
		}
		page = pfn_to_page(pte_pfn(pte));
		flush |= stores_are_kept(pte, page);
		shared = atomic_dec_old(&page->mapcount) > 1;
		if (page_is_anon(page)) {
			anon++;
			shared_anon += shared;
			if (!shared && unlikely(page_flags(page) & PG_SWAPCACHE))
				swap_cache_unwanted(page);
		} else {
			file++;
			shared_file += shared;
		}
		gather_page(g, page, addr);
	}
	/* With the lock still held: who holds it in turn for each table finds sums that agree. */
	if (anon)
		mm_add_rss_anon(g->mm, -anon);
	if (file)
		mm_add_rss_file(g->mm, -file);
	if (swapped)
		mm_add_swap_ents(g->mm, -swapped);
	if (shared_anon)
		gauge_add(GAUGE_SHARED_ANON, -shared_anon);
	if (shared_file)
		gauge_add(GAUGE_SHARED_FILE, -shared_file);
	if (flush)
		flush_tlb_range(g->mm, start, end);
	spin_unlock(ptl);
}

void zap_range(struct mmu_gather *g, unsigned long start, unsigned long end)
{
	unsigned long addr, next;

	mm_update_hiwater(g->mm);
	for (addr = start; addr < end; addr = next) {
		pte_t *table = next_table(g->mm->pgd, addr, 2);

		if (!table) {
			next = pt_addr_end(addr, end, 2);
			continue;
		}
		next = pt_addr_end(addr, end, 1);
		table = next_table(table, addr, 1);
		if (table)
			zap_leaves(g, &table[pt_index(addr, 0)], addr, next);
	}
}
