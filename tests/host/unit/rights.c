/*
 * rights.c - mprotect and the pages that are there: their PTEs follow at once, the harts forget.
 *
 *	area w -> r     A -> a, and every hart that may still have W forgets it
 *	area r -> w     a -> A only for a page that nobody shares; any other waits for its fault
 *	PROT_NONE       the page is hidden, and kept
 *	x               instructions that were written are fetched afresh
 */
#include "tests/host/unit/areas.h"

#include "mm/pgtable.h"

#define RX  (PROT_READ | PROT_EXEC)
#define RWX PROT_MASK

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
		/* The first page last: a new table makes the hart forget everything. */
		CHECK_EQ(user_read(rows[i].second, &byte, 1), FAULT_OK);
		CHECK_EQ(user_write(rows[i].first, &byte, 1), FAULT_OK);
		machine_run_on(0);
		CHECK_EQ(vm_mprotect(mm, rows[i].first, pages(2), PROT_READ), 0);
		machine_run_on(1);
		CHECK_EQ(user_write(rows[i].first, &byte, 1), FAULT_SEGV_ACCERR);
		machine_use_mm(NULL);
		machine_run_on(0);
		areas_done(mm);
	}
}
