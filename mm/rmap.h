/*
 * rmap.h - from a file's pages back to the address spaces that map them.
 */
#ifndef RAVEL_MM_RMAP_H
#define RAVEL_MM_RMAP_H

#include "lib/types.h"

struct address_space;
struct page;

/* Clears every PTE, in any address space, that maps page index @first or above through @as. */
void unmap_mapping_from(struct address_space *as, unsigned long first);
/*
 * No shared mapping lets @page of @as be written, on any hart, when this returns: the next write to
 * it is a fault. @page is referenced.
 */
void unmap_page_writes(struct address_space *as, struct page *page);

/* How many areas, in all address spaces, map @as. */
unsigned long mapping_nr_areas(struct address_space *as);
/* Somebody is about to make a shared writable area of @as; false: they are sealed off. */
bool mapping_hold_writable(struct address_space *as);
void mapping_release_writable(struct address_space *as);

/*
 * Clears every PTE that maps @page of @as, and no other. A fault may set a new one as long as the
 * page is in the cache.
 */
void unmap_page(struct address_space *as, struct page *page);

#endif
