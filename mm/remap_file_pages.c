/*
 * remap_file_pages.c - remap_file_pages(2): other pages of the file in a part of its mapping.
 *
 *	before   [ s   pgoff 0 1 2 3 4 5 )
 *	call           [start ... )  pgoff 9
 *	after    [ s 0 ) [ s  9 10 11 ) [ s 4 5 )
 *
 *	It used to make one area that is not linear. Since Linux 4.0, and here, it is mmap(2) of the
 *	same file over the range: an area more for each piece, and the pages are faulted in unless
 *	MAP_NONBLOCK says not to. (Of a locked area they are all the same.)
 *
 * Invariant: on failure nothing has changed.
 * Locks: mmap_lock for writing, from the look at the mapping to its replacement.
 * Source: remap_file_pages(2).
 */
#include "fs/mapping.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/debug.h"
#include "mm/internal.h"
#include "mm/vma.h"

/* As VM_SHARED of Linux, which a file that was not opened for writing never gets. */
static bool is_shared_writable(const struct vm_area *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE);
}

/* The area at @start, if it and its like, without a hole, hold all up to @end; or NULL. */
static struct vm_area *mapping_of(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vm_area *first = vma_lookup(mm, start), *vma;

	if (!first || !is_shared_writable(first))
		return NULL;
	for (vma = first; vma->vm_end < end; vma = vma->vm_next) {
		const struct vm_area *next = vma->vm_next;

		if (!next || next->vm_start != vma->vm_end || next->vm_file != vma->vm_file ||
		    next->vm_prot != vma->vm_prot || next->vm_flags != vma->vm_flags)
			return NULL;
	}
	return first;
}

static int remap_pages_locked(struct mm *mm, unsigned long start, unsigned long len,
			      unsigned long pgoff)
{
	const struct vm_area *vma = mapping_of(mm, start, start + len);
	struct vm_area want;
	struct file *file;
	long ret;

	if (!vma)
		return -EINVAL;
	/* mmap(2)'s limit for the offset of a file. */
	if (pgoff + (len >> PAGE_SHIFT) > (unsigned long)LONG_MAX >> PAGE_SHIFT)
		return -EOVERFLOW;
	want = *vma;
	want.vm_pgoff = pgoff;
	want.vm_flags &= ~VM_MAYWRITE;
	file = file_get(want.vm_file); /* the old area may have the last reference */
	ret = mmap_start_sharing(file, &want);
	if (!ret) {
		ret = mmap_locked(mm, &want, start, len, MAP_SHARED | MAP_FIXED);
		mmap_end_sharing(file, &want);
	}
	file_put(file);
	return ret < 0 ? ret : 0;
}

int vm_remap_file_pages(struct mm *mm, unsigned long addr, unsigned long len, u32 prot,
			unsigned long pgoff, u32 flags)
{
	int err;

	addr &= PAGE_MASK;
	len &= PAGE_MASK;
	if (prot || addr + len <= addr || pgoff + (len >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	down_write(&mm->mmap_lock);
	err = remap_pages_locked(mm, addr, len, pgoff);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	if (!err && !(flags & MAP_NONBLOCK))
		mm_populate(mm, addr, addr + len);
	else if (!err && READ_ONCE(mm->locked_vm))
		mm_populate_locked(mm, addr, addr + len);
	return err;
}

SYSCALL_DEFINE5(remap_file_pages, unsigned long, addr, unsigned long, len, unsigned long, prot,
		unsigned long, pgoff, unsigned long, flags)
{
	if (prot >> 32)
		return -EINVAL;
	return vm_remap_file_pages(current->mm, addr, len, prot, pgoff, flags);
}
