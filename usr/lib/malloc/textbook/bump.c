/*
 * bump.c - the simplest allocator: the break moves up, and nothing ever comes back.
 *
 *	| size | payload ... | size | payload ... | <- break
 *
 * Nothing is faster, and no heap is larger.  The size in front (16 bytes, to keep payloads aligned)
 * is for realloc() alone.
 */
#include <stdint.h>
#include <string.h>

#include "usr/lib/malloc/textbook/allocator.h"
#include "usr/lib/malloc/textbook/memlib.h"

#define HEAD 16

static bool bump_init(void)
{
	return true;
}

static void *bump_malloc(size_t bytes)
{
	if (bytes > MEM_MAX)
		return NULL;

	size_t size = (bytes + 15) & -(size_t)16;
	char *block = mem_sbrk(HEAD + size);

	if (!block)
		return NULL;
	*(size_t *)block = size;
	return block + HEAD;
}

static void bump_free(void *payload)
{
	(void)payload;
}

static size_t bump_usable(void *payload)
{
	return *(size_t *)((char *)payload - HEAD);
}

/* The blocks lie behind each other up to the break. */
static const char *bump_check(void)
{
	size_t at = 0;

	while (at < mem_size()) {
		size_t size = *(size_t *)(mem_lo() + at);

		if (size % 16 || size > mem_size() - at - HEAD)
			return "the size of a block is impossible";
		at += HEAD + size;
	}
	return NULL;
}

const struct allocator bump_allocator = {
	.name = "bump",
	.init = bump_init,
	.malloc = bump_malloc,
	.free = bump_free,
	.usable = bump_usable,
	.check = bump_check,
};
