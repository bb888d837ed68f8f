/*
 * policy_clock.c - second chance: the page that came first goes, unless it was used since reclaim
 * last came by.
 *
 *	oldest [a ][b*][c ][d*] newest     * used
 *	        |   |
 *	        |   +-- its mark is taken away, and it is the newest now
 *	        +------ goes
 *
 * The hand of a clock that goes round, hence the name. It is near to least-recently-used where the
 * hand goes round much slower than pages are used. A loop through a little more than there is
 * memory makes it fail each time, as it does LRU.
 * Source: Corbato, "A Paging Experiment with the Multics System", 1968.
 */
#include "mm/policy.h"

static enum verdict clock_judge(struct page *page)
{
	return page_test_clear_used(page) ? VERDICT_STAYS : VERDICT_GOES;
}

const struct reclaim_policy policy_clock = { .name = "clock", .judge = clock_judge };
