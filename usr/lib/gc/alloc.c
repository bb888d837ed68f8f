/*
 * alloc.c - gc_malloc(): cells of 21 sizes in pages of one size each, whole pages for more.
 *
 *	size + 1 --> the smallest cell that holds it --> a page with room --> its first cell that is
 *	free, found in the bitmap `used`
 *
 * The byte more is for C's right to point behind the last byte of an object: that address too is
 * inside of the block then, and not the next block's.
 *
 * Invariants: internal.h.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "usr/lib/gc/internal.h"

/* Multiples of 16, four sizes for each doubling, then what divides a page well. */
const uint16_t gc_cell_sizes[GC_NR_CLASSES] = {
	16,  32,  48,  64,  80,	 96,  112, 128,	 160,  192,  224,
	256, 320, 384, 448, 512, 672, 816, 1024, 1360, 2048,
};

static unsigned int class_of(size_t size)
{
	unsigned int class = 0;

	while (gc_cell_sizes[class] < size)
		class ++;
	return class;
}

/* Count a block of @size, and hand it out. */
static void *account(void *start, size_t size)
{
	gc->stats.blocks++;
	gc->stats.bytes += size;
	gc->stats.total_blocks++;
	gc->stats.total += size;
	gc->since_collection += size;
	return start;
}

static struct gc_page *new_small_page(unsigned int class, bool leaf)
{
	struct gc_page *page = gc_take_pages(1);

	if (!page)
		return NULL;
	page->kind = GC_SMALL;
	page->class = class;
	page->leaf = leaf;
	page->next = GC_NO_PAGE;
	gc->with_room[leaf][class] = page - gc->pages;
	return page;
}

static unsigned int first_clear(const uint64_t *bits)
{
	unsigned int word = 0;

	while (bits[word] == UINT64_MAX)
		word++;
	return word * 64 + __builtin_ctzl(~bits[word]);
}

static void *small(size_t size, bool leaf)
{
	unsigned int class = class_of(size);
	uint32_t *list = &gc->with_room[leaf][class];
	struct gc_page *page =
		*list == GC_NO_PAGE ? new_small_page(class, leaf) : &gc->pages[*list];
	struct gc_block block;

	if (!page)
		return NULL;
	block = gc_block_of(page, first_clear(page->used));
	gc_set_bit(page->used, block.cell);
	if (++page->nr_used == gc_nr_cells(page)) {
		*list = page->next;
		page->next = GC_NO_PAGE;
	}
	memset(block.start, 0, block.size);
	return account(block.start, block.size);
}

static void *large(size_t size, bool leaf)
{
	uint32_t nr = (size + GC_PAGE - 1) / GC_PAGE;
	struct gc_page *page = gc_take_pages(nr);

	if (!page)
		return NULL;
	page->kind = GC_LARGE;
	page->leaf = leaf;
	page->run = nr;
	gc_set_bit(page->used, 0);
	return account(gc->base + (page - gc->pages) * GC_PAGE, nr * GC_PAGE);
}

static void *try(size_t size, bool leaf)
{
	return size <= GC_LARGEST ? small(size, leaf) : large(size, leaf);
}

static void *allocate(size_t size, bool leaf)
{
	void *start;

	if (!gc && gc_init(GC_DEFAULT_LIMIT))
		return NULL;
	if (size >= gc->stats.limit) {
		errno = ENOMEM;
		return NULL;
	}
	if (gc->since_collection >= gc->threshold && gc->since_collection >= gc->stats.bytes / 2)
		gc_collect();
	start = try(size + 1, leaf);
	if (!start && gc_collect() == 0)
		start = try(size + 1, leaf);
	if (!start)
		errno = ENOMEM;
	return start;
}

void *gc_malloc(size_t size)
{
	return allocate(size, false);
}

void *gc_malloc_leaf(size_t size)
{
	return allocate(size, true);
}

void *gc_base(const void *address)
{
	struct gc_block block;

	return gc && gc_find((uintptr_t)address, &block) ? block.start : NULL;
}

size_t gc_size(const void *address)
{
	struct gc_block block;

	return gc && gc_find((uintptr_t)address, &block) ? block.size : 0;
}

void gc_set_threshold(size_t bytes)
{
	if (gc || gc_init(GC_DEFAULT_LIMIT) == 0)
		gc->threshold = bytes;
}
