/*
 * tags.h - boundary tags as the textbook draws them, over memlib: header and footer on every block.
 *
 *	| pad | 16/1 | 16/1 | hdr | payload ...  | ftr | hdr | payload ... | ftr |  0/1 |
 *	        prologue      ^ size/used                                          epilogue
 *
 * A block is named by its payload.  Prologue and epilogue are used blocks that nobody frees:
 * merging needs no special case at the ends of the heap.  Sizes, in bytes with both tags, are
 * multiples of 16; payloads are aligned to 16.
 */
#ifndef RAVEL_USR_LIB_MALLOC_TEXTBOOK_TAGS_H
#define RAVEL_USR_LIB_MALLOC_TEXTBOOK_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "usr/lib/malloc/textbook/memlib.h"

#define WORD	  sizeof(size_t)
#define TAG_USED  1UL
#define TAG_MIN	  32   /* tags, and the links of a free block */
#define TAG_CHUNK 4096 /* the heap grows by at least so much */

/* In the payload of a free block, for allocators with explicit lists. */
struct links {
	char *next, *prev;
};

static inline size_t *header(char *block)
{
	return (size_t *)(block - WORD);
}

static inline size_t size_of(char *block)
{
	return *header(block) & -(size_t)16;
}

static inline bool is_used(char *block)
{
	return *header(block) & TAG_USED;
}

static inline size_t *footer(char *block)
{
	return (size_t *)(block + size_of(block) - 2 * WORD);
}

static inline char *next_of(char *block)
{
	return block + size_of(block);
}

/* The footer of the block before lies right in front of one's header. */
static inline char *prev_of(char *block)
{
	return block - (*(size_t *)(block - 2 * WORD) & -(size_t)16);
}

static inline bool is_prev_used(char *block)
{
	return *(size_t *)(block - 2 * WORD) & TAG_USED;
}

static inline void set_tags(char *block, size_t size, bool used)
{
	*header(block) = size | used;
	*footer(block) = size | used;
}

static inline struct links *links_of(char *block)
{
	return (struct links *)block;
}

/* The block size for a request, or 0 if no heap is so large. */
static inline size_t tagged_size(size_t bytes)
{
	size_t size = (bytes + 2 * WORD + 15) & -(size_t)16;

	if (bytes > MEM_MAX)
		return 0;
	return size < TAG_MIN ? TAG_MIN : size;
}

/* The first real block. */
static inline char *first_block(void)
{
	return mem_lo() + 4 * WORD;
}

/* Prologue and epilogue. */
static inline bool tags_init(void)
{
	char *heap = mem_sbrk(4 * WORD);

	if (!heap)
		return false;
	set_tags(heap + 2 * WORD, 2 * WORD, true);
	*header(heap + 4 * WORD) = TAG_USED;
	return true;
}

/* A free block of at least size bytes at the end, perhaps beside another; NULL: no memory. */
static inline char *tags_extend(size_t size)
{
	size_t grow = size > TAG_CHUNK ? size : TAG_CHUNK;
	char *block = mem_sbrk(grow);

	if (!block)
		return NULL;
	set_tags(block, grow, false);
	*header(next_of(block)) = TAG_USED;
	return block;
}

/* Merge a free block, which is on no list, with its free neighbours; off takes those off theirs. */
static inline char *tags_merge(char *block, void (*off)(char *neighbour))
{
	char *next = next_of(block);
	size_t size = size_of(block);

	if (!is_used(next)) {
		off(next);
		size += size_of(next);
	}
	if (!is_prev_used(block)) {
		block = prev_of(block);
		off(block);
		size += size_of(block);
	}
	set_tags(block, size, false);
	return block;
}

/* Use a free block, which is on no list.  What it has too much, if it is a block, is returned. */
static inline char *tags_split(char *block, size_t size)
{
	size_t rest = size_of(block) - size;

	if (rest < TAG_MIN) {
		set_tags(block, size_of(block), true);
		return NULL;
	}
	set_tags(block, size, true);
	set_tags(block + size, rest, false);
	return block + size;
}

/*
 * Serve a request of size bytes, with tags, from a free block that was found on a list, or from new
 * memory if none was (NULL); off and on take blocks off the lists and put them there.
 * Returns the block, used, or NULL: no memory.
 */
static inline char *tags_serve(char *found, size_t size, void (*off)(char *), void (*on)(char *))
{
	char *block = found, *rest;

	if (block) {
		off(block);
	} else {
		block = tags_extend(size);
		if (!block)
			return NULL;
		block = tags_merge(block, off);
	}
	rest = tags_split(block, size);
	if (rest)
		on(rest);
	return block;
}

/*
 * Walk over the heap.  merged: no two free blocks may be neighbours.  *free_blocks is counted.
 * Returns NULL, or what is wrong.
 */
const char *tags_check(bool merged, size_t *free_blocks);

/* What of a block its owner may use: for struct allocator. */
size_t tags_usable(void *payload);

#endif
