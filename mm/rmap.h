/*
 * rmap.h - from a file's pages back to the address spaces that map them.
 */
#ifndef RAVEL_MM_RMAP_H
#define RAVEL_MM_RMAP_H

struct address_space;

/* Clears every PTE, in any address space, that maps page index @first or above through @as. */
void unmap_mapping_from(struct address_space *as, unsigned long first);

#endif
