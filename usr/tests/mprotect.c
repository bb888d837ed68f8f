/*
 * mprotect.c - mprotect(): splits, merges, what each protection allows, and its errno values.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "usr/lib/testutil.h"

#define RW (PROT_READ | PROT_WRITE)

static int areas(char *p, int pages)
{
	return count_maps((uintptr_t)p, (uintptr_t)p + pages * PAGE_SIZE);
}

static void check_prot(char *p, int page, const char *prot)
{
	struct map_line line;

	CHECK(find_map((uintptr_t)p + page * PAGE_SIZE, &line));
	CHECK_STRING(line.prot, prot);
}

TEST(middle_splits_in_three_and_merges_back)
{
	char *p = map_anon(5 * PAGE_SIZE);

	memset(p, 3, 5 * PAGE_SIZE);
	CHECK_EQ(areas(p, 5), 1);
	CHECK_EQ(mprotect(p + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(areas(p, 5), 3);
	check_prot(p, 1, "rw-p");
	check_prot(p, 2, "r--p");
	check_prot(p, 3, "rw-p");
	CHECK_SIGNAL({ p[2 * PAGE_SIZE] = 1; }, SIGSEGV);
	p[PAGE_SIZE] = p[3 * PAGE_SIZE] = 4;
	CHECK_EQ(mprotect(p + 2 * PAGE_SIZE, PAGE_SIZE, RW), 0);
	CHECK_EQ(areas(p, 5), 1);
	CHECK_EQ(p[2 * PAGE_SIZE], 3);
	p[2 * PAGE_SIZE] = 5;
}

TEST(both_ends_split_in_two)
{
	char *p = map_anon(4 * PAGE_SIZE);

	CHECK_EQ(mprotect(p, PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(areas(p, 4), 2);
	CHECK_EQ(mprotect(p + 3 * PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(areas(p, 4), 3);
	CHECK_EQ(mprotect(p, 4 * PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(areas(p, 4), 1);
}

TEST(three_areas_at_once)
{
	char *p = map_anon(6 * PAGE_SIZE);

	memset(p, 1, 6 * PAGE_SIZE);
	CHECK_OK(mprotect(p + 2 * PAGE_SIZE, 2 * PAGE_SIZE, PROT_NONE));
	CHECK_EQ(mprotect(p + PAGE_SIZE, 4 * PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(areas(p, 6), 3);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(p[i * PAGE_SIZE], 1);
	CHECK_SIGNAL({ p[4 * PAGE_SIZE] = 1; }, SIGSEGV);
	p[5 * PAGE_SIZE] = 2;
}

/* Linux changes the areas before the hole, then reports ENOMEM. */
TEST(three_areas_with_a_hole)
{
	char *p = map_anon(6 * PAGE_SIZE);

	memset(p, 1, 6 * PAGE_SIZE);
	CHECK_OK(mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_NONE));
	CHECK_OK(munmap(p + 3 * PAGE_SIZE, PAGE_SIZE));
	CHECK_ERRNO(mprotect(p, 6 * PAGE_SIZE, PROT_READ), ENOMEM);
	for (int i = 0; i < 3; i++)
		check_prot(p, i, "r--p");
	check_prot(p, 4, "rw-p");
	check_prot(p, 5, "rw-p");
	p[4 * PAGE_SIZE] = 2;
}

TEST(unmapped_memory_is_enomem)
{
	char *p = map_anon(3 * PAGE_SIZE);

	CHECK_OK(munmap(p, PAGE_SIZE));
	CHECK_OK(munmap(p + 2 * PAGE_SIZE, PAGE_SIZE));
	CHECK_ERRNO(mprotect(p, PAGE_SIZE, PROT_READ), ENOMEM);
	CHECK_ERRNO(mprotect(p, 2 * PAGE_SIZE, PROT_READ), ENOMEM);
	check_prot(p, 1, "rw-p");
	CHECK_ERRNO(mprotect(p + PAGE_SIZE, 2 * PAGE_SIZE, PROT_READ), ENOMEM);
	check_prot(p, 1, "r--p");
	CHECK_ERRNO(mprotect((void *)KERNEL_ADDRESS, PAGE_SIZE, PROT_READ), ENOMEM);
	CHECK_ERRNO(mprotect((void *)0x1000, PAGE_SIZE, PROT_READ), ENOMEM);
}

TEST(zero_length_is_success)
{
	char *p = map_anon(PAGE_SIZE);

	CHECK_EQ(mprotect(p, 0, PROT_NONE), 0);
	*p = 1;
}

TEST(misaligned_is_einval)
{
	char *p = map_anon(PAGE_SIZE);

	CHECK_ERRNO(mprotect(p + 1, PAGE_SIZE, PROT_READ), EINVAL);
	CHECK_ERRNO(mprotect(p + 1, 0, PROT_READ), EINVAL);
}

TEST(overflow_is_enomem)
{
	char *p = map_anon(PAGE_SIZE);

	CHECK_ERRNO(mprotect(p, -(uintptr_t)p, PROT_READ), ENOMEM);
	CHECK_ERRNO(mprotect(p, -(uintptr_t)p + PAGE_SIZE, PROT_READ), ENOMEM);
}

TEST(unknown_protection_is_einval)
{
	char *p = map_anon(PAGE_SIZE);

	CHECK_ERRNO(mprotect(p, PAGE_SIZE, 0x400), EINVAL);
	CHECK_ERRNO(mprotect(p, PAGE_SIZE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP), EINVAL);
	*p = 1;
}

TEST(length_is_rounded_up)
{
	char *p = map_anon(2 * PAGE_SIZE);

	CHECK_EQ(mprotect(p, PAGE_SIZE + 1, PROT_READ), 0);
	check_prot(p, 1, "r--p");
}

TEST(none_keeps_the_contents)
{
	char *p = map_anon(2 * PAGE_SIZE);

	memset(p, 0x77, 2 * PAGE_SIZE);
	CHECK_OK(mprotect(p, 2 * PAGE_SIZE, PROT_NONE));
	CHECK_SIGNAL({ (void)*(volatile char *)p; }, SIGSEGV);
	CHECK_OK(mprotect(p, 2 * PAGE_SIZE, PROT_READ));
	CHECK_EQ(p[2 * PAGE_SIZE - 1], 0x77);
}

/* A page that another process still sees must not become writable by mprotect alone. */
TEST(write_permission_still_copies_on_write)
{
	char *p = map_anon(PAGE_SIZE);
	pid_t pid;

	*p = 1;
	CHECK_OK(mprotect(p, PAGE_SIZE, PROT_READ));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(mprotect(p, PAGE_SIZE, RW));
		*p = 2;
		_exit(*p == 2 ? 0 : 1);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(*p, 1);
}

/* The zero page is shared by everybody: making it writable must not write to it. */
TEST(the_zero_page_stays_zero)
{
	volatile char *p =
		CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	volatile char *q =
		CHECK_OK(mmap(NULL, 2 * PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	CHECK_EQ(*p + *q, 0);
	CHECK_OK(mprotect((void *)p, PAGE_SIZE, RW));
	*p = 1;
	CHECK_EQ(*q, 0);
}

TEST(kernel_writes_obey_it_too)
{
	char *p = map_anon(PAGE_SIZE);
	int fds[2];

	CHECK_OK(pipe(fds));
	CHECK_EQ(write(fds[1], "xy", 2), 2);
	CHECK_OK(mprotect(p, PAGE_SIZE, PROT_READ));
	CHECK_ERRNO(read(fds[0], p, 1), EFAULT);
	CHECK_OK(mprotect(p, PAGE_SIZE, RW));
	CHECK_EQ(read(fds[0], p, 1), 1);
	CHECK_OK(mprotect(p, PAGE_SIZE, PROT_NONE));
	CHECK_ERRNO(write(fds[1], p, 1), EFAULT);
}

TEST(a_file_area_splits_and_merges)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *p = CHECK_OK(mmap(NULL, 3 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));

	CHECK_EQ(mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
	CHECK_EQ(areas(p, 3), 3);
	check_prot(p, 1, "r-xp");
	CHECK_EQ(mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(areas(p, 3), 1);
	CHECK_EQ(memcmp(p, "\177ELF", 4), 0);
}
