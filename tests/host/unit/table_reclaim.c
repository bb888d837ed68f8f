/*
 * table_reclaim.c - page tables without an entry go when memory is short (mm/table_reclaim.c), and
 * no other; who walks tables is not disturbed.
 *
 *	GIB          + 2 MiB      + 4 MiB      2 * GIB
 *	[leaves]     [leaves]     [leaves]     [leaves]
 *	 level 1 ..............................level 1       six tables
 */
#include "fs/mapping.h"
#include "mm/lru.h"
#include "mm/reclaim.h"
#include "mm/rmap.h"
#include "mm/watermark.h"
#include "tests/host/file.h"
#include "tests/host/unit/swapping.h"

#define MIB 0x100000UL
#define GIB 0x40000000UL

static struct mm *mm;
static const unsigned long place[4] = { GIB, GIB + 2 * MIB, GIB + 4 * MIB, 2 * GIB };

/* An area of two pages at each place, the first of them written to. */
static void four_places(void)
{
	mm = space_new();
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(vm_mmap(mm, NULL, place[i], 2 * PAGE_SIZE, RW, ANON | MAP_FIXED, 0),
			 place[i]);
		CHECK_EQ(user_put(place[i], 1 + i), FAULT_OK);
	}
	CHECK_EQ(mm->nr_ptes, 6);
	counters_start();
}

static void drop(unsigned i)
{
	CHECK_EQ(call_madvise(place[i], 2 * PAGE_SIZE, MADV_DONTNEED), 0);
}

TEST(what_madvise_emptied_goes_and_comes_again)
{
	unsigned long free;

	four_places();
	drop(1);
	drop(3);
	free = nr_free_pages();
	CHECK_EQ(mm->nr_ptes, 6);
	CHECK_EQ(reclaim_tables(), 3); /* two of leaves, and the level 1 table of the last */
	CHECK_EQ(counted(VM_pgtable_reclaimed), 3);
	CHECK_EQ(counted(VM_pgtable_free), 3);
	CHECK_EQ(mm->nr_ptes, 3);
	CHECK_EQ(nr_free_pages(), free + 3);
	CHECK(pte_find(mm, place[1]) == NULL && pte_find(mm, place[3]) == NULL);
	machine_check();
	CHECK_EQ(reclaim_tables(), 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(user_byte(place[i]), i % 2 ? 0 : 1 + i);
	CHECK_EQ(mm->nr_ptes, 6);
	space_end(mm);
}

/* One entry of any kind keeps its table: a page, the zero page, and what is in swap. */
TEST(one_entry_keeps_the_table)
{
	struct block_device *disk = swap_on(64);

	four_places();
	for (unsigned i = 1; i < 4; i++)
		drop(i);
	CHECK_EQ(user_byte(place[1] + PAGE_SIZE), 0);
	CHECK_EQ(user_put(place[2] + PAGE_SIZE, 7), FAULT_OK);
	page_out(mm, place[2] + PAGE_SIZE, 1);
	CHECK_EQ(user_put(place[3], 9), FAULT_OK);
	CHECK_EQ(vm_mprotect(mm, place[3], PAGE_SIZE, PROT_NONE), 0);
	CHECK_EQ(reclaim_tables(), 0);
	CHECK_EQ(mm->nr_ptes, 6);
	CHECK_EQ(user_byte(place[2] + PAGE_SIZE), 7);
	CHECK_EQ(vm_mprotect(mm, place[3], PAGE_SIZE, RW), 0);
	CHECK_EQ(user_byte(place[3]), 9);
	/* Swapped memory that is given back leaves nothing. */
	CHECK_EQ(user_put(place[2] + PAGE_SIZE, 8), FAULT_OK);
	page_out(mm, place[2] + PAGE_SIZE, 1);
	drop(2);
	CHECK_EQ(reclaim_tables(), 1);
	space_end(mm);
	swap_end(disk);
}

/* The model of the MMU complains when a table is freed to which a hart still has a way. */
TEST(every_hart_forgets_the_table)
{
	four_places();
	for (unsigned hart = 4; hart-- > 0;) {
		live_in(hart, mm);
		CHECK_EQ(user_byte(place[3]), 4);
	}
	drop(3);
	CHECK_EQ(reclaim_tables(), 2);
	for (unsigned hart = 0; hart < 4; hart++) {
		machine_run_on(hart);
		CHECK_EQ(user_put(place[3], 5 + hart), FAULT_OK);
	}
	machine_run_on(0);
	CHECK_EQ(user_byte(place[3]), 8);
	space_end(mm);
}

/* Other address spaces too; but nobody is waited for. */
TEST(who_is_at_work_is_left_alone)
{
	struct mm *other;

	four_places();
	drop(1);
	other = mm;
	four_places();
	drop(1);
	drop(2);
	down_read(&other->mmap_lock);
	CHECK_EQ(reclaim_tables(), 2);
	down_write_nested(&mm->mmap_lock, 1);
	CHECK_EQ(reclaim_tables(), 0);
	up_write(&mm->mmap_lock);
	up_read(&other->mmap_lock);
	CHECK_EQ(reclaim_tables(), 1);
	CHECK(!rwsem_held(&mm->mmap_lock) && !rwsem_held(&other->mmap_lock));
	space_end(mm);
	space_end(other);
}

/* More than a gather takes at once. */
TEST(many_tables_go)
{
	enum { MANY = 300 };

	mm = space_new();
	CHECK_EQ(vm_mmap(mm, NULL, GIB, MANY * 2 * MIB, RW, ANON | MAP_FIXED | MAP_NORESERVE, 0),
		 GIB);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_EQ(user_byte(GIB + i * 2 * MIB), 0);
	CHECK_EQ(mm->nr_ptes, MANY + 1);
	CHECK_EQ(call_madvise(GIB, MANY * 2 * MIB, MADV_DONTNEED), 0);
	CHECK_EQ(reclaim_tables(), MANY + 1);
	CHECK_EQ(mm->nr_ptes, 0);
	CHECK_EQ(user_byte(GIB), 0);
	space_end(mm);
}

/* ---- reclaim itself leaves some ---- */

TEST(kswapd_takes_a_files_pages_and_then_their_table)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	unsigned long addr;

	mm = space_new();
	addr = map_file(mm, file, 4, RO, 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK(user_byte(addr + i * PAGE_SIZE) >= 0);
	CHECK_EQ(mm->nr_ptes, 2);
	buddy_drain_local();
	mark_high = nr_block_pages() + 1000;
	CHECK(!kswapd_balance()); /* there is not so much */
	mark_high = 0;
	CHECK_EQ(mm->rss_file, 0);
	CHECK_EQ(mm->nr_ptes, 0);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), pattern_of(file, PAGE_SIZE));
	space_end(mm);
	file_put(file);
}

/* ---- who walks without mmap_lock ---- */

static bool tables_are_kept(struct mm *where, unsigned long addr __maybe_unused,
			    pte_t *ptep __maybe_unused, void *arg)
{
	CHECK(spin_held(&where->page_table_lock));
	++*(unsigned *)arg;
	return true;
}

TEST(the_reverse_walk_keeps_the_tables_it_looks_into)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	unsigned visits = 0;
	const struct rmap_walk walk = { .visit = tables_are_kept, .arg = &visits };
	unsigned long of_file, of_anon;
	struct page *page;

	mm = space_new();
	of_file = map_file(mm, file, 1, RO, 0);
	of_anon = map_anon(mm, 1, RW);
	CHECK(user_byte(of_file) >= 0);
	CHECK_EQ(user_put(of_anon, 1), FAULT_OK);
	for (unsigned i = 0; i < 2; i++) {
		page = page_at(mm, i ? of_anon : of_file);
		lock_page(page);
		CHECK(rmap_walk(page, &walk));
		unlock_page(page);
	}
	CHECK_EQ(visits, 2);
	space_end(mm);
	file_put(file);
}
