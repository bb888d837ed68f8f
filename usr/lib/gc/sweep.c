/*
 * sweep.c - the second half of a collection: what is not marked is free.
 *
 *	used    1 1 0 1 1 1          a page at a time, 64 cells in one operation:
 *	marked  1 0 0 0 1 1              used = used & marked
 *	        -----------          no cell is touched: it is cleared when handed out again
 *	used    1 0 0 0 1 1          a page without cells in use becomes a free page
 *
 * Pages are gone through downwards, so that the lists of pages with room, rebuilt on the way, begin
 * at the low end of the heap.
 *
 * Invariants: internal.h.  Locks: none.
 */
#define _GNU_SOURCE
#include <string.h>

#include "usr/lib/gc/internal.h"

static void count_freed(size_t blocks, size_t bytes)
{
	gc->stats.freed_blocks += blocks;
	gc->stats.freed += bytes;
	gc->stats.blocks -= blocks;
	gc->stats.bytes -= bytes;
}

static void sweep_small(struct gc_page *page)
{
	unsigned int before = page->nr_used;
	uint32_t *list = &gc->with_room[page->leaf][page->class];

	page->nr_used = 0;
	for (size_t i = 0; i < GC_MAX_CELLS / 64; i++) {
		page->used[i] &= page->marked[i];
		page->nr_used += __builtin_popcountl(page->used[i]);
	}
	count_freed(before - page->nr_used,
		    (before - page->nr_used) * (size_t)gc_cell_sizes[page->class]);
	page->next = GC_NO_PAGE;
	if (page->nr_used == 0) {
		gc_free_pages(page, 1);
	} else if (page->nr_used < gc_nr_cells(page)) {
		page->next = *list;
		*list = page - gc->pages;
	}
}

void gc_sweep(void)
{
	gc->stats.freed_blocks = gc->stats.freed = 0;
	memset(gc->with_room, 0xff, sizeof(gc->with_room)); /* GC_NO_PAGE */
	for (struct gc_page *page = gc->pages + gc->nr_pages; page-- > gc->pages;) {
		if (page->kind == GC_SMALL) {
			sweep_small(page);
		} else if (page->kind == GC_LARGE && !gc_bit(page->marked, 0)) {
			count_freed(1, page->run * GC_PAGE);
			gc_free_pages(page, page->run);
		}
	}
	gc->stats.returned = gc_return_pages();
}

int gc_collect(void)
{
	unsigned long long start = gc_now(), marked;

	if (!gc)
		return 0;
	if (gc_mark())
		return -1;
	marked = gc_now();
	gc_sweep();
	gc->stats.collections++;
	gc->stats.mark_ns = marked - start;
	gc->stats.sweep_ns = gc_now() - marked;
	gc->since_collection = 0;
	return 0;
}

void gc_get_stats(struct gc_stats *stats)
{
	if (gc)
		*stats = gc->stats;
	else
		memset(stats, 0, sizeof(*stats));
}
