/*
 * heap.c - blocks with boundary tags: allocation, freeing with immediate coalescing, resizing.
 *
 *	um_heap_alloc		a free block that fits well (bins.c), split; else from top
 *	um_block_free		merged with free neighbours, then onto its list, or into top
 *	um_block_resize		in place: into the free block behind or top; else down into the free
 *				block in front; else elsewhere
 *
 * Top is used last, so that the heap stays as short as it can.
 */
#include <errno.h>
#include <string.h>

#include "usr/lib/malloc/bins.h"

struct um_heap um_heap = {
	.mmap_threshold = 128 * 1024,
	.trim_threshold = 128 * 1024,
	.dynamic = true,
};

#define NOTE_SIZE (256 * 1024UL) /* free blocks that um_note_freed() hears of */

static inline void count_loose(size_t size, int by)
{
	if (size < sizeof(um_heap.loose) / sizeof(um_heap.loose[0]) * ALIGNMENT)
		um_heap.loose[size / ALIGNMENT] += by;
}

/* What a used block does not need behind size becomes free; what follows is in use, and no top. */
static inline size_t split(struct block *block, size_t total, size_t size)
{
	size_t rest = total - size;

	if (rest < MIN_BLOCK) {
		block_at(block, total)->head |= BLOCK_PREV_USED;
		return total;
	}
	block_set_free(block_at(block, size), rest);
	um_bin_insert(block_at(block, size), rest);
	return size;
}

/* Where the heap cannot grow there may still be room for a mapping. */
static __attribute__((noinline)) void *alloc_mapped(size_t size)
{
	void *payload = um_large_alloc(size - HEAD, ALIGNMENT);

	if (!payload)
		errno = ENOMEM;
	return payload;
}

/*
 * The payload of a used block of size bytes (a block size) or a little more; NULL and ENOMEM if
 * there is no memory.
 */
void *um_heap_alloc(size_t size)
{
	struct block *block = um_bin_take(size);

	if (likely(block)) {
		size = split(block, block_size(block), size);
	} else {
		if (um_top_size() < size && !um_grow(size))
			return alloc_mapped(size);
		block = um_heap.top;
		um_heap.top = block_at(block, size);
	}
	block->head = size | BLOCK_USED | BLOCK_PREV_USED;
	count_loose(size, 1);
	return block_payload(block);
}

/* A used block whose payload is aligned to a power of two of at least 32, or NULL. */
struct block *um_block_alloc_aligned(size_t size, size_t alignment)
{
	struct block *block = um_bin_find_aligned(size, alignment);
	size_t front, total;

	if (block) {
		front = block_front(block, alignment);
		total = block_size(block);
		um_bin_remove(block);
	} else {
		if (!um_heap.base && !um_grow(size))
			return NULL;
		/* After um_grow() top may be somewhere else. */
		while (front = block_front(um_heap.top, alignment), um_top_size() < front + size)
			if (!um_grow(front + size))
				return NULL;
		block = um_heap.top;
		total = front + size;
		um_heap.top = block_at(block, total);
	}

	struct block *aligned = block_at(block, front);
	size_t prev_used = BLOCK_PREV_USED;

	if (front) {
		block_set_free(block, front);
		um_bin_insert(block, front);
		prev_used = 0;
	}
	if (block_at(aligned, total - front) != um_heap.top)
		size = split(aligned, total - front, size);
	aligned->head = size | BLOCK_USED | prev_used;
	count_loose(size, 1);
	return aligned;
}

/* The block is in use, of the heap, and on no list. */
void um_block_free(struct block *block)
{
	size_t size = block_size(block), freed = size;
	struct block *next = block_at(block, size);

	count_loose(size, -1);
	if (!(block->head & BLOCK_PREV_USED)) {
		size_t front = block_prev_size(block);

		block = block_at(block, -front);
		um_bin_remove(block);
		size += front;
	}
	if (next == um_heap.top) {
		um_heap.top = block;
		um_note_freed(NULL, freed);
		return;
	}
	if (next->head & BLOCK_USED) {
		next->head &= ~BLOCK_PREV_USED;
	} else {
		um_bin_remove(next);
		size += block_size(next);
	}
	block_set_free(block, size);
	um_bin_insert(block, size);
	if (unlikely(size >= NOTE_SIZE))
		um_note_freed(block, freed);
}

/* Cut a used block down to size; what it loses goes the way of every freed block. */
static void shrink(struct block *block, size_t size)
{
	size_t old = block_size(block), rest = old - size;

	if (rest < MIN_BLOCK)
		return;
	count_loose(old, -1);
	count_loose(size, 1);
	count_loose(rest, 1);
	block->head = size | (block->head & BLOCK_FLAGS);
	block_at(block, size)->head = rest | BLOCK_USED | BLOCK_PREV_USED;
	um_block_free(block_at(block, size));
}

/* Let a used block reach to total bytes over what is free behind it, if there is so much. */
static bool expand(struct block *block, size_t size)
{
	size_t old = block_size(block);
	struct block *next = block_at(block, old);
	size_t total = old;

	if (next == um_heap.top) {
		if (old + um_top_size() < size && (!um_grow(size - old) || next != um_heap.top))
			return false;
		um_heap.top = block_at(block, size);
	} else {
		if (next->head & BLOCK_USED || old + block_size(next) < size)
			return false;
		total += block_size(next);
		um_bin_remove(next);
		size = split(block, total, size);
	}
	count_loose(old, -1);
	count_loose(size, 1);
	block->head = size | (block->head & BLOCK_FLAGS);
	return true;
}

/* Move a used block down into the free one in front, if both and what is free behind suffice. */
static struct block *move_down(struct block *block, size_t size)
{
	if (block->head & BLOCK_PREV_USED)
		return NULL;

	size_t old = block_size(block), front = block_prev_size(block);
	struct block *to = block_at(block, -front), *next = block_at(block, old);
	bool next_free = next != um_heap.top && !(next->head & BLOCK_USED);
	size_t total = front + old + (next_free ? block_size(next) : 0);

	if (total < size)
		return NULL;
	um_bin_remove(to);
	if (next_free)
		um_bin_remove(next);
	memmove(block_payload(to), block_payload(block), old - HEAD);
	count_loose(old, -1);
	if (next == um_heap.top) {
		um_heap.top = block_at(to, size);
	} else {
		if (!next_free)
			next->head &= ~BLOCK_PREV_USED;
		size = split(to, total, size);
	}
	count_loose(size, 1);
	to->head = size | BLOCK_USED | BLOCK_PREV_USED;
	return to;
}

/*
 * Give a block of the heap another size.  Returns the payload, which may have moved, or NULL: then
 * the block is as it was.
 */
void *um_block_resize(struct block *block, size_t bytes)
{
	size_t size = block_size_for(bytes), old = block_size(block);

	if (size <= old) {
		shrink(block, size);
		return block_payload(block);
	}
	if (bytes < um_heap.mmap_threshold) {
		if (expand(block, size))
			return block_payload(block);

		struct block *lower = move_down(block, size);

		if (lower)
			return block_payload(lower);
	}

	void *payload = um_alloc(bytes);

	if (!payload)
		return NULL;
	memcpy(payload, block_payload(block), old - HEAD);
	um_block_free(block);
	if (block_of(payload)->head & BLOCK_MAPPED)
		um_trim_top(um_heap.top_pad); /* it will not be back */
	return payload;
}
