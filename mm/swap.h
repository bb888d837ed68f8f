/*
 * swap.h - anonymous memory on a disk. mm/swap.c has the drawing.
 *
 * An entry is a pte_t with PTE_SWAP (arch/riscv/pte.h): what PTEs hold, and what names a slot.
 */
#ifndef RAVEL_MM_SWAP_H
#define RAVEL_MM_SWAP_H

#include "mm/page.h"

/* ---- references of PTEs to slots; any task context, spinlocks may be held ---- */

/* One more PTE holds @entry, which another, that is held in place, holds already. */
void swap_dup(pte_t entry);
/* One less. The last one gives the slot back, and the page that may be cached for it. */
void swap_put(pte_t entry);

/* ---- out ---- */

/*
 * Anonymous pages leave memory: @pages, @nr of them, up to SWAP_CLUSTER, each with one reference of
 * the caller's and locked. They get slots in a row, every PTE becomes a swap entry, and those that
 * differ from their slot are written in as few requests as their slots allow; sleeps until that is
 * done. Returns how many are free but for the caller's reference; those come first in @pages. The
 * others (mapped again, locked in memory, no slot left, a failed write) are as they were, or mapped
 * nowhere but still cached. All stay locked.
 */
#define SWAP_CLUSTER 32
unsigned swap_out(struct page **pages, unsigned nr);

/* ---- the swap cache ---- */

/*
 * Locked anonymous @page, with PG_SWAPCACHE, leaves the cache if no PTE holds its entry any more:
 * then its slot is free, and the caller may have the last reference. False: some do.
 */
bool swap_cache_drop(struct page *page);
/* The last PTE of @page is gone, or is the caller's: the same, if nobody has the page lock. */
bool swap_cache_try_drop(struct page *page);

/* True when anonymous pages have a place to go to. */
bool swap_has_room(void);
unsigned long swap_nr_slots(void), swap_nr_free(void);

#endif
