/*
 * life.c - an address space from its first to its last user, and the fork that fails half-way.
 *
 *	mm_alloc()   users 1, no areas, a root table          mm_get()   users + 1
 *	mm_put()     users - 1; the last one: areas, frames, tables, root, family
 *
 * What a fork copies is in fork.c; here is that it leaves nothing behind when memory ends.
 */
#include "tests/host/unit/areas.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/mmu.h"
#include "lib/errno.h"
#include "mm/anon_root.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/slab.h"
#include "tests/host/unit/failing.h"

/* Free, or in caches. */
static unsigned long frames(void)
{
	return nr_free_pages() + slab_nr_pages() + filemap_nr_pages();
}

TEST(a_new_one_is_empty)
{
	struct mm *mm = mm_alloc();

	CHECK_EQ(atomic_read(&mm->users), 1);
	CHECK(!mm->mmap && !mm->mm_rb.rb_node && !mm->last_hit);
	CHECK_EQ(mm->nr_areas, 0);
	CHECK_EQ(mm->total_vm, 0);
	CHECK_EQ(mm->nr_ptes, 0);
	CHECK_EQ(mm->hart_mask, 0);
	CHECK_EQ(mm->mmap_base, STACK_TOP);
	CHECK_EQ(atomic_read(&mm->anon_root->refcount), 1);
	for (unsigned i = 0; i < KERNEL_ROOT_IX; i++)
		CHECK(pte_none(mm->pgd[i]));
	mm_put(mm);
}

/* The kernel's half of the root is every mm's. */
TEST(the_kernels_half_is_there)
{
	struct mm *mm;

	kernel_root[PT_ENTRIES - 1] = pte_make(77, PTE_V);
	mm = mm_alloc();
	CHECK_EQ(mm->pgd[PT_ENTRIES - 1].val, kernel_root[PT_ENTRIES - 1].val);
	mm_put(mm);
	kernel_root[PT_ENTRIES - 1] = (pte_t){ 0 };
}

TEST(the_last_user_takes_everything_away)
{
	unsigned long before;
	struct mm *mm;

	mm_put(mm_alloc()); /* the caches keep a slab each */
	area_file(0);
	before = frames();
	mm = areas("rrwwRRWW.nn");
	touch("rrwwrrww");
	mm_get(mm);
	CHECK_EQ(atomic_read(&mm->users), 2);
	machine_use_mm(NULL);
	mm_put(mm);
	CHECK_EQ(atomic_read(&mm->users), 1);
	CHECK_EQ(host_file_refs(area_file(0)), 3);
	CHECK_AREAS(mm, "rrwwRRWW.nn");
	mm_put(mm);
	CHECK_EQ(host_file_refs(area_file(0)), 1);
	CHECK_EQ(frames(), before);
	areas_done(areas(""));
}

TEST(the_program_file_is_put)
{
	struct mm *mm = areas("");

	mm->exe_file = file_get(area_file(0));
	areas_done(mm);
}

/* While a hart's satp is on the tables the bit of this hart is set. */
TEST(harts_are_known)
{
	struct mm *first = areas("ww"), *second;

	CHECK_EQ(first->hart_mask, BIT(0));
	machine_run_on(2);
	machine_use_mm(first);
	CHECK_EQ(first->hart_mask, BIT(0) | BIT(2));
	machine_use_mm(first);
	CHECK_EQ(first->hart_mask, BIT(0) | BIT(2));
	second = mm_alloc();
	machine_use_mm(second);
	CHECK_EQ(first->hart_mask, BIT(0));
	CHECK_EQ(second->hart_mask, BIT(2));
	machine_use_mm(NULL);
	CHECK_EQ(second->hart_mask, 0);
	mm_put(second);
	machine_run_on(0);
	areas_done(first);
}

static void put_while_in_use(void)
{
	mm_put(current->mm);
}

TEST(the_tables_of_a_running_hart_are_not_freed)
{
	struct mm *mm = areas("");

	CHECK_PANIC(put_while_in_use(), "hart_mask");
	atomic_set(&mm->users, 1);
	areas_done(mm);
}

TEST(sums_over_all)
{
	struct mm_totals totals;
	struct mm *a = areas("wwRR.r"), *b;

	touch("wwrr..");
	mm_totals(&totals);
	CHECK_EQ(totals.anon, 2);
	CHECK_EQ(totals.file, 2);
	CHECK_EQ(totals.committed, 2);
	CHECK_EQ(totals.areas, 3);
	CHECK_EQ(totals.tables, 3);
	b = mm_fork(a);
	mm_totals(&totals);
	CHECK_EQ(totals.anon, 4);
	CHECK_EQ(totals.file, 2); /* the child's come by faults */
	CHECK_EQ(totals.committed, 4);
	CHECK_EQ(gauge_sum(GAUGE_SHARED_ANON), 2);
	CHECK_EQ(totals.areas, 6);
	CHECK_EQ(totals.tables, 6);
	mm_put(b);
	areas_done(a);
}

/* ---- failure ---- */

BARE_TEST(no_memory_at_boot)
{
	machine_boot(TEST_PAGES, 1);
	current->fail_alloc = 1;
	CHECK_PANIC(mm_init(), "no memory for the zero page");
}

/* mm_alloc() and the put of what it made, or true when there was no memory. */
static bool alloc_fails(void)
{
	struct mm *mm = mm_alloc();

	if (mm)
		mm_put(mm);
	return !mm;
}

TEST(a_failing_alloc_leaves_nothing)
{
	struct mm *mm = areas("ww");

	touch("ww");
	CHECK_EQ(FAILING(mm, alloc_fails(), true), 3); /* the mm, its root table, its family */
	areas_done(mm);
}

static bool fork_fails(struct mm *mm)
{
	struct mm *child = mm_fork(mm);

	if (child)
		mm_put(child);
	return !child;
}

/*
 * Each area and each table of the child fails once. The pages lose W before the first fork, so that
 * the parent's PTEs are the same before and after.
 */
TEST(a_failing_fork_leaves_nothing)
{
	struct mm *mm = areas("wwRRWWrr.ss");

	touch("wwrrwwrr.ww");
	mm->exe_file = file_get(area_file(1));
	CHECK(!fork_fails(mm));
	CHECK_PAGES(mm, "aaffaazz.aa");
	/* mm, root, 5 areas, tables of levels 1 and 0; and slabs for what no magazine has. */
	CHECK(FAILING(mm, fork_fails(mm), true) >= 2 + 5 + 2);
	CHECK_PAGES(mm, "aaffaazz.aa");
	/* What it had written it can write again. */
	touch("ww..ww...ww");
	CHECK_PAGES(mm, "AAffAAzz.AA");
	areas_done(mm);
}

/* The first fork of pages that are writable: W is lost, and comes back with the next write. */
TEST(a_failing_fork_may_cost_a_fault)
{
	struct mm *mm = areas("wwwwww");
	bool failed = true;
	unsigned n = 0;

	while (failed) {
		touch("wwwwww");
		CHECK_PAGES(mm, "AAAAAA");
		current->fail_alloc = ++n;
		failed = fork_fails(mm);
		current->fail_alloc = 0;
		for (unsigned column = 0; column < 6; column++)
			CHECK(tag_at(column));
		CHECK_EQ(mm->rss_anon, 6);
		machine_check();
	}
	CHECK(n > 4);
	areas_done(mm);
}
