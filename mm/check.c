/*
 * check.c - the checkers: is every promise of the memory manager true at this moment?
 *
 *	mm_check(mm)      one address space: list, tree, sums, and each PTE against its area
 *	vm_check_all()    everything, with the machine stopped:
 *
 *	    all PTEs of all mms --- counted against ---> page->mapcount of every frame
 *	    mapped frame --- reverse walk -------------> finds as many PTEs
 *	    writable PTE of an anonymous page ---------> nobody else maps it
 *	    writable PTE of a file's page -------------> the area is shared, the page dirty
 *	    free lists, hart lists, slabs -------------> account for every frame
 *	    reclaim's lists ---------------------------> each page that may go is on one
 *	    all swap entries --- counted against ------> count of every slot
 *	    kernel stacks -----------------------------> no hole in them, nothing in their guards
 *
 *	Counting needs no memory: each PTE takes one off its page's mapcount, all must reach 0, and
 *	a second walk puts the counts back.
 *
 * Locks: mm_check() wants mmap_lock held for writing; the machine may run on. So a truncation may
 * take pages of files away meanwhile: each leaf table's lock is held while its PTEs are looked at,
 * and where the sums changed under the walk it is done again. vm_check_all() stops the other harts
 * and takes every mmap_lock by trying; where one is busy it lets the machine run on and starts
 * over, so it never sees a half-done edit.
 */
#include "arch/riscv/hart.h"
#include "fs/mapping.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "mm/anon_root.h"
#include "mm/buddy.h"
#include "mm/census.h"
#include "mm/debug.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/kstack.h"
#include "mm/lru.h"
#include "mm/pgtable.h"
#include "mm/rmap.h"
#include "mm/shmem.h"
#include "mm/slab.h"
#include "mm/swap.h"
#include "mm/vma.h"

#define complain(fmt, ...)                                                                         \
	({                                                                                         \
		printk("mm_check: " fmt "\n", ##__VA_ARGS__);                                      \
		1;                                                                                 \
	})

/* ---- walking all leaves of an address space ---- */

struct walk {
	struct mm *mm;
	int faults;
	long anon, file, swapped, tables;
	int (*leaf)(struct walk *w, unsigned long addr, pte_t pte);
};

static void walk_leaves(struct walk *w, pte_t *table, unsigned long base)
{
	struct spinlock *ptl = pte_lockptr(table);

	spin_lock(ptl);
	for (unsigned i = 0; i < PT_ENTRIES; i++) {
		pte_t pte = pte_read(&table[i]);

		if (!pte_none(pte))
			w->faults += w->leaf(w, base + i * PAGE_SIZE, pte);
	}
	spin_unlock(ptl);
}

static void walk_table(struct walk *w, const pte_t *table, unsigned level, unsigned long base)
{
	unsigned nr = level == PT_LEVELS - 1 ? KERNEL_ROOT_IX : PT_ENTRIES;

	for (unsigned i = 0; i < nr; i++) {
		unsigned long addr = base + i * PT_SPAN(level);
		pte_t pte = pte_read(&table[i]);

		if (pte_none(pte))
			continue;
		if (!pte_is_table(pte)) {
			w->faults += complain("0x%lx: a leaf at level %u", addr, level);
			continue;
		}
		w->tables++;
		if (level == 1)
			walk_leaves(w, phys_to_virt(PFN_PHYS(pte_pfn(pte))), addr);
		else
			walk_table(w, phys_to_virt(PFN_PHYS(pte_pfn(pte))), level - 1, addr);
	}
}

/* ---- one address space ---- */

static int check_anon_pte(const struct walk *w, const struct vm_area *vma, unsigned long addr,
			  const struct page *page)
{
	if (page->mapping != anon_owner(w->mm))
		return complain("0x%lx: anonymous page of another family", addr);
	if (page->index != anon_index(vma, addr))
		return complain("0x%lx: page has index 0x%lx, area says 0x%lx", addr, page->index,
				anon_index(vma, addr));
	return vma->vm_anon ? 0 : complain("0x%lx: area does not know of its anonymous page", addr);
}

/*
 * What goes leaves the cache first and the PTEs last: in a truncation, which sets the size before,
 * or for a hole, which keeps the page locked meanwhile.
 */
static bool is_leaving(const struct page *page, const struct address_space *as)
{
	return !READ_ONCE(page->mapping) &&
	       ((page_flags(page) & PG_LOCKED) ||
		page->index >= DIV_ROUND_UP(READ_ONCE(as->size), PAGE_SIZE));
}

static int check_file_pte(const struct vm_area *vma, unsigned long addr, pte_t pte,
			  const struct page *page)
{
	const struct address_space *as;

	if (!vma->vm_file)
		return complain("0x%lx: file page in an anonymous area", addr);
	as = file_mapping(vma->vm_file);
	if ((READ_ONCE(page->mapping) != as && !is_leaving(page, as)) ||
	    page->index != vma_pgoff(vma, addr))
		return complain("0x%lx: page of another file or offset", addr);
	if (!pte_write(pte))
		return 0;
	if (!(vma->vm_flags & VM_SHARED))
		return complain("0x%lx: private file page is writable", addr);
	/* A write-back takes W away first, under the leaf lock that we have. */
	if (as->ops->write_pages && READ_ONCE(page->mapping) == as &&
	    !(page_flags(page) & PG_DIRTY))
		return complain("0x%lx: shared file page is writable, but not dirty", addr);
	return 0;
}

/* Others map and unmap the page meanwhile: only a count that stands still says something. */
static bool has_too_few_references(const struct page *page)
{
	int refs, maps;

	do {
		maps = atomic_read(&page->mapcount);
		refs = atomic_read(&page->refcount);
		if (refs >= maps)
			return false;
		smp_mb();
	} while (maps != atomic_read(&page->mapcount) || refs != atomic_read(&page->refcount));
	return true;
}

static int check_swap_entry(struct walk *w, const struct vm_area *vma, unsigned long addr,
			    pte_t entry)
{
	w->swapped++;
	if (!vma)
		return complain("0x%lx: swap entry outside every area", addr);
	if (swap_count(entry) == 0)
		return complain("0x%lx: swap entry 0x%lx names no slot in use", addr, entry.val);
	return vma->vm_anon ? 0 : complain("0x%lx: area does not know of its swap entry", addr);
}

static int check_leaf(struct walk *w, unsigned long addr, pte_t pte)
{
	struct vm_area *vma = vma_lookup(w->mm, addr);
	unsigned long allowed;
	struct page *page;

	if (pte_swap(pte))
		return check_swap_entry(w, vma, addr, pte);
	if (!pte_present(pte))
		return complain("0x%lx: stray PTE 0x%lx", addr, pte.val);
	if (!vma)
		return complain("0x%lx: PTE outside every area", addr);
	allowed = prot_to_pte(vma->vm_prot);
	if (pte.val & (PTE_V | PTE_LEAF) & ~allowed)
		return complain("0x%lx: PTE 0x%lx grants more than the area", addr, pte.val);
	if (pte_special(pte))
		return pte_pfn(pte) == page_to_pfn(zero_page) && !pte_write(pte) ?
			       0 :
			       complain("0x%lx: bad zero-page PTE 0x%lx", addr, pte.val);
	if (!pfn_valid(pte_pfn(pte)))
		return complain("0x%lx: PTE 0x%lx names no frame", addr, pte.val);
	page = pfn_to_page(pte_pfn(pte));
	if (has_too_few_references(page))
		return complain("0x%lx: page has more mappings than references", addr);
	if (page_is_anon(page)) {
		w->anon++;
		return check_anon_pte(w, vma, addr, page);
	}
	w->file++;
	if (page->type != PAGE_FILE)
		return complain("0x%lx: PTE maps a page that is not user memory", addr);
	return check_file_pte(vma, addr, pte, page);
}

/* Not that the list is the right one: that would be a look at all areas of the file. */
static bool is_listed_by_its_file(struct vm_area *vma)
{
	const struct list_head *link = &vma->vm_mapping_link;
	bool listed;

	mapping_lock_area(vma);
	listed = link->next && link->next != LIST_POISON && link->next->prev == link &&
		 link->prev->next == link;
	mapping_unlock_area(vma);
	return listed;
}

static int check_area(struct mm *mm, struct vm_area *vma)
{
	const struct vm_area *prev = vma->vm_prev;

	if (vma->vm_mm != mm)
		return complain("area 0x%lx belongs to another mm", vma->vm_start);
	if (vma->vm_start >= vma->vm_end || offset_in_page(vma->vm_start | vma->vm_end))
		return complain("area 0x%lx-0x%lx is empty or unaligned", vma->vm_start,
				vma->vm_end);
	if (vma->vm_start < MMAP_MIN_ADDR || vma->vm_end > TASK_SIZE)
		return complain("area 0x%lx-0x%lx leaves the user half", vma->vm_start,
				vma->vm_end);
	if ((vma->vm_flags & VM_LOCK_MASK) == VM_LOCKONFAULT)
		return complain("area 0x%lx: VM_LOCKONFAULT without VM_LOCKED", vma->vm_start);
	if ((vma->vm_flags & VM_WIPEONFORK) && vma->vm_file)
		return complain("area 0x%lx: a file's, and wiped on fork", vma->vm_start);
	if (vma->vm_file && !is_listed_by_its_file(vma))
		return complain("area 0x%lx: its file does not know of it", vma->vm_start);
	if (!vma->vm_file && vma->vm_pgoff != anon_index(vma, vma->vm_start))
		return complain("area 0x%lx: was moved %d pages, its offset says otherwise",
				vma->vm_start, vma->vm_moved);
	if (!anon_shift_is_known(mm, vma->vm_moved))
		return complain("area 0x%lx: its family does not look where it was moved to",
				vma->vm_start);
	if (!prev)
		return mm->mmap == vma ? 0 : complain("list head is wrong");
	if (prev->vm_next != vma || prev->vm_end > vma->vm_start)
		return complain("areas 0x%lx and 0x%lx: order or links", prev->vm_start,
				vma->vm_start);
	return vma_can_merge(prev, vma) ? complain("areas 0x%lx and 0x%lx should be one",
						   prev->vm_start, vma->vm_start) :
					  0;
}

/* The sums over the list, made afresh with the same function that keeps them. */
static int check_sums(struct mm *mm, unsigned nr)
{
	static struct mm sum; /* the machine is stopped, or mm_check_lock is held: one user */

	sum.total_vm = sum.data_vm = sum.stack_vm = sum.exec_vm = 0;
	sum.committed_vm = sum.locked_vm = 0;
	for (struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next)
		vma_account(&sum, vma, vma->vm_start, vma->vm_end, 1);
	if (nr != mm->nr_areas)
		return complain("%u areas listed, %u counted", nr, mm->nr_areas);
	if (sum.total_vm != mm->total_vm || sum.data_vm != mm->data_vm ||
	    sum.stack_vm != mm->stack_vm || sum.exec_vm != mm->exec_vm)
		return complain("sizes: total %lu/%lu data %lu/%lu stack %lu/%lu exec %lu/%lu",
				mm->total_vm, sum.total_vm, mm->data_vm, sum.data_vm, mm->stack_vm,
				sum.stack_vm, mm->exec_vm, sum.exec_vm);
	if (sum.committed_vm != mm->committed_vm)
		return complain("committed: %lu counted, %lu found", mm->committed_vm,
				sum.committed_vm);
	if (sum.locked_vm != mm->locked_vm)
		return complain("locked pages: %lu counted, %lu in areas", mm->locked_vm,
				sum.locked_vm);
	return 0;
}

/* The page tables, and the sums over them; once more when a truncation changed these. */
static int check_tables(struct mm *mm)
{
	struct walk w;
	long anon, file, swapped;

	do {
		swapped = READ_ONCE(mm->swap_ents);
		anon = READ_ONCE(mm->rss_anon);
		file = READ_ONCE(mm->rss_file);
		w = (struct walk){ .mm = mm, .leaf = check_leaf };
		walk_table(&w, mm->pgd, PT_LEVELS - 1, 0);
	} while (anon != READ_ONCE(mm->rss_anon) || file != READ_ONCE(mm->rss_file) ||
		 swapped != READ_ONCE(mm->swap_ents));
	if (w.anon != anon || w.file != file)
		w.faults +=
			complain("rss: anon %ld counted, %ld found; file %ld counted, %ld found",
				 anon, w.anon, file, w.file);
	if (w.swapped != swapped)
		w.faults += complain("%ld swap entries counted, %ld found", swapped, w.swapped);
	if (w.tables != mm->nr_ptes)
		w.faults += complain("%ld tables counted, %ld found", mm->nr_ptes, w.tables);
	return w.faults;
}

static struct spinlock mm_check_lock;

int mm_check(struct mm *mm)
{
	unsigned nr = 0;
	int faults = 0;

	BUG_ON(!rwsem_held_write(&mm->mmap_lock));
	for (struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next) {
		faults += check_area(mm, vma);
		nr++;
	}
	faults += vma_tree_check(mm);
	spin_lock(&mm_check_lock);
	faults += check_sums(mm, nr);
	spin_unlock(&mm_check_lock);
	if (mm->brk < mm->start_brk)
		faults += complain("brk below its start");
	return faults + check_tables(mm);
}

/* ---- all of memory; every other hart is stopped, every mmap_lock is ours ---- */

static int check_exclusive(struct walk *w __maybe_unused, unsigned long addr, pte_t pte)
{
	const struct page *page;

	if (!pte_present(pte) || pte_special(pte))
		return 0;
	page = pfn_to_page(pte_pfn(pte));
	if (pte_write(pte) && page_is_anon(page) && atomic_read(&page->mapcount) > 1)
		return complain("0x%lx: writable, but copy-on-write still shares the page", addr);
	/* swap_out() has the page locked from when it gives it a slot until W is gone. */
	if (pte_write(pte) && (page_flags(page) & (PG_SWAPCACHE | PG_LOCKED)) == PG_SWAPCACHE)
		return complain("0x%lx: writable, but the page has a slot", addr);
	return 0;
}

static int uncount_entry(struct walk *w __maybe_unused, unsigned long addr, pte_t pte)
{
	if (pte_swap(pte) && !swap_recount(pte, -1))
		return complain("0x%lx: swap entry 0x%lx is not counted", addr, pte.val);
	return 0;
}

static int recount_entry(struct walk *w __maybe_unused, unsigned long addr __maybe_unused,
			 pte_t pte)
{
	if (pte_swap(pte))
		swap_recount(pte, 1);
	return 0;
}

static int uncount(struct walk *w __maybe_unused, unsigned long addr __maybe_unused, pte_t pte)
{
	if (pte_present(pte) && !pte_special(pte))
		atomic_dec(&pfn_to_page(pte_pfn(pte))->mapcount);
	return 0;
}

static int recount(struct walk *w __maybe_unused, unsigned long addr __maybe_unused, pte_t pte)
{
	if (pte_present(pte) && !pte_special(pte))
		atomic_inc(&pfn_to_page(pte_pfn(pte))->mapcount);
	return 0;
}

static int walk_all(int (*leaf)(struct walk *, unsigned long, pte_t))
{
	int faults = 0;
	struct mm *mm;

	list_for_each_entry(mm, &mm_list, all_link) {
		struct walk w = { .mm = mm, .leaf = leaf };

		walk_table(&w, mm->pgd, PT_LEVELS - 1, 0);
		faults += w.faults;
	}
	return faults;
}

static int check_mapcounts(void)
{
	int faults = walk_all(check_exclusive);

	walk_all(uncount);
	for (unsigned long i = 0; i < mem_map_nr; i++) {
		int left = atomic_read(&mem_map[i].mapcount);

		if (left == 0)
			continue;
		page_story(&mem_map[i], "mapcount does not equal the PTEs (difference shown)");
		faults++;
	}
	walk_all(recount);
	return faults;
}

/*
 * From frames back to PTEs. A file's page without a mapping is on its way out of its file: the
 * walk for that one is told the mapping (unmap_page()).
 */
static int check_reverse(void)
{
	int faults = 0;

	for (unsigned long i = 0; i < mem_map_nr; i++) {
		const struct page *page = &mem_map[i];
		unsigned maps = atomic_read(&page->mapcount), found;

		if (maps == 0 || !page->mapping)
			continue;
		found = rmap_count(page);
		if (found == maps)
			continue;
		page_story(page, "not found by the reverse walk");
		faults += complain("%u PTEs found of %u", found, maps);
	}
	return faults;
}

/* What is wrong with the counts of @page, or NULL. A page with no reference is just being freed. */
static const char *frame_fault(const struct page *page)
{
	int refs = atomic_read(&page->refcount), maps = atomic_read(&page->mapcount);

	if (page->type != PAGE_ANON && page->type != PAGE_FILE)
		return maps != 0 ? "mapped, but not user memory" : NULL;
	if (refs < maps + !!(page->flags & PG_SWAPCACHE))
		return "too few references";
	if (page->type == PAGE_ANON && refs > 0 && maps == 0 && !(page->flags & PG_SWAPCACHE))
		return "anonymous memory that nobody maps: leaked";
	return page->type == PAGE_FILE ? writeback_fault(page) : NULL;
}

/* Every count of a slot is a PTE's, or shared memory's; every page of the cache is a slot's. */
static int check_swap(void)
{
	int faults = walk_all(uncount_entry);

	faults += shmem_recount(-1);
	faults += swap_check();
	shmem_recount(1);
	walk_all(recount_entry);
	return faults;
}

static int check_frames(void)
{
	int faults = 0;

	for (unsigned long i = 0; i < mem_map_nr; i++) {
		const char *fault = frame_fault(&mem_map[i]);

		if (!fault)
			continue;
		page_story(&mem_map[i], fault);
		faults++;
	}
	return faults + census_check();
}

static void unlock_all_before(struct mm *stop)
{
	struct mm *mm;

	list_for_each_entry(mm, &mm_list, all_link) {
		if (mm == stop)
			return;
		up_write(&mm->mmap_lock);
	}
}

static bool lock_all(void)
{
	struct mm *mm;

	list_for_each_entry(mm, &mm_list, all_link) {
		if (!down_write_trylock(&mm->mmap_lock)) {
			unlock_all_before(mm);
			return false;
		}
	}
	return true;
}

static int check_stopped(void)
{
	int faults = 0;
	struct mm *mm;

	list_for_each_entry(mm, &mm_list, all_link)
		faults += mm_check(mm);
	faults += check_mapcounts();
	faults += check_swap();
	faults += check_frames();
	faults += lru_check();
	faults += buddy_check();
	faults += slab_check();
	faults += kstack_check();
	faults += debug_check_free();
	/* It follows what the others have verified. */
	return faults ?: check_reverse();
}

int vm_check_all(void)
{
	int faults = 0;

	for (;;) {
		harts_pause();
		if (lock_all()) {
			faults = check_stopped();
			unlock_all_before(NULL);
			harts_resume();
			return faults;
		}
		harts_resume();
		schedule();
	}
}
