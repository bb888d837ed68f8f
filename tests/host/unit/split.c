/*
 * split.c - the first primitive: areas are cut so that two addresses are borders.
 *
 *	before   [r  r  r  r  r  r)
 *	split          2        5
 *	after    [r  r)[r  r  r)[r)
 *
 * What a piece maps does not change by that: its file offset, its protection and flags, the pages
 * that are there. Only the number of areas grows, by 2 at most, and each piece of a file area holds
 * a reference of its own.
 */
#include "tests/host/unit/areas.h"
#include "tests/host/unit/failing.h"

#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/vmstat.h"

static const struct {
	const char *before;
	unsigned start, end;
	const char *after;
	unsigned splits;
} rows[] = {
	/* inside one area */
	{ "rrrrrr", 2, 5, "rr|rrr|r", 2 },
	{ "rrrrrr", 2, 3, "rr|r|rrr", 2 },
	{ "rrrrrr", 0, 4, "rrrr|rr", 1 },
	{ "rrrrrr", 4, 6, "rrrr|rr", 1 },
	/* borders are there already */
	{ "rrrrrr", 0, 6, "rrrrrr", 0 },
	{ ".rrrr.", 0, 6, ".rrrr.", 0 },
	{ "rrwwxx", 2, 4, "rrwwxx", 0 },
	{ "rr..xx", 2, 4, "rr..xx", 0 },
	/* over several areas */
	{ "rrrwwwxxx", 1, 8, "r|rrwwwxx|x", 2 },
	{ "rrrwwwxxx", 3, 7, "rrrwwwx|xx", 1 },
	{ "rrr...xxx", 2, 7, "rr|r...x|xx", 2 },
	/* one end, or both, where nothing is */
	{ "..rrrr", 1, 4, "..rr|rr", 1 },
	{ "rrrr..", 2, 5, "rr|rr..", 1 },
	{ "rr....xx", 3, 5, "rr....xx", 0 },
	{ "......", 1, 4, "......", 0 },
	/* the pieces keep what they are: the offsets in a file, the flags */
	{ "RRRRRR", 2, 4, "RR|RR|RR", 2 },
	{ ".SSSS.", 2, 4, ".S|SS|S.", 2 },
	{ "hhhhoooo", 1, 7, "h|hhhooo|o", 2 },
	{ "nnnn", 1, 2, "n|n|nn", 2 },
};

TEST(both_addresses_become_borders)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mm *mm = areas(rows[i].before);
		unsigned long total = mm->total_vm;
		unsigned nr = mm->nr_areas;

		down_write(&mm->mmap_lock);
		CHECK_EQ(vma_splits(mm, at(rows[i].start), at(rows[i].end)), rows[i].splits);
		CHECK_EQ(vma_split_range(mm, at(rows[i].start), at(rows[i].end)), 0);
		CHECK_ROW(i, areas_drawing(mm, drawing_columns(rows[i].after)), rows[i].after);
		CHECK_EQ(mm->nr_areas, nr + rows[i].splits);
		CHECK_EQ(mm->total_vm, total);
		up_write(&mm->mmap_lock);
		CHECK_EQ(vm_munmap(mm, at(0), pages(AREAS_COLUMNS)), 0);
		areas_done(mm);
	}
}

/* The pieces of a file area: one reference, and one place in the mapping's list, for each. */
TEST(each_piece_of_a_file_area_holds_the_file)
{
	struct mm *mm = areas("..RRRRRR..");
	struct address_space *as = host_file_mapping(area_file(0));
	struct vm_area *vma;
	unsigned listed = 0;

	CHECK_EQ(host_file_refs(area_file(0)), 2);
	down_write(&mm->mmap_lock);
	CHECK_EQ(vma_split_range(mm, at(4), at(6)), 0);
	up_write(&mm->mmap_lock);
	CHECK_EQ(host_file_refs(area_file(0)), 4);
	list_for_each_entry(vma, &as->areas, vm_mapping_link)
		listed++;
	CHECK_EQ(listed, 3);
	CHECK_EQ(vm_munmap(mm, at(0), pages(10)), 0);
	CHECK(list_empty(&as->areas));
	areas_done(mm);
}

/* fork looks for anonymous pages only where an area says that it may have some. */
TEST(each_piece_knows_that_it_may_have_anonymous_pages)
{
	struct mm *mm = areas("WWWWWW");

	touch("w.....");
	down_write(&mm->mmap_lock);
	CHECK_EQ(vma_split_range(mm, at(2), at(4)), 0);
	for (struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next)
		CHECK(vma->vm_anon);
	up_write(&mm->mmap_lock);
	CHECK(tag_at(0));
	CHECK_PAGES(mm, "A.....");
	CHECK_EQ(vm_munmap(mm, at(0), pages(6)), 0);
	areas_done(mm);
}

/* The area that a look-up found last may be the one that is cut. */
TEST(the_last_hit_is_cut)
{
	struct mm *mm = areas("rrrrrr");
	struct vm_area *lower;

	down_write(&mm->mmap_lock);
	lower = find_vma(mm, at(3));
	CHECK_EQ(vma_split_range(mm, at(2), at(6)), 0);
	CHECK(find_vma(mm, at(3)) == lower->vm_next);
	CHECK(find_vma(mm, at(1)) == lower);
	up_write(&mm->mmap_lock);
	CHECK_EQ(vm_munmap(mm, at(0), pages(6)), 0);
	areas_done(mm);
}

static int split_locked(struct mm *mm, unsigned start, unsigned end)
{
	int err;

	down_write(&mm->mmap_lock);
	err = vma_split_range(mm, at(start), at(end));
	up_write(&mm->mmap_lock);
	return err;
}

/* When the second cut fails the first is taken back. */
TEST(a_failing_split_leaves_the_list_as_it_was)
{
	struct mm *mm = areas(".RRRRRR.hhhh");

	touch(".rrrrrr.wwww");
	CHECK_EQ(FAILING(mm, split_locked(mm, 2, 5), -ENOMEM), 2);
	CHECK_AREAS(mm, ".R|RRR|RR.hhhh");
	CHECK_EQ(FAILING(mm, split_locked(mm, 7, 10), -ENOMEM), 1);
	CHECK_AREAS(mm, ".R|RRR|RR.hh|hh");
	CHECK_EQ(vm_munmap(mm, at(0), pages(12)), 0);
	areas_done(mm);
}

TEST(splits_are_counted)
{
	struct mm *mm = areas("rrrr");
	unsigned long before = vmstat_sum(VM_vma_split);

	CHECK_EQ(split_locked(mm, 1, 2), 0);
	CHECK_EQ(vmstat_sum(VM_vma_split), before + 2);
	CHECK_EQ(vm_munmap(mm, at(0), pages(4)), 0);
	areas_done(mm);
}
