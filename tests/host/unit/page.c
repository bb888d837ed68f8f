/*
 * page.c - page descriptors (mm/page.c): the page lock, who waits for it, references, the story.
 *
 *	PG_LOCKED      owned from the start of an I/O to its end, or by who checks the owner
 *	PG_WRITEBACK   being written; its end wakes
 *	PG_WAITERS     somebody sleeps: only then the end looks at a wait queue
 */
#include "kernel/task.h"
#include "lib/string.h"
#include "tests/host/unit/console.h"
#include "tests/host/unit/space.h"

static struct page *page;

static void new_page(void)
{
	page = alloc_page(GFP_KERNEL);
}

/* Hart 1 has the page, and gives it back some time later. */
static unsigned sleeps;

static void owned_by_hart_1(void)
{
	machine_run_on(1);
	CHECK(trylock_page(page));
	machine_run_on(0);
}

static void owner_unlocks(bool locked __maybe_unused)
{
	if (++sleeps == 3) {
		machine_run_on(1);
		CHECK(page_flags(page) & PG_WAITERS); /* he was told */
		unlock_page(page);
	}
}

static void writer_ends(bool locked __maybe_unused)
{
	if (++sleeps == 3) {
		CHECK(page_flags(page) & PG_WAITERS);
		page_wake_writeback(page);
	}
}

TEST(a_page_has_one_owner)
{
	new_page();
	CHECK(trylock_page(page));
	CHECK(!trylock_page(page));
	unlock_page(page);
	CHECK(trylock_page(page));
	unlock_page(page);
	CHECK_PANIC(unlock_page(page), "PG_LOCKED");
	page_put(page);
}

TEST(who_wants_a_locked_page_sleeps_until_it_is_his)
{
	new_page();
	owned_by_hart_1();
	machine_meanwhile = owner_unlocks;
	lock_page(page);
	machine_meanwhile = NULL;
	CHECK_EQ(sleeps, 3);
	CHECK(!trylock_page(page));
	unlock_page(page);
	CHECK_EQ(page_flags(page) & (PG_LOCKED | PG_WAITERS), 0);
	lock_page(page); /* free: no sleep */
	unlock_page(page);
	page_put(page);
}

TEST(or_until_it_is_unlocked)
{
	new_page();
	wait_on_page_locked(page);
	owned_by_hart_1();
	machine_meanwhile = owner_unlocks;
	wait_on_page_locked(page);
	machine_meanwhile = NULL;
	CHECK_EQ(sleeps, 3);
	CHECK(trylock_page(page)); /* he only waited */
	unlock_page(page);
	page_put(page);
}

TEST(a_killed_task_waits_no_longer)
{
	new_page();
	CHECK_EQ(wait_on_page_locked_killable(page), 0);
	owned_by_hart_1();
	current->killed = true;
	CHECK_EQ(wait_on_page_locked_killable(page), -EINTR);
	current->killed = false;
	machine_meanwhile = owner_unlocks;
	CHECK_EQ(wait_on_page_locked_killable(page), 0);
	machine_meanwhile = NULL;
	page_put(page);
}

TEST(the_end_of_a_write_can_be_waited_for)
{
	new_page();
	wait_on_page_writeback(page);
	page_set_flags(page, PG_WRITEBACK);
	machine_meanwhile = writer_ends;
	wait_on_page_writeback(page);
	machine_meanwhile = NULL;
	CHECK_EQ(sleeps, 3);
	CHECK_PANIC(page_wake_writeback(page), "PG_WRITEBACK");
	page_put(page);
}

TEST(a_reference_cannot_be_had_of_a_free_page)
{
	new_page();
	CHECK(page_get_unless_zero(page));
	CHECK_EQ(atomic_read(&page->refcount), 2);
	page_put(page);
	page_put(page);
	CHECK(!page_get_unless_zero(page));
	CHECK_EQ(atomic_read(&page->refcount), 0);
}

TEST(frames_descriptors_and_addresses_belong_together)
{
	unsigned long pfn;

	new_page();
	pfn = page_to_pfn(page);
	CHECK(pfn_to_page(pfn) == page);
	CHECK_EQ(page_to_phys(page), pfn << PAGE_SHIFT);
	CHECK(virt_to_page((char *)page_address(page) + 4095) == page);
	CHECK(pfn_valid(mem_map_base_pfn) && pfn_valid(mem_map_base_pfn + TEST_PAGES - 1));
	CHECK(!pfn_valid(mem_map_base_pfn - 1) && !pfn_valid(mem_map_base_pfn + TEST_PAGES));
	page_put(page);
}

/* The console says what somebody needs who finds a corrupt page. */
TEST(a_page_tells_its_story)
{
	char *text;

	new_page();
	CHECK_PRINTS(page_story(page, "why not"), ": why not");
	CHECK_PRINTS(page_story(page, ""), "kernel, order 0, refcount 1, mapcount 0, flags 0x0");
	CHECK_PRINTS(page_story(page, ""), "last allocated by alloc_page");
	page_put(page);
	CHECK_PRINTS(page_story(page, ""), "free, order 0, refcount 0");
	CHECK_PRINTS(page_story(page, ""), "last freed by page_put");
	CHECK_PRINTS(page_story(virt_to_page(mem_map), ""), "reserved");
	/* Nobody ever allocated that one. */
	console_start(&text);
	page_story(virt_to_page(mem_map), "");
	console_end();
	CHECK(!strstr(text, "last"));
	page = virt_to_page(mem_map);
	page->type = 200;
	CHECK_PRINTS(page_story(page, ""), "corrupt");
	page->type = PAGE_RESERVED;
}
