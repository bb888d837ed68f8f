/*
 * fuzzed.c - what the fuzzer of address spaces (fuzz/mm.c) found, each as short as can be.
 */
#include "lib/errno.h"
#include "tests/host/test.h"

#include "fs/mapping.h"

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
