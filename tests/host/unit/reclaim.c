/*
 * reclaim.c - memory back from the page cache (mm/reclaim.c): who goes, and who stays.
 *
 *	lru   oldest [0][1][2][3] newest
 *	             |   |   |   +-- referenced: once more around
 *	             |   |   +------ mapped, locked, dirty, being written or held: stays
 *	             |   +---------- of tmpfs: not even on the list
 *	             +-------------- idle and clean: dropped
 */
#include "lib/err.h"
#include "arch/riscv/mmu.h"
#include "mm/policy.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "mm/swap.h"
#include "mm/watermark.h"
#include "tests/host/file.h"
#include "tests/host/unit/space.h"

static struct file *file;
static struct address_space *as;
static struct page *page[8];

/* A file of eight cached pages, not used since reclaim last looked. */
static void cached_file(void)
{
	file = host_file(FILE_DISK, 8 * PAGE_SIZE);
	as = host_file_mapping(file);
	for (unsigned i = 0; i < 8; i++) {
		page[i] = read_mapping_page(as, i);
		page_clear_flags(page[i], PG_REFERENCED);
		page_put(page[i]);
	}
	page_clear_flags(page[0], PG_REFERENCED);
	counters_start();
}

TEST(the_oldest_go_first_and_no_more_than_asked_for)
{
	unsigned long free;

	cached_file();
	free = nr_free_pages();
	CHECK_EQ(shrink_page_cache(3), 3);
	CHECK_EQ(as->nr_pages, 5);
	CHECK_EQ(nr_free_pages(), free + 3);
	CHECK_EQ(counted(VM_cache_reclaimed), 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(page[i]->type, PAGE_FREE);
	CHECK_EQ(shrink_page_cache(100), 5);
	CHECK_EQ(shrink_page_cache(100), 0); /* the list is empty */
	CHECK_EQ(as->nr_pages, 0);
	file_put(file);
}

TEST(what_was_used_since_gets_a_second_chance)
{
	cached_file();
	page_put(find_get_page(as, 0));
	page_put(find_get_page(as, 1));
	CHECK_EQ(shrink_page_cache(6), 6);
	CHECK(page[0]->mapping == as && page[1]->mapping == as);
	CHECK(!(page_flags(page[0]) & PG_REFERENCED));
	CHECK_EQ(shrink_page_cache(6), 2); /* they were not used again */
	file_put(file);
}

TEST(when_all_were_used_the_second_round_takes_them)
{
	cached_file();
	for (unsigned i = 0; i < 8; i++)
		page_put(find_get_page(as, i));
	CHECK_EQ(shrink_page_cache(100), 8);
	file_put(file);
}

TEST(what_is_in_use_stays)
{
	struct mm *mm = space_new();
	unsigned long addr;

	cached_file();
	addr = map_file(mm, file, 1, RO, 0);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	page_get(page[1]); /* somebody reads it */
	machine_run_on(1);
	lock_page(page[2]); /* an I/O, or who checks the owner */
	machine_run_on(0);
	filemap_set_dirty(as, page[3]); /* not on the disk */
	filemap_set_dirty(as, page[4]); /* on its way there */
	filemap_start_write(as, 4, 4);
	page_clear_flags(page[5], PG_UPTODATE); /* its read failed: of no use to anybody */
	CHECK_EQ(shrink_page_cache(100), 3);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(page[i]->mapping == as, i < 5);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	machine_run_on(1);
	unlock_page(page[2]);
	machine_run_on(0);
	page_put(page[1]);
	space_end(mm);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(shrink_page_cache(100), 5);
	file_put(file);
}

TEST(what_was_dropped_is_read_again)
{
	cached_file();
	shrink_page_cache(100);
	page[0] = read_mapping_page(as, 0);
	CHECK_EQ(*(u8 *)page_address(page[0]), pattern_of(file, 0));
	CHECK_EQ(counted(VM_cache_miss), 1);
	page_put(page[0]);
	file_put(file);
}

TEST(tmpfs_pages_have_nowhere_to_go)
{
	struct file *tmp = host_file(FILE_TMPFS, PAGE_SIZE);

	page_put(read_mapping_page(host_file_mapping(tmp), 0));
	CHECK_EQ(shrink_page_cache(100), 0);
	CHECK_EQ(shmem_nr_pages(), 1);
	file_put(tmp);
	CHECK_EQ(shmem_nr_pages(), 0);
}

BARE_TEST(nobody_reclaims_under_a_spinlock)
{
	static struct spinlock lock;

	machine_boot(TEST_PAGES, 1);
	spin_lock(&lock);
	CHECK_PANIC(shrink_page_cache(1), "spin_depth");
}

/* ---- what is mapped ---- */

/* Uses of the pages are forgotten, as by two rounds before. */
static void forget_uses(void)
{
	for (unsigned i = 0; i < 8; i++) {
		lock_page(page[i]);
		page_test_clear_used(page[i]);
		unlock_page(page[i]);
	}
}

TEST(mapped_pages_go_with_their_ptes)
{
	struct mm *mm = space_new(), *other;
	unsigned long addr;

	cached_file();
	addr = map_file(mm, file, 8, RO, 0);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	other = mm_fork(mm);
	live_in(1, other);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	machine_run_on(0);
	forget_uses();
	CHECK_EQ(shrink_memory(8, false), 8);
	CHECK_EQ(counted(VM_pgsteal_file), 8);
	CHECK_EQ(pte_at(mm, addr), 0);
	CHECK_EQ(pte_at(other, addr), 0);
	CHECK_EQ(mm->rss_file + other->rss_file, 0);
	CHECK_EQ(as->nr_pages, 0);
	machine_check();
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	space_end(other);
	space_end(mm);
	file_put(file);
}

TEST(what_is_used_all_the_time_stays)
{
	struct mm *mm = space_new();
	unsigned long addr;

	cached_file();
	addr = map_file(mm, file, 8, RO, 0);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	for (unsigned round = 0; round < 4; round++) {
		forget_uses();
		CHECK_EQ(user_byte(addr + PAGE_SIZE), pattern_of(file, PAGE_SIZE));
		local_flush_tlb_all();
		CHECK_EQ(user_byte(addr + PAGE_SIZE), pattern_of(file, PAGE_SIZE));
		shrink_list(LRU_INACTIVE_FILE, 8,
			    &(struct scan){ .policy = policy_now(), .unmap = true });
		CHECK_EQ(page[1]->mapping == as, true);
		local_flush_tlb_all();
	}
	CHECK_EQ(as->nr_pages, 1);
	CHECK(page_flags(page[1]) & PG_ACTIVE);
	CHECK_EQ(counted(VM_pgactivate), 1);
	/* Not used any more it becomes inactive when too many are active, and goes. */
	CHECK_EQ(policy_choose("clock"), 0);
	forget_uses();
	CHECK_EQ(shrink_memory(8, false), 1);
	space_end(mm);
	file_put(file);
}

TEST(memory_that_is_locked_stays)
{
	struct mm *mm = space_new();
	unsigned long addr;

	cached_file();
	addr = map_file(mm, file, 8, RO, 0);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	find_vma(mm, addr)->vm_flags |= VM_LOCKED;
	mm->locked_vm = 8;
	forget_uses();
	CHECK_EQ(shrink_memory(8, false), 0);
	CHECK(pte_at(mm, addr) != 0);
	find_vma(mm, addr)->vm_flags &= ~VM_LOCKED;
	mm->locked_vm = 0;
	CHECK_EQ(shrink_memory(8, false), 8);
	space_end(mm);
	file_put(file);
}

TEST(anonymous_memory_stays_where_there_is_no_swap)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 40, RW);

	for (unsigned i = 0; i < 40; i++)
		CHECK_EQ(user_put(addr + i * PAGE_SIZE, i), FAULT_OK);
	CHECK(!swap_has_room());
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 40);
	CHECK_EQ(shrink_memory(8, true), 0);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 1);
	space_end(mm);
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 0);
}

/* ---- what is dirty ---- */

static void store_through_mapping(struct mm *mm, unsigned long *addr)
{
	cached_file();
	*addr = vm_mmap(mm, file, 0, 8 * PAGE_SIZE, RW, MAP_SHARED, 0);
	for (unsigned i = 2; i < 6; i++)
		CHECK_EQ(user_put(*addr + i * PAGE_SIZE, 0x5a), FAULT_OK);
	forget_uses();
}

TEST(kswapd_has_dirty_pages_written_and_takes_them_when_they_are)
{
	struct mm *mm = space_new();
	unsigned long addr;

	store_through_mapping(mm, &addr);
	shrink_list(LRU_INACTIVE_FILE, 8,
		    &(struct scan){ .policy = policy_now(), .unmap = true, .write = true });
	CHECK_EQ(as->nr_pages, 4);
	CHECK_EQ(counted(VM_pgreclaim_write), 4); /* the first, and those behind it */
	CHECK_EQ(filemap_nr_writeback(), 4);
	CHECK_EQ(filemap_nr_dirty(), 0);
	CHECK_EQ(shrink_memory(8, true), 0); /* being written: passed by */
	/* A store in between makes it dirty again: it stays. */
	CHECK_EQ(user_put(addr + 3 * PAGE_SIZE, 0xa5), FAULT_OK);
	CHECK(disk_complete());
	forget_uses();
	CHECK_EQ(shrink_memory(3, false), 3);
	CHECK_EQ(as->nr_pages, 1);
	CHECK_EQ(*(u8 *)host_file_disk(file, 2), 0x5a);
	CHECK_EQ(*(u8 *)host_file_disk(file, 3), 0x5a);
	CHECK_EQ(user_byte(addr + 3 * PAGE_SIZE), 0xa5);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(*(u8 *)host_file_disk(file, 3), 0xa5);
	space_end(mm);
	file_put(file);
}

TEST(others_leave_dirty_pages_to_the_flusher)
{
	struct mm *mm = space_new();
	unsigned long addr;

	store_through_mapping(mm, &addr);
	CHECK_EQ(shrink_memory(8, false), 4);
	CHECK_EQ(as->nr_pages, 4);
	CHECK_EQ(filemap_nr_dirty(), 4);
	CHECK_EQ(filemap_nr_writeback(), 0);
	CHECK_EQ(filemap_write_all(as), 0);
	space_end(mm);
	file_put(file);
}

TEST(neighbours_that_are_locked_or_clean_end_the_run)
{
	cached_file();
	for (unsigned i = 0; i < 7; i++) {
		if (i != 5)
			filemap_set_dirty(as, page[i]);
	}
	machine_run_on(1);
	lock_page(page[3]);
	machine_run_on(0);
	lock_page(page[1]);
	CHECK_EQ(filemap_write_around(page[1]), 2);
	CHECK(!(page_flags(page[1]) & PG_LOCKED));
	machine_run_on(1);
	unlock_page(page[3]);
	machine_run_on(0);
	lock_page(page[3]);
	CHECK_EQ(filemap_write_around(page[3]), 2);
	lock_page(page[5]);
	CHECK_EQ(filemap_write_around(page[5]), 0); /* it was not dirty */
	CHECK(!(page_flags(page[5]) & PG_LOCKED));
	CHECK_EQ(filemap_write_all(as), 0);
	file_put(file);
}

/* ---- watermarks ---- */

static struct page *taken[TEST_PAGES];

static unsigned take_all(gfp_t gfp, unsigned from)
{
	while ((taken[from] = alloc_page(gfp)))
		from++;
	return from;
}

TEST(each_has_his_reserve)
{
	unsigned nr;

	min_free_kbytes = 64 * 4;
	watermarks_changed();
	CHECK_EQ(mark_low, 128);
	nr = take_all(GFP_KERNEL, 0);
	CHECK_EQ(nr_block_pages(), 64);
	nr = take_all(GFP_ATOMIC, nr);
	CHECK_EQ(nr_block_pages(), 32);
	current->reclaiming = true;
	nr = take_all(GFP_KERNEL, nr);
	CHECK_EQ(nr_block_pages(), 0);
	current->reclaiming = false;
	CHECK(counted(VM_allocstall) > 0);
	pages_put(taken, nr);
	min_free_kbytes = 0;
	watermarks_changed();
}

TEST(the_marks_follow_the_size_of_memory)
{
	watermarks_init();
	CHECK_EQ(min_free_kbytes, 128);
	CHECK_EQ(mark_min, 32);
	CHECK_EQ(mark_high, 96);
	min_free_kbytes = 1UL << 40; /* never more than an eighth */
	watermarks_changed();
	CHECK_EQ(mark_min, nr_managed_pages() / 8);
	min_free_kbytes = 0;
	watermarks_changed();
}

TEST(kswapd_frees_up_to_the_high_mark)
{
	unsigned nr = 0;

	cached_file();
	while (nr_block_pages() > 100)
		taken[nr++] = alloc_page(GFP_KERNEL);
	min_free_kbytes = 35 * 4;
	watermarks_changed();
	buddy_drain_local();
	while (nr_block_pages() > 100)
		taken[nr++] = alloc_page(GFP_KERNEL);
	buddy_drain_local();
	mark_high = nr_block_pages() + 4;
	CHECK(kswapd_balance());
	CHECK(nr_block_pages() >= mark_high);
	CHECK(as->nr_pages < 8);
	mark_high = nr_block_pages() + 100;
	CHECK(!kswapd_balance()); /* there is not so much */
	CHECK_EQ(as->nr_pages, 0);
	pages_put(taken, nr);
	file_put(file);
	min_free_kbytes = 0;
	watermarks_changed();
}

TEST(who_needs_memory_waits_for_a_write_that_is_under_way)
{
	unsigned nr = 0;

	cached_file();
	nr = take_all(GFP_ATOMIC, 0);
	for (unsigned i = 0; i < 8; i++)
		filemap_set_dirty(as, page[i]);
	filemap_start_write(as, 0, 7);
	counters_start();
	/* Asleep, it lets the disk finish. */
	taken[nr] = alloc_page(GFP_KERNEL);
	CHECK(taken[nr] != NULL);
	CHECK(counted(VM_allocstall) > 1);
	pages_put(taken, nr + 1);
	file_put(file);
}

/* ---- who cannot do without ---- */

TEST(who_cannot_do_without_is_spared_injected_failures)
{
	bool before = memory_must_begin(), nested = memory_must_begin();
	struct page *one;

	CHECK(!before && nested);
	memory_must_end(nested);
	current->fail_alloc = fail_page_alloc = 1;
	one = alloc_page(GFP_KERNEL);
	CHECK(one != NULL);
	page_put(one);
	CHECK_EQ(current->fail_alloc, 1);
	memory_must_end(before);
	CHECK(alloc_page(GFP_KERNEL) == NULL);
	CHECK_EQ(current->fail_alloc, 0);
	CHECK(alloc_page(GFP_KERNEL) == NULL);
	fail_page_alloc = 0;
}

static struct page *given_back;
static unsigned looks;

/* Somebody else gives a page back, after a while. */
static void give_one_back(bool locked __maybe_unused)
{
	if (++looks == 100)
		page_put(given_back);
}

TEST(who_cannot_do_without_waits_for_memory)
{
	unsigned nr = take_all(GFP_ATOMIC, 0);
	bool before = memory_must_begin();

	given_back = taken[--nr];
	machine_meanwhile = give_one_back;
	CHECK(alloc_page(GFP_KERNEL) == given_back);
	CHECK(looks >= 100 && looks < 300);
	/* But not for ever, nor does who reclaims. */
	CHECK(alloc_page(GFP_KERNEL) == NULL);
	looks = 100;
	current->reclaiming = true;
	CHECK(alloc_page(GFP_KERNEL) == NULL);
	CHECK_EQ(looks, 100);
	current->reclaiming = false;
	CHECK(alloc_page(GFP_ATOMIC) == NULL);
	CHECK_EQ(looks, 100);
	machine_meanwhile = NULL;
	memory_must_end(before);
	pages_put(taken, nr + 1);
}

/* ---- slabs ---- */

TEST(empty_slabs_are_given_back)
{
	void *obj[200];
	unsigned long slabs, free;

	for (unsigned i = 0; i < 200; i++)
		obj[i] = kmalloc(512, GFP_KERNEL);
	for (unsigned i = 0; i < 200; i++)
		kfree(obj[i]);
	slabs = slab_nr_pages();
	free = nr_free_pages();
	CHECK(slabs > 0);
	CHECK_EQ(slab_shrink(), slabs - slab_nr_pages());
	CHECK(slab_nr_pages() < slabs);
	CHECK_EQ(nr_free_pages() - free, slabs - slab_nr_pages());
	CHECK_EQ(slab_shrink(), 0);
}
