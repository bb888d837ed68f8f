/*
 * block.h - what a block of libumalloc looks like in memory.
 *
 * Every block begins with one word, its head: the size in bytes, head included, and four flags in
 * the low bits that a multiple of 16 leaves free.  What malloc() hands out begins behind the head.
 *
 *	used    | head | payload ...                                     |
 *	free    | head | next | prev | ...                        | foot |
 *	          8      8      8                                   8 bytes
 *
 *	the heap, from the first brk() on:
 *
 *	| block | block | ... | block | top             |head| <- break
 *	^ heap.base                     ^ heap.top       ^ heap.end; nobody reads top's head
 *
 *	a large block: a mapping of its own
 *
 *	| front bytes | front | head | payload ... |	front: 0 unless aligned to more
 *	^ page                        ^ aligned
 *
 * A free block ends in its foot, the size once more: that is how the block behind it finds its
 * beginning when both become one.  A used block needs no foot, since nobody merges with it; whether
 * the block in front is used stands in one's own head (BLOCK_PREV_USED).
 *
 * Invariants (um_check() in check.c looks at each):
 *	- heads lie at 8 modulo 16, so that payloads are aligned to 16; sizes are multiples of 16;
 *	- blocks follow each other without gaps from heap.base to heap.top;
 *	- no two free blocks are neighbours, and none lies in front of top;
 *	- BLOCK_PREV_USED of a block is BLOCK_USED of the one before it;
 *	- a free block is on the list of its bin, and its foot is its size.
 */
#ifndef RAVEL_USR_LIB_MALLOC_BLOCK_H
#define RAVEL_USR_LIB_MALLOC_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALIGNMENT 16
#define HEAD	  sizeof(size_t)
#define MIN_BLOCK 32 /* head, next, prev and foot */

#define BLOCK_USED	1UL
#define BLOCK_PREV_USED 2UL
#define BLOCK_MAPPED	4UL /* a mapping of its own */
#define BLOCK_RUN	8UL /* the payload is a run of small objects (runs.c) */
#define BLOCK_FLAGS	15UL

struct block {
	size_t head;
	struct block *next, *prev; /* of a free block: the others of its bin */
};

static inline size_t block_size(const struct block *block)
{
	return block->head & ~BLOCK_FLAGS;
}

static inline void *block_payload(struct block *block)
{
	return (char *)block + HEAD;
}

static inline struct block *block_of(void *payload)
{
	return (struct block *)((char *)payload - HEAD);
}

/* The block behind this one; only of blocks in the heap. */
static inline struct block *block_at(struct block *block, size_t offset)
{
	return (struct block *)((char *)block + offset);
}

/* The size of the free block in front: its foot.  Only without BLOCK_PREV_USED. */
static inline size_t block_prev_size(const struct block *block)
{
	return ((const size_t *)block)[-1];
}

/* Make head and foot of a free block; the one in front of a free block is in use. */
static inline void block_set_free(struct block *block, size_t size)
{
	block->head = size | BLOCK_PREV_USED;
	((size_t *)block_at(block, size))[-1] = size;
}

/* The block size for a request of so many bytes, at most PTRDIFF_MAX. */
static inline size_t block_size_for(size_t bytes)
{
	size_t size = (bytes + HEAD + ALIGNMENT - 1) & -(size_t)ALIGNMENT;

	return size < MIN_BLOCK ? MIN_BLOCK : size;
}

/* How far into a free block an aligned payload's head lies: 0, or room for a block in front. */
static inline size_t block_front(struct block *block, size_t alignment)
{
	size_t front = -(uintptr_t)block_payload(block) & (alignment - 1);

	return front && front < MIN_BLOCK ? front + alignment : front;
}

#endif
