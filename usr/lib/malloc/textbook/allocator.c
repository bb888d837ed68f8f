/*
 * allocator.c - the list of the textbook allocators, and what all of them share.
 */
#include "usr/lib/malloc/textbook/allocator.h"

#include <string.h>

extern const struct allocator bump_allocator;

const struct allocator *const textbook_allocators[] = {
	&bump_allocator,
	NULL,
};

const struct allocator *textbook_find(const char *name)
{
	for (const struct allocator *const *each = textbook_allocators; *each; each++)
		if (strcmp((*each)->name, name) == 0)
			return *each;
	return NULL;
}

void *textbook_realloc(const struct allocator *allocator, void *payload, size_t bytes)
{
	if (!payload)
		return allocator->malloc(bytes);
	if (allocator->realloc)
		return allocator->realloc(payload, bytes);

	size_t usable = allocator->usable(payload);

	if (bytes <= usable)
		return payload;

	void *to = allocator->malloc(bytes);

	if (!to)
		return NULL;
	memcpy(to, payload, usable);
	allocator->free(payload);
	return to;
}
