/*
 * mark.c - the first half of a collection: from the roots to all that can be reached.
 *
 *	for each word of each root:  is it an address of a block?  --> mark it, push it
 *	until the stack is empty:    pop a block, do the same with each of its words
 *
 * The stack is an array of its own, not that of C: a list of a million cells needs one entry, where
 * a function that calls itself for each pointer would need a million frames. It holds addresses:
 * "what lies between here and the end of this block has to be scanned". A long block is scanned in
 * pieces, so that an array of a million pointers does not push a million blocks before the first of
 * them is looked into:
 *
 *	pop  |=====A======================|     push |      ..===A================|
 *	                                        push what the first piece points to
 *
 * If the array is full nevertheless, the block is marked but not pushed, and the heap is gone
 * through once more: what is marked is scanned again. Each such round marks at least one block that
 * was not marked before, so there is a last one; a collection needs no memory, however the blocks
 * point to each other.
 *
 * Invariants: a block that is marked was pushed, or `overflowed` is set; each is pushed once, but
 * for its later pieces, which take the place of the piece before.  Locks: none.
 */
#define _GNU_SOURCE
#include <string.h>
#include <time.h>

#include "usr/lib/gc/internal.h"

#define PIECE 1024 /* bytes of a block that are scanned at once */

unsigned long long gc_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void push(uintptr_t address)
{
	if (gc->mark_top >= gc->mark_limit) {
		gc->overflowed = true;
		return;
	}
	gc->mark_stack[gc->mark_top++] = address;
	if (gc->mark_top > gc->stats.depth)
		gc->stats.depth = gc->mark_top;
}

/* If @word is an address of a block, mark that; returns whether it is. */
static inline bool mark_word(uintptr_t word)
{
	struct gc_block block;

	if (!gc_find(word, &block))
		return false;
	if (gc_bit(block.page->marked, block.cell))
		return true;
	gc_set_bit(block.page->marked, block.cell);
	if (!block.page->leaf)
		push((uintptr_t)block.start);
	return true;
}

/* Scan from @address to the end of its block. */
static void scan_rest(uintptr_t address)
{
	struct gc_block block;
	uintptr_t end, stop;

	if (!gc_find(address, &block))
		return; /* never: it was pushed as the address of one */
	end = (uintptr_t)block.start + block.size;
	stop = end - address > PIECE ? address + PIECE : end;
	if (stop < end)
		push(stop);
	gc->stats.heap_words += (stop - address) / sizeof(uintptr_t);
	for (; address < stop; address += sizeof(uintptr_t))
		mark_word(*(const uintptr_t *)address);
}

static void drain(void)
{
	while (gc->mark_top)
		scan_rest(gc->mark_stack[--gc->mark_top]);
}

/* The stack was full: scan again what is marked. */
static void rescan(void)
{
	gc->stats.rescans++;
	gc->overflowed = false;
	for (struct gc_page *page = gc->pages; page < gc->pages + gc->nr_pages; page++) {
		if ((page->kind != GC_SMALL && page->kind != GC_LARGE) || page->leaf)
			continue;
		for (unsigned int cell = 0; cell < gc_nr_cells(page); cell++) {
			if (!gc_bit(page->marked, cell))
				continue;
			scan_rest((uintptr_t)gc_block_of(page, cell).start);
			drain();
		}
	}
}

/* Stacks and globals hold what AddressSanitizer forbids to read: its red zones. */
__attribute__((no_sanitize("address"))) static void scan_roots(const struct gc_range *range)
{
	uintptr_t at = (range->start + sizeof(at) - 1) & -sizeof(at), word;

	for (; at + sizeof(at) <= range->end; at += sizeof(at)) {
		word = *(const uintptr_t *)at;
		gc->stats.root_words++;
		if (!mark_word(word))
			continue;
		gc->stats.root_hits++;
		if (gc->root_seen)
			gc->root_seen(gc->root_arg, range->kind, at, word);
	}
}

static void clear_marks(void)
{
	for (uint32_t i = 0; i < gc->nr_pages; i++)
		memset(gc->pages[i].marked, 0, sizeof(gc->pages[i].marked));
	gc->mark_top = 0;
	gc->overflowed = false;
	gc->stats.root_words = gc->stats.root_hits = gc->stats.heap_words = 0;
	gc->stats.depth = gc->stats.rescans = 0;
}

/*
 * Mark from here: the caller's frame, which begins at this one's end, holds the registers.
 * @registers_end is where that frame ends and the program's own stack begins.
 */
__attribute__((noipa)) static int mark_from_frame(uintptr_t registers_end)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);

	if (gc_find_roots(frame))
		return -1;
	clear_marks();
	for (size_t i = 0; i < gc->nr_roots; i++) {
		struct gc_range range = gc->roots[i], registers = range;

		if (range.kind == GC_STACK && range.start == frame && registers_end > frame) {
			registers.kind = GC_REGISTERS;
			registers.end = range.start = registers_end;
			scan_roots(&registers);
		}
		scan_roots(&range);
		drain();
	}
	while (gc->overflowed)
		rescan();
	return 0;
}

/*
 * A pointer may be in a register only. Those that a function must preserve are saved in this frame
 * by __builtin_unwind_init(); the others are saved by who called, in his. (setjmp() would do it
 * too, had not glibc taken to scrambling one of them on some machines: rbp.)
 */
__attribute__((noipa)) int gc_mark(void)
{
	int status;

	__builtin_unwind_init();
	status = mark_from_frame((uintptr_t)__builtin_frame_address(0));
	__asm__ volatile(""); /* so that this frame is there during the call: no jump instead */
	return status;
}

void gc_limit_mark_stack(size_t entries)
{
	if (!gc && gc_init(GC_DEFAULT_LIMIT))
		return;
	gc->mark_limit = entries < 1 ? 1 : entries > GC_MARK_STACK ? GC_MARK_STACK : entries;
}
