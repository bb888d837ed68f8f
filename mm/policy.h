/*
 * policy.h - who goes when memory is short: a choice, for study (/proc/sys/vm/policy).
 *
 *	mm/policy_fifo.c       the one that came first
 *	mm/policy_clock.c      ... unless it was used since reclaim last came by
 *	mm/policy_two_list.c   ... and what is used again and again is out of its reach
 */
#ifndef RAVEL_MM_POLICY_H
#define RAVEL_MM_POLICY_H

#include "mm/lru.h"

enum verdict {
	VERDICT_GOES,	  /* to the swap area or back to its file */
	VERDICT_STAYS,	  /* once more around the inactive list */
	VERDICT_ACTIVATE, /* to the active one */
};

struct reclaim_policy {
	const char *name;
	/* The oldest page of an inactive list, isolated and locked by the caller. */
	enum verdict (*judge)(struct page *page);
	/*
	 * A page that went @distance evictions of its kind ago comes back: flags with which it
	 * begins, PG_ACTIVE or PG_SECOND. NULL: none. Any locks may be held: it looks, and no more.
	 */
	u32 (*returned)(bool file, unsigned long distance);
	/* Before pages of a kind are judged: brings old active ones back. NULL: none are active. */
	void (*balance)(bool file);
};

extern const struct reclaim_policy policy_fifo, policy_clock, policy_two_list;

/* The one that is chosen; it may change between two calls. */
const struct reclaim_policy *policy_now(void);
const char *policy_name(unsigned i); /* NULL past the last */
/* 0, or -EINVAL: nobody has that name. */
int policy_choose(const char *name);

/* @page goes: for the day when it comes back. It says still what it is. */
void policy_goes(const struct page *page);
/* A page of a file or from a swap area comes in: the flags that it begins with. */
u32 policy_returned(const struct page *page);

/* How many pages of a kind came back lately: what its going costs. */
unsigned long policy_cost(bool file);

/* Was @page used since the last call? Forgets it. The caller has it locked. */
bool page_test_clear_used(struct page *page);

#endif
