/*
 * heap.c - the heap's pages: reserved at once, made accessible as they are needed, taken and given
 * back in runs.
 *
 *	base				      nr_pages		  limit_pages
 *	|  used, free, used, used, free, ...  |  no access yet     |
 *	   ^first_free: below it none is free
 *
 * A run is looked for from first_free on, first fit: the heap stays dense at its low end.
 *
 * Invariants: internal.h.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "usr/lib/gc/internal.h"

#define GROW_PAGES   64 /* at least so many at a time */
#define RETURN_PAGES 16 /* shorter free runs are kept: they are needed again soon */
#define MIN_PAGES    GROW_PAGES

struct gc *gc;

static size_t round_up(size_t bytes)
{
	return (bytes + GC_PAGE - 1) / GC_PAGE * GC_PAGE;
}

static size_t map_bytes(size_t pages)
{
	return round_up(pages * sizeof(struct gc_page));
}

/* Reserve a heap of @pages. Returns false: there are not so many addresses. */
static bool reserve(size_t pages)
{
	size_t total = round_up(sizeof(struct gc)) + map_bytes(pages) + pages * GC_PAGE;
	char *memory =
		mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return false;
	if (mprotect(memory, round_up(sizeof(struct gc)), PROT_READ | PROT_WRITE)) {
		munmap(memory, total);
		return false;
	}
	gc = (struct gc *)memory;
	gc->pages = (struct gc_page *)(memory + round_up(sizeof(struct gc)));
	gc->base = (char *)gc->pages + map_bytes(pages);
	gc->end = (uintptr_t)memory + total;
	gc->limit_pages = pages;
	gc->stats.limit = pages * GC_PAGE;
	return true;
}

int gc_init(size_t limit)
{
	size_t pages = limit / GC_PAGE < UINT32_MAX ? limit / GC_PAGE : UINT32_MAX - 1;

	if (gc) {
		errno = EBUSY;
		return -1;
	}
	if (pages < MIN_PAGES)
		pages = MIN_PAGES;
	while (!reserve(pages)) {
		if (pages == MIN_PAGES) {
			errno = ENOMEM;
			return -1;
		}
		pages = pages / 2 > MIN_PAGES ? pages / 2 : MIN_PAGES;
	}
	memset(gc->with_room, 0xff, sizeof(gc->with_room)); /* GC_NO_PAGE */
	gc->mark_limit = GC_MARK_STACK;
	gc->threshold = 1 << 20;
	return 0;
}

/* Make @nr more pages accessible, or a few more than that. */
static bool grow(uint32_t nr)
{
	uint32_t pages = nr < GROW_PAGES ? GROW_PAGES : nr;

	if (pages > gc->limit_pages - gc->nr_pages)
		pages = gc->limit_pages - gc->nr_pages;
	if (pages < nr)
		return false;
	if (mprotect(gc->pages, map_bytes(gc->nr_pages + pages), PROT_READ | PROT_WRITE) ||
	    mprotect(gc->base + gc->nr_pages * GC_PAGE, pages * GC_PAGE, PROT_READ | PROT_WRITE))
		return false;
	gc->nr_pages += pages;
	gc->stats.heap = gc->nr_pages * GC_PAGE;
	return true;
}

/* The first of @nr free pages in a row; or where such a run could begin if the heap grew. */
static uint32_t find_run(uint32_t nr)
{
	uint32_t start = gc->first_free, i;

	for (i = start; i < gc->nr_pages && i - start < nr; i++)
		if (gc->pages[i].kind != GC_FREE)
			start = i + 1;
	return start;
}

struct gc_page *gc_take_pages(uint32_t nr)
{
	uint32_t start = find_run(nr), have;

	have = gc->nr_pages - start;
	if (have < nr && !grow(nr - have))
		return NULL;
	for (uint32_t i = start; i < start + nr; i++) {
		if (gc->pages[i].dirty)
			memset(gc->base + i * GC_PAGE, 0, GC_PAGE);
		gc->pages[i] = (struct gc_page){ .kind = GC_REST, .run = i - start };
	}
	if (start == gc->first_free)
		gc->first_free = start + nr;
	return &gc->pages[start];
}

void gc_free_pages(struct gc_page *page, uint32_t nr)
{
	uint32_t start = page - gc->pages;

	for (uint32_t i = 0; i < nr; i++)
		page[i] = (struct gc_page){ .kind = GC_FREE, .dirty = true };
	if (start < gc->first_free)
		gc->first_free = start;
}

/* The end of the run of dirty free pages that begins at page @i; @i when that is none. */
static uint32_t end_of_dirty(uint32_t i)
{
	while (i < gc->nr_pages && gc->pages[i].kind == GC_FREE && gc->pages[i].dirty)
		i++;
	return i;
}

size_t gc_return_pages(void)
{
	size_t returned = 0;

	for (uint32_t i = gc->first_free, end; i < gc->nr_pages; i = end + 1) {
		end = end_of_dirty(i);
		if (end - i < RETURN_PAGES ||
		    madvise(gc->base + i * GC_PAGE, (end - i) * GC_PAGE, MADV_DONTNEED))
			continue;
		returned += (end - i) * GC_PAGE;
		while (i < end)
			gc->pages[i++].dirty = false;
	}
	return returned;
}
