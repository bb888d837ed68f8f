/*
 * umalloc.c - malloc() and its family: arguments, errno, the lock, fork().
 *
 * Which part a request goes to:
 *
 *	up to 128 bytes and popular	runs.c
 *	up to heap.mmap_threshold	heap.c
 *	larger				large.c
 *
 * All of the family must be here and in info.c: a program that took one of its members from the C
 * library would get all of them twice.
 *
 * The lock: a process that never had a second thread does not take it (glibc keeps
 * __libc_single_threaded for that).  Around fork() it is held, so that the child finds a heap at
 * rest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/single_threaded.h>

#include "usr/lib/malloc/debug.h"
#include "usr/lib/malloc/heap.h"
#include "usr/lib/malloc/umalloc.h"

#define PUBLIC __attribute__((visibility("default")))
#define SITE   __builtin_return_address(0) /* who called us; for the debugging modes */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Returns what um_unlock() wants to know: whether a lock was taken. */
inline bool um_lock(void)
{
	if (likely(__libc_single_threaded))
		return false;
	pthread_mutex_lock(&lock);
	return true;
}

inline void um_unlock(bool locked)
{
	if (unlikely(locked))
		pthread_mutex_unlock(&lock);
}

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

/*
 * As early as can be: what others have to do before a fork is done in the opposite order, so that
 * the lock is taken last and they may allocate.  umalloc.so is linked to be first as well.
 */
__attribute__((constructor(101))) static void at_fork(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

/* What malloc() does when no run has a free object; for @site, who wants it. */
static inline __attribute__((always_inline)) void *alloc_new(size_t bytes, const void *site)
{
	size_t size = block_size_for(bytes);
	unsigned int class = (bytes + ALIGNMENT - 1 + !bytes) / ALIGNMENT; /* up to RUN_MAX */

	if (unlikely(!um_plain) && um_debugging())
		return um_debug_alloc(bytes, 0, site);
	if (unlikely(bytes > PTRDIFF_MAX))
		return no_memory();
	if (bytes <= RUN_MAX) {
		if (um_heap.partial[class] || (um_run_wanted(class, size) && um_run_create(class)))
			return um_run_alloc(um_heap.partial[class], class);
	} else if (unlikely(bytes >= um_heap.mmap_threshold)) {
		void *payload = um_large_alloc(bytes, ALIGNMENT);

		if (payload)
			return payload;
	}

	return um_heap_alloc(size);
}

static __attribute__((noinline)) void *alloc_slow(size_t bytes, const void *site)
{
	return alloc_new(bytes, site);
}

static inline __attribute__((always_inline)) void *alloc(size_t bytes, const void *site)
{
	if (likely(bytes <= RUN_MAX)) {
		unsigned int class = (bytes + ALIGNMENT - 1) / ALIGNMENT;
		struct run *run = um_heap.partial[class];

		if (likely(run))
			return um_run_alloc(run, class);
	}
	return alloc_slow(bytes, site);
}

void *um_alloc(size_t bytes)
{
	return alloc(bytes, SITE);
}

/* Free what is no object of a run. */
static inline __attribute__((always_inline)) void release_block(void *payload, const void *site)
{
	if (unlikely(!um_plain) && um_debugging()) {
		um_debug_free(payload, site);
		return;
	}

	struct block *block = block_of(payload);

	if (unlikely(block->head & BLOCK_MAPPED))
		um_large_free(block);
	else
		um_block_free(block);
}

static void release(void *payload, const void *site)
{
	unsigned int class = um_run_class(payload);

	if (likely(class))
		um_run_free(payload, class);
	else
		release_block(payload, site);
}

/* The bytes from the payload on that its owner may use. */
static size_t usable_bytes(void *payload, const void *site)
{
	unsigned int class = um_run_class(payload);

	if (class)
		return class * ALIGNMENT;
	if (unlikely(!um_plain) && um_debugging())
		return um_debug_usable(payload, site);

	struct block *block = block_of(payload);

	return block->head & BLOCK_MAPPED ? um_large_usable(block) : block_size(block) - HEAD;
}

/* To another place; if there is none, a payload that has room enough stays where it is. */
static void *move(void *payload, size_t bytes)
{
	size_t usable = usable_bytes(payload, NULL);
	void *to = alloc(bytes, NULL);

	if (!to)
		return bytes <= usable ? payload : NULL;
	memcpy(to, payload, bytes < usable ? bytes : usable);
	release(payload, NULL);
	return to;
}

static void *resize(void *payload, size_t bytes, const void *site)
{
	unsigned int class = um_run_class(payload);

	if (class)
		return (bytes + ALIGNMENT - 1) / ALIGNMENT == class ? payload :
								      move(payload, bytes);
	if (unlikely(!um_plain) && um_debugging())
		return um_debug_resize(payload, bytes, site);

	struct block *block = block_of(payload);

	if (!(block->head & BLOCK_MAPPED))
		return um_block_resize(block, bytes);
	if (bytes < um_heap.mmap_threshold / 2)
		return move(payload, bytes);

	/* The kernel moves no mapping whose areas differ, since mprotect() was told of a part. */
	void *resized = um_large_resize(block, bytes);

	return resized ? resized : move(payload, bytes);
}

static void *alloc_aligned(size_t alignment, size_t bytes, const void *site)
{
	if (bytes > PTRDIFF_MAX || alignment > PTRDIFF_MAX - bytes)
		return no_memory();
	if (unlikely(!um_plain) && um_debugging())
		return um_debug_alloc(bytes, alignment, site);
	if (alignment <= ALIGNMENT)
		return alloc(bytes, site);
	if (bytes < um_heap.mmap_threshold) {
		struct block *block = um_block_alloc_aligned(block_size_for(bytes), alignment);

		if (block)
			return block_payload(block);
	}

	void *payload = um_large_alloc(bytes, alignment);

	return payload ? payload : no_memory();
}

/* ---- the family */

/*
 * Without threads and with a run at hand there is nothing to save and no frame to make. All else is
 * done by another function, which malloc() and free() jump to: its caller is theirs.
 */
static __attribute__((noinline)) void *malloc_slow(size_t bytes)
{
	const void *site = SITE;

	if (likely(!um_lock()))
		return alloc_new(bytes, site);

	void *payload = alloc_new(bytes, site);

	um_unlock(true);
	return payload;
}

static __attribute__((noinline)) void free_slow(void *payload)
{
	const void *site = SITE;

	if (!payload)
		return;
	if (likely(!um_lock())) {
		release_block(payload, site); /* free() has looked for a run */
		return;
	}
	release(payload, site);
	um_unlock(true);
}

PUBLIC void *malloc(size_t bytes)
{
	if (likely(__libc_single_threaded && bytes <= RUN_MAX)) {
		unsigned int class = (bytes + ALIGNMENT - 1) / ALIGNMENT;
		struct run *run = um_heap.partial[class];

		if (likely(run))
			return um_run_alloc(run, class);
	}
	return malloc_slow(bytes);
}

PUBLIC void free(void *payload)
{
	if (likely(__libc_single_threaded)) {
		unsigned int class = um_run_class(payload);

		if (likely(class)) {
			um_run_free(payload, class);
			return;
		}
	}
	free_slow(payload);
}

PUBLIC void *calloc(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return no_memory();

	bool locked = um_lock();
	void *payload = alloc(bytes, SITE);
	/* The pages of a mapping are new, and zero. */
	bool fresh = payload && !um_run_class(payload) && um_plain &&
		     block_of(payload)->head & BLOCK_MAPPED;

	um_unlock(locked);
	return payload && !fresh ? memset(payload, 0, bytes) : payload;
}

/* As glibc has it: 0 bytes free the block. */
PUBLIC void *realloc(void *payload, size_t bytes)
{
	if (!payload)
		return malloc(bytes);
	if (bytes > PTRDIFF_MAX)
		return no_memory();

	bool locked = um_lock();
	void *to = NULL;

	if (bytes)
		to = resize(payload, bytes, SITE);
	else
		release(payload, SITE);
	um_unlock(locked);
	return to;
}

PUBLIC void *reallocarray(void *payload, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return no_memory();
	return realloc(payload, bytes);
}

/* EINVAL: the alignment is no power of two. */
static void *aligned(size_t alignment, size_t bytes, const void *site)
{
	if (!alignment || alignment & (alignment - 1)) {
		errno = EINVAL;
		return NULL;
	}

	bool locked = um_lock();
	void *payload = alloc_aligned(alignment, bytes, site);

	um_unlock(locked);
	return payload;
}

PUBLIC void *aligned_alloc(size_t alignment, size_t bytes)
{
	return aligned(alignment, bytes, SITE);
}

PUBLIC void *memalign(size_t alignment, size_t bytes)
{
	return aligned(alignment, bytes, SITE);
}

/* Returns the error and leaves errno alone, as POSIX has it. */
PUBLIC int posix_memalign(void **payload, size_t alignment, size_t bytes)
{
	if (!alignment || alignment & (alignment - 1) || alignment % sizeof(void *))
		return EINVAL;

	int saved = errno;
	void *block = aligned(alignment, bytes, SITE);

	errno = saved;
	if (!block)
		return ENOMEM;
	*payload = block;
	return 0;
}

PUBLIC void *valloc(size_t bytes)
{
	return aligned(PAGE, bytes, SITE);
}

PUBLIC void *pvalloc(size_t bytes)
{
	if (bytes > PTRDIFF_MAX)
		return no_memory();
	return aligned(PAGE, (bytes + PAGE - 1) & -PAGE, SITE);
}

PUBLIC size_t malloc_usable_size(void *payload)
{
	if (!payload)
		return 0;

	bool locked = um_lock();
	size_t usable = usable_bytes(payload, SITE);

	um_unlock(locked);
	return usable;
}
