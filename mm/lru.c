/*
 * lru.c - the lists of pages that may be taken away: a page is on one from its first use to its
 * end.
 *
 *	                 oldest                        newest
 *	inactive anon     [page] <-> [page] <-> [page] <------- lru_add(): a fault makes it
 *	active anon       [page] <-> [page]
 *	inactive file     [page] <-> [page] <-> [page] <------- lru_add(): it is read in
 *	active file       [page]
 *	                     |         ^
 *	     lru_isolate()   v         |  lru_putback(): with PG_ACTIVE or without
 *	                  [mm/reclaim.c looks at it; or lru_forget(), and it is freed]
 *
 * The lists have no references. Whoever drops the last one of a page takes it off (page_alloc.c),
 * many with one taking of the lock; until then it is on a list with no reference, and who isolates
 * passes it by.
 *
 *	fresh[hart]: up to 31 pages ----- lru_flush(): PG_FRESH becomes PG_LRU
 *
 * New anonymous pages gather at their hart first and take the lock once for many. A page that is
 * freed before loses PG_FRESH and stays named there, as what is not looked at; if it is used again
 * and gathered once more, also by another hart, it is named twice, and put on its list by whoever
 * is first.
 *
 * PG_FILE_LIST and PG_ACTIVE, side by side, are the number of the list: the free path, which must
 * be short, adds up what leaves each list in one word.
 *
 * Invariants (lru_check()): PG_LRU exactly on the lists; a page of memory that may go has it,
 * unless it is isolated, or PG_FRESH and named by a hart's batch; the counts. PG_LRU and the number
 * change under lru_lock while the page is on a list, and are the isolator's otherwise. PG_FRESH is
 * set by who made the page, with nobody else knowing of it, and goes under lru_lock.
 * Locks: lru_lock, a spinlock; inside it nothing.
 */
#include "mm/lru.h"

#include "kernel/panic.h"
#include "kernel/printk.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/policy.h"

struct spinlock lru_lock;
struct list_head lru[NR_LRU_LISTS] = {
	LIST_HEAD_INIT(lru[LRU_INACTIVE_ANON]),
	LIST_HEAD_INIT(lru[LRU_ACTIVE_ANON]),
	LIST_HEAD_INIT(lru[LRU_INACTIVE_FILE]),
	LIST_HEAD_INIT(lru[LRU_ACTIVE_FILE]),
};
unsigned long nr_lru[NR_LRU_LISTS];
struct lru_batch lru_fresh[MAX_HARTS];
static unsigned long nr_isolated;

/* lru_lock held. False: what has no PG_FRESH any more was freed, or is there already. */
static inline bool list_fresh(struct page *page)
{
	if (!(page_flags(page) & PG_FRESH))
		return false;
	__atomic_fetch_xor(&page->flags, PG_LRU_ANY, __ATOMIC_RELAXED);
	list_add_tail(&page->lru, &lru[LRU_INACTIVE_ANON]);
	return true;
}

/* This hart's. lru_lock held. */
static void flush_batch(struct lru_batch *batch)
{
	unsigned long added = 0;

	for (unsigned long i = 0; i < batch->nr; i++)
		added += list_fresh(batch->pages[i]);
	nr_lru[LRU_INACTIVE_ANON] += added;
	batch->nr = 0;
}

void lru_flush(void)
{
	spin_lock(&lru_lock);
	flush_batch(&lru_fresh[this_hart()->id]);
	spin_unlock(&lru_lock);
}

/*
 * PG_FRESH under lru_lock is all that putting a page on its list takes: whose batch names it does
 * not matter. What other harts have written to theirs is read as far as it is seen; nr is theirs.
 */
void lru_flush_all(void)
{
	unsigned long added = 0;

	spin_lock(&lru_lock);
	for (unsigned hart = 0; hart < nr_harts; hart++) {
		for (unsigned i = 0; i < ARRAY_SIZE(lru_fresh[hart].pages); i++) {
			struct page *page = READ_ONCE(lru_fresh[hart].pages[i]);

			added += page && list_fresh(page);
		}
	}
	nr_lru[LRU_INACTIVE_ANON] += added;
	spin_unlock(&lru_lock);
}

unsigned long lru_nr(enum lru_list list)
{
	if (lru_fresh[this_hart()->id].nr > 0)
		lru_flush();
	return READ_ONCE(nr_lru[list]);
}

unsigned long lru_nr_isolated(void)
{
	return READ_ONCE(nr_isolated);
}

/* lru_lock held. */
static inline void add_newest(struct page *page)
{
	enum lru_list list = lru_of(page);

	list_add_tail(&page->lru, &lru[list]);
	nr_lru[list]++;
}

/* One that may have been here before, or that others can see already. */
static void add_known(struct page *page)
{
	u32 flags = PG_LRU | policy_returned(page) | (page_is_file(page) ? PG_FILE_LIST : 0);

	spin_lock(&lru_lock);
	page_set_flags(page, flags);
	add_newest(page);
	spin_unlock(&lru_lock);
}

/* One from a swap area is mapped: now it is known whose it is, and when it went. */
static void note_owner(struct page *page)
{
	u32 bits = policy_returned(page);

	if (bits == 0)
		return;
	spin_lock(&lru_lock);
	if (page_flags(page) & PG_LRU) {
		list_unlink(&page->lru);
		nr_lru[lru_of(page)]--;
		page_set_flags(page, bits);
		add_newest(page);
	}
	spin_unlock(&lru_lock);
}

void lru_add(struct page *page)
{
	if (page->flags & PG_SWAPCACHE)
		note_owner(page);
	else
		add_known(page);
}

#define COUNT_BITS 16 /* of a word, for each list: more than a batch */

void lru_del_freed(struct page *const *pages, unsigned nr)
{
	u64 left = 0;

	BUILD_BUG_ON(NR_LRU_LISTS * COUNT_BITS > 64);
	spin_lock(&lru_lock);
	for (unsigned i = 0; i < nr; i++) {
		struct page *page = pages[i];
		enum lru_list list = lru_of(page);

		if (!(page->flags & PG_LRU_ANY))
			continue;
		if (unlikely(page->flags & PG_FRESH)) {
			page_clear_flags(page, PG_FRESH);
			continue;
		}
		list_unlink(&page->lru);
		left += 1UL << (list * COUNT_BITS);
	}
	for (unsigned list = 0; list < NR_LRU_LISTS; list++)
		nr_lru[list] -= (left >> (list * COUNT_BITS)) & (BIT(COUNT_BITS) - 1);
	spin_unlock(&lru_lock);
}

/* lru_lock held; the caller has a reference, to a page that has one of PG_LRU_ANY. */
static void take_off(struct page *page)
{
	if (page_flags(page) & PG_LRU) {
		list_del(&page->lru);
		nr_lru[lru_of(page)]--;
	}
	nr_isolated++;
	page_clear_flags(page, PG_LRU_ANY);
}

unsigned lru_isolate(enum lru_list list, unsigned nr, struct page **pages)
{
	unsigned long looks;
	unsigned taken = 0;

	spin_lock(&lru_lock);
	flush_batch(&lru_fresh[this_hart()->id]);
	for (looks = min(nr_lru[list], (unsigned long)nr); looks > 0; looks--) {
		struct page *page = list_first_entry(&lru[list], struct page, lru);

		if (!page_get_unless_zero(page)) {
			/* It waits for the lock, to be taken off and freed. */
			list_move_tail(&page->lru, &lru[list]);
			continue;
		}
		take_off(page);
		pages[taken++] = page;
	}
	spin_unlock(&lru_lock);
	return taken;
}

bool lru_isolate_page(struct page *page)
{
	bool listed;

	spin_lock(&lru_lock);
	listed = page_flags(page) & PG_LRU_ANY;
	if (listed)
		take_off(page);
	spin_unlock(&lru_lock);
	return listed;
}

void lru_putback(struct page *const *pages, unsigned nr)
{
	spin_lock(&lru_lock);
	for (unsigned i = 0; i < nr; i++) {
		page_set_flags(pages[i], PG_LRU);
		add_newest(pages[i]);
	}
	nr_isolated -= nr;
	spin_unlock(&lru_lock);
}

void lru_forget(unsigned nr)
{
	spin_lock(&lru_lock);
	nr_isolated -= nr;
	spin_unlock(&lru_lock);
}

void lru_make_oldest(struct page *page)
{
	spin_lock(&lru_lock);
	flush_batch(&lru_fresh[this_hart()->id]);
	if (page_flags(page) & PG_LRU) {
		list_unlink(&page->lru);
		nr_lru[lru_of(page)]--;
		page_clear_flags(page, PG_ACTIVE | PG_SECOND);
		list_add(&page->lru, &lru[lru_of(page)]);
		nr_lru[lru_of(page)]++;
	}
	spin_unlock(&lru_lock);
}

/* lru_lock held. */
static void deactivate_list(enum lru_list from, enum lru_list to)
{
	struct page *page;

	list_for_each_entry(page, &lru[from], lru)
		page_clear_flags(page, PG_ACTIVE);
	list_splice_init(&lru[from], &lru[to]);
	nr_lru[to] += nr_lru[from];
	nr_lru[from] = 0;
}

void lru_deactivate_all(void)
{
	spin_lock(&lru_lock);
	deactivate_list(LRU_ACTIVE_ANON, LRU_INACTIVE_ANON);
	deactivate_list(LRU_ACTIVE_FILE, LRU_INACTIVE_FILE);
	spin_unlock(&lru_lock);
}

/* ---- checking: every other hart is paused ---- */

static int complain(const struct page *page, const char *why)
{
	page_story(page, why);
	return 1;
}

/* Adds to *@in_use the pages that somebody has: others are on their way out. */
static int check_list(enum lru_list list, unsigned long *in_use)
{
	const struct page *page;
	unsigned long listed = 0;
	int faults = 0;

	list_for_each_entry(page, &lru[list], lru) {
		listed++;
		*in_use += atomic_read(&page->refcount) > 0;
		if (!(page->flags & PG_LRU) || lru_of(page) != list)
			faults += complain(page, "on a list of reclaim's that it does not name");
		if (page->type != PAGE_ANON && page->type != PAGE_FILE)
			faults += complain(page, "on a list of reclaim's, but not user memory");
	}
	if (listed == nr_lru[list])
		return faults;
	printk("lru: list %u: %lu pages listed, %lu counted\n", list, listed, nr_lru[list]);
	return faults + 1;
}

/* One that must be on a list, unless it is isolated. */
static bool may_go(const struct page *page)
{
	if (atomic_read(&page->refcount) == 0)
		return false;
	if (page->type == PAGE_ANON)
		return atomic_read(&page->mapcount) > 0 || (page->flags & PG_SWAPCACHE);
	return page->type == PAGE_FILE && page->mapping;
}

/* Some hart's batch names @page. */
static bool is_gathered(const struct page *page)
{
	for (unsigned hart = 0; hart < MAX_HARTS; hart++) {
		for (unsigned long i = 0; i < lru_fresh[hart].nr; i++) {
			if (lru_fresh[hart].pages[i] == page)
				return true;
		}
	}
	return false;
}

int lru_check(void)
{
	unsigned long marked = 0, listed = 0, missing = 0;
	int faults = 0;

	for (enum lru_list list = 0; list < NR_LRU_LISTS; list++)
		faults += check_list(list, &listed);
	for (unsigned long i = 0; i < mem_map_nr; i++) {
		const struct page *page = &mem_map[i];

		/* Who frees a page takes it off first, and lets the mark go with the page. */
		marked += (page->flags & PG_LRU) && atomic_read(&page->refcount) > 0;
		missing += may_go(page) && !(page->flags & PG_LRU_ANY);
		if ((page->flags & PG_FRESH) && ((page->flags & PG_LRU) || !is_gathered(page)))
			faults += complain(page, "fresh, but on its way to no list");
	}
	if (marked != listed) {
		printk("lru: %lu pages say that they are listed, %lu are\n", marked, listed);
		faults++;
	}
	if (missing > nr_isolated) {
		printk("lru: %lu pages are on no list, %lu are isolated\n", missing, nr_isolated);
		faults++;
	}
	return faults;
}
