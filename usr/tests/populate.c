/*
 * populate.c - MAP_POPULATE: the pages are there before the first touch.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define PAGES 256

static long long faults(void)
{
	struct rusage usage;

	CHECK_OK(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_minflt + usage.ru_majflt;
}

TEST(writable_pages_are_resident)
{
	long long rss = status_kb(getpid(), "VmRSS"), before;
	char *p = CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));

	/* The counters of resident pages may lag behind by a few on a big Linux machine. */
	CHECK(status_kb(getpid(), "VmRSS") >= rss + PAGES * 4 - 600);
	before = faults();
	for (int i = 0; i < PAGES; i++) {
		CHECK_EQ(p[i * PAGE_SIZE], 0);
		p[i * PAGE_SIZE] = 1;
	}
	CHECK_RANGE(faults() - before, 0, 16);
}

TEST(file_pages_are_mapped)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *p = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0));

	CHECK_EQ(memcmp(p, "\177ELF", 4), 0);
}

TEST(inaccessible_pages_are_not_an_error)
{
	char *p = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));

	CHECK_SIGNAL({ (void)*(volatile char *)p; }, SIGSEGV);
}

TEST(past_the_end_of_a_file_is_not_an_error)
{
	int fd = CHECK_OK(open(data_path("small"), O_RDONLY));
	volatile char *p =
		CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0));

	CHECK_EQ(p[0], 'R');
	CHECK_SIGNAL({ (void)p[PAGE_SIZE]; }, SIGBUS);
}

TEST(fixed_and_populated)
{
	char *p = map_anon(4 * PAGE_SIZE);

	memset(p, 1, 4 * PAGE_SIZE);
	CHECK_EQ(mmap(p + PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0),
		 p + PAGE_SIZE);
	CHECK_EQ(p[PAGE_SIZE], 0);
	CHECK_EQ(p[0], 1);
}

TEST(a_shared_file_is_not_written_to)
{
	struct stat before, after;
	volatile char *p;
	int fd;

	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	CHECK_OK(ftruncate(fd, 4 * PAGE_SIZE));
	CHECK_OK(utimensat(AT_FDCWD, "f", (struct timespec[2]){ { 1, 0 }, { 1, 0 } }, 0));
	CHECK_OK(fstat(fd, &before));
	p = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			  fd, 0));
	CHECK_OK(fstat(fd, &after));
	CHECK_EQ(after.st_mtime, before.st_mtime);
	CHECK_EQ(after.st_blocks, before.st_blocks);
	p[0] = 1;
	CHECK_OK(msync((void *)p, PAGE_SIZE, MS_SYNC));
	CHECK_OK(fstat(fd, &after));
	CHECK(after.st_mtime > before.st_mtime);
	CHECK_OK(munmap((void *)p, 4 * PAGE_SIZE));
	CHECK_OK(close(fd));
	test_dir_leave();
}
