/*
 * policy_fifo.c - first in, first out: the page that came first goes first, used or not.
 *
 *	oldest [a][b][c][d] newest      a goes, though the program may be using it just now
 *
 * Nothing is cheaper: no PTE is looked at. It is here to be compared with. More memory can even
 * mean more faults (Belady's anomaly: 1 2 3 4 1 2 5 1 2 3 4 5 with three pages, then with four).
 */
#include "mm/policy.h"

static enum verdict fifo_judge(struct page *page __maybe_unused)
{
	return VERDICT_GOES;
}

const struct reclaim_policy policy_fifo = { .name = "fifo", .judge = fifo_judge };
