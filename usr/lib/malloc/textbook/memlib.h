/*
 * memlib.h - a heap of its own for the textbook allocators: a region with a break, like brk(2).
 *
 *	mem_lo()            break                     mem_lo() + MEM_MAX
 *	| in use            | not yet                 |
 */
#ifndef RAVEL_USR_LIB_MALLOC_TEXTBOOK_MEMLIB_H
#define RAVEL_USR_LIB_MALLOC_TEXTBOOK_MEMLIB_H

#include <stdbool.h>
#include <stddef.h>

#define MEM_MAX (64UL << 20)

/* Begin with an empty heap, which is zero again.  False: there is no memory for it. */
bool mem_init(void);

/*
 * Move the break up and return the old one, which is where the new bytes begin; with a negative
 * number, back.  NULL: the region ends.
 */
void *mem_sbrk(ptrdiff_t bytes);

/* The first byte, which is aligned to a page, and the bytes up to the break. */
char *mem_lo(void);
size_t mem_size(void);

#endif
