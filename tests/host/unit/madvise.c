/*
 * madvise.c - advice about a range: pages go, or come, and the area stays; or its flags change.
 *
 *	areas    [w  w  w  w)       pages   A  A  A  A
 *	DONTNEED     s     e
 *	areas    [w  w  w  w)       pages   A  .  .  A      the next touch: zeros, or the file
 *
 *	DONTFORK     s     e
 *	areas    [w)[d  d)[w)
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/vmstat.h"
#include "tests/host/unit/failing.h"

enum {
	NORMAL,
	RANDOM,
	SEQUENTIAL,
	WILLNEED,
	DONTNEED,
	FREE = 8,
	REMOVE,
	DONTFORK,
	DOFORK,
	HUGEPAGE = 14,
	NOHUGEPAGE,
	DONTDUMP,
	DODUMP,
	WIPEONFORK,
	KEEPONFORK,
	COLD,
	PAGEOUT,
	POPULATE_READ,
	POPULATE_WRITE,
	DONTNEED_LOCKED,
};

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

TEST(advice_that_changes_nothing)
{
	static const int harmless[] = { NORMAL, WILLNEED, NOHUGEPAGE, COLD, PAGEOUT };
	static const int unknown[] = { -1, 5, 6, 7, 12, 13, HUGEPAGE, 25, 26, 100, 101, INT_MIN };
	struct mm *mm = areas("ww.ww");

	touch("ww.ww");
	for (unsigned i = 0; i < ARRAY_SIZE(harmless); i++) {
		CHECK_EQ(advise(0, 2, harmless[i]), 0);
		CHECK_EQ(advise(0, 5, harmless[i]), -ENOMEM);
		CHECK_EQ(advise(2, 3, harmless[i]), -ENOMEM);
		CHECK_PAGES(mm, "AA.AA");
		CHECK_AREAS(mm, "ww.ww");
	}
	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
		CHECK_EQ(advise(0, 2, unknown[i]), -EINVAL);
		CHECK_PAGES(mm, "AA.AA");
	}
	areas_done(mm);
}

static const struct {
	const char *before;
	unsigned start, end;
	int advice, result;
	const char *after;
} edits[] = {
	{ "wwww", 1, 3, RANDOM, 0, "waaw" },
	{ "waaw", 1, 3, SEQUENTIAL, 0, "wqqw" },
	{ "wqaw", 0, 4, NORMAL, 0, "wwww" },
	{ "wqaw", 0, 2, SEQUENTIAL, 0, "qqaw" },
	{ "wwww", 0, 4, DONTFORK, 0, "dddd" },
	{ "wwww", 2, 4, DONTFORK, 0, "wwdd" },
	{ "wddw", 1, 2, DOFORK, 0, "wwdw" },
	{ "wddw", 0, 4, DOFORK, 0, "wwww" },
	{ "wwww", 3, 4, DONTDUMP, 0, "wwwu" },
	{ "wwwu", 0, 4, DODUMP, 0, "wwww" },
	{ "wwww", 0, 1, WIPEONFORK, 0, "ywww" },
	{ "ywww", 0, 2, KEEPONFORK, 0, "wwww" },
	{ "RRRR", 1, 2, RANDOM, 0, "RARR" },
	{ "RARR", 0, 4, NORMAL, 0, "RRRR" },
	/* nothing to change: nothing is split */
	{ "wwww", 1, 3, DOFORK, 0, "wwww" },
	{ "dddd", 1, 3, DONTFORK, 0, "dddd" },
	/* holes */
	{ "ww.ww", 1, 4, DONTFORK, -ENOMEM, "wd.dw" },
	{ "ww.ww", 2, 4, DONTFORK, -ENOMEM, "ww.dw" },
	{ "ww..", 1, 4, DONTFORK, -ENOMEM, "wd.." },
	{ "ww..ww", 2, 4, DONTFORK, -ENOMEM, "ww..ww" },
	/* what an area must be: those before it are changed */
	{ "wRww", 0, 4, WIPEONFORK, -EINVAL, "yRww" },
	{ "wRww", 1, 3, WIPEONFORK, -EINVAL, "wRww" },
	{ "wRww", 0, 4, KEEPONFORK, 0, "wRww" },
};

TEST(flags_split_and_merge)
{
	for (unsigned i = 0; i < ARRAY_SIZE(edits); i++) {
		struct mm *mm = areas(edits[i].before);

		CHECK_EQ(advise(edits[i].start, edits[i].end, edits[i].advice), edits[i].result);
		CHECK_ROW(i, areas_drawing(mm, drawing_columns(edits[i].after)), edits[i].after);
		areas_done(mm);
	}
}

TEST(flags_need_memory_for_splits)
{
	struct mm *mm = areas("wwww");

	CHECK_EQ(FAILING(mm, advise(1, 3, DONTFORK), -EAGAIN), 2);
	CHECK_AREAS(mm, "wddw");
	CHECK_EQ(FAILING(mm, advise(0, 4, DOFORK), -EAGAIN), 0);
	CHECK_AREAS(mm, "wwww");
	areas_done(mm);
}

/* ---- fork ---- */

TEST(what_a_child_gets)
{
	struct mm *mm = areas("wdwyyw"), *child;
	u32 word = 1;

	touch("wwwwww");
	child = mm_fork(mm);
	machine_use_mm(child);
	CHECK_AREAS(child, "w.wyyw");
	CHECK_PAGES(child, "a.a..a");
	CHECK_EQ(user_read(at(1), &word, sizeof(word)), FAULT_SEGV_MAPERR);
	CHECK_EQ(user_read(at(3), &word, sizeof(word)), FAULT_OK);
	CHECK_EQ(word, 0);
	CHECK(tag_at(0) && tag_at(2) && tag_at(5));
	machine_use_mm(mm);
	mm_put(child);
	CHECK(tag_at(1) && tag_at(3) && tag_at(4));
	areas_done(mm);
}

/* ---- locked areas ---- */

TEST(what_locked_areas_are_spared)
{
	static const int spared[] = { DONTNEED, FREE, COLD, PAGEOUT };
	struct mm *mm = areas("wwppkw");

	for (unsigned i = 0; i < ARRAY_SIZE(spared); i++) {
		touch("wwwwww");
		CHECK_EQ(advise(2, 3, spared[i]), -EINVAL);
		CHECK_EQ(advise(4, 5, spared[i]), -EINVAL);
		CHECK_PAGES(mm, "AAAAAA");
		CHECK_EQ(advise(1, 6, spared[i]), -EINVAL); /* what lies before is advised */
		CHECK_PAGES(mm, spared[i] == DONTNEED || spared[i] == FREE ? "A.AAAA" : "AAAAAA");
	}
	CHECK_EQ(advise(2, 6, DONTNEED_LOCKED), 0);
	CHECK_PAGES(mm, "AA....");
	CHECK_AREAS(mm, "wwppkw");
	areas_done(mm);
}

TEST(only_private_anonymous_memory_is_freed)
{
	struct mm *mm = areas("wwWWnn");

	touch("wwwr..");
	CHECK_EQ(advise(0, 2, FREE), 0);
	CHECK_PAGES(mm, "..Af..");
	CHECK_EQ(advise(2, 4, FREE), -EINVAL);
	CHECK_EQ(advise(4, 6, FREE), 0);
	CHECK_PAGES(mm, "..Af..");
	touch("ww....");
	CHECK_EQ(advise(1, 4, FREE), -EINVAL);
	CHECK_PAGES(mm, "A.Af..");
	areas_done(mm);
}

/* ---- files ---- */

static unsigned nr_cached(struct file *file)
{
	u8 vec[AREA_FILE_PAGES] = {};
	unsigned nr = 0;

	while (disk_complete())
		;
	filemap_note_cached(host_file_mapping(file), 0, AREA_FILE_PAGES, vec);
	for (unsigned i = 0; i < AREA_FILE_PAGES; i++)
		nr += vec[i];
	return nr;
}

TEST(willneed_reads_the_pages_and_maps_none)
{
	struct mm *mm = areas("RRRRRRRRRRRRRRRRRRRRRRRR.ww");

	CHECK_EQ(advise(3, 5, WILLNEED), 0);
	CHECK_EQ(nr_cached(area_file(0)), 2);
	CHECK_EQ(advise(0, 20, WILLNEED), 0);
	CHECK_EQ(nr_cached(area_file(0)), 20);
	CHECK_EQ(advise(20, 27, WILLNEED), -ENOMEM);
	CHECK_EQ(nr_cached(area_file(0)), 24);
	CHECK_EQ(mm->rss_file, 0);
	/* the fault finds it */
	touch("r");
	CHECK_EQ(vmstat_sum(VM_pgmajfault), 0);
	areas_done(mm);
}

TEST(willneed_past_the_end_and_without_memory)
{
	struct file *file = host_file(FILE_DISK, pages(2)), *tmp = host_file(FILE_TMPFS, pages(2));
	struct mm *mm = areas("");

	CHECK_EQ(vm_mmap(mm, file, at(0), pages(8), PROT_READ, MAP_PRIVATE | MAP_FIXED, 0), at(0));
	CHECK_EQ(vm_mmap(mm, tmp, at(8), pages(8), PROT_READ, MAP_PRIVATE | MAP_FIXED, 0), at(8));
	current->fail_alloc = 1;
	CHECK_EQ(advise(0, 8, WILLNEED), 0);
	CHECK_EQ(current->fail_alloc, 0);
	current->killed = true;
	CHECK_EQ(advise(0, 8, WILLNEED), 0);
	CHECK_EQ(nr_cached(file), 1); /* the one behind the page that could not be had */
	current->killed = false;
	CHECK_EQ(advise(0, 16, WILLNEED), 0);
	CHECK_EQ(nr_cached(file), 2);
	CHECK_EQ(nr_cached(tmp), 0); /* a hole is a hole */
	areas_done(mm);
	file_put(file);
	file_put(tmp);
}

/* A fault brings its neighbours along, but not where the program said that this is no use. */
TEST(random_means_no_read_ahead)
{
	struct mm *mm = areas("RRRRRRRRRRRRRRRRAAAAAAAAAAAAAAAA");

	touch("....................r");
	CHECK_EQ(nr_cached(area_file(0)), 1);
	touch("..r");
	CHECK_EQ(nr_cached(area_file(0)), 17);
	areas_done(mm);
}

/* ---- holes in files ---- */

static struct mm *shared_memory(struct file **file, unsigned n, u32 prot)
{
	struct mm *mm = areas("");

	*file = host_file(FILE_TMPFS, pages(n));
	CHECK_EQ(vm_mmap(mm, *file, at(0), pages(n), prot, MAP_SHARED | MAP_FIXED, 0), at(0));
	return mm;
}

TEST(remove_makes_a_hole_for_all)
{
	struct file *file;
	struct mm *mm = shared_memory(&file, 4, RW), *other;
	u32 word = 1;

	/* The other has a private copy of page 1, and the file's page 2. */
	touch("wwww");
	other = mm_alloc();
	machine_run_on(1);
	machine_use_mm(other);
	CHECK_EQ(vm_mmap(other, file, at(0), pages(4), RW, MAP_PRIVATE | MAP_FIXED, 0), at(0));
	touch(".wr.");
	machine_run_on(0);
	CHECK_EQ(advise(1, 3, REMOVE), 0);
	CHECK_PAGES(mm, "f..f");
	CHECK_PAGES(other, "fA.f");
	CHECK_EQ(user_read(at(1), &word, sizeof(word)), FAULT_OK);
	CHECK_EQ(word, 0);
	CHECK(tag_at(0) && tag_at(3));
	machine_run_on(1);
	CHECK_EQ(user_read(at(2), &word, sizeof(word)), FAULT_OK);
	CHECK_EQ(word, 0);
	CHECK(tag_at(1));
	machine_check();
	machine_use_mm(NULL);
	mm_put(other);
	machine_run_on(0);
	areas_done(mm);
	file_put(file);
}

TEST(parts_of_pages_become_zeros)
{
	struct file *file;
	struct mm *mm = shared_memory(&file, 3, RW);
	struct address_space *as = host_file_mapping(file);
	static const u8 ones[] = { 1, 1, 1, 1 };
	u8 got[4];

	CHECK_EQ(user_write(at(0) + 98, ones, 4), FAULT_OK);
	CHECK_EQ(user_write(at(2) + 98, ones, 4), FAULT_OK);
	filemap_punch(as, 100, pages(2) + 100);
	CHECK_EQ(user_read(at(0) + 98, got, 4), FAULT_OK);
	CHECK(got[1] == 1 && got[2] == 0);
	CHECK_EQ(user_read(at(2) + 98, got, 4), FAULT_OK);
	CHECK(got[1] == 0 && got[2] == 1);
	filemap_punch(as, pages(2) + 100, pages(2) + 101); /* in one page */
	CHECK_EQ(user_read(at(2) + 98, got, 4), FAULT_OK);
	CHECK(got[2] == 0 && got[3] == 1);
	filemap_punch(as, pages(1) + 1, pages(1) + 2); /* nothing is there */
	CHECK_EQ(as->nr_pages, 2);
	areas_done(mm);
	file_put(file);
}

TEST(what_is_not_removed)
{
	struct file *file;
	struct mm *mm = shared_memory(&file, 2, PROT_READ);

	CHECK_EQ(map_anon(mm, at(2), 1, RW, MAP_FIXED), at(2));
	CHECK_EQ(vm_mmap(mm, file, at(3), pages(1), RW, MAP_PRIVATE | MAP_FIXED, 0), at(3));
	CHECK_EQ(vm_mmap(mm, file, at(4), pages(1), RW, MAP_SHARED | MAP_LOCKED | MAP_FIXED, 0),
		 at(4));
	CHECK_EQ(vm_mmap(mm, area_file(0), at(5), pages(1), RW, MAP_SHARED | MAP_FIXED, 0), at(5));
	CHECK_EQ(advise(0, 1, REMOVE), -EACCES);
	CHECK_EQ(advise(2, 3, REMOVE), -EINVAL);
	CHECK_EQ(advise(3, 4, REMOVE), -EACCES);
	CHECK_EQ(advise(4, 5, REMOVE), -EINVAL);
	CHECK_EQ(advise(5, 6, REMOVE), -EOPNOTSUPP); /* a disk's */
	CHECK_EQ(advise(6, 7, REMOVE), -ENOMEM);
	areas_done(mm);
	file_put(file);
}

static struct mm *toucher;

/* Another hart uses the page whenever it can, and finds nothing wrong with it. */
static void touch_it(bool locked)
{
	struct mm *mm = current->mm;

	if (locked)
		return;
	machine_run_on(1);
	if (!current->mm)
		machine_use_mm(toucher);
	touch("ww");
	down_write(&toucher->mmap_lock);
	CHECK_EQ(mm_check(toucher), 0);
	up_write(&toucher->mmap_lock);
	machine_run_on(0);
	CHECK(current->mm == mm);
}

TEST(the_page_is_used_while_it_goes)
{
	struct file *file;
	struct mm *mm = shared_memory(&file, 2, RW);

	touch("ww");
	toucher = mm;
	machine_meanwhile = touch_it;
	CHECK_EQ(advise(0, 2, REMOVE), 0);
	machine_meanwhile = NULL;
	machine_check();
	machine_run_on(1);
	machine_use_mm(NULL);
	machine_run_on(0);
	areas_done(mm);
	file_put(file);
}

/* ---- populate ---- */

static const struct {
	const char *areas;
	unsigned start, end;
	int advice, result;
	const char *pages;
} populates[] = {
	{ "wwww", 1, 3, POPULATE_READ, 0, ".zz." },
	{ "wwww", 1, 3, POPULATE_WRITE, 0, ".AA." },
	{ "WW", 0, 2, POPULATE_READ, 0, "ff" },
	{ "WW", 0, 2, POPULATE_WRITE, 0, "AA" },
	{ "rr", 0, 2, POPULATE_READ, 0, "zz" },
	{ "rr", 0, 2, POPULATE_WRITE, -EINVAL, ".." },
	{ "ee", 0, 2, POPULATE_READ, -EINVAL, ".." },
	{ "nn", 0, 2, POPULATE_READ, -EINVAL, ".." },
	{ "wrww", 0, 4, POPULATE_WRITE, -EINVAL, "A..." },
	{ "kk", 0, 2, POPULATE_WRITE, 0, "AA" },
	/* a hole: the rest is populated */
	{ "w.ww", 0, 4, POPULATE_WRITE, -ENOMEM, "A.AA" },
	{ ".www", 0, 2, POPULATE_READ, -ENOMEM, ".z.." },
	{ "ww..", 1, 4, POPULATE_READ, -ENOMEM, ".z.." },
	{ "....", 1, 4, POPULATE_READ, -ENOMEM, "...." },
};

TEST(populate_by_the_right_that_is_asked_for)
{
	for (unsigned i = 0; i < ARRAY_SIZE(populates); i++) {
		struct mm *mm = areas(populates[i].areas);

		CHECK_EQ(advise(populates[i].start, populates[i].end, populates[i].advice),
			 populates[i].result);
		CHECK_ROW(i, pages_drawing(mm, drawing_columns(populates[i].pages)),
			  populates[i].pages);
		CHECK_AREAS(mm, populates[i].areas);
		areas_done(mm);
	}
}

TEST(populate_past_the_end_of_a_file)
{
	struct file *file = host_file(FILE_DISK, pages(1));
	struct mm *mm = areas("");

	CHECK_EQ(vm_mmap(mm, file, at(0), pages(2), RW, MAP_PRIVATE | MAP_FIXED, 0), at(0));
	CHECK_EQ(advise(0, 2, POPULATE_READ), -EFAULT);
	CHECK_EQ(advise(0, 2, POPULATE_WRITE), -EFAULT);
	CHECK_PAGES(mm, "A.");
	areas_done(mm);
	file_put(file);
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
	CHECK_EQ(FAILING(mm, advise(0, 1, FREE), -ENOMEM), 0);
	areas_done(mm);
}
