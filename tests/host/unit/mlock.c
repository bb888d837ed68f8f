/*
 * mlock.c - locked memory: flags of areas, what is populated, what is counted, the limit.
 *
 *	areas    [w  w  w  w)       pages   .  .  .  .
 *	mlock        s     e
 *	areas    [w)[p  p)[w)       pages   .  A  A  .       locked_vm 2
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/stack.h"
#include "tests/host/unit/failing.h"

#define ONFAULT	    1
#define MCL_CURRENT 1
#define MCL_FUTURE  2
#define MCL_ONFAULT 4

static long lock(unsigned start, unsigned end)
{
	return user_syscall(sys_mlock, at(start), pages(end - start), 0, 0, 0, 0);
}

static long lock2(unsigned start, unsigned end, int flags)
{
	return user_syscall(sys_mlock2, at(start), pages(end - start), flags, 0, 0, 0);
}

static long unlock(unsigned start, unsigned end)
{
	return user_syscall(sys_munlock, at(start), pages(end - start), 0, 0, 0, 0);
}

static long lock_all(int flags)
{
	return user_syscall(sys_mlockall, flags, 0, 0, 0, 0, 0);
}

static void unlock_all(void)
{
	CHECK_EQ(user_syscall(sys_munlockall, 0, 0, 0, 0, 0, 0), 0);
}

/* Root no more, and with room for @n pages. */
static void become_nobody(unsigned n)
{
	current->cred.euid = 1;
	limit(RLIMIT_MEMLOCK, pages(n));
}

static void become_root(void)
{
	current->cred.euid = 0;
	limit(RLIMIT_MEMLOCK, RLIM_INFINITY);
}

static const struct {
	const char *before;
	char call; /* l mlock, k mlock2(ONFAULT), u munlock */
	unsigned start, end;
	long result;
	const char *after, *pages;
	unsigned locked;
} rows[] = {
	{ "wwww", 'l', 1, 3, 0, "wppw", ".AA.", 2 },
	{ "wwww", 'k', 1, 3, 0, "wkkw", "....", 2 },
	{ "wpkw", 'l', 0, 4, 0, "pppp", "AAAA", 4 },
	{ "wpkw", 'k', 1, 4, 0, "wkkk", "....", 3 },
	{ "wpkw", 'u', 0, 4, 0, "wwww", "....", 0 },
	{ "pppp", 'u', 1, 2, 0, "pwpp", "....", 3 },
	{ "wwww", 'u', 1, 3, 0, "wwww", "....", 0 },
	{ "pppp", 'l', 1, 3, 0, "pppp", ".AA.", 4 },
	{ "WWWW", 'l', 1, 2, 0, "WLWW", ".A..", 1 },
	{ "wwww", 'l', 2, 2, 0, "wwww", "....", 0 },
	/* holes: what lies before is done */
	{ "ww.w", 'l', 1, 4, -ENOMEM, "wp.w", "....", 1 },
	{ "ww..", 'k', 0, 3, -ENOMEM, "kk..", "....", 2 },
	{ ".www", 'l', 0, 2, -ENOMEM, ".www", "....", 0 },
	{ "....", 'l', 0, 2, -ENOMEM, "....", "....", 0 },
	{ "pp.p", 'u', 1, 4, -ENOMEM, "pw.p", "....", 2 },
};

TEST(the_areas_and_the_pages)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mm *mm = areas(rows[i].before);
		long got;

		if (rows[i].call == 'u')
			got = unlock(rows[i].start, rows[i].end);
		else
			got = rows[i].call == 'l' ? lock(rows[i].start, rows[i].end) :
						    lock2(rows[i].start, rows[i].end, ONFAULT);
		CHECK_EQ(got, rows[i].result);
		CHECK_ROW(i, areas_drawing(mm, 4), rows[i].after);
		CHECK_ROW(i, pages_drawing(mm, 4), rows[i].pages);
		CHECK_EQ(mm->locked_vm, rows[i].locked);
		areas_done(mm);
	}
}

TEST(every_allocation_may_fail)
{
	struct mm *mm = areas("wwww");

	CHECK_EQ(FAILING(mm, lock2(1, 3, ONFAULT), -ENOMEM), 2);
	CHECK_AREAS(mm, "wkkw");
	CHECK_EQ(FAILING(mm, unlock(2, 3), -ENOMEM), 1);
	CHECK_AREAS(mm, "wkww");
	CHECK_EQ(FAILING(mm, unlock(0, 4), -ENOMEM), 0);
	areas_done(mm);
}

/* The areas are locked by then, and stay so: Linux does the same. */
TEST(pages_that_cannot_be_had)
{
	struct mm *mm = areas("wwnn");

	current->fail_alloc = 3; /* two splits less one, two tables: a page */
	CHECK_EQ(lock(0, 2), -EAGAIN);
	CHECK_EQ(current->fail_alloc, 0);
	CHECK_EQ(mm->locked_vm, 2);
	CHECK_EQ(lock(0, 2), 0);
	CHECK_PAGES(mm, "AA..");
	CHECK_EQ(lock(2, 4), -ENOMEM);
	CHECK_EQ(mm->locked_vm, 4);
	areas_done(mm);
}

TEST(the_limit)
{
	struct mm *mm = areas("wwwwwwww");

	become_nobody(4);
	CHECK_EQ(lock(0, 5), -ENOMEM);
	CHECK_AREAS(mm, "wwwwwwww");
	CHECK_EQ(lock(0, 3), 0);
	CHECK_EQ(lock(3, 5), -ENOMEM);
	CHECK_EQ(lock(1, 4), 0); /* one more: two are locked already */
	CHECK_EQ(lock2(0, 4, ONFAULT), 0);
	CHECK_EQ(lock(0, 5), -ENOMEM);
	CHECK_AREAS(mm, "kkkkwwww");
	CHECK_EQ(unlock(0, 8), 0);
	limit(RLIMIT_MEMLOCK, pages(1) - 1);
	CHECK_EQ(lock(0, 1), -ENOMEM);
	limit(RLIMIT_MEMLOCK, 0);
	CHECK_EQ(lock(0, 1), -EPERM);
	CHECK_EQ(lock(0, 0), -EPERM);
	CHECK_EQ(lock2(0, 1, 0), -EPERM);
	CHECK_EQ(lock_all(MCL_CURRENT), -EPERM);
	CHECK_EQ(map_anon(mm, at(9), 1, RW, MAP_LOCKED), -EPERM);
	CHECK_EQ(unlock(0, 8), 0);
	unlock_all();
	CHECK_AREAS(mm, "wwwwwwww");
	become_root();
	areas_done(mm);
}

TEST(locked_mappings)
{
	struct mm *mm = areas("");

	CHECK_EQ(map_anon(mm, at(0), 2, RW, MAP_LOCKED | MAP_FIXED), at(0));
	CHECK_PAGES(mm, "AA");
	CHECK_EQ(map_anon(mm, at(2), 2, RW, MAP_LOCKED | MAP_FIXED), at(2));
	CHECK_AREAS(mm, "pppp");
	become_nobody(5);
	CHECK_EQ(map_anon(mm, at(4), 2, RW, MAP_LOCKED | MAP_FIXED), -EAGAIN);
	CHECK_AREAS(mm, "pppp..");
	CHECK_EQ(map_anon(mm, at(4), 1, RW, MAP_LOCKED | MAP_FIXED), at(4));
	CHECK_EQ(map_anon(mm, at(5), 1, RW, MAP_FIXED), at(5));
	CHECK_AREAS(mm, "pppppw");
	CHECK_PAGES(mm, "AAAAA.");
	become_root();
	/* What goes is not locked any more. */
	CHECK_EQ(vm_munmap(mm, at(1), pages(2)), 0);
	CHECK_EQ(mm->locked_vm, 3);
	CHECK_EQ(map_anon(mm, at(3), 1, RW, MAP_FIXED), at(3));
	CHECK_EQ(mm->locked_vm, 2);
	CHECK_AREAS(mm, "p..wpw");
	areas_done(mm);
}

TEST(rights_that_come_later)
{
	struct mm *mm = areas("pnW");

	CHECK_EQ(lock2(1, 2, 0), -ENOMEM); /* nothing can be there, but locked it is */
	CHECK_EQ(lock(2, 3), 0);
	CHECK_EQ(protect(mm, 0, 1, PROT_NONE), 0);
	CHECK_PAGES(mm, "..A");
	CHECK_EQ(protect(mm, 0, 2, RW), 0);
	CHECK_PAGES(mm, "AAA");
	CHECK_AREAS(mm, "ppL");
	areas_done(mm);
}

TEST(all_of_it)
{
	struct mm *mm = areas("ww.nW.p");

	CHECK_EQ(lock_all(MCL_CURRENT | MCL_ONFAULT), 0);
	CHECK_PAGES(mm, ".......");
	CHECK_EQ(mm->locked_vm, 5);
	CHECK_EQ(lock_all(MCL_CURRENT), 0);
	CHECK_PAGES(mm, "AA..A.A"); /* what cannot be there is forgiven */
	CHECK_EQ(map_anon(mm, at(2), 1, RW, MAP_FIXED), at(2));
	CHECK_EQ(mm->locked_vm, 5);
	unlock_all();
	CHECK_AREAS(mm, "wwwnW.w");
	CHECK_EQ(mm->locked_vm, 0);
	areas_done(mm);
}

TEST(all_that_comes)
{
	struct mm *mm = areas("w");
	unsigned long brk = at(8);

	mm->start_brk = mm->brk = brk;
	CHECK_EQ(lock_all(MCL_FUTURE), 0);
	CHECK_AREAS(mm, "w");
	CHECK_EQ(map_anon(mm, at(2), 2, RW, MAP_FIXED), at(2));
	CHECK_AREAS(mm, "w.pp");
	CHECK_PAGES(mm, "..AA");
	CHECK_EQ(vm_brk(mm, brk + pages(2)), brk + pages(2));
	CHECK_EQ(mm->locked_vm, 4);
	CHECK_EQ(mm->rss_anon, 4);
	CHECK_EQ(vm_brk(mm, brk + 1), brk + 1);
	CHECK_EQ(mm->locked_vm, 3);
	become_nobody(4);
	CHECK_EQ(vm_brk(mm, brk + pages(3)), brk + 1);
	CHECK_EQ(map_anon(mm, at(4), 2, RW, MAP_FIXED), -EAGAIN);
	limit(RLIMIT_MEMLOCK, pages(3));
	CHECK_EQ(lock_all(MCL_CURRENT), -ENOMEM);
	CHECK_EQ(mm->def_flags, VM_LOCKED);
	become_root();
	CHECK_EQ(lock_all(MCL_FUTURE | MCL_ONFAULT), 0);
	CHECK_EQ(map_anon(mm, at(4), 1, RW, MAP_FIXED | MAP_POPULATE), at(4));
	CHECK_PAGES(mm, "..AA....A");
	CHECK_EQ(lock_all(MCL_CURRENT), 0);
	CHECK_EQ(mm->def_flags, 0);
	unlock_all();
	areas_done(mm);
}

TEST(a_child_begins_unlocked)
{
	struct mm *mm = areas("wppkw"), *child;

	CHECK_EQ(lock_all(MCL_FUTURE), 0);
	touch("wwwww");
	child = mm_fork(mm);
	CHECK_AREAS(child, "wwwww");
	CHECK_EQ(child->nr_areas, 1);
	CHECK_EQ(child->locked_vm, 0);
	CHECK_EQ(child->def_flags, 0);
	machine_use_mm(child);
	for (unsigned i = 0; i < 5; i++)
		CHECK(tag_at(i));
	machine_use_mm(mm);
	mm_put(child);
	areas_done(mm);
}

TEST(a_locked_stack)
{
	struct mm *mm = areas("");

	CHECK_EQ(vm_make_stack(mm, STACK_TOP, pages(2), RW), 0);
	limit(RLIMIT_STACK, pages(64));
	CHECK_EQ(lock_all(MCL_CURRENT), 0);
	CHECK_EQ(mm->locked_vm, 2);
	CHECK_EQ(stack_grow(mm, STACK_TOP - pages(4)), 0);
	CHECK_EQ(mm->locked_vm, 4);
	become_nobody(5);
	CHECK_EQ(stack_grow(mm, STACK_TOP - pages(6)), -ENOMEM);
	CHECK_EQ(stack_grow(mm, STACK_TOP - pages(5)), 0);
	become_root();
	unlock_all();
	areas_done(mm);
}

#define MAYMOVE_FIXED	  3
#define MAYMOVE_DONTUNMAP 5

static long remap(unsigned start, unsigned n, unsigned more, int flags, unsigned to)
{
	return user_syscall(sys_mremap, at(start), pages(n), pages(more), flags, at(to), 0);
}

TEST(a_locked_area_that_grows_and_moves)
{
	struct mm *mm = areas("pp");

	CHECK_EQ(remap(0, 2, 4, 0, 0), at(0));
	CHECK_AREAS(mm, "pppp");
	CHECK_PAGES(mm, "..AA"); /* those that are new */
	become_nobody(5);
	CHECK_EQ(remap(0, 4, 6, 0, 0), -EAGAIN);
	CHECK_EQ(remap(0, 4, 5, MAYMOVE_FIXED, 8), at(8));
	CHECK_EQ(mm->locked_vm, 5);
	/* Nothing more is locked: the old area is not any more. */
	CHECK_EQ(remap(8, 5, 5, MAYMOVE_DONTUNMAP, 16), at(16));
	CHECK_EQ(mm->locked_vm, 5);
	become_root();
	areas_done(mm);
}

TEST(arguments)
{
	struct mm *mm = areas("wwww");

	CHECK_EQ(user_syscall(sys_mlock, at(1) + 5, 1, 0, 0, 0, 0), 0);
	CHECK_AREAS(mm, "wpww");
	CHECK_EQ(user_syscall(sys_mlock, at(3) - 1, 2, 0, 0, 0, 0), 0);
	CHECK_AREAS(mm, "wppp");
	CHECK_EQ(user_syscall(sys_munlock, at(3) - 1, 2, 0, 0, 0, 0), 0);
	CHECK_AREAS(mm, "wpww");
	CHECK_EQ(user_syscall(sys_mlock, at(0), ULONG_MAX, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(user_syscall(sys_mlock, at(0), -pages(2), 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(user_syscall(sys_munlock, at(0), ULONG_MAX, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(user_syscall(sys_munlock, at(0), -pages(2), 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(user_syscall(sys_mlock, at(0), TASK_SIZE, 0, 0, 0, 0), -ENOMEM);
	CHECK_EQ(unlock(0, 4), 0);
	CHECK_EQ(user_syscall(sys_mlock, ~0UL << 38, 0, 0, 0, 0, 0), 0);
	become_nobody(4);
	CHECK_EQ(user_syscall(sys_mlock, at(0), -pages(2), 0, 0, 0, 0), -ENOMEM);
	become_root();
	CHECK_EQ(lock2(0, 1, 2), -EINVAL);
	CHECK_EQ(lock2(0, 1, -1), -EINVAL);
	CHECK_EQ(lock_all(0), -EINVAL);
	CHECK_EQ(lock_all(MCL_ONFAULT), -EINVAL);
	CHECK_EQ(lock_all(MCL_CURRENT | 8), -EINVAL);
	CHECK_AREAS(mm, "wwww");
	areas_done(mm);
}
