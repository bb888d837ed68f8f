/*
 * shmem_swap.c - shared memory without a disk leaves memory, and comes back.
 *
 *	tree of the mapping    [0: page] [1: page] [2: entry|1] [3: -]
 *	                                              |
 *	slot                                          count 1, frame: the page, while it is cached
 *
 *	out    1. every PTE of the page goes: the next touch is a fault that asks the mapping
 *	       2. the page gets a slot, and the entry its place in the tree: from now on it is an
 *	          anonymous page of the swap cache, whose entry the tree holds as a PTE would
 *	       3. swap_out() writes it and lets it go
 *
 *	in     who misses the page (a fault, read, write) finds the entry, by it the page in the
 *	       swap cache, reads it if there is none, and waits for its lock; then the page takes
 *	       its place in the tree again, and the slot is given back, since nothing tells when it
 *	       is stored to
 *
 * Step 2 needs a page that nobody but the tree and the caller has: under as->lock nobody can get
 * it, so what is written is what all have stored. Bytes past the end of the file are made zeros
 * then, which growing relies on; they are nobody's.
 *
 * Who truncates or punches takes the entry out of the tree, and with it the last count of the slot.
 *
 * Invariants: a mapping with entries is on shmem_swapped; entries are tagged RADIX_TAG_SWAPPED, and
 * nr_swapped counts them; each is one count of its slot (vm_check_all()).
 * Locks: the page lock; inside it shmem_swap_lock, for the list of mappings, which also keeps those
 * on it from ending; inside that as->lock, then swap_lock.
 */
#include "mm/shmem.h"

#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/task.h"
#include "lib/err.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/rmap.h"
#include "mm/swap_internal.h"
#include "mm/vmstat.h"
#include "mm/window.h"

static struct spinlock shmem_swap_lock = SPINLOCK_INIT;
static struct list_head shmem_swapped = LIST_HEAD_INIT(shmem_swapped);

/* ---- out ---- */

/* Nobody but the tree and the caller has @page. as->lock held. */
static bool is_ours(const struct address_space *as, const struct page *page)
{
	return page->mapping == as && atomic_read(&page->mapcount) == 0 &&
	       atomic_read(&page->refcount) == 2 && !as->growing;
}

static void zero_past_end(const struct address_space *as, struct page *page)
{
	unsigned offset = as->size & (PAGE_SIZE - 1);

	if (offset > 0 && page->index == as->size >> PAGE_SHIFT)
		memset((char *)page_address(page) + offset, 0, PAGE_SIZE - offset);
}

/* Locked @page, unmapped, becomes one of the swap cache. Both locks held. False: it may not. */
static bool change_places(struct address_space *as, struct page *page)
{
	if (!is_ours(as, page) || swap_cache_add(&page, 1) == 0)
		return false;
	zero_past_end(as, page);
	swap_dup(page->swap); /* the tree's */
	filemap_swap_page(as, page, page->swap);
	page->type = PAGE_ANON;
	page_clear_flags(page, PG_SHMEM);
	shmem_account_swapped(1);
	if (list_empty(&as->swapped_link))
		list_add_tail(&as->swapped_link, &shmem_swapped);
	return true;
}

static bool into_swap_cache(struct page *page)
{
	struct address_space *as = page->mapping; /* stays while it is locked */
	bool done;

	if (page->type != PAGE_FILE || !as || !(page_flags(page) & PG_UPTODATE) ||
	    READ_ONCE(as->kept_in_memory) || !unmap_page_unless_locked(as, page))
		return false;
	window();
	spin_lock(&shmem_swap_lock);
	spin_lock(&as->lock);
	done = change_places(as, page);
	spin_unlock(&as->lock);
	spin_unlock(&shmem_swap_lock);
	if (done)
		page_put(page); /* the tree's */
	return done;
}

unsigned shmem_swap_out(struct page **pages, unsigned nr)
{
	unsigned cached = 0;

	swap_discard_wait();
	for (unsigned i = 0; i < nr; i++) {
		struct page *page = pages[i];

		if (!swap_has_room() || !into_swap_cache(page))
			continue;
		pages[i] = pages[cached];
		pages[cached++] = page;
	}
	return cached > 0 ? swap_out(pages, cached) : 0;
}

/* ---- in ---- */

/* Locked @page, cached for @entry, takes its place in the tree, if still there. as->lock held. */
static void take_place(struct address_space *as, unsigned long index, struct page *page,
		       pte_t entry)
{
	if (radix_tree_lookup(&as->pages, index) != swapped_item(entry))
		return;
	filemap_unswap_page(as, page, index);
	shmem_account_swapped(-1);
	swap_put(entry);
	BUG_ON(!swap_cache_drop(page)); /* the tree's count was the only one */
	page_clear_flags(page, PG_DIRTY | PG_UNWANTED);
}

/* The page cached for @entry, locked and with a reference, read if need be; NULL: look again. */
static struct page *lock_cached(pte_t entry)
{
	struct page *page = swap_cache_get(entry);
	int err;

	if (!page) {
		err = swap_read_in(entry, true);
		return err ? ERR_PTR(err) : NULL;
	}
	window();
	lock_page(page);
	if ((page_flags(page) & PG_SWAPCACHE) && page->swap.val == entry.val)
		return page;
	unlock_page(page);
	page_put(page);
	return NULL;
}

int shmem_bring_back(struct address_space *as, unsigned long index)
{
	for (;;) {
		struct page *page;
		void *item;

		spin_lock(&as->lock);
		item = radix_tree_lookup(&as->pages, index);
		spin_unlock(&as->lock);
		if (!item_is_swapped(item))
			return item != NULL;
		page = lock_cached(swapped_entry(item));
		if (IS_ERR(page))
			return PTR_ERR(page);
		if (!page)
			continue;
		spin_lock(&as->lock);
		take_place(as, index, page, swapped_entry(item));
		spin_unlock(&as->lock);
		unlock_page(page);
		page_put(page);
	}
}

struct page *shmem_hold_part(struct address_space *as, u64 pos)
{
	struct page *page = NULL;
	int there = 1;

	if (!as->ops->no_backing || offset_in_page(pos) == 0)
		return NULL;
	while (there > 0 && !page) {
		there = shmem_bring_back(as, pos >> PAGE_SHIFT);
		if (there > 0)
			page = find_get_page(as, pos >> PAGE_SHIFT);
	}
	return there < 0 ? ERR_PTR(there) : page;
}

void shmem_forget_swapped(struct address_space *as, unsigned long index, void *item)
{
	shmem_account_swapped(-1); /* before it is no page: shmem_nr_pages() has no lock */
	filemap_forget_swapped(as, index);
	swap_put(swapped_entry(item));
}

void shmem_swap_done(struct address_space *as)
{
	if (list_empty(&as->swapped_link)) /* nobody puts it there any more */
		return;
	spin_lock(&shmem_swap_lock);
	list_del(&as->swapped_link);
	spin_unlock(&shmem_swap_lock);
}

/* ---- swapoff ---- */

/* Where an entry is. */
struct place {
	struct address_space *as;
	unsigned long index;
	pte_t entry;
};

#define BATCH 16

/* The first entry of @area in p->as, from index @first on. */
static bool find_in_tree(struct place *p, unsigned area, unsigned long first)
{
	unsigned long indexes[BATCH];
	void *items[BATCH];
	unsigned nr;

	do {
		nr = radix_tree_gang_lookup_tag(&p->as->pages, items, indexes, first, BATCH,
						RADIX_TAG_SWAPPED);
		for (unsigned i = 0; i < nr; i++) {
			p->index = indexes[i];
			p->entry = swapped_entry(items[i]);
			if (swap_entry_area(p->entry) == area)
				return true;
		}
		first = nr > 0 ? indexes[nr - 1] + 1 : 0;
	} while (nr == BATCH);
	return false;
}

/*
 * The next place of @area after *@p (as NULL: the first). Begun at the beginning each time, all
 * entries of other areas would be passed by for each of this one. False: none to the end, or the
 * mapping of *@p has gone.
 */
static bool find_next_place(struct place *p, unsigned area)
{
	unsigned long first = p->as ? p->index + 1 : 0;
	const struct address_space *last = p->as;
	bool found = false;

	spin_lock(&shmem_swap_lock);
	list_for_each_entry(p->as, &shmem_swapped, swapped_link) {
		if (last && p->as != last)
			continue;
		last = NULL;
		spin_lock(&p->as->lock);
		found = find_in_tree(p, area, first);
		spin_unlock(&p->as->lock);
		if (found)
			break;
		first = 0;
	}
	spin_unlock(&shmem_swap_lock);
	return found;
}

/* Once more from the beginning, before it is said that there is none. */
static bool find_place(struct place *p, unsigned area)
{
	if (p->as && find_next_place(p, area))
		return true;
	p->as = NULL;
	return find_next_place(p, area);
}

/* If the mapping has ended meanwhile, its entries have, too. */
static void take_place_if_there(const struct place *p, struct page *page)
{
	struct address_space *as;

	spin_lock(&shmem_swap_lock);
	list_for_each_entry(as, &shmem_swapped, swapped_link) {
		if (as != p->as)
			continue;
		spin_lock(&as->lock);
		take_place(as, p->index, page, p->entry);
		spin_unlock(&as->lock);
		break;
	}
	spin_unlock(&shmem_swap_lock);
}

int shmem_bring_area_back(unsigned area)
{
	struct place p = { .as = NULL };

	while (find_place(&p, area)) {
		struct page *page = current->killed ? ERR_PTR(-EINTR) : lock_cached(p.entry);

		if (IS_ERR(page))
			return PTR_ERR(page);
		if (page) {
			take_place_if_there(&p, page);
			unlock_page(page);
			page_put(page);
		}
		cond_resched();
	}
	return 0;
}

/* ---- the checker's ---- */

static int recount_tree(struct address_space *as, int by)
{
	unsigned long indexes[BATCH], first = 0, found = 0;
	void *items[BATCH];
	int faults = 0;
	unsigned nr;

	do {
		nr = radix_tree_gang_lookup_tag(&as->pages, items, indexes, first, BATCH,
						RADIX_TAG_SWAPPED);
		for (unsigned i = 0; i < nr; i++) {
			if (!item_is_swapped(items[i]) ||
			    !swap_recount(swapped_entry(items[i]), by))
				faults++;
		}
		first = nr > 0 ? indexes[nr - 1] + 1 : 0;
		found += nr;
	} while (nr == BATCH);
	if (faults > 0 || found != as->nr_swapped)
		printk("shmem: %lu entries found of %lu, %d name no slot\n", found, as->nr_swapped,
		       faults);
	return faults + (found != as->nr_swapped);
}

int shmem_recount(int by)
{
	struct address_space *as;
	int faults = 0;

	list_for_each_entry(as, &shmem_swapped, swapped_link)
		faults += recount_tree(as, by);
	return faults;
}
