/*
 * mlock.c - mlock(2), mlock2, munlock, mlockall, munlockall: memory that stays in memory.
 *
 *	before    [A                 ) [B   )
 *	mlock         [s ....... e)
 *	after     [A  )[A, locked)[A ) [B   )     the flag is the area's, so it splits and merges;
 *	               x  x  x  x                  then each page is faulted in (populate.c)
 *
 *	mlock2(MLOCK_ONFAULT)   the flag, and no page: those that come stay
 *	mlockall(MCL_CURRENT)   every area
 *	mlockall(MCL_FUTURE)    mm->def_flags: areas that mmap and brk make from now on
 *	munlock, munlockall     the flag goes, the pages stay
 *
 *	What a locked area is spared: MADV_DONTNEED, FREE, COLD, PAGEOUT and REMOVE are EINVAL
 *	there, and who takes pages away for want of memory passes VM_LOCKED areas by: a page that
 *	one of them maps stays for all (stop_at_locked of rmap.h; reclaim.c, swapout.c).
 *
 *	A stack that is locked grows locked; of the pages that a growth adds only the one that was
 *	touched comes at once. A copy of memory by fork, and a new program, begin unlocked.
 *
 *	A hole in the range: the areas before it are locked, then ENOMEM.
 *
 * Invariants: mm->locked_vm is the pages of VM_LOCKED areas (mm_check()), at most RLIMIT_MEMLOCK
 * unless root locks; a failure for want of memory for areas, or for the limit, changes nothing.
 * Locks: mmap_lock for writing for the flags; populating takes it for each page, after.
 * Source: mlock(2), mlockall(2).
 */
#include "mm/mlock.h"

#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/debug.h"
#include "mm/internal.h"
#include "mm/vma.h"

#define MLOCK_ONFAULT 1

#define MCL_CURRENT 1
#define MCL_FUTURE  2
#define MCL_ONFAULT 4

bool may_lock(void)
{
	return current->rlim[RLIMIT_MEMLOCK].cur != 0 || is_privileged();
}

bool may_lock_pages(const struct mm *mm, unsigned long pages)
{
	return mm->locked_vm + pages <= current->rlim[RLIMIT_MEMLOCK].cur >> PAGE_SHIFT ||
	       is_privileged();
}

/* Pages of [start, end) that are locked already: locking them again costs nothing. */
static unsigned long locked_pages(struct mm *mm, unsigned long start, unsigned long end)
{
	unsigned long pages = 0;

	for (struct vm_area *vma = find_vma(mm, start); vma && vma->vm_start < end;
	     vma = vma->vm_next) {
		if (vma->vm_flags & VM_LOCKED)
			pages += (min(end, vma->vm_end) - max(start, vma->vm_start)) >> PAGE_SHIFT;
	}
	return pages;
}

/*
 * The areas of [start, end) get lock bits @flags. 0, or -ENOMEM: a hole, or no memory or room for
 * more areas. mmap_lock held for writing.
 */
static int set_lock(struct mm *mm, unsigned long start, unsigned long end, u32 flags)
{
	const struct flag_change change = {
		.clear = VM_LOCK_MASK,
		.set = flags,
		.stop_at_hole = true,
	};

	return vma_change_flags(mm, start, end, &change) ? -ENOMEM : 0;
}

/* The pages that @addr and @len touch. 0, or -EINVAL: they are more than there are addresses. */
static int page_range(unsigned long addr, unsigned long len, unsigned long *start,
		      unsigned long *bytes)
{
	*start = addr & PAGE_MASK;
	*bytes = PAGE_ALIGN(len + offset_in_page(addr));
	return *bytes < len || *start + *bytes < *start ? -EINVAL : 0;
}

static int lock_range(struct mm *mm, unsigned long start, unsigned long end, u32 flags)
{
	unsigned long pages = (end - start) >> PAGE_SHIFT;
	int err = -ENOMEM;

	down_write(&mm->mmap_lock);
	if (may_lock_pages(mm, pages) || may_lock_pages(mm, pages - locked_pages(mm, start, end)))
		err = set_lock(mm, start, end, flags);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return err;
}

static int do_mlock(struct mm *mm, unsigned long addr, unsigned long len, u32 flags)
{
	unsigned long start, bytes;
	int err;

	if (!may_lock())
		return -EPERM;
	err = page_range(addr, len, &start, &bytes);
	if (err)
		return is_privileged() ? err : -ENOMEM; /* more than any limit */
	if (bytes == 0)
		return 0;
	err = lock_range(mm, start, start + bytes, flags);
	if (err)
		return err;
	err = mm_populate_or_fail(mm, start, start + bytes);
	/* POSIX has these words for it. */
	if (err == -EFAULT)
		return -ENOMEM;
	return err == -ENOMEM ? -EAGAIN : err;
}

SYSCALL_DEFINE2(mlock, unsigned long, addr, unsigned long, len)
{
	return do_mlock(current->mm, addr, len, VM_LOCKED);
}

SYSCALL_DEFINE3(mlock2, unsigned long, addr, unsigned long, len, int, flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return do_mlock(current->mm, addr, len,
			flags & MLOCK_ONFAULT ? VM_LOCKED | VM_LOCKONFAULT : VM_LOCKED);
}

SYSCALL_DEFINE2(munlock, unsigned long, addr, unsigned long, len)
{
	struct mm *mm = current->mm;
	unsigned long start, bytes;
	int err = page_range(addr, len, &start, &bytes);

	if (err || bytes == 0)
		return err;
	down_write(&mm->mmap_lock);
	err = set_lock(mm, start, start + bytes, 0);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return err;
}

/* ---- all of it ---- */

/* Whole areas: no memory is needed, and holes are nobody's failure. */
static void set_lock_all(struct mm *mm, u32 flags)
{
	const struct flag_change change = { .clear = VM_LOCK_MASK, .set = flags };

	vma_change_flags(mm, 0, TASK_SIZE, &change);
}

SYSCALL_DEFINE1(mlockall, int, flags)
{
	struct mm *mm = current->mm;
	u32 lock = flags & MCL_ONFAULT ? VM_LOCKED | VM_LOCKONFAULT : VM_LOCKED;
	int err = 0;

	if (!(flags & (MCL_CURRENT | MCL_FUTURE)) ||
	    (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
		return -EINVAL;
	if (!may_lock())
		return -EPERM;
	down_write(&mm->mmap_lock);
	if ((flags & MCL_CURRENT) && !may_lock_pages(mm, mm->total_vm - mm->locked_vm)) {
		err = -ENOMEM;
	} else {
		mm->def_flags = flags & MCL_FUTURE ? lock : 0;
		if (flags & MCL_CURRENT)
			set_lock_all(mm, lock);
	}
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	if (!err && (flags & MCL_CURRENT))
		mm_populate(mm, 0, TASK_SIZE);
	return err;
}

SYSCALL_DEFINE0(munlockall)
{
	struct mm *mm = current->mm;

	down_write(&mm->mmap_lock);
	mm->def_flags = 0;
	set_lock_all(mm, 0);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return 0;
}
