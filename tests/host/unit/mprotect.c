/*
 * mprotect.c - other rights for a range: split at both ends, change, merge what is equal now. The
 * PTEs that are there follow at once.
 *
 *	areas    [w  w  w  w  w  w)       pages   A  A  A  A  .  .
 *	r--            s  .  .  e
 *	areas    [w  w)[r  r  r)[w)       pages   A  A  a  a  .  .
 *
 * W comes back at once only to a page that nobody shares; any other waits for its fault. PROT_NONE
 * hides a page and keeps it.
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/pgtable.h"
#include "tests/host/unit/failing.h"

#define NONE PROT_NONE
#define R__  PROT_READ
#define RX   (PROT_READ | PROT_EXEC)
#define RWX  PROT_MASK

static int protect(struct mm *mm, unsigned start, unsigned end, u32 prot)
{
	return vm_mprotect(mm, at(start), at(end) - at(start), prot);
}

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

/* ---- rights ---- */

static const char *rights(struct mm *mm, unsigned column)
{
	static char text[4][8];
	static unsigned turn;
	pte_t pte = pte_read(pte_find(mm, at(column)));
	char *p = text[turn++ % 4];

	/* A valid entry with G would be every address space's. */
	snprintf(p, sizeof(text[0]), "%s%c%c%c%c", pte.val & PTE_V && pte.val & PTE_G ? "g" : "",
		 pte.val & PTE_V ? 'v' : '-', pte.val & PTE_R ? 'r' : '-',
		 pte.val & PTE_W ? 'w' : '-', pte.val & PTE_X ? 'x' : '-');
	return text[(turn - 1) % 4];
}

/* Sv39 has no page that can be written to but not read. */
TEST(every_right_as_the_hardware_has_it)
{
	static const struct {
		u32 prot;
		const char *pte;
		enum fault_result read, write, fetch;
	} rows[] = {
		{ PROT_NONE, "----", FAULT_SEGV_ACCERR, FAULT_SEGV_ACCERR, FAULT_SEGV_ACCERR },
		{ PROT_READ, "vr--", FAULT_OK, FAULT_SEGV_ACCERR, FAULT_SEGV_ACCERR },
		{ PROT_WRITE, "vrw-", FAULT_OK, FAULT_OK, FAULT_SEGV_ACCERR },
		{ PROT_READ | PROT_WRITE, "vrw-", FAULT_OK, FAULT_OK, FAULT_SEGV_ACCERR },
		{ PROT_EXEC, "v--x", FAULT_SEGV_ACCERR, FAULT_SEGV_ACCERR, FAULT_OK },
		{ PROT_READ | PROT_EXEC, "vr-x", FAULT_OK, FAULT_SEGV_ACCERR, FAULT_OK },
		{ PROT_WRITE | PROT_EXEC, "vrwx", FAULT_OK, FAULT_OK, FAULT_OK },
		{ PROT_MASK, "vrwx", FAULT_OK, FAULT_OK, FAULT_OK },
	};
	u32 byte = 0;
	u64 word;

	/* From each to each: whatever was there before, these rights are left. */
	for (unsigned from = 0; from < 8; from++) {
		for (unsigned to = 0; to < 8; to++) {
			struct mm *mm = areas("www");

			touch("www");
			CHECK_EQ(protect(mm, 1, 2, rows[from].prot), 0);
			CHECK_EQ(protect(mm, 1, 2, rows[to].prot), 0);
			CHECK_STRING(rights(mm, 1), rows[to].pte);
			CHECK_EQ(user_read(at(1), &byte, 1), rows[to].read);
			CHECK_EQ(user_write(at(1), &byte, 1), rows[to].write);
			CHECK_EQ(user_fetch(at(1), &word), rows[to].fetch);
			CHECK_STRING(rights(mm, 0), "vrw-");
			CHECK_STRING(rights(mm, 2), "vrw-");
			areas_done(mm);
		}
	}
}

TEST(prot_none_hides_the_frame_and_keeps_it)
{
	struct mm *mm = areas("wwRR");
	unsigned long pfn[4];
	u8 byte;

	touch("wwrr");
	for (unsigned i = 0; i < 4; i++)
		pfn[i] = pte_pfn(pte_read(pte_find(mm, at(i))));
	CHECK_EQ(protect(mm, 0, 4, PROT_NONE), 0);
	CHECK_AREAS(mm, "nnNN");
	CHECK_PAGES(mm, "hhhh");
	CHECK_EQ(mm->rss_anon, 2);
	CHECK_EQ(mm->rss_file, 2);
	CHECK_EQ(user_read(at(0), &byte, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(user_read(at(2), &byte, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(protect(mm, 0, 4, RW), 0);
	CHECK_AREAS(mm, "wwWW");
	CHECK_PAGES(mm, "AAff");
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(pte_pfn(pte_read(pte_find(mm, at(i)))), pfn[i]);
	CHECK(tag_at(0) && tag_at(1));
	areas_done(mm);
}

/* The zero page and pages of files are shared: W waits for the fault that copies. */
TEST(shared_pages_are_not_writable_at_once)
{
	struct mm *mm = areas("rrrRRR");
	struct page *cached;
	u8 byte;

	touch("rr.r.."); /* the file's next pages are read ahead, and mapped around */
	cached = pfn_to_page(pte_pfn(pte_read(pte_find(mm, at(3)))));
	CHECK_PAGES(mm, "zz.fff");
	CHECK_EQ(protect(mm, 0, 6, RW), 0);
	CHECK_AREAS(mm, "wwwWWW");
	CHECK_PAGES(mm, "zz.fff");
	touch("w..w..");
	CHECK_PAGES(mm, "Az.Aff");
	CHECK(tag_at(0) && tag_at(3));
	/* The file has not seen it. */
	CHECK_EQ(*(u8 *)page_address(cached), file_pattern(host_file_nr(area_file(0)), pages(3)));
	CHECK_EQ(user_read(at(1), &byte, 1), FAULT_OK);
	CHECK_EQ(byte, 0);
	areas_done(mm);
}

/* After fork the pages are two owners': neither may get W back without the copy. */
TEST(copy_on_write_still_copies)
{
	struct mm *parent = areas("ww"), *child;
	unsigned other = 77;

	touch("ww");
	child = mm_fork(parent);
	CHECK_PAGES(parent, "aa");
	CHECK_EQ(protect(parent, 0, 2, PROT_READ), 0);
	CHECK_EQ(protect(parent, 0, 2, RW), 0);
	CHECK_PAGES(parent, "aa");
	CHECK_EQ(user_write(at(0), &other, sizeof(other)), FAULT_OK);
	CHECK_PAGES(parent, "Aa");
	machine_use_mm(child);
	CHECK(tag_at(0) && tag_at(1));
	/* Now the first page is the child's alone. */
	CHECK_EQ(protect(child, 0, 2, PROT_READ), 0);
	CHECK_EQ(protect(child, 0, 2, RW), 0);
	CHECK_PAGES(child, "Aa");
	machine_use_mm(parent);
	mm_put(child);
	areas_done(parent);
}

/* What has these rights already is not touched: W waits for its fault as before. */
TEST(the_same_rights_change_nothing)
{
	struct mm *mm = areas("ww");

	touch("ww");
	mm_put(mm_fork(mm));
	CHECK_PAGES(mm, "aa");
	CHECK_EQ(protect(mm, 0, 1, RW), 0);
	CHECK_PAGES(mm, "aa");
	CHECK_EQ(protect(mm, 0, 1, RWX), 0);
	CHECK_PAGES(mm, "Aa");
	areas_done(mm);
}

/* Code is written, then run. */
TEST(what_was_written_is_fetched)
{
	struct mm *mm = areas("w");
	u64 code = 0x11, word;

	CHECK_EQ(user_write(at(0), &code, sizeof(code)), FAULT_OK);
	CHECK_EQ(protect(mm, 0, 1, RX), 0);
	CHECK_EQ(user_fetch(at(0), &word), FAULT_OK);
	CHECK_EQ(word, code);
	areas_done(mm);
}

/* The same frame, with other code for each program: the last one's is still in the cache. */
TEST(a_frame_that_had_other_code)
{
	struct mm *mm = areas("");
	u64 word;

	for (u64 code = 1; code < 6; code++) {
		CHECK_EQ(vm_mmap(mm, NULL, at(0), PAGE_SIZE, RW, ANON | MAP_FIXED, 0), at(0));
		CHECK_EQ(user_write(at(0), &code, sizeof(code)), FAULT_OK);
		CHECK_EQ(protect(mm, 0, 1, RX), 0);
		CHECK_EQ(user_fetch(at(0), &word), FAULT_OK);
		CHECK_EQ(word, code);
		CHECK_EQ(vm_munmap(mm, at(0), PAGE_SIZE), 0);
	}
	areas_done(mm);
}

/* Harts with stale translations may not use a right that was taken away. */
TEST(other_harts_forget_what_they_lost)
{
	struct mm *mm = areas("wwwwww");

	for (unsigned hart = 0; hart < 3; hart++) {
		machine_run_on(hart);
		machine_use_mm(mm);
		touch("wwwwww");
	}
	machine_run_on(0);
	CHECK_EQ(protect(mm, 1, 3, PROT_READ), 0);
	CHECK_EQ(protect(mm, 4, 5, PROT_NONE), 0);
	for (unsigned hart = 0; hart < 3; hart++) {
		u8 byte = 1;

		machine_run_on(hart);
		CHECK_EQ(user_write(at(1), &byte, 1), FAULT_SEGV_ACCERR);
		CHECK_EQ(user_read(at(2), &byte, 1), FAULT_OK);
		CHECK_EQ(user_read(at(4), &byte, 1), FAULT_SEGV_ACCERR);
		CHECK_EQ(user_write(at(5), &byte, 1), FAULT_OK);
	}
	for (unsigned hart = 1; hart < 3; hart++) {
		machine_run_on(hart);
		machine_use_mm(NULL);
	}
	machine_run_on(0);
	areas_done(mm);
}

/* One page lost a right, and the last one did not; or it did so in the first of two tables. */
TEST(a_single_loss_is_flushed)
{
	const unsigned long border = AREAS_BASE + PT_SPAN(1);
	const struct {
		unsigned long first, second;
	} rows[] = { { at(0), at(1) }, { border - PAGE_SIZE, border } };

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mm *mm = areas("");
		u8 byte = 1;

		CHECK_EQ(vm_mmap(mm, NULL, rows[i].first, pages(2), RW, ANON | MAP_FIXED, 0),
			 rows[i].first);
		machine_run_on(1);
		machine_use_mm(mm);
		CHECK_EQ(user_write(rows[i].first, &byte, 1), FAULT_OK);
		CHECK_EQ(user_read(rows[i].second, &byte, 1), FAULT_OK);
		machine_run_on(0);
		CHECK_EQ(vm_mprotect(mm, rows[i].first, pages(2), PROT_READ), 0);
		machine_run_on(1);
		CHECK_EQ(user_write(rows[i].first, &byte, 1), FAULT_SEGV_ACCERR);
		machine_use_mm(NULL);
		machine_run_on(0);
		areas_done(mm);
	}
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
