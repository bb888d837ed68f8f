/*
 * munmap.c - munmap(2): a hole in the list.
 *
 *	before   [A    A    A) [B) [C    C)
 *	munmap        [s ............ e)
 *	after    [A  )                [C )        split at both ends, drop what lies between
 *
 *	A range without any area is fine: nothing is to be done.
 *
 * Invariant: on failure (memory for a split) nothing has changed.
 * Locks: mmap_lock for writing.
 * Source: munmap(2).
 */
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/debug.h"
#include "mm/vma.h"

int vm_munmap(struct mm *mm, unsigned long addr, unsigned long len)
{
	unsigned long bytes = PAGE_ALIGN(len);
	int err;

	if (offset_in_page(addr) || bytes == 0 || bytes < len || bytes > TASK_SIZE ||
	    addr > TASK_SIZE - bytes)
		return -EINVAL;
	down_write(&mm->mmap_lock);
	err = vma_remove(mm, addr, addr + bytes);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return err;
}

SYSCALL_DEFINE2(munmap, unsigned long, addr, unsigned long, len)
{
	return vm_munmap(current->mm, addr, len);
}
