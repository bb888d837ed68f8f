/*
 * fragment.h - how broken up free memory is: two indexes for each order. mm/fragment.c
 */
#ifndef RAVEL_MM_FRAGMENT_H
#define RAVEL_MM_FRAGMENT_H

#include "mm/buddy.h"

/*
 * Of the free memory that @stats counts on the lists, how much lies in blocks too small to serve an
 * allocation of @order: 0 (all of it will do) to 1000 (none; or nothing is free).
 */
int unusable_index(const struct buddy_stats *stats, unsigned order);

/*
 * Why an allocation of @order would fail: towards 0 for want of memory, towards 1000 because what
 * there is lies in pieces; -1000: it would not fail.
 */
int extfrag_index(const struct buddy_stats *stats, unsigned order);

#endif
