/*
 * reclaim.c - memory back from the page cache, when the allocator has nothing left.
 *
 *	lru: oldest -> [page] [page] [page] ... newest     every cache page that could be read again
 *
 *	from the oldest end: referenced since the last look -> second chance, to the newest end
 *	                     mapped, locked or in use        -> likewise
 *	                     idle and clean                  -> out of the cache, freed
 *
 * Mapped pages and anonymous memory stay here: unmapping by reverse walk and swap are a later
 * issue.
 *
 * Invariant: a page is on the list exactly while it is in the tree of a mapping with backing store.
 * Locks: lru_lock is inside as->lock (pages come and go under that) and outside the buddy's. Taking
 * a page off needs as->lock, so the scan takes a reference, drops lru_lock, and lets filemap.c try.
 */
#include "arch/riscv/hart.h"
#include "kernel/panic.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/vmstat.h"

unsigned long swappiness = 60; /* nothing asks for it before there is swap */

static struct spinlock lru_lock;
static struct list_head lru = LIST_HEAD_INIT(lru);
static unsigned long nr_lru;

void lru_add(struct page *page)
{
	spin_lock(&lru_lock);
	list_add_tail(&page->lru, &lru);
	nr_lru++;
	spin_unlock(&lru_lock);
}

void lru_del(struct page *page)
{
	spin_lock(&lru_lock);
	list_del(&page->lru);
	nr_lru--;
	spin_unlock(&lru_lock);
}

/* The oldest page with a reference, moved to the newest end; NULL: the list is empty. */
static struct page *next_candidate(void)
{
	struct page *page = NULL;

	spin_lock(&lru_lock);
	if (!list_empty(&lru)) {
		page = list_first_entry(&lru, struct page, lru);
		list_move_tail(&page->lru, &lru);
		page_get(page); /* the tree's own reference cannot go while lru_lock is held */
	}
	spin_unlock(&lru_lock);
	return page;
}

static bool try_drop(struct page *page)
{
	if (page_flags(page) & PG_REFERENCED) {
		page_clear_flags(page, PG_REFERENCED);
		return false;
	}
	return filemap_drop_idle(page);
}

unsigned long shrink_page_cache(unsigned long nr)
{
	/* Twice around: the first look may only take second chances away. */
	unsigned long scan = READ_ONCE(nr_lru) * 2, dropped = 0;

	BUG_ON(this_hart()->spin_depth != 0);
	while (scan-- > 0 && dropped < nr) {
		struct page *page = next_candidate();

		if (!page)
			break;
		if (try_drop(page))
			dropped++;
		page_put(page);
	}
	count_vm_n(VM_cache_reclaimed, dropped);
	return dropped;
}
