/*
 * internal.h - the collector's one mapping, its page map, and the answer to "is this a block?".
 *
 *	one mapping: struct gc | page map, one entry for each page | the heap
 *	                         |_____________________________________^  page i
 *
 *	 free    small: cells of one size        large   rest    rest    free
 *	+-------+-------------------------------+-------+-------+-------+-------+
 *	|       | c0 | c1 | ... | c(n-1) | tail | one block of 3 pages  |       |
 *	+-------+-------------------------------+-------+-------+-------+-------+
 *
 *	address --minus base, / 4096--> page's entry --kind--> small: offset / cell; is it used?
 *	                                                       large: the block; rest: go back
 *
 * That is a few loads and a division for any word at all, and needs no header in the block. The
 * mapping is reserved at once, without access; heap and page map become accessible as it grows.
 *
 * Invariants (gc_check() verifies them):
 *   - a small page has a cell in use; a marked cell is in use; bits past the last cell are 0
 *   - a small page with room is on the list of its cell size and kind, once; no other page is
 *   - a large page is followed by its run - 1 rest pages, each of which says how far back it is
 *   - no page below first_free is free; a free page that is not dirty is all zero
 *   - blocks and bytes of the statistics are the sums over the page map
 *   - nothing here is a root: the mapping is cut out of what roots.c finds
 */
#ifndef RAVEL_USR_LIB_GC_INTERNAL_H
#define RAVEL_USR_LIB_GC_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "usr/lib/gc/gc.h"

#define GC_PAGE	       4096UL
#define GC_ALIGN       16UL
#define GC_MAX_CELLS   (GC_PAGE / GC_ALIGN)
#define GC_NR_CLASSES  21
#define GC_LARGEST     2048 /* of the cell sizes */
#define GC_NO_PAGE     UINT32_MAX
#define GC_MARK_STACK  4096
#define GC_MAX_ROOTS   512
#define GC_MAX_ADDED   64
#define GC_MAPS_BUFFER 8192

enum gc_kind { GC_FREE, GC_SMALL, GC_LARGE, GC_REST };

struct gc_page {
	uint8_t kind;	  /* enum gc_kind */
	uint8_t class;	  /* small: which of gc_cell_sizes */
	bool leaf;	  /* small, large: nobody looks into its blocks */
	bool dirty;	  /* free: it may have bytes that are not 0 */
	uint16_t nr_used; /* small: cells in use */
	uint32_t run;	  /* large: its pages; rest: pages back to the large one */
	uint32_t next;	  /* small, with room: the next one, or GC_NO_PAGE */
	uint64_t used[GC_MAX_CELLS / 64], marked[GC_MAX_CELLS / 64]; /* large: bit 0 */
};

enum gc_root_kind { GC_REGISTERS, GC_STACK, GC_DATA, GC_TLS, GC_ADDED };

struct gc_range {
	uintptr_t start, end;
	enum gc_root_kind kind;
};

/* Told of each word outside of the heap that is taken for a pointer. */
typedef void gc_root_fn(void *arg, enum gc_root_kind kind, uintptr_t where, uintptr_t word);

struct gc {
	char *base;	      /* of the heap */
	uint32_t nr_pages;    /* accessible */
	uint32_t limit_pages; /* reserved */
	uint32_t first_free;  /* no free page lies below it */
	struct gc_page *pages;
	uint32_t with_room[2][GC_NR_CLASSES]; /* [leaf]: lists of small pages */
	uintptr_t end;			      /* of the whole mapping */

	size_t threshold, since_collection; /* bytes */
	struct gc_stats stats;

	struct gc_range roots[GC_MAX_ROOTS], added[GC_MAX_ADDED];
	size_t nr_roots, nr_added;
	gc_root_fn *root_seen; /* NULL: nobody wants to know */
	void *root_arg;

	/* Addresses: what lies between each and its block's end has to be scanned. */
	uintptr_t mark_stack[GC_MARK_STACK];
	size_t mark_top, mark_limit;
	bool overflowed;

	char maps[GC_MAPS_BUFFER]; /* a piece of /proc/self/maps */
};

extern struct gc *gc;
extern const uint16_t gc_cell_sizes[GC_NR_CLASSES];

struct gc_block {
	char *start;
	size_t size;
	struct gc_page *page;
	unsigned int cell; /* 0 of a large one */
};

static inline unsigned int gc_nr_cells(const struct gc_page *page)
{
	return page->kind == GC_LARGE ? 1 : GC_PAGE / gc_cell_sizes[page->class];
}

static inline bool gc_bit(const uint64_t *bits, unsigned int nr)
{
	return bits[nr / 64] >> nr % 64 & 1;
}

static inline void gc_set_bit(uint64_t *bits, unsigned int nr)
{
	bits[nr / 64] |= 1UL << nr % 64;
}

/* The block of @page, which is small or large, with number @cell. */
static inline struct gc_block gc_block_of(struct gc_page *page, unsigned int cell)
{
	size_t size = page->kind == GC_LARGE ? page->run * GC_PAGE : gc_cell_sizes[page->class];

	return (struct gc_block){ .start = gc->base + (page - gc->pages) * GC_PAGE + cell * size,
				  .size = size,
				  .page = page,
				  .cell = cell };
}

/* Is @address in a block that is in use? Then it is *@block. Any number at all may be asked. */
static inline bool gc_find(uintptr_t address, struct gc_block *block)
{
	size_t offset = address - (uintptr_t)gc->base;
	struct gc_page *page;
	unsigned int cell = 0;

	if (offset / GC_PAGE >= gc->nr_pages)
		return false;
	page = &gc->pages[offset / GC_PAGE];
	if (page->kind == GC_FREE)
		return false;
	if (page->kind == GC_REST)
		page -= page->run;
	else if (page->kind == GC_SMALL)
		cell = offset % GC_PAGE / gc_cell_sizes[page->class];
	if (!gc_bit(page->used, cell))
		return false;
	*block = gc_block_of(page, cell);
	return true;
}

/* heap.c: @nr pages in a row, which become one large block or (nr is 1) a small page; or NULL. */
struct gc_page *gc_take_pages(uint32_t nr);
/* The @nr pages from @page on are free and dirty. */
void gc_free_pages(struct gc_page *page, uint32_t nr);
/* Give long runs of dirty free pages back to the system; returns the bytes. */
size_t gc_return_pages(void);

/* roots.c: fill gc->roots, the stack from @frame on. Returns 0, or -1 with errno. */
int gc_find_roots(uintptr_t frame);

/* mark.c: mark what can be reached. Returns 0, or -1 with errno: then the marks mean nothing. */
int gc_mark(void);

/* sweep.c: free what is not marked. */
void gc_sweep(void);

unsigned long long gc_now(void);

#endif
