/*
 * vma.h - the area list and its three primitives. mm/vma.c has the drawing.
 *
 * All need mmap_lock held for writing, but for the look-ups, which need it for reading.
 */
#ifndef RAVEL_MM_VMA_H
#define RAVEL_MM_VMA_H

#include "mm/mm.h"
#include "mm/mmap.h"

/* How many areas one mm may have: /proc/sys/vm/max_map_count, as Linux's default. */
#define MAX_MAP_COUNT READ_ONCE(max_map_count)
extern unsigned long max_map_count;

struct mmu_gather;

/*
 * SPLIT so that @start and @end are area borders: at most two new areas. 0, or -ENOMEM with the
 * list as before.
 */
int vma_split_range(struct mm *mm, unsigned long start, unsigned long end);

/* How many areas that would add: 0 to 2. */
unsigned vma_splits(struct mm *mm, unsigned long start, unsigned long end);

/* True when they would be more than one mm may have. */
static inline bool vma_splits_too_many(struct mm *mm, unsigned long start, unsigned long end)
{
	return unlikely(mm->nr_areas + 2 > MAX_MAP_COUNT) &&
	       mm->nr_areas + vma_splits(mm, start, end) > MAX_MAP_COUNT;
}

/*
 * INSERT AND MERGE. vma_prepare() gets the memory that an insertion may need; vma_insert() then
 * cannot fail: [want->vm_start, want->vm_end) is free, and becomes part of an equal neighbour, or
 * the prepared area. It consumes @spare, and the file reference is taken here.
 */
struct vm_area *vma_prepare(void);
void vma_discard(struct vm_area *spare);
struct vm_area *vma_insert(struct mm *mm, const struct vm_area *want, struct vm_area *spare);

/* Undoes a split at @addr: what touches there and is equal is one area again. */
void vma_rejoin(struct mm *mm, unsigned long addr);

/* Melts @vma with its equal neighbours after its protection changed; returns what holds it now. */
struct vm_area *vma_merge(struct mm *mm, struct vm_area *vma);

/*
 * REMOVE all that lies in [start, end): areas, PTEs, frames, tables. 0, or -ENOMEM (a split) with
 * nothing changed. vma_remove_aligned() is the part after the splits and cannot fail.
 */
int vma_remove(struct mm *mm, unsigned long start, unsigned long end);
void vma_remove_aligned(struct mm *mm, unsigned long start, unsigned long end);
/* REMOVE everything at the end of @mm; adds to @freed the frames that are free then. */
struct gather_freed;
void vma_remove_all(struct mm *mm, struct gather_freed *freed);

/* Moves @vma's borders (stack growth); the new space is free. Cannot fail. */
void vma_resize(struct vm_area *vma, unsigned long start, unsigned long end);

/*
 * CHANGE FLAGS of [start, end), with what splits and merges that takes (mm/vmflags.c). 0; -EAGAIN
 * for want of memory or of room for more areas, with nothing changed; -ENOMEM for a hole, what is
 * mapped (before the hole, if stop_at_hole) being changed; or what check() says, likewise.
 */
struct flag_change {
	u32 clear, set;
	int (*check)(const struct vm_area *vma); /* 0 or -errno; NULL: every area will do */
	bool stop_at_hole;
};
int vma_change_flags(struct mm *mm, unsigned long start, unsigned long end,
		     const struct flag_change *change);
/* The sums follow; what merges is the caller's business. */
void vma_set_flags(struct vm_area *vma, u32 flags);

/* The area that holds @addr, or NULL. */
static inline struct vm_area *vma_lookup(struct mm *mm, unsigned long addr)
{
	struct vm_area *vma = find_vma(mm, addr);

	return vma && vma->vm_start <= addr ? vma : NULL;
}

static inline unsigned long vma_pages(const struct vm_area *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

/* Page index in the area's file (or linear space) of user address @addr. */
static inline unsigned long vma_pgoff(const struct vm_area *vma, unsigned long addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
}

/*
 * Index of an anonymous page at user address @addr: the number of the page where it would be if
 * mremap() had never moved it. For anonymous areas that is vma_pgoff(), too.
 */
static inline unsigned long anon_index(const struct vm_area *vma, unsigned long addr)
{
	return (addr >> PAGE_SHIFT) - vma->vm_moved;
}

/* True when @b may be one area with @a, which ends where @b starts. */
bool vma_can_merge(const struct vm_area *a, const struct vm_area *b);

/* True when memory of @prot and @flags counts as data (RLIMIT_DATA, VmData). */
static inline bool counts_as_data(u32 prot, u32 flags)
{
	return (prot & PROT_WRITE) && !(flags & (VM_GROWSDOWN | VM_SHARED));
}

/* Adds (sign 1) or takes away (-1) the pages of [start, end) of an area like @vma in mm's sums. */
void vma_account(struct mm *mm, const struct vm_area *vma, unsigned long start, unsigned long end,
		 int sign);

/* The last area that begins below @addr, or NULL. */
struct vm_area *vma_before(struct mm *mm, unsigned long addr);

/* ---- the index (mm/vma_tree.c) ---- */

void vma_tree_insert(struct mm *mm, struct vm_area *vma);
void vma_tree_erase(struct mm *mm, struct vm_area *vma);
/* The gap before @vma changed: tells the index. */
void vma_tree_gap_changed(struct vm_area *vma);
/* The highest free @len bytes inside [low, high); 0: none. */
unsigned long vma_find_gap(struct mm *mm, unsigned long len, unsigned long low, unsigned long high);
/* Verifies that the index agrees with the list; 0 or the number of faults, printed. */
int vma_tree_check(struct mm *mm);

/* Up to where others may come from below: @vma's start, or that of its guard gap if it grows. */
static inline unsigned long vma_start_gap(const struct vm_area *vma)
{
	unsigned long guard = vma->vm_flags & VM_GROWSDOWN ? STACK_GUARD : 0;

	return vma->vm_start > guard ? vma->vm_start - guard : 0;
}

/* The bytes free right before @vma, for who keeps clear of its guard gap. */
static inline unsigned long vma_gap(const struct vm_area *vma)
{
	unsigned long gap = vma->vm_start - (vma->vm_prev ? vma->vm_prev->vm_end : 0);

	if (unlikely(vma->vm_flags & VM_GROWSDOWN))
		gap = gap > STACK_GUARD ? gap - STACK_GUARD : 0;
	return gap;
}

/* ---- pages of a range (mm/zap.c, mm/rmap.c) ---- */

/*
 * Clears the PTEs of [start, end), which lies in one area of g->mm; frames go to @g. mmap_lock held
 * for reading or writing, or the file mapping's mmap_lock that keeps the area in place.
 */
void zap_range(struct mmu_gather *g, unsigned long start, unsigned long end);

/* Puts @vma on, or takes it off, the list of areas of its file's mapping. No-op without a file. */
void mapping_link_area(struct vm_area *vma);
void mapping_unlink_area(struct vm_area *vma);
/* Held around any change of a linked area's borders; no-op without a file. */
void mapping_lock_area(struct vm_area *vma);
void mapping_unlock_area(struct vm_area *vma);

#endif
