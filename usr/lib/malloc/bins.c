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
#include "usr/lib/malloc/heap.h"

#define LOOK_AT 16 /* blocks of a bin, at most */

/* The base-2 logarithm of 1 to 255. */
#define TWICE(n)   n, n
#define EIGHT(n)   TWICE(n), TWICE(n), TWICE(n), TWICE(n)
#define SIXTEEN(n) EIGHT(n), EIGHT(n)
#define MANY(n)	   SIXTEEN(n), SIXTEEN(n), SIXTEEN(n), SIXTEEN(n)
static const uint8_t log2_of[256] = {
	0,	    0,		TWICE(1),   TWICE(2), TWICE(2), EIGHT(3),
	SIXTEEN(4), SIXTEEN(5), SIXTEEN(5), MANY(6),  MANY(7),	MANY(7),
};

static inline unsigned int bin_of(size_t size)
{
	if (size < 1024)
		return size >> 4;
	if (size >= 256 * 1024)
		return BINS - 1;

	unsigned int log = log2_of[size >> 10];

	return 64 + log * 8 + (size >> (log + 7) & 7);
}

/* The number of the lowest bit that is set: a multiplication, since not every machine has ctz. */
static inline unsigned int lowest_bit(uint64_t bits)
{
	static const uint8_t position[64] = {
		0,  1,	2,  53, 3,  7,	54, 27, 4,  38, 41, 8,	34, 55, 48, 28,
		62, 5,	39, 46, 44, 42, 22, 9,	24, 35, 59, 56, 49, 18, 29, 11,
		63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21, 23, 58, 17, 10,
		51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
	};

	return position[(bits & -bits) * 0x022fdd63cc95386dUL >> 58];
}

/* The first bin from this one on that has blocks, or BINS. */
static inline unsigned int next_nonempty(unsigned int bin)
{
	if (bin >= BINS)
		return BINS;

	unsigned int word = bin / 64;
	uint64_t bits = um_heap.nonempty[word] & ~0UL << bin % 64;

	if (!bits && word == 0)
		bits = um_heap.nonempty[++word];
	return bits ? word * 64 + lowest_bit(bits) : BINS;
}

/* A free block whose head and foot are made goes on its list. */
void um_bin_insert(struct block *block, size_t size)
{
	unsigned int bin = bin_of(size);
	struct block *first = um_heap.bins[bin];

	block->next = first;
	block->prev = NULL;
	if (first)
		first->prev = block;
	um_heap.bins[bin] = block;
	um_heap.nonempty[bin / 64] |= 1UL << bin % 64;
}

/* The block leaves its list; its head is not changed. */
void um_bin_remove(struct block *block)
{
	struct block *next = block->next, *prev = block->prev;

	if (next)
		next->prev = prev;
	if (prev) {
		prev->next = next;
		return;
	}

	unsigned int bin = bin_of(block_size(block));

	um_heap.bins[bin] = next;
	if (!next)
		um_heap.nonempty[bin / 64] &= ~(1UL << bin % 64);
}

/* The smallest of the first blocks of a bin that are large enough, or NULL. */
static struct block *best_of(unsigned int bin, size_t size)
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

/* A free block of at least so many bytes, still on its list; or NULL. */
struct block *um_bin_find(size_t size)
{
	unsigned int bin = next_nonempty(bin_of(size));

	if (bin < 64)
		return um_heap.bins[bin];
	while (bin < BINS) {
		struct block *block = best_of(bin, size);

		if (block)
			return block;
		bin = next_nonempty(bin + 1);
	}
	return NULL;
}

/* Likewise, with so many bytes from an aligned payload on; what is in front is 0 or a block. */
struct block *um_bin_find_aligned(size_t size, size_t alignment)
{
	for (unsigned int bin = next_nonempty(bin_of(size)); bin < BINS;
	     bin = next_nonempty(bin + 1)) {
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
	for (unsigned int bin = bin_of(min_size); bin < BINS; bin++)
		for (struct block *block = um_heap.bins[bin]; block; block = block->next)
			if (block_size(block) >= min_size)
				visit(block);
}
