/*
 * msync.c - msync(2): which ranges and flags it takes, and that the disk has it afterwards.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define RW (PROT_READ | PROT_WRITE)

static int fd;

/* A shared mapping of a new file of so many pages. */
static volatile char *map_file(unsigned pages)
{
	void *p;

	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	CHECK_OK(ftruncate(fd, pages * PAGE_SIZE));
	p = mmap(NULL, pages * PAGE_SIZE, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

static void unmap_file(volatile char *p, unsigned pages)
{
	CHECK_OK(munmap((void *)p, pages * PAGE_SIZE));
	CHECK_OK(close(fd));
	test_dir_leave();
}

TEST(wrong_flags_and_addresses)
{
	char *p = (char *)map_file(2);

	CHECK_ERRNO(msync(p, PAGE_SIZE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE_SIZE, 8), EINVAL);
	CHECK_ERRNO(msync(p, PAGE_SIZE, -1), EINVAL);
	CHECK_ERRNO(msync(p + 1, PAGE_SIZE, MS_SYNC), EINVAL);
	if (on_ravel()) /* Linux takes what rounds up to 0 for 0 */
		CHECK_ERRNO(msync(p, -1UL, MS_SYNC), ENOMEM);
	CHECK_ERRNO(msync(p, -PAGE_SIZE, MS_SYNC), ENOMEM);
	CHECK_ERRNO(msync((void *)KERNEL_ADDRESS, PAGE_SIZE, MS_SYNC), ENOMEM);
	CHECK_OK(msync(p, 0, MS_SYNC));
	CHECK_OK(msync(p, 1, MS_SYNC));
	CHECK_OK(msync(p, 2 * PAGE_SIZE, MS_ASYNC));
	CHECK_OK(msync(p, 2 * PAGE_SIZE, MS_INVALIDATE));
	CHECK_OK(msync(p, 2 * PAGE_SIZE, MS_SYNC | MS_INVALIDATE));
	CHECK_OK(msync(p, 2 * PAGE_SIZE, 0));
	unmap_file(p, 2);
}

TEST(a_hole_in_the_range_is_told_after_the_rest_is_written)
{
	volatile char *p = map_file(4);
	char byte;

	p[3 * PAGE_SIZE] = 7;
	CHECK_OK(munmap((char *)p + PAGE_SIZE, PAGE_SIZE));
	CHECK_ERRNO(msync((char *)p, 4 * PAGE_SIZE, MS_SYNC), ENOMEM);
	CHECK_ERRNO(msync((char *)p + PAGE_SIZE, PAGE_SIZE, MS_SYNC), ENOMEM);
	CHECK_ERRNO(msync((char *)p, 2 * PAGE_SIZE, MS_ASYNC), ENOMEM);
	CHECK_EQ(pread(fd, &byte, 1, 3 * PAGE_SIZE), 1);
	CHECK_EQ(byte, 7);
	unmap_file(p, 4);
}

TEST(private_and_anonymous_memory_has_nowhere_to_go)
{
	char *p = map_anon(2 * PAGE_SIZE);

	p[0] = 1;
	CHECK_OK(msync(p, 2 * PAGE_SIZE, MS_SYNC));
	CHECK_OK(munmap(p, 2 * PAGE_SIZE));
	p = mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	p[0] = 1;
	CHECK_OK(msync(p, PAGE_SIZE, MS_SYNC));
	CHECK_EQ(p[0], 1);
	CHECK_OK(munmap(p, PAGE_SIZE));
}

TEST(read_only_and_protected_ranges_are_fine)
{
	char *p = (char *)map_file(2);

	p[0] = 3;
	CHECK_OK(mprotect(p, 2 * PAGE_SIZE, PROT_NONE));
	CHECK_OK(msync(p, 2 * PAGE_SIZE, MS_SYNC));
	CHECK_OK(mprotect(p, 2 * PAGE_SIZE, RW));
	CHECK_EQ(p[0], 3);
	unmap_file(p, 2);
}

TEST(nothing_is_dirty_afterwards)
{
	volatile char *p;
	long long before;

	if (!on_ravel())
		SKIP("the host writes its own files");
	p = map_file(16);
	for (int i = 0; i < 16; i++)
		p[i * PAGE_SIZE] = i + 1;
	CHECK_OK(msync((void *)p, 16 * PAGE_SIZE, MS_SYNC));
	before = vmstat("pgwriteback");
	CHECK_OK(msync((void *)p, 16 * PAGE_SIZE, MS_SYNC));
	CHECK_OK(fdatasync(fd));
	CHECK_EQ(vmstat("pgwriteback"), before);
	unmap_file(p, 16);
}

TEST(only_the_range_is_written)
{
	volatile char *p;
	long long before;

	if (!on_ravel())
		SKIP("the host writes its own files");
	p = map_file(16);
	for (int i = 0; i < 16; i++)
		p[i * PAGE_SIZE] = 0;
	CHECK_OK(msync((void *)p, 16 * PAGE_SIZE, MS_SYNC));
	for (int i = 0; i < 16; i++)
		p[i * PAGE_SIZE] = i + 1;
	before = vmstat("pgwriteback");
	CHECK_OK(msync((char *)p + 3 * PAGE_SIZE, 2 * PAGE_SIZE, MS_SYNC));
	CHECK_RANGE(vmstat("pgwriteback") - before, 2, 8);
	unmap_file(p, 16);
}

/* The areas change while the call works its way through them. */
TEST(beside_unmaps_by_another_task)
{
	volatile char *p = map_file(16);
	pid_t pid;

	for (int round = 0; round < 10; round++) {
		pid = CHECK_OK(fork());
		if (pid == 0) {
			for (int i = 0; i < 16; i++)
				p[i * PAGE_SIZE + 1] = round;
			for (int i = 1; i < 16; i += 2)
				munmap((char *)p + i * PAGE_SIZE, PAGE_SIZE);
			_exit(0);
		}
		CHECK_OK(msync((void *)p, 16 * PAGE_SIZE, MS_SYNC));
		CHECK_EXIT(pid, 0);
		CHECK_EQ(p[PAGE_SIZE + 1], round);
		test_progress();
	}
	unmap_file(p, 16);
}
