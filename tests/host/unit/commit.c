/*
 * commit.c - memory that is promised (mm/commit.c): exactly what each area may become, undone with
 * it, and refused as the mode says.
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/buddy.h"
#include "mm/commit.h"
#include "tests/host/unit/failing.h"

/* What mm/check.c verifies of each mm, and the machine's sum. */
#define CHECK_PROMISED(mm, n)                                                                      \
	do {                                                                                       \
		CHECK_EQ((mm)->committed_vm, n);                                                   \
		CHECK_EQ(committed_pages(), n);                                                    \
	} while (0)

static struct file *filler;

/* Nothing may be overcommitted, and @pages more are within the limit: what is more is taken. */
static void allow(unsigned long nr)
{
	unsigned long used = committed_pages() + nr;

	overcommit_memory = OVERCOMMIT_NEVER;
	CHECK(commit_limit() > used);
	filler = host_file(FILE_TMPFS, pages(1));
	shmem_commit(host_file_mapping(filler), commit_limit() - used);
}

static void allow_again(void)
{
	file_put(filler);
	overcommit_memory = OVERCOMMIT_GUESS;
}

TEST(each_area_and_its_promise)
{
	/* r--, rw-, ---, rwx, noreserve, stack, heap; a file's r--, rw-: private. */
	static const struct {
		const char *drawing;
		unsigned long promised;
	} row[] = {
		{ "rrrr", 0 }, { "wwww", 4 }, { "nnnn", 0 }, { "bb", 2 },
		{ "oooo", 0 }, { "ss", 2 },   { "hhh", 3 },  { "RRR", 0 },
		{ "WW", 2 },   { "xx", 0 },   { "wr.w", 2 }, { "", 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		struct mm *mm = areas(row[i].drawing);

		CHECK_PROMISED(mm, row[i].promised);
		areas_done(mm);
		CHECK_EQ(committed_pages(), 0);
	}
}

TEST(edits_keep_the_sum)
{
	struct mm *mm = areas("wwww....rrrr");

	CHECK_PROMISED(mm, 4);
	CHECK_EQ(vm_munmap(mm, at(1), pages(1)), 0);
	CHECK_PROMISED(mm, 3);
	CHECK_EQ(protect(mm, 8, 10, RW), 0);
	CHECK_PROMISED(mm, 5);
	CHECK_EQ(protect(mm, 8, 10, PROT_READ), 0); /* nobody wrote to it */
	CHECK_PROMISED(mm, 3);
	CHECK(map_anon(mm, at(8), 4, RW, MAP_FIXED) > 0);
	CHECK_PROMISED(mm, 7);
	CHECK_EQ(vm_munmap(mm, 0, TASK_SIZE), 0);
	CHECK_PROMISED(mm, 0);
	areas_done(mm);
	CHECK_EQ(committed_pages(), 0);
}

/* What was written is still there when it may not be written any more. */
TEST(read_only_memory_that_was_written)
{
	struct mm *mm = areas("ww.rr");

	touch("w.");
	CHECK_EQ(protect(mm, 0, 2, PROT_READ), 0);
	CHECK_PROMISED(mm, 2);
	CHECK_EQ(protect(mm, 0, 2, RW), 0);
	CHECK_PROMISED(mm, 2);
	CHECK_EQ(protect(mm, 0, 2, PROT_READ), 0);
	/* It melts with a clean area: all of it counts then. */
	CHECK(map_anon(mm, at(2), 1, PROT_READ, MAP_FIXED) > 0);
	CHECK_AREAS(mm, "rrrrr");
	CHECK_PROMISED(mm, 5);
	CHECK_EQ(vm_munmap(mm, at(1), pages(3)), 0);
	CHECK_PROMISED(mm, 2);
	areas_done(mm);
	CHECK_EQ(committed_pages(), 0);
}

/* The same, from the other side: a clean area comes first, and grows over the other. */
TEST(a_clean_area_that_melts_with_a_written_one)
{
	struct mm *mm = areas("rr.ww");

	touch("...w");
	CHECK_EQ(protect(mm, 3, 5, PROT_READ), 0);
	CHECK_PROMISED(mm, 2);
	CHECK(map_anon(mm, at(2), 1, PROT_READ, MAP_FIXED) > 0);
	CHECK_AREAS(mm, "rrrrr");
	CHECK_PROMISED(mm, 5);
	areas_done(mm);
	CHECK_EQ(committed_pages(), 0);
}

TEST(a_child_is_promised_as_much)
{
	struct mm *mm = areas("wwwrro"), *child;

	child = mm_fork(mm);
	CHECK_EQ(child->committed_vm, 3);
	CHECK_EQ(committed_pages(), 6);
	mm_put(child);
	CHECK_PROMISED(mm, 3);
	allow(2);
	CHECK(mm_fork(mm) == NULL);
	allow_again();
	allow(3);
	child = mm_fork(mm);
	CHECK(child != NULL);
	allow_again();
	mm_put(child);
	areas_done(mm);
}

TEST(nothing_is_overcommitted)
{
	struct mm *mm = areas("ww..rr......ss");
	unsigned long promised = mm->committed_vm;

	allow(3);
	CHECK_EQ(map_anon(mm, 0, 4, RW, 0), -ENOMEM);
	CHECK_EQ(map_anon(mm, 0, 4, RW, MAP_NORESERVE), -ENOMEM);
	CHECK_EQ(vm_mmap(mm, NULL, 0, pages(4), RW, MAP_SHARED | MAP_ANONYMOUS, 0), -ENOMEM);
	CHECK_EQ(map_anon(mm, at(0), 6, RW, MAP_FIXED), -ENOMEM);
	CHECK_AREAS(mm, "ww..rr......ss");
	CHECK_EQ(mm->committed_vm, promised);
	/* Three more, and what it replaces. */
	CHECK(map_anon(mm, at(0), 5, RW, MAP_FIXED) > 0);
	CHECK_EQ(protect(mm, 5, 6, RW), -ENOMEM);
	CHECK(map_anon(mm, 0, 100, PROT_READ, 0) > 0);
	allow_again();
	areas_done(mm);
}

static long grow(struct mm *mm, unsigned from, unsigned n, unsigned to_n, u32 flags, unsigned to)
{
	return vm_mremap(mm, at(from), pages(n), pages(to_n), flags, at(to));
}

/* What was written counts whatever its rights are now; what is replaced is given back. */
TEST(nothing_is_overcommitted_by_mremap)
{
	const u32 to = MREMAP_MAYMOVE | MREMAP_FIXED;
	struct mm *mm = areas("ww......www.......rr....");

	touch("ww......w");
	CHECK_EQ(protect(mm, 0, 2, PROT_READ), 0);
	allow(2);
	CHECK_EQ(grow(mm, 0, 2, 5, 0, 0), -ENOMEM);
	CHECK_EQ(grow(mm, 0, 2, 5, MREMAP_MAYMOVE, 0), -ENOMEM);
	CHECK_EQ(grow(mm, 0, 2, 5, to, 12), -ENOMEM);
	CHECK_EQ(grow(mm, 8, 3, 3, to | MREMAP_DONTUNMAP, 12), -ENOMEM);
	CHECK_AREAS(mm, "rr......www.......rr....");
	CHECK_EQ(grow(mm, 0, 2, 4, 0, 0), at(0));
	allow_again();
	allow(2);
	/* Two more, and the three it replaces; a reservation is nothing. */
	CHECK_EQ(grow(mm, 0, 4, 10, to, 8), -ENOMEM);
	CHECK_EQ(grow(mm, 0, 4, 7, to, 15), -ENOMEM);
	CHECK_EQ(grow(mm, 0, 4, 9, to, 8), at(8));
	CHECK_EQ(mm->committed_vm, 9);
	allow_again();
	allow(0);
	/* Less than it replaces is no promise; nor is what was never written. */
	CHECK_EQ(map_anon(mm, at(4), 1, PROT_READ, MAP_FIXED), at(4));
	CHECK_EQ(grow(mm, 4, 1, 3, 0, 0), at(4));
	CHECK_EQ(grow(mm, 8, 1, 8, to, 9), at(9));
	CHECK_EQ(mm->committed_vm, 8);
	allow_again();
	areas_done(mm);
}

TEST(the_obvious_and_nothing_else)
{
	unsigned long all = nr_managed_pages();
	struct mm *mm = areas("");
	long addr;

	CHECK_EQ(commit_check(all), 0);
	CHECK_EQ(commit_check(all + 1), -ENOMEM);
	CHECK_EQ(map_anon(mm, 0, all + 1, RW, 0), -ENOMEM);
	addr = map_anon(mm, 0, all + 1, PROT_READ, 0);
	CHECK(addr > 0);
	CHECK_EQ(vm_mprotect(mm, addr, pages(all + 1), RW), -ENOMEM);
	overcommit_memory = OVERCOMMIT_ALWAYS;
	CHECK_EQ(commit_check(~0UL), 0);
	CHECK_EQ(vm_mprotect(mm, addr, pages(all + 1), RW), 0);
	CHECK_PROMISED(mm, all + 1);
	overcommit_memory = OVERCOMMIT_GUESS;
	areas_done(mm);
	CHECK_EQ(committed_pages(), 0);
}

TEST(shared_memory_is_promised_with_its_object)
{
	struct mm *mm = areas("");
	long addr = vm_mmap(mm, NULL, 0, pages(5), RW, MAP_SHARED | MAP_ANONYMOUS, 0);

	CHECK(addr > 0);
	CHECK_EQ(mm->committed_vm, 0);
	CHECK_EQ(committed_pages(), 5);
	CHECK_EQ(vm_munmap(mm, addr, pages(5)), 0);
	CHECK_EQ(committed_pages(), 0);
	addr = vm_mmap(mm, NULL, 0, pages(5), RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	CHECK(addr > 0);
	CHECK_EQ(committed_pages(), 0);
	CHECK_EQ(user_write(addr, "x", 1), FAULT_OK);
	CHECK_EQ(committed_pages(), 1); /* this one page */
	areas_done(mm);
	CHECK_EQ(committed_pages(), 0);
}

/* Failing allocations change no promise: the snapshot has it. */
TEST(every_failure_keeps_the_sum)
{
	struct mm *mm = areas("wwwwrrrr");

	CHECK(FAILING(mm, vm_munmap(mm, at(1), pages(1)), -ENOMEM) > 0);
	CHECK_PROMISED(mm, 3);
	CHECK(FAILING(mm, protect(mm, 5, 6, RW), -ENOMEM) > 0);
	CHECK_PROMISED(mm, 4);
	areas_done(mm);
}

TEST(an_exact_stack)
{
	struct mm *mm = areas("");

	allow(1);
	CHECK_EQ(vm_make_stack(mm, at(32), pages(2), RW), -ENOMEM);
	allow_again();
	CHECK_EQ(vm_make_stack(mm, at(32), pages(2), RW), 0);
	CHECK_PROMISED(mm, 2);
	areas_done(mm);
}
