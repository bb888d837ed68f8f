/*
 * debug.h - the modes of libumalloc that look for mistakes: UMALLOC=check, UMALLOC=fence.
 *
 *	UMALLOC=word,word...
 *		check		guards around each block; freed ones are kept for a while
 *		fence		a page without access behind each block
 *		leaks		check, and what is in use at exit, by call site
 *		heapcheck	check, and everything is verified at each call
 *	fence may stand beside one of the last two.
 *
 *	umalloc.c, off its fast paths --> debug.c: which mode, what is a block --> guard.c | fence.c
 *	                                     |
 *	                                     +--> record.c: a record for each block, far from it
 *	                                     +--> report.c: words, and abort()
 *
 * Invariants: um_plain is true once it is known that there is no mode; until the first call, and in
 * every mode, it is false. A mode never makes runs, so that each call comes by the slow paths.
 * Locks: that of umalloc.c is held; the signal handler takes none and only reads.
 */
#ifndef RAVEL_USR_LIB_MALLOC_DEBUG_H
#define RAVEL_USR_LIB_MALLOC_DEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRONT_FILL 0xfb /* before a block */
#define BACK_FILL  0xfe /* behind it */
#define NEW_FILL   0xcd /* what malloc() hands out */
#define FREED_FILL 0xdd /* what free() got */
#define GUARD	   16	/* bytes on either side, at least */

/* A block that was handed out, or that is in quarantine. */
struct record {
	struct record *chain; /* of its hash, or of the unused records */
	struct record *next;  /* in quarantine: who came later */
	char *payload;
	size_t size;		       /* as asked for */
	char *base;		       /* of the memory that it lies in */
	size_t total;		       /* bytes of that */
	const void *allocated, *freed; /* call sites; freed: NULL while it is in use */
};

enum um_mode { UM_CHECK, UM_FENCE };

/* Is there a mode? Finds out at the first call. */
bool um_debugging(void);
extern bool um_plain;

/*
 * As malloc() (@alignment is 0) or aligned_alloc(), free(), realloc(), malloc_usable_size(), called
 * from @site.
 */
void *um_debug_alloc(size_t bytes, size_t alignment, const void *site);
void um_debug_free(void *payload, const void *site);
void *um_debug_resize(void *payload, size_t bytes, const void *site);
size_t um_debug_usable(void *payload, const void *site);

/* The first broken guard or freed block that was written to: a sentence, *@where its block. */
const char *um_debug_check(const void **where);

/* guard.c, fence.c: memory for the record's size, aligned (0: as usual); false: there is none. */
bool um_guard_alloc(struct record *record, size_t alignment);
bool um_fence_alloc(struct record *record, size_t alignment);
/* It is free: fill it, or take its pages away. */
void um_guard_retire(struct record *record);
void um_fence_retire(struct record *record);
/* It leaves the quarantine. */
void um_guard_release(struct record *record);
void um_fence_release(struct record *record);
/* What is wrong around it, or in it when it is free: a sentence and the address; or NULL. */
const char *um_guard_wrong(const struct record *record, const char **at);
const char *um_fence_wrong(const struct record *record, const char **at);
/* Report faults at fences, unless the program has a handler. */
void um_fence_watch(void);

/* The first of the bytes from @from to @to that is not @fill; NULL: all are. */
const char *um_other_byte(const char *from, const char *to, unsigned char fill);

/* record.c */
struct record *um_record_new(void);
void um_record_insert(struct record *record);
void um_record_delete(struct record *record);
struct record *um_record_find(const void *payload);
/* The record whose memory @address is in, or NULL. */
struct record *um_record_around(const void *address);
/* Call @visit for each until it returns true; that record, or NULL. */
struct record *um_record_each(bool (*visit)(struct record *record, void *arg), void *arg);

/* report.c: lines to standard error; none allocates. */
void um_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void um_say_sites(const struct record *record);
/* Say where @address is, as seen from the block of @record. */
void um_say_place(const struct record *record, const void *address);
void um_report_leaks(void);

#endif
