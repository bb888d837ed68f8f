/*
 * shared.c - MAP_SHARED: one frame for every mapping of a file and for read(), write-back, SIGBUS
 * past the end of the file, memory shared with children; and who may not write.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define RW (PROT_READ | PROT_WRITE)

/* A new file "f" of so many bytes of pattern in the test's directory. */
static int make_file(size_t size)
{
	unsigned char bytes[PAGE_SIZE];
	int fd;

	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	for (size_t done = 0; done < size; done += sizeof(bytes)) {
		size_t n = size - done < sizeof(bytes) ? size - done : sizeof(bytes);

		fill_pattern(bytes, n, 1, done);
		CHECK_EQ(write(fd, bytes, n), n);
	}
	return fd;
}

static void drop_file(int fd)
{
	CHECK_OK(close(fd));
	test_dir_leave();
}

static volatile char *map_shared(int fd, size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static char file_byte(int fd, off_t offset)
{
	char byte;

	CHECK_EQ(pread(fd, &byte, 1, offset), 1);
	return byte;
}

TEST(mappings_and_read_and_write_see_each_other)
{
	int fd = make_file(2 * PAGE_SIZE);
	volatile char *a = map_shared(fd, 2 * PAGE_SIZE, RW);
	volatile char *b = map_shared(fd, 2 * PAGE_SIZE, RW);

	a[10] = 'a';
	CHECK_EQ(b[10], 'a');
	CHECK_EQ(file_byte(fd, 10), 'a');
	b[PAGE_SIZE] = 'b';
	CHECK_EQ(a[PAGE_SIZE], 'b');
	CHECK_EQ(pwrite(fd, "w", 1, 11), 1);
	CHECK_EQ(a[11], 'w');
	CHECK_EQ(b[11], 'w');
	CHECK_OK(munmap((void *)a, 2 * PAGE_SIZE));
	CHECK_EQ(file_byte(fd, PAGE_SIZE), 'b');
	CHECK_OK(munmap((void *)b, 2 * PAGE_SIZE));
	CHECK_EQ(file_byte(fd, 10), 'a');
	drop_file(fd);
}

TEST(two_processes_see_each_other)
{
	int fd = make_file(PAGE_SIZE);
	volatile int *word = (volatile int *)map_shared(fd, PAGE_SIZE, RW);
	pid_t pid;

	word[0] = word[1] = 0;
	pid = CHECK_OK(fork());
	if (pid == 0) {
		int own = open("f", O_RDWR);
		volatile int *mine = (volatile int *)map_shared(own, PAGE_SIZE, RW);

		for (int i = 1; i <= 100; i++) {
			while (mine[0] != i)
				sched_yield();
			mine[1] = i;
		}
		_exit(0);
	}
	for (int i = 1; i <= 100; i++) {
		word[0] = i;
		WAIT_UNTIL(word[1] == i);
	}
	CHECK_EXIT(pid, 0);
	CHECK_OK(munmap((void *)word, PAGE_SIZE));
	drop_file(fd);
}

TEST(anonymous_shared_memory_is_the_childrens_too)
{
	volatile char *p = mmap(NULL, 4 * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct map_line line;

	CHECK(p != MAP_FAILED);
	CHECK_EQ(p[3 * PAGE_SIZE], 0);
	p[0] = 1;
	CHECK_CHILD({
		CHECK_EQ(p[0], 1);
		p[0] = 2;
		p[PAGE_SIZE] = 3;
		CHECK_CHILD({ p[2 * PAGE_SIZE] = 4; });
	});
	CHECK_EQ(p[0], 2);
	CHECK_EQ(p[PAGE_SIZE], 3);
	CHECK_EQ(p[2 * PAGE_SIZE], 4);
	CHECK(find_map((unsigned long)p, &line));
	CHECK_STRING(line.prot, "rw-s");
	CHECK_STRING(line.name, "/dev/zero");
	CHECK_OK(munmap((void *)p, 4 * PAGE_SIZE));
}

TEST(dev_zero_shared_is_memory)
{
	int fd = CHECK_OK(open("/dev/zero", O_RDWR));
	volatile char *p = map_shared(fd, PAGE_SIZE, RW);

	CHECK_CHILD({ p[5] = 9; });
	CHECK_EQ(p[5], 9);
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	CHECK_OK(close(fd));
}

TEST(a_hole_is_mapped_and_written)
{
	int fd = make_file(0);
	volatile char *p, *q;

	CHECK_OK(ftruncate(fd, 64 * PAGE_SIZE));
	p = map_shared(fd, 64 * PAGE_SIZE, RW);
	q = map_shared(fd, 64 * PAGE_SIZE, PROT_READ);
	CHECK_EQ(p[40 * PAGE_SIZE], 0);
	CHECK_EQ(q[40 * PAGE_SIZE], 0);
	p[40 * PAGE_SIZE + 1] = 'h';
	CHECK_EQ(q[40 * PAGE_SIZE + 1], 'h');
	CHECK_EQ(file_byte(fd, 40 * PAGE_SIZE + 1), 'h');
	CHECK_OK(fsync(fd));
	CHECK_OK(munmap((void *)p, 64 * PAGE_SIZE));
	CHECK_OK(munmap((void *)q, 64 * PAGE_SIZE));
	drop_caches();
	CHECK_EQ(file_byte(fd, 40 * PAGE_SIZE + 1), 'h');
	CHECK_EQ(file_byte(fd, 40 * PAGE_SIZE), 0);
	drop_file(fd);
}

TEST(what_was_mapped_is_on_the_disk_after_fsync)
{
	int fd = make_file(20 * PAGE_SIZE);
	volatile char *p = map_shared(fd, 20 * PAGE_SIZE, RW);

	for (int round = 1; round <= 3; round++) {
		for (int i = 0; i < 20; i += 2)
			p[i * PAGE_SIZE + 7] = round * 20 + i;
		CHECK_OK(fsync(fd));
	}
	CHECK_OK(munmap((void *)p, 20 * PAGE_SIZE));
	drop_caches();
	for (int i = 0; i < 20; i += 2)
		CHECK_EQ(file_byte(fd, i * PAGE_SIZE + 7), 60 + i);
	drop_file(fd);
}

TEST(past_the_end_of_the_file_is_sigbus)
{
	int fd = make_file(PAGE_SIZE + 1);
	volatile char *p = map_shared(fd, 4 * PAGE_SIZE, RW);

	p[2 * PAGE_SIZE - 1] = 1;
	CHECK_SIGNAL({ p[2 * PAGE_SIZE] = 1; }, SIGBUS);
	CHECK_SIGNAL({ (void)p[2 * PAGE_SIZE]; }, SIGBUS);
	CHECK_OK(munmap((void *)p, 4 * PAGE_SIZE));
	drop_file(fd);
}

TEST(a_truncation_under_a_live_mapping_is_sigbus)
{
	int fd = make_file(4 * PAGE_SIZE);
	volatile char *p = map_shared(fd, 4 * PAGE_SIZE, RW);
	int go[2];
	pid_t pid;
	char c;

	for (int i = 0; i < 4; i++)
		p[i * PAGE_SIZE] = i;
	CHECK_OK(pipe(go));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		p[3 * PAGE_SIZE] = 9;
		close(go[1]);
		while (read(go[0], &c, 1) > 0)
			;
		p[3 * PAGE_SIZE] = 10;
		_exit(0);
	}
	WAIT_UNTIL(p[3 * PAGE_SIZE] == 9);
	CHECK_OK(ftruncate(fd, PAGE_SIZE));
	close(go[1]);
	close(go[0]);
	test_check_signal(__FILE__, __LINE__, pid, SIGBUS);
	p[0] = 5;
	CHECK_SIGNAL({ p[PAGE_SIZE] = 1; }, SIGBUS);
	CHECK_OK(ftruncate(fd, 4 * PAGE_SIZE));
	CHECK_EQ(p[PAGE_SIZE], 0);
	p[PAGE_SIZE] = 7;
	CHECK_EQ(file_byte(fd, PAGE_SIZE), 7);
	CHECK_OK(munmap((void *)p, 4 * PAGE_SIZE));
	drop_file(fd);
}

TEST(the_mapping_keeps_a_closed_and_removed_file)
{
	int fd = make_file(PAGE_SIZE);
	volatile char *p = map_shared(fd, PAGE_SIZE, RW);

	CHECK_OK(close(fd));
	CHECK_OK(unlink("f"));
	p[0] = 1;
	CHECK_EQ(p[0], 1);
	CHECK_OK(msync((void *)p, PAGE_SIZE, MS_SYNC));
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	test_dir_leave();
}

TEST(private_beside_shared)
{
	int fd = make_file(PAGE_SIZE);
	volatile char *s = map_shared(fd, PAGE_SIZE, RW);
	volatile char *p = mmap(NULL, PAGE_SIZE, RW, MAP_PRIVATE, fd, 0);

	CHECK(p != MAP_FAILED);
	p[1] = 'p';
	s[1] = 's';
	s[2] = 's';
	CHECK_EQ(p[1], 'p');
	CHECK_EQ(file_byte(fd, 1), 's');
	CHECK_CHILD({
		p[1] = 'c';
		s[3] = 'c';
		CHECK_EQ(s[1], 's');
	});
	CHECK_EQ(p[1], 'p');
	CHECK_EQ(s[3], 'c');
	CHECK_OK(munmap((void *)s, PAGE_SIZE));
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	drop_file(fd);
}

TEST(rights_follow_the_descriptor)
{
	int fd = make_file(PAGE_SIZE), ro, wo;
	void *p;

	ro = CHECK_OK(open("f", O_RDONLY));
	wo = CHECK_OK(open("f", O_WRONLY));
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, ro, 0), EACCES);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_WRITE, MAP_SHARED, ro, 0), EACCES);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_WRITE, MAP_SHARED, wo, 0), EACCES);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, wo, 0), EACCES);
	p = (void *)map_shared(ro, PAGE_SIZE, PROT_READ);
	CHECK_ERRNO(mprotect(p, PAGE_SIZE, RW), EACCES);
	CHECK_ERRNO(mprotect(p, PAGE_SIZE, PROT_WRITE), EACCES);
	CHECK_OK(mprotect(p, PAGE_SIZE, PROT_NONE));
	CHECK_OK(mprotect(p, PAGE_SIZE, PROT_READ | PROT_EXEC));
	CHECK_SIGNAL({ *(volatile char *)p = 1; }, SIGSEGV);
	CHECK_OK(munmap(p, PAGE_SIZE));
	CHECK_OK(close(ro));
	CHECK_OK(close(wo));
	p = (void *)map_shared(fd, PAGE_SIZE, PROT_READ);
	CHECK_OK(mprotect(p, PAGE_SIZE, RW));
	*(volatile char *)p = 3;
	CHECK_EQ(file_byte(fd, 0), 3);
	CHECK_OK(munmap(p, PAGE_SIZE));
	drop_file(fd);
}

TEST(wrong_requests)
{
	int fd = make_file(PAGE_SIZE), dir, ends[2];
	struct map_line line;

	CHECK_ERRNO(mmap(NULL, 0, RW, MAP_SHARED, fd, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, fd, 1), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, 0, fd, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, -1, 0), EBADF);
	CHECK_ERRNO(mmap(NULL, -PAGE_SIZE, RW, MAP_SHARED, fd, 0), ENOMEM);
	CHECK_ERRNO(mmap(NULL, 2 * PAGE_SIZE, RW, MAP_SHARED, fd, 0x7ffffffffffff000), EOVERFLOW);
	CHECK_ERRNO(mmap((void *)0x10001, PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, fd, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED_VALIDATE | 0x200000, fd, 0), EOPNOTSUPP);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0),
		    EINVAL);
	dir = CHECK_OK(open(".", O_RDONLY));
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, dir, 0), ENODEV);
	CHECK_OK(close(dir));
	CHECK_OK(pipe(ends));
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, ends[0], 0), ENODEV);
	CHECK_OK(close(ends[0]));
	CHECK_OK(close(ends[1]));
	CHECK(!find_map(0x10000, &line) || line.inode != 0);
	drop_file(fd);
}

TEST(only_written_pages_become_dirty)
{
	long long before;
	volatile char *p;
	int fd;

	if (!on_ravel())
		SKIP("the host writes its own files");
	fd = make_file(32 * PAGE_SIZE);
	CHECK_OK(fsync(fd));
	p = map_shared(fd, 32 * PAGE_SIZE, RW);
	for (int i = 0; i < 32; i++)
		(void)p[i * PAGE_SIZE];
	CHECK_OK(fsync(fd));
	before = vmstat("pgwriteback");
	p[5 * PAGE_SIZE] = 1;
	p[5 * PAGE_SIZE + 1] = 1;
	p[9 * PAGE_SIZE] = 1;
	CHECK_OK(msync((void *)p, 32 * PAGE_SIZE, MS_SYNC));
	CHECK_RANGE(vmstat("pgwriteback") - before, 2, 16); /* and what describes the file */
	CHECK_OK(munmap((void *)p, 32 * PAGE_SIZE));
	drop_file(fd);
}

TEST(a_write_gives_the_file_a_new_time)
{
	int fd = make_file(PAGE_SIZE);
	volatile char *p = map_shared(fd, PAGE_SIZE, RW);
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct stat st;

	for (int round = 0; round < 2; round++) {
		CHECK_OK(msync((void *)p, PAGE_SIZE, MS_SYNC));
		CHECK_OK(futimens(fd, old));
		(void)p[0];
		CHECK_OK(fstat(fd, &st));
		CHECK_EQ(st.st_mtim.tv_sec, 1000);
		p[0] = round;
		CHECK_OK(msync((void *)p, PAGE_SIZE, MS_SYNC));
		CHECK_OK(fstat(fd, &st));
		CHECK(st.st_mtim.tv_sec > 1000);
	}
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	drop_file(fd);
}

TEST(bytes_past_the_end_stay_outside)
{
	int fd = make_file(100);
	volatile char *p = map_shared(fd, PAGE_SIZE, RW);

	p[99] = 'i';
	p[200] = 'o';
	CHECK_OK(msync((void *)p, PAGE_SIZE, MS_SYNC));
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	CHECK_OK(ftruncate(fd, 300));
	CHECK_EQ(file_byte(fd, 99), 'i');
	CHECK_EQ(file_byte(fd, 200), 0);
	drop_file(fd);
}

static void grow(int fd, unsigned way)
{
	switch (way) {
	case 0:
		CHECK_OK(ftruncate(fd, 300));
		break;
	case 1:
		CHECK_EQ(pwrite(fd, "x", 1, 300), 1);
		break;
	case 2:
		CHECK_EQ(pwrite(fd, "x", 1, 3 * PAGE_SIZE), 1);
		break;
	case 3:
		CHECK_OK(fallocate(fd, 0, 300, 10));
	}
}

/* Stored, and no write-back before the file grows; not all of Linux's file systems care. */
TEST(growing_in_each_way_shows_zeros)
{
	for (unsigned way = 0; way < (on_ravel() ? 4 : 1); way++) {
		int fd = make_file(100);
		volatile char *p = map_shared(fd, PAGE_SIZE, RW);

		p[99] = 'i';
		p[200] = 'o';
		CHECK_OK(munmap((void *)p, PAGE_SIZE));
		grow(fd, way);
		CHECK_EQ(file_byte(fd, 99), 'i');
		CHECK_EQ(file_byte(fd, 200), 0);
		drop_file(fd);
	}
}

/* The same page is mapped again: it may still hold the byte, but not once it was written back. */
TEST(a_new_mapping_past_the_end)
{
	int fd = make_file(100);
	volatile char *p = map_shared(fd, PAGE_SIZE, RW), *q;

	p[200] = 'o';
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	q = map_shared(fd, PAGE_SIZE, PROT_READ);
	CHECK(q[200] == 'o' || q[200] == 0);
	CHECK_OK(fsync(fd));
	if (on_ravel()) /* Linux' tmpfs writes nothing back */
		CHECK_EQ(q[200], 0);
	CHECK_OK(munmap((void *)q, PAGE_SIZE));
	drop_file(fd);
}

TEST(the_file_grows_under_a_writable_page)
{
	int fd = make_file(100);
	volatile char *p = map_shared(fd, PAGE_SIZE, RW);

	p[50] = 1;
	for (int size = 500; size <= 4000; size += 500) {
		CHECK_OK(ftruncate(fd, size));
		p[size - 1] = size / 500;
		CHECK_EQ(pwrite(fd, "x", 1, size), 1);
		p[size] = 'y';
	}
	CHECK_OK(fsync(fd));
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	drop_caches();
	for (int size = 500; size <= 4000; size += 500) {
		CHECK_EQ(file_byte(fd, size - 1), size / 500);
		CHECK_EQ(file_byte(fd, size), 'y');
	}
	drop_file(fd);
}

/* Each task adds to its own words of all pages; write-back runs beside them. */
#define WRITERS 4
#define PAGES	8
#define ROUNDS	60

static void add_words(volatile unsigned *words, int me)
{
	for (int round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < PAGES; i++)
			words[i * (PAGE_SIZE / sizeof(*words)) + me]++;
		if (round % 8 == 0)
			sched_yield();
	}
	_exit(0);
}

TEST(writers_race_with_write_back)
{
	int fd = make_file(PAGES * PAGE_SIZE);
	volatile unsigned *words = (volatile unsigned *)map_shared(fd, PAGES * PAGE_SIZE, RW);
	pid_t pids[WRITERS];
	unsigned value;

	memset((void *)words, 0, PAGES * PAGE_SIZE);
	for (int me = 0; me < WRITERS; me++) {
		pids[me] = CHECK_OK(fork());
		if (pids[me] == 0)
			add_words(words, me);
	}
	for (int i = 0; i < 20; i++) {
		CHECK_OK(msync((void *)words, PAGES * PAGE_SIZE, MS_SYNC));
		test_progress();
	}
	for (int me = 0; me < WRITERS; me++)
		CHECK_EXIT(pids[me], 0);
	CHECK_OK(fsync(fd));
	CHECK_OK(munmap((void *)words, PAGES * PAGE_SIZE));
	drop_caches();
	for (unsigned i = 0; i < PAGES; i++) {
		for (int me = 0; me < WRITERS; me++) {
			CHECK_EQ(pread(fd, &value, 4, i * PAGE_SIZE + me * 4), 4);
			CHECK_EQ(value, ROUNDS);
		}
	}
	drop_file(fd);
}

TEST(read_into_a_mapping_of_the_same_file)
{
	int fd = make_file(2 * PAGE_SIZE);
	volatile char *p = map_shared(fd, 2 * PAGE_SIZE, RW);

	p[0] = 'q';
	CHECK_EQ(pread(fd, (char *)p + PAGE_SIZE, PAGE_SIZE, 0), PAGE_SIZE);
	CHECK_EQ(p[PAGE_SIZE], 'q');
	p[1] = 'r';
	CHECK_EQ(pwrite(fd, (char *)p, PAGE_SIZE, PAGE_SIZE), PAGE_SIZE);
	CHECK_EQ(p[PAGE_SIZE + 1], 'r');
	CHECK_EQ(pwrite(fd, (char *)p, PAGE_SIZE, 0), PAGE_SIZE);
	CHECK_OK(munmap((void *)p, 2 * PAGE_SIZE));
	drop_file(fd);
}

TEST(a_big_file_written_through_a_mapping)
{
	const size_t size = 16UL << 20;
	int fd = make_file(0);
	volatile char *p;

	CHECK_OK(ftruncate(fd, size));
	p = map_shared(fd, size, RW);
	for (size_t at = 0; at < size; at += PAGE_SIZE) {
		p[at + at / PAGE_SIZE % PAGE_SIZE] = at >> 12 | 1;
		if (at % (1UL << 20) == 0)
			test_progress();
	}
	CHECK_OK(munmap((void *)p, size));
	CHECK_OK(fsync(fd));
	drop_caches();
	for (size_t at = 0; at < size; at += PAGE_SIZE)
		CHECK_EQ(file_byte(fd, at + at / PAGE_SIZE % PAGE_SIZE), (char)(at >> 12 | 1));
	drop_file(fd);
}
