/*
 * umalloc.h - what libumalloc has beside the family of <malloc.h>.
 */
#ifndef RAVEL_USR_LIB_MALLOC_UMALLOC_H
#define RAVEL_USR_LIB_MALLOC_UMALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* The heap, as bytes; all are sums over it at this moment but for peak. */
struct umalloc_info {
	size_t heap;	      /* from its beginning to the break */
	size_t mapped;	      /* large blocks */
	size_t mapped_blocks; /* their number */
	size_t used;	      /* in blocks and objects in use, with their heads, without mappings */
	size_t free;	      /* in free blocks and objects, without top */
	size_t free_blocks;
	size_t top;
	size_t run_bytes; /* in runs: they are neither all used nor all free */
	size_t peak;	  /* most bytes of heap and mappings together so far */
};

void umalloc_info(struct umalloc_info *info);

/*
 * Look at every block, list and run.  Returns NULL, or what is wrong (a string that stays); *where
 * is then the address.  where may be NULL.
 */
const char *umalloc_check(const void **where);

#endif
