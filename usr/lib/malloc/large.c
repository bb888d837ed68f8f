/*
 * large.c - large blocks: each a mapping of its own, from heap.mmap_threshold bytes on.
 *
 *	| front | ... | front | head | payload            |	whole pages
 *
 * They leave no holes in the heap and go back to the system at once; mremap() lets them grow
 * without a copy.  A mapping costs system calls and fresh pages each time, so a program that frees
 * one shows that it uses the size for a while only: the threshold rises to that size (at most 32
 * MiB), and the next of them comes from the heap.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "usr/lib/malloc/heap.h"

#define THRESHOLD_MAX (32UL << 20)

/* The words in front of a large payload. */
#define LARGE_HEAD (2 * HEAD)

static inline size_t *front_of(struct block *block)
{
	return (size_t *)block - 1;
}

static inline char *mapping_of(struct block *block)
{
	return (char *)front_of(block) - *front_of(block);
}

static size_t pages(size_t bytes)
{
	return (bytes + PAGE - 1) & -PAGE;
}

/*
 * A mapping for so many bytes with the payload aligned to a power of two; NULL if there is no room.
 */
void *um_large_alloc(size_t bytes, size_t alignment)
{
	/* Alignments up to a page leave a front in the first page; others are cut out. */
	size_t extra = alignment > ALIGNMENT ? alignment : 0;
	size_t size = pages(bytes + LARGE_HEAD + extra);
	char *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED)
		return NULL;

	uintptr_t payload = ((uintptr_t)start + LARGE_HEAD + alignment - 1) & -alignment;
	size_t before = (payload - LARGE_HEAD - (uintptr_t)start) & -PAGE;
	size_t needed = pages(payload + bytes - (uintptr_t)start - before);

	if (before)
		munmap(start, before);
	if (before + needed < size)
		munmap(start + before + needed, size - before - needed);

	struct block *block = block_of((void *)payload);

	*front_of(block) = payload - LARGE_HEAD - (uintptr_t)start - before;
	block->head = needed | BLOCK_MAPPED | BLOCK_USED;
	um_heap.mapped += needed;
	um_heap.mapped_blocks++;
	um_note_peak();
	return (void *)payload;
}

size_t um_large_usable(struct block *block)
{
	return block_size(block) - *front_of(block) - LARGE_HEAD;
}

/* Leaves errno alone, as free() must. */
void um_large_free(struct block *block)
{
	size_t size = block_size(block);
	int saved = errno;

	um_heap.mapped -= size;
	um_heap.mapped_blocks--;
	if (um_heap.dynamic && size > um_heap.mmap_threshold && size <= THRESHOLD_MAX) {
		um_heap.mmap_threshold = size;
		um_heap.trim_threshold = 2 * size;
	}
	munmap(mapping_of(block), size);
	errno = saved;
}

/* The payload with another size, perhaps elsewhere; NULL: the block is as it was. */
void *um_large_resize(struct block *block, size_t bytes)
{
	size_t front = *front_of(block);
	size_t old = block_size(block), size = pages(bytes + LARGE_HEAD + front);

	if (size == old)
		return block_payload(block);

	char *start = mremap(mapping_of(block), old, size, MREMAP_MAYMOVE);

	if (start == MAP_FAILED)
		return NULL;
	block = (struct block *)(start + front + HEAD);
	block->head = size | BLOCK_MAPPED | BLOCK_USED;
	um_heap.mapped += size - old;
	um_note_peak();
	return block_payload(block);
}
