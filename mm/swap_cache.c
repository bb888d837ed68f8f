/*
 * swap_cache.c - anonymous pages that have a slot: one frame for all PTEs that hold its entry.
 *
 *	                     swap_cache_add()                      _unread()
 *	a page in memory  ------------------->  cached  <--------------------  a slot that is read
 *	        ^                                 | |
 *	        '------ swap_cache_drop() --------' '-- swap_cache_release()
 *	          no PTE holds the entry: the slot       nobody has the page: the frame is free,
 *	          is free, the page stays                the slot keeps what it was
 *
 * The cache holds one reference. So a page that is in it is never written to without a fault: W
 * comes back to a PTE only for a page with one reference (cow.c), that is, after the page has left
 * the cache. A PTE with W may map a cached page only while swap_out() has the page lock, before it
 * has taken that PTE. Therefore a page that is not PG_DIRTY has its contents in its slot, whatever
 * D bits say.
 *
 * Who takes away the last thing that wanted a page (an entry, or a PTE) wants it out of the cache,
 * often with spinlocks held, when somebody else may have the page lock: for a write that is under
 * way, and must end before the slot is anybody else's. Then PG_UNWANTED stays on the page, and
 * unlock_page() looks again.
 *
 *	             set PG_UNWANTED, try the lock      unlock, and if PG_UNWANTED was set: again
 *
 * so one of the two finds both the lock free and the page unwanted.
 *
 * Invariants: PG_SWAPCACHE and page->swap go together with the slot's frame number, under
 * swap_lock; they change with the page lock held.
 * Locks: the page lock, from the caller, or by trying; swap_lock inside.
 */
#include "kernel/panic.h"
#include "mm/swap_internal.h"

unsigned long nr_swap_cached;

/* ---- with swap_lock held ---- */

static void attach(struct slot s, struct page *page, pte_t entry)
{
	page_get(page);
	s.table->frame[s.at] = page - mem_map + 1;
	page->swap = entry;
	page_set_flags(page, PG_SWAPCACHE);
	nr_swap_cached++;
}

/* The cache's reference is the caller's now. */
static void detach(struct slot s, struct page *page)
{
	s.table->frame[s.at] = 0;
	page_clear_flags(page, PG_SWAPCACHE);
	nr_swap_cached--;
	slot_check_free(s);
}

/* ---- into the cache ---- */

unsigned swap_cache_add(struct page **pages, unsigned nr)
{
	unsigned got;
	pte_t first;

	spin_lock(&swap_lock);
	got = slots_take(nr, &first);
	for (unsigned i = 0; i < got; i++) {
		pte_t entry = swap_entry_next(first, i);

		BUG_ON(page_flags(pages[i]) & PG_SWAPCACHE);
		attach(slot_find(entry), pages[i], entry);
		page_set_flags(pages[i], PG_DIRTY);
	}
	spin_unlock(&swap_lock);
	return got;
}

/* swap_lock held. */
static bool wants_read(pte_t entry, struct slot *s)
{
	return slot_look(entry, s) && s->table->count[s->at] > 0 && !slot_page(*s);
}

bool swap_wants_read(pte_t entry)
{
	struct slot s;
	bool wants;

	spin_lock(&swap_lock);
	wants = wants_read(entry, &s);
	spin_unlock(&swap_lock);
	return wants;
}

bool swap_cache_add_unread(struct page *page, pte_t entry)
{
	struct slot s;
	bool added;

	spin_lock(&swap_lock);
	added = wants_read(entry, &s);
	if (added)
		attach(s, page, entry);
	spin_unlock(&swap_lock);
	return added;
}

/* ---- looking ---- */

struct page *swap_cache_get(pte_t entry)
{
	struct page *page = NULL;
	struct slot s;

	spin_lock(&swap_lock);
	if (slot_look(entry, &s))
		page = slot_page(s);
	if (page)
		page_get(page);
	spin_unlock(&swap_lock);
	return page;
}

bool swap_is_cached(pte_t entry)
{
	struct slot s;
	bool cached;

	spin_lock(&swap_lock);
	cached = slot_look(entry, &s) && slot_page(s);
	spin_unlock(&swap_lock);
	return cached;
}

bool swap_is_only_one(pte_t entry, const struct page *page)
{
	int refs = page ? 2 : 1;
	bool only = false;
	struct slot s;

	spin_lock(&swap_lock);
	if (slot_look(entry, &s)) {
		page = slot_page(s);
		only = s.table->count[s.at] == 1 &&
		       (!page || (atomic_read(&page->mapcount) == 0 &&
				  atomic_read(&page->refcount) == refs));
	}
	spin_unlock(&swap_lock);
	return only;
}

/* swap_lock held. */
static bool is_removable(const struct page *page)
{
	struct slot s;

	if (!(page_flags(page) & PG_SWAPCACHE))
		return false;
	s = slot_find(page->swap);
	return s.table->count[s.at] == 0;
}

bool swap_cache_is_removable(const struct page *page)
{
	bool removable;

	spin_lock(&swap_lock);
	removable = is_removable(page);
	spin_unlock(&swap_lock);
	return removable;
}

unsigned long swap_nr_cached(void)
{
	return READ_ONCE(nr_swap_cached);
}

/* ---- out of the cache ---- */

bool swap_cache_drop(struct page *page)
{
	bool drop;

	if (!(page_flags(page) & PG_SWAPCACHE))
		return true;
	spin_lock(&swap_lock);
	drop = is_removable(page);
	if (drop)
		detach(slot_find(page->swap), page);
	spin_unlock(&swap_lock);
	if (!drop)
		return false;
	page_set_flags(page, PG_DIRTY); /* the only copy */
	page_put(page);
	return true;
}

bool swap_cache_try_drop(struct page *page)
{
	bool dropped;

	if (!trylock_page(page))
		return false;
	dropped = swap_cache_drop(page);
	unlock_page(page);
	return dropped;
}

void swap_cache_drop_unwanted(struct page *page)
{
	page_clear_flags(page, PG_UNWANTED);
	if ((page_flags(page) & PG_SWAPCACHE) && atomic_read(&page->mapcount) == 0)
		swap_cache_drop(page);
}

void swap_cache_unwanted(struct page *page)
{
	page_set_flags(page, PG_UNWANTED);
	if (trylock_page(page))
		unlock_page(page); /* which drops it */
}

/* Leaves the cache although its slot may be wanted; *page's reference of the cache goes. */
static void leave(struct page *page)
{
	detach(slot_find(page->swap), page);
	spin_unlock(&swap_lock);
	page_put(page);
}

void swap_cache_unread(struct page *page)
{
	spin_lock(&swap_lock);
	leave(page);
}

bool swap_cache_release(struct page *page)
{
	spin_lock(&swap_lock);
	/* References come from PTEs, of which there are none, and from here, under this lock. */
	if (atomic_read(&page->refcount) != 2 ||
	    ((page_flags(page) & PG_DIRTY) && !is_removable(page))) {
		spin_unlock(&swap_lock);
		return false;
	}
	leave(page);
	return true;
}
