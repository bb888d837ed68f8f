/*
 * remove.c - the third primitive: everything in a range goes, areas, PTEs, frames and tables.
 *
 *	areas    [r  r  r)[w  w).  .[x  x)        pages   z  z  z  A  A  .  .  f  f
 *	remove         s  .  .  .  .  e
 *	areas    [r  r).  .  .  .  .[x  x)        pages   z  z  .  .  .  .  .  f  f
 *
 * The ends of the range cut areas in two; what lies outside is not touched, its pages included.
 */
#include "tests/host/unit/areas.h"
#include "tests/host/unit/failing.h"

#include "lib/errno.h"
#include "mm/buddy.h"
#include "mm/pgtable.h"
#include "mm/slab.h"
#include "mm/tlb.h"

static int remove_range(struct mm *mm, unsigned start, unsigned end)
{
	int err;

	down_write(&mm->mmap_lock);
	err = vma_remove(mm, at(start), at(end));
	up_write(&mm->mmap_lock);
	return err;
}

static const struct {
	const char *what, *before, *touched;
	unsigned start, end;
	const char *after, *pages;
} rows[] = {
	{ "nothing is mapped", "......", "......", 1, 4, "......", "......" },
	{ "a hole between areas", "rr..ww", "rr..ww", 2, 4, "rr..ww", "zz..AA" },
	{ "nothing before the areas", "..ww", "..ww", 0, 2, "..ww", "..AA" },
	{ "nothing behind the areas", "ww..", "ww..", 2, 4, "ww..", "AA.." },
	{ "an area exactly", ".wwww.", ".wwww.", 1, 5, "......", "......" },
	{ "an area and the space around", ".wwww.", ".wwww.", 0, 6, "......", "......" },
	{ "the head", "wwwwww", "wwwwww", 0, 2, "..wwww", "..AAAA" },
	{ "the head and the space before", "..wwww", "..wwww", 0, 4, "....ww", "....AA" },
	{ "the tail", "wwwwww", "wwwwww", 4, 6, "wwww..", "AAAA.." },
	{ "the tail and the space behind", "wwww..", "wwww..", 2, 6, "ww....", "AA...." },
	{ "the middle", "wwwwww", "wwwwww", 2, 4, "ww..ww", "AA..AA" },
	{ "one page of the middle", "RRRRR", "r.r.r", 2, 3, "RR.RR", "ff.ff" },
	{ "several, exactly", "rrwwxx", "rrwwxx", 0, 6, "......", "......" },
	{ "one of several", "rrwwxx", "rrwwxx", 2, 4, "rr..xx", "zz..zz" },
	{ "a tail and a head", "rrrwww", "rrrwww", 2, 4, "rr..ww", "zz..AA" },
	{ "a tail, all of one, a head", "rrrwwxxx", "rrrwwxxx", 2, 6, "rr....xx", "zz....zz" },
	{ "areas with holes", ".rr.ww..xx.", ".rr.ww..xx.", 2, 9, ".r.......x.", ".z.......z." },
	{ "everything", "RR.ww.QQnn", "rr.ww.rr..", 0, 10, "..........", ".........." },
	{ "pages that are not there", "wwwwww", "w....w", 1, 5, "w....w", "A....A" },
};

TEST(the_range_goes_and_nothing_else)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mm *mm = areas(rows[i].before);

		touch(rows[i].touched);
		CHECK_EQ(remove_range(mm, rows[i].start, rows[i].end), 0);
		CHECK_ROW(i, areas_drawing(mm, drawing_columns(rows[i].after)), rows[i].after);
		CHECK_ROW(i, pages_drawing(mm, drawing_columns(rows[i].pages)), rows[i].pages);
		for (unsigned c = 0; rows[i].pages[c]; c++)
			CHECK(rows[i].pages[c] != 'A' || tag_at(c));
		areas_done(mm);
	}
}

/* What is left of a file area goes on at the right page of the file. */
TEST(the_upper_half_keeps_its_offset)
{
	struct mm *mm = areas("RRRRRR");
	u8 byte;

	CHECK_EQ(remove_range(mm, 1, 4), 0);
	CHECK_AREAS(mm, "R...RR");
	CHECK_EQ(user_read(at(5), &byte, 1), FAULT_OK);
	CHECK_EQ(byte, file_pattern(host_file_nr(area_file(0)), pages(5)));
	areas_done(mm);
}

/* ---- frames ---- */

static unsigned long frames(void)
{
	return nr_free_pages() + slab_nr_pages();
}

/* The most that there ever was: of pages, and of areas. */
TEST(peaks_are_kept)
{
	struct mm *mm = areas("wwwwRR");

	touch("www.r.");
	CHECK_EQ(vm_mmap(mm, NULL, at(8), pages(5), PROT_READ, ANON, 0), at(8));
	CHECK_EQ(mm->hiwater_vm, 11);
	CHECK_EQ(remove_range(mm, 0, 12), 0);
	CHECK_EQ(mm->hiwater_vm, 11);
	CHECK(mm->hiwater_rss >= 4);
	CHECK_EQ(vm_mmap(mm, NULL, at(0), pages(2), PROT_READ, ANON, 0), at(0));
	CHECK_EQ(mm->hiwater_vm, 11);
	areas_done(mm);
}

TEST(frames_are_free_again)
{
	struct mm *mm = areas("wwwwwwww");
	unsigned long before;

	touch("w.......");
	before = frames();
	touch(".wwwwww.");
	CHECK_EQ(frames(), before - 6);
	CHECK_EQ(mm->rss_anon, 7);
	CHECK_EQ(remove_range(mm, 2, 5), 0);
	CHECK_EQ(frames(), before - 3);
	CHECK_EQ(mm->rss_anon, 4);
	CHECK_EQ(mm->hiwater_rss, 7);
	areas_done(mm);
}

/* A page that PROT_NONE hides is a page. */
TEST(hidden_pages_go_too)
{
	struct mm *mm = areas("wwwwRR");

	touch("wwwwrr");
	CHECK_EQ(vm_mprotect(mm, at(0), pages(6), PROT_NONE), 0);
	CHECK_PAGES(mm, "hhhhhh");
	CHECK_EQ(remove_range(mm, 1, 3), 0);
	CHECK_EQ(remove_range(mm, 4, 5), 0);
	CHECK_AREAS(mm, "n..n.N");
	CHECK_PAGES(mm, "h..h.h");
	CHECK_EQ(mm->rss_anon, 2);
	CHECK_EQ(mm->rss_file, 1);
	areas_done(mm);
}

/* The page cache keeps what it has: only the mapping goes. */
TEST(pages_of_a_file_stay_cached)
{
	struct mm *mm = areas("RRRR");
	struct page *page;
	pte_t *ptep;

	touch("rr..");
	ptep = pte_find(mm, at(1));
	page = pfn_to_page(pte_pfn(pte_read(ptep)));
	CHECK_EQ(atomic_read(&page->mapcount), 1);
	CHECK_EQ(remove_range(mm, 0, 4), 0);
	CHECK_EQ(atomic_read(&page->mapcount), 0);
	CHECK_EQ(page->type, PAGE_FILE);
	CHECK_EQ(mm->rss_file, 0);
	areas_done(mm);
}

/* More frames than one gather holds: it flushes and goes on. */
TEST(more_pages_than_a_gather_holds)
{
	struct mm *mm = areas("");
	const unsigned nr = 3 * GATHER_MAX + 5;
	unsigned long before = frames();

	CHECK_EQ(vm_mmap(mm, NULL, at(0), pages(nr), RW, ANON | MAP_FIXED | MAP_POPULATE, 0),
		 at(0));
	CHECK_EQ(mm->rss_anon, nr);
	CHECK_EQ(remove_range(mm, 0, nr), 0);
	CHECK_EQ(mm->rss_anon, 0);
	CHECK_EQ(frames(), before);
	areas_done(mm);
}

/* ---- tables: one of level 0 serves 2 MiB, one of level 1 serves 1 GiB ---- */

#define MB2 PT_SPAN(1)
#define GB1 PT_SPAN(2)

static void map_and_touch(struct mm *mm, unsigned long addr, unsigned nr)
{
	u32 flags = ANON | MAP_FIXED | MAP_POPULATE;

	CHECK_EQ(vm_mmap(mm, NULL, addr, pages(nr), RW, flags, 0), addr);
}

/*
 *	| 2 MiB        | 2 MiB        |
 *	   A     B   C C C
 */
TEST(a_table_goes_with_the_last_area_of_its_span)
{
	struct mm *mm = areas("");
	unsigned long a = AREAS_BASE + pages(2), b = AREAS_BASE + pages(8);
	unsigned long c = AREAS_BASE + MB2 - PAGE_SIZE;

	map_and_touch(mm, a, 1);
	map_and_touch(mm, b, 1);
	CHECK_EQ(mm->nr_ptes, 2); /* levels 1 and 0 */
	map_and_touch(mm, c, 3);
	CHECK_EQ(mm->nr_ptes, 3);
	CHECK_EQ(vm_munmap(mm, a, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 3);
	/* The tail of C: its second table has nobody else. */
	CHECK_EQ(vm_munmap(mm, c + PAGE_SIZE, pages(2)), 0);
	CHECK_EQ(mm->nr_ptes, 2);
	CHECK_EQ(vm_munmap(mm, c, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 2);
	CHECK_EQ(vm_munmap(mm, b, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 0);
	CHECK(pte_none(pte_read(&mm->pgd[pt_index(b, 2)])));
	areas_done(mm);
}

/* The table of a neighbour stays, be it above or below, and however many ranges go at once. */
TEST(a_neighbour_keeps_the_table)
{
	struct mm *mm = areas("");
	unsigned long low = AREAS_BASE + MB2 - PAGE_SIZE, high = AREAS_BASE + 3 * MB2;

	/* | . . L |M M M M| M M M H | */
	map_and_touch(mm, low, 1);
	map_and_touch(mm, high - PAGE_SIZE, 1);
	map_and_touch(mm, low + PAGE_SIZE, 4);
	map_and_touch(mm, low + PAGE_SIZE + MB2, 4);
	CHECK_EQ(mm->nr_ptes, 1 + 3);
	CHECK_EQ(vm_munmap(mm, low + PAGE_SIZE, 2 * MB2 - PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 1 + 2);
	CHECK_EQ(mm->rss_anon, 2);
	areas_done(mm);
}

TEST(tables_of_both_levels_and_of_the_last_page)
{
	struct mm *mm = areas("");

	map_and_touch(mm, 5 * GB1 - PAGE_SIZE, 2);  /* over a border of 1 GiB */
	map_and_touch(mm, TASK_SIZE - pages(2), 2); /* the highest there is */
	map_and_touch(mm, MMAP_MIN_ADDR, 1);	    /* the lowest */
	CHECK_EQ(mm->nr_ptes, 4 + 2 + 2);
	CHECK_EQ(vm_munmap(mm, 5 * GB1, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 2 + 2 + 2);
	CHECK_EQ(vm_munmap(mm, 5 * GB1 - PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 2 + 2);
	CHECK_EQ(vm_munmap(mm, TASK_SIZE - pages(2), pages(2)), 0);
	CHECK_EQ(mm->nr_ptes, 2);
	CHECK_EQ(vm_munmap(mm, 0, TASK_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 0);
	areas_done(mm);
}

/* Areas that were never touched have no tables; looking for them steps over the whole span. */
TEST(large_areas_without_pages)
{
	struct mm *mm = areas("");

	CHECK_EQ(vm_mmap(mm, NULL, GB1, 20 * GB1, PROT_READ, ANON | MAP_FIXED, 0), GB1);
	map_and_touch(mm, 3 * GB1 + 7 * MB2, 1);
	map_and_touch(mm, 3 * GB1 + 9 * MB2, 1);
	CHECK_EQ(mm->nr_ptes, 3);
	CHECK_EQ(vm_munmap(mm, 2 * GB1, 3 * GB1), 0);
	CHECK_EQ(mm->nr_ptes, 0);
	CHECK_EQ(mm->nr_areas, 2);
	areas_done(mm);
}

/* ---- failure ---- */

TEST(a_failing_removal_changes_nothing)
{
	struct mm *mm = areas("RRRRRR.wwwwww");

	touch("rrrr...wwwwww");
	CHECK_EQ(FAILING(mm, remove_range(mm, 2, 4), -ENOMEM), 2);
	CHECK_AREAS(mm, "RR..RR.wwwwww");
	CHECK_EQ(FAILING(mm, remove_range(mm, 5, 9), -ENOMEM), 2);
	CHECK_AREAS(mm, "RR..R....wwww");
	/* Borders that are there already need no memory. */
	CHECK_EQ(FAILING(mm, remove_range(mm, 0, 9), -ENOMEM), 0);
	CHECK_AREAS(mm, ".........wwww");
	areas_done(mm);
}
