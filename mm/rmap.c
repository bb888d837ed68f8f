/*
 * rmap.c - the reverse mapping: from a page to every PTE that maps it.
 *
 *	page->mapping   address_space                    anon_root (tagged)
 *	                     |                                |
 *	                areas: a list of what maps       address spaces: a list of the
 *	                the file                         fork family
 *	                [mm 1] - [mm 2] - [mm 1] ...     [parent] - [child] ...
 *	                     |                                |
 *	page->index     page in the file; an area        page of the user half where it was
 *	                shows it at vm_start +           made; a relative has it there, or as
 *	                (index - vm_pgoff)               far away as mremap() moved some area
 *	                     |                                |
 *	PTE             under its leaf lock: present, and of this frame?  visit(mm, addr, ptep)
 *
 *	Nothing is kept for each page or PTE. A file's areas keep themselves on the list, with the
 *	right borders:
 *
 *	split	  the upper part is linked before the lower one shrinks
 *	merge	  the one grows, then the other is unlinked
 *	mremap	  the new area is linked, then the PTEs go over under the lock, then the old goes
 *	munmap	  the PTEs go, then the area is unlinked, then the tables are freed
 *	reclaim	  frees empty tables below areas that stay (mm/table_reclaim.c)
 *
 *	Of a family nothing needs to be told but a new relative and how far mremap() moves pages
 *	(mm/anon_root.c).
 *
 *	Truncation visits every area that covers the pages which go, and clears their PTEs there,
 *	private copies included (as Linux does: SIGBUS past the end of file is for all).
 *
 *	Write-back visits every shared area that covers a page, and takes W and D from its PTE.
 *
 *	A hole that is punched visits every area that covers a page, and takes the PTE that maps it;
 *	private copies stay.
 *
 * Invariants: an area with a file is on its mapping's list (mm_check()); the walk finds each PTE of
 * each mapped frame once (vm_check_all()).
 * Locks: address_space.mmap_lock guards the list and the borders of the areas on it, and so keeps
 * their address spaces; those of a family root->lock keeps. page_table_lock keeps the tables of
 * one. All are inside mmap_lock, which the walk does not need, and outside the leaf locks.
 */
#include "fs/mapping.h"
#include "mm/anon_root.h"
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
		spin_lock(&vma->vm_mm->page_table_lock);
		zap_range(&g, start, vma->vm_end);
		spin_unlock(&vma->vm_mm->page_table_lock);
		gather_finish(&g);
	}
	spin_unlock(&as->mmap_lock);
}

/* ---- the walk ---- */

/*
 * True if the page at @addr of @mm, in @vma if the caller has that in place, may not be taken away.
 * Leaf lock held. Where mlock() has not ended yet, it will look at the PTE after this
 * (mm/populate.c). Where an edit is going on nobody can tell, and it is taken to be so.
 */
static bool is_locked_in_memory(struct mm *mm, const struct vm_area *vma, unsigned long addr)
{
	bool locked;

	if (likely(READ_ONCE(mm->locked_vm) == 0))
		return false;
	if (vma)
		return READ_ONCE(vma->vm_flags) & VM_LOCKED;
	if (!down_read_trylock(&mm->mmap_lock))
		return true;
	vma = vma_lookup(mm, addr);
	locked = vma && (vma->vm_flags & VM_LOCKED);
	up_read(&mm->mmap_lock);
	return locked;
}

/* The PTE of @addr, if it maps @page. False: the walk ends here. page_table_lock of @mm held. */
static bool visit_place(const struct page *page, struct mm *mm, const struct vm_area *vma,
			unsigned long addr, const struct rmap_walk *walk)
{
	pte_t *ptep = pte_find(mm, addr);
	struct spinlock *ptl;
	bool go_on = true;
	pte_t pte;

	if (!ptep)
		return true;
	ptl = pte_lockptr(ptep);
	spin_lock(ptl);
	pte = pte_read(ptep);
	if (pte_present(pte) && !pte_special(pte) && pte_pfn(pte) == page_to_pfn(page))
		go_on = !(walk->stop_at_locked && is_locked_in_memory(mm, vma, addr)) &&
			walk->visit(mm, addr, ptep, walk->arg);
	spin_unlock(ptl);
	return go_on;
}

/*
 * A mapcount of 0 says nothing here: a fault that has seen, under the leaf lock, that the page is
 * the file's counts it and sets the PTE after that; an unmap has counted it off before it flushes.
 * Only by taking that lock are they waited for.
 */
static bool walk_file(struct address_space *as, const struct page *page,
		      const struct rmap_walk *walk)
{
	unsigned long index = page->index;
	struct vm_area *vma;
	bool go_on = true;

	spin_lock(&as->mmap_lock);
	list_for_each_entry(vma, &as->areas, vm_mapping_link) {
		unsigned long nth = index - vma->vm_pgoff;
		struct mm *mm = vma->vm_mm;

		if ((vma->vm_flags & walk->flags) != walk->flags || nth >= vma_pages(vma))
			continue;
		spin_lock(&mm->page_table_lock);
		go_on = visit_place(page, mm, vma, vma->vm_start + (nth << PAGE_SHIFT), walk);
		spin_unlock(&mm->page_table_lock);
		if (!go_on)
			break;
	}
	spin_unlock(&as->mmap_lock);
	return go_on;
}

/* Where areas of @mm that were moved by @pages have @page. */
static bool visit_shifted(const struct page *page, struct mm *mm, long pages,
			  const struct rmap_walk *walk)
{
	unsigned long number = page->index + pages;

	return number >= TASK_SIZE >> PAGE_SHIFT ||
	       visit_place(page, mm, NULL, number << PAGE_SHIFT, walk);
}

static bool visit_relative(const struct page *page, struct mm *mm, const struct rmap_walk *walk)
{
	struct rb_node *node = rb_first(&mm->anon_shifts.tree);
	bool go_on;

	spin_lock(&mm->page_table_lock);
	go_on = visit_shifted(page, mm, 0, walk);
	for (; go_on && node; node = rb_next(node))
		go_on = visit_shifted(page, mm, rb_entry(node, struct anon_shift, rb)->pages, walk);
	spin_unlock(&mm->page_table_lock);
	return go_on;
}

static bool walk_family(const struct page *page, const struct rmap_walk *walk)
{
	struct anon_root *root = anon_root_of_page(page);
	bool go_on = true;
	struct mm *mm;

	if (!root)
		return true;
	spin_lock(&root->lock);
	list_for_each_entry(mm, &root->mms, family_link) {
		go_on = visit_relative(page, mm, walk);
		if (!go_on)
			break;
	}
	spin_unlock(&root->lock);
	anon_root_put(root);
	return go_on;
}

bool rmap_walk(const struct page *page, const struct rmap_walk *walk)
{
	struct address_space *as = READ_ONCE(page->mapping);

	if (page_is_anon(page))
		return walk_family(page, walk);
	return page->type != PAGE_FILE || !as || walk_file(as, page, walk);
}

static bool count_visit(struct mm *mm __maybe_unused, unsigned long addr __maybe_unused,
			pte_t *ptep __maybe_unused, void *arg)
{
	++*(unsigned *)arg;
	return true;
}

unsigned rmap_count(const struct page *page)
{
	unsigned nr = 0;

	rmap_walk(page, &(struct rmap_walk){ .visit = count_visit, .arg = &nr });
	return nr;
}

/* ---- write-back and holes: of these @page may have left @as ---- */

/* Takes W and D. D alone: mprotect() has taken W, but may not have told every hart yet. */
static bool take_write(struct mm *mm, unsigned long addr, pte_t *ptep, void *arg __maybe_unused)
{
	if (pte_read(ptep).val & (PTE_W | PTE_D)) {
		pte_clear_bits(ptep, PTE_W | PTE_D);
		flush_tlb_range(mm, addr, addr + PAGE_SIZE);
	}
	return true;
}

void unmap_page_writes(struct address_space *as, struct page *page)
{
	walk_file(as, page, &(struct rmap_walk){ .flags = VM_SHARED, .visit = take_write });
}

/* Clears the PTE of @arg, a page; its reference is not the last. */
static bool take_pte(struct mm *mm, unsigned long addr, pte_t *ptep, void *arg)
{
	struct page *page = arg;

	mm_update_hiwater(mm);
	pte_take(ptep);
	flush_tlb_range(mm, addr, addr + PAGE_SIZE);
	if (atomic_dec_old(&page->mapcount) > 1)
		gauge_add(GAUGE_SHARED_FILE, -1);
	mm_add_rss_file(mm, -1);
	page_put(page);
	return true;
}

void unmap_page(struct address_space *as, struct page *page)
{
	walk_file(as, page, &(struct rmap_walk){ .visit = take_pte, .arg = page });
}

bool unmap_page_unless_locked(struct address_space *as, struct page *page)
{
	return walk_file(
		as, page,
		&(struct rmap_walk){ .stop_at_locked = true, .visit = take_pte, .arg = page });
}

/* ---- who may write to a file ---- */

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
