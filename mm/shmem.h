/*
 * shmem.h - mappings whose pages live only in the cache (tmpfs).
 */
#ifndef RAVEL_MM_SHMEM_H
#define RAVEL_MM_SHMEM_H

#include "mm/filemap.h"

/* The cache tells how many pages of @as came (> 0) or went (< 0). */
void shmem_account(struct address_space *as, long n);
/* May @as have a page more? Neither all memory, nor what may be promised, is used up by it. */
bool shmem_has_room(const struct address_space *as);
/* The most pages that all of them together may take: half of the memory. */
unsigned long shmem_max_pages(void);

#endif
