/*
 * madvise.c - madvise(MADV_DONTNEED): pages go, the area stays; and the errno values.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "usr/lib/testutil.h"

TEST(anonymous_pages_come_back_zero)
{
	char *p = map_anon(4 * PAGE_SIZE);

	memset(p, 1, 4 * PAGE_SIZE);
	CHECK_EQ(madvise(p + PAGE_SIZE, 2 * PAGE_SIZE, MADV_DONTNEED), 0);
	CHECK_EQ(p[PAGE_SIZE - 1], 1);
	CHECK_EQ(p[PAGE_SIZE], 0);
	CHECK_EQ(p[3 * PAGE_SIZE - 1], 0);
	CHECK_EQ(p[3 * PAGE_SIZE], 1);
	CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 4 * PAGE_SIZE), 1);
}

TEST(private_file_pages_come_back_from_the_file)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));

	p[0] = 'X';
	CHECK_EQ(madvise(p, PAGE_SIZE, MADV_DONTNEED), 0);
	CHECK_EQ(p[0], 0x7f);
}

TEST(memory_is_given_back)
{
	char *p = map_anon(4 << 20);
	long long before;

	memset(p, 1, 4 << 20);
	before = status_kb(getpid(), "VmRSS");
	CHECK_EQ(madvise(p, 4 << 20, MADV_DONTNEED), 0);
	CHECK_RANGE(status_kb(getpid(), "VmRSS"), 1, before - 3072);
}

TEST(the_parents_copy_stays)
{
	char *p = map_anon(PAGE_SIZE);

	*p = 7;
	CHECK_CHILD({
		CHECK_EQ(madvise(p, PAGE_SIZE, MADV_DONTNEED), 0);
		CHECK_EQ(*p, 0);
	});
	CHECK_EQ(*p, 7);
}

TEST(a_hole_is_enomem_but_the_rest_is_done)
{
	char *p = map_anon(3 * PAGE_SIZE);

	memset(p, 1, 3 * PAGE_SIZE);
	CHECK_OK(munmap(p + PAGE_SIZE, PAGE_SIZE));
	CHECK_ERRNO(madvise(p, 3 * PAGE_SIZE, MADV_DONTNEED), ENOMEM);
	CHECK_EQ(p[0], 0);
	CHECK_EQ(p[2 * PAGE_SIZE], 0);
}

TEST(errors)
{
	char *p = map_anon(PAGE_SIZE);

	CHECK_ERRNO(madvise(p + 1, PAGE_SIZE, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE_SIZE, 12345), EINVAL);
	CHECK_ERRNO(madvise(p, SIZE_MAX - PAGE_SIZE, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(madvise((void *)KERNEL_ADDRESS, PAGE_SIZE, MADV_DONTNEED), ENOMEM);
	CHECK_EQ(madvise(p, 0, MADV_DONTNEED), 0);
}
