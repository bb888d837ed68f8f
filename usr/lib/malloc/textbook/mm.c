/*
 * mm.c - the textbook's exercise: mm_init(), mm_malloc() and mm_free() over memlib.
 *
 * An implicit list: from block to block by their sizes.  First fit; a freed block is merged with
 * its neighbours at once.  Four cases, by who beside it is free:
 *
 *	| used | block | used |		nothing to do
 *	| used | block | free |		one header and one footer for both
 *	| free | block | used |		likewise
 *	| free | block | free |		for all three
 *
 * Invariant: no two free blocks are neighbours.  Everything is by hand here; the other allocators
 * with tags share the helpers of tags.h.
 */
#include "usr/lib/malloc/textbook/allocator.h"
#include "usr/lib/malloc/textbook/tags.h"

static bool mm_init(void)
{
	return tags_init();
}

static char *coalesce(char *block)
{
	bool next_free = !is_used(next_of(block)), prev_free = !is_prev_used(block);
	size_t size = size_of(block);

	if (next_free)
		size += size_of(next_of(block));
	if (prev_free) {
		size += size_of(prev_of(block));
		block = prev_of(block);
	}
	set_tags(block, size, false);
	return block;
}

static char *find_fit(size_t size)
{
	for (char *block = first_block(); size_of(block); block = next_of(block))
		if (!is_used(block) && size_of(block) >= size)
			return block;
	return NULL;
}

static void place(char *block, size_t size)
{
	size_t rest = size_of(block) - size;

	if (rest < TAG_MIN) {
		set_tags(block, size + rest, true);
		return;
	}
	set_tags(block, size, true);
	set_tags(next_of(block), rest, false);
}

static void *mm_malloc(size_t bytes)
{
	size_t size = tagged_size(bytes);
	char *block = size ? find_fit(size) : NULL;

	if (!size)
		return NULL;
	if (!block) {
		block = tags_extend(size);
		if (!block)
			return NULL;
		block = coalesce(block);
	}
	place(block, size);
	return block;
}

static void mm_free(void *payload)
{
	set_tags(payload, size_of(payload), false);
	coalesce(payload);
}

static const char *mm_check(void)
{
	size_t free_blocks;

	return tags_check(true, &free_blocks);
}

const struct allocator mm_allocator = {
	.name = "mm",
	.init = mm_init,
	.malloc = mm_malloc,
	.free = mm_free,
	.usable = tags_usable,
	.check = mm_check,
};
