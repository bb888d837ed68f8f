/*
 * mprotect.c - other rights for a range: split at both ends, change, merge what is equal now.
 *
 *	areas    [w  w  w  w  w  w)       pages   A  A  A  A  .  .
 *	r--            s  .  .  e
 *	areas    [w  w)[r  r  r)[w)       pages   A  A  a  a  .  .
 *
 * What that means for pages and harts is in rights.c.
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/pgtable.h"
#include "tests/host/unit/failing.h"

#define NONE PROT_NONE
#define R__  PROT_READ
#define RX   (PROT_READ | PROT_EXEC)
#define RWX  PROT_MASK

struct row {
	const char *before, *touched;
	unsigned start, end;
	u32 prot;
	int result;
	const char *after, *pages;
};

static void check_rows(const struct row *rows, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		struct mm *mm = areas(rows[i].before);
		unsigned long total = mm->total_vm;

		touch(rows[i].touched);
		CHECK_EQ(protect(mm, rows[i].start, rows[i].end, rows[i].prot), rows[i].result);
		CHECK_ROW(i, areas_drawing(mm, drawing_columns(rows[i].after)), rows[i].after);
		CHECK_ROW(i, pages_drawing(mm, drawing_columns(rows[i].pages)), rows[i].pages);
		CHECK_EQ(mm->total_vm, total);
		areas_done(mm);
	}
}

/* ---- the list ---- */

TEST(part_of_an_area)
{
	static const struct row rows[] = {
		{ "wwwwww", "wwww..", 0, 6, R__, 0, "rrrrrr", "aaaa.." }, /* all */
		{ "wwwwww", "wwww..", 0, 2, R__, 0, "rrwwww", "aaAA.." }, /* the head */
		{ "wwwwww", "wwww..", 4, 6, R__, 0, "wwwwrr", "AAAA.." }, /* the tail */
		{ "wwwwww", "wwww..", 2, 4, R__, 0, "wwrrww", "AAaa.." }, /* the middle */
		{ "wwwwww", "wwww..", 2, 4, RW, 0, "wwwwww", "AAAA.." },  /* no change: no split */
		{ "wwwwww", "wwww..", 3, 3, R__, 0, "wwwwww", "AAAA.." }, /* nothing */
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* A border moves: Linux's cases 4 and 5. Or one goes: 6, 7 and 8. */
TEST(what_becomes_equal_merges)
{
	static const struct row rows[] = {
		{ "rrwwww", "rrww..", 2, 4, R__, 0, "rrrrww", "zzaa.." }, /* the one before grows */
		{ "wwwwrr", "..ww..", 2, 4, R__, 0, "wwrrrr", "..aa.." }, /* the one after grows */
		{ "rrwwxx", "..ww..", 2, 4, R__, 0, "rrrrxx", "..aa.." }, /* takes all of it */
		{ "xxwwrr", "..ww..", 2, 4, R__, 0, "xxrrrr", "..aa.." }, /* the same, after */
		{ "rrwwrr", "..ww..", 2, 4, R__, 0, "rrrrrr", "..aa.." }, /* one is left of three */
		{ "rrRRrr", "..rr..", 2, 4, RX, 0, "rrXXrr", "..ff.." },  /* another file: none */
		{ "WWRRQQ", "..rr..", 2, 4, RW, 0, "WWWWQQ", "..ff.." },
		{ "RRSSRR", "..rr..", 0, 6, R__, 0, "RRSSRR", "..ff.." },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(several_areas_at_once)
{
	static const struct row rows[] = {
		{ "rrwwxxbb", "rrww....", 0, 8, R__, 0, "rrrrrrrr", "zzaa...." },
		{ "rrwwxxbb", "rrww..ww", 1, 7, NONE, 0, "rnnnnnnb", "zhhh..hA" },
		{ "wwrrwwrr", "wwrrww..", 1, 6, RW, 0, "wwwwwwrr", "AAzzAA.." },
		{ "wwrrwwrr", "wwrrww..", 1, 6, R__, 0, "wrrrrrrr", "Aazzaa.." },
		{ "hhwwoo", "wwwwww", 1, 5, RW, 0, "hhwwoo", "AAAAAA" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* As Linux: what comes before the hole is changed, then the call fails. */
TEST(a_hole_ends_it)
{
	static const struct row rows[] = {
		{ "......", "......", 2, 4, R__, -ENOMEM, "......", "......" },
		{ "..wwww", "..wwww", 0, 4, R__, -ENOMEM, "..wwww", "..AAAA" }, /* at once */
		{ "ww..ww", "ww..ww", 0, 6, R__, -ENOMEM, "rr..ww", "aa..AA" },
		{ "wwww..", "wwww..", 2, 6, R__, -ENOMEM, "wwrr..", "AAaa.." },
		{ "wwww..wwww", "wwww..wwww", 2, 8, R__, -ENOMEM, "wwrr..wwww", "AAaa..AAAA" },
		{ "wwrr.wwww", "wwrr.wwww", 0, 7, R__, -ENOMEM, "rrrr.wwww", "aazz.AAAA" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* ---- sums and limits ---- */

TEST(sums_follow)
{
	struct mm *mm = areas("rrwwxxss");

	CHECK_EQ(mm->data_vm, 2);
	CHECK_EQ(mm->exec_vm, 2);
	CHECK_EQ(mm->stack_vm, 2);
	CHECK_EQ(protect(mm, 0, 6, RWX), 0);
	CHECK_EQ(mm->data_vm, 6);
	CHECK_EQ(mm->exec_vm, 6);
	CHECK_EQ(protect(mm, 6, 8, PROT_READ), 0);
	CHECK_EQ(mm->stack_vm, 2);
	CHECK_EQ(mm->data_vm, 6);
	CHECK_EQ(mm->total_vm, 8);
	areas_done(mm);
}

/* What becomes writable is data: RLIMIT_DATA counts it. */
TEST(the_limit_of_data)
{
	struct mm *mm = areas("rrrrwwss");

	limit(RLIMIT_DATA, pages(4));
	CHECK_EQ(protect(mm, 0, 4, RW), -ENOMEM);
	CHECK_AREAS(mm, "rrrrwwss");
	CHECK_EQ(protect(mm, 1, 4, RW), -ENOMEM);
	CHECK_EQ(protect(mm, 0, 2, RW), 0); /* what lies behind does not count */
	CHECK_EQ(protect(mm, 0, 2, PROT_READ), 0);
	CHECK_EQ(protect(mm, 2, 6, RW), 0); /* two of these four were writable before */
	CHECK_AREAS(mm, "rrwwwwss");
	CHECK_EQ(protect(mm, 1, 2, RW), -ENOMEM);
	/* The stack has a limit of its own; and other rights are free. */
	CHECK_EQ(protect(mm, 6, 8, PROT_READ), 0);
	CHECK_EQ(protect(mm, 6, 8, RW), 0);
	CHECK_EQ(protect(mm, 0, 2, RX), 0);
	limit(RLIMIT_DATA, pages(2));
	CHECK_EQ(protect(mm, 2, 6, RWX), 0); /* data already */
	limit(RLIMIT_DATA, RLIM_INFINITY);
	areas_done(mm);
}

/* A file system that is mounted noexec: the areas before it are changed, it is not. */
TEST(noexec_is_refused)
{
	struct mm *mm = areas("rrRRrr");

	host_file_mode(area_file(0), true, true, false);
	CHECK_EQ(protect(mm, 2, 4, RX), -EACCES);
	CHECK_AREAS(mm, "rrRRrr");
	CHECK_EQ(protect(mm, 1, 6, RX), -EACCES);
	CHECK_AREAS(mm, "rxRRrr");
	CHECK_EQ(protect(mm, 0, 6, RW), 0);
	CHECK_AREAS(mm, "wwWWww");
	/* In the middle of an area nothing is left of the split. */
	CHECK_EQ(protect(mm, 3, 4, RX), -EACCES);
	CHECK_AREAS(mm, "wwWWww");
	areas_done(mm);
}

/* ---- arguments ---- */

TEST(bad_arguments)
{
	struct mm *mm = areas("rrrr");

	CHECK_EQ(vm_mprotect(mm, at(1) + 1, PAGE_SIZE, RW), -EINVAL);
	CHECK_EQ(vm_mprotect(mm, at(1), PAGE_SIZE, 0x10), -EINVAL);
	CHECK_EQ(vm_mprotect(mm, at(1), PAGE_SIZE, 0x01000000), -EINVAL); /* PROT_GROWSDOWN */
	CHECK_EQ(vm_mprotect(mm, at(1), ULONG_MAX, RW), -ENOMEM);
	CHECK_EQ(vm_mprotect(mm, at(1), ULONG_MAX - PAGE_SIZE, RW), -ENOMEM);
	CHECK_EQ(vm_mprotect(mm, ~0UL & PAGE_MASK, PAGE_SIZE, RW), -ENOMEM);
	CHECK_EQ(vm_mprotect(mm, TASK_SIZE, PAGE_SIZE, RW), -ENOMEM);
	CHECK_AREAS(mm, "rrrr");
	/* A length of 0 is fine wherever it is; PROT_SEM means nothing; a part of a page is all. */
	CHECK_EQ(vm_mprotect(mm, at(9), 0, RW), 0);
	CHECK_EQ(vm_mprotect(mm, at(1), 0, 0x10), 0);
	CHECK_EQ(vm_mprotect(mm, at(1), 1, RW | 0x8), 0);
	CHECK_AREAS(mm, "rwrr");
	CHECK_EQ(vm_mprotect(mm, at(2), PAGE_SIZE + 1, RW), 0);
	CHECK_AREAS(mm, "rwww");
	areas_done(mm);
}

#define DOWN 0x01000000
#define UP   0x02000000

/* From where a growing area begins, whatever is in between. */
TEST(to_where_it_grows)
{
	static const struct row rows[] = {
		{ ".ssssss", ".wwww..", 4, 5, R__ | DOWN, 0, ".????ss", ".aaaa.." },
		{ "wwssss", "wwww..", 3, 4, R__ | DOWN, 0, "ww??ss", "AAaa.." },
		{ "ww..ssss", "ww......", 3, 6, R__ | DOWN, 0, "ww..??ss",
		  "AA......" }, /* a hole */
		{ "ww..ssss", "ww......", 2, 4, R__ | DOWN, -ENOMEM, "ww..ssss", "AA......" },
		{ "ww......", "ww......", 2, 4, R__ | DOWN, -ENOMEM, "ww......", "AA......" },
		{ "wwww", "ww..", 1, 2, R__ | DOWN, -EINVAL, "wwww", "AA.." },
		/* Nothing grows up. */
		{ "wwww", "ww..", 1, 2, R__ | UP, -EINVAL, "wwww", "AA.." },
		{ "ssss", "ww..", 1, 2, R__ | UP, -EINVAL, "ssss", "AA.." },
		{ ".sss", "....", 0, 2, R__ | UP, -ENOMEM, ".sss", "...." },
		{ "ssss", "ww..", 1, 2, R__ | UP | DOWN, -EINVAL, "ssss", "AA.." },
		{ "ssss", "ww..", 3, 3, R__ | DOWN, 0, "ssss", "AA.." },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(as_a_system_call)
{
	struct mm *mm = areas("rrrr");

	CHECK_EQ(user_syscall(sys_mprotect, at(1), pages(2), RW, 0, 0, 0), 0);
	CHECK_AREAS(mm, "rwwr");
	CHECK_EQ(user_syscall(sys_mprotect, at(1), pages(2), 1UL << 32, 0, 0, 0), -EINVAL);
	CHECK_EQ(user_syscall(sys_mprotect, at(1), pages(9), RW, 0, 0, 0), -ENOMEM);
	areas_done(mm);
}

/* ---- failure ---- */

TEST(a_failing_mprotect_changes_nothing)
{
	struct mm *mm = areas(".RRRRRR.wwwwww");

	touch(".rrrrrr.wwwwww");
	CHECK_EQ(FAILING(mm, protect(mm, 2, 5, RW), -ENOMEM), 2);
	CHECK_AREAS(mm, ".RWWWRR.wwwwww");
	CHECK_EQ(FAILING(mm, protect(mm, 8, 11, PROT_NONE), -ENOMEM), 1);
	CHECK_AREAS(mm, ".RWWWRR.nnnwww");
	/* Equal neighbours take their areas back: nothing to allocate, whole areas change. */
	CHECK_EQ(FAILING(mm, protect(mm, 2, 5, PROT_READ), -ENOMEM), 0);
	CHECK_AREAS(mm, ".RRRRRR.nnnwww");
	areas_done(mm);
}

/* Large areas without tables: the walk steps over whole spans. */
TEST(pages_far_apart)
{
	const unsigned long gb1 = PT_SPAN(2), mb2 = PT_SPAN(1), start = gb1;
	struct mm *mm = areas("");
	u8 byte = 9;

	CHECK_EQ(vm_mmap(mm, NULL, start, 8 * gb1, RW, ANON | MAP_FIXED | MAP_NORESERVE, 0), start);
	CHECK_EQ(user_write(start + 2 * gb1 - 1, &byte, 1), FAULT_OK);
	CHECK_EQ(user_write(start + 5 * gb1 + 3 * mb2, &byte, 1), FAULT_OK);
	CHECK_EQ(vm_mprotect(mm, start, 8 * gb1, PROT_READ), 0);
	CHECK_EQ(user_write(start + 2 * gb1 - 1, &byte, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(user_write(start + 5 * gb1 + 3 * mb2, &byte, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(mm->nr_ptes, 4);
	areas_done(mm);
}
