/*
 * place.c - where mmap puts a new area, and what it replaces there.
 *
 *	no address    the highest gap below mmap_base; else the space kept for the stack
 *	a hint        there, if it is free; else as without
 *	FIXED         there, whatever was there goes
 *	NOREPLACE     there, or EEXIST
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/mmap.h"

TEST(from_the_top_downwards)
{
	struct mm *mm = areas("");

	mm->mmap_base = at(10);
	CHECK_EQ(map_anon(mm, 0, 2, PROT_READ, 0), at(8));
	CHECK_EQ(map_anon(mm, 0, 3, RW, 0), at(5));
	CHECK_EQ(map_anon(mm, 0, 1, PROT_READ, 0), at(4));
	CHECK_AREAS(mm, "....rwwwrr");
	/* The highest gap that is large enough, not the best. */
	CHECK_EQ(vm_munmap(mm, at(6), pages(1)), 0);
	CHECK_EQ(map_anon(mm, 0, 2, PROT_READ, 0), at(2));
	CHECK_EQ(map_anon(mm, 0, 1, PROT_EXEC, 0), at(6));
	CHECK_AREAS(mm, "..rrrwewrr");
	areas_done(mm);
}

TEST(a_hint_that_is_free_is_taken)
{
	struct mm *mm = areas("..ww......");

	mm->mmap_base = at(10);
	CHECK_EQ(map_anon(mm, at(5), 2, PROT_READ, 0), at(5));
	CHECK_EQ(map_anon(mm, at(1) + 77, 1, PROT_READ, 0), at(1)); /* rounded down */
	CHECK_AREAS(mm, ".rww.rr...");
	/* Not free, in part or all; or not the user's: elsewhere. */
	CHECK_EQ(map_anon(mm, at(4), 2, PROT_EXEC, 0), at(8));
	CHECK_EQ(map_anon(mm, at(2), 1, PROT_EXEC, 0), at(7));
	CHECK_AREAS(mm, ".rww.rreee");
	CHECK_EQ(map_anon(mm, TASK_SIZE, 1, PROT_READ, 0), at(4));
	CHECK_EQ(map_anon(mm, TASK_SIZE - PAGE_SIZE, 2, PROT_READ, 0), at(0) - PAGE_SIZE);
	areas_done(mm);
}

TEST(hints_at_the_ends_of_the_user_half)
{
	struct mm *mm = areas("");

	mm->mmap_base = at(10);
	/* Below the lowest address: raised to it, as in Linux. */
	CHECK_EQ(map_anon(mm, PAGE_SIZE, 1, PROT_READ, 0), MMAP_MIN_ADDR);
	CHECK_EQ(map_anon(mm, TASK_SIZE - PAGE_SIZE, 1, PROT_READ, 0), TASK_SIZE - PAGE_SIZE);
	/* Less than a page is no hint. */
	CHECK_EQ(map_anon(mm, 17, 1, RW, 0), at(9));
	areas_done(mm);
}

/* Above mmap_base the stack will grow; when all else is full the rest of that is used. */
TEST(the_space_kept_for_the_stack_comes_last)
{
	struct mm *mm = areas("");
	unsigned long stack = at(20) + STACK_GUARD, low = at(4) - MMAP_MIN_ADDR;

	CHECK_EQ(vm_make_stack(mm, stack + pages(2), pages(2), RW), 0);
	mm->mmap_base = at(10);
	CHECK_EQ(map_anon(mm, 0, 6, PROT_READ, 0), at(4));
	CHECK_EQ(vm_mmap(mm, NULL, 0, low, PROT_READ, ANON, 0), MMAP_MIN_ADDR);
	CHECK_EQ(mm->nr_areas, 2); /* and the stack; all below the base is one area */
	CHECK_EQ(map_anon(mm, 0, 4, RW, 0), at(16));
	CHECK_EQ(map_anon(mm, 0, 7, RW, 0), -ENOMEM);
	CHECK_EQ(map_anon(mm, 0, 6, RW, 0), at(10));
	CHECK_EQ(map_anon(mm, 0, 1, RW, 0), -ENOMEM);
	areas_done(mm);
}

/* The guard gap is kept by the kernel when it chooses, or is hinted; FIXED may use it. */
TEST(a_stacks_guard_gap)
{
	struct mm *mm = areas("");
	unsigned long stack = at(20) + STACK_GUARD;

	CHECK_EQ(vm_make_stack(mm, stack + pages(2), pages(2), RW), 0);
	mm->mmap_base = at(10);
	CHECK_EQ(map_anon(mm, at(20), 1, PROT_READ, 0), at(9)); /* a page too high */
	CHECK_EQ(map_anon(mm, at(19), 1, PROT_READ, 0), at(19));
	CHECK_EQ(map_anon(mm, stack + pages(2), 1, PROT_READ, 0), stack + pages(2)); /* above it */
	CHECK_EQ(map_anon(mm, stack - PAGE_SIZE, 1, PROT_READ, MAP_FIXED), stack - PAGE_SIZE);
	areas_done(mm);
}

/* A stack so low that its gap would reach below 0. */
TEST(a_guard_gap_at_the_bottom)
{
	struct mm *mm = areas("");
	unsigned long stack = MMAP_MIN_ADDR + pages(8);

	CHECK_EQ(vm_make_stack(mm, stack + PAGE_SIZE, PAGE_SIZE, RW), 0);
	mm->mmap_base = at(10);
	CHECK_EQ(map_anon(mm, MMAP_MIN_ADDR, 1, PROT_READ, 0), at(9));
	areas_done(mm);
}

/* The program put something else where its stack was: there is no gap to keep. */
TEST(a_stack_that_is_no_more)
{
	struct mm *mm = areas("");

	CHECK_EQ(vm_make_stack(mm, TASK_SIZE - pages(2), pages(2), RW), 0);
	mm->mmap_base = at(0);
	CHECK_EQ(vm_mmap(mm, NULL, 0, at(0) - MMAP_MIN_ADDR, PROT_READ, ANON, 0), MMAP_MIN_ADDR);
	CHECK_EQ(map_anon(mm, 0, 1, RW, 0), TASK_SIZE - pages(4) - STACK_GUARD - PAGE_SIZE);
	CHECK_EQ(map_anon(mm, TASK_SIZE - pages(4), 2, PROT_READ, MAP_FIXED), TASK_SIZE - pages(4));
	CHECK_EQ(map_anon(mm, 0, 1, RW, 0), TASK_SIZE - PAGE_SIZE);
	areas_done(mm);
}

TEST(a_full_space)
{
	struct mm *mm = areas("");

	CHECK_EQ(vm_mmap(mm, NULL, 0, TASK_SIZE - MMAP_MIN_ADDR, PROT_READ, ANON, 0),
		 MMAP_MIN_ADDR);
	CHECK_EQ(map_anon(mm, 0, 1, PROT_READ, 0), -ENOMEM);
	CHECK_EQ(vm_munmap(mm, at(3), PAGE_SIZE), 0);
	CHECK_EQ(map_anon(mm, 0, 2, PROT_READ, 0), -ENOMEM);
	CHECK_EQ(map_anon(mm, 0, 1, PROT_READ, 0), at(3));
	areas_done(mm);
}

/* The distance below the stack: its limit, but not less than 128 MiB nor more than 5/6 of all. */
TEST(the_base_follows_the_stacks_limit)
{
	const unsigned long mb = 1UL << 20, top = STACK_TOP;

	limit(RLIMIT_STACK, 8 * mb);
	CHECK_EQ(mmap_base_below_stack(top), PAGE_ALIGN(top - 128 * mb - STACK_GUARD));
	limit(RLIMIT_STACK, 200 * mb);
	CHECK_EQ(mmap_base_below_stack(top), top - 200 * mb - STACK_GUARD);
	limit(RLIMIT_STACK, RLIM_INFINITY);
	CHECK_EQ(mmap_base_below_stack(top), PAGE_ALIGN(top - TASK_SIZE / 6 * 5 - STACK_GUARD));
}

/* ---- MAP_FIXED ---- */

TEST(fixed_replaces_what_is_there)
{
	static const struct {
		const char *before;
		unsigned start, n;
		u32 prot;
		const char *after, *pages;
	} rows[] = {
		{ "......", 2, 2, RW, "..ww..", "......" },
		{ "rrrrrr", 2, 2, RW, "rrwwrr", "zz..zz" },
		{ "rrrrrr", 2, 2, PROT_READ, "rrrrrr", "zz..zz" }, /* the same again: empty */
		{ "rrrrrr", 0, 6, RW, "wwwwww", "......" },
		{ "rrbbxx", 1, 4, RW, "rwwwwx", "z....z" },
		{ "rr..xx", 1, 4, RW, "rwwwwx", "z....z" },
		{ "rr..ww", 2, 2, PROT_READ, "rrrrww", "zz..AA" },
		{ "hhhhhh", 2, 2, RW, "hhwwhh", "AA..AA" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mm *mm = areas(rows[i].before);
		char touched[AREAS_COLUMNS] = "";

		for (unsigned c = 0; rows[i].before[c]; c++)
			touched[c] = "rw"[!!__builtin_strchr("wbh", rows[i].before[c])];
		for (unsigned c = 0; rows[i].before[c]; c++)
			touched[c] = rows[i].before[c] == '.' ? '.' : touched[c];
		touch(touched);
		CHECK_EQ(map_anon(mm, at(rows[i].start), rows[i].n, rows[i].prot, MAP_FIXED),
			 at(rows[i].start));
		CHECK_ROW(i, areas_drawing(mm, drawing_columns(rows[i].after)), rows[i].after);
		CHECK_ROW(i, pages_drawing(mm, drawing_columns(rows[i].pages)), rows[i].pages);
		areas_done(mm);
	}
}

TEST(fixed_and_its_addresses)
{
	struct mm *mm = areas("rrrr");

	CHECK_EQ(map_anon(mm, at(1) + 1, 1, RW, MAP_FIXED), -EINVAL);
	CHECK_EQ(map_anon(mm, 0, 1, RW, MAP_FIXED), -EPERM);
	CHECK_EQ(map_anon(mm, MMAP_MIN_ADDR - PAGE_SIZE, 2, RW, MAP_FIXED), -EPERM);
	CHECK_EQ(map_anon(mm, TASK_SIZE, 1, RW, MAP_FIXED), -ENOMEM);
	CHECK_EQ(map_anon(mm, TASK_SIZE - PAGE_SIZE, 2, RW, MAP_FIXED), -ENOMEM);
	CHECK_EQ(map_anon(mm, 0xffffffc000000000, 2, RW, MAP_FIXED), -ENOMEM);
	CHECK_AREAS(mm, "rrrr");
	CHECK_EQ(map_anon(mm, MMAP_MIN_ADDR, 1, PROT_READ, MAP_FIXED), MMAP_MIN_ADDR);
	CHECK_EQ(map_anon(mm, TASK_SIZE - PAGE_SIZE, 1, PROT_READ, MAP_FIXED),
		 TASK_SIZE - PAGE_SIZE);
	areas_done(mm);
}

TEST(noreplace_leaves_what_is_there)
{
	struct mm *mm = areas("..rr..");

	CHECK_EQ(map_anon(mm, at(2), 2, RW, MAP_FIXED_NOREPLACE), -EEXIST);
	CHECK_EQ(map_anon(mm, at(1), 2, RW, MAP_FIXED_NOREPLACE), -EEXIST);
	CHECK_EQ(map_anon(mm, at(3), 2, RW, MAP_FIXED_NOREPLACE), -EEXIST);
	CHECK_EQ(map_anon(mm, at(0), 6, RW, MAP_FIXED_NOREPLACE), -EEXIST);
	CHECK_EQ(map_anon(mm, at(0), 6, RW, MAP_FIXED_NOREPLACE | MAP_FIXED), -EEXIST);
	CHECK_EQ(map_anon(mm, at(4) + 1, 1, RW, MAP_FIXED_NOREPLACE), -EINVAL);
	CHECK_EQ(map_anon(mm, 0, 1, RW, MAP_FIXED_NOREPLACE), -EPERM);
	CHECK_EQ(map_anon(mm, at(0), 2, RW, MAP_FIXED_NOREPLACE), at(0));
	CHECK_EQ(map_anon(mm, at(4), 2, RW, MAP_FIXED_NOREPLACE), at(4));
	CHECK_AREAS(mm, "wwrrww");
	areas_done(mm);
}
