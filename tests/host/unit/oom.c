/*
 * oom.c - no memory at all: reclaim finds nothing, so somebody must give his back (mm/oom.c).
 *
 *	hart 0: init, never killed    hart 1: small    hart 2: large, the victim
 *
 *	fault --> no page --> the largest gets SIGKILL --> wait a moment --> once more
 */
#include "kernel/sched.h"
#include "kernel/task.h"
#include "mm/oom.h"
#include "tests/host/unit/space.h"

#define RAM 512 /* pages */

static struct mm *small, *large;
static unsigned long addr;

/* More than there is: the promise is made all the same. */
static unsigned long map_large(struct mm *mm)
{
	long at = vm_mmap(mm, NULL, 0, 2 * RAM * PAGE_SIZE, RW, ANON | MAP_NORESERVE, 0);

	CHECK(at > 0);
	return at;
}

/* Hart @hart's task writes pages until @left are free. */
static unsigned eat(unsigned hart, struct mm *mm, unsigned long at, unsigned long left)
{
	unsigned n = 0;

	live_in(hart, mm);
	while (nr_free_pages() > left)
		CHECK_EQ(user_put(at + n++ * PAGE_SIZE, 1), FAULT_OK);
	return n;
}

static void boot_and_fill(void)
{
	unsigned long at;

	machine_boot(RAM, 3);
	machine_run_on(1);
	small = space_new();
	addr = map_large(small);
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	machine_run_on(2);
	large = space_new();
	at = map_large(large);
	eat(2, large, at, 0);
}

/* The victim dies on its hart as soon as somebody lets it run. */
ONCE_MEANWHILE(the_victim_dies)
{
	machine_run_on(2);
	if (!current->killed) {
		the_victim_dies_happened = false;
		return;
	}
	machine_use_mm(NULL);
	mm_put(large);
}

BARE_TEST(the_largest_dies_and_the_fault_goes_on)
{
	boot_and_fill();
	machine_run_on(1);
	counters_start();
	machine_meanwhile = the_victim_dies;
	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK);
	CHECK_EQ(counted(VM_oom_kill), 1);
	CHECK_EQ(counted(VM_fault_oom), 0);
	CHECK(host_tasks[2].killed && !host_tasks[1].killed && !host_tasks[0].killed);
	machine_meanwhile = NULL;
	space_end(small);
	machine_check_rest();
}

static void who_is_going_ends(bool locked)
{
	if (locked || !small || !small->oom_victim)
		return;
	machine_run_on(1);
	machine_use_mm(NULL);
	mm_put(small);
	small = NULL;
}

/*
 * A page is there, but not the table that it needs too: that page, given back, is no memory that
 * came back.
 */
BARE_TEST(a_page_without_a_table_is_not_enough)
{
	machine_boot(RAM, 3);
	machine_run_on(1);
	small = space_new();
	addr = map_large(small);
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	machine_run_on(2);
	large = space_new();
	eat(2, large, map_large(large), 1);
	machine_run_on(1);
	counters_start();
	machine_meanwhile = the_victim_dies;
	CHECK_EQ(user_put(addr + PT_SPAN(1), 1), FAULT_OK);
	CHECK_EQ(counted(VM_oom_kill), 1);
	CHECK_EQ(counted(VM_fault_oom), 0);
	CHECK(host_tasks[2].killed && !host_tasks[1].killed);
	machine_meanwhile = NULL;
	space_end(small);
	machine_check_rest();
}

BARE_TEST(who_is_going_anyway_is_waited_for)
{
	boot_and_fill();
	host_tasks[1].killed = true; /* by a signal, and has not ended; far from the largest */
	machine_run_on(2);
	counters_start();
	machine_meanwhile = who_is_going_ends;
	CHECK_EQ(user_put(vma_lookup(large, large->mmap->vm_start)->vm_end - PAGE_SIZE, 1),
		 FAULT_OK);
	machine_meanwhile = NULL;
	CHECK(!host_tasks[2].killed && !small);
	space_end(large);
	machine_check_rest();
}

BARE_TEST(who_is_the_largest_himself_fails)
{
	boot_and_fill();
	machine_run_on(2);
	counters_start();
	CHECK_EQ(user_put(vma_lookup(large, large->mmap->vm_start)->vm_end - PAGE_SIZE, 1),
		 FAULT_KILLED);
	CHECK(current->killed);
	CHECK_EQ(counted(VM_oom_kill), 1);
	CHECK_EQ(counted(VM_fault_oom), 0);
	/* And does not kill anybody else while he is dying. */
	CHECK_EQ(user_put(vma_lookup(large, large->mmap->vm_start)->vm_end - PAGE_SIZE, 1),
		 FAULT_KILLED);
	CHECK_EQ(counted(VM_oom_kill), 1);
	space_end(large);
	space_end(small);
	machine_check_rest();
}

static unsigned waits;

static void the_victim_takes_its_time(bool locked)
{
	if (!locked && host_tasks[2].killed && ++waits == 20) {
		machine_run_on(2);
		machine_use_mm(NULL);
		mm_put(large);
	}
}

BARE_TEST(one_victim_at_a_time)
{
	boot_and_fill();
	machine_run_on(1);
	counters_start();
	machine_meanwhile = the_victim_takes_its_time;
	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK);
	CHECK(waits >= 20);
	CHECK(ktime_ns() >= NSEC_PER_SEC / 1000); /* he slept, and did not spin */
	CHECK_EQ(counted(VM_oom_kill), 1);
	CHECK(!host_tasks[1].killed);
	machine_meanwhile = NULL;
	space_end(small);
	machine_check_rest();
}

/* clone(CLONE_VM): the memory comes back only when both are gone. */
BARE_TEST(who_shares_the_victims_memory_dies_with_it)
{
	unsigned long at;

	machine_boot(RAM, 4);
	machine_run_on(2);
	large = space_new();
	at = map_large(large);
	live_in(3, large);
	eat(2, large, at, 0);
	CHECK_EQ(user_put(at + (2 * RAM - 1) * PAGE_SIZE, 1), FAULT_KILLED);
	CHECK(host_tasks[2].killed && host_tasks[3].killed && !host_tasks[1].killed);
	space_end(large);
	machine_check_rest();
}

/* Nobody can be killed; in the end the small one goes by itself. */
static void the_small_one_goes(bool locked)
{
	if (locked || ++waits != 20)
		return;
	machine_run_on(1);
	mm_put(small);
}

BARE_TEST(init_waits_when_there_is_nobody_to_kill)
{
	boot_and_fill();
	/* The large memory belongs to init and a zombie now; the small one to nobody. */
	host_tasks[2].state = TASK_ZOMBIE;
	live_in(1, NULL);
	live_in(0, large);
	counters_start();
	machine_meanwhile = the_small_one_goes;
	CHECK_EQ(user_put(large->mmap->vm_end - PAGE_SIZE, 1), FAULT_OK);
	CHECK(waits >= 20);
	CHECK_EQ(counted(VM_oom_kill), 0);
	for (unsigned i = 0; i < 3; i++)
		CHECK(!host_tasks[i].killed);
	machine_meanwhile = NULL;
	host_tasks[2].state = TASK_RUNNING;
	space_end(large);
	machine_check_rest();
}

BARE_TEST(others_fail_when_there_is_nobody_to_kill)
{
	boot_and_fill();
	machine_run_on(2);
	current->oom_score_adj = OOM_SCORE_ADJ_MIN;
	host_tasks[1].oom_score_adj = OOM_SCORE_ADJ_MIN;
	counters_start();
	CHECK_EQ(user_put(large->mmap->vm_end - PAGE_SIZE, 1), FAULT_OOM);
	CHECK_EQ(counted(VM_oom_kill), 0);
	CHECK_EQ(counted(VM_fault_oom), 1);
	CHECK(!host_tasks[1].killed && !host_tasks[2].killed);
	space_end(large);
	space_end(small);
	machine_check_rest();
}

BARE_TEST(who_was_killed_already_is_the_victim)
{
	boot_and_fill();
	machine_run_on(1);
	host_tasks[2].killed = true;
	counters_start();
	machine_meanwhile = the_victim_dies;
	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK);
	CHECK_EQ(counted(VM_oom_kill), 0); /* by somebody else */
	CHECK(!host_tasks[1].killed);
	machine_meanwhile = NULL;
	space_end(small);
	machine_check_rest();
}

BARE_TEST(who_can_say_no_does)
{
	boot_and_fill();
	machine_run_on(1);
	counters_start();
	CHECK_EQ(handle_mm_fault_or_fail(small, addr + PAGE_SIZE, FAULT_WRITE), FAULT_OOM);
	CHECK_EQ(mm_copy_to(small, addr + PAGE_SIZE, "x", 1), 0);
	CHECK_EQ(counted(VM_oom_kill), 0);
	CHECK(!host_tasks[1].killed && !host_tasks[2].killed);
	space_end(large);
	space_end(small);
	machine_check_rest();
}

/* ---- every n-th allocation of pages fails ---- */

BARE_TEST(failures_of_the_whole_machine_kill_nobody)
{
	machine_boot(RAM, 2);
	machine_run_on(1);
	small = space_new();
	addr = map_anon(small, 64, RW);
	counters_start();
	fail_page_alloc = 3;
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQ(user_put(addr + i * PAGE_SIZE, 1), FAULT_OK);
	CHECK(counted(VM_alloc_fail_injected) >= 64 / 3);
	CHECK_EQ(counted(VM_oom_kill), 0);
	CHECK_EQ(counted(VM_fault_oom), 0);
	/* With none that succeeds the fault does not try for ever. */
	fail_page_alloc = 1;
	vm_munmap(small, addr, 64 * PAGE_SIZE);
	addr = map_anon(small, 1, RW);
	CHECK_EQ(user_put(addr, 1), FAULT_OOM);
	CHECK_EQ(counted(VM_oom_kill), 0);
	fail_page_alloc = 0;
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	space_end(small);
	machine_check_rest();
}

/* Init waits, and is there when memory is to be had again. */
static void allocations_succeed_again(bool locked __maybe_unused)
{
	if (++waits == 100)
		fail_page_alloc = 0;
}

BARE_TEST(init_outlives_failures_of_the_whole_machine)
{
	machine_boot(RAM, 2);
	machine_run_on(0);
	CHECK(current == init_task);
	small = space_new();
	addr = map_anon(small, 1, RW);
	counters_start();
	waits = 0;
	fail_page_alloc = 1;
	machine_meanwhile = allocations_succeed_again;
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	machine_meanwhile = NULL;
	CHECK(waits >= 100);
	CHECK_EQ(counted(VM_fault_oom), 0);
	space_end(small);
	machine_check_rest();
}

BARE_TEST(a_failure_that_was_asked_for_kills_nobody)
{
	machine_boot(RAM, 2);
	machine_run_on(1);
	small = space_new();
	addr = map_anon(small, 2, RW);
	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK); /* it would be the largest */
	counters_start();
	current->fail_alloc = 1;
	CHECK_EQ(user_put(addr, 1), FAULT_OOM);
	CHECK_EQ(counted(VM_oom_kill), 0);
	CHECK(!current->killed);
	space_end(small);
	machine_check_rest();
}

BARE_TEST(clean_cache_pages_go_before_anybody_dies)
{
	struct file *file;
	unsigned long at;
	unsigned n;

	machine_boot(RAM, 2);
	file = host_file(FILE_DISK, 64 * PAGE_SIZE);
	for (unsigned i = 0; i < 64; i++)
		page_put(read_mapping_page(host_file_mapping(file), i));
	machine_run_on(1);
	small = space_new();
	at = map_large(small);
	n = eat(1, small, at, 0);
	counters_start();
	for (unsigned i = 0; i < 50; i++)
		CHECK_EQ(user_put(at + (n + i) * PAGE_SIZE, 1), FAULT_OK);
	CHECK_EQ(counted(VM_oom_kill), 0);
	CHECK(counted(VM_pgsteal_direct) >= 50);
	space_end(small);
	file_put(file);
	machine_check_rest();
}
