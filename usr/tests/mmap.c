/*
 * mmap.c - mmap(): where it puts memory, what it refuses, and with which errno.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "usr/lib/testutil.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

/* An address range of n pages that is free now. */
static char *free_range(unsigned long pages)
{
	char *p = CHECK_OK(mmap(NULL, pages * PAGE_SIZE, PROT_NONE, ANON, -1, 0));

	CHECK_EQ(munmap(p, pages * PAGE_SIZE), 0);
	return p;
}

TEST(anonymous_memory_is_zero_and_writable)
{
	char *p = map_anon(3 * PAGE_SIZE);

	for (size_t i = 0; i < 3 * PAGE_SIZE; i++)
		CHECK_EQ(p[i], 0);
	memset(p, 0x5a, 3 * PAGE_SIZE);
	CHECK_EQ(p[3 * PAGE_SIZE - 1], 0x5a);
	CHECK_EQ(munmap(p, 3 * PAGE_SIZE), 0);
}

TEST(length_is_rounded_up_to_pages)
{
	char *p = CHECK_OK(mmap(NULL, 1, RW, ANON, -1, 0));

	p[PAGE_SIZE - 1] = 1;
	CHECK_EQ((uintptr_t)p % PAGE_SIZE, 0);
	CHECK_EQ(munmap(p, 1), 0);
	CHECK(range_unmapped((uintptr_t)p, (uintptr_t)p + PAGE_SIZE));
}

TEST(zero_length_is_einval)
{
	CHECK_ERRNO(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
}

TEST(neither_shared_nor_private_is_einval)
{
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
}

TEST(misaligned_offset_is_einval)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));

	CHECK_EQ(raw_syscall(SYS_mmap, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 123), -EINVAL);
}

TEST(misaligned_fixed_address_is_einval)
{
	char *p = free_range(2);

	CHECK_ERRNO(mmap(p + 1, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(p + 1, PAGE_SIZE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EINVAL);
	CHECK(range_unmapped((uintptr_t)p, (uintptr_t)p + 2 * PAGE_SIZE));
}

TEST(lengths_that_cannot_fit_are_enomem)
{
	CHECK_ERRNO(mmap(NULL, SIZE_MAX, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERRNO(mmap(NULL, SIZE_MAX - PAGE_SIZE, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERRNO(mmap(NULL, 1UL << 62, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERRNO(mmap(NULL, 1UL << 47, PROT_NONE, ANON | MAP_NORESERVE, -1, 0), ENOMEM);
	if (on_ravel())
		CHECK_ERRNO(mmap(NULL, USER_TOP, PROT_NONE, ANON, -1, 0), ENOMEM);
}

TEST(fixed_in_the_kernel_half_is_enomem)
{
	CHECK_ERRNO(mmap((void *)KERNEL_ADDRESS, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	CHECK_ERRNO(mmap((void *)(1UL << 63), PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	CHECK_ERRNO(mmap((void *)-PAGE_SIZE, 2 * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	if (on_ravel()) {
		CHECK_ERRNO(mmap((void *)USER_TOP, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
		CHECK_ERRNO(mmap((void *)(USER_TOP - PAGE_SIZE), 2 * PAGE_SIZE, RW,
				 ANON | MAP_FIXED, -1, 0),
			    ENOMEM);
	}
}

TEST(the_first_64k_are_never_mapped)
{
	char *p;

	if (!on_ravel())
		SKIP("Linux lets root map low addresses");
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), EPERM);
	CHECK_ERRNO(mmap((void *)0xf000, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), EPERM);
	CHECK_ERRNO(mmap((void *)0xf000, 2 * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), EPERM);
	p = CHECK_OK(mmap((void *)PAGE_SIZE, PAGE_SIZE, RW, ANON, -1, 0));
	CHECK((uintptr_t)p >= 0x10000);
	CHECK_OK(munmap(p, PAGE_SIZE));
	/* The lowest page that may be: taken here if the program is linked to it, never refused. */
	p = mmap((void *)0x10000, PAGE_SIZE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	if (p == MAP_FAILED) {
		CHECK_EQ(errno, EEXIST);
		CHECK_EQ(count_maps(0x10000, 0x10000 + PAGE_SIZE), 1);
	} else {
		CHECK_EQ(p, (void *)0x10000);
	}
}

TEST(a_free_hint_is_taken)
{
	char *p = free_range(4);

	CHECK_EQ(mmap(p + PAGE_SIZE, PAGE_SIZE, RW, ANON, -1, 0), p + PAGE_SIZE);
}

TEST(a_misaligned_hint_is_rounded_down)
{
	char *p = free_range(4);

	CHECK_EQ(mmap(p + PAGE_SIZE + 5, PAGE_SIZE, RW, ANON, -1, 0), p + PAGE_SIZE);
}

TEST(a_taken_hint_goes_elsewhere)
{
	char *p = map_anon(PAGE_SIZE), *q;

	*p = 7;
	q = CHECK_OK(mmap(p, PAGE_SIZE, RW, ANON, -1, 0));
	CHECK(q != p);
	CHECK_EQ(*p, 7);
	CHECK_OK(mmap((void *)KERNEL_ADDRESS, PAGE_SIZE, RW, ANON, -1, 0));
}

TEST(fixed_replaces_the_middle_of_an_area)
{
	char *p = map_anon(5 * PAGE_SIZE);

	memset(p, 1, 5 * PAGE_SIZE);
	CHECK_EQ(mmap(p + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ, ANON | MAP_FIXED, -1, 0),
		 p + 2 * PAGE_SIZE);
	CHECK_EQ(p[2 * PAGE_SIZE - 1], 1);
	CHECK_EQ(p[2 * PAGE_SIZE], 0);
	CHECK_EQ(p[3 * PAGE_SIZE], 1);
	CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 5 * PAGE_SIZE), 3);
}

TEST(fixed_over_several_areas_and_holes)
{
	char *p = map_anon(8 * PAGE_SIZE);

	memset(p, 1, 8 * PAGE_SIZE);
	CHECK_OK(mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_READ));
	CHECK_OK(munmap(p + 3 * PAGE_SIZE, PAGE_SIZE));
	CHECK_OK(mprotect(p + 5 * PAGE_SIZE, PAGE_SIZE, PROT_NONE));
	CHECK_EQ(mmap(p + PAGE_SIZE, 6 * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), p + PAGE_SIZE);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(p[i * PAGE_SIZE], i == 0 || i == 7);
}

TEST(noreplace_refuses_what_is_mapped)
{
	char *p = map_anon(2 * PAGE_SIZE), *q = free_range(3);

	*p = 9;
	CHECK_ERRNO(mmap(p, PAGE_SIZE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	CHECK_ERRNO(mmap(p - PAGE_SIZE, 2 * PAGE_SIZE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0),
		    EEXIST);
	CHECK_EQ(*p, 9);
	CHECK_OK(munmap(p, 2 * PAGE_SIZE));
	CHECK_EQ(mmap(q, PAGE_SIZE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), q);
}

TEST(file_descriptors_that_cannot_be_mapped)
{
	int fds[2], dir = CHECK_OK(open("/", O_RDONLY | O_DIRECTORY));

	CHECK_OK(pipe(fds));
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, 99, 0), EBADF);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fds[0], 0), ENODEV);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
}

TEST(a_file_not_open_for_reading_is_eacces)
{
	const char *path = tmp_path("wronly");
	int fd;

	write_file(path, "abc", 3);
	fd = CHECK_OK(open(path, O_WRONLY));
	CHECK_OK(unlink(path));
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0), EACCES);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_WRITE, MAP_PRIVATE, fd, 0), EACCES);
}

TEST(file_offset_overflow_is_eoverflow)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));

	CHECK_ERRNO(mmap(NULL, 2 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0x7ffffffffffff000),
		    EOVERFLOW);
}

TEST(the_area_keeps_its_file)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *p = CHECK_OK(mmap(NULL, 2 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));
	struct map_line line;

	CHECK_OK(close(fd));
	CHECK_EQ(memcmp(p, "\177ELF", 4), 0);
	CHECK(find_map((uintptr_t)p, &line));
	CHECK_STRING(line.name, self_path());
	CHECK_EQ(line.offset, 0);
	CHECK_STRING(line.prot, "r--p");
}

TEST(prot_none_refuses_every_access)
{
	volatile char *p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_NONE, ANON, -1, 0));

	CHECK_SIGNAL({ (void)*p; }, SIGSEGV);
	CHECK_SIGNAL({ *p = 1; }, SIGSEGV);
}

TEST(read_only_refuses_writes)
{
	volatile char *p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, ANON, -1, 0));

	CHECK_EQ(*p, 0);
	CHECK_SIGNAL({ *p = 1; }, SIGSEGV);
}

TEST(neighbours_merge_into_one_line)
{
	char *p = free_range(4);

	for (int i = 3; i >= 0; i--)
		CHECK_EQ(mmap(p + i * PAGE_SIZE, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0),
			 p + i * PAGE_SIZE);
	CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 4 * PAGE_SIZE), 1);
}

TEST(different_neighbours_do_not_merge)
{
	char *p = free_range(3);

	CHECK_OK(mmap(p, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));
	CHECK_OK(mmap(p + PAGE_SIZE, PAGE_SIZE, PROT_READ, ANON | MAP_FIXED, -1, 0));
	CHECK_OK(mmap(p + 2 * PAGE_SIZE, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));
	CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 3 * PAGE_SIZE), 3);
}

TEST(file_areas_merge_only_at_the_continuing_offset)
{
	char *p = free_range(4);
	int fd = CHECK_OK(open(self_path(), O_RDONLY));

	for (int i = 0; i < 2; i++)
		CHECK_OK(mmap(p + i * PAGE_SIZE, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd,
			      i * PAGE_SIZE));
	CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 2 * PAGE_SIZE), 1);
	CHECK_OK(mmap(p + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0));
	CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 3 * PAGE_SIZE), 2);
}

TEST(rlimit_as_is_enomem)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };

	CHECK_OK(setrlimit(RLIMIT_AS, &limit));
	CHECK_ERRNO(mmap(NULL, 2 << 20, RW, ANON, -1, 0), ENOMEM);
}

TEST(a_big_map_costs_only_what_is_touched)
{
	size_t size = 1UL << 34;
	char *p = CHECK_OK(mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0));

	p[0] = p[size / 2] = p[size - 1] = 1;
	CHECK_RANGE(status_kb(getpid(), "VmRSS"), 1, 65536);
	CHECK_EQ(munmap(p, size), 0);
}

TEST(a_guard_page_between_two_buffers)
{
	char *p = map_anon(5 * PAGE_SIZE), *second = p + 3 * PAGE_SIZE;

	CHECK_OK(mprotect(p + 2 * PAGE_SIZE, PAGE_SIZE, PROT_NONE));
	memset(p, 1, 2 * PAGE_SIZE);
	memset(second, 2, 2 * PAGE_SIZE);
	CHECK_SIGNAL({ memset(p, 3, 2 * PAGE_SIZE + 1); }, SIGSEGV); /* overrun */
	CHECK_SIGNAL({ second[-1] = 3; }, SIGSEGV);		     /* underrun */
	CHECK_EQ(raw_syscall(SYS_getcwd, (long)p + 2 * PAGE_SIZE - 1, 64, 0, 0, 0, 0), -EFAULT);
	CHECK_EQ(p[0], 1);
	CHECK_EQ(second[0], 2);
	CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 5 * PAGE_SIZE), 3);
	CHECK_OK(munmap(p + 2 * PAGE_SIZE, PAGE_SIZE)); /* a hole guards as well */
	CHECK_SIGNAL({ second[-1] = 3; }, SIGSEGV);
	CHECK_OK(munmap(p, 5 * PAGE_SIZE));
}

TEST(a_large_reservation_of_which_little_is_used)
{
	const size_t size = 100UL << 30, step = size / 8;
	long long tables = status_kb(getpid(), "VmPTE"), rss;
	char *p = CHECK_OK(mmap(NULL, size, PROT_NONE, ANON | MAP_NORESERVE, -1, 0));

	CHECK_SIGNAL({ p[step] = 1; }, SIGSEGV);
	rss = status_kb(getpid(), "VmRSS");
	for (size_t at = 0; at < size; at += step) {
		CHECK_OK(mprotect(p + at, PAGE_SIZE, RW));
		p[at] = at / step + 1;
		CHECK_SIGNAL({ p[at + PAGE_SIZE] = 1; }, SIGSEGV);
	}
	if (on_ravel()) {
		CHECK_EQ(status_kb(getpid(), "VmRSS") - rss, 8 * 4);
		CHECK_RANGE(status_kb(getpid(), "VmPTE") - tables, 8 * 4, 8 * 8);
	}
	for (size_t at = 0; at < size; at += step)
		CHECK_EQ(p[at], at / step + 1);
	CHECK_CHILD({
		CHECK_EQ(p[7 * step], 8);
		p[7 * step] = 9;
	});
	CHECK_EQ(p[7 * step], 8);
	CHECK_OK(munmap(p, size));
	CHECK(range_unmapped((uintptr_t)p, (uintptr_t)p + size));
	if (on_ravel())
		CHECK_RANGE(status_kb(getpid(), "VmPTE"), tables - 4, tables + 4);
}
