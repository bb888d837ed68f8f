/*
 * vma.c - the sorted list of areas, and the three primitives that every edit is made of.
 *
 *	mm->mmap -> [A)  <->  [B)  <->      [C)          sorted, disjoint, page aligned
 *
 *	split B at x        [A) <-> [B .. x) <-> [x .. B)  <-> [C)
 *	insert [new)        between its neighbours; where one is equal (same protection, flags,
 *	                    file and continuous offset) the neighbour grows instead
 *	remove [s, e)       split at s and e, unlink all between, drop their pages and tables
 *
 *	brk, mmap, munmap, mprotect, exec's segments, stack growth, fork and exit say what they do
 *	in these words, each in a file of its own.
 *
 * Invariants (mm_check()): no two neighbours could be merged; list and tree hold the same areas in
 * the same order; total_vm, data_vm, stack_vm, exec_vm, committed_vm, locked_vm and nr_areas are
 * the sums over the list.
 * Locks: mmap_lock for writing; borders of file areas also under the mapping's mmap_lock, which
 * truncation holds when it visits areas of other processes.
 */
#include "mm/vma.h"

#include "fs/mapping.h"
#include "kernel/panic.h"
#include "lib/errno.h"
#include "mm/commit.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "mm/vmstat.h"
#include "mm/window.h"

unsigned long max_map_count = 65530;

/* ---- list and sums ---- */

void vma_account(struct mm *mm, const struct vm_area *vma, unsigned long start, unsigned long end,
		 int sign)
{
	unsigned long pages = ((end - start) >> PAGE_SHIFT) * sign;

	mm->total_vm += pages;
	if (counts_as_data(vma->vm_prot, vma->vm_flags))
		mm->data_vm += pages;
	if (vma->vm_prot & PROT_EXEC)
		mm->exec_vm += pages;
	if (vma_is_committed(vma))
		mm->committed_vm += pages;
	if (unlikely(vma->vm_flags & (VM_GROWSDOWN | VM_LOCKED))) {
		mm->stack_vm += vma->vm_flags & VM_GROWSDOWN ? pages : 0;
		mm->locked_vm += vma->vm_flags & VM_LOCKED ? pages : 0;
	}
	if (mm->total_vm > mm->hiwater_vm)
		mm->hiwater_vm = mm->total_vm;
}

/*
 * @vma, equal to @other, takes it over. Where only one of the two may hold pages of its own, all is
 * taken to: what is read-only then counts as promised, and its pages will say that they were moved
 * as the others were.
 */
static void take_over_anon(struct vm_area *vma, const struct vm_area *other)
{
	const struct vm_area *clean = vma->vm_anon ? other : vma;
	unsigned long start = clean->vm_start, end = clean->vm_end;

	if (vma->vm_anon == other->vm_anon)
		return;
	vma_account(vma->vm_mm, clean, start, end, -1);
	if (other->vm_anon)
		vma->vm_moved = other->vm_moved;
	vma->vm_anon = true;
	vma_account(vma->vm_mm, vma, start, end, 1);
}

/*
 * Links @vma between its neighbours in list and tree. Its file's mapping is the caller's business,
 * so that no range is ever missing there, not even for a moment: truncation would overlook it.
 */
static void vma_link(struct mm *mm, struct vm_area *vma, struct vm_area *prev)
{
	struct vm_area *next = prev ? prev->vm_next : mm->mmap;

	vma->vm_prev = prev;
	vma->vm_next = next;
	if (prev)
		prev->vm_next = vma;
	else
		mm->mmap = vma;
	if (next)
		next->vm_prev = vma;
	vma_tree_insert(mm, vma);
	mm->nr_areas++;
	mm->last_hit = vma;
}

static void vma_unlink(struct mm *mm, struct vm_area *vma)
{
	vma_tree_erase(mm, vma);
	if (vma->vm_prev)
		vma->vm_prev->vm_next = vma->vm_next;
	else
		mm->mmap = vma->vm_next;
	if (vma->vm_next) {
		vma->vm_next->vm_prev = vma->vm_prev;
		vma_tree_gap_changed(vma->vm_next);
	}
	mm->nr_areas--;
	mm->last_hit = vma->vm_prev ? vma->vm_prev : vma->vm_next;
}

static void vma_free(struct vm_area *vma)
{
	if (vma->vm_file)
		file_put(vma->vm_file);
	kmem_cache_free(vma_cache, vma);
}

/* Moves borders in place. The caller has seen to it that the order of the list stays. */
static void vma_set_borders(struct vm_area *vma, unsigned long start, unsigned long end)
{
	bool start_moves = start != vma->vm_start;
	bool end_moves = end != vma->vm_end;

	mapping_lock_area(vma);
	vma->vm_pgoff += (long)(start - vma->vm_start) >> PAGE_SHIFT;
	vma->vm_start = start;
	vma->vm_end = end;
	mapping_unlock_area(vma);
	if (start_moves)
		vma_tree_gap_changed(vma);
	if (end_moves && vma->vm_next)
		vma_tree_gap_changed(vma->vm_next);
}

void vma_resize(struct vm_area *vma, unsigned long start, unsigned long end)
{
	struct mm *mm = vma->vm_mm;

	BUG_ON(!rwsem_held_write(&mm->mmap_lock));
	vma_account(mm, vma, vma->vm_start, vma->vm_end, -1);
	vma_set_borders(vma, start, end);
	vma_account(mm, vma, start, end, 1);
}

struct vm_area *vma_before(struct mm *mm, unsigned long addr)
{
	struct vm_area *vma = find_vma(mm, addr);

	/* The first that ends past addr either begins below it or follows the one that does. */
	if (vma && vma->vm_start < addr)
		return vma;
	if (vma)
		return vma->vm_prev;
	return mm->mm_rb.rb_node ? rb_entry(rb_last(&mm->mm_rb), struct vm_area, vm_rb) : NULL;
}

/* ---- split ---- */

/* Cuts @vma at @addr, strictly inside; the new area is the upper part. */
static int vma_split(struct vm_area *vma, unsigned long addr)
{
	struct mm *mm = vma->vm_mm;
	struct vm_area *upper;

	upper = kmem_cache_alloc(vma_cache, GFP_KERNEL);
	if (!upper)
		return -ENOMEM;
	*upper = *vma;
	upper->vm_start = addr;
	upper->vm_pgoff = vma_pgoff(vma, addr);
	if (upper->vm_file)
		file_get(upper->vm_file);
	mapping_link_area(upper);
	vma_set_borders(vma, vma->vm_start, addr);
	vma_link(mm, upper, vma);
	count_vm(VM_vma_split);
	return 0;
}

int vma_split_range(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vm_area *first = vma_lookup(mm, start);
	bool ends_there = first && first->vm_end == end;
	struct vm_area *last;
	int err = 0;

	BUG_ON(!rwsem_held_write(&mm->mmap_lock));
	if (first && first->vm_start < start) {
		err = vma_split(first, start);
		if (err)
			return err;
	}
	if (ends_there)
		return 0;
	last = vma_lookup(mm, end);
	if (last && last->vm_start < end)
		err = vma_split(last, end);
	if (err && first)
		vma_merge(mm, first);
	return err;
}

/* ---- insert and merge ---- */

/* Of two parts of a file: their anonymous pages find their index in the same way. */
static __noinline bool moved_alike(const struct vm_area *a, const struct vm_area *b)
{
	return !a->vm_anon || !b->vm_anon;
}

/* Inline: mprotect() and mmap() ask it of both neighbours. */
static __always_inline bool can_merge(const struct vm_area *a, const struct vm_area *b)
{
	return a->vm_end == b->vm_start && a->vm_prot == b->vm_prot && a->vm_flags == b->vm_flags &&
	       a->vm_file == b->vm_file && vma_pgoff(a, a->vm_end) == b->vm_pgoff &&
	       (likely(a->vm_moved == b->vm_moved) || moved_alike(a, b));
}

bool vma_can_merge(const struct vm_area *a, const struct vm_area *b)
{
	return can_merge(a, b);
}

/* @vma grows over its equal follower @next, which goes away. */
static void vma_absorb_next(struct mm *mm, struct vm_area *vma, struct vm_area *next)
{
	unsigned long end = next->vm_end;

	take_over_anon(vma, next);
	vma_unlink(mm, next);
	vma_set_borders(vma, vma->vm_start, end);
	mapping_unlink_area(next);
	vma_free(next);
	count_vm(VM_vma_merge);
}

struct vm_area *vma_merge(struct mm *mm, struct vm_area *vma)
{
	struct vm_area *prev = vma->vm_prev, *next = vma->vm_next;

	BUG_ON(!rwsem_held_write(&mm->mmap_lock));
	if (next && can_merge(vma, next))
		vma_absorb_next(mm, vma, next);
	if (prev && can_merge(prev, vma)) {
		vma_absorb_next(mm, prev, vma);
		vma = prev;
	}
	return vma;
}

void vma_rejoin(struct mm *mm, unsigned long addr)
{
	struct vm_area *vma = vma_lookup(mm, addr);

	if (vma)
		vma_merge(mm, vma);
}

struct vm_area *vma_prepare(void)
{
	return kmem_cache_alloc(vma_cache, GFP_KERNEL);
}

void vma_discard(struct vm_area *spare)
{
	kmem_cache_free(vma_cache, spare);
}

struct vm_area *vma_insert(struct mm *mm, const struct vm_area *want, struct vm_area *spare)
{
	struct vm_area *prev = vma_before(mm, want->vm_start);
	struct vm_area *next = prev ? prev->vm_next : mm->mmap;

	BUG_ON(!rwsem_held_write(&mm->mmap_lock));
	vma_account(mm, want, want->vm_start, want->vm_end, 1);
	if (prev && can_merge(prev, want)) {
		vma_discard(spare);
		take_over_anon(prev, want);
		vma_set_borders(prev, prev->vm_start, want->vm_end);
		count_vm(VM_vma_merge);
		return vma_merge(mm, prev);
	}
	if (next && can_merge(want, next)) {
		vma_discard(spare);
		take_over_anon(next, want);
		vma_set_borders(next, want->vm_start, next->vm_end);
		count_vm(VM_vma_merge);
		return next;
	}
	*spare = *want;
	spare->vm_mm = mm;
	if (spare->vm_file)
		file_get(spare->vm_file);
	mapping_link_area(spare);
	vma_link(mm, spare, prev);
	return spare;
}

/* ---- remove ---- */

/*
 * Takes the areas of [start, end), whose borders match, off the list; they stay chained, and on
 * their files' lists.
 */
static struct vm_area *unlink_range(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vm_area *vma = find_vma(mm, start);
	struct vm_area *chain = NULL, **tail = &chain;

	while (vma && vma->vm_start < end) {
		struct vm_area *next = vma->vm_next;

		vma_account(mm, vma, vma->vm_start, vma->vm_end, -1);
		vma_unlink(mm, vma);
		vma->vm_next = NULL;
		*tail = vma;
		tail = &vma->vm_next;
		vma = next;
	}
	return chain;
}

static void remove_range(struct mm *mm, unsigned long start, unsigned long end,
			 struct gather_freed *freed)
{
	struct vm_area *prev, *next, *vma, *chain;
	struct mmu_gather g;

	BUG_ON(!rwsem_held_write(&mm->mmap_lock));
	chain = unlink_range(mm, start, end);
	if (!chain)
		return;
	window();
	gather_init(&g, mm);
	g.freed = freed;
	/*
	 * An area leaves its file's list after its PTEs are gone: write-back would pass by one that
	 * a program still stores through, and what is stored after that would never be written.
	 */
	for (vma = chain; vma; vma = vma->vm_next) {
		zap_range(&g, vma->vm_start, vma->vm_end);
		mapping_unlink_area(vma);
	}
	prev = vma_before(mm, chain->vm_start);
	next = prev ? prev->vm_next : mm->mmap;
	/*
	 * Area by area, so that gaps cost nothing; a table that two of them use goes with the last.
	 */
	for (vma = chain; vma; vma = vma->vm_next) {
		unsigned long after = next ? next->vm_start : TASK_SIZE;

		free_pgtables(&g, vma->vm_start, vma->vm_end, prev ? prev->vm_end : 0,
			      vma->vm_next ? vma->vm_next->vm_start : after);
	}
	gather_finish(&g);
	while (chain) {
		vma = chain;
		chain = vma->vm_next;
		vma_free(vma);
	}
}

void vma_remove_aligned(struct mm *mm, unsigned long start, unsigned long end)
{
	remove_range(mm, start, end, NULL);
}

void vma_remove_all(struct mm *mm, struct gather_freed *freed)
{
	remove_range(mm, 0, TASK_SIZE, freed);
}

unsigned vma_splits(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vm_area *first = vma_lookup(mm, start), *last = vma_lookup(mm, end);

	return (first && first->vm_start < start) + (last && last->vm_start < end);
}

/* A hole in the middle of one area leaves more areas than there were; nothing else does. */
static bool makes_hole(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vm_area *first = vma_lookup(mm, start);

	return first && first->vm_start < start && first->vm_end > end;
}

int vma_remove(struct mm *mm, unsigned long start, unsigned long end)
{
	int err;

	if (unlikely(mm->nr_areas >= MAX_MAP_COUNT) && makes_hole(mm, start, end))
		return -ENOMEM;
	err = vma_split_range(mm, start, end);
	if (!err)
		vma_remove_aligned(mm, start, end);
	return err;
}
