/*
 * pagemap.c - /proc/<pid>/pagemap, /proc/kpagecount, /proc/kpageflags: each page that the program
 * touched is there, with its frame, and no other.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "usr/lib/testpages.h"
#include "usr/lib/testutil.h"

#define PAGES	 64
#define USER	 1000
#define FLAG(nr) (1ULL << (nr))

/* As linux/kernel-page-flags.h numbers them. */
enum { FLAG_BUDDY = 10, FLAG_MMAP = 11, FLAG_ANON = 12, FLAG_NOPAGE = 20, FLAG_ZERO_PAGE = 24 };

static char *map_small_pages(size_t pages)
{
	char *p = map_anon(pages * PAGE_SIZE);

	madvise(p, pages * PAGE_SIZE, MADV_NOHUGEPAGE);
	return p;
}

TEST(present_is_what_was_touched_page_by_page)
{
	char *p = map_small_pages(PAGES);
	bool touched[PAGES] = {};
	uint64_t entries[PAGES];

	for (int round = 0; round < PAGES; round++) {
		int page = test_random_below(PAGES);

		p[page * PAGE_SIZE] = 1;
		touched[page] = true;
		pagemap_read(0, p, PAGES, entries);
		for (int i = 0; i < PAGES; i++) {
			if (!touched[i]) {
				CHECK_EQ(entries[i] & ~(1ULL << 55), 0);
				continue;
			}
			CHECK(entries[i] & PAGE_PRESENT);
			CHECK(entries[i] & PAGE_EXCLUSIVE);
			CHECK(!(entries[i] & (PAGE_OF_FILE | PAGE_SWAPPED)));
			CHECK(entries[i] & PAGE_PFN);
		}
	}
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
	pagemap_read(0, p, PAGES, entries);
	for (int i = 0; i < PAGES; i++)
		CHECK_EQ(entries[i] & ~(1ULL << 55), 0);
}

/* The same pages, counted by smaps. */
TEST(smaps_counts_the_same_pages)
{
	char *p = map_small_pages(PAGES);
	uint64_t entries[PAGES];
	struct smaps area;
	int present = 0;

	for (int i = 0; i < PAGES; i++)
		if (test_random_below(2))
			p[i * PAGE_SIZE] = 1;
	pagemap_read(0, p, PAGES, entries);
	for (int i = 0; i < PAGES; i++)
		present += !!(entries[i] & PAGE_PRESENT);
	smaps_of(0, p, &area);
	CHECK_EQ(area.rss, present * (long long)PAGE_SIZE / 1024);
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
}

TEST(the_zero_page_is_present_and_nobody_s)
{
	volatile char *p = map_small_pages(2);
	uint64_t entry;

	CHECK_EQ(p[0] + p[PAGE_SIZE], 0);
	entry = pagemap_entry((char *)p);
	CHECK(entry & PAGE_PRESENT);
	CHECK(!(entry & (PAGE_EXCLUSIVE | PAGE_OF_FILE)));
	CHECK_EQ(entry & PAGE_PFN, pagemap_entry((char *)p + PAGE_SIZE) & PAGE_PFN);
	CHECK(frame_flags(entry & PAGE_PFN) & FLAG(FLAG_ZERO_PAGE));
	CHECK_EQ(frame_count(entry & PAGE_PFN), 0);
	CHECK_OK(munmap((void *)p, 2 * PAGE_SIZE));
}

TEST(a_page_of_a_file_says_so)
{
	const char *path = tmp_path("pagemap");
	static char bytes[2 * PAGE_SIZE];
	volatile char *p, *q;
	int fd;

	write_file(path, bytes, sizeof(bytes));
	fd = CHECK_OK(open(path, O_RDWR));
	p = CHECK_OK(mmap(NULL, sizeof(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	q = CHECK_OK(mmap(NULL, sizeof(bytes), PROT_READ, MAP_SHARED, fd, 0));
	CHECK_EQ(p[0] + p[PAGE_SIZE], 0);
	CHECK(pagemap_entry((char *)p) & PAGE_OF_FILE);
	CHECK(pagemap_entry((char *)p) & PAGE_EXCLUSIVE);
	/* A second mapping shares the frame, and a private write leaves it. */
	CHECK_EQ(q[0] + q[PAGE_SIZE], 0);
	CHECK_EQ(pagemap_entry((char *)p), pagemap_entry((char *)q));
	CHECK(!(pagemap_entry((char *)p) & PAGE_EXCLUSIVE));
	CHECK_EQ(frame_count(pagemap_entry((char *)p) & PAGE_PFN), 2);
	p[0] = 1;
	CHECK(!(pagemap_entry((char *)p) & PAGE_OF_FILE));
	CHECK(pagemap_entry((char *)q) & PAGE_EXCLUSIVE);
	CHECK_EQ(frame_count(pagemap_entry((char *)q) & PAGE_PFN), 1);
	CHECK_OK(munmap((void *)p, sizeof(bytes)));
	CHECK_OK(munmap((void *)q, sizeof(bytes)));
	close(fd);
	CHECK_OK(unlink(path));
}

/* Fork makes two of each PTE, a write makes two frames. */
TEST(frames_are_shared_by_fork_until_somebody_writes)
{
	char *p = map_small_pages(2);
	uint64_t frame;
	int go[2], ready[2];
	char byte;
	pid_t pid;

	memset(p, 1, 2 * PAGE_SIZE);
	frame = pagemap_entry(p) & PAGE_PFN;
	CHECK_EQ(frame_count(frame), 1);
	CHECK(frame_flags(frame) & FLAG(FLAG_ANON));
	CHECK(frame_flags(frame) & FLAG(FLAG_MMAP));
	CHECK(!(frame_flags(frame) & FLAG(FLAG_BUDDY)));
	CHECK_OK(pipe(go));
	CHECK_OK(pipe(ready));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(pagemap_entry(p) & PAGE_PFN, frame);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		CHECK_EQ(read(go[0], &byte, 1), 1);
		*p = 2;
		CHECK(pagemap_entry(p) & PAGE_EXCLUSIVE);
		CHECK((pagemap_entry(p) & PAGE_PFN) != frame);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	CHECK_EQ(frame_count(frame), 2);
	CHECK(!(pagemap_entry(p) & PAGE_EXCLUSIVE));
	CHECK_EQ(write(go[1], "x", 1), 1);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(frame_count(frame), 1);
	CHECK(pagemap_entry(p) & PAGE_EXCLUSIVE);
	CHECK_EQ(pagemap_entry(p) & PAGE_PFN, frame);
	CHECK_OK(munmap(p, 2 * PAGE_SIZE));
}

TEST(a_page_hidden_by_prot_none_is_present)
{
	char *p = map_small_pages(1);
	uint64_t entry;

	*p = 1;
	entry = pagemap_entry(p);
	CHECK_OK(mprotect(p, PAGE_SIZE, PROT_NONE));
	CHECK_EQ(pagemap_entry(p), entry);
	CHECK_OK(munmap(p, PAGE_SIZE));
}

TEST(reads_are_of_whole_entries)
{
	int fd = CHECK_OK(open("/proc/self/pagemap", O_RDONLY));
	int count = CHECK_OK(open("/proc/kpagecount", O_RDONLY));
	uint64_t entries[4];

	CHECK_ERRNO(pread(fd, entries, 7, 0), EINVAL);
	CHECK_ERRNO(pread(fd, entries, 8, 4), EINVAL);
	CHECK_ERRNO(pread(fd, entries, 12, 8), EINVAL);
	CHECK_EQ(pread(fd, entries, 0, 0), 0);
	CHECK_EQ(pread(fd, entries, 16, 8), 16);
	CHECK_ERRNO(pread(count, entries, 7, 0), EINVAL);
	CHECK_ERRNO(pread(count, entries, 8, 4), EINVAL);
	CHECK_EQ(pread(count, entries, 8, 0), 8);
	/* Behind the last address, and behind the last frame, is the end. */
	CHECK_EQ(pread(fd, entries, 8, 1L << 58), 0);
	CHECK_EQ(pread(count, entries, 8, 1L << 58), 0);
	CHECK_ERRNO(pread(fd, (void *)KERNEL_ADDRESS, 8, 0), EFAULT);
	close(fd);
	close(count);
}

/* The offset moves with read(), and what does not fit in one piece is whole all the same. */
TEST(reading_on_from_where_the_last_read_ended)
{
	enum { MANY = 2000 };
	static uint64_t at_once[MANY], piecewise[MANY];
	char *p = map_small_pages(MANY);
	int fd = CHECK_OK(open("/proc/self/pagemap", O_RDONLY));

	for (int i = 0; i < MANY; i += 7)
		p[i * PAGE_SIZE] = 1;
	pagemap_read(0, p, MANY, at_once);
	CHECK_OK(lseek(fd, (unsigned long)p / PAGE_SIZE * 8, SEEK_SET));
	for (int i = 0; i < MANY; i += 50)
		CHECK_EQ(read(fd, &piecewise[i], 50 * 8), 50 * 8);
	CHECK_EQ(memcmp(at_once, piecewise, sizeof(at_once)), 0);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(!!(at_once[i] & PAGE_PRESENT), i % 7 == 0);
	close(fd);
	CHECK_OK(munmap(p, MANY * PAGE_SIZE));
}

/* Frames tell where others' secrets lie: only root sees their numbers. */
TEST(without_root_there_are_no_frame_numbers)
{
	char *p = map_small_pages(1);
	pid_t parent = getpid();

	*p = 1;
	CHECK_CHILD({
		char path[64];

		CHECK_OK(setgid(100));
		CHECK_OK(setuid(USER));
		snprintf(path, sizeof(path), "/proc/%d/pagemap", parent);
		CHECK_ERRNO(open(path, O_RDONLY), EACCES);
		CHECK_ERRNO(open("/proc/kpagecount", O_RDONLY), EACCES);
		CHECK_EXIT(spawn_self("hidden", NULL, NULL, NULL), 0);
	});
	CHECK_OK(munmap(p, PAGE_SIZE));
}

CHILD(hidden)
{
	uint64_t entry = 0;

	entry = pagemap_entry(&entry);
	CHECK(entry & PAGE_PRESENT);
	CHECK_EQ(entry & PAGE_PFN, 0);
	return 0;
}

/* 64 GiB of nothing are 16 million entries of 0: quick, for no entry is looked for. */
TEST(empty_space_reads_quickly)
{
	enum { PIECE = 1 << 16 };
	static uint64_t entries[PIECE];
	size_t size = 16UL << 30;
	char *p = CHECK_OK(
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));

	for (char *at = p; at < p + size; at += PIECE * PAGE_SIZE) {
		pagemap_read(0, at, PIECE, entries);
		CHECK_EQ(entries[0] & ~(1ULL << 55), 0);
		CHECK_EQ(entries[PIECE - 1] & ~(1ULL << 55), 0);
		test_progress();
	}
	CHECK_OK(munmap(p, size));
}

TEST(of_a_process_that_ended_there_is_nothing)
{
	uint64_t entry;
	siginfo_t info;
	char path[64];
	int fd;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(0);
	CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		CHECK_EQ(read(fd, &entry, sizeof(entry)), 0);
		close(fd);
	} else {
		CHECK_EQ(errno, ESRCH); /* newer Linux */
	}
	CHECK_EXIT(pid, 0);
}
