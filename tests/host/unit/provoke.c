/*
 * provoke.c - the faults that the kernel commits on purpose (mm/provoke.c), and the counters.
 *
 *	ravel.panic=WHAT --> mm_provoke("WHAT") --> panic      scripts/test looks for its words
 */
#include "mm/provoke.h"

#include "lib/string.h"
#include "tests/host/unit/space.h"

BARE_TEST(each_fault_is_caught)
{
	machine_boot(TEST_PAGES, 1);
	CHECK_PANIC(mm_provoke("double-free"), "double free");
	CHECK_PANIC(mm_provoke("wrong-order"), "wrong order");
	CHECK_PANIC(mm_provoke("free-mapped"), "mapped page");
	CHECK_PANIC(mm_provoke("bad-kfree"), "no object of cache kmalloc-128");
	CHECK_PANIC(mm_provoke("double-kfree"), "double free of an object of kmalloc-128");
	CHECK_PANIC(mm_provoke("bad-area"), "mm_check()");
}

/* A leak is no panic: the machine finds it when it comes to rest. */
BARE_TEST(a_leak_is_found_at_rest)
{
	machine_boot(TEST_PAGES, 1);
	mm_provoke("leak-memory");
	CHECK_PANIC(machine_check_rest(), "leak: ");
}

BARE_TEST(and_so_is_a_file)
{
	struct file *file;

	machine_boot(TEST_PAGES, 1);
	file = host_file(FILE_DISK, 1);
	CHECK_EQ(host_fd(file), 0);
	mm_provoke("leak-file");
	CHECK_EQ(host_file_refs(file), 2);
	CHECK_PANIC(machine_check_rest(), "leak: file 0 has 2 references");
}

TEST(an_unknown_word_does_nothing)
{
	mm_provoke("no-such-fault");
	mm_provoke("");
}

/* ---- vmstat ---- */

TEST(each_hart_counts_for_itself_and_readers_add_up)
{
	unsigned long before = vmstat_sum(VM_oom_kill);

	count_vm(VM_oom_kill);
	machine_run_on(3);
	count_vm_n(VM_oom_kill, 5);
	CHECK_EQ(harts[0].events[VM_oom_kill], 1);
	CHECK_EQ(harts[3].events[VM_oom_kill], 5);
	CHECK_EQ(vmstat_sum(VM_oom_kill) - before, 6);
	machine_run_on(0);
}

TEST(each_counter_has_its_name)
{
	CHECK_STRING(vmstat_name[VM_pgfault], "pgfault");
	CHECK_STRING(vmstat_name[VM_fault_zero_page], "fault_zero_page");
	CHECK_STRING(vmstat_name[NR_VMSTAT - 1], "syscall_unknown");
	for (unsigned i = 0; i < NR_VMSTAT; i++) {
		for (unsigned j = 0; j < i; j++)
			CHECK(strcmp(vmstat_name[i], vmstat_name[j]) != 0);
	}
}
