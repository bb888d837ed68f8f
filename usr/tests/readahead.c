/*
 * readahead.c - posix_fadvise(2), readahead(2), and what reading ahead is seen to do.
 *
 * What is cached is told by mincore(2): on the host it may be more than was asked for, and stays
 * so; what is counted is Ravel's own.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define NR_PAGES 512

static unsigned char bytes[NR_PAGES * PAGE_SIZE], got[NR_PAGES * PAGE_SIZE];
static unsigned char cached[NR_PAGES];

/* A file of NR_PAGES pages, on the disk, nothing of it cached if that can be had; open. */
static int cold_file(void)
{
	int fd;

	test_dir();
	fill_pattern(bytes, sizeof(bytes), 5, 0);
	write_file("file", bytes, sizeof(bytes));
	fd = CHECK_OK(open("file", O_RDONLY));
	CHECK_OK(fsync(fd));
	CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	return fd;
}

static void done(int fd)
{
	close(fd);
	test_dir_leave();
}

/* How many pages of [first, first + nr) are in the page cache. */
static int count_cached(int fd, unsigned long first, unsigned long nr)
{
	void *map = mmap(NULL, nr * PAGE_SIZE, PROT_READ, MAP_SHARED, fd, first * PAGE_SIZE);
	int n = 0;

	CHECK(map != MAP_FAILED);
	CHECK_OK(mincore(map, nr * PAGE_SIZE, cached));
	for (unsigned long i = 0; i < nr; i++)
		n += cached[i] & 1;
	CHECK_OK(munmap(map, nr * PAGE_SIZE));
	return n;
}

static void read_pages(int fd, unsigned long first, unsigned long nr)
{
	CHECK_EQ(pread(fd, got, nr * PAGE_SIZE, first * PAGE_SIZE), nr * PAGE_SIZE);
	CHECK(memcmp(got, bytes + first * PAGE_SIZE, nr * PAGE_SIZE) == 0);
}

static long advise(int fd, long offset, long len, int advice)
{
	return raw_syscall(SYS_fadvise64, fd, offset, len, advice, 0, 0);
}

static long ahead(int fd, long offset, long count)
{
	return raw_syscall(SYS_readahead, fd, offset, count, 0, 0, 0);
}

/* ---- what the calls say ---- */

TEST(advice_that_is_taken)
{
	int fd = cold_file(), dir = CHECK_OK(open(".", O_RDONLY));
	int null = CHECK_OK(open("/dev/null", O_RDWR)), out = CHECK_OK(open("file", O_WRONLY));
	int proc = CHECK_OK(open("/proc/self/maps", O_RDONLY));

	for (int advice = POSIX_FADV_NORMAL; advice <= POSIX_FADV_NOREUSE; advice++) {
		CHECK_EQ(advise(fd, 0, 0, advice), 0);
		CHECK_EQ(advise(fd, 100, 5000, advice), 0);
		CHECK_EQ(advise(fd, 1L << 40, 1L << 40, advice), 0);
		CHECK_EQ(advise(fd, 1L << 62, 1L << 62, advice), 0);
		CHECK_EQ(advise(fd, -5, 10, advice), 0);
		CHECK_EQ(advise(dir, 0, 0, advice), 0);
		CHECK_EQ(advise(null, 0, 0, advice), 0);
		CHECK_EQ(advise(out, 0, 0, advice), 0);
		CHECK_EQ(advise(proc, 0, 0, advice), 0);
	}
	close(proc);
	close(out);
	close(null);
	close(dir);
	done(fd);
}

TEST(advice_that_is_refused)
{
	int fd = cold_file(), ends[2], path = CHECK_OK(open("file", O_PATH));
	int null = CHECK_OK(open("/dev/null", O_RDWR));

	CHECK_OK(pipe(ends));
	CHECK_EQ(advise(fd, 0, 0, -1), -EINVAL);
	CHECK_EQ(advise(fd, 0, 0, 6), -EINVAL);
	CHECK_EQ(advise(null, 0, 0, 9), -EINVAL);
	CHECK_EQ(advise(fd, 0, -1, POSIX_FADV_NORMAL), -EINVAL);
	CHECK_EQ(advise(ends[0], 0, 0, POSIX_FADV_NORMAL), -ESPIPE);
	CHECK_EQ(advise(ends[1], 0, -1, 99), -ESPIPE);
	CHECK_EQ(advise(path, 0, 0, POSIX_FADV_NORMAL), -EBADF);
	CHECK_EQ(advise(999, 0, -1, 99), -EBADF);
	CHECK_EQ(advise(-1, 0, 0, POSIX_FADV_NORMAL), -EBADF);
	close(ends[0]);
	close(ends[1]);
	close(null);
	close(path);
	done(fd);
}

TEST(readahead_says)
{
	int fd = cold_file(), ends[2], path = CHECK_OK(open("file", O_PATH));
	int null = CHECK_OK(open("/dev/null", O_RDWR)), out = CHECK_OK(open("file", O_WRONLY));
	int dir = CHECK_OK(open(".", O_RDONLY)), proc = CHECK_OK(open("/proc/self/maps", O_RDONLY));

	CHECK_OK(pipe(ends));
	CHECK_EQ(ahead(fd, 0, 4096), 0);
	CHECK_EQ(ahead(fd, 0, 0), 0);
	CHECK_EQ(ahead(fd, -1, 4096), 0);
	CHECK_EQ(ahead(fd, 1L << 62, 4096), 0);
	CHECK_EQ(ahead(proc, 0, 1), 0);
	CHECK_EQ(ahead(fd, 0, -1), -EINVAL);
	CHECK_EQ(ahead(dir, 0, 1), -EINVAL);
	CHECK_EQ(ahead(null, 0, 1), -EINVAL);
	CHECK_EQ(ahead(ends[0], 0, 1), -EINVAL);
	CHECK_EQ(ahead(out, 0, 1), -EBADF);
	CHECK_EQ(ahead(path, 0, 1), -EBADF);
	CHECK_EQ(ahead(999, 0, 1), -EBADF);
	close(proc);
	close(dir);
	close(ends[0]);
	close(ends[1]);
	close(out);
	close(null);
	close(path);
	done(fd);
}

/* ---- what they do ---- */

TEST(willneed_and_readahead_read)
{
	int fd = cold_file();

	CHECK_EQ(advise(fd, 10 * PAGE_SIZE, 20 * PAGE_SIZE, POSIX_FADV_WILLNEED), 0);
	WAIT_UNTIL(count_cached(fd, 10, 20) == 20);
	CHECK_EQ(ahead(fd, 100 * PAGE_SIZE + 1, 8 * PAGE_SIZE), 0);
	WAIT_UNTIL(count_cached(fd, 100, 9) == 9);
	read_pages(fd, 0, NR_PAGES);
	done(fd);
}

TEST(dontneed_drops_whole_pages)
{
	int fd = cold_file();

	read_pages(fd, 0, NR_PAGES);
	CHECK_EQ(count_cached(fd, 0, NR_PAGES), NR_PAGES);
	CHECK_EQ(advise(fd, 10 * PAGE_SIZE + 1, 5 * PAGE_SIZE, POSIX_FADV_DONTNEED), 0);
	CHECK_EQ(count_cached(fd, 0, NR_PAGES), NR_PAGES - 4); /* 11 to 14 */
	CHECK_EQ(advise(fd, 20 * PAGE_SIZE, PAGE_SIZE - 1, POSIX_FADV_DONTNEED), 0);
	CHECK_EQ(count_cached(fd, 0, NR_PAGES), NR_PAGES - 4);
	CHECK_EQ(advise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	CHECK_EQ(count_cached(fd, 0, NR_PAGES), 0);
	read_pages(fd, 0, NR_PAGES);
	done(fd);
}

TEST(dontneed_keeps_what_is_dirty_or_mapped)
{
	int fd = cold_file(), out = CHECK_OK(open("file", O_RDWR));
	unsigned char *map;

	bytes[7 * PAGE_SIZE] ^= 1;
	CHECK_EQ(pwrite(out, bytes + 7 * PAGE_SIZE, 1, 7 * PAGE_SIZE), 1);
	map = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, out, 9 * PAGE_SIZE);
	CHECK(map != MAP_FAILED);
	map[5] = bytes[9 * PAGE_SIZE + 5] = '!';
	CHECK_EQ(advise(out, 0, 0, POSIX_FADV_DONTNEED), 0);
	CHECK_EQ(map[5], '!');
	CHECK_EQ(count_cached(fd, 9, 1), 1);
	CHECK_OK(munmap(map, PAGE_SIZE));
	CHECK_OK(fsync(out));
	CHECK_EQ(advise(out, 0, 0, POSIX_FADV_DONTNEED), 0);
	read_pages(fd, 0, NR_PAGES);
	close(out);
	done(fd);
}

/* ---- what is read ahead: Ravel's own numbers ---- */

static long long pages_ahead, asked_for;

static void counters_start(void)
{
	pages_ahead = vmstat("readahead_pages");
	asked_for = vmstat("cache_miss");
}

TEST(a_reader_in_order_waits_once)
{
	int fd = cold_file();
	long long hits = vmstat("readahead_hit");

	if (!on_ravel())
		SKIP("counts what Ravel counts");
	counters_start();
	for (int i = 0; i < NR_PAGES; i++)
		read_pages(fd, i, 1);
	/* Blocks of metadata come in too. */
	CHECK_RANGE(vmstat("cache_miss") - asked_for, 1, 8);
	CHECK_RANGE(vmstat("readahead_pages") - pages_ahead, NR_PAGES - 1, NR_PAGES + 100);
	CHECK_RANGE(vmstat("readahead_hit") - hits, NR_PAGES - 1, NR_PAGES + 100);
	CHECK(vmstat("readahead_async") > 0);
	done(fd);
}

TEST(a_reader_in_no_order_gets_what_it_wants)
{
	int fd = cold_file();

	if (!on_ravel())
		SKIP("counts what Ravel counts");
	read_pages(fd, 300, 1); /* the blocks that lead there */
	read_pages(fd, 1, 1);
	counters_start();
	for (int i = 0; i < 100; i++)
		read_pages(fd, 5 + (i * 37) % 500, 1);
	CHECK_RANGE(vmstat("readahead_pages") - pages_ahead, 0, 60);
	done(fd);
}

TEST(advice_changes_what_is_read)
{
	int fd = cold_file();

	if (!on_ravel())
		SKIP("counts what Ravel counts");
	CHECK_EQ(advise(fd, 0, 0, POSIX_FADV_RANDOM), 0);
	for (int i = 0; i < 32; i++)
		read_pages(fd, i, 1);
	CHECK_EQ(count_cached(fd, 0, NR_PAGES), 32);
	CHECK_EQ(advise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
	read_pages(fd, 100, 1);
	WAIT_UNTIL(count_cached(fd, 100, 32) == 32);
	CHECK_EQ(advise(fd, 0, 0, POSIX_FADV_NORMAL), 0);
	read_pages(fd, 300, 1);
	CHECK_EQ(count_cached(fd, 299, 100), 1);
	done(fd);
}

TEST(a_mapping_is_read_in_order)
{
	int fd = cold_file();
	unsigned char *map = mmap(NULL, sizeof(bytes), PROT_READ, MAP_PRIVATE, fd, 0);
	long long before = vmstat("pgmajfault");

	CHECK(map != MAP_FAILED);
	CHECK(memcmp(map, bytes, sizeof(bytes)) == 0);
	if (on_ravel()) /* the first two; and where the disk is slower than memcmp() */
		CHECK_RANGE(vmstat("pgmajfault") - before, 2, NR_PAGES / 16);
	CHECK_OK(munmap(map, sizeof(bytes)));
	done(fd);
}

/* Two streams in one file, by two who have opened it: neither disturbs the other. */
TEST(two_streams)
{
	int fd = cold_file(), other = CHECK_OK(open("file", O_RDONLY));

	counters_start();
	for (int i = 0; i < NR_PAGES / 2; i++) {
		read_pages(fd, i, 1);
		read_pages(other, NR_PAGES / 2 + i, 1);
	}
	if (on_ravel())
		CHECK_RANGE(vmstat("cache_miss") - asked_for, 2, 16);
	close(other);
	done(fd);
}

/* One open file, four processes that read all of it at once and in turns. */
TEST(a_shared_open_file)
{
	int fd = cold_file();
	pid_t pids[4];

	for (int child = 0; child < 4; child++) {
		pids[child] = CHECK_OK(fork());
		if (pids[child] == 0) {
			for (int i = 0; i < NR_PAGES; i++)
				read_pages(fd, (i * (2 * child + 1)) % NR_PAGES, 1);
			_exit(0);
		}
	}
	for (int child = 0; child < 4; child++)
		CHECK_EXIT(pids[child], 0);
	done(fd);
}
