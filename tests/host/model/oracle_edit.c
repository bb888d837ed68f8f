/*
 * oracle_edit.c - what mmap(2), munmap(2), mprotect(2) and brk(2) must do, page by page.
 */
#include "fs/mapping.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "tests/host/model/oracle_rules.h"

/* ---- mmap ---- */

static long mmap_arguments(const struct oracle_page *want, unsigned long len, u32 flags,
			   unsigned long off)
{
	const struct oracle_file *of = want->file < 0 ? NULL : &oracle_files[want->file];
	long err = 0;

	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		err = oracle_shared_arguments(want, flags);
	if (err)
		return err;
	if (flags & MAP_HUGETLB)
		return -EINVAL;
	if ((flags & MAP_LOCKED) && !oracle_may_lock_at_all())
		return -EPERM;
	if ((flags & MAP_GROWSDOWN) && (of || oracle_shared(want)))
		return -EINVAL;
	if (len == 0)
		return -EINVAL;
	if (len > TASK_SIZE)
		return -ENOMEM;
	if (oracle_makes_memory(want) && len > nr_managed_pages() * PAGE_SIZE &&
	    !(flags & MAP_NORESERVE))
		return -ENOMEM;
	if (!of || of->kind == FILE_ZERO_DEVICE)
		return 0;
	if (off > (unsigned long)LONG_MAX - PAGE_ALIGN(len))
		return -EOVERFLOW;
	if (!file_can_read(of->file))
		return -EACCES;
	if (oracle_shared(want) && (want->prot & PROT_WRITE) && !(want->flags & VM_MAYWRITE))
		return -EACCES;
	if ((want->prot & PROT_EXEC) && !file_can_exec(of->file))
		return -EPERM;
	return of->kind == FILE_PIPE ? -ENODEV : 0;
}

long oracle_mmap_where(struct oracle_mm *om, const struct oracle_page *want, unsigned long addr,
		       unsigned long len, u32 flags, unsigned long off)
{
	unsigned long bytes = PAGE_ALIGN(len), pages = bytes / PAGE_SIZE;
	long start = mmap_arguments(want, len, flags, off);

	if (start < 0)
		return start;
	start = oracle_place(om, addr, bytes, flags);
	if (start < 0)
		return start;
	if ((want->flags & VM_LOCKED) && !oracle_may_lock(om, pages))
		return -EAGAIN;
	if (flags & MAP_FIXED)
		pages -= oracle_nr_mapped(om, start, bytes);
	if (!oracle_within_limits(om, pages, oracle_is_data(want) ? pages : NO_MORE))
		return -ENOMEM;
	if (oracle_is_data(want) && pages > nr_managed_pages() && !(want->flags & VM_NORESERVE))
		return -ENOMEM;
	return start;
}

void oracle_map(struct oracle_mm *om, const struct oracle_page *want, unsigned long addr,
		unsigned long len)
{
	struct oracle_page first = *want;

	if (oracle_makes_memory(want))
		first.file = oracle_adopt(om, addr, len);
	else if (first.file != NO_FILE && oracle_files[first.file].kind == FILE_ZERO_DEVICE)
		first.file = NO_FILE;
	if (first.file == NO_FILE)
		first.pgoff = addr / PAGE_SIZE;
	oracle_map_pages(om, &first, addr, len);
}

/* ---- the other edits ---- */

int oracle_munmap_result(unsigned long addr, unsigned long len)
{
	unsigned long bytes = PAGE_ALIGN(len);

	if (addr % PAGE_SIZE || len == 0 || bytes < len || bytes > TASK_SIZE ||
	    addr > TASK_SIZE - bytes)
		return -EINVAL;
	return 0;
}

static bool mprotect_within_limits(struct oracle_mm *om, unsigned long addr, unsigned long len,
				   u32 prot)
{
	unsigned long at = addr, more = 0;
	struct oracle_page *page;

	for (; (page = oracle_next(om, at, &at)) && at - addr < len; at += PAGE_SIZE)
		more += !(page->prot & PROT_WRITE) && !(page->flags & (VM_GROWSDOWN | VM_SHARED));
	return !(prot & PROT_WRITE) || more == 0 || oracle_within_limits(om, NO_MORE, more);
}

int oracle_mprotect(struct oracle_mm *om, unsigned long addr, unsigned long len, u32 prot)
{
	unsigned long bytes = PAGE_ALIGN(len);

	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (len == 0)
		return 0;
	if (bytes < len || addr + bytes < addr)
		return -ENOMEM;
	if (prot & ~(PROT_MASK | 0x8u))
		return -EINVAL;
	prot &= PROT_MASK;
	if (!mprotect_within_limits(om, addr, bytes, prot))
		return -ENOMEM;
	for (unsigned long at = addr; at < addr + bytes; at += PAGE_SIZE) {
		struct oracle_page *page = oracle_page(om, at);

		if (!page || !page->mapped)
			return -ENOMEM;
		if ((prot & PROT_EXEC) && page->file != NO_FILE &&
		    !file_can_exec(oracle_files[page->file].file))
			return -EACCES;
		if ((prot & PROT_WRITE) && oracle_shared(page) && !(page->flags & VM_MAYWRITE))
			return -EACCES;
		page->prot = prot;
		oracle_note_code(page);
	}
	return 0;
}

unsigned long oracle_brk(struct oracle_mm *om, unsigned long brk)
{
	const struct oracle_page heap = {
		.prot = PROT_READ | PROT_WRITE,
		.flags = VM_HEAP | om->def_flags,
		.file = NO_FILE,
	};
	unsigned long start = om->mm->start_brk, end = PAGE_ALIGN(om->brk), new = PAGE_ALIGN(brk);

	if (brk < start || brk > TASK_SIZE || brk - start > current->rlim[RLIMIT_DATA].cur)
		return om->brk;
	if (new > end) {
		unsigned long pages = (new - end) / PAGE_SIZE;

		if (!oracle_is_free_for_us(om, end, new - end) ||
		    !oracle_within_limits(om, pages, pages) ||
		    ((heap.flags & VM_LOCKED) && !oracle_may_lock(om, pages)) ||
		    pages > nr_managed_pages())
			return om->brk;
		oracle_map(om, &heap, end, new - end);
	} else {
		oracle_unmap(om, new, end - new);
	}
	om->brk = brk;
	return brk;
}
