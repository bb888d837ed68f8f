/*
 * bins.c - segregated free lists: the free blocks of the heap by size.
 *
 *	bin 2 .. 63	one size each: 32, 48, ... 1008 bytes
 *	bin 64 .. 126	eight for each doubling from 1 KiB to 256 KiB
 *	bin 127		what is larger than 240 KiB
 *
 * A bit of heap.nonempty says which bins have blocks, so that the next larger block is found
 * without looking at empty lists.  Of a bin with several sizes the smallest of the first blocks is
 * taken that is large enough: nearly best fit, in bounded time.
 *
 * Invariant: a bin is a list without a head, its first block's prev is NULL.
 */
#include "usr/lib/malloc/bins.h"

#define LOOK_AT 16 /* blocks of a bin, at most */

/* The base-2 logarithm of 1 to 255. */
#define TWICE(n)   n, n
#define EIGHT(n)   TWICE(n), TWICE(n), TWICE(n), TWICE(n)
#define SIXTEEN(n) EIGHT(n), EIGHT(n)
#define MANY(n)	   SIXTEEN(n), SIXTEEN(n), SIXTEEN(n), SIXTEEN(n)
const uint8_t um_log2_of[256] = {
	0,	    0,		TWICE(1),   TWICE(2), TWICE(2), EIGHT(3),
	SIXTEEN(4), SIXTEEN(5), SIXTEEN(5), MANY(6),  MANY(7),	MANY(7),
};

/* By the highest six bits of a certain product, for lowest_bit(). */
const uint8_t um_bit_position[64] = {
	0,  1,	2,  53, 3,  7,	54, 27, 4,  38, 41, 8,	34, 55, 48, 28, 62, 5,	39, 46, 44, 42,
	22, 9,	24, 35, 59, 56, 49, 18, 29, 11, 63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21,
	23, 58, 17, 10, 51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
};

/* The smallest of the first blocks of a bin that are large enough, or NULL. */
struct block *um_bin_best(unsigned int bin, size_t size)
{
	struct block *best = NULL;
	size_t best_size = SIZE_MAX;
	int left = LOOK_AT;

	for (struct block *block = um_heap.bins[bin]; block && left--; block = block->next) {
		size_t block_bytes = block_size(block);

		if (block_bytes < size || block_bytes >= best_size)
			continue;
		best = block;
		best_size = block_bytes;
		if (block_bytes == size)
			break;
	}
	return best;
}

/*
 * A free block with so many bytes from an aligned payload on, still on its list; or NULL.  What is
 * in front is 0 or a block.
 */
struct block *um_bin_find_aligned(size_t size, size_t alignment)
{
	for (unsigned int bin = um_bin_next(um_bin_of(size)); bin < BINS;
	     bin = um_bin_next(bin + 1)) {
		int left = LOOK_AT;

		for (struct block *block = um_heap.bins[bin]; block && left--;
		     block = block->next) {
			size_t front = block_front(block, alignment);

			if (front + size <= block_size(block))
				return block;
		}
	}
	return NULL;
}

/* Visit the free blocks of at least so many bytes; the visitor leaves the lists alone. */
void um_bins_each(size_t min_size, void (*visit)(struct block *block))
{
	for (unsigned int bin = um_bin_of(min_size); bin < BINS; bin++)
		for (struct block *block = um_heap.bins[bin]; block; block = block->next)
			if (block_size(block) >= min_size)
				visit(block);
}
