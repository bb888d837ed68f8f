/*
 * watermark.h - how much memory stays free, who sees to it, and what an allocation does when there
 * is too little. mm/watermark.c has the drawing.
 */
#ifndef RAVEL_MM_WATERMARK_H
#define RAVEL_MM_WATERMARK_H

#include "mm/blocks.h"

/* Pages in free blocks. All 0 until watermarks_init(): everything may be used. */
extern unsigned long mark_min, mark_low, mark_high;

/* Boot: sets the marks by the size of memory. */
void watermarks_init(void);
/* /proc/sys/vm/min_free_kbytes, and what is to be done when it was changed. */
extern unsigned long min_free_kbytes;
void watermarks_changed(void);

/* The kernel thread; it does not return. */
void kswapd(void *arg);
/*
 * It is to look now; false: it has been asked already, or rests because nothing was to be had. Any
 * context in which a page may be allocated.
 */
bool kswapd_wake(void);
/* What it does then: balances, tries again for a while, and rests if that was in vain. */
void kswapd_work(void);
/* Reclaims until the high mark is reached; false: nothing more can be had. */
bool kswapd_balance(void);

/* Some pages were taken: wakes kswapd if too few are left. */
static inline void look_at_watermark(void)
{
	if (unlikely(nr_block_pages() < READ_ONCE(mark_low)))
		kswapd_wake();
}

/* True when the reserve is all that is left: it is not for what nobody has asked for. */
static inline bool memory_is_short(void)
{
	return unlikely(nr_block_pages() < READ_ONCE(mark_min));
}

/*
 * The current task needs a block of @order, and has tried @tries times before: reclaims, or waits
 * for others who do. False: there is no point in another try. May sleep; no spinlock is held.
 */
bool reclaim_for(unsigned order, unsigned tries);

#endif
