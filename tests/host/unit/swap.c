/*
 * swap.c - pages go to slots and come back (mm/swapout.c, swapin.c, swap_cache.c).
 */
#include "mm/decide.h"
#include "mm/explain.h"
#include "tests/host/unit/swapping.h"

static struct block_device *disk;
static struct mm *mm, *child;
static unsigned long addr;

static void start(unsigned slots, unsigned pages)
{
	disk = swap_on(slots);
	mm = space_new();
	addr = map_anon(mm, pages, RW);
	fill(addr, pages, 1);
}

static void finish(void)
{
	space_end(mm);
	swap_end(disk);
}

TEST(pages_go_in_one_request_and_come_back)
{
	start(64, 20);
	swapdisk_requests = 0;
	counters_start();
	page_out(mm, addr, 20);
	CHECK_EQ(swapdisk_requests, 1);
	CHECK_EQ(counted(VM_pswpout), 20);
	CHECK_EQ(mm->rss_anon, 0);
	CHECK_EQ(mm->swap_ents, 20);
	CHECK_EQ(swap_nr_free(), 63 - 20);
	CHECK_EQ(swap_nr_cached(), 0);
	machine_check();
	check_filled(addr, 20, 1);
	CHECK_EQ(mm->rss_anon, 20);
	CHECK_EQ(mm->swap_ents, 0);
	CHECK_EQ(counted(VM_pswpin), 20);
	CHECK(counted(VM_swap_read_requests) <= 4); /* neighbours come along */
	finish();
}

TEST(a_read_keeps_the_slot_and_a_clean_page_is_not_written_again)
{
	start(64, 8);
	page_out(mm, addr, 8);
	check_filled(addr, 8, 1);
	CHECK_EQ(swap_nr_cached(), 8);
	CHECK_EQ(swap_nr_free(), 63 - 8);
	counters_start();
	page_out(mm, addr, 8);
	CHECK_EQ(counted(VM_pswpout), 0);
	CHECK_EQ(swap_nr_cached(), 0);
	check_filled(addr, 8, 1);
	finish();
}

TEST(the_first_write_after_a_read_gives_the_slot_back)
{
	start(64, 1);
	page_out(mm, addr, 1);
	CHECK_EQ(user_byte(addr), 1);
	CHECK_EQ(pte_at(mm, addr) & PTE_W, 0);
	counters_start();
	CHECK_EQ(user_put(addr, 9), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_cow_reuse);
	CHECK_EQ(swap_nr_cached(), 0);
	CHECK_EQ(swap_nr_free(), 63);
	page_out(mm, addr, 1);
	CHECK_EQ(counted(VM_pswpout), 1);
	CHECK_EQ(user_byte(addr), 9);
	finish();
}

TEST(a_write_takes_the_page_and_its_slot_back_at_once)
{
	start(64, 1);
	page_out(mm, addr, 1);
	counters_start();
	CHECK_EQ(user_put(addr + 1, 2), FAULT_OK);
	CHECK_EQ(counted(VM_pgfault), 1);
	CHECK_EQ(counted(VM_fault_swap_in), 1);
	CHECK_EQ(counted(VM_fault_swap_cache), 1);
	CHECK_EQ(counted(VM_pgmajfault), 1);
	CHECK(pte_at(mm, addr) & PTE_W);
	CHECK_EQ(swap_nr_free(), 63);
	CHECK_EQ(user_byte(addr), 1);
	finish();
}

TEST(when_swap_is_tight_a_read_gives_the_slot_back_too)
{
	start(12, 8);
	page_out(mm, addr, 8);
	CHECK_EQ(swap_nr_free(), 3);
	check_filled(addr, 8, 1);
	CHECK(pte_at(mm, addr) & PTE_W);
	CHECK(swap_nr_free() >= 5); /* until it was not tight any more */
	finish();
}

TEST(a_random_area_reads_nothing_but_the_page)
{
	start(64, 8);
	CHECK_EQ(call_madvise(addr, 8 * PAGE_SIZE, 1), 0);
	page_out(mm, addr, 8);
	counters_start();
	CHECK_EQ(user_byte(addr + 3 * PAGE_SIZE), 4);
	CHECK_EQ(counted(VM_pswpin), 1);
	finish();
}

TEST(page_cluster_says_how_many_neighbours_come_along)
{
	start(512, 64);
	for (page_cluster = 0; page_cluster <= PAGE_CLUSTER_MAX; page_cluster++) {
		page_out(mm, addr, 64);
		counters_start();
		CHECK_EQ(user_byte(addr + 33 * PAGE_SIZE), 34);
		CHECK(counted(VM_pswpin) <= 1 << page_cluster);
		CHECK(counted(VM_pswpin) > (1 << page_cluster) / 2);
		check_filled(addr, 64, 1);
	}
	page_cluster = 3;
	finish();
}

TEST(what_finds_no_slot_stays)
{
	start(12, 32);
	try_page_out(mm, addr, 32);
	CHECK_EQ(swap_nr_free(), 0);
	CHECK_EQ(mm->swap_ents, 11);
	CHECK_EQ(mm->rss_anon, 21);
	machine_check();
	check_filled(addr, 32, 1);
	finish();
}

TEST(without_a_swap_area_nothing_goes)
{
	mm = space_new();
	addr = map_anon(mm, 4, RW);
	fill(addr, 4, 1);
	CHECK(!swap_has_room());
	try_page_out(mm, addr, 4);
	CHECK_EQ(mm->rss_anon, 4);
	check_filled(addr, 4, 1);
	space_end(mm);
}

TEST(memory_that_goes_with_its_entries_gives_the_slots_back)
{
	start(64, 16);
	page_out(mm, addr, 16);
	CHECK_EQ(call_madvise(addr, 4 * PAGE_SIZE, MADV_DONTNEED), 0);
	CHECK_EQ(swap_nr_free(), 63 - 12);
	CHECK_EQ(user_byte(addr), 0);
	CHECK_EQ(user_byte(addr + 8 * PAGE_SIZE), 9); /* its neighbours are cached, too */
	CHECK_EQ(vm_munmap(mm, addr + 4 * PAGE_SIZE, 12 * PAGE_SIZE), 0);
	CHECK_EQ(swap_nr_free(), 63);
	CHECK_EQ(swap_nr_cached(), 0);
	finish();
}

/* ---- fork ---- */

TEST(relatives_share_the_slot_and_read_it_once)
{
	start(64, 4);
	page_out(mm, addr, 4);
	child = mm_fork(mm);
	CHECK(child != NULL);
	CHECK_EQ(child->swap_ents, 4);
	machine_check();
	counters_start();
	check_filled(addr, 4, 1);
	live_in(1, child);
	check_filled(addr, 4, 1);
	CHECK_EQ(counted(VM_pswpin), 4);
	CHECK(page_at(mm, addr) == page_at(child, addr));
	CHECK_EQ(swap_nr_cached(), 4);
	machine_check();
	CHECK_EQ(user_put(addr, 7), FAULT_OK);
	CHECK_EQ(user_byte(addr), 7);
	live_in(0, mm);
	CHECK_EQ(user_byte(addr), 1);
	space_end(child);
	finish();
}

TEST(a_write_to_a_shared_slot_is_a_copy)
{
	start(64, 1);
	page_out(mm, addr, 1);
	child = mm_fork(mm);
	live_in(1, child);
	counters_start();
	CHECK_EQ(user_put(addr, 7), FAULT_OK);
	CHECK_EQ(counted(VM_fault_cow_copy), 1);
	CHECK_EQ(counted(VM_fault_swap_cache), 0);
	machine_check();
	live_in(0, mm);
	CHECK_EQ(user_byte(addr), 1);
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	live_in(1, child);
	CHECK_EQ(user_byte(addr), 7);
	space_end(child);
	finish();
}

TEST(a_shared_page_is_written_once_for_all)
{
	start(64, 4);
	child = mm_fork(mm);
	counters_start();
	page_out(mm, addr, 4);
	CHECK_EQ(counted(VM_pswpout), 4);
	CHECK(is_swapped(child, addr));
	CHECK_EQ(pte_at(mm, addr), pte_at(child, addr));
	CHECK_EQ(swap_count((pte_t){ pte_at(mm, addr) }), 2);
	space_end(child);
	CHECK_EQ(swap_count((pte_t){ pte_at(mm, addr) }), 1);
	check_filled(addr, 4, 1);
	finish();
}

/* One reads, the other still has the entry: the page may not be written to by the first. */
TEST(the_last_entry_decides_whether_the_page_is_reused)
{
	struct page *page;

	start(64, 1);
	page_out(mm, addr, 1);
	child = mm_fork(mm);
	CHECK_EQ(user_byte(addr), 1);
	page = page_at(mm, addr);
	counters_start();
	CHECK_EQ(user_put(addr, 5), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_cow_copy); /* the child's entry means the old page */
	CHECK(page_at(mm, addr) != page);
	live_in(1, child);
	CHECK_EQ(user_byte(addr), 1);
	CHECK(page_at(child, addr) == page);
	CHECK_EQ(user_put(addr, 6), FAULT_OK);
	CHECK(page_at(child, addr) == page); /* nobody else wants it now */
	CHECK_EQ(swap_nr_free(), 63);
	space_end(child);
	finish();
}

TEST(a_fork_without_memory_gives_its_counts_back)
{
	start(64, 4);
	page_out(mm, addr, 4);
	for (unsigned n = 1;; n++) {
		current->fail_fired = 0;
		current->fail_alloc = n;
		child = mm_fork(mm);
		current->fail_alloc = 0;
		if (child)
			break;
		CHECK_EQ(swap_count((pte_t){ pte_at(mm, addr) }), 1);
		machine_check();
	}
	space_end(child);
	check_filled(addr, 4, 1);
	finish();
}

/* ---- rights, places, marks ---- */

TEST(rights_that_change_meanwhile_are_those_of_the_area)
{
	start(64, 2);
	page_out(mm, addr, 2);
	CHECK_EQ(vm_mprotect(mm, addr, 2 * PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(user_put(addr, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(user_byte(addr), 1);
	CHECK_EQ(vm_mprotect(mm, addr, 2 * PAGE_SIZE, PROT_NONE), 0);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), -FAULT_SEGV_ACCERR);
	CHECK_EQ(vm_mprotect(mm, addr, 2 * PAGE_SIZE, RW), 0);
	CHECK_EQ(user_put(addr, 3), FAULT_OK);
	CHECK_EQ(swap_nr_free(), 63 - 1);
	check_filled(addr + PAGE_SIZE, 1, 2);
	finish();
}

TEST(mremap_takes_entries_along)
{
	long to;

	start(64, 4);
	page_out(mm, addr, 4);
	CHECK_EQ(user_byte(addr), 1); /* cached: this one moves as a PTE */
	to = vm_mremap(mm, addr, 4 * PAGE_SIZE, 4 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       addr - (64UL << 20));
	CHECK_EQ(to, addr - (64UL << 20));
	machine_check();
	check_filled(to, 4, 1);
	page_out(mm, to, 4);
	check_filled(to, 4, 1);
	finish();
}

TEST(what_is_locked_in_memory_stays_for_all)
{
	start(64, 2);
	child = mm_fork(mm);
	live_in(1, child);
	CHECK_EQ(call_mlock(addr, PAGE_SIZE), 0); /* copies its page */
	live_in(0, mm);
	CHECK_EQ(call_mlock(addr + PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(call_madvise(addr, 2 * PAGE_SIZE, MADV_PAGEOUT), -EINVAL);
	CHECK(is_swapped(mm, addr));
	CHECK(!is_swapped(mm, addr + PAGE_SIZE));
	CHECK_EQ(call_mlock(addr, PAGE_SIZE), 0);
	CHECK(!is_swapped(mm, addr)); /* locking brings it back */
	CHECK_EQ(swap_nr_free(), 63);
	space_end(child);
	finish();
}

/* ---- who looks on ---- */

/* What an access to addr would do, in rows of the fault table. */
static void check_told(enum fault_access access, unsigned nr, enum fault_case first,
		       enum fault_case last)
{
	struct explanation e;

	down_read(&mm->mmap_lock);
	mm_explain(mm, addr, current->rlim, false, &e);
	up_read(&mm->mmap_lock);
	CHECK_EQ(e.access[access].nr, nr);
	CHECK_EQ(e.access[access].cases[0], first);
	CHECK_EQ(e.access[access].cases[nr - 1], last);
}

TEST(an_address_in_swap_is_explained)
{
	start(64, 1);
	page_out(mm, addr, 1);
	check_told(FAULT_READ, 2, CASE_SWAP_IN, CASE_SWAP_MAP);
	check_told(FAULT_WRITE, 2, CASE_SWAP_IN, CASE_SWAP_MAP);
	child = mm_fork(mm);
	check_told(FAULT_WRITE, 2, CASE_SWAP_IN, CASE_COW_COPY);
	live_in(1, child);
	CHECK_EQ(user_byte(addr), 1);
	live_in(0, mm);
	check_told(FAULT_READ, 1, CASE_SWAP_MAP, CASE_SWAP_MAP);
	check_told(FAULT_WRITE, 1, CASE_COW_COPY, CASE_COW_COPY);
	space_end(child);
	check_told(FAULT_WRITE, 1, CASE_SWAP_MAP, CASE_SWAP_MAP);
	finish();
}

TEST(pagemap_and_smaps_tell_what_is_in_swap)
{
	struct area_usage usage = {};
	u64 entry;

	start(64, 2);
	page_out(mm, addr, 2);
	mm_pagemap(mm, addr, 1, true, &entry);
	CHECK(entry & PM_SWAP);
	CHECK(!(entry & PM_PRESENT));
	CHECK_EQ((entry & PM_PFN_MASK) >> PM_SWAP_AREA_BITS,
		 swap_entry_slot((pte_t){ pte_at(mm, addr) }));
	child = mm_fork(mm);
	CHECK_EQ(user_byte(addr), 1);
	down_read(&mm->mmap_lock);
	vma_add_usage(vma_lookup(mm, addr), &usage);
	up_read(&mm->mmap_lock);
	CHECK_EQ(usage.swap, 1);
	CHECK_EQ(usage.swap_share, (1 << PSS_SHIFT) / 2);
	CHECK_EQ(usage.private_clean, 1); /* its slot has the same */
	space_end(child);
	finish();
}

TEST(of_a_file_what_is_clean_and_nobody_elses_leaves_the_cache)
{
	struct file *file = host_file(FILE_DISK, 3 * PAGE_SIZE);
	struct address_space *as = host_file_mapping(file);
	struct mm *other;

	disk = swap_on(64);
	mm = space_new();
	addr = map_file(mm, file, 3, RW, 0);
	other = mm_fork(mm);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	CHECK_EQ(user_put(addr + 2 * PAGE_SIZE, 7), FAULT_OK);
	live_in(1, other);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), pattern_of(file, PAGE_SIZE));
	live_in(0, mm);
	CHECK_EQ(call_madvise(addr, 3 * PAGE_SIZE, MADV_DONTNEED), 0);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), pattern_of(file, PAGE_SIZE));
	CHECK_EQ(user_put(addr + 2 * PAGE_SIZE, 7), FAULT_OK);
	try_page_out(mm, addr, 3);
	CHECK(is_swapped(mm, addr + 2 * PAGE_SIZE));
	machine_check();
	CHECK_EQ(user_byte(addr + 2 * PAGE_SIZE), 7);
	space_end(other);
	try_page_out(mm, addr, 2);
	CHECK_EQ(pte_at(mm, addr) | pte_at(mm, addr + PAGE_SIZE), 0);
	CHECK_EQ(as->nr_pages, 1); /* that of the private copy */
	space_end(mm);
	file_put(file);
	swap_end(disk);
}

/* ---- while somebody else has it ---- */

/* A reference from before, by which somebody may write: the page is not written, and stays. */
TEST(a_page_that_somebody_holds_stays_as_he_leaves_it)
{
	enum fault_result res;
	struct page *held;

	start(64, 1);
	held = get_user_page(mm, addr, FAULT_WRITE, &res);
	counters_start();
	try_page_out(mm, addr, 1);
	CHECK_EQ(counted(VM_pswpout), 0);
	CHECK(is_swapped(mm, addr));
	CHECK_EQ(swap_nr_cached(), 1);
	*(u8 *)page_address(held) = 77;
	page_put(held);
	machine_check();
	CHECK_EQ(user_byte(addr), 77);
	CHECK(page_at(mm, addr) == held);
	page_out(mm, addr, 1);
	CHECK_EQ(user_byte(addr), 77);
	finish();
}

static enum fault_result got;
static bool unflushed_seen;

/* While the disk writes, another thread writes to the page. It waits; it is killed. */
static void write_it(void)
{
	live_in(2, mm);
	current->killed = true;
	got = user_put(addr, 99);
	current->killed = false;
	live_in(0, mm);
}

TEST(a_write_while_the_page_is_written_waits)
{
	start(64, 4);
	swapdisk_meanwhile = write_it;
	page_out(mm, addr, 4);
	CHECK_EQ(got, FAULT_KILLED);
	machine_check();
	check_filled(addr, 4, 1);
	finish();
}

static void unmap_it(void)
{
	live_in(2, mm);
	got = vm_munmap(mm, addr, 2 * PAGE_SIZE);
	live_in(0, mm);
}

/* This hart may still translate by the PTE that is an entry now; munmap() must not leave it so. */
static void unmap_unflushed(bool locked)
{
	if (locked || unflushed_seen || !is_swapped(mm, addr))
		return;
	unflushed_seen = true;
	live_in(1, mm);
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	live_in(0, mm);
	CHECK_EQ(user_put(addr, 99), FAULT_SEGV_MAPERR);
}

TEST(who_unmaps_an_entry_before_the_harts_were_told_tells_them)
{
	start(64, 2); /* the second keeps the table */
	machine_meanwhile = unmap_unflushed;
	try_page_out(mm, addr, 1);
	machine_meanwhile = NULL;
	CHECK(unflushed_seen);
	finish();
}

TEST(pages_unmapped_while_they_are_written_give_their_slots_back)
{
	start(64, 4);
	swapdisk_meanwhile = unmap_it;
	try_page_out(mm, addr, 4);
	CHECK_EQ(got, 0);
	CHECK_EQ(swap_nr_free(), 63 - 2);
	CHECK_EQ(mm->swap_ents, 2);
	check_filled(addr + 2 * PAGE_SIZE, 2, 3);
	finish();
}

TEST(pages_unmapped_while_they_are_read_give_their_slots_back)
{
	start(64, 4);
	page_out(mm, addr, 4);
	swapdisk_meanwhile = unmap_it;
	CHECK_EQ(user_byte(addr), -FAULT_SEGV_MAPERR);
	CHECK_EQ(swap_nr_free(), 63 - 2);
	check_filled(addr + 2 * PAGE_SIZE, 2, 3);
	finish();
}

static struct address_space *file_as;
static bool truncated;

/* As soon as the PTE is there the file ends before it: no mmap_lock keeps that away. */
static void truncate_it(bool locked)
{
	if (locked || truncated || !(pte_at(mm, addr) & PTE_V))
		return;
	truncated = true;
	machine_run_on(1);
	filemap_truncate(file_as, 0);
}

static void check_truncated_under(enum fault_access access)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);

	disk = swap_on(64);
	mm = space_new();
	addr = map_file(mm, file, 1, RW, 0);
	file_as = host_file_mapping(file);
	fill(addr, 1, 1);
	page_out(mm, addr, 1);
	machine_meanwhile = truncate_it;
	CHECK_EQ(handle_mm_fault(mm, addr, access), FAULT_OK);
	machine_meanwhile = NULL;
	CHECK(truncated);
	CHECK_EQ(pte_at(mm, addr), 0);
	space_end(mm);
	file_put(file);
	swap_end(disk);
}

TEST(a_private_copy_that_is_truncated_while_it_comes_back_is_freed_unlocked)
{
	check_truncated_under(FAULT_WRITE);
}

TEST(a_private_copy_that_is_truncated_while_it_is_read_gives_its_slot_back)
{
	check_truncated_under(FAULT_READ);
}

/* ---- a disk that fails ---- */

TEST(a_failed_write_keeps_the_page_and_never_uses_the_slot_again)
{
	unsigned long bad;

	start(32, 8);
	swapdisk_bad_write = 3;
	try_page_out(mm, addr, 8);
	CHECK_EQ(swap_nr_cached(), 1);
	CHECK_EQ(swap_nr_stuck(), 1);
	CHECK_EQ(swap_nr_slots(), 30);
	machine_check();
	check_filled(addr, 8, 1);
	fill(addr, 8, 20);
	bad = swapdisk_bad_write;
	for (unsigned i = 0; i < 8; i++) {
		page_out(mm, addr, 8);
		for (unsigned n = 0; n < 8; n++)
			CHECK(swap_entry_slot((pte_t){ pte_at(mm, addr + n * PAGE_SIZE) }) != bad);
		fill(addr, 8, 20);
	}
	check_filled(addr, 8, 20);
	CHECK_EQ(swap_nr_stuck(), 0);
	finish();
}

TEST(a_disk_that_takes_nothing_loses_nothing)
{
	start(64, 40);
	swapdisk_bad_write = SWAPDISK_ALL;
	try_page_out(mm, addr, 40);
	CHECK_EQ(swap_nr_slots(), 63 - 40);
	try_page_out(mm, addr, 40);
	machine_check();
	check_filled(addr, 40, 1);
	fill(addr, 40, 2);
	check_filled(addr, 40, 2);
	finish();
}

TEST(a_failed_read_kills_who_wanted_it_and_nobody_else)
{
	start(64, 8);
	page_out(mm, addr, 8);
	swapdisk_bad_read = swap_entry_slot((pte_t){ pte_at(mm, addr + 2 * PAGE_SIZE) });
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 2); /* a neighbour of the bad one */
	counters_start();
	CHECK_EQ(user_byte(addr + 2 * PAGE_SIZE), -FAULT_SIGBUS);
	CHECK_EQ(counted(VM_fault_sigbus), 1);
	CHECK_EQ(user_byte(addr + 2 * PAGE_SIZE), -FAULT_SIGBUS);
	machine_check();
	swapdisk_bad_read = 0;
	check_filled(addr, 8, 1);
	finish();
}

TEST(a_swap_in_without_memory_is_told_and_loses_nothing)
{
	start(64, 8);
	page_out(mm, addr, 8);
	for (unsigned n = 1;; n++) {
		enum fault_result res;

		current->fail_fired = 0;
		current->fail_alloc = n;
		res = handle_mm_fault(mm, addr, FAULT_READ);
		current->fail_alloc = 0;
		machine_check();
		if (!current->fail_fired)
			break;
		CHECK(res == FAULT_OOM || res == FAULT_OK); /* OK: a neighbour's */
		if (res == FAULT_OK)
			page_out(mm, addr, 1);
	}
	check_filled(addr, 8, 1);
	finish();
}

/* ---- who has a page locked ---- */

TEST(a_write_to_a_page_that_somebody_has_locked_is_a_copy)
{
	struct page *page;

	start(64, 1);
	page_out(mm, addr, 1);
	CHECK_EQ(user_byte(addr), 1); /* cached still, so its lock is wanted to take it */
	page = pfn_to_page(pte_pfn((pte_t){ pte_at(mm, addr) }));
	page_get(page);
	lock_page(page);
	CHECK_EQ(user_put(addr, 9), FAULT_OK);
	CHECK(pte_pfn((pte_t){ pte_at(mm, addr) }) != page_to_pfn(page));
	unlock_page(page);
	page_put(page);
	CHECK_EQ(user_byte(addr), 9);
	finish();
}

static struct page *kept_locked;
static unsigned moments;

/* After some time, so that who wants the page has gone to sleep. */
static void let_go(bool locked)
{
	struct page *page = kept_locked;

	if (locked || !page || ++moments < 10)
		return;
	kept_locked = NULL;
	unlock_page(page);
	page_put(page);
}

TEST(who_wants_a_page_that_is_locked_waits_for_it)
{
	pte_t entry;

	start(64, 2);
	page_out(mm, addr, 2);
	entry = (pte_t){ pte_at(mm, addr + PAGE_SIZE) };
	CHECK_EQ(user_byte(addr), 1); /* its neighbour comes along */
	kept_locked = swap_cache_get(entry);
	CHECK(kept_locked && trylock_page(kept_locked));
	machine_meanwhile = let_go;
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 2);
	machine_meanwhile = NULL;
	CHECK(!kept_locked);
	finish();
}
