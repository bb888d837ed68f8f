/*
 * msync.c - msync(2): what was written through shared mappings goes to the disk.
 *
 *	[A shared, file 1) [B private) [C shared, file 2)
 *	     [s ............................. e)
 *	MS_SYNC   write these pages of file 1 and wait, then of file 2; B has no file to go to
 *	MS_ASYNC  nothing: a page is known to be dirty since its first write, and the flusher comes
 *	MS_INVALIDATE  nothing: all mappings of a file, and read(), use the same frame
 *
 *	A hole in the range: what is mapped is written, then ENOMEM.
 *
 * A write through a mapping after the call is noticed again, since write-back took W from the PTEs
 * (mm/shared.c), and gives the file a new time.
 *
 * Locks: mmap_lock for reading to find the next area, dropped while its file is written (piece.h).
 * Source: msync(2).
 */
#include "fs/mapping.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/piece.h"

#define MS_ASYNC      1
#define MS_INVALIDATE 2
#define MS_SYNC	      4

int vm_msync(struct mm *mm, unsigned long addr, unsigned long len, int flags)
{
	unsigned long bytes = PAGE_ALIGN(len), end = addr + bytes;
	int err = 0, hole = 0;
	struct area_piece p;

	if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || offset_in_page(addr) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (bytes < len || end < addr)
		return -ENOMEM;
	while (addr < end && !err) {
		if (!next_piece(mm, addr, end, &p))
			return -ENOMEM;
		if (p.start > addr)
			hole = -ENOMEM;
		if ((p.flags & VM_SHARED) && (flags & MS_SYNC))
			err = file_sync_pages(p.file, p.first, p.last);
		piece_put(&p);
		addr = p.end;
	}
	return err ? err : hole;
}

SYSCALL_DEFINE3(msync, unsigned long, addr, unsigned long, len, int, flags)
{
	return vm_msync(current->mm, addr, len, flags);
}
