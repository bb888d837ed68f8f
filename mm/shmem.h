/*
 * shmem.h - mappings whose pages live only in the cache (tmpfs).
 */
#ifndef RAVEL_MM_SHMEM_H
#define RAVEL_MM_SHMEM_H

#include "mm/filemap.h"

/* The cache tells how many pages of @as came (> 0) or went (< 0), in memory or in swap. */
void shmem_account(struct address_space *as, long n);
/* May @as have a page more? Neither all memory, nor what may be promised, is used up by it. */
bool shmem_has_room(const struct address_space *as);
/* Pages that all of them together have, in memory or in swap. */
unsigned long shmem_nr_used(void);
/* The most pages that all of them together may take: half of the memory. */
unsigned long shmem_max_pages(void);

/* ---- in swap areas (mm/shmem_swap.c) ---- */

/* What a mapping's tree may hold instead of a page: a swap entry, told from pointers by bit 0. */
static inline bool item_is_swapped(const void *item)
{
	return (unsigned long)item & 1;
}

static inline void *swapped_item(pte_t entry)
{
	return (void *)(entry.val | 1);
}

static inline pte_t swapped_entry(const void *item)
{
	return (pte_t){ (unsigned long)item & ~1UL };
}

/*
 * Pages of such mappings leave memory: as swap_out(), for @nr locked @pages with a reference of the
 * caller's each. What is mapped is unmapped, unless it is locked in memory. Returns how many are
 * free but for the caller's reference; those come first in @pages. The others are as they were,
 * unmapped maybe, or in the swap cache. All stay locked.
 */
unsigned shmem_swap_out(struct page **pages, unsigned nr);
/*
 * Page @index of @as is in memory afterwards: 1; 0: it is a hole; -ENOMEM, -EIO. It may go again
 * unless the caller gets a reference. Sleeps.
 */
int shmem_bring_back(struct address_space *as, unsigned long index);
/*
 * The page of position @pos with a reference, from swap if need be, so that it stays in memory; NULL
 * if @pos begins a page or is in a hole; or ERR_PTR(). Sleeps.
 */
struct page *shmem_hold_part(struct address_space *as, u64 pos);
/* Page @index, of which the tree has the swap entry @item, is a hole now. as->lock held. */
void shmem_forget_swapped(struct address_space *as, unsigned long index, void *item);
/* @as, of which nothing is in swap any more, is about to end. */
void shmem_swap_done(struct address_space *as);
/* Everything of swap area @area is in memory again. 0, or -ENOMEM, -EIO, -EINTR half-way. */
int shmem_bring_area_back(unsigned area);
/* How many pages more are in swap. */
void shmem_account_swapped(long n);
/*
 * For the checker, with the machine stopped: adds @by to the count of the slot of each entry in the
 * trees; returns the number of faults, printed.
 */
int shmem_recount(int by);

/* ---- the tree's part (mm/filemap.c); as->lock held ---- */

/* The entry takes the place of locked @page, whose reference of the tree is the caller's then. */
void filemap_swap_page(struct address_space *as, struct page *page, pte_t entry);
/* @page takes the place of the entry at @index, and the tree gets a reference. */
void filemap_unswap_page(struct address_space *as, struct page *page, unsigned long index);
/* The entry at @index goes. */
void filemap_forget_swapped(struct address_space *as, unsigned long index);

#endif
