/*
 * filemap.c - private maps of files: the file's bytes, zeros after them, SIGBUS after that; and
 * no write ever reaches the file.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "usr/lib/testutil.h"

#define RW (PROT_READ | PROT_WRITE)

static char *map_file(const char *path, size_t size, int prot)
{
	int fd = CHECK_OK(open(path, O_RDONLY));
	char *p = CHECK_OK(mmap(NULL, size, prot, MAP_PRIVATE, fd, 0));

	CHECK_OK(close(fd));
	return p;
}

static off_t size_of(const char *path)
{
	struct stat st;

	CHECK_OK(stat(path, &st));
	return st.st_size;
}

/* Compare a map of the whole file with what read() gives. */
static void compare_with_read(const char *path)
{
	static char buffer[16384];
	off_t size = size_of(path), done = 0;
	char *p = map_file(path, size, PROT_READ);
	int fd = CHECK_OK(open(path, O_RDONLY));

	while (done < size) {
		ssize_t n = CHECK_OK(read(fd, buffer, sizeof(buffer)));

		CHECK(n > 0);
		CHECK_EQ(memcmp(p + done, buffer, n), 0);
		done += n;
	}
	CHECK_EQ(read(fd, buffer, 1), 0);
	close(fd);
	CHECK_OK(munmap(p, size));
}

TEST(a_map_shows_what_read_shows)
{
	compare_with_read(data_path("small"));
	compare_with_read(self_path());
}

TEST(reading_backwards_and_at_random)
{
	off_t size = size_of(self_path());
	char *p = map_file(self_path(), size, PROT_READ);
	int fd = CHECK_OK(open(self_path(), O_RDONLY));

	for (int i = 0; i < 100; i++) {
		off_t at = test_random_below(size - 8);
		char buffer[8];

		CHECK_EQ(pread(fd, buffer, 8, at), 8);
		CHECK_EQ(memcmp(p + at, buffer, 8), 0);
	}
}

TEST(private_writes_do_not_reach_the_file)
{
	const char *path = data_path("small");
	char *p = map_file(path, PAGE_SIZE, RW), *q = map_file(path, PAGE_SIZE, PROT_READ), byte;
	int fd = CHECK_OK(open(path, O_RDONLY));

	CHECK_EQ(p[0], 'R');
	p[0] = 'X';
	CHECK_EQ(q[0], 'R');
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_EQ(byte, 'R');
	CHECK_OK(munmap(p, PAGE_SIZE));
	p = map_file(path, PAGE_SIZE, PROT_READ);
	CHECK_EQ(p[0], 'R');
}

TEST(private_write_without_a_read_first)
{
	char *p = map_file(data_path("small"), PAGE_SIZE, RW);

	p[1] = 'X';
	CHECK_EQ(p[0], 'R');
	CHECK_EQ(p[2], 'v');
}

TEST(the_tail_of_the_last_page_is_zero)
{
	const char *path = data_path("small");
	char *p = map_file(path, PAGE_SIZE, PROT_READ);

	for (size_t i = size_of(path); i < PAGE_SIZE; i++)
		CHECK_EQ(p[i], 0);
}

TEST(past_the_end_is_sigbus)
{
	volatile char *p = map_file(data_path("small"), 3 * PAGE_SIZE, RW);

	CHECK_EQ(p[0], 'R');
	CHECK_SIGNAL({ (void)p[PAGE_SIZE]; }, SIGBUS);
	CHECK_SIGNAL({ p[2 * PAGE_SIZE] = 1; }, SIGBUS);
}

TEST(the_kernel_gets_efault_past_the_end)
{
	char *p = map_file(data_path("small"), 2 * PAGE_SIZE, RW);
	int fds[2];

	CHECK_OK(pipe(fds));
	CHECK_ERRNO(write(fds[1], p + PAGE_SIZE, 1), EFAULT);
	CHECK_EQ(write(fds[1], "a", 1), 1);
	CHECK_ERRNO(read(fds[0], p + PAGE_SIZE, 1), EFAULT);
}

TEST(an_offset_of_one_page)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, PAGE_SIZE));
	static char buffer[PAGE_SIZE];

	CHECK_EQ(pread(fd, buffer, PAGE_SIZE, PAGE_SIZE), PAGE_SIZE);
	CHECK_EQ(memcmp(p, buffer, PAGE_SIZE), 0);
}

TEST(munmap_in_the_middle_keeps_the_offsets)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *p = map_file(self_path(), 4 * PAGE_SIZE, PROT_READ);
	static char buffer[PAGE_SIZE];
	struct map_line line;

	CHECK_OK(munmap(p + PAGE_SIZE, PAGE_SIZE));
	CHECK(find_map((uintptr_t)p + 2 * PAGE_SIZE, &line));
	CHECK_EQ(line.offset, 2 * PAGE_SIZE);
	for (int i = 0; i < 4; i++) {
		if (i == 1)
			continue;
		CHECK_EQ(pread(fd, buffer, PAGE_SIZE, i * PAGE_SIZE), PAGE_SIZE);
		CHECK_EQ(memcmp(p + i * PAGE_SIZE, buffer, PAGE_SIZE), 0);
	}
}

/* The loader's own private maps: initialised data, then bss that begins inside a page. */
static char initialised[5000] = { 1, 2, 3 };
static char zeroed[20000];

TEST(bss_and_its_first_page_are_zero)
{
	CHECK_EQ(initialised[2], 3);
	CHECK_EQ(initialised[4999], 0);
	for (size_t i = 0; i < sizeof(zeroed); i++)
		CHECK_EQ(zeroed[i], 0);
}

TEST(a_file_of_tmpfs)
{
	const char *path = tmp_path("map");
	static char bytes[PAGE_SIZE + 100];
	char *p;
	int fd;

	memset(bytes, 'm', sizeof(bytes));
	write_file(path, bytes, sizeof(bytes));
	p = map_file(path, 2 * PAGE_SIZE, RW);
	fd = CHECK_OK(open(path, O_RDONLY));
	CHECK_OK(unlink(path));
	CHECK_EQ(memcmp(p, bytes, sizeof(bytes)), 0);
	CHECK_EQ(p[sizeof(bytes)], 0);
	p[0] = 'X';
	CHECK_EQ(pread(fd, bytes, 1, 0), 1);
	CHECK_EQ(bytes[0], 'm');
}

TEST(unlinked_but_mapped)
{
	const char *path = tmp_path("gone");
	char *p;

	write_file(path, "still here", 10);
	p = map_file(path, PAGE_SIZE, PROT_READ);
	CHECK_OK(unlink(path));
	CHECK_EQ(memcmp(p, "still here", 10), 0);
	CHECK_CHILD({ CHECK_EQ(memcmp(p, "still here", 10), 0); });
}

/* A private page not yet copied shows what the file becomes; a copied one does not. */
TEST(write_to_the_file_is_seen_until_copied)
{
	const char *path = tmp_path("change");
	char *p;
	int fd;

	write_file(path, "abc", 3);
	fd = CHECK_OK(open(path, O_RDWR));
	CHECK_OK(unlink(path));
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_PRIVATE, fd, 0));
	CHECK_EQ(p[0], 'a');
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	CHECK_EQ(p[0], 'x');
	p[1] = 'Y';
	CHECK_EQ(pwrite(fd, "zzz", 3, 0), 3);
	CHECK_EQ(p[0], 'x');
	CHECK_EQ(p[1], 'Y');
}

/* Truncation takes the mapped pages away, private copies included. */
TEST(truncate_takes_pages_away)
{
	const char *path = tmp_path("cut");
	static char bytes[2 * PAGE_SIZE];
	volatile char *p;
	int fd, ends[2];

	memset(bytes, 't', sizeof(bytes));
	write_file(path, bytes, sizeof(bytes));
	fd = CHECK_OK(open(path, O_RDWR));
	CHECK_OK(unlink(path));
	p = CHECK_OK(mmap(NULL, 2 * PAGE_SIZE, RW, MAP_PRIVATE, fd, 0));
	CHECK_EQ(p[PAGE_SIZE], 't');
	CHECK_OK(pipe(ends));
	CHECK_OK(ftruncate(fd, 10));
	/* Here and not in a child: the PTE that was there must go, and fork would not copy it. */
	CHECK_ERRNO(write(ends[1], (const char *)p + PAGE_SIZE, 1), EFAULT);
	CHECK_SIGNAL({ (void)p[PAGE_SIZE]; }, SIGBUS);
	CHECK_EQ(p[9], 't');
	CHECK_EQ(p[10], 0);
}
