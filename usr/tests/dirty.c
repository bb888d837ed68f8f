/*
 * dirty.c - how much may be dirty: writers of many times the limit go on and are held back, by
 * write(2) and through mappings. ravel-only: the limits and the counters are the machine's.
 *
 * The limit is set to 1 % of memory, so that some MiB are many times as much.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define RATIO "/proc/sys/vm/dirty_ratio"
#define BATCH 64 /* pages that a writer may be ahead of the look at the limit; metadata too */
#define CHUNK (16 * PAGE_SIZE)

static unsigned char bytes[CHUNK], got[CHUNK];
static long long limit, most;
static char before[32];

static void set_ratio(const char *value)
{
	int fd = CHECK_OK(open(RATIO, O_WRONLY));

	CHECK_EQ(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

/* In a directory on the disk, with a limit of 1 %. */
static void start(void)
{
	test_dir();
	sync();
	limit = meminfo_kb("MemTotal") / (PAGE_SIZE / 1024) / 100;
	CHECK(read_text(RATIO, before, sizeof(before)) > 0);
	set_ratio("1\n");
	most = 0;
}

/* Both numbers of one look: a page goes from one to the other. */
static void look(void)
{
	static char text[16384];
	long long now;

	CHECK(read_text("/proc/vmstat", text, sizeof(text)) > 0);
	now = text_number(text, "nr_dirty") + text_number(text, "nr_writeback");
	most = now > most ? now : most;
	CHECK_RANGE(now, 0, limit + BATCH);
}

static void finish(void)
{
	set_ratio(before);
	test_dir_leave();
	CHECK(most > limit / 4); /* there was something to hold back */
}

static void check_file(const char *name, long chunks)
{
	int fd = CHECK_OK(open(name, O_RDONLY));

	for (long i = 0; i < chunks; i++) {
		fill_pattern(bytes, CHUNK, 3, i * CHUNK);
		CHECK_EQ(read(fd, got, CHUNK), CHUNK);
		CHECK(memcmp(bytes, got, CHUNK) == 0);
	}
	close(fd);
}

TEST(a_writer_of_many_times_the_limit)
{
	long chunks;
	int fd;

	start();
	chunks = 8 * limit * PAGE_SIZE / CHUNK;
	fd = CHECK_OK(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
	for (long i = 0; i < chunks; i++) {
		fill_pattern(bytes, CHUNK, 3, i * CHUNK);
		CHECK_EQ(write(fd, bytes, CHUNK), CHUNK);
		look();
		test_progress();
	}
	close(fd);
	check_file("file", chunks);
	finish();
}

TEST(a_mapping_that_is_written)
{
	unsigned char *map;
	long chunks;
	int fd;

	start();
	chunks = 8 * limit * PAGE_SIZE / CHUNK;
	fd = CHECK_OK(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
	CHECK_OK(ftruncate(fd, chunks * CHUNK));
	map = mmap(NULL, chunks * CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	for (long i = 0; i < chunks; i++) {
		fill_pattern(map + i * CHUNK, CHUNK, 3, i * CHUNK);
		look();
		test_progress();
	}
	CHECK_OK(munmap(map, chunks * CHUNK));
	close(fd);
	check_file("file", chunks);
	finish();
}
