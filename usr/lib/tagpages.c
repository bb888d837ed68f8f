/*
 * tagpages.c - memory whose pages say which they are; the contracts are in tagpages.h.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/lib/tagpages.h"

#include <sys/mman.h>

#include "usr/lib/tool.h"

void tagged_map(struct tagged_pages *memory, size_t pages)
{
	size_t size = pages * TAG_PAGE_SIZE;
	void *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		die_errno(STATUS_FAILED, "memory for %zu pages", pages);
	madvise(start, size, MADV_NOHUGEPAGE);
	memory->words = start;
	memory->pages = pages;
}

void tagged_unmap(struct tagged_pages *memory)
{
	munmap((void *)memory->words, memory->pages * TAG_PAGE_SIZE);
	memory->words = NULL;
}

void tagged_complain(size_t page, uint64_t found)
{
	die(STATUS_CORRUPT, "page %zu holds %#llx instead of %#llx", page,
	    (unsigned long long)found, (unsigned long long)tagged_value(page));
}

void tagged_write_all(const struct tagged_pages *memory)
{
	for (size_t page = 0; page < memory->pages; page++)
		tagged_write(memory, page);
}

void tagged_check_all(const struct tagged_pages *memory)
{
	for (size_t page = 0; page < memory->pages; page++)
		tagged_check(memory, page);
}
