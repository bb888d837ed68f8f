/*
 * walk.h - looking at the page table of an address space: its leaves, and sums over them.
 *
 * All need mmap_lock held, reading is enough, or take it; none takes a reference. Nothing changes
 * but what mm_clear_refs() is asked to clear.
 */
#ifndef RAVEL_MM_WALK_H
#define RAVEL_MM_WALK_H

#include "mm/mm.h"

/* What a walk does with leaves of one table: those of [addr, end), @ptep being that of addr. */
typedef void (*walk_leaves_fn)(pte_t *ptep, unsigned long addr, unsigned long end, void *arg);

/*
 * Calls @fn for each leaf table that exists in [start, end), in order, with its lock held: @fn may
 * not sleep. What has no table costs a step for each GiB or 2 MiB.
 */
void walk_range(struct mm *mm, unsigned long start, unsigned long end, walk_leaves_fn fn,
		void *arg);

/* ---- sums (mm/smaps.c) ---- */

#define PSS_SHIFT 12 /* shares of a page are counted in 1/4096 */

/* What of an area is in memory. Pages, but for pss_*: pages << PSS_SHIFT, each by its mapcount. */
struct area_usage {
	unsigned long shared_clean, shared_dirty, private_clean, private_dirty;
	unsigned long referenced; /* touched since somebody last cleared the mark */
	unsigned long swap;	  /* in slots; swap_share: each by the PTEs that hold its entry */
	u64 swap_share;
	unsigned long anon; /* written to, or without a file: not in the page cache */
	u64 pss_anon, pss_file, pss_shmem; /* their sum is all */
	u64 pss_dirty, pss_locked;	   /* of all: written to; of areas that are locked */
};

static inline u64 usage_pss(const struct area_usage *usage)
{
	return usage->pss_anon + usage->pss_file + usage->pss_shmem;
}

/* Adds what @vma has to @usage. mmap_lock of its mm is held. */
void vma_add_usage(const struct vm_area *vma, struct area_usage *usage);

/* Resident pages of @mm that are shared memory, of its rss_file. Takes mmap_lock for reading. */
unsigned long mm_nr_shmem(struct mm *mm);

/* ---- what was used lately (mm/clear_refs.c) ---- */

enum refs_of { REFS_ALL, REFS_ANON, REFS_FILE }; /* areas: every one; without a file; of files */

/*
 * From now on area_usage.referenced counts what is touched after this call, in areas of @mm of that
 * kind: on every hart. Takes mmap_lock for reading.
 */
void mm_clear_refs(struct mm *mm, enum refs_of which);
/* The peak of resident pages (VmHWM) begins anew at what is resident now. */
void mm_reset_peak(struct mm *mm);

/* ---- page by page (mm/pagemap.c) ---- */

/* Entries of /proc/<pid>/pagemap, as Linux has them. */
#define PM_PFN_MASK	  ((1UL << 55) - 1)
#define PM_EXCLUSIVE	  (1UL << 56) /* nobody else maps the page */
#define PM_FILE		  (1UL << 61) /* of the page cache: a file's, or shared memory */
#define PM_SWAP		  (1UL << 62)
#define PM_SWAP_AREA_BITS 5
#define PM_PRESENT	  (1UL << 63)

/*
 * Fills @entry[0..@nr) for the pages from @start on; the frames' numbers only with @pfns. Takes
 * mmap_lock for reading.
 */
void mm_pagemap(struct mm *mm, unsigned long start, unsigned nr, bool pfns, u64 *entry);

/* What /proc/kpageflags says of frame @pfn: bits KPF_*; KPF_NOPAGE where there is no RAM. */
u64 frame_flags(unsigned long pfn);
/* How many PTEs map frame @pfn; 0 also for what is not user memory, or not RAM. */
u64 frame_count(unsigned long pfn);
/* The first frame number behind all RAM. */
unsigned long frame_end(void);

#define KPF_LOCKED     0
#define KPF_ERROR      1
#define KPF_REFERENCED 2
#define KPF_UPTODATE   3
#define KPF_DIRTY      4
#define KPF_LRU	       5
#define KPF_SLAB       7
#define KPF_WRITEBACK  8
#define KPF_BUDDY      10
#define KPF_MMAP       11
#define KPF_ANON       12
#define KPF_SWAPBACKED 14
#define KPF_NOPAGE     20
#define KPF_ZERO_PAGE  24
#define KPF_PGTABLE    26
#define KPF_RESERVED   32

#endif
