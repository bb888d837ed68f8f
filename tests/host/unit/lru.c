/*
 * lru.c - how new pages come to reclaim's lists (mm/lru.c): gathered at their hart, then together.
 *
 *	hart 0  [page][page]  --.
 *	                         >-- inactive anon     a page may be freed before, taken off before,
 *	hart 1  [page]        --'                      or be named by both harts
 */
#include "mm/lru.h"
#include "tests/host/unit/space.h"

static unsigned long addr;

/* A space with @pages pages that hart 0 has just touched, and that are on no list yet. */
static struct mm *gathered(unsigned pages)
{
	struct mm *mm = space_new();

	addr = map_anon(mm, pages, RW);
	lru_flush();
	for (unsigned i = 0; i < pages; i++)
		CHECK_EQ(user_put(addr + i * PAGE_SIZE, i), FAULT_OK);
	CHECK_EQ(lru_fresh[0].nr, pages);
	CHECK_EQ(nr_lru[LRU_INACTIVE_ANON], 0);
	CHECK_EQ(lru_check(), 0);
	return mm;
}

static struct page *page_of(struct mm *mm, unsigned n)
{
	return pfn_to_page(pte_pfn(pte_read(pte_find(mm, addr + n * PAGE_SIZE))));
}

TEST(new_pages_come_to_their_list_together_and_in_order)
{
	struct mm *mm = gathered(3);
	struct page *first = page_of(mm, 0);

	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 3); /* asking is enough */
	CHECK(list_first_entry(&lru[LRU_INACTIVE_ANON], struct page, lru) == first);
	CHECK_EQ(page_flags(first) & PG_LRU_ANY, PG_LRU);
	CHECK_EQ(lru_fresh[0].nr, 0);
	CHECK_EQ(lru_check(), 0);
	space_end(mm);
}

TEST(a_full_batch_goes_by_itself)
{
	unsigned nr = ARRAY_SIZE(lru_fresh[0].pages);
	struct mm *mm = gathered(nr - 1);
	unsigned long one_more = map_anon(mm, 1, RW);

	CHECK_EQ(user_put(one_more, 1), FAULT_OK);
	CHECK_EQ(nr_lru[LRU_INACTIVE_ANON], nr);
	CHECK_EQ(lru_fresh[0].nr, 0);
	space_end(mm);
}

TEST(a_page_freed_while_it_is_gathered_comes_to_no_list)
{
	struct mm *mm = gathered(2);

	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	CHECK_EQ(lru_check(), 0);
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 1);
	CHECK_EQ(lru_check(), 0);
	space_end(mm);
}

TEST(a_page_that_two_harts_have_gathered_is_listed_once)
{
	struct mm *mm = gathered(1);
	struct page *page = page_of(mm, 0), *other[8];
	unsigned nr = 0;

	/* Freed by hart 0, and got again by it, perhaps after some others; gathered by hart 1. */
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	while ((other[nr] = alloc_page(GFP_KERNEL)) != page)
		CHECK(++nr < ARRAY_SIZE(other));
	pages_put(other, nr);
	live_in(1, mm);
	page->type = PAGE_ANON;
	lru_add_fresh(page);
	CHECK(lru_fresh[0].pages[0] == page && lru_fresh[1].pages[0] == page);
	CHECK_EQ(lru_check(), 0);
	machine_run_on(0);
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 1);
	CHECK_EQ(lru_check(), 0);
	machine_run_on(1);
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 1);
	page_put(page);
	machine_run_on(0);
	space_end(mm);
}

TEST(a_gathered_page_can_be_isolated_and_aged)
{
	struct mm *mm = gathered(2);
	struct page *page = page_of(mm, 1), *other;

	CHECK(lru_isolate_page(page));
	CHECK(!lru_isolate_page(page));
	CHECK_EQ(lru_nr_isolated(), 1);
	CHECK_EQ(lru_check(), 0);
	lru_putback(&page, 1);
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 2);
	CHECK_EQ(lru_check(), 0);
	space_end(mm);

	mm = gathered(2);
	page = page_of(mm, 1);
	lru_make_oldest(page);
	CHECK_EQ(lru_isolate(LRU_INACTIVE_ANON, 1, &other), 1);
	CHECK(other == page);
	lru_putback(&other, 1);
	page_put(other);
	space_end(mm);
}

/* A hart may be paused at any moment but under a spinlock. */
TEST(the_checker_lets_be_what_is_just_being_freed)
{
	struct mm *mm = gathered(1);
	struct page *page = page_of(mm, 0);

	lru_flush();
	page_get(page);
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	CHECK(atomic_dec_and_test(&page->refcount));
	CHECK_EQ(lru_check(), 0); /* listed still */
	lru_del_freed(&page, 1);
	CHECK_EQ(lru_check(), 0); /* marked still */
	atomic_set(&page->refcount, 1);
	CHECK_EQ(lru_check(), 1); /* but not where somebody has it */
	page_clear_flags(page, PG_LRU);
	page_put(page);
	space_end(mm);
}

TEST(the_checker_knows_a_fresh_page_that_no_hart_names)
{
	struct mm *mm = gathered(1);

	lru_fresh[0].nr = 0;
	CHECK_EQ(lru_check(), 1);
	lru_fresh[0].nr = 1;
	CHECK_EQ(lru_check(), 0);
	space_end(mm);
}

TEST(a_page_that_is_just_being_freed_is_passed_by)
{
	struct mm *mm = gathered(2);
	struct page *dying = page_of(mm, 0), *other = page_of(mm, 1), *got[2];
	int refs = atomic_read(&dying->refcount);

	lru_flush();
	atomic_set(&dying->refcount, 0);
	CHECK_EQ(lru_isolate(LRU_INACTIVE_ANON, 2, got), 1);
	CHECK(got[0] == other);
	CHECK_EQ(page_flags(dying) & PG_LRU_ANY, PG_LRU);
	atomic_set(&dying->refcount, refs);
	lru_putback(got, 1);
	page_put(got[0]);
	CHECK_EQ(lru_check(), 0);
	space_end(mm);
}

TEST(what_other_harts_gather_is_listed_on_demand)
{
	struct mm *mm = gathered(2);

	machine_run_on(1);
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 0);
	lru_flush_all();
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 2);
	CHECK_EQ(lru_check(), 0);
	lru_flush_all(); /* they are named still, and listed once */
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 2);
	machine_run_on(0);
	lru_flush();
	CHECK_EQ(lru_nr(LRU_INACTIVE_ANON), 2);
	CHECK_EQ(lru_check(), 0);
	space_end(mm);
}
