/*
 * fuzzed.c - what the fuzzer of address spaces (fuzz/mm.c) found, each as short as can be.
 */
#include "lib/errno.h"
#include "tests/host/test.h"

#include "fs/mapping.h"
#include "mm/filemap.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define BASE 0x40000000UL

/*
 *	before   [file: noexec)[anon          )
 *	r-x      [s ................ e)
 *	after    [file        )[anon          )    EACCES: the split at e must be healed
 */
TEST(an_mprotect_that_is_refused_leaves_no_split)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = mm_alloc();

	machine_use_mm(mm);
	host_file_mode(file, true, true, false);
	CHECK_EQ(vm_mmap(mm, file, BASE, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, 0), BASE);
	CHECK_EQ(vm_mmap(mm, NULL, BASE + PAGE_SIZE, 4 * PAGE_SIZE, PROT_READ, ANON | MAP_FIXED, 0),
		 BASE + PAGE_SIZE);
	CHECK_EQ(vm_mprotect(mm, BASE, 3 * PAGE_SIZE, PROT_READ | PROT_EXEC), -EACCES);
	CHECK_EQ(mm->nr_areas, 2);
	machine_check();
	machine_use_mm(NULL);
	mm_put(mm);
	file_put(file);
}

/*
 * The stack, read-only, is no data: only the addresses are too few. The oracle had computed past 0
 * and let it grow.
 */
TEST(more_than_there_are_addresses)
{
	static const unsigned long sizes[] = { TASK_SIZE, TASK_SIZE + PAGE_SIZE, 1UL << 63,
					       -PAGE_SIZE };
	const unsigned long top = TASK_SIZE - PAGE_SIZE, addr = top - 4 * PAGE_SIZE;
	struct mm *mm = mm_alloc();

	CHECK_EQ(vm_make_stack(mm, top, 4 * PAGE_SIZE, PROT_READ), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		CHECK_EQ(vm_mremap(mm, addr, 4 * PAGE_SIZE, sizes[i], 0, 0), -ENOMEM);
		CHECK_EQ(vm_mremap(mm, addr, 4 * PAGE_SIZE, sizes[i], MREMAP_MAYMOVE, 0), -ENOMEM);
	}
	machine_check();
	mm_put(mm);
}

/*
 *	heap  [h  h )            brk in the middle of the second page
 *	over  [h )[f )           a locked page of a file which ends before it, and then grows
 *	brk   [h )[f )[h  h )    only what is new is filled: the page of the file is as it was
 */
TEST(a_locked_heap_fills_only_what_is_new)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = mm_alloc();
	unsigned long over = BASE + PAGE_SIZE;

	machine_use_mm(mm);
	mm->start_brk = mm->brk = BASE;
	CHECK_EQ(vm_brk(mm, over + 100), over + 100);
	CHECK_EQ(vm_mmap(mm, file, over, PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_FIXED | MAP_LOCKED, PAGE_SIZE),
		 over);
	filemap_truncate(host_file_mapping(file), 2 * PAGE_SIZE);
	mm->def_flags = VM_LOCKED; /* mlockall(MCL_FUTURE) */
	CHECK_EQ(vm_brk(mm, over + 3 * PAGE_SIZE), over + 3 * PAGE_SIZE);
	CHECK_EQ(mm->rss_anon, 2);
	CHECK_EQ(mm->rss_file, 0);
	machine_check();
	machine_use_mm(NULL);
	mm_put(mm);
	file_put(file);
}
