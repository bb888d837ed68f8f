/*
 * brk.c - the brk() system call: grow, shrink, limits, and what it leaves alone.
 *
 * The raw call is used: it returns the break, the unchanged one when it refuses.  Every TEST starts
 * above whatever glibc has taken.
 */
#include "usr/lib/test.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "usr/lib/testutil.h"

static unsigned long set_break(unsigned long address)
{
	return raw_syscall(SYS_brk, address, 0, 0, 0, 0, 0);
}

/* Move the break to a page boundary and return it. */
static unsigned long aligned_break(void)
{
	unsigned long now = (set_break(0) + PAGE_SIZE - 1) & -PAGE_SIZE;

	CHECK_EQ(set_break(now), now);
	return now;
}

TEST(zero_asks_for_the_break)
{
	unsigned long now = set_break(0);

	CHECK(now > 0x10000);
	CHECK_EQ(set_break(0), now);
}

TEST(grown_memory_is_zero_and_writable)
{
	unsigned long start = aligned_break();
	char *p = (char *)start;

	CHECK_EQ(set_break(start + 4 * PAGE_SIZE), start + 4 * PAGE_SIZE);
	for (size_t i = 0; i < 4 * PAGE_SIZE; i++)
		CHECK_EQ(p[i], 0);
	memset(p, 1, 4 * PAGE_SIZE);
}

TEST(the_heap_is_one_line_of_maps)
{
	unsigned long start = aligned_break();
	struct map_line line;

	for (int i = 1; i <= 8; i++)
		CHECK_EQ(set_break(start + i * PAGE_SIZE), start + i * PAGE_SIZE);
	CHECK_EQ(count_maps(start, start + 8 * PAGE_SIZE), 1);
	CHECK(find_map(start, &line));
	CHECK_STRING(line.name, "[heap]");
	CHECK_STRING(line.prot, "rw-p");
}

TEST(a_break_need_not_be_aligned)
{
	unsigned long start = aligned_break();
	char *p = (char *)start;

	CHECK_EQ(set_break(start + 10), start + 10);
	p[PAGE_SIZE - 1] = 9;
	CHECK_EQ(set_break(start + 5), start + 5);
	CHECK_EQ(p[PAGE_SIZE - 1], 9);
	CHECK_SIGNAL({ p[PAGE_SIZE] = 1; }, SIGSEGV);
}

TEST(shrinking_gives_the_pages_back)
{
	unsigned long start = aligned_break();
	char *p = (char *)start;

	CHECK_EQ(set_break(start + 4 * PAGE_SIZE), start + 4 * PAGE_SIZE);
	memset(p, 1, 4 * PAGE_SIZE);
	CHECK_EQ(set_break(start + PAGE_SIZE), start + PAGE_SIZE);
	CHECK_SIGNAL({ p[PAGE_SIZE] = 1; }, SIGSEGV);
	CHECK_EQ(p[PAGE_SIZE - 1], 1);
	CHECK_EQ(set_break(start + 4 * PAGE_SIZE), start + 4 * PAGE_SIZE);
	CHECK_EQ(p[PAGE_SIZE], 0);
}

TEST(shrinking_over_never_touched_pages)
{
	unsigned long start = aligned_break();

	CHECK_EQ(set_break(start + (16 << 20)), start + (16 << 20));
	((char *)start)[8 << 20] = 1;
	CHECK_EQ(set_break(start), start);
	CHECK(range_unmapped(start, start + (16 << 20)));
}

TEST(below_the_start_is_refused)
{
	unsigned long now = set_break(0);

	CHECK_EQ(set_break(1), now);
	CHECK_EQ(set_break(0x10000), now);
	CHECK_EQ(set_break(0), now);
}

TEST(impossible_addresses_are_refused)
{
	unsigned long now = set_break(0);

	CHECK_EQ(set_break(KERNEL_ADDRESS), now);
	CHECK_EQ(set_break(-1UL), now);
	CHECK_EQ(set_break(-PAGE_SIZE + 1), now);
	CHECK_EQ(set_break(1UL << 62), now);
	if (on_ravel())
		CHECK_EQ(set_break(USER_TOP), now);
}

TEST(another_area_in_the_way_is_refused)
{
	unsigned long start = aligned_break();
	char *p = (char *)start + 4 * PAGE_SIZE;

	CHECK_EQ(mmap(p, PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
		 p);
	*p = 5;
	CHECK_EQ(set_break(start + 8 * PAGE_SIZE), start);
	CHECK_EQ(*p, 5);
}

TEST(a_hole_cut_by_munmap_may_be_shrunk_over)
{
	unsigned long start = aligned_break();
	char *p = (char *)start;

	CHECK_EQ(set_break(start + 6 * PAGE_SIZE), start + 6 * PAGE_SIZE);
	memset(p, 1, 6 * PAGE_SIZE);
	CHECK_OK(munmap(p + 2 * PAGE_SIZE, PAGE_SIZE));
	CHECK_EQ(set_break(start + PAGE_SIZE), start + PAGE_SIZE);
	CHECK(range_unmapped(start + PAGE_SIZE, start + 6 * PAGE_SIZE));
}

TEST(rlimit_data_is_obeyed)
{
	unsigned long start = aligned_break();
	struct rlimit limit = { 1 << 20, 1 << 20 };

	CHECK_OK(setrlimit(RLIMIT_DATA, &limit));
	CHECK_EQ(set_break(start + (4 << 20)), start);
}

TEST(fork_gives_the_child_its_own_break)
{
	unsigned long start = aligned_break();

	CHECK_CHILD({ CHECK_EQ(set_break(start + PAGE_SIZE), start + PAGE_SIZE); });
	CHECK_EQ(set_break(0), start);
	CHECK(range_unmapped(start, start + PAGE_SIZE));
}
