/*
 * madvise.c - advice about a range. Only MADV_DONTNEED does anything: the pages go, the area stays.
 *
 *	areas    [w  w  w  w)       pages   A  A  A  A
 *	DONTNEED     s     e
 *	areas    [w  w  w  w)       pages   A  .  .  A      the next touch: zeros, or the file
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "tests/host/unit/failing.h"

enum { NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE = 8, HUGEPAGE = 14, NOHUGEPAGE = 15 };

static long advise(unsigned start, unsigned end, int advice)
{
	return user_syscall(sys_madvise, at(start), at(end) - at(start), advice, 0, 0, 0);
}

static const struct {
	const char *areas, *touched;
	unsigned start, end;
	int result;
	const char *pages;
} rows[] = {
	{ "wwww", "wwww", 1, 3, 0, "A..A" },
	{ "wwww", "wwww", 0, 4, 0, "...." },
	{ "wwww", "wwww", 2, 2, 0, "AAAA" },
	{ "wwrrww", "wwrrww", 1, 5, 0, "A....A" },
	{ "nnww", "..ww", 0, 3, 0, "...A" },
	/* a hole: what is mapped is advised, all of it, then ENOMEM */
	{ "ww..ww", "ww..ww", 0, 6, -ENOMEM, "......" },
	{ "ww..ww", "ww..ww", 2, 4, -ENOMEM, "AA..AA" },
	{ "..ww", "..ww", 0, 3, -ENOMEM, "...A" },
	{ "ww..", "ww..", 1, 4, -ENOMEM, "A..." },
	{ "....", "....", 1, 3, -ENOMEM, "...." },
	{ "w.w.w.", "w.w.w.", 0, 3, -ENOMEM, "....A." },
};

TEST(dontneed_drops_the_pages_and_keeps_the_areas)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mm *mm = areas(rows[i].areas);

		touch(rows[i].touched);
		CHECK_EQ(advise(rows[i].start, rows[i].end, DONTNEED), rows[i].result);
		CHECK_AREAS(mm, rows[i].areas);
		CHECK_ROW(i, pages_drawing(mm, drawing_columns(rows[i].pages)), rows[i].pages);
		areas_done(mm);
	}
}

/* Anonymous memory is zero again; a file's page is the file's again, without what was written. */
TEST(what_the_next_touch_finds)
{
	struct mm *mm = areas("wwWW");
	u8 byte = 1;

	touch("wwww");
	CHECK_EQ(advise(0, 4, DONTNEED), 0);
	CHECK_EQ(mm->rss_anon, 0);
	CHECK_EQ(user_read(at(1), &byte, 1), FAULT_OK);
	CHECK_EQ(byte, 0);
	CHECK_EQ(user_read(at(3) + 2, &byte, 1), FAULT_OK);
	CHECK_EQ(byte, file_pattern(host_file_nr(area_file(0)), pages(3) + 2));
	areas_done(mm);
}

/* The page of a forked child is the child's: only our mapping goes. */
TEST(the_childs_copy_stays)
{
	struct mm *mm = areas("ww"), *child;
	u32 word = 1;

	touch("ww");
	child = mm_fork(mm);
	CHECK_EQ(advise(0, 2, DONTNEED), 0);
	CHECK_EQ(user_read(at(0), &word, sizeof(word)), FAULT_OK);
	CHECK_EQ(word, 0);
	machine_use_mm(child);
	CHECK(tag_at(0) && tag_at(1));
	machine_use_mm(mm);
	mm_put(child);
	areas_done(mm);
}

TEST(other_harts_see_it_gone)
{
	struct mm *mm = areas("www");
	u32 word = 1;

	machine_run_on(1);
	machine_use_mm(mm);
	touch("www");
	machine_run_on(0);
	CHECK_EQ(advise(1, 2, DONTNEED), 0);
	machine_run_on(1);
	CHECK(tag_at(0) && tag_at(2));
	CHECK_EQ(user_read(at(1), &word, sizeof(word)), FAULT_OK);
	CHECK_EQ(word, 0);
	machine_use_mm(NULL);
	machine_run_on(0);
	areas_done(mm);
}

TEST(other_advice_changes_nothing)
{
	static const int harmless[] = { NORMAL, RANDOM, SEQUENTIAL, WILLNEED, NOHUGEPAGE };
	static const int unknown[] = { -1, 5, FREE, 9, HUGEPAGE, 16, 100 };
	struct mm *mm = areas("ww.ww");

	touch("ww.ww");
	for (unsigned i = 0; i < ARRAY_SIZE(harmless); i++) {
		CHECK_EQ(advise(0, 2, harmless[i]), 0);
		CHECK_EQ(advise(0, 5, harmless[i]), -ENOMEM);
		CHECK_PAGES(mm, "AA.AA");
	}
	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
		CHECK_EQ(advise(0, 2, unknown[i]), -EINVAL);
		CHECK_PAGES(mm, "AA.AA");
	}
	areas_done(mm);
}

TEST(arguments)
{
	struct mm *mm = areas("wwww");

	touch("wwww");
	CHECK_EQ(user_syscall(sys_madvise, at(1) + 1, PAGE_SIZE, DONTNEED, 0, 0, 0), -EINVAL);
	CHECK_EQ(user_syscall(sys_madvise, at(1), ULONG_MAX, DONTNEED, 0, 0, 0), -EINVAL);
	CHECK_EQ(user_syscall(sys_madvise, at(1), -2UL * PAGE_SIZE, DONTNEED, 0, 0, 0), -EINVAL);
	CHECK_EQ(user_syscall(sys_madvise, ~0UL & PAGE_MASK, pages(2), DONTNEED, 0, 0, 0), -EINVAL);
	CHECK_EQ(user_syscall(sys_madvise, at(9), 0, DONTNEED, 0, 0, 0), 0);
	CHECK_EQ(user_syscall(sys_madvise, at(9) + 1, 0, DONTNEED, 0, 0, 0), -EINVAL);
	CHECK_PAGES(mm, "AAAA");
	CHECK_EQ(user_syscall(sys_madvise, at(1), TASK_SIZE, DONTNEED, 0, 0, 0), -ENOMEM);
	CHECK_PAGES(mm, "A...");
	CHECK_EQ(user_syscall(sys_madvise, at(0), 1, DONTNEED, 0, 0, 0), 0); /* part of a page */
	CHECK_PAGES(mm, "....");
	areas_done(mm);
}

/* It needs no memory at all. */
TEST(nothing_can_fail)
{
	struct mm *mm = areas("wwWW");

	touch("wwww");
	CHECK_EQ(FAILING(mm, advise(1, 3, DONTNEED), -ENOMEM), 0);
	CHECK_PAGES(mm, "A..A");
	areas_done(mm);
}
