/*
 * shmem.h - mappings whose pages live only in the cache (tmpfs).
 */
#ifndef RAVEL_MM_SHMEM_H
#define RAVEL_MM_SHMEM_H

#include "mm/filemap.h"

/* The cache tells how many such pages came (> 0) or went (< 0). */
void shmem_account(long n);
/* The most pages that all of them together may take: half of the memory. */
unsigned long shmem_max_pages(void);

#endif
