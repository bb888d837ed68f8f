/*
 * storage.c - simple segregated storage: lists of blocks of one size, never split and never merged.
 *
 *	class 0: 16 bytes   class 1: 32   class 2: 64   ...   powers of two
 *
 * A chunk (a page, or the block if that is larger) is cut into blocks of its class, and stays so.
 * Both calls take constant time, and blocks need no header: a map says which class a page belongs
 * to. The price: up to half of each block, and what a class has too much is no use to another.
 *
 * Invariant: the blocks of a list lie in pages of its class.
 */
#include <stdint.h>

#include "usr/lib/malloc/textbook/allocator.h"
#include "usr/lib/malloc/textbook/memlib.h"

#define CHUNK	4096
#define SMALL	16
#define CLASSES 23 /* up to MEM_MAX */

struct item {
	struct item *next;
};

static struct item *lists[CLASSES];
static uint8_t class_of_page[MEM_MAX / CHUNK];

static bool storage_init(void)
{
	for (int class = 0; class < CLASSES; class ++)
		lists[class] = NULL;
	return true;
}

static size_t class_bytes(unsigned int class)
{
	return (size_t)SMALL << class;
}

static unsigned int page_of(void *block)
{
	return ((char *)block - mem_lo()) / CHUNK;
}

/* A new chunk, cut into blocks that go on the list. */
static bool add_chunk(unsigned int class)
{
	size_t bytes = class_bytes(class), chunk = bytes > CHUNK ? bytes : CHUNK;
	char *start = mem_sbrk(chunk);

	if (!start)
		return false;
	for (size_t at = 0; at < chunk; at += CHUNK)
		class_of_page[page_of(start + at)] = class;
	for (size_t at = chunk; at >= bytes; at -= bytes) {
		struct item *item = (struct item *)(start + at - bytes);

		item->next = lists[class];
		lists[class] = item;
	}
	return true;
}

static void *storage_malloc(size_t bytes)
{
	unsigned int class = 0;

	while (class < CLASSES && class_bytes(class) < bytes)
		class ++;
	if (class == CLASSES || (!lists[class] && !add_chunk(class)))
		return NULL;

	struct item *item = lists[class];

	lists[class] = item->next;
	return item;
}

static size_t storage_usable(void *payload)
{
	return class_bytes(class_of_page[page_of(payload)]);
}

static void storage_free(void *payload)
{
	struct item *item = payload;
	unsigned int class = class_of_page[page_of(payload)];

	item->next = lists[class];
	lists[class] = item;
}

static const char *storage_check(void)
{
	for (unsigned int class = 0; class < CLASSES; class ++) {
		size_t left = mem_size() / class_bytes(class);

		for (struct item *item = lists[class]; item; item = item->next) {
			size_t at = (char *)item - mem_lo();

			if (at >= mem_size() || at % SMALL)
				return "a list leads out of the heap";
			if (class_of_page[at / CHUNK] != class)
				return "a block is on the list of another class";
			if (!left--)
				return "a list is a circle";
		}
	}
	return NULL;
}

const struct allocator storage_allocator = {
	.name = "storage",
	.init = storage_init,
	.malloc = storage_malloc,
	.free = storage_free,
	.usable = storage_usable,
	.check = storage_check,
};
