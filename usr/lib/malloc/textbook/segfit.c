/*
 * segfit.c - segregated fits: one free list for each power of two.
 *
 *	class 0: 32 .. 63   class 1: 64 .. 127   ...   the last: all above
 *
 * A search begins in the class of the size, goes on in the larger ones, and takes the first fit:
 * near to best fit, without passing all the blocks that are too small.  Immediate merging.
 *
 * Invariants: a free block is on the list of its class and on no other; no two are neighbours.
 */
#include "usr/lib/malloc/textbook/allocator.h"
#include "usr/lib/malloc/textbook/tags.h"

#define CLASSES 20

static char *first[CLASSES];

static unsigned int class_of(size_t size)
{
	unsigned int class = 0;

	while (class < CLASSES - 1 && size >= 2 * TAG_MIN) {
		size /= 2;
		class ++;
	}
	return class;
}

static bool segfit_init(void)
{
	for (int class = 0; class < CLASSES; class ++)
		first[class] = NULL;
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
		first[class_of(size_of(block))] = links->next;
}

static void put_on(char *block)
{
	char **list = &first[class_of(size_of(block))];

	*links_of(block) = (struct links){ *list, NULL };
	if (*list)
		links_of(*list)->prev = block;
	*list = block;
}

static char *find(size_t size)
{
	for (unsigned int class = class_of(size); class < CLASSES; class ++)
		for (char *block = first[class]; block; block = links_of(block)->next)
			if (size_of(block) >= size)
				return block;
	return NULL;
}

static void *segfit_malloc(size_t bytes)
{
	size_t size = tagged_size(bytes);

	return size ? tags_serve(find(size), size, take_off, put_on) : NULL;
}

static void segfit_free(void *payload)
{
	set_tags(payload, size_of(payload), false);
	put_on(tags_merge(payload, take_off));
}

static const char *segfit_check(void)
{
	size_t in_heap, in_lists = 0;
	const char *wrong = tags_check(true, &in_heap);

	for (unsigned int class = 0; class < CLASSES && !wrong; class ++) {
		char *prev = NULL, *block = first[class];

		for (; block && !wrong; prev = block, block = links_of(block)->next) {
			if (is_used(block))
				wrong = "a used block is on a list";
			else if (class_of(size_of(block)) != class)
				wrong = "a block is on the list of another class";
			else if (links_of(block)->prev != prev)
				wrong = "the links do not agree";
			else if (++in_lists > in_heap)
				wrong = "the lists have too many blocks";
		}
	}
	return wrong || in_lists == in_heap ? wrong : "a free block is on no list";
}

const struct allocator segfit_allocator = {
	.name = "segfit",
	.init = segfit_init,
	.malloc = segfit_malloc,
	.free = segfit_free,
	.usable = tags_usable,
	.check = segfit_check,
};
