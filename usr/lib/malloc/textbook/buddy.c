/*
 * buddy.c - the binary buddy system: blocks of powers of two that are halved, and joined again.
 *
 *	| 128                            |
 *	| 64            | 64             |	the buddy of a block of 2^k bytes at offset o is
 *	| 32    | 32    | 64             |	at o ^ 2^k: one bit differs
 *
 * The heap grows by the block that is wanted; what is missing in front of it, to its alignment,
 * goes on the lists as smaller blocks.
 *
 * Invariants: a block of order k lies at a multiple of 2^k; two free buddies of one order do not
 * exist.
 */
#include <stdint.h>

#include "usr/lib/malloc/textbook/allocator.h"
#include "usr/lib/malloc/textbook/memlib.h"

#define MIN_ORDER 5  /* 32 bytes */
#define MAX_ORDER 26 /* MEM_MAX */
#define HEAD	  16

struct buddy {
	uint32_t order, used;
	uint64_t pad;		   /* payloads are aligned to 16 */
	struct buddy *next, *prev; /* while it is free */
};

static struct buddy *lists[MAX_ORDER + 1];

static bool buddy_init(void)
{
	for (int order = 0; order <= MAX_ORDER; order++)
		lists[order] = NULL;
	return true;
}

static void put_on(struct buddy *block, unsigned int order)
{
	*block = (struct buddy){ .order = order, .next = lists[order] };
	if (block->next)
		block->next->prev = block;
	lists[order] = block;
}

static void take_off(struct buddy *block)
{
	if (block->next)
		block->next->prev = block->prev;
	if (block->prev)
		block->prev->next = block->next;
	else
		lists[block->order] = block->next;
}

/* The buddy, if it is in the heap, free, and whole. */
static struct buddy *free_buddy(struct buddy *block, unsigned int order)
{
	size_t at = (char *)block - mem_lo(), other = at ^ (size_t)1 << order;
	struct buddy *buddy = (struct buddy *)(mem_lo() + other);

	if (other + ((size_t)1 << order) > mem_size() || buddy->used || buddy->order != order)
		return NULL;
	return buddy;
}

static void join(struct buddy *block, unsigned int order)
{
	struct buddy *buddy;

	while (order < MAX_ORDER && (buddy = free_buddy(block, order))) {
		take_off(buddy);
		if (buddy < block)
			block = buddy;
		order++;
	}
	put_on(block, order);
}

/* The heap ends in a new free block of this order. */
static bool grow(unsigned int order)
{
	while (mem_size() % ((size_t)1 << order)) {
		unsigned int gap = __builtin_ctzl(mem_size());
		struct buddy *block = mem_sbrk((size_t)1 << gap);

		if (!block)
			return false;
		join(block, gap);
	}

	struct buddy *block = mem_sbrk((size_t)1 << order);

	if (block)
		join(block, order);
	return block;
}

static unsigned int order_with_block(unsigned int order)
{
	while (order <= MAX_ORDER && !lists[order])
		order++;
	return order;
}

static void *buddy_malloc(size_t bytes)
{
	unsigned int order = MIN_ORDER;

	while (order <= MAX_ORDER && ((size_t)1 << order) - HEAD < bytes)
		order++;

	unsigned int from = order_with_block(order);

	if (from > MAX_ORDER) {
		if (order > MAX_ORDER || !grow(order))
			return NULL;
		from = order_with_block(order);
	}

	struct buddy *block = lists[from];

	take_off(block);
	while (from > order) {
		from--;
		put_on((struct buddy *)((char *)block + ((size_t)1 << from)), from);
	}
	block->order = order;
	block->used = 1;
	return (char *)block + HEAD;
}

static void buddy_free(void *payload)
{
	struct buddy *block = (struct buddy *)((char *)payload - HEAD);

	block->used = 0;
	join(block, block->order);
}

static size_t buddy_usable(void *payload)
{
	struct buddy *block = (struct buddy *)((char *)payload - HEAD);

	return ((size_t)1 << block->order) - HEAD;
}

static const char *buddy_check(void)
{
	size_t in_heap = 0, in_lists = 0, size;

	for (size_t at = 0; at < mem_size(); at += size) {
		struct buddy *block = (struct buddy *)(mem_lo() + at);

		if (block->order < MIN_ORDER || block->order > MAX_ORDER)
			return "an order is impossible";
		size = (size_t)1 << block->order;
		if (at % size || at + size > mem_size())
			return "a block is not aligned to its size";
		if (!block->used && block->order < MAX_ORDER && free_buddy(block, block->order))
			return "two free buddies are not joined";
		in_heap += !block->used;
	}
	for (unsigned int order = 0; order <= MAX_ORDER; order++)
		for (struct buddy *block = lists[order]; block; block = block->next, in_lists++)
			if (block->used || block->order != order || in_lists > in_heap)
				return "a list has a block that is not free, or of another order";
	return in_lists == in_heap ? NULL : "a free block is on no list";
}

const struct allocator buddy_allocator = {
	.name = "buddy",
	.init = buddy_init,
	.malloc = buddy_malloc,
	.free = buddy_free,
	.usable = buddy_usable,
	.check = buddy_check,
};
