/*
 * debug.h, host: what the debug kernel does by patterns, AddressSanitizer and the MMU do here.
 *
 * A free frame or object cannot be touched; a frame may be freed only if no TLB leads to it.
 */
#ifndef RAVEL_MM_DEBUG_H
#define RAVEL_MM_DEBUG_H

#include "lib/types.h"

struct mm;
struct page;

void debug_pages_allocated(struct page *page, unsigned order);
void debug_pages_freed(struct page *page, unsigned order);

size_t debug_object_room(size_t size);
void debug_object_made(void *obj, size_t size);
void debug_object_allocated(void *obj, size_t size, const char *cache, const void *caller);
void debug_object_freed(void *obj, size_t size, const char *cache, const void *caller);

/* mm_check(), and a panic if it finds anything; mmap_lock held for writing. */
void debug_mm_edited(struct mm *mm);
void debug_mm_faulted(struct mm *mm);

#endif
