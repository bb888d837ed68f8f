/*
 * stack.c - the stack grows, a fault at a time, down to its limit or to the guard gap.
 *
 *	| area below |  guard gap, 1 MiB  |  room  |[s  s  s  s)  top
 *	                                        ^ a store here: the area begins here now
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/mmap.h"
#include "mm/stack.h"
#include "mm/vmstat.h"
#include "tests/host/unit/failing.h"

#define TOP (at(AREAS_COLUMNS) + STACK_GUARD)

/* A stack of two pages below TOP. */
static struct mm *with_stack(const char *drawing)
{
	struct mm *mm = areas(drawing);

	CHECK_EQ(vm_make_stack(mm, TOP, pages(2), RW), 0);
	return mm;
}

static unsigned long stack_start(struct mm *mm)
{
	return find_vma(mm, TOP - 1)->vm_start;
}

static enum fault_result store(unsigned long addr)
{
	u8 byte = 1;

	return user_write(addr, &byte, 1);
}

TEST(exec_makes_it)
{
	struct mm *mm = with_stack("");
	struct vm_area *vma = mm->mmap;

	CHECK_EQ(vma->vm_start, TOP - pages(2));
	CHECK_EQ(vma->vm_end, TOP);
	CHECK_EQ(vma->vm_pgoff, vma->vm_start >> PAGE_SHIFT);
	CHECK_EQ(vma->vm_flags, VM_GROWSDOWN);
	CHECK_EQ(mm->start_stack, TOP);
	CHECK_EQ(mm->mmap_base, mmap_base_below_stack(TOP));
	CHECK_EQ(mm->stack_vm, 2);
	CHECK_EQ(mm->data_vm, 0);
	areas_done(mm);
}

TEST(grows_down_to_the_fault)
{
	struct mm *mm = with_stack("");
	unsigned long before = vmstat_sum(VM_fault_stack_grow);
	u8 byte = 9;

	CHECK_EQ(store(TOP - 1), FAULT_OK);
	CHECK_EQ(stack_start(mm), TOP - pages(2));
	CHECK_EQ(store(TOP - pages(2) - 1), FAULT_OK);
	CHECK_EQ(stack_start(mm), TOP - pages(3));
	/* Several pages at once; those between are there when they are used. */
	CHECK_EQ(user_read(TOP - pages(20) + 5, &byte, 1), FAULT_OK);
	CHECK_EQ(byte, 0);
	CHECK_EQ(stack_start(mm), TOP - pages(20));
	CHECK_EQ(store(TOP - pages(10)), FAULT_OK);
	CHECK_EQ(mm->stack_vm, 20);
	CHECK_EQ(mm->nr_areas, 1);
	CHECK_EQ(mm->mmap->vm_pgoff, mm->mmap->vm_start >> PAGE_SHIFT);
	CHECK_EQ(vmstat_sum(VM_fault_stack_grow), before + 2);
	/* It is still linear: no mm_check() complaint, and pages of before are found again. */
	CHECK_EQ(user_read(TOP - pages(2) - 1, &byte, 1), FAULT_OK);
	CHECK_EQ(byte, 1);
	areas_done(mm);
}

TEST(its_limit)
{
	struct mm *mm = with_stack("");

	limit(RLIMIT_STACK, pages(16));
	CHECK_EQ(store(TOP - pages(17)), FAULT_SEGV_MAPERR);
	CHECK_EQ(store(TOP - pages(16) - 1), FAULT_SEGV_MAPERR);
	CHECK_EQ(stack_start(mm), TOP - pages(2));
	CHECK_EQ(store(TOP - pages(16)), FAULT_OK);
	CHECK_EQ(stack_start(mm), TOP - pages(16));
	/* A limit that is lowered later takes nothing away. */
	limit(RLIMIT_STACK, pages(4));
	CHECK_EQ(store(TOP - pages(12)), FAULT_OK);
	CHECK_EQ(store(TOP - pages(16) - 1), FAULT_SEGV_MAPERR);
	areas_done(mm);
}

TEST(all_memory_is_limited_too)
{
	struct mm *mm = with_stack("rr");

	limit(RLIMIT_AS, pages(6));
	limit(RLIMIT_DATA, 0); /* not the stack's */
	CHECK_EQ(store(TOP - pages(5)), FAULT_SEGV_MAPERR);
	CHECK_EQ(store(TOP - pages(4)), FAULT_OK);
	CHECK_EQ(store(TOP - pages(5)), FAULT_SEGV_MAPERR);
	CHECK_EQ(stack_start(mm), TOP - pages(4));
	areas_done(mm);
}

/* The last page that is allowed leaves exactly the gap; a PROT_NONE area is a guard by itself. */
TEST(the_guard_gap)
{
	struct mm *mm = with_stack("");
	unsigned long low = TOP - pages(8) - STACK_GUARD;

	CHECK_EQ(vm_mmap(mm, NULL, low - PAGE_SIZE, PAGE_SIZE, PROT_READ, ANON | MAP_FIXED, 0),
		 low - PAGE_SIZE);
	CHECK_EQ(store(TOP - pages(9)), FAULT_SEGV_MAPERR);
	CHECK_EQ(store(TOP - pages(8)), FAULT_OK);
	CHECK_EQ(store(TOP - pages(8) - 1), FAULT_SEGV_MAPERR);
	CHECK_EQ(vm_mprotect(mm, low - PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
	CHECK_EQ(store(low + PAGE_SIZE), FAULT_OK);
	CHECK_EQ(store(low), FAULT_OK);
	CHECK_EQ(stack_start(mm), low);
	CHECK_EQ(store(low - 1), FAULT_SEGV_ACCERR);
	areas_done(mm);
}

/* Nothing is below: down to the lowest address that may be mapped. */
/* A hole in it is filled by growth up to what was cut off: no guard gap beside PROT_NONE. */
TEST(meets_its_lower_part_again)
{
	struct mm *mm = with_stack("");

	CHECK_EQ(store(TOP - pages(4)), FAULT_OK);
	CHECK_EQ(vm_mprotect(mm, TOP - pages(4), pages(4), PROT_NONE), 0);
	CHECK_EQ(vm_munmap(mm, TOP - pages(3), pages(1)), 0);
	CHECK_EQ(mm->nr_areas, 2);
	CHECK_EQ(store(TOP - pages(3)), FAULT_SEGV_ACCERR);
	CHECK_EQ(mm->nr_areas, 1);
	CHECK_EQ(stack_start(mm), TOP - pages(4));
	areas_done(mm);
}

/* Beside another that grows, or a part of itself that may still be read, there is no gap. */
TEST(meets_another_stack)
{
	struct mm *mm = with_stack("");
	unsigned long low = TOP - pages(5);

	CHECK_EQ(vm_mmap(mm, NULL, low - pages(2), pages(2), PROT_READ,
			 ANON | MAP_FIXED | MAP_GROWSDOWN, 0),
		 low - pages(2));
	CHECK_EQ(store(low), FAULT_OK);
	CHECK_EQ(stack_start(mm), low);
	CHECK_EQ(store(low - 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(store(low - pages(2) - 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(mm->mmap->vm_start, low - pages(3)); /* it has grown all the same */
	areas_done(mm);
}

TEST(nothing_below)
{
	struct mm *mm = areas("");
	unsigned long top = MMAP_MIN_ADDR + pages(10);

	CHECK_EQ(vm_make_stack(mm, top, pages(1), RW), 0);
	CHECK_EQ(store(MMAP_MIN_ADDR - 1), FAULT_SEGV_MAPERR);
	CHECK_EQ(store(MMAP_MIN_ADDR), FAULT_OK);
	CHECK_EQ(mm->mmap->vm_start, MMAP_MIN_ADDR);
	CHECK_EQ(store(MMAP_MIN_ADDR - 1), FAULT_SEGV_MAPERR);
	areas_done(mm);
}

/* Only below a growable area, and only where nothing is. */
TEST(what_does_not_grow)
{
	struct mm *mm = with_stack("....ww");

	CHECK_EQ(stack_grow(mm, at(3)), -EFAULT); /* below an area that is no stack */
	CHECK_EQ(stack_grow(mm, TOP), -EFAULT);	  /* above everything */
	CHECK_EQ(stack_grow(mm, at(4)), 0);	  /* an area holds it: nothing to do */
	CHECK_EQ(stack_grow(mm, TOP - 1), 0);
	CHECK_EQ(stack_start(mm), TOP - pages(2));
	CHECK_EQ(store(at(3)), FAULT_SEGV_MAPERR);
	areas_done(mm);
}

/* A stack that may not be written to, or run, grows but still forbids it. */
TEST(rights_hold_below)
{
	struct mm *mm = with_stack("");
	u64 word;

	CHECK_EQ(user_fetch(TOP - 8, &word), FAULT_SEGV_ACCERR);
	CHECK_EQ(user_fetch(TOP - pages(3), &word), FAULT_SEGV_ACCERR);
	areas_done(mm);
}

/* ---- other harts edit between the look and the writer's lock ---- */

static struct mm *raced_mm;
static void (*other_hart)(void);

static unsigned downs;

static void run_before_the_writer(void)
{
	if (++downs < 2) {
		machine_down = run_before_the_writer;
		return;
	}
	machine_run_on(1);
	other_hart();
}

static int grow_against(struct mm *mm, unsigned long addr, void (*other)(void))
{
	raced_mm = mm;
	other_hart = other;
	downs = 0;
	machine_down = run_before_the_writer;
	return stack_grow(mm, addr);
}

static void take_the_stack_away(void)
{
	CHECK_EQ(vm_munmap(raced_mm, TOP - pages(2), pages(2)), 0);
}

static void grow_it_further(void)
{
	CHECK_EQ(stack_grow(raced_mm, TOP - pages(9)), 0);
}

TEST(the_stack_is_gone_meanwhile)
{
	struct mm *mm = with_stack("");

	CHECK_EQ(grow_against(mm, TOP - pages(3), take_the_stack_away), -EFAULT);
	CHECK_EQ(mm->nr_areas, 0);
	areas_done(mm);
}

TEST(the_stack_has_grown_meanwhile)
{
	struct mm *mm = with_stack("");

	CHECK_EQ(grow_against(mm, TOP - pages(5), grow_it_further), 0);
	CHECK_EQ(stack_start(mm), TOP - pages(9));
	areas_done(mm);
}

/* ---- failure ---- */

TEST(a_failing_stack_changes_nothing)
{
	struct mm *mm = areas("xx");

	limit(RLIMIT_AS, pages(3));
	CHECK_EQ(vm_make_stack(mm, TOP, pages(2), RW), -ENOMEM);
	CHECK_AREAS(mm, "xx");
	limit(RLIMIT_AS, RLIM_INFINITY);
	CHECK_EQ(FAILING(mm, vm_make_stack(mm, TOP, pages(2), RW), -ENOMEM), 1);
	CHECK_EQ(FAILING(mm, stack_grow(mm, TOP - pages(5)), -ENOMEM), 0); /* needs no memory */
	CHECK_EQ(stack_start(mm), TOP - pages(5));
	areas_done(mm);
}
