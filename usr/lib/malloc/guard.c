/*
 * guard.c - UMALLOC=check: a block of the heap with guards around it.
 *
 *	base		 payload			     base + total
 *	| fb fb ... fb fb | cd cd cd ... (size bytes) | fe fe ... fe |
 *	  at least 16	    dd dd dd when it is free    at least 16
 *
 * The guards are looked at when the block is freed, by heapcheck and at exit: who stored there is
 * not known any more, whose block it was is. A freed block stays in quarantine, so that a store
 * through an old pointer finds the filling and not somebody else's block.
 *
 * Locks: that of umalloc.c.
 */
#define _GNU_SOURCE
#include <string.h>

#include "usr/lib/malloc/debug.h"
#include "usr/lib/malloc/heap.h"

bool um_guard_alloc(struct record *record, size_t alignment)
{
	size_t bytes;

	if (alignment < ALIGNMENT)
		alignment = ALIGNMENT;
	bytes = GUARD + (alignment - ALIGNMENT) + record->size + GUARD;
	if (bytes < um_heap.mmap_threshold)
		record->base = um_heap_alloc(block_size_for(bytes));
	else
		record->base = um_large_alloc(bytes, ALIGNMENT);
	if (!record->base)
		return false;
	record->total = bytes;
	record->payload = (char *)(((uintptr_t)record->base + GUARD + alignment - 1) & -alignment);
	memset(record->base, FRONT_FILL, record->payload - record->base);
	memset(record->payload, NEW_FILL, record->size);
	memset(record->payload + record->size, BACK_FILL,
	       record->base + bytes - (record->payload + record->size));
	return true;
}

const char *um_other_byte(const char *from, const char *to, unsigned char fill)
{
	for (; from < to; from++)
		if ((unsigned char)*from != fill)
			return from;
	return NULL;
}

const char *um_guard_wrong(const struct record *record, const char **at)
{
	const char *end = record->payload + record->size;

	if ((*at = um_other_byte(end, record->base + record->total, BACK_FILL)))
		return "a store behind the end of a block";
	if ((*at = um_other_byte(record->base, record->payload, FRONT_FILL)))
		return "a store before the beginning of a block";
	if (record->freed && (*at = um_other_byte(record->payload, end, FREED_FILL)))
		return "a store into a block that is free";
	return NULL;
}

void um_guard_retire(struct record *record)
{
	memset(record->payload, FREED_FILL, record->size);
}

void um_guard_release(struct record *record)
{
	struct block *block = block_of(record->base);

	if (block->head & BLOCK_MAPPED)
		um_large_free(block);
	else
		um_block_free(block);
}
