/*
 * madvise.c - madvise(2): so far MADV_DONTNEED, and the hints that change no contents.
 *
 *	before   [A  x x x x x )        x: a page is there
 *	DONTNEED     [s .. e)
 *	after    [A  x . . x x )        the area stays; the next touch finds zeros, or the file
 *
 *	NORMAL, RANDOM, SEQUENTIAL and WILLNEED are advice that may be ignored: accepted for mapped
 *	ranges. Huge pages do not exist here: NOHUGEPAGE is what happens anyway, HUGEPAGE is EINVAL.
 *
 *	A hole in the range: what is mapped is advised, then ENOMEM.
 *
 * Invariant: when the call returns no thread reads what was dropped.
 * Locks: mmap_lock for writing, although the list is not edited: of two threads that drop the same
 * page the second finds its PTE empty, and must not return before the first has flushed.
 * Source: madvise(2).
 */
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/debug.h"
#include "mm/tlb.h"
#include "mm/vma.h"

enum {
	MADV_NORMAL = 0,
	MADV_RANDOM = 1,
	MADV_SEQUENTIAL = 2,
	MADV_WILLNEED = 3,
	MADV_DONTNEED = 4,
	MADV_NOHUGEPAGE = 15,
};

static void drop_pages(struct vm_area *vma, unsigned long start, unsigned long end)
{
	struct mmu_gather g;

	gather_init(&g, vma->vm_mm);
	zap_range(&g, start, end);
	gather_finish(&g);
}

/* mmap_lock held for writing. 0, or -ENOMEM when the range has a hole. */
static int advise_range(struct mm *mm, unsigned long start, unsigned long end, int advice)
{
	int err = 0;

	for (struct vm_area *vma = find_vma(mm, start); start < end; vma = vma->vm_next) {
		if (!vma || vma->vm_start >= end)
			return -ENOMEM;
		if (vma->vm_start > start)
			err = -ENOMEM;
		start = max(start, vma->vm_start);
		if (advice == MADV_DONTNEED)
			drop_pages(vma, start, min(end, vma->vm_end));
		start = vma->vm_end;
	}
	return err;
}

SYSCALL_DEFINE3(madvise, unsigned long, addr, unsigned long, len, int, advice)
{
	struct mm *mm = current->mm;
	unsigned long bytes = PAGE_ALIGN(len);
	int err;

	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_NOHUGEPAGE:
		break;
	default:
		return -EINVAL;
	}
	if (offset_in_page(addr) || bytes < len || addr + bytes < addr)
		return -EINVAL;
	if (bytes == 0)
		return 0;
	down_write(&mm->mmap_lock);
	err = advise_range(mm, addr, addr + bytes, advice);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return err;
}
