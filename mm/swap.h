/*
 * swap.h - anonymous memory on a disk. mm/swap.c has the drawing.
 *
 * An entry is a pte_t with PTE_SWAP (arch/riscv/pte.h): what PTEs hold, and what names a slot.
 */
#ifndef RAVEL_MM_SWAP_H
#define RAVEL_MM_SWAP_H

#include "mm/page.h"

struct block_device;
struct mm;

/* ---- references of PTEs to slots; any task context, spinlocks may be held ---- */

/* One more PTE holds @entry; another, which is held in place, or a cached page has the slot. */
void swap_dup(pte_t entry);
/* One less. The last one gives the slot back, and the page that may be cached for it. */
void swap_put(pte_t entry);
/* How many PTEs hold @entry; 0 also if it names nothing. */
unsigned swap_count(pte_t entry);

/* ---- out (mm/swapout.c) ---- */

/*
 * Anonymous pages leave memory: @pages, @nr of them, up to SWAP_CLUSTER, each with one reference of
 * the caller's and locked. They get slots in a row, every PTE becomes a swap entry, and those that
 * differ from their slot are written in as few requests as their slots allow; sleeps until that is
 * done. Returns how many are free but for the caller's reference; those come first in @pages. The
 * others (mapped again, locked in memory, no slot left, a failed write) are as they were, or mapped
 * nowhere but still cached. All stay locked. Allocates nothing.
 */
#define SWAP_CLUSTER 32
unsigned swap_out(struct page **pages, unsigned nr);

/*
 * Some PTE has become a swap entry, but a hart may still translate by what it was. Asked by who
 * found an entry, before its leaf lock is released, and must be sure: he flushes then.
 */
extern atomic_t swap_unflushed_batches;

static inline bool swap_is_unflushed(void)
{
	return atomic_read(&swap_unflushed_batches) > 0;
}

/* ---- in (mm/swapin.c) ---- */

#define PAGE_CLUSTER_MAX 5 /* 1 << that many: SWAP_CLUSTER */

/* A fault reads up to 1 << page_cluster pages, its own too: /proc/sys/vm/page-cluster. */
extern unsigned long page_cluster;

/* ---- the swap cache (mm/swap_cache.c) ---- */

/*
 * Locked anonymous @page leaves the cache if no PTE holds its entry any more: then its slot is
 * free, and the caller may have the last reference. True also when it was in no cache; false: some
 * PTE holds it.
 */
bool swap_cache_drop(struct page *page);
/* The last PTE of @page is gone, or is the caller's: the same, if nobody has the page lock. */
bool swap_cache_try_drop(struct page *page);
/*
 * No PTE maps referenced @page, or holds its entry, any more, it seems: it leaves the cache now, or
 * when who has the page lock lets go of it. Spinlocks may be held.
 */
void swap_cache_unwanted(struct page *page);
/* For unlock_page(): does that if it is still so. @page is locked. */
void swap_cache_drop_unwanted(struct page *page);
/* The page cached for @entry, with a reference, whatever its state; NULL: none. */
struct page *swap_cache_get(pte_t entry);
/* True when @entry has a cached page. */
bool swap_is_cached(pte_t entry);
/*
 * True when one PTE holds @entry, and nobody has its page but the cache and, for locked @page, the
 * caller; @page NULL: whichever page is cached, if any.
 */
bool swap_is_only_one(pte_t entry, const struct page *page);
/* True when swap_cache_try_drop(@page) would find that no PTE holds its entry. */
bool swap_cache_is_removable(const struct page *page);
/* Pages in the cache. */
unsigned long swap_nr_cached(void);
/* Of them, those that could not be written, and so have no other place. */
unsigned long swap_nr_stuck(void);

/* ---- the areas ---- */

/* True when anonymous pages have a place to go to. */
bool swap_has_room(void);
/* Slots that can be used, of all areas, and those of them that are free. */
unsigned long swap_nr_slots(void), swap_nr_free(void);
/* True when so much is in use that a page which is here again should give its slot back. */
bool swap_is_tight(void);

/* True while the area of @entry, a slot that somebody has, is being given up. */
bool swap_is_closing(pte_t entry);

/* One area, as /proc/swaps shows it. */
struct swap_info {
	char name[64];
	unsigned long slots, used;
	int prio;
};

/* Fills @info for area number @i; false: there is none of that number. */
bool swap_get_info(unsigned i, struct swap_info *info);

/* ---- swapon(2), swapoff(2) (mm/swapon.c, mm/swapoff.c) ---- */

#define SWAP_FLAG_PREFER    0x8000
#define SWAP_FLAG_PRIO_MASK 0x7fff
/* The disk is told what is free: at swapon and later; with one of the others only then. */
#define SWAP_FLAG_DISCARD	0x10000
#define SWAP_FLAG_DISCARD_ONCE	0x20000 /* the whole area, at swapon */
#define SWAP_FLAG_DISCARD_PAGES 0x40000 /* clusters, when their last slot is freed */
#define SWAP_FLAGS_VALID	0x7ffff

/*
 * The swap area on @bdev is used from now on, as @name in /proc/swaps. 0; -EBUSY: it is already;
 * -EROFS: it cannot be written; -EINVAL: no valid header; -EPERM: too many areas; -ENOMEM, -EIO.
 * Discards that the disk does not take, or that fail, are no failure: then there are none.
 */
int swap_area_on(struct block_device *bdev, const char *name, int flags);
/*
 * Everything on it (NULL: on some area) comes back, and it is used no more. 0; -EINVAL: it is no
 * area; -ENOMEM: no room for it all in memory; -EINTR: a fatal signal; -EIO: an unreadable page.
 * Then it is used as before.
 */
int swap_area_off(struct block_device *bdev);
/* Freed clusters are told to the disk (mm/swap_discard.c): a kernel thread; it does not return. */
void swap_discarder(void *arg);
/* True when @bdev is a swap area. */
bool swap_uses(const struct block_device *bdev);

/* ---- the checkers' (mm/check.c); the machine is stopped ---- */

/* Takes one off the count of @entry, or with +1 puts it back; false: there is none to take. */
bool swap_recount(pte_t entry, int by);
/*
 * Slots whose count is not 0 now, that are used by nobody, or whose cached page is not theirs; and
 * areas of which more or less is taken than somebody has.
 */
int swap_check(void);

#endif
