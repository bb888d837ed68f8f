/*
 * policy_two_list.c - new pages must prove themselves; those that did are out of their reach.
 *
 *	 new -->  inactive  [ ][ ][ ][ ][ ] --> goes, unless used
 *	             |  ^      ^          |
 *	  used again |  |      +----------+ used once: PG_SECOND, once more around
 *	             v  | not used since
 *	          active    [ ][ ][ ]
 *
 *	A page is used when it comes in, that is why it came: so the first mark says nothing yet,
 *	and the second makes it active. A program that goes once through a large file throws out
 *	what nobody would have missed.
 *
 * The active list has at most ACTIVE_SHARE of the pages of its kind. When it is full a page must
 * win its place: the oldest active one loses it if it was not used since it was looked at last;
 * else that one becomes the newest, and the challenger stays inactive. So a loop through a little
 * more than there is memory, where LRU misses every page, keeps the active ones: each is used once
 * between two challenges.
 *
 * A page that comes back (mm/ghost.c) tells how many pages went between its going and its coming.
 * If that is less than what the active list may hold, then with so many places more for inactive
 * pages, at the cost of active ones, it would still be there: it begins active, while there is
 * room, or with its first round behind it.
 *
 * Locks: the caller's page lock; other pages are only tried.
 */
#include "mm/policy.h"

#include "mm/vmstat.h"

#define ACTIVE_NUM 2 /* of each three pages of a kind at most two are active */
#define ACTIVE_DEN 3
#define LOOKS	   16 /* at active pages, for LRU_BATCH at inactive ones */

/* How many pages of the kind may be active. Some are isolated just now. */
static unsigned long share(enum lru_list inactive)
{
	unsigned long nr = lru_nr(inactive) + lru_nr(inactive | LRU_ACTIVE);

	return DIV_ROUND_UP((nr + lru_nr_isolated()) * ACTIVE_NUM, ACTIVE_DEN);
}

/* Looks at the @nr oldest active pages: those that were not used become inactive. How many. */
static unsigned demote(enum lru_list active, unsigned nr, bool force)
{
	struct page *pages[LRU_BATCH];
	unsigned demoted = 0;

	nr = lru_isolate(active, min(nr, (unsigned)LRU_BATCH), pages);
	for (unsigned i = 0; i < nr; i++) {
		bool used = true;

		if (trylock_page(pages[i])) {
			used = page_test_clear_used(pages[i]);
			unlock_page(pages[i]);
		}
		if (!used || force) {
			page_clear_flags(pages[i], PG_ACTIVE | PG_SECOND);
			demoted++;
		}
	}
	lru_putback(pages, nr);
	count_vm_n(VM_pgdeactivate, demoted);
	for (unsigned i = 0; i < nr; i++)
		page_put(pages[i]);
	return demoted;
}

static enum verdict two_list_judge(struct page *page)
{
	enum lru_list inactive = lru_of(page) & ~LRU_ACTIVE;

	if (!page_test_clear_used(page))
		return VERDICT_GOES;
	if (!(page_flags(page) & PG_SECOND)) {
		page_set_flags(page, PG_SECOND);
		return VERDICT_STAYS;
	}
	if (lru_nr(inactive | LRU_ACTIVE) < share(inactive) ||
	    demote(inactive | LRU_ACTIVE, 1, false) > 0)
		return VERDICT_ACTIVATE;
	return VERDICT_STAYS;
}

static u32 two_list_returned(bool file, unsigned long distance)
{
	enum lru_list inactive = file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;

	if (distance > share(inactive))
		return 0;
	return lru_nr(inactive | LRU_ACTIVE) < share(inactive) ? PG_ACTIVE : PG_SECOND;
}

/*
 * Before each batch: a few of the oldest active pages lose their place if they are not used any
 * more, so that a program that goes on to other pages finds room for them. Inactive pages went: too
 * many are active then. Where all were used, the oldest go all the same.
 */
static void two_list_balance(bool file)
{
	enum lru_list inactive = file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;
	bool force = false;

	demote(inactive | LRU_ACTIVE, LOOKS, false);
	while (lru_nr(inactive | LRU_ACTIVE) > share(inactive) + LRU_BATCH)
		force = demote(inactive | LRU_ACTIVE, LRU_BATCH, force) == 0;
}

const struct reclaim_policy policy_two_list = {
	.name = "two-list",
	.judge = two_list_judge,
	.returned = two_list_returned,
	.balance = two_list_balance,
};
