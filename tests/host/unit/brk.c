/*
 * brk.c - the end of the heap moves, by bytes; areas by pages.
 *
 *	start_brk      brk                     brk(x) returns where it is afterwards:
 *	   [h  h  h  h  h)  .  .  .  [ r       x, or where it was when x was refused
 *	      <-- shrink | grow -->
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/mmap.h"
#include "tests/host/unit/failing.h"

/* An address space whose heap begins at column @start and is empty. */
static struct mm *with_heap(const char *drawing, unsigned start)
{
	struct mm *mm = areas(drawing);

	mm->start_brk = mm->brk = at(start);
	return mm;
}

TEST(grows_and_shrinks)
{
	struct mm *mm = with_heap("rr..........", 2);

	CHECK_EQ(vm_brk(mm, 0), at(2)); /* how a program asks where it is */
	CHECK_EQ(vm_brk(mm, at(5)), at(5));
	CHECK_AREAS(mm, "rrhhh.......");
	CHECK_EQ(vm_brk(mm, at(8)), at(8));
	CHECK_AREAS(mm, "rrhhhhhh....");
	CHECK_EQ(mm->nr_areas, 2);
	touch("..wwwwww");
	CHECK_EQ(vm_brk(mm, at(4)), at(4));
	CHECK_AREAS(mm, "rrhh........");
	CHECK_PAGES(mm, "..AA........");
	CHECK_EQ(mm->rss_anon, 2);
	CHECK_EQ(vm_brk(mm, at(2)), at(2));
	CHECK_AREAS(mm, "rr..........");
	CHECK_EQ(mm->nr_ptes, 2); /* the readable area's */
	areas_done(mm);
}

/* The break may stand anywhere in a page; the area ends with the page. */
TEST(inside_a_page_nothing_is_edited)
{
	struct mm *mm = with_heap("......", 1);

	CHECK_EQ(vm_brk(mm, at(1) + 1), at(1) + 1);
	CHECK_AREAS(mm, ".h....");
	CHECK_EQ(vm_brk(mm, at(2)), at(2));
	CHECK_AREAS(mm, ".h....");
	CHECK_EQ(vm_brk(mm, at(2) + 1), at(2) + 1);
	CHECK_AREAS(mm, ".hh...");
	CHECK_EQ(vm_brk(mm, at(3) - 1), at(3) - 1);
	CHECK_EQ(vm_brk(mm, at(2) + 1), at(2) + 1);
	CHECK_AREAS(mm, ".hh...");
	CHECK_EQ(vm_brk(mm, at(1) + 1), at(1) + 1);
	CHECK_AREAS(mm, ".h....");
	areas_done(mm);
}

/* What was given back comes again as zeros. */
TEST(fresh_pages_are_zero)
{
	struct mm *mm = with_heap("......", 0);
	u32 word = 1;

	CHECK_EQ(vm_brk(mm, at(2)), at(2));
	touch("ww");
	CHECK_EQ(vm_brk(mm, at(1)), at(1));
	CHECK_EQ(vm_brk(mm, at(2)), at(2));
	CHECK(tag_at(0));
	CHECK_EQ(user_read(at(1), &word, sizeof(word)), FAULT_OK);
	CHECK_EQ(word, 0);
	areas_done(mm);
}

TEST(never_below_its_start_nor_past_the_end)
{
	struct mm *mm = with_heap("......", 2);

	CHECK_EQ(vm_brk(mm, at(4)), at(4));
	CHECK_EQ(vm_brk(mm, at(2) - 1), at(4));
	CHECK_EQ(vm_brk(mm, 1), at(4));
	CHECK_EQ(vm_brk(mm, TASK_SIZE + 1), at(4));
	CHECK_EQ(vm_brk(mm, ULONG_MAX), at(4));
	CHECK_AREAS(mm, "..hh..");
	areas_done(mm);
}

TEST(up_to_the_end_of_the_user_half)
{
	struct mm *mm = areas("");

	mm->start_brk = mm->brk = TASK_SIZE - pages(3);
	CHECK_EQ(vm_brk(mm, TASK_SIZE), TASK_SIZE);
	CHECK_EQ(mm->total_vm, 3);
	CHECK_EQ(vm_brk(mm, TASK_SIZE - pages(3)), TASK_SIZE - pages(3));
	/* The last page is not whole: TASK_SIZE is. */
	CHECK_EQ(vm_brk(mm, TASK_SIZE - 1), TASK_SIZE - 1);
	areas_done(mm);
}

/* Another area is in the way: up to it, and not a page further. */
TEST(collides_with_an_area)
{
	struct mm *mm = with_heap("..........ww", 2);

	CHECK_EQ(vm_brk(mm, at(4)), at(4));
	CHECK_EQ(vm_brk(mm, at(10) + 1), at(4));
	CHECK_EQ(vm_brk(mm, at(11)), at(4));
	CHECK_EQ(vm_brk(mm, at(20)), at(4));
	CHECK_AREAS(mm, "..hh......ww");
	CHECK_EQ(vm_brk(mm, at(10)), at(10));
	CHECK_AREAS(mm, "..hhhhhhhhww");
	areas_done(mm);
}

/* A stack is kept at the distance of its guard gap. */
TEST(collides_with_the_stacks_gap)
{
	struct mm *mm = with_heap("......", 2);
	unsigned long stack = at(4) + STACK_GUARD;

	CHECK_EQ(vm_make_stack(mm, stack + pages(2), pages(2), RW), 0);
	CHECK_EQ(vm_brk(mm, at(4) + 1), at(2));
	CHECK_EQ(vm_brk(mm, at(5)), at(2));
	CHECK_EQ(vm_brk(mm, at(4)), at(4));
	areas_done(mm);
}

/* An area was mapped over a part of the heap: shrinking drops it too, growing finds its place. */
TEST(a_heap_with_a_hole)
{
	struct mm *mm = with_heap("............", 2);

	CHECK_EQ(vm_brk(mm, at(8)), at(8));
	CHECK_EQ(vm_munmap(mm, at(4), pages(2)), 0);
	CHECK_EQ(vm_mmap(mm, NULL, at(7), PAGE_SIZE, PROT_READ, ANON | MAP_FIXED, 0), at(7));
	CHECK_AREAS(mm, "..hh..hr....");
	CHECK_EQ(vm_brk(mm, at(9)), at(9));
	CHECK_AREAS(mm, "..hh..hrh...");
	CHECK_EQ(vm_brk(mm, at(3)), at(3));
	CHECK_AREAS(mm, "..h.........");
	areas_done(mm);
}

TEST(limits)
{
	struct mm *mm = with_heap("ww..........", 2);

	/* RLIMIT_DATA: the heap by itself, in bytes, and all data of the process, in pages. */
	limit(RLIMIT_DATA, pages(4));
	CHECK_EQ(vm_brk(mm, at(6) + 1), at(2));
	CHECK_EQ(vm_brk(mm, at(6)), at(2)); /* two other pages are data already */
	CHECK_EQ(vm_brk(mm, at(4)), at(4));
	CHECK_EQ(vm_brk(mm, at(4) + 1), at(4));
	mm->start_data = at(20), mm->end_data = at(22); /* the program's counts, too */
	CHECK_EQ(vm_brk(mm, mm->start_brk + pages(3)), mm->brk);
	mm->end_data = at(20);
	limit(RLIMIT_DATA, RLIM_INFINITY);
	limit(RLIMIT_AS, pages(5));
	CHECK_EQ(vm_brk(mm, at(6)), at(4));
	CHECK_EQ(vm_brk(mm, at(5)), at(5));
	limit(RLIMIT_AS, RLIM_INFINITY);
	CHECK_AREAS(mm, "wwhhh.......");
	areas_done(mm);
}

/* The limit on the heap itself, where the data of the process would still do. */
TEST(the_heap_itself_is_limited_by_bytes)
{
	struct mm *mm = with_heap("......", 2);

	limit(RLIMIT_DATA, PAGE_SIZE + 10);
	CHECK_EQ(vm_brk(mm, at(3) + 11), at(2));
	CHECK_EQ(vm_brk(mm, at(3)), at(3));
	limit(RLIMIT_DATA, pages(2) + 10);
	CHECK_EQ(vm_brk(mm, at(4)), at(4));
	CHECK_EQ(vm_brk(mm, at(3) + 1), at(3) + 1);
	limit(RLIMIT_DATA, PAGE_SIZE);
	CHECK_EQ(vm_brk(mm, at(4)), at(3) + 1);
	CHECK_EQ(vm_brk(mm, at(3)), at(3));
	areas_done(mm);
}

/* More than the machine has at all is refused, as by Linux's heuristic overcommit. */
TEST(more_than_the_machine_has)
{
	struct mm *mm = with_heap("......", 2);

	CHECK_EQ(vm_brk(mm, at(2) + pages(TEST_PAGES + 1)), at(2));
	areas_done(mm);
}

TEST(as_a_system_call)
{
	struct mm *mm = with_heap("......", 2);

	CHECK_EQ(user_syscall(sys_brk, 0, 0, 0, 0, 0, 0), at(2));
	CHECK_EQ(user_syscall(sys_brk, at(3) + 5, 0, 0, 0, 0, 0), at(3) + 5);
	CHECK_EQ(user_syscall(sys_brk, at(1), 0, 0, 0, 0, 0), at(3) + 5);
	CHECK_AREAS(mm, "..hh..");
	areas_done(mm);
}

TEST(a_failing_brk_changes_nothing)
{
	struct mm *mm = with_heap("x...........", 2);

	/* The first area; then growing, which asks for memory in case it cannot merge. */
	CHECK_EQ(FAILING(mm, vm_brk(mm, at(8)), at(2)), 1);
	touch("..wwwwww");
	CHECK_EQ(FAILING(mm, vm_brk(mm, at(10)), at(8)), 1);
	/* Shrinking splits. */
	CHECK_EQ(FAILING(mm, vm_brk(mm, at(4)), at(10)), 1);
	CHECK_AREAS(mm, "x.hh........");
	areas_done(mm);
}
