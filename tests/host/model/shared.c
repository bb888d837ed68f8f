/*
 * shared.c - the oracle's shared areas: their pages have no bytes of their own, but the file's.
 *
 *	area [ s s s ]   area of another mm [ s s ]      store: of->bytes; everybody sees it
 *	       \  \  \________________________/ /
 *	        v  v                           v
 *	bytes [ page 0 | page 1 | page 2  end| tail ]
 *
 * What is stored in the tail is nobody's: it may be seen until write-back or growth make it zeros,
 * when the kernel likes.
 *
 * Shared memory without a name is a file that comes with its first area. The oracle holds a
 * reference of its own, so that the last area's going away leaves one.
 */
#include <string.h>

#include "fs/mapping.h"
#include "kernel/panic.h"
#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/mmap.h"
#include "mm/shmem.h"
#include "mm/vma.h"
#include "tests/host/model/oracle.h"

bool oracle_shared(const struct oracle_page *page)
{
	return page->flags & VM_SHARED;
}

/* ---- mmap ---- */

void oracle_want_shared(struct oracle_page *want, u32 flags)
{
	if ((flags & MAP_TYPE) == MAP_PRIVATE)
		return;
	want->flags |= VM_SHARED;
	if (want->file == NO_FILE)
		want->file = NEW_MEMORY;
	if (oracle_makes_memory(want))
		want->pgoff = 0;
	if (oracle_makes_memory(want) || file_can_write(oracle_files[want->file].file))
		want->flags |= VM_MAYWRITE;
}

bool oracle_makes_memory(const struct oracle_page *want)
{
	return want->file == NEW_MEMORY ||
	       (oracle_shared(want) && oracle_files[want->file].kind == FILE_ZERO_DEVICE);
}

long oracle_shared_arguments(const struct oracle_page *want, u32 flags)
{
	static const u32 known = MAP_TYPE | MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS |
				 MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |
				 MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_DENYWRITE |
				 MAP_EXECUTABLE;

	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
		return flags & MAP_GROWSDOWN ? -EINVAL : 0;
	case MAP_SHARED_VALIDATE:
		if (want->file == NEW_MEMORY)
			return -EINVAL;
		return flags & ~known ? -EOPNOTSUPP : 0;
	default:
		return -EINVAL;
	}
}

/* ---- memory without a name ---- */

unsigned oracle_memories_left(void)
{
	unsigned nr = 0;

	for (unsigned f = ORACLE_FILES; f < ORACLE_ALL_FILES; f++)
		nr += !oracle_files[f].file;
	return nr;
}

/* The file of the area there, which nobody here has seen yet; or NULL. */
static struct file *new_file_at(struct oracle_mm *om, unsigned long start)
{
	const struct vm_area *vma = vma_lookup(om->mm, start);

	for (unsigned f = 0; vma && f < ORACLE_ALL_FILES; f++) {
		if (oracle_files[f].file == vma->vm_file)
			return NULL;
	}
	return vma ? vma->vm_file : NULL;
}

bool oracle_is_made(struct oracle_mm *om, const struct oracle_page *want, unsigned long start)
{
	return !oracle_makes_memory(want) || new_file_at(om, start);
}

int oracle_adopt(struct oracle_mm *om, unsigned long start, unsigned long len)
{
	struct file *file = new_file_at(om, start);
	struct oracle_file *of = &oracle_files[ORACLE_FILES];

	if (!file || len > sizeof(of->bytes))
		panic("oracle: 0x%lx is no shared memory", start);
	BUG_ON(oracle_memories_left() == 0);
	while (of->file)
		of++;
	memset(of, 0, sizeof(*of));
	of->file = file_get(file);
	of->kind = FILE_TMPFS;
	of->size = len;
	return of - oracle_files;
}

static bool is_mapped(int file)
{
	for (unsigned m = 0; m < ORACLE_MMS; m++) {
		for (unsigned i = 0; i < ORACLE_PAGES; i++) {
			const struct oracle_page *page = &oracle_mms[m].pages[i];

			if (page->mapped && page->file == file)
				return true;
		}
	}
	return false;
}

void oracle_release_memory(void)
{
	for (unsigned f = ORACLE_FILES; f < ORACLE_ALL_FILES; f++) {
		struct oracle_file *of = &oracle_files[f];

		if (!of->file || is_mapped(f))
			continue;
		if (host_file_refs(of->file) != 1)
			panic("oracle: shared memory without an area is held by %d",
			      host_file_refs(of->file) - 1);
		file_put(of->file);
		of->file = NULL;
	}
}

/* ---- the rest ---- */

/* That a page was code before, in an area that is gone, the kernel is not told either. */
bool oracle_is_code(const struct oracle_page *page)
{
	return page->was_exec || (oracle_shared(page) && oracle_files[page->file].was_exec);
}

static void settle_tail(struct oracle_file *of)
{
	struct address_space *as = host_file_mapping(of->file);
	const struct page *page = oracle_cached(as, of->size / PAGE_SIZE);
	u8 *must = of->bytes + (of->size & PAGE_MASK);
	const u8 *is = NULL;

	/* What lies in swap has lost what was past the end. */
	if (page && !item_is_swapped(page) && (page_flags(page) & PG_UPTODATE))
		is = page_address(page);
	for (unsigned b = of->size % PAGE_SIZE; b > 0 && b < PAGE_SIZE; b++) {
		if (is && is[b] != must[b] && is[b] != 0)
			panic("oracle: byte %u of the last page, past the end, is 0x%x, never "
			      "stored",
			      b, is[b]);
		must[b] = is ? is[b] : 0;
	}
}

void oracle_settle_tails(void)
{
	for (unsigned f = 0; f < ORACLE_ALL_FILES; f++) {
		struct oracle_file *of = &oracle_files[f];

		if (of->file && of->kind != FILE_ZERO_DEVICE)
			settle_tail(of);
	}
}

#define MS_ASYNC 1
#define MS_SYNC	 4

int oracle_msync_result(struct oracle_mm *om, unsigned long addr, unsigned long len, int flags)
{
	unsigned long bytes = PAGE_ALIGN(len);

	if (flags & ~7 || addr % PAGE_SIZE ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (bytes < len || addr + bytes < addr)
		return -ENOMEM;
	for (unsigned long at = addr; at < addr + bytes; at += PAGE_SIZE) {
		const struct oracle_page *page = oracle_page(om, at);

		if (!page || !page->mapped)
			return -ENOMEM;
	}
	return 0;
}
