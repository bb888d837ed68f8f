/*
 * mmap.c - a new area: what it may be, what it counts for, and what is touched at once. Where it
 * goes is in place.c.
 *
 *	flags, length, file, limits  -->  refused, with the errno of mmap(2): nothing has changed
 *	                             -->  in the list, melted with equal neighbours
 *	MAP_POPULATE                 -->  ... and every page is there
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/mmap.h"
#include "tests/host/unit/failing.h"

static long map_file(struct mm *mm, unsigned nr, unsigned column, unsigned n, u32 prot, u32 flags)
{
	return vm_mmap(mm, area_file(nr), at(column), pages(n), prot, MAP_PRIVATE | flags,
		       pages(column));
}

/* ---- flags and lengths ---- */

TEST(flags)
{
	struct mm *mm = areas("");
	const struct {
		u32 flags;
		long result;
	} rows[] = {
		{ 0, -EINVAL },
		{ MAP_ANONYMOUS, -EINVAL },
		{ MAP_ANONYMOUS | 0x04, -EINVAL },
		{ MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -EINVAL }, /* it is for files */
		{ ANON | MAP_HUGETLB, -EINVAL },
		/* hints that mean nothing here, and old ones that Linux ignores */
		{ ANON | MAP_STACK, 0 },
		{ ANON | MAP_DENYWRITE | MAP_EXECUTABLE, 0 },
		{ ANON | MAP_NONBLOCK, 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		long ret = vm_mmap(mm, NULL, at(3), PAGE_SIZE, PROT_READ, rows[i].flags, 0);

		if (ret != (rows[i].result ? rows[i].result : (long)at(3)))
			host_test_fail(__FILE__, __LINE__, "row %u: %ld", i, ret);
		CHECK_AREAS(mm, rows[i].result ? "....." : "...r.");
		CHECK_EQ(vm_munmap(mm, at(3), PAGE_SIZE), 0);
	}
	areas_done(mm);
}

/* Memory that grows down: not of files. It keeps its guard gap from who does not say where. */
TEST(that_grows_down)
{
	const u32 down = MAP_PRIVATE | MAP_GROWSDOWN;
	struct mm *mm = areas("");
	long addr, other;

	CHECK_EQ(map_anon(mm, at(9), 2, RW, MAP_GROWSDOWN), at(9));
	CHECK_AREAS(mm, ".........ss");
	CHECK_EQ(mm->stack_vm, 2);
	CHECK_EQ(vm_mmap(mm, area_file(0), 0, PAGE_SIZE, RW, down, 0), -EINVAL);
	CHECK_EQ(vm_mmap(mm, area_file(0), 0, PAGE_SIZE, RW, MAP_SHARED | MAP_GROWSDOWN, 0),
		 -EINVAL);
	CHECK_EQ(vm_mmap(mm, NULL, 0, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, 0),
		 -EINVAL);
	/* A hint in the gap does not count; MAP_FIXED does. */
	CHECK(map_anon(mm, at(4), 1, RW, 0) > (long)at(AREAS_COLUMNS));
	CHECK_EQ(map_anon(mm, at(4), 1, RW, MAP_FIXED), at(4));
	addr = map_anon(mm, 0, 3, RW, MAP_GROWSDOWN);
	other = map_anon(mm, 0, 1, PROT_READ, 0);
	CHECK_EQ(other, addr - STACK_GUARD - PAGE_SIZE);
	CHECK_EQ(map_anon(mm, 0, 1, PROT_READ, 0), other - PAGE_SIZE);
	/* Its limit is that of faults, not of mmap. */
	limit(RLIMIT_STACK, pages(1));
	CHECK(map_anon(mm, 0, 3, RW, MAP_GROWSDOWN) > 0);
	areas_done(mm);
}

TEST(lengths)
{
	struct mm *mm = areas("");

	CHECK_EQ(vm_mmap(mm, NULL, at(1), 0, RW, ANON, 0), -EINVAL);
	CHECK_EQ(vm_mmap(mm, NULL, at(1), ULONG_MAX, RW, ANON, 0), -ENOMEM);
	CHECK_EQ(vm_mmap(mm, NULL, at(1), TASK_SIZE + 1, PROT_READ, ANON, 0), -ENOMEM);
	CHECK_EQ(vm_mmap(mm, NULL, at(1), TASK_SIZE, PROT_READ, ANON, 0), -ENOMEM);
	CHECK_EQ(vm_mmap(mm, NULL, at(1), TASK_SIZE, PROT_READ, ANON | MAP_FIXED, 0), -ENOMEM);
	CHECK_EQ(vm_mmap(mm, NULL, at(1), 2 * TASK_SIZE, PROT_READ, ANON | MAP_FIXED, 0), -ENOMEM);
	CHECK_AREAS(mm, "...");
	CHECK_EQ(vm_mmap(mm, NULL, at(1), 1, RW, ANON, 0), at(1));
	CHECK_EQ(vm_mmap(mm, NULL, at(2), PAGE_SIZE + 1, PROT_READ, ANON, 0), at(2));
	CHECK_AREAS(mm, ".wrr");
	areas_done(mm);
}

/* Bits of prot that mean nothing are not kept, so that equal areas are equal. */
TEST(only_the_bits_of_prot_count)
{
	struct mm *mm = areas("rr....");

	CHECK_EQ(map_anon(mm, at(2), 2, PROT_READ | 0x8, 0), at(2));
	CHECK_AREAS(mm, "rrrr..");
	areas_done(mm);
}

/* ---- merging with neighbours ---- */

TEST(neighbours_that_are_equal_become_one)
{
	struct mm *mm = areas("ww..ww..RR..QQ");

	CHECK_EQ(map_anon(mm, at(2), 2, RW, 0), at(2));
	CHECK_AREAS(mm, "wwwwww..RR..QQ");
	CHECK_EQ(map_file(mm, 0, 10, 2, PROT_READ, 0), at(10));
	CHECK_AREAS(mm, "wwwwww..RRRRQQ");
	CHECK_EQ(map_file(mm, 0, 6, 2, PROT_READ, 0), at(6));
	CHECK_AREAS(mm, "wwwwwwRRRRRRQQ");
	CHECK_EQ(map_anon(mm, at(2), 2, RW, MAP_FIXED | MAP_NORESERVE), at(2));
	CHECK_AREAS(mm, "wwoowwRRRRRRQQ");
	areas_done(mm);
}

/* ---- files ---- */

TEST(file_modes)
{
	static const struct {
		bool readable, writable, executable;
		u32 prot;
		long result;
	} rows[] = {
		{ true, true, true, PROT_MASK, 0 },
		{ true, false, true, RW, 0 }, /* private: writing does not reach the file */
		{ true, true, false, RW, 0 },
		{ true, true, false, PROT_READ | PROT_EXEC, -EPERM },
		{ true, true, false, PROT_EXEC, -EPERM },
		{ false, true, true, PROT_READ, -EACCES },
		{ false, true, true, PROT_WRITE, -EACCES },
		{ false, true, true, PROT_NONE, -EACCES },
		{ false, true, false, PROT_EXEC, -EACCES },
	};
	struct mm *mm = areas("");
	struct file *file = area_file(0);

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		long ret;

		host_file_mode(file, rows[i].readable, rows[i].writable, rows[i].executable);
		ret = map_file(mm, 0, 2, 2, rows[i].prot, 0);
		if (ret != (rows[i].result ? rows[i].result : (long)at(2)))
			host_test_fail(__FILE__, __LINE__, "row %u: %ld", i, ret);
		CHECK_EQ(host_file_refs(file), rows[i].result ? 1 : 2);
		CHECK_EQ(vm_munmap(mm, at(2), pages(2)), 0);
		CHECK_EQ(host_file_refs(file), 1);
	}
	areas_done(mm);
}

TEST(what_cannot_be_mapped)
{
	struct file *pipe = host_file(FILE_PIPE, 0);
	struct mm *mm = areas("rr");

	CHECK_EQ(vm_mmap(mm, pipe, at(0), PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, 0),
		 -ENODEV);
	CHECK_AREAS(mm, "rr");
	CHECK_EQ(host_file_refs(pipe), 1);
	file_put(pipe);
	areas_done(mm);
}

/* A private mapping of /dev/zero is anonymous memory: it keeps no reference. */
TEST(dev_zero_is_anonymous)
{
	struct file *zero = host_file(FILE_ZERO_DEVICE, 0);
	struct mm *mm = areas("ww..ww");

	CHECK_EQ(vm_mmap(mm, zero, at(2), pages(2), RW, MAP_PRIVATE, pages(7)), at(2));
	CHECK_AREAS(mm, "wwwwww");
	CHECK_EQ(host_file_refs(zero), 1);
	touch("..w...");
	CHECK(tag_at(2));
	file_put(zero);
	areas_done(mm);
}

TEST(a_file_as_large_as_offsets_go)
{
	const unsigned long last = (unsigned long)LONG_MAX & PAGE_MASK;
	struct mm *mm = areas("");
	u32 flags = MAP_PRIVATE;

	CHECK_EQ(vm_mmap(mm, area_file(0), at(0), PAGE_SIZE, PROT_READ, flags, last), -EOVERFLOW);
	CHECK_EQ(vm_mmap(mm, area_file(0), at(0), pages(2), PROT_READ, flags, last - PAGE_SIZE),
		 -EOVERFLOW);
	CHECK_EQ(vm_mmap(mm, area_file(0), at(0), PAGE_SIZE, PROT_READ, flags, 1UL << 63),
		 -EOVERFLOW);
	CHECK_EQ(vm_mmap(mm, area_file(0), at(0), PAGE_SIZE, PROT_READ, flags, -4096UL),
		 -EOVERFLOW);
	CHECK_EQ(mm->nr_areas, 0);
	CHECK_EQ(vm_mmap(mm, area_file(0), at(0), PAGE_SIZE, PROT_READ, flags, last - PAGE_SIZE),
		 at(0));
	CHECK_EQ(mm->mmap->vm_pgoff, (last >> PAGE_SHIFT) - 1);
	areas_done(mm);
}

TEST(file_and_offset)
{
	struct mm *mm = areas("");
	u8 byte;

	CHECK_EQ(map_file(mm, 0, 3, 4, RW, 0), at(3));
	CHECK_AREAS(mm, "...WWWW");
	CHECK_EQ(user_read(at(5) + 7, &byte, 1), FAULT_OK);
	CHECK_EQ(byte, file_pattern(host_file_nr(area_file(0)), pages(5) + 7));
	areas_done(mm);
}

/* ---- limits ---- */

TEST(limits)
{
	struct mm *mm = areas("ww..rr");

	limit(RLIMIT_AS, pages(6) + 1);
	CHECK_EQ(map_anon(mm, at(8), 3, PROT_READ, 0), -ENOMEM);
	CHECK_EQ(map_anon(mm, at(8), 2, PROT_READ, 0), at(8));
	CHECK_EQ(map_anon(mm, at(2), 1, PROT_NONE, 0), -ENOMEM);
	/* What FIXED takes away does not count. */
	CHECK_EQ(map_anon(mm, at(0), 2, PROT_READ, MAP_FIXED), at(0));
	CHECK_EQ(map_anon(mm, at(1), 2, PROT_READ, MAP_FIXED), -ENOMEM);
	CHECK_AREAS(mm, "rr..rr..rr");
	limit(RLIMIT_AS, RLIM_INFINITY);
	limit(RLIMIT_DATA, pages(2));
	CHECK_EQ(map_anon(mm, at(2), 3, RW, 0), -ENOMEM);
	CHECK_EQ(map_anon(mm, at(2), 2, RW, 0), at(2));
	CHECK_EQ(map_anon(mm, at(1), 4, RW, MAP_FIXED),
		 at(1)); /* as Linux: nor if it was no data */
	CHECK_EQ(map_anon(mm, at(6), 1, RW, 0), -ENOMEM);
	CHECK_EQ(map_anon(mm, at(6), 1, PROT_READ | PROT_EXEC, 0), at(6)); /* no data */
	limit(RLIMIT_DATA, RLIM_INFINITY);
	CHECK_AREAS(mm, "rwwwwrx.rr");
	areas_done(mm);
}

/* Who is above a limit already, because it was lowered, gets nothing, not even the same again. */
TEST(above_the_limit)
{
	struct mm *mm = areas("wwrr");

	limit(RLIMIT_AS, pages(3));
	CHECK_EQ(map_anon(mm, at(2), 2, PROT_READ, MAP_FIXED), -ENOMEM);
	CHECK_EQ(map_anon(mm, at(1), 2, PROT_NONE, MAP_FIXED), -ENOMEM);
	limit(RLIMIT_AS, RLIM_INFINITY);
	limit(RLIMIT_DATA, pages(1));
	CHECK_EQ(map_anon(mm, at(0), 2, RW, MAP_FIXED), -ENOMEM);
	CHECK_AREAS(mm, "wwrr");
	CHECK_EQ(map_anon(mm, at(1), 1, PROT_READ, MAP_FIXED), at(1));
	CHECK_EQ(map_anon(mm, at(0), 1, RW, MAP_FIXED), at(0));
	CHECK_AREAS(mm, "wrrr");
	areas_done(mm);
}

/* Overcommit as Linux's heuristic has it: what could never be had at once is refused. */
TEST(more_than_the_machine_has)
{
	struct mm *mm = areas("");

	CHECK_EQ(map_anon(mm, at(0), TEST_PAGES + 1, RW, 0), -ENOMEM);
	CHECK_EQ(map_anon(mm, at(0), TEST_PAGES + 1, RW, MAP_NORESERVE), at(0));
	CHECK_EQ(map_anon(mm, at(0), TEST_PAGES + 1, PROT_READ, MAP_FIXED), at(0));
	CHECK_EQ(map_anon(mm, at(0), TEST_PAGES / 2, RW, MAP_FIXED), at(0));
	areas_done(mm);
}

/* ---- MAP_POPULATE ---- */

TEST(populate)
{
	struct mm *mm = areas("");

	CHECK_EQ(map_anon(mm, at(0), 2, PROT_READ, MAP_POPULATE), at(0));
	CHECK_EQ(map_anon(mm, at(2), 2, RW, MAP_POPULATE), at(2));
	CHECK_EQ(map_anon(mm, at(4), 1, PROT_NONE, MAP_POPULATE), at(4));
	CHECK_EQ(map_file(mm, 0, 5, 2, PROT_EXEC | PROT_READ, MAP_POPULATE), at(5));
	CHECK_EQ(map_file(mm, 0, 7, 2, RW, MAP_POPULATE), at(7));
	CHECK_EQ(map_anon(mm, at(9), 1, PROT_EXEC, MAP_POPULATE), at(9));
	CHECK_EQ(map_anon(mm, at(10), 1, RW, MAP_POPULATE | MAP_NONBLOCK), at(10));
	CHECK_AREAS(mm, "rrwwnXXWWew");
	CHECK_PAGES(mm, "zzAA.ffAAz.");
	areas_done(mm);
}

/* Failing to populate is not failing to map. */
TEST(populate_stops_quietly)
{
	struct mm *mm = areas("");
	unsigned long end = AREA_FILE_PAGES - 1;

	CHECK_EQ(vm_mmap(mm, area_file(0), at(0), pages(3), PROT_READ, MAP_PRIVATE | MAP_POPULATE,
			 pages(end)),
		 at(0));
	CHECK_PAGES(mm, "f..");
	current->fail_alloc = 4; /* the area, two pages, and the third page is not there */
	CHECK_EQ(map_anon(mm, at(4), 4, RW, MAP_POPULATE), at(4));
	current->fail_alloc = 0;
	CHECK_PAGES(mm, "f...AA..");
	areas_done(mm);
}

static struct mm *raced_mm;
static unsigned downs;

/* After the edit, before the first page: another thread unmaps it. */
static void unmap_it(void)
{
	if (++downs < 2) {
		machine_down = unmap_it;
		return;
	}
	machine_run_on(1);
	CHECK_EQ(vm_munmap(raced_mm, at(0), pages(3)), 0);
}

TEST(populate_finds_nothing_any_more)
{
	struct mm *mm = areas("");

	raced_mm = mm;
	machine_down = unmap_it;
	CHECK_EQ(map_anon(mm, at(0), 3, RW, MAP_POPULATE), at(0));
	CHECK_AREAS(mm, "...");
	areas_done(mm);
}

/* A program that was killed is not kept busy. */
TEST(populate_ends_when_killed)
{
	struct mm *mm = areas("");

	current->killed = true;
	CHECK_EQ(map_anon(mm, at(0), 3, RW, MAP_POPULATE), at(0));
	current->killed = false;
	CHECK_PAGES(mm, "...");
	areas_done(mm);
}

/* ---- the system call ---- */

static long sys(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
		int fd, unsigned long off)
{
	return user_syscall(sys_mmap, addr, len, prot, flags, fd, off);
}

TEST(as_a_system_call)
{
	struct mm *mm = areas("");
	struct file *file = area_file(0);
	int fd = host_fd(file);

	CHECK_EQ(sys(at(0), pages(2), RW, ANON, -1, 0), at(0));
	CHECK_EQ(sys(at(2), pages(2), PROT_READ, MAP_PRIVATE, fd, pages(2)), at(2));
	CHECK_AREAS(mm, "wwRR");
	CHECK_EQ(host_file_refs(file), 2);
	/* The descriptor is not looked at for anonymous memory; the offset is, as in Linux. */
	CHECK_EQ(sys(at(4), PAGE_SIZE, RW, ANON, fd, pages(1)), at(4));
	CHECK_AREAS(mm, "wwRRw");
	CHECK_EQ(sys(at(5), PAGE_SIZE, RW, ANON, -1, 1), -EINVAL);
	CHECK_EQ(sys(at(5), PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 511), -EINVAL);
	CHECK_EQ(sys(at(5), PAGE_SIZE, PROT_READ, MAP_PRIVATE, -1, 0), -EBADF);
	CHECK_EQ(sys(at(5), PAGE_SIZE, PROT_READ, MAP_PRIVATE, 7, 0), -EBADF);
	CHECK_EQ(sys(at(5), PAGE_SIZE, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0),
		 -EOPNOTSUPP);
	CHECK_EQ(sys(at(5), 0, PROT_READ, MAP_PRIVATE, fd, 0), -EINVAL);
	CHECK_AREAS(mm, "wwRRw");
	CHECK_EQ(host_file_refs(file), 2); /* failures give back theirs */
	areas_done(mm);
}

/* ---- failure ---- */

TEST(a_failing_mmap_changes_nothing)
{
	struct mm *mm = areas("rrRRRRRRwwww");

	touch("rrrrrrrrwwww");
	CHECK_EQ(FAILING(mm, map_anon(mm, at(14), 2, RW, 0), -ENOMEM), 1);
	/* In the middle of an area: the new area, and two splits. */
	CHECK_EQ(FAILING(mm, map_anon(mm, at(4), 2, RW, MAP_FIXED), -ENOMEM), 3);
	CHECK_AREAS(mm, "rrRRwwRRwwww..ww");
	CHECK_EQ(FAILING(mm, map_file(mm, 0, 7, 3, PROT_READ, MAP_FIXED), -ENOMEM), 3);
	CHECK_AREAS(mm, "rrRRwwRRRRww..ww");
	areas_done(mm);
}
