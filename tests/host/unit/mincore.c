/*
 * mincore.c - mincore(2): a byte for each page, by PTE and page cache; who is told; the errnos.
 */
#include "tests/host/unit/areas.h"

#include <string.h>

#include "lib/errno.h"
#include "mm/filemap.h"
#include "tests/host/unit/failing.h"

#define VEC 40 /* the column of the page that the bytes go to */

static long ask(unsigned start, unsigned end)
{
	return user_syscall(sys_mincore, at(start), pages(end - start), at(VEC), 0, 0, 0);
}

/* The first @n bytes of the answer: x there, . not there, ? anything else. */
static const char *answer(unsigned n)
{
	static char text[64];
	u8 bytes[64];

	CHECK_EQ(user_read(at(VEC), bytes, n), FAULT_OK);
	for (unsigned i = 0; i < n; i++)
		text[i] = bytes[i] > 1 ? '?' : bytes[i] ? 'x' : '.';
	text[n] = 0;
	return text;
}

/* The areas of @drawing, and a place for the answer, filled with 0xee. */
static struct mm *space(const char *drawing)
{
	struct mm *mm = areas(drawing);
	u8 bytes[PAGE_SIZE];

	CHECK_EQ(map_anon(mm, at(VEC), 1, RW, MAP_FIXED), at(VEC));
	memset(bytes, 0xee, sizeof(bytes));
	CHECK_EQ(user_write(at(VEC), bytes, sizeof(bytes)), FAULT_OK);
	return mm;
}

TEST(anonymous_memory)
{
	struct mm *mm = space("wwwwnn");

	touch("w.r");
	CHECK_EQ(ask(0, 6), 0);
	CHECK_STRING(answer(7), "x.x...?");
	CHECK_EQ(protect(mm, 0, 3, PROT_NONE), 0); /* hidden, and there */
	CHECK_EQ(ask(0, 2), 0);
	CHECK_STRING(answer(3), "x.x");
	CHECK_EQ(ask(3, 3), 0);
	areas_done(mm);
}

TEST(pages_of_files_are_there_when_cached)
{
	struct mm *mm = space("WWWWAAAAAAAAAAAAAAAAAAAA");

	touch("....r...............r"); /* each alone: they are touched at random */
	CHECK_EQ(ask(0, 24), 0);
	CHECK_STRING(answer(25), "....x...............x...?");
	touch("w"); /* reads its neighbours in */
	CHECK_EQ(ask(0, 24), 0);
	CHECK_STRING(answer(24), "xxxxxxxxxxxxxxxx....x...");
	areas_done(mm);
}

TEST(a_page_that_is_being_read_is_not_there)
{
	struct mm *mm = space("A");
	u8 byte;

	current->killed = true;
	CHECK_EQ(user_read(at(0), &byte, 1), FAULT_KILLED);
	current->killed = false;
	CHECK_EQ(ask(0, 1), 0);
	CHECK_STRING(answer(1), ".");
	CHECK(disk_complete());
	CHECK_EQ(ask(0, 1), 0);
	CHECK_STRING(answer(1), "x");
	areas_done(mm);
}

TEST(who_may_not_write_to_a_file_is_told_nothing)
{
	struct mm *mm = space("RRww");

	touch("..w");
	host_file_mode(area_file(0), true, false, true);
	CHECK_EQ(ask(0, 4), 0);
	CHECK_STRING(answer(4), "xxx.");
	host_file_mode(area_file(0), true, true, true);
	CHECK_EQ(ask(0, 4), 0);
	CHECK_STRING(answer(4), "..x.");
	areas_done(mm);
}

TEST(more_than_one_round_and_tables_that_are_not_there)
{
	struct mm *mm = space("");
	unsigned long start = 1UL << 36, n = 3 * PAGE_SIZE + 7;
	unsigned long vec = start + pages(n) + PAGE_SIZE;
	u8 byte = 1;

	CHECK_EQ(vm_mmap(mm, NULL, start, pages(n), RW, ANON | MAP_FIXED | MAP_NORESERVE, 0),
		 start);
	CHECK_EQ(vm_mmap(mm, NULL, vec, pages(4), RW, ANON | MAP_FIXED, 0), vec);
	for (unsigned long i = 0; i < n; i += 1000)
		CHECK_EQ(user_write(start + pages(i), &byte, 1), FAULT_OK);
	CHECK_EQ(user_syscall(sys_mincore, start, pages(n), vec, 0, 0, 0), 0);
	for (unsigned long i = 0; i < n; i++) {
		CHECK_EQ(user_read(vec + i, &byte, 1), FAULT_OK);
		CHECK_EQ(byte, i % 1000 == 0);
	}
	areas_done(mm);
}

TEST(holes)
{
	struct mm *mm = space("ww.w");

	touch("ww.w");
	CHECK_EQ(ask(0, 4), -ENOMEM);
	CHECK_STRING(answer(4), "xx??");
	CHECK_EQ(ask(2, 3), -ENOMEM);
	CHECK_EQ(ask(3, 5), -ENOMEM);
	areas_done(mm);
}

static void unmap_all(bool locked)
{
	if (!locked && current->mm && current->mm->nr_areas > 1)
		CHECK_EQ(vm_munmap(current->mm, at(0), pages(VEC)), 0);
}

/* Between two areas the list is free. */
TEST(the_list_may_change_between_areas)
{
	struct mm *mm = space("wr");

	machine_meanwhile = unmap_all;
	CHECK_EQ(ask(0, 2), -ENOMEM);
	machine_meanwhile = NULL;
	CHECK_STRING(answer(2), ".?");
	areas_done(mm);
}

TEST(arguments)
{
	struct mm *mm = space("ww");

	CHECK_EQ(user_syscall(sys_mincore, at(0) + 1, 1, at(VEC), 0, 0, 0), -EINVAL);
	CHECK_EQ(user_syscall(sys_mincore, at(0), TASK_SIZE, at(VEC), 0, 0, 0), -ENOMEM);
	CHECK_EQ(user_syscall(sys_mincore, at(0), ULONG_MAX, at(VEC), 0, 0, 0), -ENOMEM);
	CHECK_EQ(user_syscall(sys_mincore, ~0UL << 38, 0, at(VEC), 0, 0, 0), -ENOMEM);
	CHECK_EQ(user_syscall(sys_mincore, at(0), 1, TASK_SIZE, 0, 0, 0), -EFAULT);
	CHECK_EQ(user_syscall(sys_mincore, at(0), 1, ULONG_MAX, 0, 0, 0), -EFAULT);
	CHECK_EQ(user_syscall(sys_mincore, at(0), 1, at(20), 0, 0, 0), -EFAULT);
	CHECK_EQ(user_syscall(sys_mincore, at(0), 1, at(VEC), 0, 0, 0), 0);
	CHECK_STRING(answer(2), ".?");
	areas_done(mm);
}

TEST(no_memory_and_a_signal)
{
	struct mm *mm = space("wr");

	CHECK_EQ(FAILING(mm, ask(0, 2), -EAGAIN), 1);
	current->killed = true;
	CHECK_EQ(ask(0, 2), -EINTR);
	current->killed = false;
	areas_done(mm);
}
