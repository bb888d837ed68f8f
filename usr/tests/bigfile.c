/*
 * bigfile.c - a file of 300 MiB that is nearly all holes, and the largest file there can be.
 *
 *	1 KiB blocks: direct < 12 KiB, indirect < 268 KiB, double < 64.26 MiB, then triple
 *	4 KiB blocks: direct < 48 KiB, indirect < 4.05 MiB, double < 4.004 GiB, then triple
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "usr/lib/testdir.h"

#define KIB  1024LL
#define MIB  (1024 * KIB)
#define GIB  (1024 * MIB)
#define SIZE (300 * MIB)
#define DATA 3000 /* bytes at each place: over the edge of a block of 1 KiB */

/* Data in each level of both block sizes, and across the edges between them. */
static const off_t places[] = {
	0,
	5 * KIB,
	12 * KIB - 100,
	100 * KIB,
	268 * KIB - 100,
	1 * MIB,
	(12 + 1024) * 4 * KIB - 100,
	40 * MIB,
	(12 + 256 + 65536) * KIB - 100,
	200 * MIB + 7,
	SIZE - DATA,
};

static unsigned char bytes[DATA], expected[DATA], chunk[64 * KIB];

static int create_sparse(void)
{
	int fd = CHECK_OK(open("big", O_RDWR | O_CREAT | O_EXCL, 0644));

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		fill_pattern(bytes, DATA, i, places[i]);
		CHECK_EQ(pwrite(fd, bytes, DATA, places[i]), DATA);
	}
	return fd;
}

static off_t size_of(int fd)
{
	struct stat st;

	CHECK_OK(fstat(fd, &st));
	return st.st_size;
}

static void check_data(int fd, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fill_pattern(expected, DATA, i, places[i]);
		CHECK_EQ(pread(fd, bytes, DATA, places[i]), DATA);
		CHECK_EQ(memcmp(bytes, expected, DATA), 0);
	}
}

static void check_zero(const unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		CHECK_EQ(p[i], 0);
}

/* Zeros from start to end: the whole range when it is short, else its edges and its middle. */
static void check_hole(int fd, off_t start, off_t end)
{
	off_t at[3] = { start, start + (end - start) / 2, end - (off_t)sizeof(chunk) };

	for (int i = 0; i < 3; i++) {
		off_t from = at[i] < start ? start : at[i];
		off_t size = end - from < (off_t)sizeof(chunk) ? end - from : (off_t)sizeof(chunk);

		CHECK_EQ(pread(fd, chunk, size, from), size);
		check_zero(chunk, size);
	}
	test_progress();
}

TEST(data_and_holes_of_300_mib)
{
	struct stat st;
	int fd;

	test_dir();
	fd = create_sparse();
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, SIZE);
	CHECK(st.st_blocks * 512 < 1 * MIB);
	check_data(fd, ARRAY_LEN(places));
	for (size_t i = 0; i + 1 < ARRAY_LEN(places); i++)
		check_hole(fd, places[i] + DATA, places[i + 1]);
	CHECK_EQ(pread(fd, chunk, 10, SIZE - 4), 4);
	CHECK_EQ(pread(fd, chunk, 10, SIZE), 0);
	CHECK_EQ(pread(fd, chunk, 10, SIZE + GIB), 0);
	CHECK_OK(close(fd));
	fd = CHECK_OK(open("big", O_RDONLY));
	check_data(fd, ARRAY_LEN(places));
	test_dir_leave();
}

/* Whatever is said to be a hole is zero, and no data lies in it: data may be called longer. */
TEST(seek_data_and_seek_hole_agree)
{
	off_t at = 0, data, hole;
	int fd, extents = 0;

	test_dir();
	fd = create_sparse();
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		CHECK_EQ(lseek(fd, places[i], SEEK_DATA), places[i]);
		CHECK_EQ(lseek(fd, places[i] + DATA - 1, SEEK_DATA), places[i] + DATA - 1);
		CHECK(lseek(fd, places[i], SEEK_HOLE) >= places[i] + DATA);
	}
	while (at < SIZE) {
		data = CHECK_OK(lseek(fd, at, SEEK_DATA));
		CHECK(data >= at);
		if (data > at)
			check_hole(fd, at, data);
		hole = CHECK_OK(lseek(fd, data, SEEK_HOLE));
		CHECK_RANGE(hole, data + 1, SIZE);
		at = hole;
		CHECK(++extents <= (int)ARRAY_LEN(places));
	}
	CHECK_ERRNO(lseek(fd, SIZE, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, SIZE, SEEK_HOLE), ENXIO);
	CHECK_ERRNO(lseek(fd, SIZE + 1, SEEK_HOLE), ENXIO);
	CHECK_OK(ftruncate(fd, SIZE + MIB));
	CHECK_RANGE(lseek(fd, SIZE, SEEK_HOLE), SIZE, SIZE + MIB);
	test_dir_leave();
}

TEST(truncated_in_the_middle_of_a_block)
{
	int fd;

	test_dir();
	fd = create_sparse();
	for (int i = ARRAY_LEN(places) - 1; i >= 0; i--) {
		off_t cut = places[i] + DATA / 2 + 1;

		CHECK_OK(ftruncate(fd, cut));
		CHECK_OK(ftruncate(fd, SIZE));
		fill_pattern(expected, DATA, i, places[i]);
		CHECK_EQ(pread(fd, bytes, DATA, places[i]), DATA);
		CHECK_EQ(memcmp(bytes, expected, DATA / 2 + 1), 0);
		check_zero(bytes + DATA / 2 + 1, DATA - DATA / 2 - 1);
		check_hole(fd, cut, SIZE);
		check_data(fd, i);
	}
	CHECK_EQ(pwrite(fd, "beyond", 6, SIZE + 10 * MIB), 6);
	CHECK_EQ(size_of(fd), SIZE + 10 * MIB + 6);
	check_hole(fd, SIZE, SIZE + 10 * MIB);
	test_dir_leave();
}

TEST(mapped_holes)
{
	unsigned char *p;
	int fd;

	test_dir();
	fd = create_sparse();
	p = CHECK_OK(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		fill_pattern(expected, DATA, i, places[i]);
		CHECK_EQ(memcmp(p + places[i], expected, DATA), 0);
	}
	for (off_t at = 500 * KIB; at < SIZE - MIB; at += 20 * MIB)
		check_zero(p + at, 5000);
	p[150 * MIB] = 'x'; /* a copy, not the file's */
	CHECK_EQ(pread(fd, bytes, 1, 150 * MIB), 1);
	CHECK_EQ(bytes[0], 0);
	CHECK_OK(munmap(p, SIZE));
	test_dir_leave();
}

/* Behind 4 GiB offsets need more than 32 bits, and 4 KiB blocks are triple indirect. */
TEST(behind_4_gib)
{
	static const off_t far[] = { 4 * GIB - 1500, 4 * GIB + 4 * MIB + 100 * KIB - 1500,
				     5 * GIB + 3 };
	int fd;

	test_dir();
	fd = CHECK_OK(open("far", O_RDWR | O_CREAT, 0644));
	if (ftruncate(fd, 6 * GIB) == -1) {
		CHECK_EQ(errno, EFBIG);
		test_dir_leave();
		SKIP("files end before 4 GiB here");
	}
	for (size_t i = 0; i < ARRAY_LEN(far); i++) {
		fill_pattern(bytes, DATA, i, far[i]);
		CHECK_EQ(pwrite(fd, bytes, DATA, far[i]), DATA);
	}
	CHECK_EQ(size_of(fd), 6 * GIB);
	for (size_t i = 0; i < ARRAY_LEN(far); i++) {
		fill_pattern(expected, DATA, i, far[i]);
		CHECK_EQ(pread(fd, bytes, DATA, far[i]), DATA);
		CHECK_EQ(memcmp(bytes, expected, DATA), 0);
		check_hole(fd, far[i] - MIB, far[i]);
		if (far[i] > 4 * GIB) /* where the low 32 bits point to */
			check_hole(fd, far[i] - 4 * GIB, far[i] - 4 * GIB + MIB);
	}
	CHECK_EQ(lseek(fd, -1, SEEK_END), 6 * GIB - 1);
	CHECK_OK(ftruncate(fd, far[1] + 10));
	CHECK_OK(ftruncate(fd, 6 * GIB));
	check_hole(fd, far[1] + 10, far[1] + MIB);
	test_dir_leave();
}

/* The largest size that ftruncate takes. */
static off_t largest_size(int fd)
{
	off_t good = 0, bad = INT64_MAX;

	if (ftruncate(fd, bad) == 0)
		return bad;
	CHECK_EQ(errno, EFBIG);
	while (bad - good > 1) {
		off_t middle = good + (bad - good) / 2;

		if (ftruncate(fd, middle) == 0) {
			good = middle;
		} else {
			CHECK_EQ(errno, EFBIG);
			bad = middle;
		}
	}
	CHECK_OK(ftruncate(fd, 0));
	return good;
}

TEST(the_largest_file)
{
	off_t max;
	int fd;

	test_dir();
	fd = CHECK_OK(open("max", O_RDWR | O_CREAT, 0644));
	max = largest_size(fd);
	if (max == INT64_MAX) {
		test_dir_leave();
		SKIP("no limit here");
	}
	test_note("the largest size is %lld", (long long)max);
	CHECK(max >= SIZE);
	CHECK_ERRNO(pwrite(fd, "x", 1, max), EFBIG);
	CHECK_ERRNO(pwrite(fd, "x", 1, max + 100), EFBIG);
	CHECK_EQ(size_of(fd), 0);
	CHECK_EQ(pwrite(fd, "xy", 2, max - 1), 1);
	CHECK_EQ(size_of(fd), max);
	CHECK_EQ(pread(fd, bytes, 10, max - 1), 1);
	CHECK_EQ(bytes[0], 'x');
	CHECK_ERRNO(ftruncate(fd, max + 1), EFBIG);
	CHECK_EQ(size_of(fd), max);
	CHECK_OK(ftruncate(fd, 0));
	test_dir_leave();
}

static unsigned long long free_blocks(void)
{
	struct statfs fs;

	CHECK_OK(statfs(".", &fs));
	return fs.f_bfree;
}

TEST(removal_gives_all_blocks_back)
{
	unsigned long long before, during;
	struct stat st;
	int fd;

	test_dir();
	if (!on_ravel()) {
		test_dir_leave();
		SKIP("others use the host's disk");
	}
	/* The directory keeps the block that holds the name. */
	CHECK_OK(close(CHECK_OK(open("big", O_RDWR | O_CREAT, 0644))));
	CHECK_OK(unlink("big"));
	before = free_blocks();
	fd = create_sparse();
	fsync(fd);
	during = free_blocks();
	CHECK(during < before);
	CHECK(before - during < 1000);
	CHECK_OK(unlink("big"));
	CHECK_EQ(pread(fd, bytes, 1, SIZE - 1), 1);
	CHECK_OK(close(fd));
	WAIT_UNTIL(free_blocks() == before);
	fd = create_sparse();
	CHECK_OK(fstat(fd, &st));
	CHECK_OK(ftruncate(fd, 0));
	WAIT_UNTIL(free_blocks() == before);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_blocks, 0);
	test_dir_leave();
}
