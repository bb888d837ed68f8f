/*
 * ghost.h - pages that have gone: how long ago?
 */
#ifndef RAVEL_MM_GHOST_H
#define RAVEL_MM_GHOST_H

#include "mm/page.h"

/* Boot: makes the table, a place for each page of memory. Panics without memory. */
void ghost_init(void);
/* @page, which says still what it is, goes. Any task context. */
void ghost_add(const struct page *page);
/*
 * @page comes in. True: it went, not long ago, and *@distance pages of its kind went after it. It
 * is a ghost no more.
 */
bool ghost_take(const struct page *page, unsigned long *distance);

#endif
