/*
 * record.c - what is known of each block in the debugging modes: a hash table by payload, in
 * mappings of its own. A stray store into the heap does not reach it, and any number at all can be
 * looked up: that is how free() tells a block from what is none.
 *
 *	buckets[hash] --> record --> record ...		unused --> record --> record ...
 *
 * Locks: that of umalloc.c.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "usr/lib/malloc/debug.h"

#define BUCKETS	    (1UL << 14)
#define CHUNK_BYTES (64UL << 10)

static struct record **buckets, *unused;

static void *map(size_t bytes)
{
	void *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static struct record **bucket_of(const void *payload)
{
	uintptr_t key = (uintptr_t)payload / 8;

	return &buckets[(key ^ key / BUCKETS) % BUCKETS];
}

struct record *um_record_new(void)
{
	struct record *record = unused;

	if (!buckets && !(buckets = map(BUCKETS * sizeof(*buckets))))
		return NULL;
	if (!record) {
		record = map(CHUNK_BYTES);
		for (size_t i = 1; record && i < CHUNK_BYTES / sizeof(*record); i++) {
			record[i].chain = unused;
			unused = &record[i];
		}
		return record;
	}
	unused = record->chain;
	*record = (struct record){ 0 };
	return record;
}

void um_record_insert(struct record *record)
{
	struct record **bucket = bucket_of(record->payload);

	record->chain = *bucket;
	*bucket = record;
}

/* @record need not be in the table. */
void um_record_delete(struct record *record)
{
	struct record **at = bucket_of(record->payload);

	while (*at && *at != record)
		at = &(*at)->chain;
	if (*at)
		*at = record->chain;
	record->chain = unused;
	unused = record;
}

struct record *um_record_find(const void *payload)
{
	struct record *record = buckets ? *bucket_of(payload) : NULL;

	while (record && record->payload != payload)
		record = record->chain;
	return record;
}

struct record *um_record_each(bool (*visit)(struct record *record, void *arg), void *arg)
{
	for (size_t i = 0; buckets && i < BUCKETS; i++)
		for (struct record *record = buckets[i]; record; record = record->chain)
			if (visit(record, arg))
				return record;
	return NULL;
}

static bool is_around(struct record *record, void *address)
{
	return (char *)address >= record->base && (char *)address < record->base + record->total;
}

struct record *um_record_around(const void *address)
{
	return um_record_each(is_around, (void *)address);
}
