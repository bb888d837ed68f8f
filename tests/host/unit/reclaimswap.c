/*
 * reclaimswap.c - anonymous memory under pressure: mm/reclaim.c with somewhere to put it.
 */
#include "mm/lru.h"
#include "mm/policy.h"
#include "mm/reclaim.h"
#include "tests/host/unit/swapping.h"

#define MADV_COLD 20

#define RAM   640 /* pages */
#define PAGES 1500

BARE_TEST(a_working_set_of_several_times_memory_is_right)
{
	struct block_device *disk;
	unsigned long addr;
	struct mm *mm;

	for (unsigned i = 0; policy_name(i); i++) {
		if (i == 0)
			machine_boot(RAM, 1);
		CHECK_EQ(policy_choose(policy_name(i)), 0);
		disk = swap_on(2048);
		mm = space_new();
		addr = map_anon(mm, PAGES, RW);
		counters_start();
		for (unsigned n = 0; n < PAGES; n++)
			CHECK_EQ(user_put(addr + n * PAGE_SIZE, n * 7), FAULT_OK);
		for (unsigned n = 0; n < 2 * PAGES; n++) {
			unsigned p = n * 31 % PAGES;

			CHECK_EQ(user_byte(addr + p * PAGE_SIZE), (u8)(p * 7 + n / PAGES));
			if (n < PAGES)
				CHECK_EQ(user_put(addr + p * PAGE_SIZE, p * 7 + 1), FAULT_OK);
		}
		CHECK(counted(VM_pgsteal_anon) > PAGES);
		CHECK(counted(VM_workingset_refault_anon) > 0);
		machine_check();
		space_end(mm);
		swap_end(disk);
	}
}

/* What swapoff brings back has no slot there any more: reclaim puts it elsewhere, once. */
BARE_TEST(swapoff_of_more_than_memory_reads_each_page_once)
{
	struct block_device *first, *second;
	unsigned long addr;
	struct mm *mm;

	machine_boot(RAM, 1);
	first = swap_on(2 * PAGES);
	second = swapdisk_new(2 * PAGES);
	mm = space_new();
	addr = map_anon(mm, 2 * PAGES, RW);
	fill(addr, 2 * PAGES - 100, 1);
	CHECK_EQ(swap_area_on(second, "/dev/second", 0), 0);
	counters_start();
	CHECK_EQ(swap_area_off(first), 0);
	CHECK(counted(VM_pswpin) < 2 * PAGES);
	machine_check();
	check_filled(addr, 2 * PAGES - 100, 1);
	space_end(mm);
	swap_end(second);
}

static struct block_device *disk;
static struct mm *mm;
static unsigned long addr;

static void start(unsigned slots, unsigned pages)
{
	disk = swap_on(slots);
	mm = space_new();
	addr = map_anon(mm, pages, RW);
	fill(addr, pages, 1);
	counters_start();
}

static void finish(void)
{
	space_end(mm);
	swap_end(disk);
}

TEST(cold_pages_go_first)
{
	start(64, 40);
	CHECK_EQ(call_madvise(addr + 20 * PAGE_SIZE, 8 * PAGE_SIZE, MADV_COLD), 0);
	CHECK_EQ(shrink_list(LRU_INACTIVE_ANON, 8,
			     &(struct scan){ .policy = policy_now(), .unmap = true }),
		 8);
	for (unsigned i = 0; i < 40; i++)
		CHECK_EQ(is_swapped(mm, addr + i * PAGE_SIZE), i >= 20 && i < 28);
	check_filled(addr, 40, 1);
	CHECK_EQ(counted(VM_workingset_refault_anon), 8);
	CHECK_EQ(counted(VM_workingset_distance_anon), 7 + 6 + 5 + 4 + 3 + 2 + 1 + 0);
	finish();
}

TEST(cold_is_only_what_is_ones_own)
{
	struct mm *child;

	start(64, 8);
	child = mm_fork(mm);
	CHECK_EQ(call_madvise(addr, 8 * PAGE_SIZE, MADV_COLD), 0);
	CHECK_EQ(shrink_list(LRU_INACTIVE_ANON, 8,
			     &(struct scan){ .policy = policy_now(), .unmap = true }),
		 0);
	CHECK_EQ(shrink_memory(8, false), 8); /* not used since */
	CHECK_EQ(mm->swap_ents + child->swap_ents, 16);
	check_filled(addr, 8, 1);
	mm_put(child);
	finish();
}

TEST(a_write_that_fails_keeps_the_pages)
{
	start(64, 8);
	swapdisk_bad_write = SWAPDISK_ALL;
	CHECK_EQ(shrink_memory(8, false), 0);
	CHECK_EQ(lru_nr_isolated(), 0);
	swapdisk_bad_write = 0;
	machine_check();
	check_filled(addr, 8, 1);
	space_end(mm);
	CHECK_EQ(swap_area_off(disk), 0); /* though its bad slots stay bad */
}

TEST(what_is_locked_in_memory_stays_there)
{
	start(64, 16);
	CHECK_EQ(call_mlock(addr, 8 * PAGE_SIZE), 0);
	CHECK_EQ(shrink_memory(16, true), 8);
	for (unsigned i = 0; i < 16; i++)
		CHECK_EQ(is_swapped(mm, addr + i * PAGE_SIZE), i >= 8);
	finish();
}

TEST(neighbours_that_nobody_wants_go_again)
{
	start(64, 16);
	CHECK_EQ(shrink_memory(16, false), 16);
	CHECK_EQ(user_byte(addr + 8 * PAGE_SIZE), 9);
	CHECK(swap_nr_cached() > 1);
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON) + lru_nr(LRU_ACTIVE_ANON), swap_nr_cached());
	machine_check();
	CHECK(shrink_memory(16, false) > 1);
	CHECK_EQ(swap_nr_cached(), 0);
	check_filled(addr, 16, 1);
	finish();
}

TEST(swappiness_says_which_kind_goes)
{
	struct file *file = host_file(FILE_DISK, 128 * PAGE_SIZE);

	start(256, 128);
	for (unsigned i = 0; i < 128; i++)
		page_put(read_mapping_page(host_file_mapping(file), i));
	swappiness = 0;
	CHECK(shrink_memory(32, false) >= 32);
	CHECK_EQ(counted(VM_pgsteal_anon), 0);
	swappiness = 200;
	counters_start();
	CHECK(shrink_memory(64, false) >= 64);
	CHECK(counted(VM_pgsteal_anon) >= 32);
	swappiness = 60;
	file_put(file);
	finish();
}

/* ---- what is neither mapped nor cached ---- */

TEST(a_page_that_a_fault_is_just_making_stays)
{
	struct page *page = alloc_page(GFP_KERNEL);

	start(64, 1);
	page->type = PAGE_ANON;
	lru_add_fresh(page);
	lru_flush();
	shrink_memory(1, true);
	shrink_memory(1, true);
	CHECK_EQ(atomic_read(&page->refcount), 1);
	CHECK_EQ(page_flags(page) & PG_LRU_ANY, PG_LRU);
	page_put(page);
	finish();
}

TEST(shared_memory_goes_when_it_is_old)
{
	struct file *file = host_file(FILE_TMPFS, 4 * PAGE_SIZE);
	long at;

	start(64, 1);
	at = vm_mmap(mm, file, 0, 4 * PAGE_SIZE, RW, MAP_SHARED, 0);
	CHECK(at > 0);
	fill(at, 4, 50);
	for (unsigned i = 0; i < 4; i++) /* each use spares it one round */
		shrink_memory(8, true);
	CHECK_EQ(host_file_mapping(file)->nr_swapped, 4);
	check_filled(at, 4, 50);
	CHECK_EQ(vm_munmap(mm, at, 4 * PAGE_SIZE), 0);
	file_put(file);
	finish();
}

/* ---- the last files ---- */

static struct file *last_file(void)
{
	struct file *program = host_file(FILE_DISK, PAGE_SIZE);

	page_put(read_mapping_page(host_file_mapping(program), 0));
	return program;
}

/* Cached for swap, they would have slots; but nobody can bring them there. */
BARE_TEST(pages_of_bad_slots_are_nothing_that_can_go)
{
	struct file *program;

	machine_boot(6000, 1);
	program = last_file();
	start(8, 20);
	swapdisk_bad_write = SWAPDISK_ALL;
	while (swap_has_room())
		try_page_out(mm, addr, 20);
	CHECK(swap_nr_cached() > 0);
	CHECK_EQ(swap_nr_stuck(), swap_nr_cached());
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(shrink_memory(8, true), 0);
	CHECK_EQ(host_file_mapping(program)->nr_pages, 1);
	swapdisk_bad_write = 0;
	check_filled(addr, 20, 1);
	finish();
	file_put(program);
	machine_check_rest();
}

BARE_TEST(the_last_pages_of_files_stay_where_nothing_else_can_go)
{
	struct file *program;

	machine_boot(6000, 1);
	program = last_file();
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(shrink_memory(8, true), 0);
	CHECK_EQ(host_file_mapping(program)->nr_pages, 1);
	file_put(program);
	machine_check_rest();
}
