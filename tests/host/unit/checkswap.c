/*
 * checkswap.c - the checkers of reclaim's lists, of swap areas and of shared memory in them: every
 * promise is broken by hand, once, as in check.c.
 */
#include "mm/lru.h"
#include "mm/shmem.h"
#include "mm/swap_internal.h"
#include "tests/host/unit/breaking.h"
#include "tests/host/unit/swapping.h"

static struct block_device *disk;
static struct mm *mm;
static unsigned long addr;

static void good_state(unsigned pages)
{
	disk = swap_on(64);
	mm = space_new();
	addr = map_anon(mm, pages, RW);
	fill(addr, pages, 1);
	lru_flush();
	CHECK_EQ(vm_check_all(), 0);
}

static void finish(void)
{
	CHECK_EQ(vm_check_all(), 0);
	space_end(mm);
	swap_end(disk);
}

static struct page *page_of(unsigned n)
{
	return pfn_to_page(pte_pfn((pte_t){ pte_at(mm, addr + n * PAGE_SIZE) }));
}

/* ---- reclaim's lists ---- */

TEST(what_a_list_says_of_its_pages)
{
	struct page *page;

	good_state(2);
	page = page_of(0);
	BREAK(page->flags, page->flags | PG_ACTIVE, ALL_SAYS, "that it does not name");
	BREAK(page->type, PAGE_KERNEL, ALL_SAYS, "but not user memory");
	BREAK(nr_lru[LRU_ACTIVE_FILE], 1, ALL_SAYS, "0 pages listed, 1 counted");
	BREAK(zero_page->flags, zero_page->flags | PG_LRU, ALL_SAYS, "3 pages say");
	finish();
}

TEST(a_page_that_is_on_no_list)
{
	struct page *page, *other;

	good_state(2);
	page = page_of(0);
	other = page_of(1);
	CHECK(lru_isolate_page(page)); /* one may be missing */
	CHECK_EQ(vm_check_all(), 0);
	list_del(&other->lru);
	nr_lru[LRU_INACTIVE_ANON]--;
	BREAK(other->flags, other->flags & ~PG_LRU, ALL_SAYS, "2 pages are on no list");
	list_add(&other->lru, &lru[LRU_INACTIVE_ANON]);
	nr_lru[LRU_INACTIVE_ANON]++;
	lru_putback(&page, 1);
	finish();
}

/* ---- slots ---- */

TEST(what_a_slot_says_of_its_page)
{
	struct page *page;
	struct slot s;
	pte_t entry;
	pte_t *ptep;

	good_state(2);
	page_out(mm, addr, 1);
	entry = (pte_t){ pte_at(mm, addr) };
	s = slot_find(entry);
	BREAK(s.table->count[s.at], 0, ALL_SAYS, "is not counted");
	BREAK(s.table->count[s.at], 2, ALL_SAYS, "has a count that no PTE accounts for");

	/* A read keeps the slot, and the page is cached for it. */
	CHECK_EQ(user_byte(addr), 1);
	page = page_of(0);
	CHECK(slot_page(s) == page);
	BREAK(page->swap.val, swap_entry_next(entry, 1).val, ALL_SAYS, "not cached for it");
	BREAK(page->refcount.counter, 1, ALL_SAYS, "has a page without a reference");
	BREAK(nr_swap_cached, 7, ALL_SAYS, "1 pages in the swap cache, 7 are counted");
	ptep = pte_find(mm, addr);
	BREAK(ptep->val, ptep->val | PTE_W, ALL_SAYS, "writable, but the page has a slot");
	finish();
}

TEST(what_an_area_says_of_its_slots)
{
	struct slot s;

	good_state(2);
	page_out(mm, addr, 2);
	s = slot_find((pte_t){ pte_at(mm, addr) });
	BREAK(s.area->nr_busy, 3, ALL_SAYS, "2 swap slots of area 0 are taken, 3 are in use");
	BREAK(s.table->taken[1], 1, ALL_SAYS, "3 swap slots of area 0 are taken, 2 are in use");
	BREAK(s.area->nr_discarding, 1, ALL_SAYS, "2 swap slots of area 0 are taken, 3 are");
	finish();
}

TEST(an_entry_that_names_no_slot)
{
	good_state(1);
	CHECK_PANIC(slot_find(swap_entry(0, 64)), "names no slot");
	finish();
}

/* ---- shared memory ---- */

TEST(what_a_file_says_of_its_pages_in_slots)
{
	struct file *file = host_file(FILE_TMPFS, 2 * PAGE_SIZE);
	struct address_space *as = host_file_mapping(file);
	long shared;
	struct slot s;

	good_state(1);
	shared = vm_mmap(mm, file, 0, 2 * PAGE_SIZE, RW, MAP_SHARED, 0);
	CHECK(shared > 0);
	fill(shared, 2, 1);
	try_page_out(mm, shared, 2);
	CHECK_EQ(as->nr_swapped, 2);
	BREAK(as->nr_swapped, 3, ALL_SAYS, "2 entries found of 3");
	s = slot_find(swapped_entry(radix_tree_lookup(&as->pages, 1)));
	BREAK(s.table->count[s.at], 0, ALL_SAYS, "2 entries found of 2, 1 name no slot");
	CHECK_EQ(vm_munmap(mm, shared, 2 * PAGE_SIZE), 0);
	file_put(file);
	finish();
}
