/*
 * merge.c - the second primitive: what is inserted becomes part of an equal neighbour; and an area
 * whose protection changed melts with what it now equals.
 *
 *	Two neighbours A and B, N between them: four answers for N that is new (vma_insert), four
 *	for N that was there and has changed (vma_merge). Linux's vma_merge() knows the same eight.
 *
 *	     new:  A . N . B         changed:  A)[N)[B         N equals
 *	     ------------------------------------------------------------------
 *	  1        A)[N)[B        5            A)[N)[B         neither
 *	  2        A    )[B       6            A    )[B        the one before
 *	  3        A)[    B       7            A)[    B        the one after
 *	  4        A      B       8            A      B        both: one area is left
 *
 * Equal: same protection, flags and file, and the page offsets go on. Where an area is changed only
 * in part (a border moves), mprotect splits first: mprotect.c.
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/vmstat.h"

/* Inserts the area of @drawing that is at @column of it. */
static struct vm_area *insert(struct mm *mm, const char *drawing, unsigned column)
{
	struct vm_area want = area_like(drawing, column), *spare, *vma;

	down_write(&mm->mmap_lock);
	spare = vma_prepare();
	CHECK(spare);
	vma = vma_insert(mm, &want, spare);
	up_write(&mm->mmap_lock);
	CHECK(vma_lookup(mm, at(column)) == vma);
	return vma;
}

/* The area at @column gets the protection @prot, as by mprotect; then it may merge. */
static struct vm_area *change(struct mm *mm, unsigned column, u32 prot)
{
	struct vm_area *vma;

	down_write(&mm->mmap_lock);
	vma = vma_lookup(mm, at(column));
	vma_account(mm, vma, vma->vm_start, vma->vm_end, -1);
	vma->vm_prot = prot;
	vma_account(mm, vma, vma->vm_start, vma->vm_end, 1);
	vma = vma_merge(mm, vma);
	up_write(&mm->mmap_lock);
	CHECK(vma_lookup(mm, at(column)) == vma);
	return vma;
}

/* ---- a new area between two ---- */

/*
 *	r  r  .  .  x  x
 *	      w  w           equals neither
 */
TEST(case_1_new_equals_neither)
{
	struct mm *mm = areas("rr..xx");

	insert(mm, "..ww..", 2);
	CHECK_AREAS(mm, "rrwwxx");
	CHECK_EQ(mm->nr_areas, 3);
	areas_done(mm);
}

/*
 *	r  r  .  .  x  x
 *	      r  r           equals the one before, which grows
 */
TEST(case_2_new_equals_the_one_before)
{
	struct mm *mm = areas("rr..xx");
	struct vm_area *before = find_vma(mm, at(0));

	CHECK(insert(mm, "..rr..", 2) == before);
	CHECK_AREAS(mm, "rrrrxx");
	CHECK_EQ(mm->nr_areas, 2);
	areas_done(mm);
}

/*
 *	r  r  .  .  x  x
 *	      x  x           equals the one after, which begins earlier
 */
TEST(case_3_new_equals_the_one_after)
{
	struct mm *mm = areas("rr..xx");
	struct vm_area *after = find_vma(mm, at(4));

	CHECK(insert(mm, "..xx..", 2) == after);
	CHECK_AREAS(mm, "rrxxxx");
	CHECK_EQ(mm->nr_areas, 2);
	areas_done(mm);
}

/*
 *	R  R  .  .  R  R
 *	      R  R           equals both: the first of the three takes all
 */
TEST(case_4_new_equals_both)
{
	struct mm *mm = areas("RR..RR");
	struct vm_area *before = find_vma(mm, at(0));

	CHECK_EQ(host_file_refs(area_file(0)), 3);
	CHECK(insert(mm, "..RR..", 2) == before);
	CHECK_AREAS(mm, "RRRRRR");
	CHECK_EQ(mm->nr_areas, 1);
	CHECK_EQ(host_file_refs(area_file(0)), 2);
	areas_done(mm);
}

/* ---- an area between two has changed ---- */

/*
 *	r  r [w  w] x  x
 *	     [b  b]          equals neither
 */
TEST(case_5_changed_equals_neither)
{
	struct mm *mm = areas("rrwwxx");

	change(mm, 2, PROT_MASK);
	CHECK_AREAS(mm, "rrbbxx");
	CHECK_EQ(mm->nr_areas, 3);
	areas_done(mm);
}

/*
 *	r  r [w  w] x  x
 *	     [r  r]          equals the one before, which takes it
 */
TEST(case_6_changed_equals_the_one_before)
{
	struct mm *mm = areas("rrwwxx");
	struct vm_area *before = find_vma(mm, at(0));

	CHECK(change(mm, 2, PROT_READ) == before);
	CHECK_AREAS(mm, "rrrrxx");
	CHECK_EQ(mm->nr_areas, 2);
	areas_done(mm);
}

/*
 *	r  r [w  w] x  x
 *	     [x  x]          equals the one after: it stays, that one goes
 */
TEST(case_7_changed_equals_the_one_after)
{
	struct mm *mm = areas("rrwwxx");
	struct vm_area *vma = find_vma(mm, at(2));

	CHECK(change(mm, 2, PROT_READ | PROT_EXEC) == vma);
	CHECK_AREAS(mm, "rrxxxx");
	CHECK_EQ(mm->nr_areas, 2);
	areas_done(mm);
}

/*
 *	R  R [W  W] R  R
 *	     [R  R]          equals both: one area with one reference is left of three
 */
TEST(case_8_changed_equals_both)
{
	struct mm *mm = areas("RRWWRR");
	struct vm_area *before = find_vma(mm, at(0));

	CHECK_EQ(host_file_refs(area_file(0)), 4);
	CHECK(change(mm, 2, PROT_READ) == before);
	CHECK_AREAS(mm, "RRRRRR");
	CHECK_EQ(mm->nr_areas, 1);
	CHECK_EQ(host_file_refs(area_file(0)), 2);
	areas_done(mm);
}

/* ---- what keeps two neighbours apart, and what does not ---- */

static const struct {
	const char *before, *insert;
	unsigned column;
	const char *after;
	unsigned areas;
} rows[] = {
	/* equal, at the ends of the list and alone */
	{ "......", "..rr..", 2, "..rr..", 1 },
	{ "..rr..", "rr....", 0, "rrrr..", 1 },
	{ "..rr..", "....rr", 4, "..rrrr", 1 },
	{ "hh....", "..hh..", 2, "hhhh..", 1 },
	{ "QQ..QQ", "..QQ..", 2, "QQQQQQ", 1 },
	{ "nn..nn", "..nn..", 2, "nnnnnn", 1 },
	/* equal, but a page lies between */
	{ "rr.....", "...rr..", 3, "rr.rr..", 2 },
	{ ".....rr", "..rr...", 2, "..rr.rr", 2 },
	/* ... although the next page of the file follows */
	{ "SS..................", "..................RR", 18, "SS................RR", 2 },
	/* another protection */
	{ "rr..rr", "..ww..", 2, "rrwwrr", 3 },
	{ "rr..rr", "..nn..", 2, "rrnnrr", 3 },
	{ "ww..ww", "..bb..", 2, "wwbbww", 3 },
	/* other flags */
	{ "ww..ww", "..hh..", 2, "wwhhww", 3 },
	{ "ww..ww", "..oo..", 2, "wwooww", 3 },
	{ "ww..ww", "..ss..", 2, "wwssww", 3 },
	/* a file and none, another file, another part of the file */
	{ "RR..RR", "..rr..", 2, "RRrrRR", 3 },
	{ "rr..rr", "..RR..", 2, "rrRRrr", 3 },
	{ "RR..RR", "..QQ..", 2, "RRQQRR", 3 },
	{ "RR..RR", "..SS..", 2, "RRSSRR", 3 },
};

TEST(only_what_is_equal_in_everything_merges)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mm *mm = areas(rows[i].before);
		unsigned long total = mm->total_vm;

		insert(mm, rows[i].insert, rows[i].column);
		CHECK_ROW(i, areas_drawing(mm, drawing_columns(rows[i].after)), rows[i].after);
		CHECK_EQ(mm->nr_areas, rows[i].areas);
		CHECK_EQ(mm->total_vm, total + 2);
		areas_done(mm);
	}
}

/* The same as a question: two pages side by side, of each two kinds of areas. */
TEST(no_two_kinds_of_areas_are_equal)
{
	static const char letters[] = "nrwxbehosNRWXSQ";

	for (const char *a = letters; *a; a++) {
		for (const char *b = letters; *b; b++) {
			const char first[] = { *a, '\0' }, second[] = { '.', *b, '\0' };
			struct vm_area left = area_like(first, 0);
			struct vm_area right = area_like(second, 1);

			CHECK_EQ(vma_can_merge(&left, &right), *a == *b);
			CHECK(!vma_can_merge(&right, &left));
		}
	}
	area_file(1);
	areas_done(areas(""));
}

/* ---- what merging carries along ---- */

static unsigned areas_of_file(struct file *file)
{
	struct vm_area *vma;
	unsigned n = 0;

	list_for_each_entry(vma, &host_file_mapping(file)->areas, vm_mapping_link)
		n++;
	return n;
}

/* A truncation finds every page by the mapping's list: the merged area is on it once. */
TEST(the_files_list_has_the_merged_area_once)
{
	struct mm *mm = areas("RR..RR");

	CHECK_EQ(areas_of_file(area_file(0)), 2);
	insert(mm, "..RR..", 2);
	CHECK_EQ(areas_of_file(area_file(0)), 1);
	CHECK_EQ(vm_mprotect(mm, at(2), pages(2), PROT_NONE), 0);
	CHECK_EQ(areas_of_file(area_file(0)), 3);
	CHECK_EQ(vm_mprotect(mm, at(2), pages(2), PROT_READ), 0);
	CHECK_EQ(areas_of_file(area_file(0)), 1);
	areas_done(mm);
}

/* Anonymous pages in one of them: the whole may have some, whichever area it is that stays. */
TEST(anonymous_pages_are_not_forgotten)
{
	static const struct {
		const char *before, *insert;
		unsigned column;
	} ways[] = { { "ww..xx", "..ww..", 2 },
		     { "xx..ww", "..ww..", 2 },
		     { "ww..ww", "..ww..", 2 } };

	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		struct mm *mm = areas(ways[i].before);
		struct vm_area want = area_like(ways[i].insert, ways[i].column), *vma;

		/* As fork does it: the new area brings pages. */
		want.vm_anon = true;
		down_write(&mm->mmap_lock);
		vma = vma_insert(mm, &want, vma_prepare());
		up_write(&mm->mmap_lock);
		CHECK(vma->vm_anon);
		areas_done(mm);
	}
}

TEST(the_follower_tells_that_it_has_anonymous_pages)
{
	struct mm *mm = areas("rrww");

	touch("..ww");
	CHECK(!find_vma(mm, at(0))->vm_anon);
	CHECK_EQ(vm_mprotect(mm, at(0), pages(2), RW), 0);
	CHECK_AREAS(mm, "wwww");
	CHECK(find_vma(mm, at(0))->vm_anon);
	CHECK(tag_at(2) && tag_at(3));
	areas_done(mm);
}

/* Look-ups and gaps after a merge: the area that went away is found no more. */
TEST(look_ups_find_the_merged_area)
{
	struct mm *mm = areas("..rr..rr..xx");

	CHECK(find_vma(mm, at(7)) != find_vma(mm, at(3)));
	insert(mm, "....rr......", 4);
	CHECK(find_vma(mm, at(7)) == find_vma(mm, at(3)));
	CHECK_EQ(vma_find_gap(mm, pages(2), at(0), at(12)), at(8));
	CHECK_AREAS(mm, "..rrrrrr..xx");
	areas_done(mm);
}

TEST(merges_are_counted)
{
	struct mm *mm = areas("rr..rr");
	unsigned long before = vmstat_sum(VM_vma_merge);

	insert(mm, "..rr..", 2);
	CHECK_EQ(vmstat_sum(VM_vma_merge), before + 2);
	areas_done(mm);
}
