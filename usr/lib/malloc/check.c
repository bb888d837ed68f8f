/*
 * check.c - umalloc_check(): are the invariants of block.h, bins.c and runs.c kept?
 *
 * Two walks: over the heap from its first block to top, then over the bins.  The free blocks of
 * both must be as many: with each block of a bin being free, no block is in two bins, or in none.
 */
#include "usr/lib/malloc/debug.h"
#include "usr/lib/malloc/bins.h"
#include "usr/lib/malloc/umalloc.h"

/* One block of the heap; used is whether the block before it is. */
static const char *check_block(struct block *block, bool prev_used)
{
	size_t size = block_size(block);

	if (((uintptr_t)block & (ALIGNMENT - 1)) != HEAD)
		return "a head is not at 8 modulo 16";
	if (size < MIN_BLOCK || size > (size_t)((char *)um_heap.top - (char *)block))
		return "the size of a block is impossible";
	if (!(block->head & BLOCK_PREV_USED) != !prev_used)
		return "a block is mistaken about the one before it";
	if (block->head & BLOCK_MAPPED)
		return "a block of the heap says that it is mapped";
	if (block->head & BLOCK_USED) {
		unsigned int class = um_run_class(block_payload(block));

		if (!(block->head & BLOCK_RUN) != !class)
			return "the map of the runs is wrong";
		if (class && !um_run_check(block_payload(block), class))
			return "the objects of a run are not counted right";
		return NULL;
	}
	if (!prev_used)
		return "two free blocks are neighbours";
	if (block_prev_size(block_at(block, size)) != size)
		return "the foot of a free block is not its size";
	return NULL;
}

static const char *check_bin(unsigned int bin, size_t *blocks, const void **where)
{
	struct block *prev = NULL;

	if (!um_heap.bins[bin] != !(um_heap.nonempty[bin / 64] >> bin % 64 & 1))
		return "the bit of a bin does not say whether it has blocks";
	for (struct block *block = um_heap.bins[bin]; block; prev = block, block = block->next) {
		*where = block;
		++*blocks;
		if ((char *)block < um_heap.base || block >= um_heap.top)
			return "a bin leads out of the heap";
		if (block->prev != prev)
			return "the links of a bin do not agree";
		if (block->head & BLOCK_USED)
			return "a used block is in a bin";
		if (um_bin_of(block_size(block)) != bin)
			return "a block is in the bin of another size";
	}
	return NULL;
}

/* With the lock held. */
const char *um_check_heap(const void **where)
{
	size_t in_heap = 0, in_bins = 0;
	bool prev_used = true;
	struct block *block = (struct block *)um_heap.base;
	const char *wrong = NULL;

	for (; block != um_heap.top && !wrong; block = block_at(block, block_size(block))) {
		*where = block;
		wrong = check_block(block, prev_used);
		prev_used = block->head & BLOCK_USED;
		in_heap += !prev_used;
	}
	if (wrong)
		return wrong;
	if (!prev_used)
		return "a free block lies in front of top";
	for (unsigned int bin = 0; bin < BINS && !wrong; bin++)
		wrong = check_bin(bin, &in_bins, where);
	if (!wrong && in_heap != in_bins)
		return "a free block is in no bin, or in two";
	return wrong;
}

__attribute__((visibility("default"))) const char *umalloc_check(const void **where)
{
	const void *somewhere;
	bool locked = um_lock();
	const char *wrong = um_check_heap(where ? where : &somewhere);

	if (!wrong)
		wrong = um_debug_check(where ? where : &somewhere);

	um_unlock(locked);
	return wrong;
}
