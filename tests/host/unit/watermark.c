/*
 * watermark.c - how much reclaim does for whom, and when it lets be (mm/watermark.c).
 *
 *	memory   [file][kernel][file][kernel] ...     no two free pages come together, whatever goes
 */
#include "mm/watermark.h"

#include "tests/host/file.h"
#include "tests/host/unit/space.h"

static struct page *taken[TEST_PAGES];
static unsigned nr_taken;
static struct file *file;
static struct address_space *as;

/* All memory, page by page in turn: cached, and the kernel's. */
static void fill_in_turn(void)
{
	file = host_file(FILE_DISK, TEST_PAGES * PAGE_SIZE);
	as = host_file_mapping(file);
	while (nr_free_pages() > 64) {
		struct page *page = read_mapping_page(as, as->nr_pages);

		page_clear_flags(page, PG_REFERENCED);
		page_put(page);
		taken[nr_taken++] = alloc_page(GFP_ATOMIC);
	}
	while ((taken[nr_taken] = alloc_page(GFP_ATOMIC)))
		nr_taken++;
	counters_start();
}

static void end(void)
{
	pages_put(taken, nr_taken);
	file_put(file);
}

TEST(a_block_is_not_worth_all_memory)
{
	unsigned long before;

	fill_in_turn();
	before = as->nr_pages;
	CHECK(before > 1500);
	CHECK(alloc_pages(6, GFP_KERNEL) == NULL);		/* 64 pages */
	CHECK_EQ(counted(VM_allocstall), 16 + 4 * 64 / 32 + 1); /* the last: give up */
	CHECK_EQ(counted(VM_pgsteal_direct), counted(VM_allocstall) * 32);
	CHECK(as->nr_pages > before - 1000);
	end();
}

TEST(a_page_is_to_be_had_while_anything_goes)
{
	unsigned long before;

	fill_in_turn();
	before = as->nr_pages;
	for (unsigned long i = 0; i < before; i++) {
		taken[nr_taken] = alloc_page(GFP_KERNEL);
		CHECK(taken[nr_taken] != NULL);
		nr_taken++;
	}
	CHECK(as->nr_pages < 64);
	end();
}

/* ---- kswapd ---- */

TEST(kswapd_that_finds_nothing_rests_for_a_second)
{
	u64 start;

	CHECK(kswapd_wake());
	CHECK(!kswapd_wake()); /* it has been asked */
	mark_high = nr_block_pages() + TEST_PAGES;
	kswapd_work(); /* there is not so much */
	start = ktime_ns();
	CHECK(!kswapd_wake());
	while (ktime_ns() < start + NSEC_PER_SEC)
		schedule_until(start + NSEC_PER_SEC);
	CHECK(kswapd_wake());
	mark_high = 0;
	kswapd_work();
	CHECK(kswapd_wake()); /* all was well: it need not rest */
	kswapd_work();
	CHECK_EQ(counted(VM_kswapd_wake), 3);
}

TEST(who_frees_something_ends_its_rest)
{
	mark_high = nr_block_pages() + TEST_PAGES;
	kswapd_work();
	mark_high = 0;
	CHECK(!kswapd_wake());
	fill_in_turn();
	taken[nr_taken++] = alloc_page(GFP_KERNEL);
	CHECK(kswapd_wake());
	kswapd_work();
	end();
}
