/*
 * reclaim.h - taking pages away. mm/reclaim.c has the drawing; mm/watermark.h says who asks.
 */
#ifndef RAVEL_MM_RECLAIM_H
#define RAVEL_MM_RECLAIM_H

#include "mm/lru.h"

struct reclaim_policy;

/* What one who reclaims may do, and what he has done so far. */
struct scan {
	const struct reclaim_policy *policy;
	bool unmap; /* take pages from programs: else only what nobody maps goes */
	bool write; /* write dirty pages of files */
	unsigned long looked[NR_LRU_LISTS];
	unsigned long nr_seen; /* pages; looked[] counts looks, also at a list that had none */
};

/*
 * Looks at up to @nr (at most LRU_BATCH) of the oldest pages of @list, and frees those that may go;
 * how many. May sleep for I/O of its own.
 */
unsigned shrink_list(enum lru_list list, unsigned nr, struct scan *scan);
/*
 * Frees about @wanted pages of any kind; how many. Ends early when there is nothing to be had.
 * @kswapd: the thread, which may write files' pages. May sleep; no spinlock is held.
 */
unsigned long shrink_memory(unsigned long wanted, bool kswapd);
/*
 * Frees the page tables that translate nothing, of all address spaces whose lock is free at the
 * moment; how many. Never sleeps; no spinlock is held (mm/table_reclaim.c).
 */
unsigned long reclaim_tables(void);

#endif
