/*
 * implicit.c - the implicit list again, with the choices one has.
 *
 *	where to look	first fit: from the beginning; the small blocks gather there
 *			next fit: from where the last search ended; fast, and scatters
 *			best fit: everywhere; slow, and leaves small rests
 *	when to merge	immediately: when a block comes free
 *			deferred: when nothing fits, all at once; saves merging what is split again
 *
 * Invariant: with immediate merging no two free blocks are neighbours, and the rover of next fit is
 * a block.
 */
#include "usr/lib/malloc/textbook/allocator.h"
#include "usr/lib/malloc/textbook/tags.h"

static enum { FIRST, NEXT, BEST } fit;
static bool deferred;
static char *rover;

static bool begin(int new_fit, bool new_deferred)
{
	fit = new_fit;
	deferred = new_deferred;
	rover = first_block();
	return tags_init();
}

static bool init_first(void)
{
	return begin(FIRST, false);
}

static bool init_next(void)
{
	return begin(NEXT, false);
}

static bool init_best(void)
{
	return begin(BEST, false);
}

static bool init_deferred(void)
{
	return begin(FIRST, true);
}

static bool init_next_deferred(void)
{
	return begin(NEXT, true);
}

static bool init_best_deferred(void)
{
	return begin(BEST, true);
}

static bool fits(char *block, size_t size)
{
	return !is_used(block) && size_of(block) >= size;
}

/* The first fit from one block up to another, or to the epilogue. */
static char *search(char *from, char *to, size_t size)
{
	for (char *block = from; block != to && size_of(block); block = next_of(block))
		if (fits(block, size))
			return block;
	return NULL;
}

static char *search_best(size_t size)
{
	char *best = NULL;

	for (char *block = first_block(); size_of(block); block = next_of(block))
		if (fits(block, size) && (!best || size_of(block) < size_of(best)))
			best = block;
	return best;
}

static char *find(size_t size)
{
	char *found;

	if (fit == BEST)
		return search_best(size);
	if (fit == FIRST)
		return search(first_block(), NULL, size);
	found = search(rover, NULL, size);
	return found ? found : search(first_block(), rover, size);
}

static void no_list(char *block)
{
	(void)block;
}

/* Merge with free neighbours; a rover that is now inside moves to the beginning. */
static char *merge(char *block)
{
	block = tags_merge(block, no_list);
	if (rover > block && rover < next_of(block))
		rover = block;
	return block;
}

static void merge_all(void)
{
	for (char *block = first_block(); size_of(block); block = next_of(block))
		if (!is_used(block))
			block = merge(block);
}

static void *implicit_malloc(size_t bytes)
{
	size_t size = tagged_size(bytes);
	char *block = size ? find(size) : NULL;

	if (!size)
		return NULL;
	if (!block && deferred) {
		merge_all();
		block = find(size);
	}
	if (!block) {
		block = tags_extend(size);
		if (!block)
			return NULL;
		block = merge(block);
	}
	tags_split(block, size);
	rover = block;
	return block;
}

static void implicit_free(void *payload)
{
	set_tags(payload, size_of(payload), false);
	if (!deferred)
		merge(payload);
}

static const char *implicit_check(void)
{
	size_t free_blocks;
	const char *wrong = tags_check(!deferred, &free_blocks);
	char *block = first_block();

	while (!wrong && block < rover)
		block = next_of(block);
	return wrong || block == rover ? wrong : "the rover is not at a block";
}

#define IMPLICIT(variant, suffix)                                                                  \
	const struct allocator implicit_##variant##_allocator = {                                  \
		.name = "implicit-" suffix,                                                        \
		.init = init_##variant,                                                            \
		.malloc = implicit_malloc,                                                         \
		.free = implicit_free,                                                             \
		.usable = tags_usable,                                                             \
		.check = implicit_check,                                                           \
	}

IMPLICIT(first, "first");
IMPLICIT(next, "next");
IMPLICIT(best, "best");
IMPLICIT(deferred, "deferred");
IMPLICIT(next_deferred, "next-deferred");
IMPLICIT(best_deferred, "best-deferred");
