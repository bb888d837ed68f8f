/*
 * shmemswap.c - shared memory without a disk goes to slots and comes back (mm/shmem_swap.c).
 *
 *	tree   [0: page] [1: entry] [2: -]
 *	slot              |
 *	                  what a fault, read() or write() of page 1 finds
 */
#include "lib/err.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/readahead.h"
#include "mm/rmap.h"
#include "mm/shmem.h"
#include "mm/vma.h"
#include "tests/host/unit/swapping.h"

#define PAGES 6

static struct block_device *disk;
static struct mm *mm;
static struct file *file;
static struct address_space *as;
static struct readahead ra;
static unsigned long addr;

static unsigned long map_shared(struct mm *where)
{
	long at = vm_mmap(where, file, 0, PAGES * PAGE_SIZE, RW, MAP_SHARED, 0);

	CHECK(at > 0);
	return at;
}

/* A file of PAGES pages, all but the last filled, mapped shared. */
static void start(unsigned slots)
{
	disk = swap_on(slots);
	mm = space_new();
	file = host_file(FILE_TMPFS, PAGES * PAGE_SIZE);
	as = host_file_mapping(file);
	addr = map_shared(mm);
	fill(addr, PAGES - 1, 1);
}

static void finish(void)
{
	space_end(mm);
	file_put(file);
	CHECK_EQ(shmem_nr_used(), 0);
	swap_end(disk);
}

/* Pages [first, first + nr) go, as far as they can; how many did. */
static unsigned out(unsigned first, unsigned nr)
{
	struct page *pages[PAGES];
	unsigned found = 0, gone;

	for (unsigned i = 0; i < nr; i++) {
		struct page *page = find_get_page(as, first + i);

		if (!page)
			continue;
		lock_page(page);
		pages[found++] = page;
	}
	gone = shmem_swap_out(pages, found);
	for (unsigned i = 0; i < found; i++) {
		CHECK(i >= gone || atomic_read(&pages[i]->refcount) == 1);
		unlock_page(pages[i]);
		page_put(pages[i]);
	}
	machine_check();
	return gone;
}

static void check_counts(unsigned here, unsigned swapped)
{
	CHECK_EQ(as->nr_pages, here);
	CHECK_EQ(as->nr_swapped, swapped);
	CHECK_EQ(shmem_nr_pages(), here);
	CHECK_EQ(shmem_nr_used(), here + swapped);
	CHECK_EQ(swap_nr_slots() - swap_nr_free(), swapped);
	/* Neighbours that were read, too, are in the swap cache. */
	CHECK(swap_nr_cached() <= swapped);
}

static int byte_of(unsigned long index)
{
	u8 byte;
	ssize_t got = filemap_read_kernel(as, &ra, &byte, 1, index * PAGE_SIZE);

	return got == 1 ? byte : (int)got;
}

TEST(pages_go_in_one_request_and_faults_bring_them_back)
{
	start(64);
	swapdisk_requests = 0;
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	CHECK_EQ(swapdisk_requests, 1);
	check_counts(0, PAGES - 1);
	CHECK_EQ(mm->rss_file, 0);
	CHECK_EQ(mm->swap_ents, 0); /* PTEs know nothing of it */
	CHECK_EQ(pte_at(mm, addr), 0);
	check_filled(addr, PAGES - 1, 1);
	check_counts(PAGES - 1, 0);
	CHECK_EQ(user_put(addr, 9), FAULT_OK);
	CHECK_EQ(out(0, 1), 1);
	CHECK_EQ(byte_of(0), 9);
	finish();
}

TEST(read_and_write_bring_them_back)
{
	u8 byte = 77;

	start(64);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	CHECK_EQ(byte_of(1), 2);
	check_counts(1, PAGES - 2);
	CHECK_EQ(filemap_write_kernel(as, &byte, 1, 2 * PAGE_SIZE + 5), 1);
	CHECK_EQ(byte_of(2), 3); /* what was there stays */
	CHECK_EQ(user_byte(addr + 2 * PAGE_SIZE + 5), 77);
	CHECK_EQ(byte_of(PAGES - 1), 0);
	finish();
}

TEST(read_to_user_memory_tells_swapped_from_holes)
{
	unsigned long buf;

	start(64);
	buf = map_anon(mm, 2, RW);
	CHECK_EQ(user_put(buf, 99), FAULT_OK);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	CHECK_EQ(filemap_read(as, &ra, (void *)buf, 1, 3 * PAGE_SIZE), 1);
	CHECK_EQ(user_byte(buf), 4);
	CHECK_EQ(filemap_read(as, &ra, (void *)buf, 1, (PAGES - 1) * PAGE_SIZE), 1);
	CHECK_EQ(user_byte(buf), 0);
	check_counts(1, PAGES - 2);
	finish();
}

TEST(what_lies_in_swap_is_data_and_is_not_in_memory)
{
	u8 vec[PAGES] = {};

	start(64);
	CHECK_EQ(out(1, 2), 2);
	CHECK_EQ(shmem_aops.seek(as, PAGE_SIZE, true), PAGE_SIZE);
	CHECK_EQ(shmem_aops.seek(as, 0, false), (PAGES - 1) * PAGE_SIZE);
	filemap_note_cached(as, 0, PAGES, vec);
	CHECK(vec[0] && !vec[1] && !vec[2] && vec[3]);
	CHECK(!filemap_is_hole(as, 1));
	CHECK(filemap_is_hole(as, PAGES - 1));
	finish();
}

TEST(all_who_map_it_lose_and_find_it)
{
	struct mm *other;
	unsigned long there;

	start(64);
	other = space_new();
	there = map_shared(other);
	check_filled(there, PAGES - 1, 1);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	CHECK_EQ(mm->rss_file, 0);
	CHECK_EQ(other->rss_file, 0);
	CHECK_EQ(user_put(there + PAGE_SIZE, 50), FAULT_OK);
	machine_use_mm(mm);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 50);
	CHECK(page_at(mm, addr + PAGE_SIZE) == page_at(other, there + PAGE_SIZE));
	machine_use_mm(NULL);
	space_end(other);
	finish();
}

TEST(a_private_mapping_copies_what_comes_back)
{
	unsigned long private;

	start(64);
	private = map_file(mm, file, PAGES, RW, 0);
	CHECK_EQ(user_put(private + PAGE_SIZE, 60), FAULT_OK);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	CHECK_EQ(user_byte(private + PAGE_SIZE), 60);
	CHECK_EQ(user_put(private + 2 * PAGE_SIZE, 61), FAULT_OK);
	CHECK_EQ(user_byte(addr + 2 * PAGE_SIZE), 3);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 2);
	finish();
}

TEST(programs_may_send_them_away)
{
	start(64);
	CHECK_EQ(call_madvise(addr, PAGES * PAGE_SIZE, MADV_PAGEOUT), 0);
	check_counts(0, PAGES - 1);
	check_filled(addr, PAGES - 1, 1);
	finish();
}

/* ---- what ends ---- */

TEST(a_truncation_gives_slots_back)
{
	start(64);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	filemap_truncate(as, 2 * PAGE_SIZE);
	check_counts(0, 2);
	filemap_truncate(as, 4 * PAGE_SIZE);
	CHECK_EQ(byte_of(1), 2);
	CHECK_EQ(byte_of(2), 0);
	finish();
}

static void truncate_held(u64 size)
{
	struct page *tail = shmem_hold_part(as, size);

	CHECK(!IS_ERR(tail));
	filemap_truncate(as, size);
	if (tail)
		page_put(tail);
}

TEST(a_page_that_is_cut_is_zeros_behind)
{
	start(64);
	CHECK_EQ(user_put(addr + PAGE_SIZE + 100, 5), FAULT_OK);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	truncate_held(PAGE_SIZE + 100);
	check_counts(1, 1);
	CHECK_EQ(out(1, 1), 1);
	filemap_grow(as, 3 * PAGE_SIZE);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 2);
	CHECK_EQ(user_byte(addr + PAGE_SIZE + 100), 0);
	finish();
}

/* Stored past the end through a mapping, then to swap: zeros when the file grows. */
TEST(nothing_past_the_end_is_kept)
{
	start(64);
	truncate_held(PAGE_SIZE + 100);
	CHECK_EQ(user_put(addr + PAGE_SIZE + 200, 5), FAULT_OK);
	CHECK_EQ(out(0, PAGES), 2);
	filemap_grow(as, 3 * PAGE_SIZE);
	CHECK_EQ(user_byte(addr + PAGE_SIZE + 200), 0);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 2);
	finish();
}

TEST(holes_are_punched_where_they_lie)
{
	start(64);
	CHECK_EQ(user_put(addr + PAGE_SIZE + 100, 5), FAULT_OK);
	CHECK_EQ(user_put(addr + 3 * PAGE_SIZE + 100, 6), FAULT_OK);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	CHECK_EQ(filemap_punch(as, PAGE_SIZE + 50, 3 * PAGE_SIZE + 50), 0);
	check_counts(2, 2); /* both ends are here, page 2 is nowhere */
	CHECK_EQ(byte_of(1), 2);
	CHECK_EQ(byte_of(2), 0);
	CHECK_EQ(byte_of(3), 0);
	CHECK_EQ(user_byte(addr + PAGE_SIZE + 100), 0);
	CHECK_EQ(user_byte(addr + 3 * PAGE_SIZE + 100), 6);
	CHECK_EQ(byte_of(4), 5);
	finish();
}

TEST(the_end_of_the_file_gives_slots_back)
{
	start(64);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	finish();
}

/* ---- what may not go ---- */

TEST(who_has_a_page_keeps_it)
{
	struct page *page;

	start(64);
	page = find_get_page(as, 1);
	CHECK_EQ(out(0, 3), 2);
	check_counts(PAGES - 3, 2);
	page_put(page);
	CHECK_EQ(out(0, 3), 1);
	finish();
}

TEST(locked_memory_stays)
{
	start(64);
	CHECK_EQ(call_mlock(addr + PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(out(0, 3), 2);
	CHECK(page_at(mm, addr + PAGE_SIZE));
	as->kept_in_memory = true; /* SHM_LOCK */
	CHECK_EQ(out(0, PAGES), 0);
	as->kept_in_memory = false;
	finish();
}

TEST(without_a_slot_they_stay)
{
	start(4);
	CHECK_EQ(out(0, PAGES), 3);
	check_counts(PAGES - 4, 3);
	check_filled(addr, PAGES - 1, 1);
	finish();
}

/* ---- failures ---- */

TEST(a_page_that_cannot_be_written_is_not_lost)
{
	start(64);
	swapdisk_bad_write = SWAPDISK_ALL;
	CHECK_EQ(out(0, 2), 0);
	swapdisk_bad_write = 0;
	CHECK_EQ(swap_nr_cached(), 2);
	check_filled(addr, PAGES - 1, 1);
	CHECK_EQ(as->nr_swapped, 0);
	CHECK_EQ(swap_nr_cached(), 0);
	finish();
}

TEST(a_page_that_cannot_be_read_is_an_error_for_who_wants_it)
{
	start(64);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	swapdisk_bad_read = SWAPDISK_ALL;
	CHECK_EQ(byte_of(1), -EIO);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), -FAULT_SIGBUS);
	CHECK_EQ(filemap_punch(as, PAGE_SIZE + 1, 3 * PAGE_SIZE), -EIO);
	CHECK_EQ(filemap_punch(as, PAGE_SIZE, 3 * PAGE_SIZE + 1), -EIO);
	CHECK_EQ(swap_area_off(disk), -EIO);
	check_counts(0, PAGES - 1);
	swapdisk_bad_read = 0;
	check_filled(addr, PAGES - 1, 1);
	finish();
}

TEST(without_memory_they_stay_in_swap)
{
	start(64);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	current->fail_alloc = 1;
	CHECK_EQ(byte_of(1), -ENOMEM);
	current->fail_alloc = 1;
	CHECK_EQ(swap_area_off(disk), -ENOMEM);
	current->fail_alloc = 0;
	check_counts(0, PAGES - 1);
	check_filled(addr, PAGES - 1, 1);
	finish();
}

/* ---- swapoff ---- */

TEST(swapoff_brings_them_back)
{
	start(64);
	CHECK_EQ(out(0, PAGES), PAGES - 1);
	CHECK_EQ(swap_area_off(disk), 0);
	CHECK_EQ(as->nr_pages, PAGES - 1);
	CHECK_EQ(as->nr_swapped, 0);
	CHECK_EQ(out(0, PAGES), 0);
	check_filled(addr, PAGES - 1, 1);
	CHECK_EQ(swap_area_on(disk, "/dev/swap", 0), 0);
	finish();
}

/* Entries of two areas in one file, and a second file behind it: those of one area come back. */
TEST(swapoff_passes_entries_of_other_areas_by)
{
	struct block_device *second = swapdisk_new(64);
	struct file *other;

	start(4); /* slots for pages 0, 1 and 2 */
	CHECK_EQ(out(0, 3), 3);
	CHECK_EQ(swap_area_on(second, "/dev/second", 0), 0);
	CHECK_EQ(out(3, 2), 2);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 2); /* 1 is here again, and goes to the second area */
	CHECK_EQ(user_put(addr + PAGE_SIZE, 2), FAULT_OK);
	other = file;
	file = host_file(FILE_TMPFS, PAGES * PAGE_SIZE);
	as = host_file_mapping(file);
	map_shared(mm);
	CHECK_EQ(filemap_write_kernel(as, &(u8){ 77 }, 1, 0), 1);
	CHECK_EQ(out(0, 1), 1); /* to the slot that page 1 left */
	CHECK_EQ(swap_area_off(disk), 0);
	CHECK_EQ(as->nr_swapped, 0);
	CHECK_EQ(byte_of(0), 77);
	file_put(file);
	file = other;
	as = host_file_mapping(file);
	CHECK_EQ(as->nr_swapped, 2);
	check_filled(addr, PAGES - 1, 1);
	disk = second;
	finish();
}

static void cut_it(void)
{
	filemap_truncate(as, 0);
}

TEST(a_page_that_is_truncated_while_it_comes_back_gives_its_slot_back)
{
	start(64);
	CHECK_EQ(out(0, 1), 1);
	swapdisk_meanwhile = cut_it;
	CHECK_EQ(user_put(addr, 1), FAULT_SIGBUS);
	CHECK_EQ(as->nr_swapped, 0);
	CHECK_EQ(swap_nr_free(), swap_nr_slots());
	finish();
}
