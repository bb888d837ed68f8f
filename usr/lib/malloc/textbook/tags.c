/*
 * tags.c - looks after boundary tags (tags.h).
 */
#include "usr/lib/malloc/textbook/tags.h"

size_t tags_usable(void *payload)
{
	return size_of(payload) - 2 * WORD;
}

const char *tags_check(bool merged, size_t *free_blocks)
{
	char *end = mem_lo() + mem_size(), *block = first_block();
	bool prev_used = true;

	*free_blocks = 0;
	for (; size_of(block); block = next_of(block)) {
		if ((uintptr_t)block % 16)
			return "a payload is not aligned";
		if (size_of(block) < TAG_MIN || size_of(block) > (size_t)(end - block))
			return "the size of a block is impossible";
		if (*header(block) != *footer(block))
			return "header and footer differ";
		if (merged && !prev_used && !is_used(block))
			return "two free blocks are neighbours";
		prev_used = is_used(block);
		*free_blocks += !prev_used;
	}
	return block == end ? NULL : "the epilogue is not at the end";
}
