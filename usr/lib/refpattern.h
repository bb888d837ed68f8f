/*
 * refpattern.h - endless sequences of page numbers, the reference patterns by which policies of
 * page replacement are compared.
 *
 *	loop     0 1 2 ... n-1 0 1 2 ...    the worst case of LRU, when n is a little too large
 *	random   any, each as likely        no policy can know anything
 *	80-20    four of five references go to a fifth of the pages: most programs
 *	stack    up and down, in runs of 1, 2, 4 ... pages: what was left last comes back first
 *
 * scripts/refpatterns.py makes the same sequences of the same seeds: what is changed here is
 * changed there.  Invariant: the sequence is the function of kind, pages and seed alone.
 */
#ifndef RAVEL_USR_LIB_REFPATTERN_H
#define RAVEL_USR_LIB_REFPATTERN_H

#include <stdbool.h>
#include <stdint.h>

struct refpattern {
	uint32_t (*next)(struct refpattern *pattern);
	uint32_t pages, depth, target;
	uint64_t state;
};

/* Prepares pattern @kind over @pages pages (at least 1). False: there is no such kind. */
bool refpattern_start(struct refpattern *pattern, const char *kind, uint32_t pages, uint64_t seed);

/* The next page: 0 .. pages - 1. */
uint32_t refpattern_next(struct refpattern *pattern);

/* The checksum of a trace, which begins with 0, with one more @page. */
uint64_t refpattern_check(uint64_t check, uint32_t page);

#endif
