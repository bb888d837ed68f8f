/*
 * ghost.c - a table of pages that have gone, by owner and index, with the time when they went.
 *
 *	time: how many pages of this kind (of files, or anonymous) have gone since the boot
 *
 *	page goes    hash(owner, index) --> bucket [ mark | time ] x 8: an empty place, or the
 *	                                    one that went longest ago
 *	page comes   the same bucket, the same mark: distance = time now - time then
 *
 *	distance 3:   it went   x   y   z   and comes back: with three places more in memory it
 *	                                    would have been there still
 *
 * Linux keeps the time in the empty place of the file's tree, or in the swap cache's (its
 * mm/workingset.c): exact, but trees of files that are nowhere in memory must stay, and a shrinker
 * must take them down. Here one table of 8 bytes for each page of memory serves both kinds and is
 * made at boot. What falls out of it went long ago. Two pages may have the same mark, once in
 * thousands of millions: then one is thought to have been here.
 *
 * Invariant: an entry of 0 is none; a bucket is a cache line.
 * Locks: none. An entry is a word, read and written whole; of two at once in one bucket one may be
 * lost, which is no worse than falling out.
 */
#include "mm/ghost.h"

#include "kernel/panic.h"
#include "mm/buddy.h"
#include "mm/lru.h"

#define BUCKET 8

static u64 *table;
static unsigned long nr_buckets; /* a power of two */
static u32 clock[2];		 /* of anonymous pages, of pages of files */

void ghost_init(void)
{
	unsigned order = 0;
	struct page *page;

	while (order < MAX_ORDER && (PAGE_SIZE << order) / sizeof(u64) < nr_managed_pages())
		order++;
	page = alloc_pages(order, GFP_KERNEL | GFP_ZERO);
	if (!page)
		panic("no memory for the table of pages that have gone");
	table = page_address(page);
	nr_buckets = (PAGE_SIZE << order) / sizeof(u64) / BUCKET;
}

/* Multiplications that carry every bit of both words upwards. */
static u64 hash(const struct page *page)
{
	u64 x = (unsigned long)page->mapping * 0x9e3779b97f4a7c15UL;

	x = (x ^ (x >> 32) ^ page->index) * 0xd6e8feb86659fd93UL;
	return x ^ (x >> 32);
}

static u64 *bucket_of(u64 key)
{
	return table + (key & (nr_buckets - 1)) * BUCKET;
}

/* The upper half of the key, never 0. */
static u32 mark_of(u64 key)
{
	return (u32)(key >> 32) | 1;
}

void ghost_add(const struct page *page)
{
	u64 key = hash(page), *bucket = bucket_of(key);
	u32 now = __atomic_fetch_add(&clock[page_is_file(page)], 1, __ATOMIC_RELAXED);
	unsigned place = 0;
	u32 oldest = 0;

	for (unsigned i = 0; i < BUCKET; i++) {
		u64 entry = READ_ONCE(bucket[i]);
		u32 age = now - (u32)entry;

		if (entry == 0 || entry >> 32 == mark_of(key)) {
			place = i;
			break;
		}
		if (age >= oldest) {
			oldest = age;
			place = i;
		}
	}
	WRITE_ONCE(bucket[place], (u64)mark_of(key) << 32 | now);
}

bool ghost_take(const struct page *page, unsigned long *distance)
{
	u64 key = hash(page), *bucket = bucket_of(key);

	for (unsigned i = 0; i < BUCKET; i++) {
		u64 entry = READ_ONCE(bucket[i]);

		if (entry >> 32 != mark_of(key))
			continue;
		WRITE_ONCE(bucket[i], 0);
		*distance = READ_ONCE(clock[page_is_file(page)]) - (u32)entry - 1;
		return true;
	}
	return false;
}
