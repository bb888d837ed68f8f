/*
 * allocator.c - the list of the textbook allocators, and what all of them share.
 */
#include "usr/lib/malloc/textbook/allocator.h"

#include <string.h>

extern const struct allocator bump_allocator, kr_allocator, mm_allocator, implicit_first_allocator,
	implicit_next_allocator, implicit_best_allocator, implicit_deferred_allocator,
	implicit_next_deferred_allocator, implicit_best_deferred_allocator, explicit_lifo_allocator,
	explicit_addr_allocator, storage_allocator, segfit_allocator, buddy_allocator;

const struct allocator *const textbook_allocators[] = {
	&bump_allocator,
	&kr_allocator,
	&mm_allocator,
	&implicit_first_allocator,
	&implicit_next_allocator,
	&implicit_best_allocator,
	&implicit_deferred_allocator,
	&implicit_next_deferred_allocator,
	&implicit_best_deferred_allocator,
	&explicit_lifo_allocator,
	&explicit_addr_allocator,
	&storage_allocator,
	&segfit_allocator,
	&buddy_allocator,
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
