/*
 * kr.c - the allocator of Kernighan and Ritchie's book, as xv6 has it: one circular list.
 *
 *	freep --> | next, units | ... | --> | next, units | ... | --> back to base
 *
 * The list is in the order of addresses and has the free blocks; used ones are on none, their
 * header keeps the size.  A search begins where the last one ended.  free() looks for the block's
 * place in the list, which tells whether it touches its neighbours there.
 *
 * Invariants: addresses rise along the list but at one place; neighbours in the list do not touch;
 * free and used blocks together fill the heap.
 */
#include <stdint.h>

#include "usr/lib/malloc/textbook/allocator.h"
#include "usr/lib/malloc/textbook/memlib.h"

#define MORE 64 /* units: 1 KiB at least */

/* A header, and the unit in which sizes count, itself included. */
struct unit {
	struct unit *next;
	size_t units;
};

static struct unit base, *freep;

static bool kr_init(void)
{
	base = (struct unit){ &base, 0 };
	freep = &base;
	return true;
}

/* Between which two blocks of the list an address lies: the one before. */
static struct unit *place_of(struct unit *block)
{
	struct unit *before = freep;

	while (!(block > before && block < before->next)) {
		/* The end of the list: behind the last, or in front of the first. */
		if (before >= before->next && (block > before || block < before->next))
			break;
		before = before->next;
	}
	return before;
}

static void kr_free(void *payload)
{
	struct unit *block = (struct unit *)payload - 1;
	struct unit *before = place_of(block);

	if (block + block->units == before->next) {
		block->units += before->next->units;
		block->next = before->next->next;
	} else {
		block->next = before->next;
	}
	if (before + before->units == block) {
		before->units += block->units;
		before->next = block->next;
	} else {
		before->next = block;
	}
	freep = before;
}

static struct unit *more(size_t units)
{
	if (units < MORE)
		units = MORE;

	struct unit *block = mem_sbrk(units * sizeof(struct unit));

	if (!block)
		return NULL;
	block->units = units;
	kr_free(block + 1);
	return freep;
}

static void *kr_malloc(size_t bytes)
{
	if (bytes > MEM_MAX)
		return NULL;

	size_t units = (bytes + sizeof(struct unit) - 1) / sizeof(struct unit) + 1;
	struct unit *before = freep;

	for (struct unit *block = before->next;; before = block, block = block->next) {
		if (block->units >= units) {
			freep = before;
			if (block->units == units) {
				before->next = block->next;
				return block + 1;
			}
			/* From its end: the list stays as it is. */
			block->units -= units;
			block += block->units;
			block->units = units;
			return block + 1;
		}
		if (block == freep) {
			block = more(units);
			if (!block)
				return NULL;
		}
	}
}

static size_t kr_usable(void *payload)
{
	return (((struct unit *)payload)[-1].units - 1) * sizeof(struct unit);
}

/* Free and used blocks fill the heap: each says with its units where the next one begins. */
static const char *check_tiling(void)
{
	struct unit *block = (struct unit *)mem_lo(), *end = block + mem_size() / sizeof(*block);

	while (block < end) {
		if (!block->units || block->units > (size_t)(end - block))
			return "the size of a block is impossible";
		block += block->units;
	}
	return NULL;
}

static const char *kr_check(void)
{
	struct unit *block = &base;
	size_t falls = 0, limit = mem_size() / sizeof(struct unit) + 1;

	do {
		struct unit *next = block->next;

		if (block != &base && ((char *)block < mem_lo() ||
				       (char *)(block + block->units) > mem_lo() + mem_size()))
			return "the list leads out of the heap";
		if (next <= block)
			falls++;
		else if (block + block->units > next)
			return "two free blocks overlap";
		else if (block->units && block + block->units == next)
			return "two free blocks touch";
		if (!limit--)
			return "the list is no circle";
		block = next;
	} while (block != &base);
	return falls == 1 ? check_tiling() : "the list is out of order";
}

const struct allocator kr_allocator = {
	.name = "kr",
	.init = kr_init,
	.malloc = kr_malloc,
	.free = kr_free,
	.usable = kr_usable,
	.check = kr_check,
};
