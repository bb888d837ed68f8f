/*
 * munmap.c - munmap(): whole areas, pieces of areas, holes, and what it refuses.
 */
#include "usr/lib/test.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "usr/lib/testutil.h"

static void check_mapped(char *p, const char *pattern)
{
	for (int i = 0; pattern[i]; i++) {
		unsigned long page = (uintptr_t)p + i * PAGE_SIZE;

		CHECK_EQ(count_maps(page, page + PAGE_SIZE), pattern[i] == '#');
		if (pattern[i] == '#')
			CHECK_EQ(p[i * PAGE_SIZE], 'a' + i);
		else
			CHECK_SIGNAL({ (void)*(volatile char *)page; }, SIGSEGV);
	}
}

/* n touched pages, each with a letter of its own. */
static char *letters(int n)
{
	char *p = map_anon(n * PAGE_SIZE);

	for (int i = 0; i < n; i++)
		p[i * PAGE_SIZE] = 'a' + i;
	return p;
}

TEST(whole_area)
{
	char *p = letters(3);

	CHECK_EQ(munmap(p, 3 * PAGE_SIZE), 0);
	check_mapped(p, "...");
}

TEST(first_page)
{
	char *p = letters(3);

	CHECK_EQ(munmap(p, PAGE_SIZE), 0);
	check_mapped(p, ".##");
}

TEST(last_page)
{
	char *p = letters(3);

	CHECK_EQ(munmap(p + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	check_mapped(p, "##.");
}

TEST(the_middle_splits_the_area)
{
	char *p = letters(5);

	CHECK_EQ(munmap(p + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	check_mapped(p, "##.##");
	CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 5 * PAGE_SIZE), 2);
}

TEST(several_areas_and_holes)
{
	char *p = letters(8);

	CHECK_OK(mprotect(p + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ));
	CHECK_OK(munmap(p + 4 * PAGE_SIZE, PAGE_SIZE));
	CHECK_EQ(munmap(p + PAGE_SIZE, 6 * PAGE_SIZE), 0);
	check_mapped(p, "#......#");
}

TEST(a_hole_is_success)
{
	char *p = letters(2);

	CHECK_OK(munmap(p, 2 * PAGE_SIZE));
	CHECK_EQ(munmap(p, 2 * PAGE_SIZE), 0);
}

TEST(never_touched_pages)
{
	char *p = map_anon(16 << 20);

	CHECK_EQ(munmap(p + (4 << 20), 8 << 20), 0);
	p[0] = 1;
	CHECK_EQ(munmap(p, 16 << 20), 0);
}

TEST(memory_mapped_again_is_zero)
{
	char *p = letters(4);

	CHECK_OK(munmap(p + PAGE_SIZE, 2 * PAGE_SIZE));
	CHECK_EQ(mmap(p + PAGE_SIZE, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
		 p + PAGE_SIZE);
	CHECK_EQ(p[0], 'a');
	CHECK_EQ(p[PAGE_SIZE], 0);
	CHECK_EQ(p[2 * PAGE_SIZE], 0);
	CHECK_EQ(p[3 * PAGE_SIZE], 'd');
	CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 4 * PAGE_SIZE), 1);
}

TEST(length_is_rounded_up)
{
	char *p = letters(3);

	CHECK_EQ(munmap(p, PAGE_SIZE + 1), 0);
	check_mapped(p, "..#");
}

TEST(zero_length_is_einval)
{
	char *p = letters(1);

	CHECK_ERRNO(munmap(p, 0), EINVAL);
	check_mapped(p, "#");
}

TEST(misaligned_address_is_einval)
{
	char *p = letters(2);

	CHECK_ERRNO(munmap(p + 1, PAGE_SIZE), EINVAL);
	check_mapped(p, "##");
}

TEST(outside_the_user_half_is_einval)
{
	char *p = letters(1);

	CHECK_ERRNO(munmap((void *)KERNEL_ADDRESS, PAGE_SIZE), EINVAL);
	CHECK_ERRNO(munmap((void *)(1UL << 63), PAGE_SIZE), EINVAL);
	CHECK_ERRNO(munmap((void *)-PAGE_SIZE, PAGE_SIZE), EINVAL);
	CHECK_ERRNO(munmap(p, SIZE_MAX), EINVAL);
	CHECK_ERRNO(munmap(p, -(uintptr_t)p), EINVAL);
	CHECK_ERRNO(munmap(p, -(uintptr_t)p + PAGE_SIZE), EINVAL);
	check_mapped(p, "#");
	if (on_ravel()) {
		CHECK_ERRNO(munmap((void *)(USER_TOP - PAGE_SIZE), 2 * PAGE_SIZE), EINVAL);
		CHECK_EQ(munmap((void *)0x1000, PAGE_SIZE), 0);
	}
}

TEST(a_process_may_unmap_all_of_itself)
{
	CHECK_SIGNAL(
		{
			munmap((void *)0x10000, 0x3ffffe0000);
			abort();
		},
		on_ravel() ? SIGSEGV : SIGABRT);
}
