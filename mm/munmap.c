/*
 * munmap.c - munmap(2): a hole in the list.
 *
 *	before   [A    A    A) [B) [C    C)
 *	munmap        [s ............ e)
 *	after    [A  )                [C )        split at both ends, drop what lies between
 *
 *	A range without any area is fine: nothing is to be done.
 *
 * And shmdt(2): what is left of one mapping of a file, wherever splits have cut it, is told by
 * where page 0 of the file would lie. Whole areas go, so no memory is needed.
 *
 * Invariant: on failure (memory for a split) nothing has changed.
 * Locks: mmap_lock for writing.
 * Source: munmap(2), shmdt(2).
 */
#include "fs/mapping.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/err.h"
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

/* @vma maps @file (NULL: any that @is_it says yes to) as if its page 0 were at @addr. */
static bool belongs_to(const struct vm_area *vma, unsigned long addr, const struct file *file,
		       bool (*is_it)(const struct file *))
{
	if (!vma->vm_file || vma->vm_start - (vma->vm_pgoff << PAGE_SHIFT) != addr)
		return false;
	return file ? vma->vm_file == file : is_it(vma->vm_file);
}

struct file *vm_unmap_file(struct mm *mm, unsigned long addr, bool (*is_it)(const struct file *))
{
	struct file *file = NULL;
	struct vm_area *vma;

	if (offset_in_page(addr))
		return ERR_PTR(-EINVAL);
	down_write(&mm->mmap_lock);
	for (vma = find_vma(mm, addr); vma;) {
		unsigned long end = vma->vm_end;

		if (belongs_to(vma, addr, file, is_it)) {
			if (!file)
				file = file_get(vma->vm_file);
			vma_remove_aligned(mm, vma->vm_start, end);
		}
		vma = find_vma(mm, end);
	}
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return file ? file : ERR_PTR(-EINVAL);
}

SYSCALL_DEFINE2(munmap, unsigned long, addr, unsigned long, len)
{
	return vm_munmap(current->mm, addr, len);
}
