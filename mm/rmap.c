/*
 * rmap.c - from a file's pages back to the address spaces that map them.
 *
 *	address_space.areas -> [area of mm 1] - [area of mm 2] - [area of mm 1] ...
 *	                        pgoff 0..7      pgoff 4..9       pgoff 20..20
 *
 *	Truncation visits every area that covers the pages which go, and clears their PTEs there,
 *	private copies included (as Linux does: SIGBUS past the end of file is for all).
 *
 *	Write-back visits every shared area that covers a page, and takes W and D from its PTE.
 *
 *	A hole that is punched visits every area that covers a page, and takes the PTE that maps it;
 *	private copies stay.
 *
 * Invariant (mm_check()): an area with a file is on its mapping's list.
 * Locks: address_space.mmap_lock guards the list and the borders of the areas on it. It is inside
 * mmap_lock and outside page-table locks. An area leaves the list before its tables are freed, so
 * who holds this lock may walk the tables of the areas that he finds.
 */
#include "fs/mapping.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/rmap.h"
#include "mm/tlb.h"
#include "mm/vma.h"
#include "mm/vmstat.h"

void mapping_lock_area(struct vm_area *vma)
{
	if (vma->vm_file)
		spin_lock(&file_mapping(vma->vm_file)->mmap_lock);
}

void mapping_unlock_area(struct vm_area *vma)
{
	if (vma->vm_file)
		spin_unlock(&file_mapping(vma->vm_file)->mmap_lock);
}

static bool may_write_shared(const struct vm_area *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE);
}

void mapping_link_area(struct vm_area *vma)
{
	struct address_space *as;

	if (!vma->vm_file)
		return;
	as = file_mapping(vma->vm_file);
	mapping_lock_area(vma);
	list_add_tail(&vma->vm_mapping_link, &as->areas);
	if (may_write_shared(vma)) {
		as->nr_writable++;
		WRITE_ONCE(as->was_shared, true);
	}
	mapping_unlock_area(vma);
}

void mapping_unlink_area(struct vm_area *vma)
{
	if (!vma->vm_file)
		return;
	mapping_lock_area(vma);
	list_del(&vma->vm_mapping_link);
	if (may_write_shared(vma))
		file_mapping(vma->vm_file)->nr_writable--;
	mapping_unlock_area(vma);
}

void unmap_mapping_from(struct address_space *as, unsigned long first)
{
	struct vm_area *vma;

	spin_lock(&as->mmap_lock);
	list_for_each_entry(vma, &as->areas, vm_mapping_link) {
		unsigned long start = vma->vm_start;
		struct mmu_gather g;

		if (vma->vm_pgoff + vma_pages(vma) <= first)
			continue;
		if (first > vma->vm_pgoff)
			start += (first - vma->vm_pgoff) << PAGE_SHIFT;
		gather_init(&g, vma->vm_mm);
		zap_range(&g, start, vma->vm_end);
		gather_finish(&g);
	}
	spin_unlock(&as->mmap_lock);
}

typedef void (*take_fn)(struct mm *mm, unsigned long addr, pte_t *ptep, struct page *page);

/*
 * Takes W and D from @ptep, which maps @page at @addr. D alone: mprotect() has taken W, but may not
 * have told every hart yet. Leaf lock held.
 */
static void take_write(struct mm *mm, unsigned long addr, pte_t *ptep,
		       struct page *page __maybe_unused)
{
	if (!(pte_read(ptep).val & (PTE_W | PTE_D)))
		return;
	pte_clear_bits(ptep, PTE_W | PTE_D);
	flush_tlb_range(mm, addr, addr + PAGE_SIZE);
}

/* Clears @ptep, which maps @page at @addr; its reference is not the last. Leaf lock held. */
static void take_pte(struct mm *mm, unsigned long addr, pte_t *ptep, struct page *page)
{
	mm_update_hiwater(mm);
	pte_take(ptep);
	flush_tlb_range(mm, addr, addr + PAGE_SIZE);
	if (atomic_dec_old(&page->mapcount) > 1)
		gauge_add(GAUGE_SHARED_FILE, -1);
	mm_add_rss_file(mm, -1);
	page_put(page);
}

/* Does @take to the PTE of @addr if it maps @page. */
static void visit_pte(struct mm *mm, unsigned long addr, struct page *page, take_fn take)
{
	pte_t *ptep = pte_find(mm, addr);
	struct spinlock *ptl;
	pte_t pte;

	if (!ptep)
		return;
	ptl = pte_lockptr(ptep);
	spin_lock(ptl);
	pte = pte_read(ptep);
	if (pte_present(pte) && pte_pfn(pte) == page_to_pfn(page))
		take(mm, addr, ptep, page);
	spin_unlock(ptl);
}

/*
 * Does @take to each place where an area that has all of @flags shows @page. A mapcount of 0 says
 * nothing here: a fault that has seen, under the leaf lock, that the page is the file's counts it
 * and sets the PTE after that; an unmap has counted it off before it flushes. Only by taking that
 * lock are they waited for.
 */
static void visit_page(struct address_space *as, struct page *page, u32 flags, take_fn take)
{
	unsigned long index = page->index;
	struct vm_area *vma;

	spin_lock(&as->mmap_lock);
	list_for_each_entry(vma, &as->areas, vm_mapping_link) {
		if ((vma->vm_flags & flags) == flags && index >= vma->vm_pgoff &&
		    index - vma->vm_pgoff < vma_pages(vma))
			visit_pte(vma->vm_mm,
				  vma->vm_start + ((index - vma->vm_pgoff) << PAGE_SHIFT), page,
				  take);
	}
	spin_unlock(&as->mmap_lock);
}

void unmap_page_writes(struct address_space *as, struct page *page)
{
	visit_page(as, page, VM_SHARED, take_write);
}

void unmap_page(struct address_space *as, struct page *page)
{
	visit_page(as, page, 0, take_pte);
}

/* ---- one walk for both kinds of pages ---- */

static bool visit_place(const struct page *page, struct mm *mm, unsigned long addr,
			const struct rmap_walk *walk)
{
	bool go_on = true;
	struct spinlock *ptl;
	pte_t *ptep, pte;

	spin_lock(&mm->page_table_lock); /* keeps the tables */
	ptep = pte_find(mm, addr);
	if (ptep) {
		ptl = pte_lockptr(ptep);
		spin_lock(ptl);
		pte = pte_read(ptep);
		if (pte_present(pte) && pte_pfn(pte) == page_to_pfn(page))
			go_on = walk->visit(mm, addr, ptep, walk->arg);
		spin_unlock(ptl);
	}
	spin_unlock(&mm->page_table_lock);
	return go_on;
}

static void walk_family(const struct page *page, const struct rmap_walk *walk)
{
	struct anon_root *root =
		(struct anon_root *)((unsigned long)page->mapping & ~PAGE_MAPPING_ANON);
	struct mm *mm;

	spin_lock(&root->lock);
	list_for_each_entry(mm, &root->mms, family_link) {
		if (!visit_place(page, mm, page->index << PAGE_SHIFT, walk))
			break;
	}
	spin_unlock(&root->lock);
}

static void walk_file(const struct page *page, const struct rmap_walk *walk)
{
	struct address_space *as = page->mapping;
	unsigned long index = page->index;
	struct vm_area *vma;

	if (!as)
		return;
	spin_lock(&as->mmap_lock);
	list_for_each_entry(vma, &as->areas, vm_mapping_link) {
		if ((vma->vm_flags & walk->flags) == walk->flags && index >= vma->vm_pgoff &&
		    index - vma->vm_pgoff < vma_pages(vma) &&
		    !visit_place(page, vma->vm_mm,
				 vma->vm_start + ((index - vma->vm_pgoff) << PAGE_SHIFT), walk))
			break;
	}
	spin_unlock(&as->mmap_lock);
}

void rmap_walk(const struct page *page, const struct rmap_walk *walk)
{
	if (page->type == PAGE_ANON)
		walk_family(page, walk);
	else if (page->type == PAGE_FILE)
		walk_file(page, walk);
}

bool mapping_hold_writable(struct address_space *as)
{
	bool held;

	spin_lock(&as->mmap_lock);
	held = !as->sealed;
	as->nr_writable += held;
	spin_unlock(&as->mmap_lock);
	return held;
}

void mapping_release_writable(struct address_space *as)
{
	spin_lock(&as->mmap_lock);
	as->nr_writable--;
	spin_unlock(&as->mmap_lock);
}

bool mapping_seal(struct address_space *as, bool all)
{
	bool can;

	spin_lock(&as->mmap_lock);
	can = !all || as->nr_writable == 0;
	as->sealed |= can;
	spin_unlock(&as->mmap_lock);
	return can;
}

unsigned long mapping_nr_areas(struct address_space *as)
{
	unsigned long nr = 0;
	struct list_head *link;

	spin_lock(&as->mmap_lock);
	for (link = as->areas.next; link != &as->areas; link = link->next)
		nr++;
	spin_unlock(&as->mmap_lock);
	return nr;
}
