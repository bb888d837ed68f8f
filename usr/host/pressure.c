/*
 * pressure.c - more is wanted than the machine has, in all the ways in which memory is shared:
 * scripts/pressure.py runs it on a small machine with a swap disk, which it makes and uses itself.
 *
 *	pressure            for Ravel: mkswap and swapon /dev/vdb come before
 *
 * Each page says whose it is: its words follow from (owner, page, version), so a page that was
 * lost, mixed up with another's or with an older version of itself is seen, whichever way it went.
 *
 * Sizes follow from /proc/meminfo: the sum of what each test touches is about twice MemTotal.
 * Invariants: none. Locks: none.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usr/lib/testutil.h"

#define RW	   (PROT_READ | PROT_WRITE)
#define WORDS	   (PAGE_SIZE / sizeof(uint64_t))
#define CHILDREN   8
#define FILE_OWNER 77
#define ARGUMENTS  60 /* of a program, each of nearly a page */
#define ARG_BYTES  4000

typedef uint64_t page_words[WORDS];

/* Pages that are @percent of the machine's memory. */
static size_t pages_of_memory(unsigned percent)
{
	return meminfo_kb("MemTotal") * percent / 100 / (PAGE_SIZE / 1024);
}

static uint64_t first_word(uint64_t owner, uint64_t page, uint64_t version)
{
	uint64_t x = test_seed() + (owner << 48) + (version << 32) + page + 1;

	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15ULL;
	return x ^ x >> 29;
}

static void fill(page_words page, uint64_t owner, size_t n, uint64_t version)
{
	uint64_t x = first_word(owner, n, version);

	for (size_t i = 0; i < WORDS; i++, x += 0x2545f4914f6cdd1dULL)
		page[i] = x;
}

static void verify(const page_words page, uint64_t owner, size_t n, uint64_t version)
{
	uint64_t x = first_word(owner, n, version);

	for (size_t i = 0; i < WORDS; i++, x += 0x2545f4914f6cdd1dULL) {
		if (page[i] != x)
			test_fail(__FILE__, __LINE__,
				  "owner %llu page %zu word %zu: expected %#llx, got %#llx",
				  (unsigned long long)owner, n, i, (unsigned long long)x,
				  (unsigned long long)page[i]);
	}
}

static page_words *map_pages(size_t nr, int flags)
{
	return CHECK_OK(mmap(NULL, nr * PAGE_SIZE, RW, flags | MAP_ANONYMOUS, -1, 0));
}

static void fill_all(page_words *pages, size_t nr, uint64_t owner, uint64_t version)
{
	for (size_t n = 0; n < nr; n++) {
		fill(pages[n], owner, n, version);
		if (n % 64 == 0)
			test_progress();
	}
}

static void verify_all(page_words *pages, size_t nr, uint64_t owner, uint64_t version)
{
	for (size_t n = 0; n < nr; n++) {
		verify(pages[n], owner, n, version);
		if (n % 64 == 0)
			test_progress();
	}
}

/* Twice memory, written, read again in a random order, every third page written again. */
TEST(more_than_there_is)
{
	size_t nr = pages_of_memory(200);
	page_words *pages = map_pages(nr, MAP_PRIVATE);

	fill_all(pages, nr, 1, 1);
	for (size_t i = 0; i < nr; i++) {
		size_t n = test_random_below(nr);

		verify(pages[n], 1, n, 1);
		if (i % 64 == 0)
			test_progress();
	}
	for (size_t n = 0; n < nr; n += 3)
		fill(pages[n], 1, n, 2);
	for (size_t n = 0; n < nr; n++)
		verify(pages[n], 1, n, n % 3 == 0 ? 2 : 1);
	CHECK_OK(munmap(pages, nr * PAGE_SIZE));
}

/* A child's share of a fork storm: its own version of some pages, everybody's of the others. */
static void storm_child(page_words *pages, size_t nr, unsigned child)
{
	for (size_t n = child; n < nr; n += CHILDREN) {
		fill(pages[n], 10 + child, n, 1);
		test_progress();
	}
	for (size_t n = 0; n < nr; n++) {
		if (n % 64 == 0)
			test_progress();
		if (n % CHILDREN == child)
			verify(pages[n], 10 + child, n, 1);
		else
			verify(pages[n], 2, n, 1);
	}
}

/*
 * Pages that were swapped out, or are just on their way, are shared by fork and then written by
 * one, while the others go on reading the old version.
 */
TEST(fork_storm)
{
	size_t nr = pages_of_memory(80);
	page_words *pages = map_pages(nr, MAP_PRIVATE);

	fill_all(pages, nr, 2, 1);
	for (unsigned round = 0; round < 3; round++) {
		pid_t child[CHILDREN];

		for (unsigned i = 0; i < CHILDREN; i++) {
			child[i] = CHECK_OK(fork());
			if (child[i] == 0) {
				storm_child(pages, nr, i);
				_exit(0);
			}
		}
		for (unsigned i = 0; i < CHILDREN; i++) {
			CHECK_EXIT(child[i], 0);
			test_progress();
		}
	}
	verify_all(pages, nr, 2, 1);
	CHECK_OK(munmap(pages, nr * PAGE_SIZE));
}

/* Generations: each child forks the next before it changes what they share. */
TEST(fork_chain)
{
	size_t nr = pages_of_memory(60);
	page_words *pages = map_pages(nr, MAP_PRIVATE);
	unsigned depth = 0;
	pid_t child;

	fill_all(pages, nr, 3, 0);
	while (depth < 6 && (child = CHECK_OK(fork())) == 0) {
		depth++;
		for (size_t n = depth; n < nr; n += 7) {
			fill(pages[n], 3, n, depth);
			test_progress();
		}
	}
	if (depth < 6)
		CHECK_EXIT(child, 0);
	for (size_t n = 0; n < nr; n++) {
		uint64_t version = 0;

		for (unsigned d = 1; d <= depth; d++)
			version = n >= d && (n - d) % 7 == 0 ? d : version;
		verify(pages[n], 3, n, version);
	}
	if (depth > 0)
		_exit(0);
	CHECK_OK(munmap(pages, nr * PAGE_SIZE));
}

/* Two processes store to a file larger than memory, one of them asks for write-back as it goes. */
static void store_half(page_words *pages, size_t nr, unsigned half)
{
	for (size_t n = half; n < nr; n += 2) {
		fill(pages[n], FILE_OWNER, n, 1);
		if (half == 0 && n % 512 == 0)
			CHECK_OK(msync(pages[n], PAGE_SIZE, MS_ASYNC));
		if (n % 64 == half)
			test_progress();
	}
}

TEST(shared_file_larger_than_memory)
{
	size_t nr = pages_of_memory(130);
	int fd = CHECK_OK(open("/pressure", O_RDWR | O_CREAT | O_EXCL, 0600));
	page_words *pages;
	page_words copy;

	CHECK_OK(ftruncate(fd, nr * PAGE_SIZE));
	pages = CHECK_OK(mmap(NULL, nr * PAGE_SIZE, RW, MAP_SHARED, fd, 0));
	CHECK_CHILD({ store_half(pages, nr, 1); });
	store_half(pages, nr, 0);
	for (size_t n = 0; n < nr; n++) {
		CHECK_EQ(pread(fd, copy, PAGE_SIZE, n * PAGE_SIZE), PAGE_SIZE);
		verify(copy, FILE_OWNER, n, 1);
		if (n % 64 == 0)
			test_progress();
	}
	verify_all(pages, nr, FILE_OWNER, 1);
	CHECK_OK(munmap(pages, nr * PAGE_SIZE));
	close(fd);
	CHECK_OK(unlink("/pressure"));
}

/* Anonymous memory, private and shared, and a file: all of them pull at once. */
TEST(everything_at_once)
{
	size_t nr = pages_of_memory(50);
	page_words *shared = map_pages(nr / 2, MAP_SHARED), *own;
	int fd = CHECK_OK(open("/pressure", O_RDWR | O_CREAT | O_EXCL, 0600));
	page_words page;
	pid_t hog;

	fill_all(shared, nr / 2, 4, 1);
	hog = CHECK_OK(fork());
	own = map_pages(nr, MAP_PRIVATE);
	for (unsigned version = 1; version <= 3; version++) {
		fill_all(own, nr, hog ? 5 : 6, version);
		for (size_t n = hog ? 0 : 1; n < nr; n += 2) {
			fill(page, 7, n, version);
			CHECK_EQ(pwrite(fd, page, PAGE_SIZE, n * PAGE_SIZE), PAGE_SIZE);
		}
		verify_all(own, nr, hog ? 5 : 6, version);
		verify_all(shared, nr / 2, 4, 1);
		for (size_t n = hog ? 0 : 1; n < nr; n += 2) {
			CHECK_EQ(pread(fd, page, PAGE_SIZE, n * PAGE_SIZE), PAGE_SIZE);
			verify(page, 7, n, version);
		}
	}
	if (!hog)
		_exit(0);
	CHECK_EXIT(hog, 0);
	CHECK_OK(munmap(own, nr * PAGE_SIZE));
	CHECK_OK(munmap(shared, nr / 2 * PAGE_SIZE));
	close(fd);
	CHECK_OK(unlink("/pressure"));
}

static void make_argument(char text[ARG_BYTES], unsigned round, unsigned nr)
{
	for (unsigned i = 0; i < ARG_BYTES - 1; i++)
		text[i] = 'a' + (i + nr * 5 + round * 7) % 26;
	text[ARG_BYTES - 1] = '\0';
}

CHILD(arguments)
{
	static char expected[ARG_BYTES];

	if (argc != 3 + ARGUMENTS)
		return 1;
	for (unsigned nr = 0; nr < ARGUMENTS; nr++) {
		make_argument(expected, atoi(argv[2]), nr);
		if (strcmp(argv[3 + nr], expected) != 0)
			return 2;
	}
	return 42;
}

/* Never returns. */
static void hog(void)
{
	size_t nr = pages_of_memory(130);
	page_words *pages = map_pages(nr, MAP_PRIVATE);

	for (uint64_t version = 1;; version++)
		fill_all(pages, nr, 8, version);
}

/* What execve() copies is brought back from swap, and its new stack may go there at once. */
TEST(programs_start_with_their_arguments)
{
	static char texts[ARGUMENTS][ARG_BYTES], round_text[12];
	char *argv[ARGUMENTS + 4] = { "pressure", "--child=arguments", round_text };
	pid_t hungry = CHECK_OK(fork());

	if (hungry == 0)
		hog();
	for (unsigned round = 0; round < 20; round++) {
		pid_t child;

		snprintf(round_text, sizeof(round_text), "%u", round);
		for (unsigned nr = 0; nr < ARGUMENTS; nr++) {
			make_argument(texts[nr], round, nr);
			argv[3 + nr] = texts[nr];
		}
		test_pause(200);
		child = CHECK_OK(fork());
		if (child == 0) {
			execv(self_path(), argv);
			_exit(3);
		}
		CHECK_EXIT(child, 42);
		test_progress();
	}
	CHECK_OK(kill(hungry, SIGKILL));
	CHECK_OK(waitpid(hungry, NULL, 0));
}
