/*
 * commit.h - memory that is promised, touched or not, and how much may be. mm/commit.c explains.
 */
#ifndef RAVEL_MM_COMMIT_H
#define RAVEL_MM_COMMIT_H

#include "mm/mm.h"

/* /proc/sys/vm/overcommit_memory, overcommit_ratio (percent). */
#define OVERCOMMIT_GUESS  0
#define OVERCOMMIT_ALWAYS 1
#define OVERCOMMIT_NEVER  2
extern unsigned long overcommit_memory, overcommit_ratio;

/* Pages that mode OVERCOMMIT_NEVER allows, and that are promised now. */
unsigned long commit_limit(void);
unsigned long committed_pages(void);

/* So many pages every machine has (Ravel needs 32 MiB): no mistake that is obvious. */
#define COMMIT_SMALL 1024

/* commit_check() where the mode must be asked. */
int commit_check_mode(unsigned long pages);

/* 0 if @pages more may be promised in the present mode, else -ENOMEM. Promises nothing. */
static inline int commit_check(unsigned long pages)
{
	if (likely(pages <= COMMIT_SMALL && READ_ONCE(overcommit_memory) != OVERCOMMIT_NEVER))
		return 0;
	return commit_check_mode(pages);
}

/*
 * True when the pages of an area like @vma are promised: they may become frames of its own. It
 * changes only under mmap_lock for writing (vm_anon is set by faults only where it changes
 * nothing).
 */
static inline bool vma_is_committed(const struct vm_area *vma)
{
	return !(vma->vm_flags & (VM_SHARED | VM_NORESERVE)) &&
	       ((vma->vm_prot & PROT_WRITE) || vma->vm_anon);
}

/* Is MAP_NORESERVE, or the like, heard? Only where more may be promised than there is. */
bool commit_may_be_skipped(void);

/*
 * All @pages of the shared memory @as, which has none yet, are promised until it is destroyed; the
 * caller has asked commit_check(). Without it each page is promised when it comes.
 */
void shmem_commit(struct address_space *as, unsigned long pages);
/* A page more (1) or less (-1) is in @as; the mapping is destroyed. */
void shmem_commit_page(struct address_space *as, long n);
void shmem_uncommit(struct address_space *as);

#endif
