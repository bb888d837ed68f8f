/*
 * mlock.h - what the edits must know of locked memory.
 *
 * A locked area is one with VM_LOCKED: its pages stay where they are. A new one begins with the
 * bits of mm->def_flags, and is counted by vma_account().
 */
#ifndef RAVEL_MM_MLOCK_H
#define RAVEL_MM_MLOCK_H

#include "mm/mm.h"

/* May the current task lock anything at all? If not, EPERM. */
bool may_lock(void);
/* May @pages more be locked in @mm? With mmap_lock held the answer stands. */
bool may_lock_pages(const struct mm *mm, unsigned long pages);

/* The same for an area of @flags that grows or comes: true for all that are not locked. */
static inline bool may_lock_area(const struct mm *mm, u32 flags, unsigned long pages)
{
	return likely(!(flags & VM_LOCKED)) || may_lock_pages(mm, pages);
}

#endif
