/*
 * allocator.h - the interface of the textbook allocators, which live on the heap of memlib.h.
 *
 * Each begins anew with init().  None is thread-safe; each is one file.
 */
#ifndef RAVEL_USR_LIB_MALLOC_TEXTBOOK_ALLOCATOR_H
#define RAVEL_USR_LIB_MALLOC_TEXTBOOK_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

struct allocator {
	const char *name;
	bool (*init)(void);	       /* on a fresh memlib heap; false: it is too small */
	void *(*malloc)(size_t bytes); /* NULL: no memory.  Aligned to 16 */
	void (*free)(void *payload);   /* not NULL */
	void *(*realloc)(void *payload, size_t bytes); /* NULL: by malloc, copy and free */
	size_t (*usable)(void *payload); /* what of a block its owner may use, in bytes */
	const char *(*check)(void);	 /* are all invariants kept?  NULL, or what is wrong */
};

/* All of them, up to NULL. */
extern const struct allocator *const textbook_allocators[];

/* NULL if there is none of that name. */
const struct allocator *textbook_find(const char *name);

/* realloc() for any of them: bytes is not 0, payload may be NULL. */
void *textbook_realloc(const struct allocator *allocator, void *payload, size_t bytes);

#endif
