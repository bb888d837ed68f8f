/*
 * swaperrors.c - a swap disk that fails.  scripts/swaperrors.py makes the disk, on which slot BAD
 * (or all of it) cannot be read, or not be written, and runs
 *
 *	swaperrors TEST...     read_* where reads of BAD fail, write_* where writes of it do, dead_*
 *	                       where no write succeeds, header_* where page 0 cannot be read
 *
 * What was lost is lost: who wants it is told by SIGBUS, or EFAULT in a system call. Nobody ever
 * sees other bytes than he wrote, and nobody else is harmed.
 *
 * For Ravel only, which alone has this disk.  Invariants: none.  Locks: none.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/swap.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testpages.h"
#include "usr/lib/testutil.h"

#define DISK  "/dev/vdb"
#define BAD   100 /* as in scripts/swaperrors.py */
#define PAGES 256

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static unsigned char *at;

static void fill(int flags)
{
	at = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
	CHECK(at != MAP_FAILED);
	for (int i = 0; i < PAGES; i++)
		fill_pattern(at + i * PAGE_SIZE, PAGE_SIZE, i, 0);
}

static void check_page(int i)
{
	static unsigned char expected[PAGE_SIZE];

	fill_pattern(expected, PAGE_SIZE, i, 0);
	CHECK(memcmp(at + i * PAGE_SIZE, expected, PAGE_SIZE) == 0);
}

/* Pages that are in swap; *bad: the one of slot BAD, or -1. */
static int count_swapped(int *bad)
{
	static uint64_t entries[PAGES];
	int nr = 0;

	*bad = -1;
	pagemap_read(0, at, PAGES, entries);
	for (int i = 0; i < PAGES; i++) {
		if (!(entries[i] & PAGE_SWAPPED))
			continue;
		nr++;
		if (((entries[i] & PAGE_PFN) >> 5) == BAD)
			*bad = i;
	}
	return nr;
}

/* True when the kernel can read page @i on our behalf; else it says EFAULT. */
static bool kernel_can_read(int i)
{
	int ends[2];
	ssize_t n;

	CHECK_OK(pipe(ends));
	n = write(ends[1], at + i * PAGE_SIZE, 1);
	if (n < 0)
		CHECK_EQ(errno, EFAULT);
	close(ends[0]);
	close(ends[1]);
	return n == 1;
}

static void page_out(void)
{
	CHECK_OK(madvise(at, PAGES * PAGE_SIZE, MADV_PAGEOUT));
}

/* ---- reads ---- */

TEST(read_fails_for_who_wants_the_page_and_for_nobody_else)
{
	int bad;

	CHECK_OK(swapon(DISK, 0));
	fill(MAP_PRIVATE);
	page_out();
	CHECK_EQ(count_swapped(&bad), PAGES);
	CHECK(bad >= 0);
	for (int i = 0; i < PAGES; i++) {
		if (i != bad)
			check_page(i); /* also where the two are read at once */
	}
	CHECK_SIGNAL({ (void)*(volatile unsigned char *)(at + bad * PAGE_SIZE); }, SIGBUS);
	CHECK_SIGNAL({ at[bad * PAGE_SIZE] = 1; }, SIGBUS);
	CHECK(!kernel_can_read(bad));
	CHECK(kernel_can_read(bad - 1) && kernel_can_read(bad + 1));
	CHECK_ERRNO(swapoff(DISK), EIO); /* it cannot be brought back, and is kept */
	CHECK(!kernel_can_read(bad));
	CHECK_OK(munmap(at, PAGES * PAGE_SIZE));
	CHECK_OK(swapoff(DISK));
}

TEST(read_of_shared_memory_fails_likewise)
{
	int lost = 0;

	CHECK_OK(swapon(DISK, 0));
	fill(MAP_SHARED);
	page_out();
	for (int i = 0; i < PAGES; i++) {
		if (kernel_can_read(i))
			check_page(i);
		else
			lost++;
	}
	CHECK_EQ(lost, 1);
	CHECK_OK(munmap(at, PAGES * PAGE_SIZE));
	CHECK_OK(swapoff(DISK));
}

/* Whoever has written something new over it before it is needed does not miss it. */
TEST(read_is_not_needed_for_what_is_dropped)
{
	int bad;

	CHECK_OK(swapon(DISK, 0));
	fill(MAP_PRIVATE);
	page_out();
	CHECK_EQ(count_swapped(&bad), PAGES);
	CHECK(bad >= 0);
	CHECK_OK(madvise(at + bad * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED));
	CHECK_EQ(at[bad * PAGE_SIZE], 0);
	CHECK_OK(swapoff(DISK));
}

/* ---- writes ---- */

static void check_all(void)
{
	for (int i = 0; i < PAGES; i++)
		check_page(i);
}

TEST(write_that_fails_keeps_the_page)
{
	CHECK_OK(swapon(DISK, 0));
	for (int round = 0; round < 3; round++) {
		fill(MAP_PRIVATE);
		page_out();
		check_all();
		CHECK_OK(munmap(at, PAGES * PAGE_SIZE));
		fill(MAP_SHARED);
		page_out();
		check_all();
		CHECK_OK(munmap(at, PAGES * PAGE_SIZE));
	}
	CHECK_OK(swapoff(DISK));
}

TEST(dead_disks_keep_nothing)
{
	CHECK_OK(swapon(DISK, 0));
	fill(MAP_PRIVATE);
	page_out(); /* into the swap cache, and no further: the frames stay */
	CHECK_EQ(vmstat("pswpin"), 0);
	check_all();
	CHECK_EQ(vmstat("pswpin"), 0);
	page_out();
	at[0] ^= 1;
	page_out();
	at[0] ^= 1;
	check_all();
	CHECK_CHILD({
		page_out();
		check_all();
	});
	CHECK_OK(swapoff(DISK));
	check_all();
}

/* ---- the header ---- */

TEST(header_that_cannot_be_read)
{
	char byte;
	int fd;

	CHECK_ERRNO(swapon(DISK, 0), EIO);
	fd = CHECK_OK(open(DISK, O_RDWR)); /* nothing has claimed it */
	CHECK_ERRNO(pread(fd, &byte, 1, 0), EIO);
	CHECK_ERRNO(pwrite(fd, &byte, 1, 0), EIO); /* the rest of the page would be lost */
	CHECK_EQ(pread(fd, &byte, 1, PAGE_SIZE), 1);
	close(fd);
}
