/*
 * check.c - gc_check(): every promise of internal.h, verified. Reads each page's entry, and each
 * byte of free pages that claim to be zero.
 *
 * Invariants: changes nothing.  Locks: none.
 */
#define _GNU_SOURCE
#include <string.h>

#include "usr/lib/gc/internal.h"

#define PROMISE(holds)                                                                             \
	do {                                                                                       \
		if (!(holds))                                                                      \
			return "broken: " #holds;                                                  \
	} while (0)

struct sums {
	size_t blocks, bytes, with_room;
};

static const char *check_small(const struct gc_page *page, struct sums *sums)
{
	unsigned int cells, used = 0;

	PROMISE(page->class < GC_NR_CLASSES);
	cells = gc_nr_cells(page);
	for (unsigned int cell = 0; cell < GC_MAX_CELLS; cell++) {
		bool in_use = gc_bit(page->used, cell), marked = gc_bit(page->marked, cell);

		PROMISE(!in_use || cell < cells);
		PROMISE(!marked || in_use);
		used += in_use;
	}
	PROMISE(page->nr_used == used && used > 0);
	sums->blocks += used;
	sums->bytes += used * (size_t)gc_cell_sizes[page->class];
	sums->with_room += used < cells;
	return NULL;
}

static const char *check_large(const struct gc_page *page, struct sums *sums)
{
	uint32_t first = page - gc->pages;

	PROMISE(page->run > 0 && page->run <= gc->nr_pages - first);
	PROMISE(page->used[0] == 1 && page->marked[0] <= 1);
	for (uint32_t i = 1; i < page->run; i++)
		PROMISE(page[i].kind == GC_REST && page[i].run == i);
	sums->blocks++;
	sums->bytes += page->run * GC_PAGE;
	return NULL;
}

static const char *check_free(const struct gc_page *page)
{
	uint32_t nr = page - gc->pages;
	const uint64_t *words = (const uint64_t *)(gc->base + nr * GC_PAGE);

	PROMISE(nr >= gc->first_free);
	for (size_t i = 0; !page->dirty && i < GC_PAGE / sizeof(*words); i++)
		PROMISE(words[i] == 0);
	return NULL;
}

static const char *check_lists(const struct sums *sums)
{
	size_t listed = 0;

	for (int leaf = 0; leaf < 2; leaf++) {
		for (unsigned int class = 0; class < GC_NR_CLASSES; class ++) {
			uint32_t nr = gc->with_room[leaf][class];

			for (; nr != GC_NO_PAGE; nr = gc->pages[nr].next) {
				const struct gc_page *page = &gc->pages[nr];

				PROMISE(nr < gc->nr_pages && page->kind == GC_SMALL);
				PROMISE(page->class == class && page->leaf == leaf);
				PROMISE(page->nr_used < gc_nr_cells(page));
				PROMISE(++listed <= sums->with_room);
			}
		}
	}
	PROMISE(listed == sums->with_room);
	return NULL;
}

/* Check the page that begins something; *nr goes on to the next one that does. */
static const char *check_page(uint32_t *nr, struct sums *sums)
{
	const struct gc_page *page = &gc->pages[*nr];
	const char *broken;

	switch (page->kind) {
	case GC_FREE:
		broken = check_free(page);
		break;
	case GC_SMALL:
		broken = check_small(page, sums);
		break;
	case GC_LARGE:
		broken = check_large(page, sums);
		break;
	default:
		return "broken: a rest page without its large one, or of an unknown kind";
	}
	*nr += page->kind == GC_LARGE ? page->run : 1;
	return broken;
}

const char *gc_check(void)
{
	struct sums sums = { 0, 0, 0 };
	const char *broken = NULL;

	if (!gc)
		return NULL;
	PROMISE(gc->nr_pages <= gc->limit_pages && gc->mark_top == 0 && !gc->overflowed);
	for (uint32_t nr = 0; nr < gc->nr_pages && !broken;)
		broken = check_page(&nr, &sums);
	if (!broken)
		broken = check_lists(&sums);
	if (broken)
		return broken;
	PROMISE(sums.blocks == gc->stats.blocks);
	PROMISE(sums.bytes == gc->stats.bytes);
	return NULL;
}
