/*
 * munmap.c - the system call: arguments, what the program sees afterwards, what the harts forget.
 * What happens to the list is in remove.c.
 *
 *	addr must be on a page; len is rounded up, and must not be 0 or leave the user half.
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "tests/host/unit/failing.h"

TEST(arguments)
{
	struct mm *mm = areas("rrrr");
	const struct {
		unsigned long addr, len;
		int result;
	} rows[] = {
		{ at(1) + 1, PAGE_SIZE, -EINVAL },
		{ at(1), 0, -EINVAL },
		{ at(1), ULONG_MAX, -EINVAL },
		{ at(1), ULONG_MAX & PAGE_MASK, -EINVAL },
		{ at(1), TASK_SIZE, -EINVAL },
		{ at(1), TASK_SIZE - at(1) + 1, -EINVAL },
		{ 0, TASK_SIZE + 1, -EINVAL },
		{ TASK_SIZE, PAGE_SIZE, -EINVAL },
		{ 0xffffffc000000000, PAGE_SIZE, -EINVAL },
		/* no area: fine */
		{ at(7), PAGE_SIZE, 0 },
		{ 0, PAGE_SIZE, 0 },
		{ at(4), TASK_SIZE - at(4), 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		if (vm_munmap(mm, rows[i].addr, rows[i].len) != rows[i].result)
			host_test_fail(__FILE__, __LINE__, "row %u", i);
		CHECK_AREAS(mm, "rrrr");
	}
	/* Part of a page is all of it. */
	CHECK_EQ(vm_munmap(mm, at(1), 1), 0);
	CHECK_AREAS(mm, "r.rr");
	CHECK_EQ(vm_munmap(mm, at(2), PAGE_SIZE + 1), 0);
	CHECK_AREAS(mm, "r...");
	CHECK_EQ(vm_munmap(mm, 0, TASK_SIZE), 0);
	CHECK_AREAS(mm, "....");
	areas_done(mm);
}

TEST(the_program_faults_where_it_was)
{
	struct mm *mm = areas("wwwwRR");
	u64 word;

	touch("wwwwrr");
	CHECK_EQ(vm_munmap(mm, at(2), pages(3)), 0);
	for (unsigned column = 2; column < 5; column++) {
		CHECK_EQ(user_read(at(column), &word, 1), FAULT_SEGV_MAPERR);
		CHECK_EQ(user_write(at(column), &word, 1), FAULT_SEGV_MAPERR);
		CHECK_EQ(user_fetch(at(column), &word), FAULT_SEGV_MAPERR);
	}
	CHECK(tag_at(1));
	CHECK_EQ(user_read(at(5), &word, 1), FAULT_OK);
	/* An access over the border does the part that is there. */
	CHECK_EQ(user_write(at(2) - 4, &word, 8), FAULT_SEGV_MAPERR);
	areas_done(mm);
}

/* What is mapped there next is new: nothing of what was there shines through. */
TEST(mapped_again_it_is_zero)
{
	struct mm *mm = areas("ww");
	u32 word = 1;

	touch("ww");
	CHECK_EQ(vm_munmap(mm, at(0), PAGE_SIZE), 0);
	CHECK_EQ(vm_mmap(mm, NULL, at(0), PAGE_SIZE, RW, ANON | MAP_FIXED, 0), at(0));
	CHECK_AREAS(mm, "ww");
	CHECK_EQ(user_read(at(0), &word, sizeof(word)), FAULT_OK);
	CHECK_EQ(word, 0);
	CHECK(tag_at(1));
	areas_done(mm);
}

/* The harts that run in the address space forget it before a frame is freed; mmu.c watches. */
TEST(every_hart_forgets)
{
	struct mm *mm = areas("wwwwwwww");
	u8 byte;

	for (unsigned hart = 0; hart < TEST_HARTS; hart++) {
		machine_run_on(hart);
		machine_use_mm(mm);
		touch("wwwwwwww");
	}
	machine_run_on(1);
	CHECK_EQ(vm_munmap(mm, at(2), pages(3)), 0);
	CHECK_EQ(vm_munmap(mm, at(6), pages(1)), 0);
	for (unsigned hart = 0; hart < TEST_HARTS; hart++) {
		machine_run_on(hart);
		CHECK_EQ(user_read(at(2), &byte, 1), FAULT_SEGV_MAPERR);
		CHECK_EQ(user_read(at(6), &byte, 1), FAULT_SEGV_MAPERR);
		CHECK(tag_at(1) && tag_at(5) && tag_at(7));
	}
	/* The tables go too: pointers to them may be cached. */
	CHECK_EQ(vm_munmap(mm, at(0), pages(8)), 0);
	CHECK_EQ(mm->nr_ptes, 0);
	for (unsigned hart = 0; hart < TEST_HARTS; hart++) {
		machine_run_on(hart);
		CHECK_EQ(user_read(at(0), &byte, 1), FAULT_SEGV_MAPERR);
		machine_use_mm(NULL);
	}
	machine_run_on(0);
	areas_done(mm);
}

/* One area may become two: not when there are as many as there may be. */
TEST(a_hole_when_the_list_is_full)
{
	struct mm *mm = areas("");
	unsigned long base = at(0);

	/* Three pages, a gap of one, and so on: MAX_MAP_COUNT areas. */
	for (unsigned i = 0; i < MAX_MAP_COUNT; i++)
		CHECK_EQ(vm_mmap(mm, NULL, base + pages(4) * i, pages(3), PROT_READ,
				 ANON | MAP_FIXED, 0),
			 base + pages(4) * i);
	CHECK_EQ(mm->nr_areas, MAX_MAP_COUNT);
	CHECK_EQ(vm_munmap(mm, base + pages(1), PAGE_SIZE), -ENOMEM);
	CHECK_EQ(vm_mmap(mm, NULL, 0, PAGE_SIZE, PROT_READ, ANON, 0), -ENOMEM);
	CHECK_EQ(vm_mmap(mm, NULL, base + pages(1), PAGE_SIZE, PROT_READ, ANON | MAP_FIXED, 0),
		 -ENOMEM);
	CHECK_EQ(vm_mprotect(mm, base, PAGE_SIZE, RW), -ENOMEM);
	CHECK_EQ(user_syscall(sys_madvise, base, PAGE_SIZE, 1, 0, 0, 0), -EAGAIN);
	CHECK_EQ(user_syscall(sys_mlock, base, PAGE_SIZE, 0, 0, 0, 0), -ENOMEM);
	mm->start_brk = mm->brk = base - pages(100);
	CHECK_EQ(vm_brk(mm, mm->brk + PAGE_SIZE), mm->brk);
	CHECK_EQ(mm->nr_areas, MAX_MAP_COUNT);
	/* A head, a tail, and two at once do not add one. */
	CHECK_EQ(vm_munmap(mm, base, PAGE_SIZE), 0);
	CHECK_EQ(vm_munmap(mm, base + pages(2), PAGE_SIZE), 0);
	CHECK_EQ(vm_munmap(mm, base + pages(6), pages(3)), 0);
	CHECK_EQ(mm->nr_areas, MAX_MAP_COUNT);
	/* Whole areas change their rights; and with one less, one may be cut. */
	CHECK_EQ(vm_mprotect(mm, base + pages(12), pages(3), RW), 0);
	CHECK_EQ(vm_munmap(mm, base, pages(4)), 0);
	CHECK_EQ(vm_munmap(mm, base + pages(17), PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_areas, MAX_MAP_COUNT);
	areas_done(mm);
}

TEST(as_a_system_call)
{
	struct mm *mm = areas("rrrr");

	CHECK_EQ(user_syscall(sys_munmap, at(1), pages(2), 0, 0, 0, 0), 0);
	CHECK_AREAS(mm, "r..r");
	CHECK_EQ(user_syscall(sys_munmap, at(1) + 1, pages(2), 0, 0, 0, 0), -EINVAL);
	areas_done(mm);
}

TEST(a_failing_munmap_changes_nothing)
{
	struct mm *mm = areas("RRRRRRwwww..xx");

	touch("rrrrrrwwww..xx");
	CHECK_EQ(FAILING(mm, vm_munmap(mm, at(1), pages(2)), -ENOMEM), 2);
	CHECK_EQ(FAILING(mm, vm_munmap(mm, at(5), pages(3)), -ENOMEM), 2);
	CHECK_AREAS(mm, "R..RR...ww..xx");
	CHECK_EQ(FAILING(mm, vm_munmap(mm, at(0), pages(12)), -ENOMEM), 0);
	CHECK_AREAS(mm, "............xx");
	areas_done(mm);
}
