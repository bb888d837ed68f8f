/*
 * runs.c - popular small sizes: runs of objects without heads.
 *
 *	| head | struct run | object | object | ...              | head of the next block
 *	       ^ page                                            ^ page + RUN_BYTES - HEAD
 *
 * A request of 16 bytes costs 32 as a block with a head, but 16 in a run; and taking one is two
 * loads and a store.  A run wastes what is not used of its page, though: a class gets its first run
 * when as many blocks of that size are in use as would fill it, and the heap is so large that the
 * page does not matter.
 *
 * Who frees knows no size: heap.run_map has a byte for each page of the heap, the class if the page
 * is a run, else 0.  The first map is static and does for 16 MiB; a larger one is a mapping.  In
 * the heap it would keep the end of it from going back.
 *
 * Invariants:
 *	- a run is on heap.partial[class] if and only if it has a free object;
 *	- run->used is the number of objects that are not on its list of free ones;
 *	- at most one run of a class is empty: a second one goes back to the heap.
 */
#include <string.h>
#include <sys/mman.h>

#include "usr/lib/malloc/heap.h"

static void link_run(struct run *run, unsigned int class)
{
	struct run *first = um_heap.partial[class];

	run->prev = NULL;
	run->next = first;
	if (first)
		first->prev = run;
	um_heap.partial[class] = run;
}

static void unlink_run(struct run *run, unsigned int class)
{
	if (run->next)
		run->next->prev = run->prev;
	if (run->prev)
		run->prev->next = run->next;
	else
		um_heap.partial[class] = run->next;
}

static uint8_t first_map[4096];

/* The map of pages reaches at least to this one: a new block for it if it must. */
static bool map_reaches(size_t page)
{
	if (page < um_heap.run_map_pages)
		return true;

	size_t old = um_heap.run_map_pages, pages = sizeof(first_map);

	while (pages <= page)
		pages *= 2;
	if (pages == sizeof(first_map)) {
		um_heap.run_map = first_map;
		um_heap.run_map_pages = pages;
		return true;
	}

	uint8_t *map =
		mmap(NULL, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return false;
	if (old)
		memcpy(map, um_heap.run_map, old);
	um_heap.mapped += pages;
	if (old > sizeof(first_map)) {
		munmap(um_heap.run_map, old);
		um_heap.mapped -= old;
	}
	um_heap.run_map = map;
	um_heap.run_map_pages = pages;
	return true;
}

/* A new run for this class; false: no memory. */
bool um_run_create(unsigned int class)
{
	struct block *block = um_block_alloc_aligned(RUN_BYTES, RUN_BYTES);

	if (!block)
		return false;
	if (!um_heap.run_map)
		um_heap.run_map_base = (uintptr_t)um_heap.base / RUN_BYTES;

	struct run *run = block_payload(block);
	size_t page = (uintptr_t)run / RUN_BYTES - um_heap.run_map_base;

	if (!map_reaches(page)) {
		um_block_free(block);
		return false;
	}
	um_heap.run_map[page] = class;
	block->head |= BLOCK_RUN;

	size_t size = class * ALIGNMENT, offset = FIRST_OBJECT, next = offset + size;

	run->free = offset;
	run->used = 0;
	for (; next + size <= RUN_BYTES - HEAD; offset = next, next += size)
		*(uint16_t *)((char *)run + offset) = next;
	*(uint16_t *)((char *)run + offset) = 0;
	um_heap.runs[class]++;
	link_run(run, class);
	return true;
}

/* The run, which is on its list, goes back to the heap. */
static void release(struct run *run, unsigned int class)
{
	struct block *block = block_of(run);

	unlink_run(run, class);
	um_heap.runs[class]--;
	um_heap.run_map[(uintptr_t)run / RUN_BYTES - um_heap.run_map_base] = 0;
	block->head &= ~BLOCK_RUN;
	um_block_free(block);
}

/* The last free object was taken. */
void um_run_filled(struct run *run, unsigned int class)
{
	unlink_run(run, class);
}

/* An object came back that is the only free one, or was the last in use. */
void um_run_emptier(struct run *run, unsigned int class)
{
	if (!*(uint16_t *)((char *)run + run->free))
		link_run(run, class);
	/* Kept is only the last run with free objects, for who frees and allocates in turns. */
	if (!run->used && (run->next || run->prev))
		release(run, class);
}

/* Empty runs that were kept for the next request go back as well. */
void um_runs_release(void)
{
	for (unsigned int class = 1; class < RUN_CLASSES; class ++) {
		struct run *run = um_heap.partial[class];

		while (run && run->used)
			run = run->next;
		if (run)
			release(run, class);
	}
}

/* Does the run keep its invariants? */
bool um_run_check(struct run *run, unsigned int class)
{
	size_t size = class * ALIGNMENT, found = 0, capacity = um_run_capacity(class);

	for (size_t at = run->free; at; at = *(uint16_t *)((char *)run + at))
		if (++found > capacity || at < FIRST_OBJECT || (at - FIRST_OBJECT) % size ||
		    at + size > RUN_BYTES - HEAD)
			return false;
	if (found + run->used != capacity)
		return false;

	bool linked = false;
	int empty = 0;

	for (struct run *each = um_heap.partial[class]; each; each = each->next) {
		linked |= each == run;
		empty += !each->used;
	}
	return linked == (found != 0) && empty <= 1;
}
