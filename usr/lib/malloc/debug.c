/*
 * debug.c - the debugging modes: which one, what is a block, the quarantine, and the end.
 *
 *	malloc --> in use --free--> quarantine --when it is full, the oldest--> gone
 *	             |                  |
 *	             |                  +-- freed again: both call sites are known
 *	             +-- guards looked at when it is freed, and at exit
 *
 * What is wrong is reported, and the process aborted: the next thing it did would be done with a
 * heap that nobody can answer for.
 *
 * Invariants: each block in use, and each in quarantine, has one record in the table; those in
 * quarantine are also on its list, the oldest first.  Locks: that of umalloc.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "usr/lib/malloc/debug.h"
#include "usr/lib/malloc/heap.h"
#include "usr/lib/malloc/umalloc.h"

#define QUARANTINE_BLOCKS 1000
#define QUARANTINE_BYTES  (4UL << 20)

bool um_plain;

static struct {
	bool known, leaks, heapcheck;
	enum um_mode mode;
	struct record *oldest, **newest; /* the quarantine; newest: where the next is hung in */
	size_t blocks, bytes;		 /* in it */
} debug;

static bool (*const allocs[])(struct record *, size_t) = { um_guard_alloc, um_fence_alloc };
static void (*const retires[])(struct record *) = { um_guard_retire, um_fence_retire };
static void (*const releases[])(struct record *) = { um_guard_release, um_fence_release };
static const char *(*const wrongs[])(const struct record *, const char **) = { um_guard_wrong,
									       um_fence_wrong };

/* ---- the mode ---- */

/* Take one word of UMALLOC. Returns whether it asks for a mode. */
static bool take_word(const char *word, size_t length)
{
	static const char *const words[] = { "check", "fence", "leaks", "heapcheck" };
	size_t i = 0;

	while (i < 4 && (strlen(words[i]) != length || memcmp(words[i], word, length)))
		i++;
	if (i == 1)
		debug.mode = UM_FENCE;
	else if (i == 2)
		debug.leaks = true;
	else if (i == 3)
		debug.heapcheck = true;
	else if (i == 4)
		um_say("umalloc: UMALLOC=%.*s: check, fence, leaks, heapcheck are known\n",
		       (int)length, word);
	return i < 4;
}

static void find_mode(void)
{
	const char *words = getenv("UMALLOC");
	bool wanted = false;

	debug.known = true;
	for (size_t length; words && *words; words += length + (words[length] == ',')) {
		length = strcspn(words, ",");
		wanted |= take_word(words, length);
	}
	um_plain = !wanted;
	debug.newest = &debug.oldest;
	if (wanted && debug.mode == UM_FENCE)
		um_fence_watch();
}

bool um_debugging(void)
{
	if (!debug.known)
		find_mode();
	return !um_plain;
}

/* ---- mistakes ---- */

static __attribute__((noreturn)) void give_up(const void *site)
{
	if (site)
		um_say("  found by the call at 0x%lx\n", (unsigned long)site);
	abort();
}

static bool is_wrong(struct record *record, void *arg)
{
	const char *at;

	(void)arg;
	return wrongs[debug.mode](record, &at);
}

/* Of all that is wrong, the block at the lowest address: who stores too far begins there. */
static bool take_lowest(struct record *record, void *arg)
{
	const struct record **lowest = arg;

	if (is_wrong(record, NULL) && (!*lowest || record->payload < (*lowest)->payload))
		*lowest = record;
	return false;
}

/* Abort if the guards of @record are not as they were. */
static void verify(const struct record *record, const void *site)
{
	const char *at, *wrong = wrongs[debug.mode](record, &at);

	if (!wrong)
		return;
	um_record_each(take_lowest, &record);
	wrong = wrongs[debug.mode](record, &at);
	um_say("umalloc: %s: 0x%02x\n", wrong, (unsigned char)*at);
	um_say_place(record, at);
	um_say_sites(record);
	give_up(site);
}

const char *um_debug_check(const void **where)
{
	const struct record *record = um_plain ? NULL : um_record_each(is_wrong, NULL);
	const char *at;

	if (!record)
		return NULL;
	*where = record->payload;
	return wrongs[debug.mode](record, &at);
}

static void verify_all(const void *site)
{
	const struct record *record = um_record_each(is_wrong, NULL);

	if (record)
		verify(record, site);
}

/* heapcheck: everything, at each call. */
static void heapcheck(const void *site)
{
	const void *where = NULL;
	const char *wrong;

	verify_all(site);
	wrong = um_check_heap(&where);
	if (wrong) {
		um_say("umalloc: the heap is damaged at 0x%lx: %s\n", (unsigned long)where, wrong);
		give_up(site);
	}
}

/* The record of the block @payload, which is in use; else the end. */
static struct record *owned(void *payload, const void *site, const char *what)
{
	struct record *record = um_record_find(payload);

	if (record && !record->freed)
		return record;
	if (record) {
		um_say("umalloc: %s of a block that is free: 0x%lx, %zu bytes\n", what,
		       (unsigned long)payload, record->size);
		um_say_sites(record);
	} else {
		um_say("umalloc: %s of 0x%lx, which malloc() never returned\n", what,
		       (unsigned long)payload);
		record = um_record_around(payload);
		if (record) {
			um_say_place(record, payload);
			um_say_sites(record);
		}
	}
	give_up(site);
}

/* ---- blocks ---- */

static void leave_quarantine(void)
{
	struct record *record = debug.oldest;

	verify(record, NULL);
	debug.oldest = record->next;
	if (!debug.oldest)
		debug.newest = &debug.oldest;
	debug.blocks--;
	debug.bytes -= record->size;
	releases[debug.mode](record);
	um_record_delete(record);
}

void *um_debug_alloc(size_t bytes, size_t alignment, const void *site)
{
	struct record *record;

	if (debug.heapcheck)
		heapcheck(site);
	record = um_record_new();
	if (bytes > PTRDIFF_MAX - alignment - 3 * GUARD || !record)
		goto none;
	record->size = bytes;
	record->allocated = site;
	while (!allocs[debug.mode](record, alignment)) {
		if (!debug.oldest)
			goto none;
		leave_quarantine(); /* there may be room then */
	}
	um_record_insert(record);
	return record->payload;
none:
	if (record)
		um_record_delete(record);
	errno = ENOMEM;
	return NULL;
}

void um_debug_free(void *payload, const void *site)
{
	struct record *record = owned(payload, site, "free()");
	int saved = errno;

	verify(record, site);
	if (debug.heapcheck)
		heapcheck(site);
	record->freed = site;
	retires[debug.mode](record);
	record->next = NULL;
	*debug.newest = record;
	debug.newest = &record->next;
	debug.blocks++;
	debug.bytes += record->size;
	while (debug.oldest && (debug.blocks > QUARANTINE_BLOCKS || debug.bytes > QUARANTINE_BYTES))
		leave_quarantine();
	errno = saved;
}

/* Always another block: old pointers are found out. */
void *um_debug_resize(void *payload, size_t bytes, const void *site)
{
	struct record *record = owned(payload, site, "realloc()");
	void *to = um_debug_alloc(bytes, 0, site);

	if (!to)
		return NULL;
	memcpy(to, payload, bytes < record->size ? bytes : record->size);
	um_debug_free(payload, site);
	return to;
}

size_t um_debug_usable(void *payload, const void *site)
{
	return owned(payload, site, "malloc_usable_size()")->size;
}

__attribute__((destructor)) static void at_exit(void)
{
	if (um_plain || !debug.known)
		return;

	bool locked = um_lock();

	verify_all(NULL);
	if (debug.leaks)
		um_report_leaks();
	um_unlock(locked);
}
