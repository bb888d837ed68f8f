/*
 * explain.c - one address, explained: area, translation, frame, and what an access would do now.
 *
 *	list of areas    [below]      [ vma ]      [above]        e->vma, below, above
 *	                                 |
 *	page tables      pgd[i2] -> table[i1] -> table[i0]        e->entries
 *	                                 |
 *	struct page      refcount, mapcount, owner                e->frame
 *	page cache       the area's file, this page               e->cache
 *	                                 |
 *	mm/decide.h      load, store, fetch                       e->access
 *
 * The rows are found by the functions that the fault handler itself goes by, on a PTE and a frame
 * that are looked at once, under the leaf lock. A row after which the handler starts over (a stack
 * grows, a page is read in) is followed by the row that it finds then.
 *
 * What nobody can foretell: an allocation or a disk that fails, and what other harts do meanwhile.
 *
 * Invariant: nothing changes, not even a reference count: cache pages are looked at under their
 * mapping's lock. (Test: host.explain, which makes each access and compares counters.)
 * Locks: mmap_lock for reading, from the caller; inside it the leaf lock; inside that as->lock.
 */
#include "mm/explain.h"

#include "lib/string.h"
#include "mm/pgtable.h"
#include "mm/shmem.h"
#include "mm/stack.h"
#include "mm/vma.h"

#define CANONICAL_BITS (PT_SHIFT(PT_LEVELS) - 1) /* bit 38 is repeated above */

const char *fault_case_name(enum fault_case what)
{
	static const char *const names[] = {
		[CASE_STACK_GROW] = "stack_grow",   [CASE_NO_AREA] = "no_area",
		[CASE_FORBIDDEN] = "forbidden",	    [CASE_ZERO_PAGE] = "zero_page",
		[CASE_DEMAND_ZERO] = "demand_zero", [CASE_PAST_END] = "past_end",
		[CASE_READ_IN] = "read_in",	    [CASE_SWAP_IN] = "swap_in",
		[CASE_SWAP_MAP] = "swap_map",	    [CASE_FILE_MAP] = "file_map",
		[CASE_FILE_COPY] = "file_copy",	    [CASE_SHARED_WRITE] = "shared_write",
		[CASE_COW_REUSE] = "cow_reuse",	    [CASE_COW_COPY] = "cow_copy",
		[CASE_COW_ZERO] = "cow_zero",	    [CASE_ACCESS_BITS] = "access_bits",
		[CASE_ALLOWED] = "allowed",
	};

	return names[what];
}

enum vmstat_event fault_case_counter(enum fault_case what)
{
	static const enum vmstat_event counters[] = {
#define X(name, counter) [CASE_##name] = VM_##counter,
		FAULT_CASES(X)
#undef X
	};

	return counters[what];
}

enum fault_result fault_case_result(enum fault_case what)
{
	switch (what) {
	case CASE_NO_AREA:
		return FAULT_SEGV_MAPERR;
	case CASE_FORBIDDEN:
		return FAULT_SEGV_ACCERR;
	case CASE_PAST_END:
		return FAULT_SIGBUS;
	default:
		return FAULT_OK;
	}
}

/* ---- the walk ---- */

/* As the hardware does it; tables stay where they are while mmap_lock is held. */
static void walk(struct mm *mm, struct explanation *e)
{
	const pte_t *table = mm->pgd;

	for (unsigned level = PT_LEVELS; level-- > 0;) {
		struct explained_entry *entry = &e->entries[e->nr_entries++];
		const pte_t *slot = &table[pt_index(e->addr, level)];

		*entry = (struct explained_entry){
			.level = level,
			.index = pt_index(e->addr, level),
			.at = virt_to_phys(slot),
			.pte = pte_read(slot),
		};
		if (level > 0 && pte_is_table(entry->pte)) {
			table = phys_to_virt(PFN_PHYS(pte_pfn(entry->pte)));
			continue;
		}
		e->is_leaf = pte_present(entry->pte);
		if (e->is_leaf)
			e->pa = (PFN_PHYS(pte_pfn(entry->pte)) & ~(PT_SPAN(level) - 1)) |
				(e->addr & (PT_SPAN(level) - 1));
		return;
	}
}

/* ---- what the leaf names ---- */

/* The frame of e->pa. Of a user page: leaf lock held, whose PTE keeps the page. */
static void look_at_frame(struct mm *mm, struct explanation *e, bool special)
{
	struct explained_frame *frame = &e->frame;
	const struct page *page;

	frame->exists = true;
	frame->pfn = PFN_DOWN(e->pa);
	frame->is_ram = pfn_valid(frame->pfn);
	if (!frame->is_ram)
		return;
	page = pfn_to_page(frame->pfn);
	frame->is_zero = special && page == zero_page;
	frame->refcount = atomic_read(&page->refcount);
	frame->mapcount = atomic_read(&page->mapcount);
	frame->flags = page_flags(page);
	frame->type = page->type;
	frame->order = page->order;
	frame->mapping = READ_ONCE(page->mapping);
	frame->index = page->index;
	frame->is_family = page_is_anon(page) && frame->mapping == anon_owner(mm);
}

/* The page that a fault of a file's area would find. */
static void look_at_cache(struct explanation *e)
{
	struct address_space *as = file_mapping(e->vma->vm_file);
	const struct page *page;

	spin_lock(&as->lock);
	page = radix_tree_lookup(&as->pages, e->file_index);
	if (page && !item_is_swapped(page)) {
		e->cache.exists = true;
		e->cache.is_here = page_is_here(page);
		e->cache.pfn = page_to_pfn(page);
		e->cache.flags = page_flags(page);
	}
	spin_unlock(&as->lock);
}

/* ---- the rows ---- */

static void add_case(struct explained_access *to, enum fault_case what)
{
	to->cases[to->nr++] = what;
}

/* True when the file system must find room on the disk before the page may be written to. */
static bool needs_room(const struct explanation *e, const struct vm_area *vma)
{
	return file_mapping(vma->vm_file)->ops->map_locked_page && !(e->cache.flags & PG_MAPPED);
}

static void foretell_file(const struct explanation *e, enum fault_access access,
			  struct explained_access *to)
{
	if (!index_is_in_file(file_mapping(e->vma->vm_file), e->file_index)) {
		add_case(to, CASE_PAST_END);
		return;
	}
	if (!e->cache.is_here)
		add_case(to, CASE_READ_IN);
	add_case(to, decide_file(e->vma, access));
}

static void foretell_swap(pte_t entry, enum fault_access access, struct explained_access *to)
{
	if (!swap_is_cached(entry))
		add_case(to, CASE_SWAP_IN);
	add_case(to, decide_swap(entry, access));
}

/* @vma holds the address, or will; @pte is its leaf. Leaf lock held, where there is one. */
static void foretell_in_area(const struct explanation *e, const struct vm_area *vma, pte_t pte,
			     enum fault_access access, struct explained_access *to)
{
	enum fault_case what;

	if (!area_allows(vma, access)) {
		add_case(to, CASE_FORBIDDEN);
		return;
	}
	what = decide_pte(vma, access, pte);
	if (what == CASE_FILE)
		foretell_file(e, access, to);
	else if (what == CASE_ANON)
		add_case(to, decide_anon(access));
	else if (what == CASE_SWAP)
		foretell_swap(pte, access, to);
	else if (what == CASE_COW)
		add_case(to, decide_cow(pte));
	else if (what == CASE_PRESENT)
		add_case(to, decide_present(pte, access));
	else
		add_case(to, what);
	to->needs_room = to->cases[to->nr - 1] == CASE_SHARED_WRITE && needs_room(e, vma);
}

static void foretell(struct mm *mm, struct explanation *e, pte_t pte, const struct rlimit *rlim)
{
	struct vm_area *stack = NULL;

	if (!e->vma)
		stack = stack_may_grow(mm, e->addr & PAGE_MASK, rlim);
	for (enum fault_access access = FAULT_READ; access <= FAULT_EXEC; access++) {
		struct explained_access *to = &e->access[access];

		if (e->vma) {
			foretell_in_area(e, e->vma, pte, access, to);
		} else if (stack) {
			add_case(to, CASE_STACK_GROW);
			foretell_in_area(e, stack, pte, access, to);
		} else {
			add_case(to, CASE_NO_AREA);
		}
	}
}

/* The part for the user half: leaf, frame and rows belong together. */
static void look_under_lock(struct mm *mm, struct explanation *e, const struct rlimit *rlim)
{
	pte_t *ptep = pte_find(mm, e->addr), pte = { 0 };
	struct spinlock *ptl = NULL;

	if (ptep) {
		ptl = pte_lockptr(ptep);
		spin_lock(ptl);
	}
	walk(mm, e);
	if (ptep)
		pte = e->entries[PT_LEVELS - 1].pte;
	if (e->is_leaf)
		look_at_frame(mm, e, pte_special(pte));
	if (e->vma && e->vma->vm_file)
		look_at_cache(e);
	foretell(mm, e, pte, rlim);
	if (ptl)
		spin_unlock(ptl);
}

static bool is_canonical(unsigned long addr)
{
	long top = (long)addr >> CANONICAL_BITS;

	return top == 0 || top == -1;
}

void mm_explain(struct mm *mm, unsigned long addr, const struct rlimit *rlim, bool look_at_kernel,
		struct explanation *e)
{
	struct vm_area *next = find_vma(mm, addr);

	*e = (struct explanation){ .addr = addr, .is_canonical = is_canonical(addr) };
	e->is_kernel = e->is_canonical && (long)addr < 0;
	e->vma = next && next->vm_start <= addr ? next : NULL;
	e->above = e->vma ? next->vm_next : next;
	e->below = next ? next->vm_prev : vma_before(mm, addr);
	if (e->vma)
		e->file_index = vma_pgoff(e->vma, addr);
	if (e->is_canonical && !e->is_kernel) {
		look_under_lock(mm, e, rlim);
		return;
	}
	if (e->is_kernel && look_at_kernel) {
		walk(mm, e);
		if (e->is_leaf)
			look_at_frame(mm, e, false);
	}
	foretell(mm, e, (pte_t){ 0 }, rlim);
}

/* ---- who else ---- */

/* True when @vma of @mm may map the frame, at *addrp, so that its PTE is worth a look. */
static bool may_map(const struct mm *mm, const struct vm_area *vma, const struct explained_frame *f,
		    unsigned long *addrp)
{
	bool is_anon = f->type == PAGE_ANON;
	unsigned long nth;

	nth = f->index - (is_anon ? anon_index(vma, vma->vm_start) : vma->vm_pgoff);
	if (nth >= vma_pages(vma))
		return false;
	*addrp = vma->vm_start + (nth << PAGE_SHIFT);
	if (is_anon)
		return f->mapping == anon_owner(mm);
	return f->type == PAGE_FILE && vma->vm_file && file_mapping(vma->vm_file) == f->mapping;
}

static bool maps_frame(struct mm *mm, unsigned long addr, unsigned long pfn)
{
	pte_t *ptep = pte_find(mm, addr);
	struct spinlock *ptl;
	pte_t pte;

	if (!ptep)
		return false;
	ptl = pte_lockptr(ptep);
	spin_lock(ptl);
	pte = pte_read(ptep);
	spin_unlock(ptl);
	return pte_present(pte) && pte_pfn(pte) == pfn;
}

unsigned mm_find_frame(struct mm *mm, const struct explanation *e, unsigned long *addrs,
		       unsigned max)
{
	const struct explained_frame *frame = &e->frame;
	unsigned found = 0;

	if (!frame->is_ram || frame->is_zero)
		return 0;
	for (const struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next) {
		unsigned long addr;

		if (!may_map(mm, vma, frame, &addr) || !maps_frame(mm, addr, frame->pfn))
			continue;
		if (found < max)
			addrs[found] = addr;
		found++;
	}
	return found;
}
