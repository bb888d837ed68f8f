/*
 * move.c - PTEs on their way from one address to another, as other harts, truncation and write-back
 * see them.
 *
 *	from  | a b c d | e f g h |        two pieces, two tables; between them is a window
 *	to        | a b c d | e f g h |
 *
 * Stale translations are found by the simulated MMU, PTEs that were overlooked by mm_check().
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/move.h"
#include "mm/pgtable.h"
#include "mm/rmap.h"

#define TO  (MREMAP_MAYMOVE | MREMAP_FIXED)
#define MB2 PT_SPAN(1)
#define GB1 PT_SPAN(2)

static struct mm *mm;
static struct file *file;
static struct address_space *as;

static void start(void)
{
	mm = mm_alloc();
	file = host_file(FILE_DISK, 16 * PAGE_SIZE);
	as = host_file_mapping(file);
	for (unsigned hart = TEST_HARTS; hart-- > 0;) {
		machine_run_on(hart);
		machine_use_mm(mm);
	}
}

static void finish(void)
{
	machine_meanwhile = NULL;
	for (unsigned hart = TEST_HARTS; hart-- > 0;) {
		machine_run_on(hart);
		machine_use_mm(NULL);
	}
	machine_check();
	mm_put(mm);
	file_put(file);
}

static void map(unsigned long addr, unsigned n, struct file *of, u32 flags)
{
	flags |= MAP_FIXED | (of ? 0 : MAP_ANONYMOUS);
	CHECK_EQ(vm_mmap(mm, of, addr, pages(n), RW, flags, 0), addr);
}

static void put(unsigned long addr, u8 byte)
{
	CHECK_EQ(user_write(addr, &byte, 1), FAULT_OK);
}

static int get(unsigned long addr)
{
	u8 byte;
	enum fault_result res = user_read(addr, &byte, 1);

	return res == FAULT_OK ? byte : -(int)res;
}

static void move(unsigned long from, unsigned long to, unsigned n)
{
	CHECK_EQ(vm_mremap(mm, from, pages(n), pages(n), TO, to), to);
	down_write(&mm->mmap_lock);
	CHECK_EQ(mm_check(mm), 0);
	up_write(&mm->mmap_lock);
}

/* On every hart: nothing at @from any more, @byte at @to. */
static void check_moved(unsigned long from, unsigned long to, u8 byte)
{
	for (unsigned hart = TEST_HARTS; hart-- > 0;) {
		machine_run_on(hart);
		CHECK_EQ(get(from), -FAULT_SEGV_MAPERR);
		CHECK_EQ(get(to), byte);
	}
}

/* ---- harts ---- */

TEST(every_hart_forgets_the_old_address)
{
	start();
	map(at(0), 4, NULL, MAP_PRIVATE);
	for (unsigned hart = TEST_HARTS; hart-- > 0;) {
		machine_run_on(hart);
		put(at(1), 7);
	}
	move(at(0), at(6), 4);
	check_moved(at(1), at(7), 7);
	/* And back, over a place where they had looked and found nothing. */
	move(at(6), at(0), 4);
	check_moved(at(7), at(1), 7);
	finish();
}

/* Walkers keep pointers to tables: a fence with addresses does not make them forget those. */
TEST(every_hart_forgets_the_old_table)
{
	mmu_options.keeps_tables = mmu_options.keeps_invalid = true;
	start();
	map(MB2, 2 * PT_ENTRIES, NULL, MAP_PRIVATE);
	for (unsigned hart = TEST_HARTS; hart-- > 0;) {
		machine_run_on(hart);
		put(MB2 + pages(5), 7);
		put(2 * MB2 + pages(6), 8);
		CHECK_EQ(get(5 * MB2), -FAULT_SEGV_MAPERR);
	}
	move(MB2, 5 * MB2, 2 * PT_ENTRIES);
	check_moved(MB2 + pages(5), 5 * MB2 + pages(5), 7);
	check_moved(2 * MB2 + pages(6), 6 * MB2 + pages(6), 8);
	finish();
}

static unsigned windows, seen;
static unsigned long watched;

/* Uses what its TLB and the tables grant; takes no lock. */
static void hart_1_looks(bool locked __maybe_unused)
{
	phys_addr_t pa;

	windows++;
	if (mmu_access(1, watched, FAULT_READ, &pa) == MMU_OK) {
		CHECK_EQ(*(u8 *)phys_to_virt(pa), 7);
		seen++;
	}
}

/* Up to the flush the frame is still there, and it is the same one. */
TEST(until_the_flush_the_old_address_works)
{
	start();
	map(at(0), 1, NULL, MAP_PRIVATE);
	machine_run_on(1);
	put(at(0), 7);
	watched = at(0);
	machine_run_on(0);
	machine_meanwhile = hart_1_looks;
	move(at(0), at(4), 1);
	CHECK(windows >= 1);
	CHECK_EQ(seen, 1);
	finish();
}

/* ---- tables ---- */

/* Whole tables go, wherever both addresses begin one; the rest goes by PTEs. */
TEST(tables_or_entries)
{
	static const struct {
		unsigned long from, to;
		unsigned n;
		bool same_table; /* of the second span */
	} rows[] = {
		{ MB2, 9 * MB2, 3 * PT_ENTRIES, true },
		{ MB2, 9 * MB2 + PAGE_SIZE, 3 * PT_ENTRIES, false },
		{ MB2 + PAGE_SIZE, 9 * MB2 + PAGE_SIZE, 3 * PT_ENTRIES, true },
		{ MB2 + PAGE_SIZE, 9 * MB2, 3 * PT_ENTRIES, false },
		{ 9 * MB2, MB2, 3 * PT_ENTRIES, true },
		{ MB2, GB1 + MB2, 3 * PT_ENTRIES, true },
		{ GB1 - MB2, 3 * GB1 - MB2, 3 * PT_ENTRIES, true },
		{ GB1 - MB2, 3 * GB1 - 2 * MB2, 3 * PT_ENTRIES, true },
		{ GB1 - MB2 - PAGE_SIZE, 3 * GB1 + PAGE_SIZE, 3 * PT_ENTRIES, false },
	};

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned long second = (rows[i].from & ~(MB2 - 1)) + MB2;
		unsigned long shift = rows[i].to - rows[i].from;
		unsigned long last = rows[i].from + pages(rows[i].n - 1);
		void *table;

		map(rows[i].from, rows[i].n, NULL, MAP_PRIVATE);
		put(rows[i].from, 1);
		put(second + pages(5), 2);
		put(last, 3);
		table = pte_find(mm, second);
		move(rows[i].from, rows[i].to, rows[i].n);
		CHECK_EQ(pte_find(mm, second + shift) == table, rows[i].same_table);
		CHECK_EQ(get(rows[i].to), 1);
		CHECK_EQ(get(second + pages(5) + shift), 2);
		CHECK_EQ(get(last + shift), 3);
		CHECK_EQ(mm->rss_anon, 3);
		CHECK_EQ(vm_munmap(mm, rows[i].to, pages(rows[i].n)), 0);
		CHECK_EQ(mm->nr_ptes, 0);
	}
	finish();
}

/* A large area with little in it costs no more tables than it had, and one. */
TEST(pages_far_apart)
{
	start();
	CHECK_EQ(vm_mmap(mm, NULL, GB1, 8 * GB1, RW, ANON | MAP_FIXED | MAP_NORESERVE, 0), GB1);
	put(3 * GB1 - 1, 1);
	put(6 * GB1 + 3 * MB2 + pages(PT_ENTRIES - 1), 2);
	CHECK_EQ(mm->nr_ptes, 4);
	CHECK_EQ(vm_mremap(mm, GB1, 8 * GB1, 8 * GB1, TO, 20 * GB1 + PAGE_SIZE),
		 20 * GB1 + PAGE_SIZE);
	CHECK_EQ(get(22 * GB1 + PAGE_SIZE - 1), 1);
	CHECK_EQ(get(25 * GB1 + 4 * MB2), 2);
	CHECK_EQ(vm_mremap(mm, 20 * GB1 + PAGE_SIZE, 8 * GB1, 8 * GB1, TO, GB1), GB1);
	CHECK_EQ(get(3 * GB1 - 1), 1);
	CHECK_EQ(get(6 * GB1 + 3 * MB2 + pages(PT_ENTRIES - 1)), 2);
	CHECK_EQ(vm_munmap(mm, GB1, 8 * GB1), 0);
	CHECK_EQ(mm->nr_ptes, 0);
	finish();
}

/* What the move will need is known before: all of it, and where the place is free no more. */
TEST(tables_are_counted)
{
	start();
	map(MB2, 2 * PT_ENTRIES, NULL, MAP_PRIVATE);
	put(MB2, 1);
	put(2 * MB2, 1);
	CHECK_EQ(move_nr_tables(mm, MB2, 5 * MB2, 2 * MB2, false), 0);
	CHECK_EQ(move_nr_tables(mm, MB2, 5 * MB2, 2 * MB2, true), 1);
	CHECK_EQ(move_nr_tables(mm, MB2, 5 * MB2 + PAGE_SIZE, 2 * MB2, false), 3);
	CHECK_EQ(move_nr_tables(mm, MB2, 5 * MB2 + PAGE_SIZE, 2 * MB2, true), 4);
	CHECK_EQ(move_nr_tables(mm, MB2, 3 * GB1 - MB2, 2 * MB2, false), 2);
	CHECK_EQ(move_nr_tables(mm, MB2, 3 * GB1 - PAGE_SIZE, pages(2), false), 4);
	CHECK_EQ(move_nr_tables(mm, MB2 + pages(4), MB2 + pages(9), pages(5), false), 0);
	CHECK_EQ(move_nr_tables(mm, MB2, 5 * MB2, 0, false), 0);
	CHECK_EQ(move_nr_tables(mm, 9 * MB2, 5 * MB2, 3 * MB2, false), 0);
	finish();
}

/* ---- truncation and write-back in the middle of it ---- */

static bool happened;
static unsigned windows_before; /* so many pass before it happens */

static void truncates(bool locked)
{
	if (locked || happened || windows_before-- > 0)
		return;
	happened = true;
	machine_run_on(1);
	filemap_truncate(as, 3 * PAGE_SIZE);
	machine_run_on(0);
}

/* Pages 0 to 7, of which the first half is in one leaf table and the rest in the next. */
static void map_over_a_border(unsigned long addr, u32 flags)
{
	map(addr, 8, file, flags);
	for (unsigned i = 0; i < 8; i++)
		put(addr + pages(i), 10 + i);
}

static void check_truncated(unsigned long addr)
{
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(get(addr + pages(i)), i < 3 ? 10 + (int)i : -FAULT_SIGBUS);
		CHECK_EQ(!pte_none(pte_read(pte_find(mm, addr + pages(i)))), i < 3);
	}
}

/* Areas before and behind on the file's list are the old one or, if it merges, the new one. */
static void truncate_in_window(unsigned window, u32 flags, bool merges)
{
	unsigned long from = 3 * MB2 - pages(4), to = 9 * MB2 - pages(2);
	unsigned first = merges ? 1 : 0;

	start();
	happened = false;
	windows_before = window;
	if (merges)
		map(to, 1, file, flags);
	map_over_a_border(from, flags);
	if (merges)
		put(to, 10);
	machine_run_on(0);
	machine_meanwhile = truncates;
	move(from + pages(first), to + pages(first), 8 - first);
	machine_meanwhile = NULL;
	if (happened)
		check_truncated(to);
	finish();
}

/* In each window that there is: before, between the two pieces, and after. */
static void truncate_while_moving(u32 flags, bool merges)
{
	unsigned window = 0;

	do {
		truncate_in_window(window++, flags, merges);
	} while (happened);
	CHECK(window > 3);
}

TEST(truncation_overlooks_nothing_shared)
{
	truncate_while_moving(MAP_SHARED, false);
}

TEST(truncation_overlooks_nothing_private)
{
	truncate_while_moving(MAP_PRIVATE, false);
}

TEST(truncation_overlooks_nothing_that_merges)
{
	truncate_while_moving(MAP_SHARED, true);
	truncate_while_moving(MAP_PRIVATE, true);
}

static void writes_back(bool locked)
{
	if (locked || happened || windows_before-- > 0)
		return;
	happened = true;
	machine_run_on(1);
	for (unsigned i = 0; i < 8; i++)
		unmap_page_writes(as, radix_tree_lookup(&as->pages, i));
	machine_run_on(0);
}

/* Write-back takes W from where the page is: the next store is noticed. */
TEST(write_back_finds_the_page)
{
	unsigned long from = 3 * MB2 - pages(4), to = 9 * MB2 - pages(2);
	unsigned window = 0;

	do {
		start();
		happened = false;
		windows_before = window++;
		map_over_a_border(from, MAP_SHARED);
		machine_run_on(0);
		machine_meanwhile = writes_back;
		move(from, to, 8);
		machine_meanwhile = NULL;
		for (unsigned i = 0; i < 8; i++) {
			CHECK_EQ(pte_write(pte_read(pte_find(mm, to + pages(i)))), !happened);
			put(to + pages(i), 20 + i);
		}
		CHECK_EQ(filemap_write_all(as), 0);
		for (unsigned i = 0; i < 8; i++)
			CHECK_EQ(host_file_disk(file, i)[0], 20 + i);
		finish();
	} while (happened);
	CHECK(window > 3);
}
