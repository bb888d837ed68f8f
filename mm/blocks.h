/*
 * blocks.h - what mm/buddy.c (blocks) and mm/page_alloc.c (who asks for them) know of each other.
 */
#ifndef RAVEL_MM_BLOCKS_H
#define RAVEL_MM_BLOCKS_H

#include "kernel/lock.h"
#include "mm/page.h"

extern struct spinlock buddy_lock; /* held by the callers of what follows */

/* The first frame of a free block of @order, off the lists, not prepared; NULL: there is none. */
struct page *block_alloc(unsigned order);
/* Gives a block back, which is marked free; melts it with its buddies. */
void block_free(struct page *page, unsigned order);
/* Marks the frames [pfn, end) free and gives them back as the largest blocks they make up. */
void free_run(unsigned long pfn, unsigned long end);
/* The smallest order of which there is a free block; above MAX_ORDER: nothing is free. */
unsigned block_smallest(void);
/* Pages in free blocks. */
unsigned long nr_block_pages(void);
/* A block from a list, its owner's from now on; whoever's list it was on, with that lock held. */
void prepare_block(struct page *page, unsigned order);

/* Single pages on the harts' lists: for sums and for buddy_check(), which has paused the others. */
void pcp_init(void);
unsigned long pcp_nr_pages(void);
/* Adds what is listed to @listed. 0, or the number of faults, each printed. */
int pcp_check(unsigned long *listed);

#endif
