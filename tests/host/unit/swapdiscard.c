/*
 * swapdiscard.c - the disk is told which slots are free (mm/swap_discard.c, drivers/block.c). What
 * was discarded reads as something else: a slot in use that goes would be seen by its contents.
 */
#include "drivers/block.h"
#include "mm/swap_internal.h"
#include "tests/host/unit/swapping.h"

#define PAGES_ONLY (SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_PAGES)
#define ONCE_ONLY  (SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_ONCE)

static struct block_device *disk;
static struct mm *mm;
static unsigned long addr;

/* An area of @slots and the header, @pages in memory. */
static void start(unsigned slots, unsigned pages, int flags)
{
	disk = swapdisk_new(slots + 1);
	CHECK_EQ(swap_area_on(disk, "/dev/swap", flags), 0);
	mm = space_new();
	addr = map_anon(mm, pages, RW);
	fill(addr, pages, 1);
}

static void finish(void)
{
	space_end(mm);
	while (swap_discard_freed())
		;
	swap_end(disk);
}

static void drop(unsigned first, unsigned nr)
{
	CHECK_EQ(call_madvise(addr + first * PAGE_SIZE, nr * PAGE_SIZE, MADV_DONTNEED), 0);
}

static unsigned long slot_of(unsigned n)
{
	return swap_entry_slot((pte_t){ pte_at(mm, addr + n * PAGE_SIZE) });
}

static bool is_discarded(unsigned long slot)
{
	const u8 *bytes = swapdisk_page(disk, slot);

	return bytes[0] == SWAPDISK_DISCARDED && bytes[PAGE_SIZE - 1] == SWAPDISK_DISCARDED;
}

static void discard_all(void)
{
	while (swap_discard_freed())
		machine_check();
}

/* ---- the disk ---- */

TEST(a_disk_is_asked_for_no_more_than_it_takes)
{
	disk = swapdisk_new(100);
	CHECK_EQ(bdev_discard(disk, 8, 99 * 8), 0);
	CHECK(is_discarded(1) && is_discarded(99) && !is_discarded(0));
	CHECK_EQ(disk->sectors_discarded, 99 * 8);
	CHECK_EQ(disk->nr_discards, DIV_ROUND_UP(99 * 8, 96)); /* whole pages of 100 sectors */
	CHECK_EQ(bdev_discard(disk, 0, 0), 0);
	CHECK_EQ(bdev_discard(disk, 792, 16), -EIO);
	CHECK_EQ(bdev_discard(disk, ~0ULL, 16), -EIO);
	disk->discard_align = 0;
	disk->nr_discards = 0;
	CHECK_EQ(bdev_discard(disk, 8, 300), 0);
	CHECK_EQ(disk->nr_discards, 3);
	disk->discard_align = 1000; /* further apart than a request is long */
	CHECK_EQ(bdev_discard(disk, 8, 300), 0);
	CHECK_EQ(disk->nr_discards, 6);
	disk->read_only = true;
	CHECK_EQ(bdev_discard(disk, 8, 8), -EROFS);
	disk->read_only = false;
	disk->max_discard = 0;
	CHECK_EQ(bdev_discard(disk, 8, 8), -EOPNOTSUPP);
}

static int discard_bio(unsigned nr_sectors, unsigned nr_segs)
{
	struct bio *bio = bio_alloc(disk, BIO_DISCARD, 8);
	int err;

	bio->nr_sectors = nr_sectors;
	bio->nr_segs = nr_segs;
	err = submit_bio_wait(bio);
	bio_free(bio);
	return err;
}

TEST(a_discard_that_is_none_is_refused)
{
	disk = swapdisk_new(100);
	CHECK_EQ(discard_bio(0, 0), -EINVAL);
	CHECK_EQ(discard_bio(8, 1), -EINVAL);
	CHECK_EQ(discard_bio(SWAPDISK_MAX_DISCARD + 1, 0), -EINVAL);
	CHECK_EQ(discard_bio(8, 0), 0);
	disk->max_discard = 0;
	CHECK_EQ(discard_bio(8, 0), -EOPNOTSUPP);
	bio_drop_spares();
}

/* ---- swapon ---- */

TEST(once_is_the_whole_area_but_for_its_header_and_bad_slots)
{
	const u32 bad[] = { 1, 99, 2, 40, 99 }; /* the header's numbers, then the list */

	disk = swapdisk_new(100);
	__builtin_memcpy(swapdisk_page(disk, 0) + 1024, bad, 3 * sizeof(u32));
	__builtin_memcpy(swapdisk_page(disk, 0) + 1536, &bad[3], 2 * sizeof(u32));
	CHECK_EQ(swap_area_on(disk, "x", ONCE_ONLY), 0);
	for (unsigned n = 0; n < 100; n++)
		CHECK_EQ(is_discarded(n), n != 0 && n != 40 && n != 99);
	mm = space_new();
	addr = map_anon(mm, 64, RW);
	fill(addr, 64, 1);
	page_out(mm, addr, 64);
	drop(0, 64);
	CHECK(!swap_discard_freed()); /* that was all */
	finish();
}

TEST(pages_are_told_when_their_cluster_is_free_and_no_others)
{
	start(200, 128, PAGES_ONLY);
	CHECK_EQ(disk->nr_discards, 0);
	page_out(mm, addr, 128);
	drop(0, 31 + 31);
	discard_all();
	drop(62, 2); /* the last of theirs */
	discard_all();
	CHECK(!is_discarded(0));
	for (unsigned n = 64; n < 128; n++)
		CHECK(!is_discarded(slot_of(n)));
	CHECK(disk->sectors_discarded >= 32 * 8);
	check_filled(addr + 64 * PAGE_SIZE, 64, 1 + 64);
	finish();
}

TEST(both_are_what_is_meant_without_more_words)
{
	start(100, 64, SWAP_FLAG_DISCARD);
	CHECK_EQ(disk->sectors_discarded, 100 * 8);
	page_out(mm, addr, 64);
	drop(0, 64);
	CHECK(swap_discard_freed());
	CHECK(disk->sectors_discarded > 100 * 8);
	finish();
}

TEST(a_disk_that_takes_none_is_as_good)
{
	disk = swapdisk_new(100);
	disk->max_discard = 0;
	CHECK_EQ(swap_area_on(disk, "x", SWAP_FLAG_DISCARD), 0);
	mm = space_new();
	addr = map_anon(mm, 64, RW);
	fill(addr, 64, 1);
	page_out(mm, addr, 64);
	drop(0, 64);
	CHECK(!swap_discard_freed());
	CHECK_EQ(disk->nr_discards, 0);
	finish();
}

/* ---- meanwhile ---- */

TEST(who_was_faster_keeps_his_slot)
{
	start(62, 64, PAGES_ONLY); /* two clusters, less the header */
	page_out(mm, addr, 32);
	drop(0, 32);
	page_out(mm, addr + 32 * PAGE_SIZE, 32);
	discard_all();
	check_filled(addr + 32 * PAGE_SIZE, 32, 1 + 32);
	finish();
}

static void others_go_out(void)
{
	CHECK_EQ(swap_nr_free(), swap_nr_slots() - 32); /* what is being discarded is free */
	machine_check();
	try_page_out(mm, addr + 64 * PAGE_SIZE, 64);
}

/* Slots that are given out while others are discarded are not among those. */
TEST(nobody_gets_a_slot_that_is_being_discarded)
{
	start(255, 160, PAGES_ONLY);
	page_out(mm, addr, 31); /* the first cluster */
	page_out(mm, addr + 128 * PAGE_SIZE, 32);
	drop(0, 31);
	swapdisk_meanwhile = others_go_out;
	CHECK(swap_discard_freed());
	discard_all();
	check_filled(addr + 64 * PAGE_SIZE, 96, 1 + 64);
	finish();
}

/*
 * On one real thread nobody can wait for a discard that is under way below him on the stack: so
 * what the discarder does is done by hand, its end after the other has slept for a while.
 */
static struct swap_area *discarding;
static unsigned moments;

static void let_discard_end(bool locked)
{
	struct swap_table *table;

	if (locked || !discarding || ++moments < 10)
		return;
	table = area_table(discarding, 0);
	for (unsigned i = 0; i < 2; i++)
		cluster_set_taken(discarding, i, table->bad[i]);
	discarding->nr_discarding = 0;
	discarding->discarding = false;
	discarding = NULL;
}

/* Both clusters of an area of 63 slots, all free. */
static void begin_discard_by_hand(void)
{
	discarding = swap_areas[0];
	for (unsigned i = 0; i < 2; i++)
		cluster_set_taken(discarding, i, ~0u);
	discarding->nr_discarding = 63;
	discarding->discarding = true;
	moments = 0;
	machine_meanwhile = let_discard_end;
}

/* The only free slots: who wants them waits, and has them. */
TEST(who_finds_nothing_else_waits)
{
	start(63, 64, PAGES_ONLY);
	begin_discard_by_hand();
	CHECK_EQ(swap_nr_free(), 63);
	machine_check();
	try_page_out(mm, addr, 63);
	machine_meanwhile = NULL;
	CHECK(!discarding);
	CHECK_EQ(swap_nr_free(), 0);
	check_filled(addr, 63, 1);
	finish();
}

TEST(swapoff_waits_for_a_discard)
{
	start(63, 1, PAGES_ONLY);
	begin_discard_by_hand();
	CHECK_EQ(swap_area_off(disk), 0);
	machine_meanwhile = NULL;
	CHECK(!discarding);
	CHECK_EQ(swap_nr_slots(), 0);
	space_end(mm);
}

/* ---- failing ---- */

TEST(a_failed_discard_is_the_last)
{
	start(127, 64, PAGES_ONLY);
	page_out(mm, addr, 64);
	drop(0, 32);
	swapdisk_bad_discard = SWAPDISK_ALL;
	host_console = tmpfile();
	discard_all();
	host_console = NULL;
	swapdisk_bad_discard = 0;
	drop(32, 16);
	CHECK(!swap_discard_freed());
	check_filled(addr + 48 * PAGE_SIZE, 16, 1 + 48);
	fill(addr, 48, 1);
	page_out(mm, addr, 48); /* the slots are as good as ever */
	check_filled(addr, 64, 1);
	finish();
}

TEST(an_area_that_cannot_be_discarded_is_used)
{
	swapdisk_bad_discard = SWAPDISK_ALL;
	host_console = tmpfile();
	start(127, 64, SWAP_FLAG_DISCARD);
	host_console = NULL;
	swapdisk_bad_discard = 0;
	page_out(mm, addr, 64);
	drop(0, 64);
	CHECK(!swap_discard_freed());
	finish();
}

/* A slot that could not be written is never the disk's business again. */
TEST(bad_slots_are_not_discarded)
{
	unsigned long bad;

	start(95, 32, PAGES_ONLY);
	page_out(mm, addr, 32);
	bad = slot_of(31) + 8;
	check_filled(addr, 32, 1);
	fill(addr, 32, 1); /* the slots are free */
	discard_all();
	__builtin_memset(swapdisk_page(disk, bad), 7, PAGE_SIZE);
	swapdisk_bad_write = bad;
	for (unsigned round = 0; round < 4; round++) {
		try_page_out(mm, addr, 32);
		check_filled(addr, 32, 1);
		fill(addr, 32, 1);
		discard_all();
	}
	swapdisk_bad_write = 0;
	CHECK_EQ(swap_nr_slots(), 94);
	CHECK_EQ(swapdisk_page(disk, bad)[0], 7);
	CHECK(is_discarded(bad - 1) || is_discarded(bad + 1));
	finish();
}
