/*
 * memlib.c - the heap of the textbook allocators (memlib.h).
 */
#include "usr/lib/malloc/textbook/memlib.h"

#include <sys/mman.h>

static char *region;
static size_t size;

bool mem_init(void)
{
	size = 0;
	if (region)
		return madvise(region, MEM_MAX, MADV_DONTNEED) == 0;

	void *fresh = mmap(NULL, MEM_MAX, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (fresh == MAP_FAILED)
		return false;
	region = fresh;
	return true;
}

void *mem_sbrk(ptrdiff_t bytes)
{
	char *old = region + size;

	if (bytes > (ptrdiff_t)(MEM_MAX - size) || -bytes > (ptrdiff_t)size)
		return NULL;
	size += bytes;
	return old;
}

char *mem_lo(void)
{
	return region;
}

size_t mem_size(void)
{
	return size;
}
