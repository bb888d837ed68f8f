/*
 * buddy.c - the page allocator (mm/buddy.c): split, melt, the single pages of a hart, misuse.
 *
 *	the_only_block(5): everything else is taken, so that the lists hold
 *
 *	order 5  [................................]
 *	alloc 2  [aaaa]                               what was asked for: the lower end
 *	order 2       [....]                          and the upper halves on their lists
 *	order 3            [........]
 *	order 4                     [................]
 */
#include "mm/buddy.h"

#include "kernel/task.h"
#include "lib/string.h"
#include "tests/host/unit/poison.h"
#include "tests/host/unit/space.h"

#define MAX_TAKEN 4096

static struct {
	struct page *page;
	unsigned order;
} taken[MAX_TAKEN];
static unsigned nr_taken;

/* The block of @order that is the only free memory now. */
static struct page *the_only_block(unsigned order)
{
	struct page *block = alloc_pages(order, GFP_KERNEL), *page;

	for (unsigned o = MAX_ORDER + 1; o-- > 0;) {
		while ((page = alloc_pages(o, GFP_ATOMIC)) != NULL) {
			taken[nr_taken].page = page;
			taken[nr_taken++].order = o;
		}
	}
	CHECK_EQ(nr_free_pages(), 0);
	free_pages(block, order);
	buddy_drain_local();
	CHECK_EQ(nr_free_pages(), 1UL << order);
	counters_start();
	return block;
}

static void give_back(void)
{
	while (nr_taken-- > 0)
		free_pages(taken[nr_taken].page, taken[nr_taken].order);
	CHECK_EQ(buddy_check(), 0);
}

/* The free blocks, as digits from order 5 down to order 0: "100000" is one of order 5. */
static const char *blocks(void)
{
	static char text[8];
	struct buddy_stats stats;

	buddy_get_stats(&stats);
	for (unsigned i = 0; i < 6; i++)
		text[i] = '0' + stats.nr_free[5 - i];
	return text;
}

/* ---- split and melt ---- */

TEST(a_block_is_split_down_to_what_was_asked_for)
{
	struct page *block = the_only_block(5), *page;

	CHECK_STRING(blocks(), "100000");
	page = alloc_pages(2, GFP_KERNEL);
	CHECK(page == block);
	CHECK_STRING(blocks(), "011100");
	CHECK_EQ(counted(VM_buddy_split), 3);
	CHECK_EQ(counted(VM_pgalloc), 4);
	CHECK_EQ(buddy_check(), 0);
	free_pages(page, 2);
	CHECK_STRING(blocks(), "100000");
	CHECK_EQ(counted(VM_buddy_merge), 3);
	CHECK_EQ(counted(VM_pgfree), 4);
	give_back();
}

/*
 *	[ 0 ][ 1 ][ 2 ][ 3 ]     0 and 1 are buddies, 2 and 3 are; 1 and 2 only neighbours:
 *	                         the buddy of the block at pfn is at pfn ^ 2^order
 */
TEST(buddies_melt_and_neighbours_do_not)
{
	struct page *quarter[4], *block = the_only_block(5);

	for (unsigned i = 0; i < 4; i++) {
		quarter[i] = alloc_pages(3, GFP_KERNEL);
		CHECK(quarter[i] == block + 8 * i);
	}
	CHECK_STRING(blocks(), "000000");
	free_pages(quarter[1], 3);
	free_pages(quarter[2], 3);
	CHECK_STRING(blocks(), "002000");
	CHECK_EQ(counted(VM_buddy_merge), 0);
	free_pages(quarter[0], 3);
	CHECK_STRING(blocks(), "011000");
	free_pages(quarter[3], 3);
	CHECK_STRING(blocks(), "100000");
	CHECK_EQ(counted(VM_buddy_merge), 3);
	give_back();
}

TEST(a_buddy_that_is_free_only_in_part_waits)
{
	struct page *low, *high, *rest;

	the_only_block(5);
	low = alloc_pages(4, GFP_KERNEL);
	high = alloc_pages(3, GFP_KERNEL);
	rest = alloc_pages(3, GFP_KERNEL);
	free_pages(high, 3);
	free_pages(low, 4); /* its buddy begins with a free block, but of order 3 */
	CHECK_STRING(blocks(), "011000");
	free_pages(rest, 3);
	CHECK_STRING(blocks(), "100000");
	give_back();
}

TEST(the_smallest_block_that_will_do_is_taken)
{
	struct page *a, *b, *c;

	the_only_block(5);
	a = alloc_pages(4, GFP_KERNEL);
	b = alloc_pages(2, GFP_KERNEL); /* leaves one of order 2, one of order 3 */
	CHECK_STRING(blocks(), "001100");
	c = alloc_pages(2, GFP_KERNEL);
	CHECK_STRING(blocks(), "001000");
	free_pages(b, 2);
	free_pages(a, 4);
	free_pages(c, 2);
	give_back();
}

TEST(blocks_are_aligned_to_their_size)
{
	for (unsigned order = 0; order <= MAX_ORDER; order++) {
		struct page *page = alloc_pages(order, GFP_KERNEL);

		CHECK_EQ(page_to_pfn(page) & ((1UL << order) - 1), 0);
		CHECK_EQ(page->order, order);
		CHECK_EQ(page->type, PAGE_KERNEL);
		CHECK_EQ(atomic_read(&page->refcount), 1);
		CHECK_EQ(atomic_read(&page->mapcount), 0);
		free_pages(page, order);
		CHECK_EQ(page->type, PAGE_FREE);
	}
}

TEST(there_is_nothing_above_the_largest_order)
{
	struct buddy_stats stats;

	CHECK(alloc_pages(MAX_ORDER + 1, GFP_KERNEL) == NULL);
	/* 4096 pages hold four of the largest; they are no buddies to be melted. */
	buddy_get_stats(&stats);
	CHECK(stats.nr_free[MAX_ORDER] >= 2);
}

/* Memory does not begin or end at a multiple of anything: each range is cut into the largest. */
BARE_TEST(a_range_is_cut_into_blocks_as_large_as_they_fit)
{
	struct buddy_stats stats;
	struct page *page;

	machine_boot(960, 1);
	buddy_get_stats(&stats);
	/* mem_map takes 15; then  1 16 32 64 128 256 256 128 64  pages, up and down. */
	CHECK_EQ(stats.total, 960 - DIV_ROUND_UP(960 * sizeof(struct page), PAGE_SIZE));
	CHECK_EQ(buddy_check(), 0);
	CHECK_EQ(stats.nr_free[10] + stats.nr_free[9], 0);
	CHECK_EQ(stats.nr_free[8], 2);
	CHECK_EQ(stats.nr_free[7], 2);
	CHECK_EQ(nr_managed_pages(), stats.total);
	/* The last block has no buddy: what lies behind mem_map is no descriptor. */
	do {
		page = alloc_pages(6, GFP_ATOMIC);
		CHECK(page != NULL);
	} while (page != &mem_map[896]);
	mem_map[960] = (struct page){ .flags = PG_BUDDY, .order = 6, .type = PAGE_FREE };
	free_pages(page, 6);
	CHECK_EQ(page->flags, PG_BUDDY);
	CHECK_EQ(page->order, 6);
}

TEST(pages_can_be_had_cleared)
{
	struct page *page = alloc_pages(1, GFP_KERNEL);

	memset(page_address(page), 0xee, 2 * PAGE_SIZE);
	free_pages(page, 1);
	page = alloc_pages(1, GFP_KERNEL | GFP_ZERO);
	for (unsigned i = 0; i < 2 * PAGE_SIZE; i++)
		CHECK_EQ(((u8 *)page_address(page))[i], 0);
	free_pages(page, 1);
}

TEST(free_memory_cannot_be_touched)
{
	struct page *page = alloc_pages(1, GFP_KERNEL);
	void *mem = page_address(page);

	CHECK_USABLE(mem, 2 * PAGE_SIZE);
	free_pages(page, 1);
	CHECK_POISONED(mem);
	CHECK_POISONED((u8 *)mem + 2 * PAGE_SIZE - 1);
}

/* ---- single pages ---- */

TEST(single_pages_come_from_the_hart_sixteen_at_a_time)
{
	struct page *page, *again;
	struct buddy_stats stats;

	buddy_drain_local();
	counters_start();
	page = alloc_page(GFP_KERNEL);
	CHECK_EQ(counted(VM_pcp_refill), 1);
	buddy_get_stats(&stats);
	CHECK_EQ(stats.pcp, 15);
	CHECK_EQ(stats.free, nr_free_pages());
	page_put(page);
	again = alloc_page(GFP_KERNEL);
	CHECK(again == page); /* last freed, first out: its lines are in the cache */
	page_put(again);
	CHECK_EQ(counted(VM_pcp_refill), 1);
	buddy_drain_local();
	buddy_get_stats(&stats);
	CHECK_EQ(stats.pcp, 0);
}

TEST(too_many_at_hand_and_half_go_back)
{
	struct page *page[65];
	struct buddy_stats stats;

	for (unsigned i = 0; i < 65; i++)
		page[i] = alloc_page(GFP_KERNEL);
	buddy_drain_local();
	counters_start();
	for (unsigned i = 0; i < 64; i++)
		page_put(page[i]);
	CHECK_EQ(counted(VM_pcp_drain), 0);
	page_put(page[64]);
	CHECK_EQ(counted(VM_pcp_drain), 1);
	buddy_get_stats(&stats);
	CHECK_EQ(stats.pcp, 33);
	/* Those freed long ago went: the latest is still at hand. */
	CHECK(alloc_page(GFP_KERNEL) == page[64]);
	page_put(page[64]);
}

/* ---- many at once ---- */

TEST(pages_in_a_row_go_back_as_one_block)
{
	struct page *block = the_only_block(5), *page[32];

	for (unsigned i = 0; i < 32; i++) {
		page[i] = alloc_page(GFP_KERNEL);
		CHECK(page[i] == block + i); /* handed out in the order of their addresses */
	}
	CHECK_STRING(blocks(), "000000");
	counters_start();
	pages_put(page, 32);
	CHECK_STRING(blocks(), "100000");
	CHECK_EQ(counted(VM_buddy_merge), 0); /* it was never in pieces */
	CHECK_EQ(counted(VM_pgfree), 32);
	give_back();
}

TEST(runs_are_cut_where_somebody_else_has_a_page)
{
	struct page *block = the_only_block(5), *page[32];

	for (unsigned i = 0; i < 32; i++)
		page[i] = alloc_page(GFP_KERNEL);
	page_get(page[5]); /* 0..4 and 6..31 make 4 1 | 2 8 16 */
	pages_put(page, 32);
	CHECK_STRING(blocks(), "011111");
	CHECK_EQ(atomic_read(&block[5].refcount), 1);
	page_put(&block[5]);
	buddy_drain_local();
	CHECK_STRING(blocks(), "100000");
	give_back();
}

TEST(a_few_pages_stay_at_hand)
{
	struct page *page[16];
	struct buddy_stats stats;

	for (unsigned i = 0; i < 16; i++)
		page[i] = alloc_page(GFP_KERNEL);
	buddy_drain_local();
	pages_put(page, 16);
	buddy_get_stats(&stats);
	CHECK_EQ(stats.pcp, 16);
	pages_put(page, 0);
	CHECK_EQ(buddy_check(), 0);
}

TEST(one_of_many_that_is_locked_is_refused)
{
	struct page *page[2] = { alloc_page(GFP_KERNEL), alloc_page(GFP_KERNEL) };

	page_set_flags(page[1], PG_LOCKED);
	CHECK_PANIC(pages_put(page, 2), "freeing a locked page");
	page_clear_flags(page[1], PG_LOCKED);
	for (unsigned i = 0; i < 2; i++) {
		atomic_set(&page[i]->refcount, 1);
		page_put(page[i]);
	}
}

TEST(the_smallest_blocks_are_taken_first)
{
	struct page *block = the_only_block(5), *small, *page;

	small = alloc_pages(0, GFP_KERNEL);
	buddy_drain_local();
	CHECK_STRING(blocks(), "011111");
	page = alloc_page(GFP_KERNEL); /* sixteen: 1 2 4 8 and one of the last */
	CHECK(page == block + 1);
	CHECK_STRING(blocks(), "001111");
	page_put(page);
	page_put(small);
	buddy_drain_local();
	give_back();
}

TEST(what_lies_on_other_harts_is_found_when_nothing_else_is_left)
{
	struct page *block = the_only_block(5), *page[32];

	machine_run_on(1);
	for (unsigned i = 0; i < 32; i++)
		page[i] = alloc_page(GFP_KERNEL);
	for (unsigned i = 0; i < 32; i++)
		page_put(page[i]);
	machine_run_on(0);
	CHECK_STRING(blocks(), "000000");
	page[0] = alloc_page(GFP_ATOMIC);
	CHECK(page[0] != NULL);
	page_put(page[0]);
	buddy_drain_local();
	/* A whole block too: they melt on their way. */
	machine_run_on(2);
	page_put(alloc_page(GFP_KERNEL));
	machine_run_on(0);
	page[0] = alloc_pages(5, GFP_ATOMIC);
	CHECK(page[0] == block);
	free_pages(block, 5);
	give_back();
}

/* ---- no memory ---- */

TEST(atomic_allocations_do_not_reclaim_others_do)
{
	struct file *file = host_file(FILE_DISK, 16 * PAGE_SIZE);
	struct page *page, *block;

	page_put(read_mapping_page(host_file_mapping(file), 0));
	shrink_page_cache(0);
	block = the_only_block(0);
	page = alloc_page(GFP_KERNEL);
	CHECK(page == block);
	CHECK(alloc_page(GFP_ATOMIC) == NULL);
	CHECK_EQ(counted(VM_alloc_fail), 1);
	CHECK_EQ(counted(VM_pgsteal_direct), 0);
	block = alloc_page(GFP_KERNEL);
	CHECK(block != NULL);
	CHECK(counted(VM_pgsteal_direct) > 0);
	CHECK_EQ(counted(VM_alloc_fail), 1);
	page_put(block);
	page_put(page);
	give_back();
	file_put(file);
}

TEST(without_memory_there_is_none)
{
	struct page *page, *block = the_only_block(0);

	CHECK(alloc_pages(1, GFP_KERNEL) == NULL);
	page = alloc_page(GFP_KERNEL);
	CHECK(page == block);
	CHECK(alloc_page(GFP_KERNEL) == NULL);
	CHECK_EQ(counted(VM_alloc_fail), 2);
	page_put(page);
	give_back();
}

TEST(a_task_can_have_its_nth_allocation_fail)
{
	struct page *page;

	counters_start();
	current->fail_alloc = 2;
	page = alloc_page(GFP_KERNEL);
	machine_run_on(1); /* another task's are not counted */
	page_put(alloc_page(GFP_KERNEL));
	machine_run_on(0);
	CHECK(page && alloc_page(GFP_KERNEL) == NULL);
	CHECK_EQ(current->fail_alloc, 0);
	CHECK_EQ(current->fail_fired, 1);
	CHECK_EQ(counted(VM_alloc_fail_injected), 1);
	CHECK_EQ(counted(VM_alloc_fail), 0);
	page_put(page);
	page = alloc_page(GFP_KERNEL);
	CHECK(page != NULL);
	page_put(page);
}

/* ---- misuse ---- */

static struct page *page;

TEST(a_page_may_be_freed_once)
{
	page = alloc_page(GFP_KERNEL);
	free_pages(page, 0);
	CHECK_PANIC(free_pages(page, 0), "BUG: double free");
	page = alloc_pages(2, GFP_KERNEL);
	free_pages(page, 2);
	CHECK_PANIC(free_pages(page, 2), "BUG: double free");
}

TEST(in_its_order)
{
	page = alloc_pages(2, GFP_KERNEL);
	CHECK_PANIC(free_pages(page, 1), "wrong order");
	atomic_set(&page->refcount, 1);
	CHECK_PANIC(page_put(page), "wrong order");
	CHECK_PANIC(free_pages(page + 1, 0), "what nobody has"); /* the middle */
	atomic_set(&page->refcount, 1);
	free_pages(page, 2);
}

TEST(when_nobody_has_it_any_more)
{
	page = alloc_page(GFP_KERNEL);
	page_get(page);
	CHECK_PANIC(free_pages(page, 0), "others use");
	atomic_inc(&page->mapcount);
	CHECK_PANIC(page_put(page), "freeing a mapped page");
	atomic_dec(&page->mapcount);
	page_set_flags(page, PG_LOCKED);
	CHECK_PANIC(free_pages(page, 0), "freeing a locked page");
	page_clear_flags(page, PG_LOCKED);
	atomic_set(&page->refcount, -1);
	CHECK_PANIC(free_pages(page, 0), "others use");
	atomic_set(&page->refcount, 1);
	page_put(page);
}

TEST(if_it_ever_came_from_here)
{
	page = virt_to_page(mem_map);
	CHECK_EQ(page->type, PAGE_RESERVED);
	CHECK_PANIC(free_pages(page, 0), "reserved page");
}

/* Somebody used a page after he freed it: its count says so when it is handed out. */
BARE_TEST(a_free_page_that_is_in_use_is_not_handed_out)
{
	machine_boot(TEST_PAGES, 1);
	page = alloc_page(GFP_KERNEL);
	page_put(page);
	atomic_inc(&page->refcount);
	CHECK_PANIC(alloc_page(GFP_KERNEL), "free list corrupted");
}

BARE_TEST(nor_a_block_with_one)
{
	machine_boot(TEST_PAGES, 1);
	page = alloc_pages(3, GFP_KERNEL);
	free_pages(page, 3);
	for (unsigned i = 0; i < mem_map_nr; i++) {
		if (mem_map[i].type == PAGE_FREE)
			atomic_inc(&mem_map[i].mapcount);
	}
	CHECK_PANIC(alloc_pages(3, GFP_KERNEL), "free list corrupted");
}
