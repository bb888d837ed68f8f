/*
 * mremap.c - an area gets another size or place: the list, the pages, limits and failures.
 *
 *	areas  [w  w  w)[w  w) .  .  .       pages  A  A  A  A  A  .  .  .
 *	        s        e           to
 *	areas   .  .  . [w  w)[m  m  m)      pages  .  .  .  A  A  A  A  A
 *
 * What other harts see of it meanwhile is in move.c.
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/pgtable.h"
#include "tests/host/unit/failing.h"

#define MAY   MREMAP_MAYMOVE
#define TO    (MREMAP_MAYMOVE | MREMAP_FIXED)
#define LEAVE MREMAP_DONTUNMAP

static long remap(struct mm *mm, unsigned from, unsigned n, unsigned to_n, u32 flags, unsigned to)
{
	return vm_mremap(mm, at(from), pages(n), pages(to_n), flags, at(to));
}

struct row {
	const char *before, *touched;
	unsigned from, n, to_n;
	u32 flags;
	unsigned to;
	long result; /* a column, or -errno */
	const char *after, *pages;
};

static void check_rows(const struct row *rows, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		const struct row *row = &rows[i];
		long result = row->result < 0 ? row->result : (long)at(row->result);
		struct mm *mm = areas(row->before);

		touch(row->touched);
		CHECK_EQ(remap(mm, row->from, row->n, row->to_n, row->flags, row->to), result);
		CHECK_ROW(i, areas_drawing(mm, drawing_columns(row->after)), row->after);
		CHECK_ROW(i, pages_drawing(mm, drawing_columns(row->pages)), row->pages);
		areas_done(mm);
	}
}

/* ---- in place ---- */

TEST(smaller)
{
	static const struct row rows[] = {
		{ "wwwwww", "wwwwww", 0, 6, 2, 0, 0, 0, "ww....", "AA...." },
		{ "wwwwww", "wwwwww", 1, 3, 1, 0, 0, 1, "ww..ww", "AA..AA" }, /* of the middle */
		{ "wwwwww", "wwwwww", 1, 3, 1, MAY, 0, 1, "ww..ww", "AA..AA" },
		{ "wwrrxx.hh", "ww.....ww", 1, 7, 1, 0, 0, 1, "ww......h", "AA......A" },
		{ "RRRRRR", "rrrrrr", 2, 4, 1, 0, 0, 2, "RRR...", "fff..." },
		{ "wwwwww", "wwwwww", 0, 9, 6, 0, 0, 0, "wwwwww", "AAAAAA" }, /* nothing there */
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* Whatever there is: only the first page has to be mapped. */
TEST(the_same_size)
{
	static const struct row rows[] = {
		{ "wwwwww", "ww....", 0, 6, 6, 0, 0, 0, "wwwwww", "AA...." },
		{ "wwrr..", "ww....", 1, 5, 5, MAY, 0, 1, "wwrr..", "AA...." },
		{ "..wwww", "......", 1, 2, 2, 0, 0, -EFAULT, "..wwww", "......" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

TEST(larger_in_place)
{
	static const struct row rows[] = {
		{ "ww....", "ww....", 0, 2, 5, 0, 0, 0, "wwwww.", "AA...." },
		{ "ww....", "ww....", 1, 1, 4, MAY, 0, 1, "wwwww.", "AA...." },
		{ "ww..r", "ww...", 0, 2, 4, 0, 0, 0, "wwwwr", "AA..." },	/* up to the next */
		{ "ww..r", "ww...", 0, 2, 5, 0, 0, -ENOMEM, "ww..r", "AA..." }, /* not over it */
		{ "ww..ww", "ww..ww", 0, 2, 4, 0, 0, 0, "wwwwww", "AA..AA" },	/* one of two */
		{ "RR..RR", "rr..rr", 0, 2, 4, 0, 0, 0, "RRRRRR", "ff..ff" },
		{ "RR..SS", "rr..rr", 0, 2, 4, 0, 0, 0, "RRRRSS", "ff..ff" },
		{ "hh....", "ww....", 0, 2, 4, 0, 0, 0, "hhhh..", "AA...." },
		{ "ss....", "ww....", 0, 2, 4, 0, 0, 0, "ssss..", "AA...." },
		{ "wwww", "wwww", 1, 2, 3, 0, 0, -ENOMEM, "wwww", "AAAA" }, /* not its end */
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* ---- to another place ---- */

TEST(moved_to_an_address)
{
	static const struct row rows[] = {
		{ "wwww......", "ww.w......", 0, 4, 4, TO, 5, 5, ".....mmmm.", ".....AA.A." },
		{ "......wwww", "......ww.w", 6, 4, 4, TO, 0, 0, "mmmm......", "AA.A......" },
		/* the middle; to the middle of another, of which less is left */
		{ "wwwwww...", "wwwwww...", 2, 2, 2, TO, 7, 7, "ww..ww.mm", "AA..AA.AA" },
		{ "wwww.rrrr", "wwww.rrrr", 1, 2, 2, TO, 6, 6, "w..w.rmmr", "A..A.zAAz" },
		/* larger, and smaller by several areas */
		{ "ww......", "ww......", 0, 2, 4, TO, 3, 3, "...mmmm.", "...AA..." },
		{ "wwwwrr.x....", "wwwwrr......", 0, 8, 2, TO, 9, 9, ".........mm.",
		  ".........AA." },
		{ "ww.w....", "ww.w....", 0, 2, 1, TO, 5, 5, "...w.m..", "...A.A.." },
		/* by its own length, either way */
		{ "ww..", "ww..", 0, 2, 2, TO, 2, 2, "..mm", "..AA" },
		{ "..ww", "..ww", 2, 2, 2, TO, 0, 0, "mm..", "AA.." },
		/* files, and what is not there */
		{ "RRRR....", "r.rr....", 0, 4, 4, TO, 4, 4, "....????", "....ffff" },
		{ "WWWW....", "wr.w....", 0, 4, 4, TO, 4, 4, "....????", "....AffA" },
		{ "nn......", "........", 0, 2, 2, TO, 4, 4, "....nn..", "........" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* What was never written to is as good as new, and lies where it lies. */
TEST(untouched_memory_is_as_new)
{
	static const struct row rows[] = {
		{ "ww......", "rr......", 0, 2, 2, TO, 4, 4, "....ww..", "........" },
		{ "ww.w.w..", "...w.w..", 0, 1, 1, TO, 4, 4, ".w.www..", "...A.A.." },
		{ "ww..", "....", 0, 2, 2, TO, 2, 2, "..ww", "...." },
		{ "..ww", "....", 2, 2, 2, TO, 0, 0, "ww..", "...." },
		{ "www...", "......", 0, 1, 2, TO, 4, 4, ".ww.ww", "......" },
		{ "wwww", "....", 0, 2, 2, TO | LEAVE, 4, 4, "wwwwww", "......" },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* Out and back: it continues both its neighbours again. From elsewhere it does not. */
TEST(one_page_between_two_areas)
{
	struct mm *mm = areas("www.w.w.");

	touch("www.w.w.");
	CHECK_EQ(remap(mm, 1, 1, 1, TO, 7), at(7));
	CHECK_AREAS(mm, "w.w.w.wm");
	CHECK_EQ(remap(mm, 7, 1, 1, TO, 1), at(1));
	CHECK_AREAS(mm, "www.w.w.");
	CHECK_PAGES(mm, "AAA.A.A.");
	CHECK(tag_at(0) && tag_at(1) && tag_at(2));
	CHECK_EQ(mm->nr_areas, 3);
	CHECK_EQ(remap(mm, 0, 1, 1, TO, 5), at(5));
	CHECK_AREAS(mm, ".ww.wmw.");
	CHECK_PAGES(mm, ".AA.AAA.");
	/* A page that continues one that was moved is one with it, wherever that is. */
	CHECK_EQ(remap(mm, 1, 2, 2, TO, 8), at(8));
	CHECK_EQ(remap(mm, 5, 1, 1, TO, 7), at(7));
	CHECK_AREAS(mm, "....w.wmmm");
	CHECK_EQ(mm->nr_areas, 3);
	areas_done(mm);
}

TEST(pieces_of_a_file_come_together)
{
	struct mm *mm = areas("RRRRRR......");

	touch("rrrrrr......");
	CHECK_EQ(remap(mm, 4, 2, 2, TO, 10), at(10));
	CHECK_EQ(remap(mm, 0, 2, 2, TO, 6), at(6));
	CHECK_EQ(mm->nr_areas, 3);
	CHECK_EQ(remap(mm, 2, 2, 2, TO, 8), at(8));
	CHECK_EQ(mm->nr_areas, 1);
	CHECK_PAGES(mm, "......ffffff");
	CHECK_EQ(remap(mm, 6, 6, 6, TO, 0), at(0));
	CHECK_AREAS(mm, "RRRRRR");
	areas_done(mm);
}

/* Frames, counts and rights are the same ones; A and D too. */
TEST(no_page_is_touched)
{
	struct mm *mm = areas("wwwr....");
	pte_t before[3];

	touch("wwrr....");
	CHECK_EQ(protect(mm, 1, 2, PROT_NONE), 0);
	CHECK_EQ(protect(mm, 1, 2, RW), 0);
	for (unsigned i = 0; i < 3; i++)
		before[i] = pte_read(pte_find(mm, at(i)));
	CHECK_EQ(remap(mm, 0, 3, 3, TO, 5), at(5));
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(pte_read(pte_find(mm, at(5 + i))).val, before[i].val);
	CHECK_EQ(pfn_to_page(pte_pfn(before[0]))->index, at(0) >> PAGE_SHIFT);
	CHECK_EQ(atomic_read(&pfn_to_page(pte_pfn(before[0]))->refcount), 1);
	CHECK_EQ(mm->rss_anon, 2);
	areas_done(mm);
}

/* The kernel finds a place, and only if there is none where it is. */
TEST(moved_to_a_place)
{
	struct mm *mm = areas("wwr.....");
	long to;

	touch("ww......");
	CHECK_EQ(remap(mm, 0, 2, 3, 0, 0), -ENOMEM);
	to = remap(mm, 0, 2, 3, MAY, 0);
	CHECK_EQ(to, mm->mmap_base - pages(3));
	CHECK_EQ(vm_mremap(mm, to, pages(3), pages(3), TO, at(4)), at(4));
	CHECK_AREAS(mm, "..r.mmm.");
	CHECK_PAGES(mm, "....AA..");
	CHECK_EQ(vm_mremap(mm, at(4), pages(3), TASK_SIZE, MAY, 0), -ENOMEM);
	CHECK_AREAS(mm, "..r.mmm.");
	areas_done(mm);
}

/* brk() will not find it there; and the way back from signals goes with its page. */
TEST(what_other_calls_know)
{
	struct mm *mm = areas("hhhRR....");

	touch("wwwrr....");
	mm->vdso = at(3);
	CHECK_EQ(remap(mm, 1, 1, 1, TO, 6), at(6));
	CHECK_AREAS(mm, "h.hRR.m..");
	CHECK_EQ(mm->vdso, at(3));
	CHECK_EQ(remap(mm, 4, 1, 1, TO, 7), at(7));
	CHECK_EQ(mm->vdso, at(3));
	CHECK_EQ(remap(mm, 3, 1, 1, TO | LEAVE, 8), at(8));
	CHECK_EQ(mm->vdso, at(3));
	CHECK_EQ(remap(mm, 3, 1, 1, TO, 9), at(9));
	CHECK_EQ(mm->vdso, at(9));
	areas_done(mm);
}

/* ---- the old area stays; or there is one more ---- */

TEST(the_old_area_stays)
{
	static const struct row rows[] = {
		{ "www....", "www....", 0, 3, 3, TO | LEAVE, 4, 4, "www.mmm", "....AAA" },
		{ "wwww...", "wwww...", 1, 2, 2, TO | LEAVE, 5, 5, "wwww.mm", "A..A.AA" },
		{ "llll....", "ww.w....", 0, 4, 4, TO | LEAVE, 4, 4, "llll????", "....ff.f" },
		{ "RR....", "rr....", 0, 2, 2, TO | LEAVE, 4, 4, "RR..??", "....ff" },
		{ "ww.r..", "ww.r..", 0, 2, 2, TO | LEAVE, 3, 3, "ww.mm.", "...AA." },
		{ "www", "www", 0, 2, 2, TO | LEAVE, 1, -EINVAL, "www", "AAA" },
		{ "www", "www", 0, 4, 4, TO | LEAVE, 5, -EFAULT, "www", "AAA" },
	};
	struct mm *mm;

	check_rows(rows, ARRAY_SIZE(rows));
	/* Without MREMAP_FIXED the address is a hint. */
	mm = areas("ww..r");
	touch("ww..");
	CHECK_EQ(remap(mm, 0, 2, 2, MAY | LEAVE, 2), at(2));
	CHECK_AREAS(mm, "wwmmr");
	CHECK_EQ(remap(mm, 2, 2, 2, MAY | LEAVE, 4), mm->mmap_base - pages(2));
	CHECK_EQ(vm_munmap(mm, mm->mmap_base - pages(2), pages(2)), 0);
	CHECK_PAGES(mm, ".....");
	CHECK_EQ(vm_mremap(mm, at(0), pages(2), pages(2), MAY | LEAVE, TASK_SIZE), -EINVAL);
	areas_done(mm);
}

TEST(the_same_pages_once_more)
{
	static const struct row rows[] = {
		{ "ll......", "ww......", 0, 0, 3, TO, 4, 4, "ll..???.", "ff......" },
		{ "llll....", "wwww....", 1, 0, 2, TO, 5, 5, "llll.??.", "ffff...." },
		/* over a part of itself, above and below; not over where it begins */
		{ "llllll", "wwwwww", 1, 0, 2, TO, 3, 3, "lll??l", "fff..f" },
		{ "llllll", "wwwwww", 4, 0, 2, TO, 1, 1, "l??lll", "f..fff" },
		{ "llllll", "wwwwww", 4, 0, 2, TO, 3, -EINVAL, "llllll", "ffffff" },
		{ "llllll", "wwwwww", 4, 0, 2, TO, 4, -EFAULT, "llllll", "ffffff" },
		{ "ll....", "ww....", 0, 0, 2, 0, 0, -ENOMEM, "ll....", "ff...." },
		/* of private memory there is nothing to be had twice */
		{ "ww....", "ww....", 0, 0, 2, MAY, 0, -EINVAL, "ww....", "AA...." },
		{ "RR....", "rr....", 0, 0, 2, TO, 3, -EINVAL, "RR....", "ff...." },
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* The lock goes with the pages: all of the area that stays is unlocked, and melts with its like. */
TEST(the_old_area_is_unlocked)
{
	static const struct row rows[] = {
		{ "pppp....", "wwww....", 0, 4, 4, TO | LEAVE, 4, 4, "wwww????", "....AAAA" },
		{ "ppppp...", "wwwww...", 1, 2, 2, TO | LEAVE, 6, 6, "wwwww.??", "A..AA.AA" },
		{ "wppw....", "wwww....", 1, 2, 2, TO | LEAVE, 5, 5, "wwww.??.", "A..A.AA." },
		{ "wkkw....", "wwww....", 1, 1, 1, TO | LEAVE, 5, 5, "wwww.?..", "A.AA.A.." },
		{ "pppp....", "........", 1, 2, 2, TO | LEAVE, 5, 5, "wwww.pp.", "........" },
		{ "pppp....", "........", 2, 2, 2, TO | LEAVE, 4, 4, "wwwwpp..", "........" },
		{ "pprr....", "ww......", 0, 2, 2, TO | LEAVE, 2, 2, "ww??....", "..AA...." },
		{ "LL......", "rr......", 0, 2, 2, TO | LEAVE, 4, 4, "WW..??..", "....ff.." },
	};
	struct mm *mm = areas("pppp....pp");

	touch("wwww....ww");
	CHECK_EQ(remap(mm, 1, 2, 2, TO | LEAVE, 9), at(9));
	CHECK_EQ(mm->locked_vm, 3);
	CHECK_EQ(FAILING(mm, remap(mm, 9, 1, 1, TO | LEAVE, 5), -ENOMEM), 2);
	CHECK_EQ(mm->locked_vm, 2);
	areas_done(mm);
	mm = areas("pppppp....wwww");
	touch("wwwwww....wwww");
	CHECK_EQ(FAILING(mm, remap(mm, 1, 2, 2, TO | LEAVE, 11), -ENOMEM), 6);
	CHECK_AREAS(mm, "wwwwww....w??w");
	CHECK_EQ(mm->locked_vm, 2);
	areas_done(mm);
	check_rows(rows, ARRAY_SIZE(rows));
}

/* Areas that may be written to are counted, and never none between. */
TEST(writable_areas_are_counted)
{
	struct mm *mm = areas("llll......");
	struct address_space *as = host_file_mapping(area_file(0));

	CHECK_EQ(as->nr_writable, 1);
	CHECK_EQ(remap(mm, 0, 4, 4, TO, 5), at(5));
	CHECK_EQ(as->nr_writable, 1);
	CHECK_EQ(remap(mm, 6, 1, 1, TO, 0), at(0));
	CHECK_EQ(as->nr_writable, 3);
	CHECK_EQ(remap(mm, 0, 1, 1, TO, 6), at(6));
	CHECK_EQ(as->nr_writable, 1);
	CHECK_EQ(remap(mm, 5, 0, 1, TO, 0), at(0));
	CHECK_EQ(as->nr_writable, 2);
	CHECK_EQ(vm_munmap(mm, at(5), pages(4)), 0);
	CHECK_EQ(remap(mm, 0, 1, 1, TO | LEAVE, 2), at(2));
	CHECK_EQ(as->nr_writable, 2);
	areas_done(mm);
}

/* ---- what is refused ---- */

TEST(arguments)
{
	const unsigned long top = TASK_SIZE - pages(2);
	const struct {
		unsigned long addr, old_len, new_len;
		u32 flags;
		unsigned long new_addr;
		int result;
	} rows[] = {
		{ at(0) + 1, pages(2), pages(2), 0, 0, -EINVAL },
		{ at(0), pages(2), 0, 0, 0, -EINVAL },
		{ at(0), pages(2), ULONG_MAX, MAY, 0, -EINVAL }, /* rounded up: 0 */
		{ at(0), pages(2), pages(2), 8, 0, -EINVAL },
		{ at(0), pages(2), pages(2), MREMAP_FIXED, at(5), -EINVAL },
		{ at(0), pages(2), pages(2), LEAVE, at(5), -EINVAL },
		{ at(0), pages(2), pages(3), MAY | LEAVE, 0, -EINVAL },
		{ at(0), pages(2), pages(2), TO, at(5) + 1, -EINVAL },
		{ at(0), pages(2), pages(2), TO, top + PAGE_SIZE, -EINVAL },
		{ at(0), pages(2), TASK_SIZE + PAGE_SIZE, TO, 0, -EINVAL },
		{ at(0), pages(2), pages(2), TO, 0, -EPERM },
		{ at(0), pages(2), pages(2), TO, MMAP_MIN_ADDR - PAGE_SIZE, -EPERM },
		/* overlaps: the old size counts, whatever is moved */
		{ at(0), pages(2), pages(2), TO, at(0), -EINVAL },
		{ at(0), pages(2), pages(2), TO, at(1), -EINVAL },
		{ at(1), pages(2), pages(2), TO, at(0), -EINVAL },
		{ at(0), pages(4), pages(1), TO, at(3), -EINVAL },
		{ at(2), pages(1), pages(3), TO, at(0), -EINVAL },
		/* ranges that leave the user half */
		{ at(0), TASK_SIZE, pages(1), 0, 0, -EINVAL },
		{ at(0), TASK_SIZE, pages(1), TO, at(0) - PAGE_SIZE, -EINVAL },
		{ at(0), ULONG_MAX & PAGE_MASK, pages(1), 0, 0, -EINVAL },
		{ at(0), pages(4), TASK_SIZE, 0, 0, -ENOMEM },
		/* nothing there, or not all one area */
		{ at(4), pages(1), pages(1), 0, 0, -EFAULT },
		{ TASK_SIZE, pages(1), pages(1), 0, 0, -EFAULT },
		{ 0, pages(1), pages(2), MAY, 0, -EFAULT },
		{ at(1), pages(4), pages(5), MAY, 0, -EFAULT },
		{ at(1), pages(4), pages(4), TO, at(9), -EFAULT },
		/* longer than any file */
		{ at(0), pages(4), 1UL << 62, MAY, 0, -ENOMEM },
	};
	struct mm *mm = areas("wwww..r");

	touch("wwww...");
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		long ret = vm_mremap(mm, rows[i].addr, rows[i].old_len, rows[i].new_len,
				     rows[i].flags, rows[i].new_addr);

		if (ret != rows[i].result)
			host_test_fail(__FILE__, __LINE__, "row %u: %ld", i, ret);
		CHECK_AREAS(mm, "wwww..r");
	}
	CHECK_PAGES(mm, "AAAA...");
	CHECK_EQ(vm_mremap(mm, at(0), pages(2), pages(2), TO, top), top);
	CHECK_EQ(vm_munmap(mm, top, pages(2)), 0);
	CHECK_AREAS(mm, "..ww..r");
	areas_done(mm);
}

/* The offset in a file is a loff_t. */
TEST(past_the_largest_offset)
{
	struct mm *mm = areas("");
	unsigned long off = (unsigned long)LONG_MAX - pages(5) + 1;

	CHECK_EQ(vm_mmap(mm, area_file(0), at(0), pages(3), RW, MAP_SHARED | MAP_FIXED, off),
		 at(0));
	CHECK_EQ(vm_mremap(mm, at(0), pages(3), pages(6), 0, 0), -EINVAL);
	CHECK_EQ(vm_mremap(mm, at(0), pages(3), pages(4), 0, 0), at(0));
	CHECK_EQ(vm_mremap(mm, at(0), pages(4), pages(5), MAY, 0), -EINVAL);
	CHECK_AREAS(mm, "????");
	areas_done(mm);
}

TEST(as_a_system_call)
{
	struct mm *mm = areas("wwww....");

	touch("wwww....");
	CHECK_EQ(user_syscall(sys_mremap, at(0), pages(4), pages(2), TO, at(5), 0), at(5));
	CHECK_AREAS(mm, ".....mm.");
	CHECK_EQ(user_syscall(sys_mremap, at(5), pages(2), pages(2), 1UL << 32, 0, 0), -EINVAL);
	areas_done(mm);
}

/* ---- limits ---- */

TEST(the_limit_of_address_space)
{
	struct mm *mm = areas("wwww...rrr......");

	touch("wwww............");
	limit(RLIMIT_AS, pages(8));
	CHECK_EQ(remap(mm, 0, 4, 6, 0, 0), -ENOMEM);
	CHECK_EQ(remap(mm, 0, 4, 5, 0, 0), at(0));
	CHECK_EQ(remap(mm, 0, 5, 6, MAY, 0), -ENOMEM);
	CHECK_EQ(remap(mm, 0, 5, 5, TO | LEAVE, 10), -ENOMEM);
	CHECK_EQ(remap(mm, 0, 5, 6, TO, 10), -ENOMEM);
	CHECK_AREAS(mm, "wwwww..rrr......");
	/* A move needs no more, not even for a moment; what is replaced is given back. */
	CHECK_EQ(remap(mm, 0, 5, 5, TO, 10), at(10));
	CHECK_EQ(mm->hiwater_vm, 8);
	CHECK_EQ(remap(mm, 10, 5, 7, TO, 3), at(3));
	CHECK_AREAS(mm, "...mmmmmmm......");
	CHECK_EQ(mm->hiwater_vm, 8);
	limit(RLIMIT_AS, RLIM_INFINITY);
	CHECK_EQ(remap(mm, 3, 2, 2, TO | LEAVE, 11), at(11));
	CHECK_EQ(mm->hiwater_vm, 9);
	areas_done(mm);
}

TEST(the_limit_of_data)
{
	struct mm *mm = areas("wwww...rrr.ww...");

	limit(RLIMIT_DATA, pages(7));
	CHECK_EQ(remap(mm, 0, 4, 6, 0, 0), -ENOMEM);
	CHECK_EQ(remap(mm, 0, 4, 6, TO, 4), -ENOMEM);
	/* What is replaced counts only if it was data. */
	CHECK_EQ(remap(mm, 11, 2, 4, TO, 7), -ENOMEM);
	CHECK_EQ(remap(mm, 7, 3, 4, 0, 0), at(7));
	CHECK_AREAS(mm, "wwww...rrrrww...");
	CHECK_EQ(remap(mm, 0, 4, 7, TO, 9), at(9));
	CHECK_AREAS(mm, ".......rrwwwwwww");
	CHECK_EQ(mm->data_vm, 7);
	CHECK_EQ(remap(mm, 9, 7, 7, MAY | LEAVE, 17), -ENOMEM);
	areas_done(mm);
}

TEST(a_full_space)
{
	const unsigned long all = TASK_SIZE - MMAP_MIN_ADDR;
	struct mm *mm = areas("");

	CHECK_EQ(vm_mmap(mm, NULL, 0, all, PROT_READ, ANON, 0), MMAP_MIN_ADDR);
	CHECK_EQ(remap(mm, 1, 1, 2, MAY, 0), -ENOMEM);
	CHECK_EQ(remap(mm, 1, 1, 1, MAY | LEAVE, 6), -ENOMEM);
	CHECK_EQ(vm_munmap(mm, at(3), pages(2)), 0);
	CHECK_EQ(remap(mm, 1, 1, 3, MAY, 0), -ENOMEM);
	CHECK_EQ(remap(mm, 1, 1, 2, MAY, 0), at(3));
	areas_done(mm);
}

TEST(the_largest_number_of_areas)
{
	struct mm *mm = areas("wwww....");
	const unsigned all = MAX_MAP_COUNT;
	unsigned n = 1;

	touch("wwww....");
	for (; n < all - 4; n++)
		CHECK(vm_mmap(mm, NULL, at(10 + 2 * n), PAGE_SIZE, PROT_READ, ANON | MAP_FIXED, 0) >
		      0);
	CHECK_EQ(remap(mm, 1, 1, 2, MAY | LEAVE, 6), -EINVAL);
	CHECK_EQ(remap(mm, 1, 1, 1, MAY | LEAVE, 6), -ENOMEM);
	CHECK_EQ(remap(mm, 1, 1, 1, TO, 6), -ENOMEM);
	CHECK_EQ(remap(mm, 1, 1, 2, MAY, 0), mm->mmap_base - pages(2));
	CHECK_EQ(mm->nr_areas, all - 2);
	CHECK_EQ(remap(mm, 0, 1, 2, 0, 0), at(0));
	CHECK_EQ(remap(mm, 2, 1, 2, MAY, 0), -ENOMEM);
	CHECK_EQ(mm->nr_areas, all - 3);
	areas_done(mm);
}

/* ---- failure ---- */

TEST(a_failing_mremap_changes_nothing)
{
	struct mm *mm = areas("wwwwww.rrrrrr.llll.");

	touch("wwwwww.rrrrrr.wwww.");
	/* Splits in both, an area, and how far; the table is there. */
	CHECK_EQ(FAILING(mm, remap(mm, 1, 3, 3, TO, 9), -ENOMEM), 8);
	CHECK_AREAS(mm, "w...ww.rrmmmr.llll.");
	/* Whole areas: nothing to split. */
	CHECK_EQ(FAILING(mm, remap(mm, 4, 2, 2, TO, 12), -ENOMEM), 3);
	CHECK_AREAS(mm, "w......rrmmmmmllll.");
	areas_done(mm);

	mm = areas("wwwwww....llll...rr");
	touch("wwwwww....wwww.....");
	CHECK_EQ(FAILING(mm, remap(mm, 1, 3, 1, 0, 0), -ENOMEM), 2);
	CHECK_EQ(FAILING(mm, remap(mm, 0, 2, 3, 0, 0), -ENOMEM), 0); /* in place */
	CHECK_EQ(FAILING(mm, remap(mm, 1, 1, 1, TO | LEAVE, 6), -ENOMEM), 2);
	CHECK_EQ(FAILING(mm, remap(mm, 11, 0, 2, TO, 15), -ENOMEM), 1);
	CHECK_EQ(FAILING(mm, remap(mm, 11, 2, 2, TO, 17), -ENOMEM), 5);
	areas_done(mm);
}
