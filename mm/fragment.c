/*
 * fragment.c - how broken up free memory is.
 *
 *	free blocks      order 0: 4         1: 1      2: 0      3: 1         14 pages
 *	                 [.][.][.][.]       [..]                [........]
 *
 *	unusable_index   order 0: 0         1: 285    2: 428    3: 428       4: 1000
 *	of use to it              all 14    10        8         8            none
 *
 *	Order o can use the blocks of order o and above; the rest is free and of no use to it
 *	(in thousandths). At 1000 the next allocation of that order fails, and extfrag_index()
 *	says whether for want of memory or of order:
 *
 *	extfrag_index = 1 - (1 + free / wanted) / blocks      pages, pages, number of free blocks
 *
 *	One block that is nearly large enough: 1 - (1 + 1) / 1 < 0, taken as 0: memory is short.
 *	The same memory in a thousand pieces: 1 - (1 + 1) / 1000: put together, it would do.
 *
 * Single pages that harts keep for themselves (pcp) are on no list and are not counted.
 * Locks: none; the counts are the caller's copy. Source: Gorman and Whitcroft, "Measuring the
 * impact of the Linux memory manager", 2005; the shape is that of Linux's debugfs/extfrag.
 */
#include "mm/fragment.h"

#define WHOLE 1000 /* indexes are thousandths */

/* Pages in free blocks of at least @order. */
static unsigned long pages_from(const struct buddy_stats *stats, unsigned order)
{
	unsigned long pages = 0;

	for (unsigned o = order; o <= MAX_ORDER; o++)
		pages += stats->nr_free[o] << o;
	return pages;
}

int unusable_index(const struct buddy_stats *stats, unsigned order)
{
	unsigned long all = pages_from(stats, 0);

	if (all == 0)
		return WHOLE;
	return (all - pages_from(stats, order)) * WHOLE / all;
}

int extfrag_index(const struct buddy_stats *stats, unsigned order)
{
	unsigned long all = pages_from(stats, 0), blocks = 0;
	unsigned long short_by;

	if (pages_from(stats, order) > 0)
		return -WHOLE;
	for (unsigned o = 0; o <= MAX_ORDER; o++)
		blocks += stats->nr_free[o];
	if (blocks == 0)
		return 0;
	short_by = (WHOLE + all * WHOLE / (1UL << order)) / blocks;
	return short_by < WHOLE ? WHOLE - short_by : 0;
}
