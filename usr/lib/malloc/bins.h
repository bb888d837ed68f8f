/*
 * bins.h - the free blocks: onto their list and off it, as each malloc() and free() does.
 *
 * What bins there are, and what stands in them: bins.c.  Locks: that of umalloc.c.
 */
#ifndef RAVEL_USR_LIB_MALLOC_BINS_H
#define RAVEL_USR_LIB_MALLOC_BINS_H

#include "usr/lib/malloc/heap.h"

extern const uint8_t um_log2_of[256];	  /* the base-2 logarithm of 1 to 255 */
extern const uint8_t um_bit_position[64]; /* for lowest_bit() */

/* The smallest of the first blocks of a bin that are large enough, or NULL. */
struct block *um_bin_best(unsigned int bin, size_t size);

static inline unsigned int um_bin_of(size_t size)
{
	if (size < 1024)
		return size >> 4;
	if (size >= 256 * 1024)
		return BINS - 1;

	unsigned int log = um_log2_of[size >> 10];

	return 64 + log * 8 + (size >> (log + 7) & 7);
}

/* The number of the lowest bit that is set: a multiplication, since not every machine has ctz. */
static inline unsigned int lowest_bit(uint64_t bits)
{
	return um_bit_position[(bits & -bits) * 0x022fdd63cc95386dUL >> 58];
}

/* The first bin from this one on that has blocks, or BINS. */
static inline unsigned int um_bin_next(unsigned int bin)
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
static inline void um_bin_insert(struct block *block, size_t size)
{
	unsigned int bin = um_bin_of(size);
	struct block *first = um_heap.bins[bin];

	block->next = first;
	block->prev = NULL;
	if (first)
		first->prev = block;
	um_heap.bins[bin] = block;
	um_heap.nonempty[bin / 64] |= 1UL << bin % 64;
}

/* The first block of a bin leaves it, and this one is the next. */
static inline void um_bin_behead(unsigned int bin, struct block *next)
{
	um_heap.bins[bin] = next;
	if (next)
		next->prev = NULL;
	else
		um_heap.nonempty[bin / 64] &= ~(1UL << bin % 64);
}

/* The block leaves its list; its head is not changed. */
static inline void um_bin_remove(struct block *block)
{
	struct block *next = block->next, *prev = block->prev;

	if (prev) {
		prev->next = next;
		if (next)
			next->prev = prev;
	} else {
		um_bin_behead(um_bin_of(block_size(block)), next);
	}
}

/* A free block of at least so many bytes, which leaves its list; or NULL. */
static inline struct block *um_bin_take(size_t size)
{
	unsigned int bin = um_bin_next(um_bin_of(size));

	if (bin < 64) {
		struct block *block = um_heap.bins[bin];

		um_bin_behead(bin, block->next);
		return block;
	}
	while (bin < BINS) {
		struct block *block = um_bin_best(bin, size);

		if (block) {
			um_bin_remove(block);
			return block;
		}
		bin = um_bin_next(bin + 1);
	}
	return NULL;
}

#endif
