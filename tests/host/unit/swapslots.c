/*
 * swapslots.c - areas, their headers, and which slots pages get (mm/swap.c, swapon.c, swapoff.c).
 */
#include <string.h>

#include "drivers/block.h"
#include "tests/host/unit/swapping.h"

static struct mm *mm;
static unsigned long addr;

/* The slot of page @n from addr on. */
static unsigned long slot_of(unsigned n)
{
	CHECK(is_swapped(mm, addr + n * PAGE_SIZE));
	return swap_entry_slot((pte_t){ pte_at(mm, addr + n * PAGE_SIZE) });
}

static unsigned area_of(unsigned n)
{
	return swap_entry_area((pte_t){ pte_at(mm, addr + n * PAGE_SIZE) });
}

static void out(unsigned first, unsigned nr)
{
	try_page_out(mm, addr + first * PAGE_SIZE, nr);
}

static void drop(unsigned first, unsigned nr)
{
	CHECK_EQ(call_madvise(addr + first * PAGE_SIZE, nr * PAGE_SIZE, MADV_DONTNEED), 0);
}

static void have_pages(unsigned nr)
{
	mm = space_new();
	addr = map_anon(mm, nr, RW);
	fill(addr, nr, 1);
}

/* ---- which slots ---- */

TEST(a_batch_gets_slots_in_a_row_and_small_ones_share_a_cluster)
{
	struct block_device *disk = swap_on(512);

	have_pages(80);
	out(0, 3);
	out(3, 5);
	for (unsigned n = 0; n < 8; n++)
		CHECK_EQ(slot_of(n), 1 + n);
	out(8, 64);
	for (unsigned n = 9; n < 72; n++)
		CHECK_EQ(slot_of(n), slot_of(8) + n - 8);
	space_end(mm);
	swap_end(disk);
}

TEST(a_whole_free_cluster_is_better_than_holes)
{
	struct block_device *disk = swap_on(160); /* five clusters */

	have_pages(160);
	out(0, 31); /* the first cluster */
	out(31, 32);
	out(63, 32);
	out(95, 32); /* slots 96 to 127 */
	for (unsigned n = 31; n < 95; n += 2)
		drop(n, 1); /* holes of one in the second and third */
	out(127, 32);
	for (unsigned n = 127; n < 159; n++)
		CHECK_EQ(slot_of(n), 128 + n - 127);
	/* No cluster is free now: the holes are filled, from the first on. */
	fill(addr + 31 * PAGE_SIZE, 1, 9);
	out(31, 1);
	CHECK_EQ(slot_of(31), 32);
	space_end(mm);
	swap_end(disk);
}

TEST(the_last_slots_are_found_wherever_they_are)
{
	struct block_device *disk = swap_on(1030); /* three tables, the last nearly empty */

	have_pages(1040);
	out(0, 1040);
	CHECK_EQ(swap_nr_free(), 0);
	CHECK_EQ(mm->swap_ents, 1029);
	drop(700, 1);
	CHECK_EQ(swap_nr_free(), 1);
	out(1039, 1);
	CHECK(is_swapped(mm, addr + 1039 * PAGE_SIZE));
	CHECK_EQ(swap_nr_free(), 0);
	check_filled(addr, 700, 1);
	space_end(mm);
	swap_end(disk);
}

TEST(the_higher_priority_first_and_equals_in_turn)
{
	struct block_device *low = swapdisk_new(40), *a = swapdisk_new(40), *b = swapdisk_new(40);

	CHECK_EQ(swap_area_on(low, "low", 0), 0);
	CHECK_EQ(swap_area_on(a, "a", SWAP_FLAG_PREFER | 5), 0);
	CHECK_EQ(swap_area_on(b, "b", SWAP_FLAG_PREFER | 5), 0);
	CHECK_EQ(swap_nr_slots(), 3 * 39);
	have_pages(120);
	for (unsigned n = 0; n < 8; n++)
		out(n, 1);
	for (unsigned n = 0; n < 8; n++)
		CHECK_EQ(area_of(n), 1 + n % 2);
	out(8, 112);
	CHECK_EQ(mm->swap_ents, 117);
	CHECK_EQ(area_of(100), 0); /* the low one when the others are full */
	check_filled(addr, 120, 1);
	space_end(mm);
	CHECK_EQ(swap_area_off(low), 0);
	CHECK_EQ(swap_area_off(NULL), 0);
	CHECK_EQ(swap_area_off(NULL), 0);
	CHECK_EQ(swap_area_off(NULL), -EINVAL);
}

/* ---- headers ---- */

static void put(struct block_device *disk, unsigned offset, u32 value)
{
	memcpy(swapdisk_page(disk, 0) + offset, &value, sizeof(value));
}

static void refused(struct block_device *disk)
{
	CHECK_EQ(swap_area_on(disk, "x", 0), -EINVAL);
	CHECK(!swap_uses(disk));
}

TEST(what_is_no_header_is_refused)
{
	struct block_device *disk = swapdisk_new(50);

	swapdisk_page(disk, 0)[PAGE_SIZE - 1] = 'X';
	refused(disk);
	swapdisk_page(disk, 0)[PAGE_SIZE - 1] = '2';
	put(disk, 1024, 2); /* the version */
	refused(disk);
	put(disk, 1024, 1);
	put(disk, 1028, 0); /* the last page */
	refused(disk);
	put(disk, 1028, 50);
	refused(disk);
	put(disk, 1028, 49);
	put(disk, 1032, 638); /* bad pages */
	refused(disk);
	put(disk, 1032, 1);
	refused(disk); /* page 0 */
	put(disk, 1536, 50);
	refused(disk);
	put(disk, 1536, 7);
	CHECK_EQ(swap_area_on(disk, "x", 0), 0);
	CHECK_EQ(swap_area_on(disk, "x", 0), -EBUSY);
	CHECK_EQ(swap_nr_slots(), 48);
	CHECK_EQ(swap_area_off(disk), 0);
}

TEST(bad_pages_are_told_once_or_twice_and_never_used)
{
	struct block_device *disk = swapdisk_new(20);
	struct swap_info info;

	put(disk, 1032, 3);
	put(disk, 1536, 4);
	put(disk, 1540, 4);
	put(disk, 1544, 6);
	CHECK_EQ(swap_area_on(disk, "/dev/x", SWAP_FLAG_PREFER | 9), 0);
	have_pages(20);
	out(0, 20);
	CHECK_EQ(mm->swap_ents, 17);
	for (unsigned n = 0; n < 17; n++)
		CHECK(slot_of(n) != 4 && slot_of(n) != 6);
	CHECK(swap_get_info(0, &info));
	CHECK_STRING(info.name, "/dev/x");
	CHECK_EQ(info.slots, 17);
	CHECK_EQ(info.used, 17);
	CHECK_EQ(info.prio, 9);
	CHECK(!swap_get_info(1, &info));
	CHECK(!swap_get_info(99, &info));
	space_end(mm);
	CHECK_EQ(swap_area_off(disk), 0);
	for (u32 n = 1; n < 20; n++)
		put(disk, 1532 + 4 * n, n);
	put(disk, 1032, 19);
	refused(disk); /* nothing is left */
}

TEST(an_unreadable_header_is_an_error)
{
	struct block_device *disk = swapdisk_new(50);

	swapdisk_bad_read = SWAPDISK_ALL;
	CHECK_EQ(swap_area_on(disk, "x", 0), -EIO);
	swapdisk_bad_read = 0;
}

TEST(a_disk_that_cannot_be_written_is_refused)
{
	struct block_device *disk = swapdisk_new(50);

	disk->read_only = true;
	CHECK_EQ(swap_area_on(disk, "x", 0), -EROFS);
	CHECK_EQ(swap_nr_slots(), 0);
	disk->read_only = false;
	CHECK_EQ(swap_area_on(disk, "x", 0), 0);
	CHECK_EQ(swap_area_off(disk), 0);
}

TEST(an_area_that_finds_no_memory_leaves_nothing)
{
	struct block_device *disk = swapdisk_new(2000);

	for (unsigned n = 1;; n++) {
		int err;

		current->fail_fired = 0;
		current->fail_alloc = n;
		err = swap_area_on(disk, "x", 0);
		current->fail_alloc = 0;
		if (!err)
			break;
		CHECK_EQ(err, -ENOMEM);
		CHECK_EQ(swap_nr_slots(), 0);
	}
	CHECK_EQ(swap_nr_slots(), 1999);
	CHECK_EQ(swap_area_off(disk), 0);
}

TEST(a_disk_without_room_for_a_header_is_refused)
{
	struct block_device *disk = swapdisk_new(2);

	disk->nr_sectors = PAGE_SIZE / SECTOR_SIZE - 1;
	CHECK_EQ(swap_area_on(disk, "x", 0), -EINVAL);
}

TEST(there_may_be_so_many_areas)
{
	unsigned pages = 10;

	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++)
		CHECK_EQ(swap_area_on(swapdisk_new(pages), "x", 0), 0);
	CHECK_EQ(swap_area_on(swapdisk_new(pages), "x", 0), -EPERM);
	while (swap_area_off(NULL) == 0)
		;
	CHECK_EQ(swap_nr_slots(), 0);
}

/* ---- off ---- */

TEST(off_brings_everything_back_for_all)
{
	struct block_device *disk = swap_on(128);
	struct mm *child;

	have_pages(40);
	out(0, 40);
	child = mm_fork(mm);
	CHECK_EQ(user_byte(addr), 1); /* cached, mapped by one of the two */
	CHECK_EQ(vm_mprotect(mm, addr, 8 * PAGE_SIZE, PROT_NONE), 0);
	counters_start();
	CHECK_EQ(swap_area_off(disk), 0);
	CHECK(counted(VM_pswpin) <= 40); /* each page once */
	CHECK_EQ(mm->swap_ents + child->swap_ents, 0);
	CHECK_EQ(swap_nr_slots(), 0);
	CHECK_EQ(swap_nr_cached(), 0);
	machine_check();
	CHECK(page_at(mm, addr + 20 * PAGE_SIZE) == page_at(child, addr + 20 * PAGE_SIZE));
	CHECK_EQ(vm_mprotect(mm, addr, 8 * PAGE_SIZE, RW), 0);
	check_filled(addr, 40, 1);
	live_in(1, child);
	check_filled(addr, 40, 1);
	fill(addr, 40, 9);
	live_in(0, mm);
	check_filled(addr, 40, 1);
	space_end(child);
	space_end(mm);
}

TEST(off_without_memory_or_with_a_bad_page_leaves_the_area_in_use)
{
	struct block_device *disk = swap_on(128);
	int err;

	have_pages(40);
	out(0, 40);
	swapdisk_bad_read = slot_of(20);
	CHECK_EQ(swap_area_off(disk), -EIO);
	swapdisk_bad_read = 0;
	CHECK(swap_has_room());
	CHECK(mm->swap_ents > 0);
	machine_check();
	current->killed = true;
	CHECK_EQ(swap_area_off(disk), -EINTR);
	current->killed = false;
	current->fail_alloc = 1;
	err = swap_area_off(disk);
	current->fail_alloc = 0;
	CHECK_EQ(err, -ENOMEM);
	machine_check();
	out(0, 40);
	check_filled(addr, 40, 1);
	CHECK_EQ(swap_area_off(disk), 0);
	check_filled(addr, 40, 1);
	space_end(mm);
}

TEST(off_looks_at_all_tables_of_an_area)
{
	struct block_device *disk = swap_on(2000);

	have_pages(1500);
	out(0, 1500);
	CHECK_EQ(user_byte(addr + 1499 * PAGE_SIZE), (u8)(1 + 1499));
	CHECK(swap_nr_cached() > 0);
	CHECK_EQ(swap_area_off(disk), 0);
	check_filled(addr, 1500, 1);
	space_end(mm);
}

/* ---- the checker ---- */

TEST(a_count_that_nobody_has_is_found)
{
	struct block_device *disk = swap_on(64);
	pte_t entry;

	have_pages(2);
	out(0, 2);
	entry = (pte_t){ pte_at(mm, addr) };
	host_console = tmpfile();
	swap_dup(entry);
	CHECK(vm_check_all() > 0);
	swap_put(entry);
	CHECK_EQ(vm_check_all(), 0);
	host_console = NULL;
	space_end(mm);
	swap_end(disk);
}
