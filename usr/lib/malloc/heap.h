/*
 * heap.h - the state of libumalloc and what its files offer each other.
 *
 *	umalloc.c	malloc() and the rest of the family: checks, errno, the lock
 *	    |
 *	    +-- runs.c		popular sizes up to 128 bytes: objects without heads
 *	    |     |
 *	    +-----+-- heap.c	everything else below the mmap threshold: blocks with boundary tags
 *	    |           +-- bins.[hc]	the free ones of them, by size
 *	    |           +-- brk.c	where the heap ends: growing, trimming, madvise()
 *	    +-- large.c		mappings of their own
 *	info.c, check.c		tell and check
 *
 * Locks: one, around everything here (umalloc.c takes it); a process with one thread takes none.
 */
#ifndef RAVEL_USR_LIB_MALLOC_HEAP_H
#define RAVEL_USR_LIB_MALLOC_HEAP_H

#include "usr/lib/malloc/block.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define BINS	     128
#define PAGE	     4096UL
#define RUN_BYTES    PAGE /* one run; its payload is aligned to that */
#define RUN_CLASSES  9	  /* class c has objects of 16 * c bytes; 0 is not used */
#define RUN_MAX	     ((RUN_CLASSES - 1) * ALIGNMENT)
#define FIRST_OBJECT 32 /* where the objects begin in a run */
#define HEAP_SHARE   8	/* the first run of a class takes at most this part of the heap */

/*
 * A run: a block of the heap whose payload is one aligned page, cut into objects of one size.
 * Objects are named by their offset in the page; 0 is none.
 */
struct run {
	struct run *next, *prev; /* of the class, while an object is free */
	uint16_t free;		 /* the first free object; it begins with the offset of the next */
	uint16_t used;		 /* objects in use */
};

_Static_assert(sizeof(struct run) <= FIRST_OBJECT, "objects lie behind struct run");

struct um_heap {
	char *base;	   /* the first head; NULL before the first brk() */
	struct block *top; /* the block that ends the heap; on no list; may have 0 bytes */
	char *end;	   /* behind top; the break is HEAD bytes further */

	uint64_t nonempty[BINS / 64]; /* a bin whose bit is clear is empty */
	struct block *bins[BINS];

	struct run *partial[RUN_CLASSES];      /* runs with a free object */
	size_t runs[RUN_CLASSES];	       /* all runs of a class */
	size_t loose[RUN_MAX / ALIGNMENT + 3]; /* used blocks of 16 * i bytes that are no run */
	uint8_t *run_map; /* by page from run_map_base: the run's class, or 0 */
	size_t run_map_pages;
	uintptr_t run_map_base;

	size_t mapped, mapped_blocks; /* large blocks: bytes and number */
	size_t peak;		      /* most bytes of heap and mappings so far */
	size_t freed_big;	      /* bytes that came free in big blocks since the last purge */

	size_t trimmed, regrown; /* bytes that top gave back, and took again */

	/* tunables of mallopt() */
	size_t mmap_threshold, trim_threshold, top_pad;
	bool dynamic; /* freed mappings raise the thresholds */
};

extern struct um_heap um_heap;

/* bins.c, bins.h: the free blocks */
struct block *um_bin_find_aligned(size_t size, size_t alignment);
void um_bins_each(size_t min_size, void (*visit)(struct block *block));

/* brk.c: the end of the heap */
bool um_grow(size_t size);
size_t um_trim_top(size_t pad);
bool um_trim(size_t pad);
void um_note_peak(void);
void um_note_freed(struct block *block, size_t size);

static inline size_t um_top_size(void)
{
	return um_heap.end - (char *)um_heap.top;
}

/* heap.c: blocks with boundary tags */
void *um_heap_alloc(size_t size);
struct block *um_block_alloc_aligned(size_t size, size_t alignment);
void um_block_free(struct block *block);
void *um_block_resize(struct block *block, size_t bytes);

/* runs.c: small objects */
bool um_run_create(unsigned int class);
void um_run_filled(struct run *run, unsigned int class);
void um_run_emptier(struct run *run, unsigned int class);
void um_runs_release(void);
bool um_run_check(struct run *run, unsigned int class);

static inline size_t um_run_capacity(unsigned int class)
{
	return (RUN_BYTES - HEAD - FIRST_OBJECT) / (class * ALIGNMENT);
}

/*
 * Is it time for one more run of this class, whose requests are blocks of so many bytes else?  The
 * first: when as many as would fill it are in use.
 */
static inline bool um_run_wanted(unsigned int class, size_t size)
{
	if (um_heap.runs[class])
		return true;
	return unlikely((um_heap.loose[size / ALIGNMENT] + 1) * class * ALIGNMENT >
			RUN_BYTES - HEAD - FIRST_OBJECT) &&
	       (size_t)(um_heap.end - um_heap.base) >= HEAP_SHARE * RUN_BYTES;
}

/* The class of the run that this payload is an object of, or 0. */
static inline unsigned int um_run_class(void *payload)
{
	size_t page = (uintptr_t)payload / RUN_BYTES - um_heap.run_map_base;

	return page < um_heap.run_map_pages ? um_heap.run_map[page] : 0;
}

/* An object of a run that has a free one. */
static inline void *um_run_alloc(struct run *run, unsigned int class)
{
	uint16_t *object = (uint16_t *)((char *)run + run->free);

	run->used++;
	run->free = *object;
	if (unlikely(!run->free))
		um_run_filled(run, class);
	return object;
}

static inline void um_run_free(void *payload, unsigned int class)
{
	struct run *run = (struct run *)((uintptr_t)payload & -(uintptr_t)RUN_BYTES);
	uint16_t next = run->free;

	*(uint16_t *)payload = next;
	run->free = (char *)payload - (char *)run;
	run->used--;
	if (unlikely(!next || !run->used))
		um_run_emptier(run, class);
}

/* large.c: mappings */
void *um_large_alloc(size_t bytes, size_t alignment);
void um_large_free(struct block *block);
void *um_large_resize(struct block *block, size_t bytes);
size_t um_large_usable(struct block *block);

/* check.c: what is wrong and where, or NULL */
const char *um_check_heap(const void **where);

/* umalloc.c: what others build on, with the lock held */
void *um_alloc(size_t bytes);
bool um_lock(void);
void um_unlock(bool locked);

#endif
