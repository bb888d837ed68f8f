/*
 * fragment.c - the indexes of fragmentation (mm/fragment.c): drawn examples, and random lists
 * against sums over single pages.
 */
#include "mm/fragment.h"

#include "tests/host/unit/space.h"

/* The free blocks of orders 0 to 3 as in the drawing at the head of mm/fragment.c. */
static const struct buddy_stats drawn = { .nr_free = { 4, 1, 0, 1 } };

TEST(unusable_as_drawn)
{
	CHECK_EQ(unusable_index(&drawn, 0), 0);
	CHECK_EQ(unusable_index(&drawn, 1), 285);
	CHECK_EQ(unusable_index(&drawn, 2), 428);
	CHECK_EQ(unusable_index(&drawn, 3), 428);
	CHECK_EQ(unusable_index(&drawn, 4), 1000);
	CHECK_EQ(unusable_index(&drawn, MAX_ORDER), 1000);
}

TEST(nothing_free)
{
	const struct buddy_stats none = { .pcp = 7, .free = 7 };

	for (unsigned order = 0; order <= MAX_ORDER; order++) {
		CHECK_EQ(unusable_index(&none, order), 1000);
		CHECK_EQ(extfrag_index(&none, order), 0);
	}
}

TEST(all_in_the_largest_blocks)
{
	const struct buddy_stats whole = { .nr_free = { [MAX_ORDER] = 3 } };

	for (unsigned order = 0; order <= MAX_ORDER; order++) {
		CHECK_EQ(unusable_index(&whole, order), 0);
		CHECK_EQ(extfrag_index(&whole, order), -1000);
	}
}

TEST(want_of_memory_or_of_order)
{
	struct buddy_stats stats = { .nr_free = { 1024 } };

	/* 1024 pages, each alone: together they would be one block of order 10. */
	CHECK_EQ(extfrag_index(&stats, 0), -1000);
	CHECK_EQ(extfrag_index(&stats, MAX_ORDER), 1000 - (1000 + 1000) / 1024);
	CHECK_EQ(extfrag_index(&stats, 1), 1000 - (1000 + 512000) / 1024);
	/* One page is free, and that is all: putting nothing together helps. */
	stats.nr_free[0] = 1;
	CHECK_EQ(extfrag_index(&stats, 5), 0);
	CHECK_EQ(extfrag_index(&stats, 0), -1000);
}

static unsigned seed = 1;

static unsigned below(unsigned limit)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % limit;
}

/* Page by page: each free page knows the order of its block. */
TEST(as_counted_page_by_page)
{
	for (unsigned round = 0; round < 1000; round++) {
		struct buddy_stats stats = {};
		unsigned long free = 0, of_use[MAX_ORDER + 1] = {};

		for (unsigned o = 0; o <= MAX_ORDER; o++) {
			stats.nr_free[o] = below(2) * below(40);
			for (unsigned long page = 0; page < stats.nr_free[o] << o; page++) {
				free++;
				for (unsigned order = 0; order <= o; order++)
					of_use[order]++;
			}
		}
		for (unsigned o = 0; o <= MAX_ORDER && free; o++) {
			CHECK_EQ(unusable_index(&stats, o), (free - of_use[o]) * 1000 / free);
			CHECK_EQ(extfrag_index(&stats, o) == -1000, of_use[o] > 0);
			CHECK(extfrag_index(&stats, o) <= 1000);
		}
	}
}

/* The allocator's own counts: an index of 1000 is an allocation that fails, and no other. */
TEST(what_the_allocator_can_do)
{
	struct page *page[TEST_PAGES], *block;
	struct buddy_stats stats;
	unsigned nr = 0;

	while ((page[nr] = alloc_page(GFP_ATOMIC)) != NULL)
		nr++;
	/* Every other page: nothing melts. */
	for (unsigned i = 0; i < nr; i++) {
		if (page_to_pfn(page[i]) % 2)
			page_put(page[i]);
	}
	buddy_drain_local();
	buddy_get_stats(&stats);
	CHECK_EQ(unusable_index(&stats, 0), 0);
	CHECK_EQ(unusable_index(&stats, 1), 1000);
	CHECK(extfrag_index(&stats, 1) > 400);
	CHECK(alloc_pages(1, GFP_ATOMIC) == NULL);
	for (unsigned i = 0; i < nr; i++) {
		if (page_to_pfn(page[i]) % 2 == 0)
			page_put(page[i]);
	}
	buddy_drain_local();
	buddy_get_stats(&stats);
	CHECK(unusable_index(&stats, 1) < 10);
	block = alloc_pages(1, GFP_ATOMIC);
	CHECK(block != NULL);
	free_pages(block, 1);
}
