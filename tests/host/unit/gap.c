/*
 * gap.c - where is a free place of so many bytes? The highest one in [low, high).
 *
 *	 low                             high
 *	  .  .  .  A  A  .  .  B  .  C  C      1 page    the highest gap, before C
 *	                          ^
 *	                 ^  ^                  2 pages   the highest that is large enough
 *	  ^  ^  ^                              3 pages   before A
 *
 * The index (vm_gap_max in the tree) only makes the search quick; a search that looks at every
 * place from above is the oracle.
 */
#include "tests/host/unit/areas.h"

#include "lib/prng.h"

static const struct {
	const char *areas;
	unsigned len, low, high;
	int found; /* column; -1: there is none */
} rows[] = {
	/* nothing is mapped: the top of the window */
	{ "..........", 1, 0, 10, 9 },
	{ "..........", 10, 0, 10, 0 },
	{ "..........", 11, 0, 10, -1 },
	{ "..........", 3, 4, 8, 5 },
	/* above the last area, between two, below the first */
	{ "rr..ww....", 4, 0, 10, 6 },
	{ "rr..ww...x", 3, 0, 10, 6 },
	{ "rr..ww...x", 2, 0, 10, 7 },
	{ "rr...ww..x", 3, 0, 10, 2 },
	{ "....rrrrrr", 4, 0, 10, 0 },
	{ "....rrrrrr", 2, 0, 10, 2 },
	/* the highest of several that are large enough, not the best fit */
	{ "r..w...x..", 1, 0, 10, 9 },
	{ "r..w...x.b", 2, 0, 10, 5 },
	{ "r...w..x.b", 3, 0, 10, 1 },
	/* full */
	{ "rrrrrrrrrr", 1, 0, 10, -1 },
	{ "rrwwxxrrww", 1, 0, 10, -1 },
	/* full but for one page: at the bottom, in the middle, at the top */
	{ ".rrrrrrrrr", 1, 0, 10, 0 },
	{ "rrrr.rrrrr", 1, 0, 10, 4 },
	{ "rrrrrrrrr.", 1, 0, 10, 9 },
	{ "rrrr.rrrrr", 2, 0, 10, -1 },
	/* the window's ends: of gaps that reach over only the part inside counts */
	{ "....rr....", 3, 2, 8, -1 },
	{ "....rr....", 2, 2, 8, 6 },
	{ "....rrrr..", 2, 2, 8, 2 },
	{ "....rrrr..", 3, 2, 8, -1 },
	{ "rr......ww", 6, 2, 8, 2 },
	{ "rr......ww", 7, 0, 10, -1 },
	{ "rrrrrrrr..", 1, 0, 8, -1 },
	{ "..rrrrrr..", 2, 4, 6, -1 },
	/* an area reaches over the window's end */
	{ "..rrrrrr..", 1, 4, 10, 9 },
	{ "..rrrrrr..", 2, 0, 4, 0 },
	{ "..rrrrrr..", 1, 2, 4, -1 },
};

TEST(the_highest_gap_that_fits)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mm *mm = areas(rows[i].areas);
		unsigned long gap;

		down_write(&mm->mmap_lock);
		gap = vma_find_gap(mm, pages(rows[i].len), at(rows[i].low), at(rows[i].high));
		up_write(&mm->mmap_lock);
		if (gap != (rows[i].found < 0 ? 0 : at(rows[i].found)))
			host_test_fail(__FILE__, __LINE__, "row %u: column %ld, not %d", i,
				       gap ? (long)(gap - at(0)) / PAGE_SIZE : -1, rows[i].found);
		areas_done(mm);
	}
}

/* ---- against the search that looks everywhere ---- */

static bool is_free(const char *drawing, unsigned column, unsigned len)
{
	for (unsigned i = 0; i < len; i++) {
		if (drawing[column + i] != '.')
			return false;
	}
	return true;
}

static unsigned long search_everywhere(const char *drawing, unsigned len, unsigned low,
				       unsigned high)
{
	for (unsigned column = high; column-- > low;) {
		if (column + len <= high && is_free(drawing, column, len))
			return at(column);
	}
	return 0;
}

/* Each length in each window of @drawing. */
static void compare_all(const char *drawing)
{
	unsigned columns = drawing_columns(drawing);
	struct mm *mm = areas(drawing);

	for (unsigned low = 0; low < columns; low++) {
		for (unsigned high = low + 1; high <= columns; high++) {
			for (unsigned len = 1; len <= columns; len++) {
				unsigned long got = vma_find_gap(mm, pages(len), at(low), at(high));
				unsigned long want = search_everywhere(drawing, len, low, high);

				if (got != want)
					host_test_fail(__FILE__, __LINE__,
						       "%s: %u in %u-%u: 0x%lx, not 0x%lx", drawing,
						       len, low, high, got, want);
			}
		}
	}
	areas_done(mm);
}

TEST(as_a_search_that_looks_everywhere)
{
	struct prng prng = { 4 };
	char drawing[25] = "";

	for (unsigned round = 0; round < 60; round++) {
		/* From nearly empty to nearly full. */
		unsigned density = 1 + round % 9;

		for (unsigned i = 0; i < sizeof(drawing) - 1; i++)
			drawing[i] = prng_below(&prng, 10) < density ?
					     "rwxb"[prng_below(&prng, 4)] :
					     '.';
		compare_all(drawing);
	}
}

/* All lists of 8 pages whose areas are one page each or neighbours: 2^8 drawings. */
TEST(every_small_list)
{
	for (unsigned bits = 0; bits < 256; bits++) {
		char drawing[9] = "";

		for (unsigned i = 0; i < 8; i++)
			drawing[i] = bits & BIT(i) ? "rw"[i % 2] : '.';
		compare_all(drawing);
	}
}

/* ---- the ends of the user half ---- */

TEST(all_of_the_user_half)
{
	const unsigned long low = MMAP_MIN_ADDR, all = TASK_SIZE - MMAP_MIN_ADDR;
	struct mm *mm = areas("");

	CHECK_EQ(vma_find_gap(mm, all, low, TASK_SIZE), low);
	CHECK_EQ(vma_find_gap(mm, all + PAGE_SIZE, low, TASK_SIZE), 0);
	CHECK_EQ(vma_find_gap(mm, PAGE_SIZE, low, TASK_SIZE), TASK_SIZE - PAGE_SIZE);
	CHECK_EQ(vm_mmap(mm, NULL, low, all, PROT_READ, ANON | MAP_FIXED, 0), low);
	/* 64 KiB below it are free, but nobody's. */
	CHECK_EQ(vma_find_gap(mm, PAGE_SIZE, low, TASK_SIZE), 0);
	CHECK_EQ(vma_find_gap(mm, low + PAGE_SIZE, low, TASK_SIZE), 0);
	CHECK_EQ(vm_munmap(mm, low, PAGE_SIZE), 0);
	CHECK_EQ(vma_find_gap(mm, PAGE_SIZE, low, TASK_SIZE), low);
	CHECK_EQ(vm_munmap(mm, TASK_SIZE - PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(vma_find_gap(mm, PAGE_SIZE, low, TASK_SIZE), TASK_SIZE - PAGE_SIZE);
	CHECK_EQ(vma_find_gap(mm, pages(2), low, TASK_SIZE), 0);
	areas_done(mm);
}

/* The space below MMAP_MIN_ADDR is free too, in the index; no window reaches there. */
TEST(nothing_below_the_window)
{
	struct mm *mm = areas("");

	CHECK_EQ(vm_mmap(mm, NULL, MMAP_MIN_ADDR + PAGE_SIZE, pages(4), PROT_READ, ANON | MAP_FIXED,
			 0),
		 MMAP_MIN_ADDR + PAGE_SIZE);
	CHECK_EQ(vma_find_gap(mm, PAGE_SIZE, MMAP_MIN_ADDR, MMAP_MIN_ADDR + pages(5)),
		 MMAP_MIN_ADDR);
	CHECK_EQ(vma_find_gap(mm, pages(2), MMAP_MIN_ADDR, MMAP_MIN_ADDR + pages(5)), 0);
	areas_done(mm);
}

/*
 * What lies before an area that grows down, up to its guard gap, is as good as taken.
 *
 *	low  [r)  . . . . . . | guard gap |[s)  . . [r)  high
 */
TEST(before_an_area_that_grows)
{
	const unsigned guard = STACK_GUARD / PAGE_SIZE, stack = guard + 20;
	struct mm *mm = areas("r");
	const struct {
		unsigned len, low, high;
		long found; /* page, from the first on; -1: there is none */
	} rows[] = {
		{ 2, 0, stack + 4, stack + 2 }, /* above it */
		{ 3, 0, stack + 4, 17 },	/* below its gap */
		{ 19, 0, stack + 4, 1 },
		{ 20, 0, stack + 4, -1 },
		{ 1, 0, stack, 19 }, /* the window ends where it begins */
		{ 1, 0, stack - 5, 19 },
		{ 1, 0, 20, 19 },
		{ 1, 0, 10, 9 },
		{ 1, 20, stack, -1 }, /* nothing but its gap */
		{ 2, 19, stack, -1 },
		{ 1, 19, stack, 19 },
	};

	CHECK_EQ(map_anon(mm, at(stack), 2, RW, MAP_FIXED | MAP_GROWSDOWN), at(stack));
	CHECK_EQ(map_anon(mm, at(stack + 4), 1, PROT_READ, MAP_FIXED), at(stack + 4));
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned long gap =
			vma_find_gap(mm, pages(rows[i].len), at(rows[i].low), at(rows[i].high));

		if (gap != (rows[i].found < 0 ? 0 : at(rows[i].found)))
			host_test_fail(__FILE__, __LINE__, "row %u: page %ld, not %ld", i,
				       gap ? (long)(gap - at(0)) / PAGE_SIZE : -1, rows[i].found);
	}
	/* The index knows that there is too little: the search goes on below. */
	CHECK_EQ(vma_find_gap(mm, pages(25), at(0) - pages(30), at(stack)), at(0) - pages(25));
	/* It grows: the gap moves with it. */
	CHECK_EQ(user_write(at(stack - 3), "", 1), FAULT_OK);
	CHECK_EQ(vma_find_gap(mm, pages(1), at(0), at(stack)), at(16));
	/* Close to the lowest address there is no room for a gap, and nothing is free. */
	CHECK_EQ(map_anon(mm, MMAP_MIN_ADDR + pages(3), 1, RW, MAP_FIXED | MAP_GROWSDOWN),
		 MMAP_MIN_ADDR + pages(3));
	CHECK_EQ(vma_find_gap(mm, pages(1), MMAP_MIN_ADDR, MMAP_MIN_ADDR + pages(3)), 0);
	areas_done(mm);
}
