/*
 * debug.h - what the debug kernel (make DEBUG=1) looks at in the allocators and the area list.
 *
 * In the usual kernel every hook is empty and costs nothing. Who calls them: mm/page_alloc.c,
 * mm/slab.c, the edits of the area list. mm/debug.c has the drawings of poison and red zones.
 */
#ifndef RAVEL_MM_DEBUG_H
#define RAVEL_MM_DEBUG_H

#include "mm/page.h"

struct mm;

#ifdef CONFIG_DEBUG

/*
 * A block leaves the allocator; its page->alloc_pc and free_pc are still those of the last time.
 * Panics when somebody wrote to it while it was free.
 */
void debug_pages_allocated(struct page *page, unsigned order);
/* A block, or at boot frames that nobody had, is about to go on a list. */
void debug_pages_freed(struct page *page, unsigned order);

/* How many bytes a slab object of @size bytes takes, with its red zone and owner record. */
size_t debug_object_room(size_t size);
/* A new slab was cut: @obj, of a cache of objects of @size bytes, is free; word 0 is its chain. */
void debug_object_made(void *obj, size_t size);
/*
 * @obj of @cache goes to @caller, who may use @size bytes: those that kmalloc() was asked for, or
 * the whole object. Panics when it was written to while free.
 */
void debug_object_allocated(void *obj, size_t size, const char *cache, const void *caller);
/*
 * @caller gives @obj back, of a cache of objects of @size bytes. Panics when it is free already, or
 * somebody wrote past the end of what was asked for.
 */
void debug_object_freed(void *obj, size_t size, const char *cache, const void *caller);

/* The machine is stopped: is every free object as it was left? 0, or the number that are not. */
int debug_check_free(void);
/* @obj is in use until power-off: it is not a leak. */
void debug_object_kept(void *obj);

/* An edit of @mm is complete; mmap_lock is still held for writing. Panics unless mm_check(). */
void debug_mm_edited(struct mm *mm);
/* A fault was served; mmap_lock is not held: each Nth call takes it for a mm_check(). */
void debug_mm_faulted(struct mm *mm);

/* Boot: what is in use now stays so, and is no leak. */
void debug_leak_baseline(void);
/*
 * Counts what is in use that nobody has, every task but those of the kernel being gone and every
 * file system unmounted: 0, or how many things, one line for each kind and call site if @print.
 * @nr_tasks: those that still have a stack.
 */
unsigned debug_leaks(unsigned nr_tasks, bool print);

/* mm/leak.c's: true when @obj is in use and not kept; by whom it was allocated. */
bool debug_object_owner(void *obj, size_t size, u32 *alloc_pc);

static const bool debug_kernel = true;

#else

static inline void debug_pages_allocated(struct page *page __maybe_unused,
					 unsigned order __maybe_unused)
{
}

static inline void debug_pages_freed(struct page *page __maybe_unused,
				     unsigned order __maybe_unused)
{
}

static inline size_t debug_object_room(size_t size)
{
	return size;
}

static inline void debug_object_made(void *obj __maybe_unused, size_t size __maybe_unused)
{
}

static inline void debug_object_allocated(void *obj __maybe_unused, size_t size __maybe_unused,
					  const char *cache __maybe_unused,
					  const void *caller __maybe_unused)
{
}

static inline void debug_object_freed(void *obj __maybe_unused, size_t size __maybe_unused,
				      const char *cache __maybe_unused,
				      const void *caller __maybe_unused)
{
}

static inline int debug_check_free(void)
{
	return 0;
}

static inline void debug_object_kept(void *obj __maybe_unused)
{
}

static inline void debug_mm_edited(struct mm *mm __maybe_unused)
{
}

static inline void debug_mm_faulted(struct mm *mm __maybe_unused)
{
}

static inline void debug_leak_baseline(void)
{
}

static const bool debug_kernel = false;

#endif
#endif
