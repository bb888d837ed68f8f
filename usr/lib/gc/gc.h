/*
 * gc.h - a conservative mark-and-sweep collector: memory that nobody has to free.
 *
 *	registers, stacks, data, bss, TLS        the heap
 *	+-----------------------------+         +---+    +---+    +---+
 *	| 7 | ptr | "text" | ptr | -1 |   .---> | A | -> | B | -> | C |   reached: they stay
 *	+------|-------------|--------+   |     +---+    +---+    +---+
 *	       '-------------+------------'       ^--------'
 *	                     '----> (no block)  +---+    +---+
 *	                                        | D | <> | E |             a circle that nobody
 *	                                        +---+    +---+             reaches: they go
 *
 * "Conservative": C does not say which words are pointers, so every aligned word that could be the
 * address of a byte of a block is taken for a pointer to it. A number may keep garbage by accident;
 * a block that is in use is never lost, as long as its address (or that of a byte within it, or of
 * the byte behind its last) stands somewhere the collector looks:
 *
 *	looks at	registers, the stack that runs and the main stack, data and bss of the
 *			program and its libraries, thread-local variables, gc_add_roots(), and
 *			blocks of gc_malloc()
 *	does not	memory of malloc() and mmap(), blocks of gc_malloc_leaf(), words that are
 *			not aligned, pointers that are hidden (XORed, written to a file)
 *
 * Invariants: what is reached from there keeps its address and its bytes (nothing is moved).
 * Locks: none; one thread at a time, and not in signal handlers. A forked child has its own copy.
 */
#ifndef RAVEL_USR_LIB_GC_GC_H
#define RAVEL_USR_LIB_GC_GC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Reserve addresses for a heap of at most @limit bytes, as many pages of it as the system has
 * addresses for. The first gc_malloc() does it with GC_DEFAULT_LIMIT if nobody has before.
 * Returns 0; -1 with ENOMEM, or EBUSY when there is a heap already.
 */
int gc_init(size_t limit);
#define GC_DEFAULT_LIMIT (1UL << 30)

/*
 * A block of @size bytes, zeroed, aligned to 16. It lives as long as it can be reached.
 * gc_malloc_leaf(): the same, but the block never holds pointers, so nobody looks into it (text,
 * numbers, pictures: it is marked faster, and its bytes keep nothing alive by accident).
 * Collects first when enough was allocated since the last time. Returns NULL with ENOMEM when the
 * limit is reached or the system has no memory, a collection included.
 */
void *gc_malloc(size_t size);
void *gc_malloc_leaf(size_t size);

/*
 * Find what is reached and free the rest; pages that are free in long runs go back to the system.
 * Returns 0, or -1 with the errno of reading /proc/self/maps: then nothing is freed.
 */
int gc_collect(void);

/*
 * Let @bytes be allocated between two collections that come by themselves, or as much as was in use
 * after the last one if that is more. SIZE_MAX: none come by themselves. At first 1 MiB.
 */
void gc_set_threshold(size_t bytes);

/*
 * Look for pointers in [@start, @end) too. Returns 0, or -1 with ENOMEM: there are too many.
 * gc_remove_roots() takes such a range back; -1 with ENOENT when there is none that starts there.
 */
int gc_add_roots(const void *start, const void *end);
int gc_remove_roots(const void *start);

/* The start of the block that @address is in, or NULL; and the bytes of that block, or 0. */
void *gc_base(const void *address);
size_t gc_size(const void *address);

struct gc_stats {
	size_t limit, heap;	    /* bytes that may be used; that are mapped */
	size_t blocks, bytes;	    /* in use, with what is garbage but not yet collected */
	size_t total_blocks, total; /* ever allocated: blocks, bytes */
	size_t collections;
	/* Of the last collection: */
	size_t freed_blocks, freed;
	size_t root_words, root_hits; /* words looked at outside of the heap; that were addresses */
	size_t heap_words;
	size_t depth;	 /* most entries on the mark stack */
	size_t rescans;	 /* because the mark stack was full */
	size_t returned; /* bytes given back to the system */
	unsigned long long mark_ns, sweep_ns;
};

void gc_get_stats(struct gc_stats *stats);

/* Limit the mark stack to @entries, at least 1, at most what it has: for tests. */
void gc_limit_mark_stack(size_t entries);

/* Verify all invariants of the heap. Returns NULL, or a sentence about the first that is broken. */
const char *gc_check(void);

/*
 * Print who points to whom, one block a line, garbage too: as plain text, or for dot(1) of
 * Graphviz. Blocks are called by their offset in the heap; @label, or NULL, may write a name for
 * the block at @start into @text. Frees nothing. Returns 0, or -1 with errno as gc_collect().
 */
enum gc_format { GC_TEXT, GC_DOT };
typedef void gc_label_fn(const void *start, size_t size, char *text, size_t room);
int gc_dump(FILE *out, enum gc_format format, gc_label_fn *label);

#endif
