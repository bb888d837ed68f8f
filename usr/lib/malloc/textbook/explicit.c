/*
 * explicit.c - an explicit free list: free blocks are linked, so that a search passes no used one.
 *
 *	first --> | hdr | next | prev |   | ftr | --> | hdr | next | prev | ... --> NULL
 *
 *	lifo	a freed block goes to the front: in constant time
 *	addr	the list is in the order of addresses: a search for the place, less fragmentation
 *
 * First fit in the list, immediate merging.  Invariants: the list has the free blocks, all of them
 * and nothing else; its links agree; the order is kept; no two free blocks are neighbours.
 */
#include "usr/lib/malloc/textbook/allocator.h"
#include "usr/lib/malloc/textbook/tags.h"

static char *first;
static bool by_address;

static bool init_lifo(void)
{
	first = NULL;
	by_address = false;
	return tags_init();
}

static bool init_addr(void)
{
	first = NULL;
	by_address = true;
	return tags_init();
}

static void take_off(char *block)
{
	struct links *links = links_of(block);

	if (links->next)
		links_of(links->next)->prev = links->prev;
	if (links->prev)
		links_of(links->prev)->next = links->next;
	else
		first = links->next;
}

static void put_on(char *block)
{
	char *prev = NULL, *next = first;

	while (by_address && next && next < block) {
		prev = next;
		next = links_of(next)->next;
	}
	*links_of(block) = (struct links){ next, prev };
	if (next)
		links_of(next)->prev = block;
	if (prev)
		links_of(prev)->next = block;
	else
		first = block;
}

static void *explicit_malloc(size_t bytes)
{
	size_t size = tagged_size(bytes);
	char *block = first;

	if (!size)
		return NULL;
	while (block && size_of(block) < size)
		block = links_of(block)->next;
	return tags_serve(block, size, take_off, put_on);
}

static void explicit_free(void *payload)
{
	set_tags(payload, size_of(payload), false);
	put_on(tags_merge(payload, take_off));
}

static const char *explicit_check(void)
{
	size_t in_heap, in_list = 0;
	const char *wrong = tags_check(true, &in_heap);
	char *prev = NULL;

	for (char *block = first; block && !wrong; prev = block, block = links_of(block)->next) {
		if (is_used(block))
			wrong = "a used block is on the list";
		else if (links_of(block)->prev != prev)
			wrong = "the links do not agree";
		else if (by_address && prev > block)
			wrong = "the list is out of order";
		else if (++in_list > in_heap)
			wrong = "the list has too many blocks";
	}
	return wrong || in_list == in_heap ? wrong : "a free block is on no list";
}

#define EXPLICIT(variant)                                                                          \
	const struct allocator explicit_##variant##_allocator = {                                  \
		.name = "explicit-" #variant,                                                      \
		.init = init_##variant,                                                            \
		.malloc = explicit_malloc,                                                         \
		.free = explicit_free,                                                             \
		.usable = tags_usable,                                                             \
		.check = explicit_check,                                                           \
	}

EXPLICIT(lifo);
EXPLICIT(addr);
