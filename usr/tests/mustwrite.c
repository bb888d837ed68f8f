/*
 * mustwrite.c - ravel-only: what must not fail for want of memory does not. A commit, a write-back
 * and a file's end are nobody's call that could say ENOMEM: while allocations of pages fail, all
 * over the machine, nothing that was written is lost, and no block that was freed.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define SWITCH "/proc/sys/vm/fail_page_alloc"
#define CHUNK  32768
#define CHUNKS 200 /* 6 MiB: with pointer blocks, of two levels */
#define STEP   7   /* chunks; each of those that are written again has a pointer block far away */

static unsigned char bytes[CHUNK], got[CHUNK];
static int failing = -1;

/* Each @nth allocation of pages fails from now on; 0: none. */
static void fail_each_page(int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", nth);

	CHECK_EQ(pwrite(failing, text, length, 0), length);
}

static void write_chunk(int fd, int chunk, unsigned key)
{
	off_t at = (off_t)chunk * CHUNK;

	fill_pattern(bytes, CHUNK, key, at);
	CHECK_EQ(pwrite(fd, bytes, CHUNK, at), CHUNK);
}

static void check_chunk(int fd, int chunk, unsigned key)
{
	off_t at = (off_t)chunk * CHUNK;

	fill_pattern(bytes, CHUNK, key, at);
	CHECK_EQ(pread(fd, got, CHUNK, at), CHUNK);
	CHECK(memcmp(bytes, got, CHUNK) == 0);
}

/* In a directory on the disk; the switch is open, for open() may fail later. */
static void start(void)
{
	struct statfs fs;

	failing = CHECK_OK(open(SWITCH, O_WRONLY));
	test_dir();
	CHECK_OK(statfs(".", &fs));
	if (fs.f_type != 0xef53) {
		test_dir_leave();
		SKIP("no disk that can be written");
	}
}

/* On the disk, and nothing of it in memory but what is used all the time. */
static int make_file(const char *name, unsigned key)
{
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));

	for (int i = 0; i < CHUNKS; i++)
		write_chunk(fd, i, key);
	CHECK_OK(fsync(fd));
	drop_caches();
	return fd;
}

TEST(a_sync_brings_all_to_the_disk)
{
	static const int nths[] = { 2, 3, 5 };

	start();
	for (size_t n = 0; n < ARRAY_LEN(nths); n++) {
		int fd = make_file("file", n), synced;

		for (int i = 0; i < CHUNKS; i += STEP)
			write_chunk(fd, i, n + 100);
		drop_caches(); /* the pointer blocks go, the dirty pages stay */
		fail_each_page(nths[n]);
		synced = fsync(fd);
		fail_each_page(0);
		CHECK_EQ(synced, 0);
		drop_caches();
		for (int i = 0; i < CHUNKS; i++)
			check_chunk(fd, i, i % STEP ? n : n + 100);
		CHECK_OK(close(fd));
		test_progress();
	}
	test_dir_leave();
}

static bool is_free_again(const struct statfs *before)
{
	struct statfs now;

	CHECK_OK(statfs(".", &now));
	return now.f_bfree == before->f_bfree && now.f_ffree == before->f_ffree;
}

/* Removing a name may fail; the end of a file that has none may not. */
TEST(a_files_end_gives_all_its_blocks_back)
{
	start();
	for (int nth = 2; nth <= 4; nth++) {
		struct statfs before;
		int fd;

		sync();
		CHECK_OK(statfs(".", &before));
		fd = make_file("file", nth);
		CHECK_OK(unlink("file"));
		drop_caches();
		fail_each_page(nth);
		close(fd);
		sync();
		fail_each_page(0);
		WAIT_UNTIL(is_free_again(&before));
		test_progress();
	}
	test_dir_leave();
}
