/*
 * swap.c - swapon(2), swapoff(2) and memory that lies on /dev/vdb: contents, fork, what /proc says.
 * ravel-only: on the host it would cost somebody his disk.
 *
 * The disk is the one of SWAP= (docs/build.md); what it holds is lost. Pages are sent out by
 * MADV_PAGEOUT. Where there is no second disk, or it is in use, there is nothing to test.
 */
#include "usr/lib/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>

#include "usr/lib/failalloc.h"
#include "usr/lib/procinfo.h"
#include "usr/lib/swapfile.h"
#include "usr/lib/swapheader.h"
#include "usr/lib/testdir.h"
#include "usr/lib/testpages.h"
#include "usr/lib/testswap.h"
#include "usr/lib/testtools.h"
#include "usr/lib/testutil.h"

#define BIG   (16UL << 20)
#define SMALL (64 * PAGE_SIZE)

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef SWAP_FLAG_DISCARD_ONCE
#define SWAP_FLAG_DISCARD_ONCE	0x20000
#define SWAP_FLAG_DISCARD_PAGES 0x40000
#endif

static unsigned char *map(size_t bytes, int prot)
{
	void *at = mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	return at;
}

/* How many pages of [at, at + bytes) are in swap, as pagemap tells. */
static size_t swapped(const void *at, size_t bytes)
{
	static uint64_t entries[BIG / PAGE_SIZE];
	size_t nr = 0;

	pagemap_read(0, at, bytes / PAGE_SIZE, entries);
	for (size_t i = 0; i < bytes / PAGE_SIZE; i++)
		nr += !!(entries[i] & PAGE_SWAPPED);
	return nr;
}

static void page_out(void *at, size_t bytes)
{
	CHECK_OK(madvise(at, bytes, MADV_PAGEOUT));
	CHECK_EQ(swapped(at, bytes), bytes / PAGE_SIZE);
}

/* Each page of [at, at + bytes) is different, and differs with @tag. */
static void fill(unsigned char *at, size_t bytes, unsigned int tag)
{
	for (size_t page = 0; page < bytes / PAGE_SIZE; page++)
		fill_pattern(at + page * PAGE_SIZE, PAGE_SIZE, tag, page * PAGE_SIZE);
}

static void check(const unsigned char *at, size_t bytes, unsigned int tag)
{
	static unsigned char expected[PAGE_SIZE];

	for (size_t page = 0; page < bytes / PAGE_SIZE; page++) {
		fill_pattern(expected, PAGE_SIZE, tag, page * PAGE_SIZE);
		CHECK(memcmp(at + page * PAGE_SIZE, expected, PAGE_SIZE) == 0);
	}
}

/* Discards of the second disk, as /proc/diskstats counts them, and their sectors. */
static unsigned long discards(unsigned long *sectors)
{
	static char text[2048];
	unsigned long nr;
	char *line;

	CHECK(read_text("/proc/diskstats", text, sizeof(text)) > 0);
	line = strstr(text, " vdb ");
	CHECK(line != NULL);
	CHECK_EQ(sscanf(line, " vdb %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %lu %*u %lu", &nr,
			sectors),
		 2);
	return nr;
}

/* ---- the calls ---- */

TEST(who_may_and_on_what)
{
	swap_area_make(0);
	CHECK_ERRNO(swapon(SWAP_DISK, 1 << 20), EINVAL);
	CHECK_ERRNO(swapon("/dev/nowhere", 0), ENOENT);
	CHECK_ERRNO(swapon("/dev/null", 0), EINVAL);
	CHECK_ERRNO(swapon("/", 0), EINVAL);
	CHECK_ERRNO(swapon("/bin/sh", 0), EINVAL);
	CHECK_ERRNO(swapon("/dev/vda", 0), EBUSY); /* mounted */
	CHECK_ERRNO(swapon((char *)KERNEL_ADDRESS, 0), EFAULT);
	CHECK_ERRNO(swapoff(SWAP_DISK), EINVAL);
	CHECK_ERRNO(swapoff("/dev/nowhere"), ENOENT);
	CHECK_CHILD({
		CHECK_OK(setuid(1000));
		CHECK_ERRNO(swapon(SWAP_DISK, 0), EPERM);
		CHECK_ERRNO(swapoff(SWAP_DISK), EPERM);
	});
	CHECK_OK(swapon(SWAP_DISK, 0));
	CHECK_ERRNO(swapon(SWAP_DISK, 0), EBUSY);
	CHECK_ERRNO(open(SWAP_DISK, O_RDWR), EBUSY);
	CHECK_OK(swapoff(SWAP_DISK));
	CHECK_ERRNO(swapoff(SWAP_DISK), EINVAL);
}

static void write_header(const struct swap_header *header)
{
	int fd = CHECK_OK(open(SWAP_DISK, O_RDWR));

	CHECK_EQ(pwrite(fd, header, sizeof(*header), 0), sizeof(*header));
	close(fd);
}

TEST(headers_that_are_wrong)
{
	static struct swap_header good, bad;
	unsigned long pages = swap_area_make(0);

	CHECK_EQ(swap_header_make(&good, pages), 0);
	bad = good;
	bad.magic[0] = 'X';
	write_header(&bad);
	CHECK_ERRNO(swapon(SWAP_DISK, 0), EINVAL);
	bad = good;
	bad.version = 2;
	write_header(&bad);
	CHECK_ERRNO(swapon(SWAP_DISK, 0), EINVAL);
	bad = good;
	bad.last_page = (uint32_t)pages; /* one more than there is */
	write_header(&bad);
	CHECK_ERRNO(swapon(SWAP_DISK, 0), EINVAL);
	bad = good;
	bad.nr_badpages = SWAP_MAX_BADPAGES + 1;
	write_header(&bad);
	CHECK_ERRNO(swapon(SWAP_DISK, 0), EINVAL);
	bad = good;
	CHECK_EQ(swap_header_add_bad(&bad, (uint32_t)pages), 0);
	write_header(&bad);
	CHECK_ERRNO(swapon(SWAP_DISK, 0), EINVAL);
	write_header(&good);
	CHECK_OK(swapon(SWAP_DISK, 0));
	CHECK_OK(swapoff(SWAP_DISK));
}

TEST(bad_pages_are_not_used)
{
	static struct swap_header header;
	unsigned char *at = map(SMALL, PROT_READ | PROT_WRITE);
	size_t out;

	swap_area_make(40);
	CHECK_EQ(swap_header_make(&header, 40), 0);
	for (uint32_t page = 1; page < 40; page += 3)
		CHECK_EQ(swap_header_add_bad(&header, page), 0);
	write_header(&header);
	CHECK_OK(swapon(SWAP_DISK, 0));
	CHECK_EQ(meminfo_kb("SwapTotal"), 26 * 4);
	fill(at, SMALL, 1);
	CHECK_OK(madvise(at, SMALL, MADV_PAGEOUT));
	out = swapped(at, SMALL);
	CHECK_EQ(out, 26);
	CHECK_EQ(meminfo_kb("SwapFree"), 0);
	check(at, SMALL, 1);
	CHECK_OK(munmap(at, SMALL));
	swap_finish();
}

struct found {
	struct swap_line line;
	int nr;
};

static bool note_line(const struct swap_line *line, void *arg)
{
	struct found *found = arg;

	found->line = *line;
	found->nr++;
	return true;
}

TEST(what_proc_says)
{
	unsigned long pages = swap_area_make(0);
	unsigned char *at = map(SMALL, PROT_READ | PROT_WRITE);
	struct found found = { .nr = 0 };
	struct sysinfo info;
	struct smaps area;
	unsigned char vec[1];

	CHECK_OK(swapon(SWAP_DISK, SWAP_FLAG_PREFER | 7));
	fill(at, SMALL, 1);
	page_out(at, SMALL);
	CHECK_EQ(swap_each(note_line, &found), 0);
	CHECK_EQ(found.nr, 1);
	CHECK_STRING(found.line.name, SWAP_DISK);
	CHECK_STRING(found.line.type, "partition");
	CHECK_EQ(found.line.size, (pages - 1) * 4);
	CHECK_EQ(found.line.priority, 7);
	CHECK_RANGE(found.line.used, SMALL / 1024, SMALL / 1024 + 64);
	CHECK_EQ(meminfo_kb("SwapTotal"), (pages - 1) * 4);
	CHECK_OK(sysinfo(&info));
	CHECK_EQ(info.totalswap * info.mem_unit, (pages - 1) * PAGE_SIZE);
	CHECK_EQ(info.freeswap * info.mem_unit / 1024, meminfo_kb("SwapFree"));
	smaps_of(0, at, &area);
	CHECK_EQ(area.swap, SMALL / 1024);
	CHECK_EQ(area.rss, 0);
	CHECK_OK(mincore(at, PAGE_SIZE, vec));
	CHECK_EQ(vec[0], 0);
	CHECK_EQ(at[0], at[0]);
	CHECK_OK(mincore(at, PAGE_SIZE, vec));
	CHECK_EQ(vec[0], 1);
	CHECK_OK(munmap(at, SMALL));
	swap_finish();
}

/* The path that was used, with a blank in it: it is one field, and swapoff -a finds the disk. */
TEST(a_blank_in_the_path)
{
	char output[4096], text[1024], expected[128];

	swap_area_make(0);
	tools_path();
	CHECK_OK(mkdir("/tmp/a swap", 0700));
	CHECK_OK(mount("devfs", "/tmp/a swap", "devfs", 0, NULL));
	CHECK_OK(swapon("/tmp/a swap/vdb", 0));
	CHECK(read_text("/proc/swaps", text, sizeof(text)) > 0);
	snprintf(expected, sizeof(expected), "\n%-39s partition\t", "/tmp/a\\040swap/vdb");
	CHECK(strstr(text, expected));
	CHECK_EQ(run_line("swapoff -a && swapon -s | wc -l", output, sizeof(output)), 0);
	CHECK_STRING(output, "0\n");
	CHECK_OK(umount("/tmp/a swap"));
	CHECK_OK(rmdir("/tmp/a swap"));
}

TEST(the_tools)
{
	char output[4096];

	swap_area_make(0);
	tools_path();
	CHECK_EQ(run_line("mkswap /dev/vdb >/dev/null 2>&1 && swapon -a && swapon -s | wc -l",
			  output, sizeof(output)),
		 0);
	CHECK_STRING(output, "2\n");
	CHECK_EQ(run_line("swapon /dev/vdb 2>&1", output, sizeof(output)), 1);
	CHECK(strstr(output, "busy"));
	CHECK_EQ(run_line("swapoff -a && swapon -s | wc -l", output, sizeof(output)), 0);
	CHECK_STRING(output, "0\n");
}

/* ---- memory ---- */

TEST(sixteen_mebibytes_go_and_come_back)
{
	unsigned char *at = map(BIG, PROT_READ | PROT_WRITE);
	long long before;

	swap_start();
	fill(at, BIG, 3);
	before = meminfo_kb("MemFree");
	page_out(at, BIG);
	CHECK_RANGE(meminfo_kb("MemFree") - before, (long long)BIG / 1024 - 512, BIG / 1024 + 512);
	check(at, BIG, 3);
	CHECK_EQ(swapped(at, BIG), 0);
	CHECK_OK(munmap(at, BIG));
	swap_finish();
}

TEST(advice_that_is_refused)
{
	unsigned char *at = map(3 * PAGE_SIZE, PROT_READ | PROT_WRITE);

	CHECK_OK(munmap(at + PAGE_SIZE, PAGE_SIZE));
	CHECK_ERRNO(madvise(at + 1, PAGE_SIZE, MADV_PAGEOUT), EINVAL);
	CHECK_ERRNO(madvise(at, 3 * PAGE_SIZE, MADV_PAGEOUT), ENOMEM);
	CHECK_OK(mlock(at, PAGE_SIZE));
	CHECK_ERRNO(madvise(at, PAGE_SIZE, MADV_PAGEOUT), EINVAL);
}

TEST(relatives_share_what_is_out)
{
	unsigned char *at = map(SMALL, PROT_READ | PROT_WRITE);

	swap_start();
	fill(at, SMALL, 1);
	page_out(at, SMALL);
	for (int i = 0; i < 8; i++)
		CHECK_CHILD({
			check(at, SMALL, 1);
			fill(at, SMALL, 2 + i);
			check(at, SMALL, 2 + i);
			CHECK_OK(madvise(at, SMALL, MADV_PAGEOUT));
			check(at, SMALL, 2 + i);
		});
	check(at, SMALL, 1);
	CHECK_OK(munmap(at, SMALL));
	swap_finish();
}

/* Children that read, write, send out and end at the same time. */
TEST(a_family_under_way)
{
	enum { CHILDREN = 6, ROUNDS = 12 };
	unsigned char *at = map(SMALL, PROT_READ | PROT_WRITE);
	pid_t pids[CHILDREN];

	swap_start();
	fill(at, SMALL, 1);
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] > 0)
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			CHECK_OK(madvise(at, SMALL, MADV_PAGEOUT));
			check(at, SMALL, round ? 100U * i + round : 1U);
			fill(at, SMALL, 100U * i + round + 1);
		}
		_exit(0);
	}
	for (int round = 0; round < ROUNDS; round++) {
		CHECK_OK(madvise(at, SMALL, MADV_PAGEOUT));
		check(at, SMALL, 1);
	}
	for (int i = 0; i < CHILDREN; i++)
		CHECK_EXIT(pids[i], 0);
	check(at, SMALL, 1);
	CHECK_OK(munmap(at, SMALL));
	swap_finish();
}

static volatile bool stop;

static int keep_sending(void *at)
{
	while (!stop)
		madvise(at, SMALL, MADV_PAGEOUT);
	return 0;
}

/* One thread counts in the pages while another sends them out: no count is lost. */
TEST(a_thread_writes_what_another_sends_out)
{
	unsigned char *at = map(SMALL, PROT_READ | PROT_WRITE);
	pid_t thread;

	swap_start();
	thread = spawn_sharing(keep_sending, at);
	for (unsigned int round = 1; round <= 40; round++) {
		for (size_t page = 0; page < SMALL / PAGE_SIZE; page++) {
			unsigned int *count = (unsigned int *)(void *)(at + page * PAGE_SIZE);

			CHECK_EQ(*count, round - 1);
			++*count;
		}
	}
	stop = true;
	CHECK_EXIT(thread, 0);
	CHECK_OK(munmap(at, SMALL));
	swap_finish();
}

#define TABLE (512 * PAGE_SIZE) /* what one leaf table translates */

static int keep_sending_one(void *at)
{
	while (!stop)
		madvise(at, PAGE_SIZE, MADV_PAGEOUT);
	return 0;
}

/* The page has a leaf table for itself: fork() must not think that there is nothing to copy. */
TEST(a_child_has_what_was_just_going)
{
	unsigned char *area = map(2 * TABLE, PROT_READ | PROT_WRITE);
	unsigned int *at = (void *)(((uintptr_t)area + TABLE - 1) & ~(TABLE - 1));
	pid_t thread;

	swap_start();
	thread = spawn_sharing(keep_sending_one, at);
	for (unsigned int round = 1; round <= 200; round++) {
		*(volatile unsigned int *)at = round;
		CHECK_CHILD(CHECK_EQ(*at, round));
	}
	stop = true;
	CHECK_EXIT(thread, 0);
	CHECK_OK(munmap(area, 2 * TABLE));
	swap_finish();
}

TEST(swapoff_brings_everything_back)
{
	unsigned char *at = map(BIG, PROT_READ | PROT_WRITE);
	int ready[2], go[2];
	pid_t pid;
	char byte;

	swap_start();
	fill(at, BIG, 5);
	page_out(at, BIG);
	CHECK_OK(mprotect(at, SMALL, PROT_NONE)); /* these too */
	CHECK_OK(pipe(ready));
	CHECK_OK(pipe(go));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(write(ready[1], "", 1), 1);
		CHECK_EQ(read(go[0], &byte, 1), 1);
		CHECK_EQ(swapped(at, BIG), 0);
		check(at + SMALL, BIG - SMALL, 5);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	CHECK_OK(swapoff(SWAP_DISK));
	CHECK_EQ(swapped(at, BIG), 0);
	CHECK_EQ(meminfo_kb("SwapTotal"), 0);
	CHECK_EQ(write(go[1], "", 1), 1);
	CHECK_EXIT(pid, 0);
	CHECK_OK(mprotect(at, SMALL, PROT_READ));
	check(at, BIG, 5);
}

/* Off and on again while children use it. */
TEST(swapoff_while_it_is_used)
{
	enum { CHILDREN = 3 };
	unsigned char *at = map(SMALL, PROT_READ | PROT_WRITE);
	pid_t pids[CHILDREN];

	swap_start();
	fill(at, SMALL, 1);
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] > 0)
			continue;
		for (unsigned int round = 1; round < 30; round++) {
			fill(at, SMALL, 10U * i + round);
			CHECK_OK(madvise(at, SMALL, MADV_PAGEOUT));
			check(at, SMALL, 10U * i + round);
		}
		_exit(0);
	}
	for (int i = 0; i < 8; i++) {
		CHECK_OK(swapoff(SWAP_DISK));
		CHECK_OK(swapon(SWAP_DISK, 0));
		CHECK_OK(madvise(at, SMALL, MADV_PAGEOUT));
	}
	for (int i = 0; i < CHILDREN; i++)
		CHECK_EXIT(pids[i], 0);
	check(at, SMALL, 1);
	CHECK_OK(munmap(at, SMALL));
	swap_finish();
}

TEST(private_copies_of_a_file_go_to_swap_and_its_pages_do_not)
{
	unsigned char *at;
	uint64_t entry;
	int fd;

	swap_start();
	test_dir();
	fd = CHECK_OK(open("file", O_RDWR | O_CREAT, 0600));
	CHECK_OK(ftruncate(fd, 4 * PAGE_SIZE));
	CHECK_OK(fsync(fd));
	at = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(at != MAP_FAILED);
	at[PAGE_SIZE] = 1;
	CHECK_EQ(at[0], 0);
	CHECK_OK(madvise(at, 4 * PAGE_SIZE, MADV_PAGEOUT));
	CHECK_EQ(swapped(at, 4 * PAGE_SIZE), 1);
	CHECK(pagemap_entry(at + PAGE_SIZE) & PAGE_SWAPPED);
	entry = pagemap_entry(at);
	CHECK(!(entry & (PAGE_SWAPPED | PAGE_PRESENT)));
	CHECK_EQ(at[PAGE_SIZE], 1);
	CHECK_OK(madvise(at, 4 * PAGE_SIZE, MADV_PAGEOUT));
	/* Past the end of the file is for all: the copy in its slot goes, too. */
	CHECK_OK(ftruncate(fd, 0));
	CHECK_EQ(swapped(at, 4 * PAGE_SIZE), 0);
	CHECK_SIGNAL({ *(volatile char *)(at + PAGE_SIZE) = 1; }, SIGBUS);
	close(fd);
	CHECK_OK(munmap(at, 4 * PAGE_SIZE));
	test_dir_leave();
	swap_finish();
}

/* ---- discards ---- */

/* A disk that takes no discards is as good, but there is nothing to see. */
static void need_discards(void)
{
	unsigned long before, after;

	swap_area_make(0);
	discards(&before);
	CHECK_OK(swapon(SWAP_DISK, SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_ONCE));
	discards(&after);
	CHECK_OK(swapoff(SWAP_DISK));
	if (before == after)
		SKIP("the second disk takes no discards");
}

TEST(discard_once_tells_the_disk_at_swapon_only)
{
	unsigned char *at = map(BIG, PROT_READ | PROT_WRITE);
	unsigned long pages, before, after, later;

	need_discards();
	pages = swap_area_make(0);
	discards(&before);
	CHECK_OK(swapon(SWAP_DISK, SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_ONCE));
	discards(&after);
	CHECK_EQ(after - before, (pages - 1) * (PAGE_SIZE / 512)); /* all but the header */
	fill(at, BIG, 1);
	page_out(at, BIG);
	check(at, BIG, 1);
	CHECK_OK(munmap(at, BIG));
	swap_finish();
	discards(&later);
	CHECK_EQ(later, after);
}

TEST(freed_clusters_are_discarded_and_the_rest_is_kept)
{
	unsigned char *at = map(BIG, PROT_READ | PROT_WRITE);
	unsigned long requests, before, after;

	need_discards();
	swap_area_make(0);
	requests = discards(&before);
	CHECK_OK(swapon(SWAP_DISK, SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_PAGES));
	CHECK_EQ(discards(&after), requests); /* not yet */
	for (unsigned int round = 1; round < 4; round++) {
		discards(&before);
		fill(at, BIG, round);
		page_out(at, BIG);
		CHECK_OK(madvise(at, BIG / 2, MADV_DONTNEED));
		WAIT_UNTIL((discards(&after), after - before >= BIG / 4 / 512));
		fill(at, BIG / 4, round + 10); /* while more may be discarded */
		page_out(at, BIG / 4);
		check(at + BIG / 2, BIG / 2, round);
		check(at, BIG / 4, round + 10);
		CHECK_EQ(at[BIG / 4], 0);
	}
	CHECK(discards(&after) > requests);
	CHECK_OK(munmap(at, BIG));
	swap_finish();
}

TEST(swapoff_while_it_is_discarded)
{
	unsigned char *at = map(BIG, PROT_READ | PROT_WRITE);

	swap_area_make(0);
	for (unsigned int round = 0; round < 4; round++) {
		CHECK_OK(swapon(SWAP_DISK, SWAP_FLAG_DISCARD));
		fill(at, BIG, round);
		page_out(at, BIG);
		CHECK_OK(madvise(at, BIG / 2, MADV_DONTNEED));
		CHECK_OK(swapoff(SWAP_DISK));
		check(at + BIG / 2, BIG / 2, round);
	}
	CHECK_OK(munmap(at, BIG));
}

/* Pages read ahead can be done without: which allocation cannot fail is found by trying. */
TEST(what_a_failed_swapoff_freed_is_discarded)
{
	unsigned char *at = map(BIG, PROT_READ | PROT_WRITE);
	int nth = BIG / PAGE_SIZE / 2, off = 0;
	unsigned long before, after;

	need_discards();
	fail_open();
	for (int tries = 0; tries < 32 && off == 0; tries++) {
		swap_area_make(0);
		CHECK_OK(swapon(SWAP_DISK, SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_PAGES));
		fill(at, BIG, tries);
		page_out(at, BIG);
		discards(&before);
		fail_arm(nth + tries);
		off = swapoff(SWAP_DISK);
		CHECK(off == 0 || errno == ENOMEM);
		CHECK(fail_fired());
	}
	CHECK_EQ(off, -1);
	WAIT_UNTIL((discards(&after), after - before >= BIG / 4 / 512));
	CHECK(swapped(at, BIG) > 0);
	CHECK_OK(munmap(at, BIG));
	swap_finish();
}
