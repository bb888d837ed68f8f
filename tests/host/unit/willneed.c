/*
 * willneed.c - MADV_WILLNEED of what is in swap (mm/willneed.c).
 */
#include "mm/watermark.h"
#include "tests/host/unit/swapping.h"

#define MADV_WILLNEED 3
#define PAGES	      40

static struct block_device *disk;
static struct mm *mm;
static unsigned long addr;

static void all_in_swap(void)
{
	disk = swap_on(64);
	mm = space_new();
	addr = map_anon(mm, PAGES, RW);
	fill(addr, PAGES, 1);
	page_out(mm, addr, PAGES);
	CHECK_EQ(swap_nr_cached(), 0);
	counters_start();
}

static void end(void)
{
	space_end(mm);
	swap_end(disk);
}

TEST(what_is_needed_is_read_before_it_is_touched)
{
	all_in_swap();
	CHECK_EQ(call_madvise(addr, PAGES * PAGE_SIZE, MADV_WILLNEED), 0);
	CHECK_EQ(swap_nr_cached(), PAGES);
	CHECK_EQ(mm_rss(mm), 0);
	check_filled(addr, PAGES, 1);
	CHECK_EQ(counted(VM_pgmajfault), 0);
	end();
}

TEST(it_is_advice_and_ends_where_a_read_fails_or_memory_is_short)
{
	all_in_swap();
	swapdisk_bad_read = SWAPDISK_ALL;
	CHECK_EQ(call_madvise(addr, PAGES * PAGE_SIZE, MADV_WILLNEED), 0);
	CHECK_EQ(swap_nr_cached(), 0);
	swapdisk_bad_read = 0;
	mark_min = nr_block_pages() + 1;
	CHECK_EQ(call_madvise(addr, PAGES * PAGE_SIZE, MADV_WILLNEED), 0);
	CHECK_EQ(swap_nr_cached(), 0);
	mark_min = 0;
	check_filled(addr, PAGES, 1);
	CHECK(counted(VM_pgmajfault) > 0);
	end();
}
