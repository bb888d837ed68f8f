/*
 * cow.c - a write to a page that is mapped read-only in an area that may be written.
 *
 *	anonymous, refcount 1    nobody else has it, not even for a moment: take W back (reuse)
 *	..., and the swap cache  its slot is given back, if no entry is left; then as above
 *	anonymous, shared        copy; this PTE leaves the old page
 *	zero page                a fresh zeroed page
 *	file page                copy: what is written stays private
 *
 *	                 PTE ----> old page <---- PTE of a relative, or the page cache
 *	after the copy   PTE ----> new page       old page keeps its other users
 *
 * The refcount decides, never the mapcount: a page that somebody is just reading (a copy in
 * progress, an I/O) must not change under him. (The bug class of CVE-2020-29374.)
 *
 * Order of the copy: the old PTE is taken away and flushed on every hart of the mm *before* the new
 * one is set, so no thread reads the old page after another has written to the new one.
 *
 * Invariant: no PTE with W maps a page with another user (vm_check_all()).
 * Locks: mmap_lock for reading, from the caller; the leaf table's lock for each decision. The
 * allocation and the copy are made without it; the PTE is compared again after.
 */
#include "arch/riscv/mmu.h"
#include "kernel/panic.h"
#include "mm/buddy.h"
#include "mm/decide.h"
#include "mm/fault.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/swap.h"
#include "mm/tlb.h"
#include "mm/vma.h"
#include "mm/vmstat.h"
#include "mm/window.h"

/* The PTE is still the one that the case was chosen for, but for A, which the hardware may set. */
static bool unchanged(const struct fault *f, pte_t now)
{
	return ((now.val ^ f->orig.val) & ~PTE_A) == 0;
}

/*
 * What is written to differs from its slot, which is given back. False: somebody has the page after
 * all.
 */
static bool leave_swap_cache(struct page *page)
{
	if (likely(!(page_flags(page) & PG_SWAPCACHE)))
		return true;
	return swap_cache_try_drop(page) && atomic_read(&page->refcount) == 1;
}

/*
 * Under the leaf lock. True: served, W is back. Otherwise *oldp has a reference more for the copy
 * (or is NULL for the zero page).
 */
static bool reuse_or_hold(struct fault *f, struct page **oldp)
{
	*oldp = NULL;
	switch (decide_cow(f->orig)) {
	case CASE_COW_REUSE:
		if (likely(leave_swap_cache(pfn_to_page(pte_pfn(f->orig))))) {
			pte_set_bits(f->ptep, PTE_W | PTE_D | PTE_A);
			return true;
		}
		break;
	case CASE_COW_COPY:
		break;
	default:
		return false;
	}
	*oldp = pfn_to_page(pte_pfn(f->orig));
	page_get(*oldp);
	return false;
}

/*
 * Replaces the PTE by one for @new; the old page's reference of the PTE is handed back in @dropped.
 */
static bool replace(struct fault *f, struct page *old, struct page *new, struct page **dropped)
{
	struct spinlock *ptl = pte_lockptr(f->ptep);
	bool was_anon = old && page_is_anon(old);
	pte_t pte;

	*dropped = NULL;
	window();
	spin_lock(ptl);
	if (!unchanged(f, pte_read(f->ptep))) {
		spin_unlock(ptl);
		return false;
	}
	pte_take(f->ptep);
	flush_tlb_range(f->mm, f->addr, f->addr + PAGE_SIZE);
	pte = pte_make(page_to_pfn(new), fault_pte_bits(f->vma, true) | PTE_D);
	atomic_inc(&new->mapcount);
	pte_set(f->ptep, pte);
	if (old) {
		if (atomic_dec_old(&old->mapcount) > 1)
			gauge_add(was_anon ? GAUGE_SHARED_ANON : GAUGE_SHARED_FILE, -1);
		else if (unlikely(page_flags(old) & PG_SWAPCACHE))
			swap_cache_unwanted(old);
		*dropped = old;
	}
	spin_unlock(ptl);
	local_flush_tlb_page(f->addr);
	if (!was_anon) {
		mm_add_rss_anon(f->mm, 1);
		if (old)
			mm_add_rss_file(f->mm, -1);
	}
	return true;
}

static struct page *private_copy(struct fault *f, struct page *old)
{
	struct page *new = alloc_page(old ? GFP_KERNEL : GFP_KERNEL | GFP_ZERO);

	if (!new)
		return NULL;
	if (old)
		copy_page(page_address(new), page_address(old));
	fault_own_anon(f, new);
	if (f->vma->vm_prot & PROT_EXEC)
		fault_sync_icache(&new, 1);
	return new;
}

static enum fault_result copy_and_replace(struct fault *f, struct page *old)
{
	struct page *new = private_copy(f, old), *dropped;
	enum fault_result res = FAULT_OOM;

	if (!new)
		goto out;
	res = FAULT_RETRY;
	if (replace(f, old, new, &dropped)) {
		if (dropped)
			page_put(dropped);
		count_vm(old ? VM_fault_cow_copy : VM_fault_demand_zero);
		res = FAULT_OK;
	} else {
		page_put(new);
	}
out:
	if (old)
		page_put(old);
	return res;
}

enum fault_result cow_fault(struct fault *f)
{
	struct spinlock *ptl = pte_lockptr(f->ptep);
	struct page *old;
	bool reused = false;

	spin_lock(ptl);
	if (!unchanged(f, pte_read(f->ptep))) {
		spin_unlock(ptl);
		return FAULT_RETRY;
	}
	reused = reuse_or_hold(f, &old);
	spin_unlock(ptl);
	if (!reused)
		return copy_and_replace(f, old);
	local_flush_tlb_page(f->addr);
	count_vm(VM_fault_cow_reuse);
	return FAULT_OK;
}
