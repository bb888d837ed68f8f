/*
 * vmflags.c - other flags for a range: how madvise(2) and mlock(2) mark areas.
 *
 *	before   [A                  )[B, locked )
 *	mlock        [s .............. e)
 *	after    [A  )[A, locked; was A, then B  )     split at both ends, change, merge the equal
 *
 * Only the list changes, no page and no PTE. Memory is taken before the first change.
 *
 * Invariants: no two neighbours could be merged; locked_vm is the sum over the list (mm_check()).
 * Locks: mmap_lock for writing, the caller's.
 */
#include "lib/errno.h"
#include "mm/vma.h"

void vma_set_flags(struct vm_area *vma, u32 flags)
{
	struct mm *mm = vma->vm_mm;

	vma_account(mm, vma, vma->vm_start, vma->vm_end, -1);
	vma->vm_flags = flags;
	vma_account(mm, vma, vma->vm_start, vma->vm_end, 1);
}

/* The borders are in place. */
static int change_areas(struct mm *mm, unsigned long start, unsigned long end,
			const struct flag_change *change)
{
	int err = 0, hole = 0;
	struct vm_area *vma;

	for (vma = find_vma(mm, start); vma && vma->vm_start < end && !err; vma = vma->vm_next) {
		if (vma->vm_start > start)
			hole = -ENOMEM;
		if (hole && change->stop_at_hole)
			return hole;
		err = change->check ? change->check(vma) : 0;
		if (!err)
			vma_set_flags(vma, (vma->vm_flags & ~change->clear) | change->set);
		vma = vma_merge(mm, vma);
		start = vma->vm_end;
	}
	if (err)
		return err;
	return start < end ? -ENOMEM : hole;
}

int vma_change_flags(struct mm *mm, unsigned long start, unsigned long end,
		     const struct flag_change *change)
{
	struct vm_area *last;
	int err;

	if (vma_splits_too_many(mm, start, end) || vma_split_range(mm, start, end))
		return -EAGAIN;
	err = change_areas(mm, start, end, change);
	/* The border at @end may be between equals: nothing changed before it, or it was so. */
	last = vma_lookup(mm, end);
	if (last)
		vma_merge(mm, last);
	return err;
}
