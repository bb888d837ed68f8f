/*
 * access.c - the kernel reads and writes an address space that is not the current one: exec fills
 * the stack of one that runs nowhere yet, /proc reads a process' arguments.
 *
 *	mm_copy_to(mm, uaddr, ...)    page by page: fault in, find the frame, copy
 *	                              short when a page cannot be had; what came before was done
 */
#include "tests/host/unit/areas.h"

#include <string.h>

#include "lib/errno.h"
#include "mm/buddy.h"

/* @mm is nobody's: no hart translates through it. */
static struct mm *elsewhere(const char *drawing)
{
	struct mm *mm = areas(drawing);

	machine_use_mm(NULL);
	return mm;
}

TEST(bytes_over_several_pages)
{
	struct mm *mm = elsewhere("wwww");
	char out[3 * PAGE_SIZE], in[3 * PAGE_SIZE];

	for (unsigned i = 0; i < sizeof(out); i++)
		out[i] = i * 7 + i / PAGE_SIZE;
	CHECK_EQ(mm_copy_to(mm, at(0) + 100, out, sizeof(out)), sizeof(out));
	CHECK_PAGES(mm, "AAAA");
	CHECK_EQ(mm_copy_from(mm, in, at(0) + 100, sizeof(in)), sizeof(in));
	CHECK(memcmp(in, out, sizeof(in)) == 0);
	/* The program finds the same. */
	machine_use_mm(mm);
	CHECK_EQ(user_read(at(2), in, 1), FAULT_OK);
	CHECK_EQ(in[0], out[2 * PAGE_SIZE - 100]);
	areas_done(mm);
}

TEST(short_where_the_access_is_not_allowed)
{
	struct mm *mm = elsewhere("wr.nb");
	char buf[2 * PAGE_SIZE] = "x";

	CHECK_EQ(mm_copy_to(mm, at(0) + 1, buf, sizeof(buf)),
		 PAGE_SIZE - 1); /* r-- is not written */
	CHECK_EQ(mm_copy_to(mm, at(1), buf, 1), 0);
	CHECK_EQ(mm_copy_from(mm, buf, at(0) + 10, sizeof(buf)), 2 * PAGE_SIZE - 10); /* a hole */
	CHECK_EQ(mm_copy_from(mm, buf, at(2), 1), 0);
	CHECK_EQ(mm_copy_from(mm, buf, at(3), 1), 0);
	CHECK_EQ(mm_copy_from(mm, buf, at(4), 5), 5);
	CHECK_EQ(mm_copy_from(mm, buf, at(0), 0), 0);
	areas_done(mm);
}

TEST(never_past_the_user_half)
{
	struct mm *mm = elsewhere("");
	char buf[2 * PAGE_SIZE];

	CHECK_EQ(vm_mmap(mm, NULL, TASK_SIZE - PAGE_SIZE, PAGE_SIZE, RW, ANON | MAP_FIXED, 0),
		 TASK_SIZE - PAGE_SIZE);
	CHECK_EQ(mm_copy_from(mm, buf, TASK_SIZE - 10, 100), 10);
	CHECK_EQ(mm_copy_to(mm, TASK_SIZE, buf, 100), 0);
	CHECK_EQ(mm_copy_to(mm, ULONG_MAX - 10, buf, 100), 0);
	CHECK_EQ(mm_copy_to(mm, 0xffffffc000000000, buf, 1), 0);
	areas_done(mm);
}

/* The parent keeps what it has: writing into the child copies first. */
TEST(copy_on_write_is_respected)
{
	struct mm *parent = areas("ww"), *child;
	unsigned other = 5, seen = 0;

	touch("ww");
	child = mm_fork(parent);
	CHECK_EQ(mm_copy_to(child, at(0), &other, sizeof(other)), sizeof(other));
	CHECK(tag_at(0) && tag_at(1));
	CHECK_EQ(mm_copy_from(child, &seen, at(0), sizeof(seen)), sizeof(seen));
	CHECK_EQ(seen, other);
	mm_put(child);
	areas_done(parent);
}

TEST(a_page_with_a_reference)
{
	struct mm *mm = elsewhere("wr");
	enum fault_result res;
	struct page *page;

	page = get_user_page(mm, at(0), FAULT_WRITE, &res);
	CHECK(page);
	CHECK_EQ(res, FAULT_OK);
	CHECK_EQ(atomic_read(&page->refcount), 2);
	/* It stays ours when the program unmaps it. */
	CHECK_EQ(vm_munmap(mm, at(0), PAGE_SIZE), 0);
	CHECK_EQ(atomic_read(&page->refcount), 1);
	page_put(page);
	CHECK(!get_user_page(mm, at(1), FAULT_WRITE, &res));
	CHECK_EQ(res, FAULT_SEGV_ACCERR);
	CHECK(!get_user_page(mm, at(0), FAULT_READ, &res));
	CHECK_EQ(res, FAULT_SEGV_MAPERR);
	areas_done(mm);
}

/* No memory: short, and nothing hangs. */
TEST(no_memory)
{
	struct mm *mm = elsewhere("wwww");
	char buf[3 * PAGE_SIZE] = "y";

	current->fail_alloc = 4; /* two tables, a page; the second page fails */
	CHECK_EQ(mm_copy_to(mm, at(0), buf, sizeof(buf)), PAGE_SIZE);
	current->fail_alloc = 0;
	CHECK_PAGES(mm, "A...");
	areas_done(mm);
}

/* ---- other harts edit between the fault and the look ---- */

static struct mm *raced_mm;
static unsigned downs;

/* The second time that mmap_lock is wanted, after the fault, hart 1 takes the page away. */
static void drop_the_page(void)
{
	if (++downs < 2) {
		machine_down = drop_the_page;
		return;
	}
	machine_run_on(1);
	machine_use_mm(raced_mm);
	CHECK_EQ(user_syscall(sys_madvise, at(0), PAGE_SIZE, 4, 0, 0, 0), 0);
	machine_use_mm(NULL);
}

TEST(the_page_is_dropped_meanwhile)
{
	struct mm *mm = elsewhere("ww");
	unsigned tag = 3, seen = 0;

	raced_mm = mm;
	machine_down = drop_the_page;
	CHECK_EQ(mm_copy_to(mm, at(0), &tag, sizeof(tag)), sizeof(tag));
	CHECK_EQ(downs, 2);
	CHECK_EQ(mm_copy_from(mm, &seen, at(0), sizeof(seen)), sizeof(seen));
	CHECK_EQ(seen, tag);
	areas_done(mm);
}

/* ... and with the page the area and its tables: the copy ends. */
static void unmap_the_page(void)
{
	if (++downs < 2) {
		machine_down = unmap_the_page;
		return;
	}
	machine_run_on(1);
	CHECK_EQ(vm_munmap(raced_mm, at(0), PAGE_SIZE), 0);
}

TEST(the_area_is_removed_meanwhile)
{
	struct mm *mm = elsewhere("w");
	unsigned tag = 3;

	raced_mm = mm;
	machine_down = unmap_the_page;
	CHECK_EQ(mm_copy_to(mm, at(0), &tag, sizeof(tag)), 0);
	CHECK_EQ(downs, 2);
	CHECK_AREAS(mm, ".");
	areas_done(mm);
}

/* The page that is there now is read-only: the fault must look again before anybody writes. */
static void share_the_page(void)
{
	if (++downs < 2) {
		machine_down = share_the_page;
		return;
	}
	machine_run_on(1);
	mm_put(mm_fork(raced_mm));
}

TEST(the_page_is_shared_meanwhile)
{
	struct mm *mm = elsewhere("w");
	unsigned tag = 3;

	raced_mm = mm;
	machine_down = share_the_page;
	CHECK_EQ(mm_copy_to(mm, at(0), &tag, sizeof(tag)), sizeof(tag));
	CHECK_EQ(downs, 2);
	CHECK_PAGES(mm, "A");
	areas_done(mm);
}

static void only_fetches(void)
{
	if (++downs < 2) {
		machine_down = only_fetches;
		return;
	}
	machine_run_on(1);
	CHECK_EQ(vm_mprotect(raced_mm, at(0), PAGE_SIZE, PROT_EXEC), 0);
	machine_run_on(0);
}

TEST(the_page_may_only_be_executed_meanwhile)
{
	struct mm *mm = elsewhere("w");
	unsigned tag = 3;

	CHECK_EQ(mm_copy_to(mm, at(0), &tag, sizeof(tag)), sizeof(tag));
	raced_mm = mm;
	machine_down = only_fetches;
	CHECK_EQ(mm_copy_from(mm, &tag, at(0), sizeof(tag)), 0);
	CHECK_EQ(downs, 2);
	areas_done(mm);
}
