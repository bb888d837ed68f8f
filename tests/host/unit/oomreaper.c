/*
 * oomreaper.c - a victim's memory is taken while it still is somewhere in the kernel
 * (mm/oom_reaper.c): what goes, what stays, and that nothing comes back as zeros.
 *
 *	hart 1: the victim    hart 0: the reaper
 */
#include "arch/riscv/uaccess.h"
#include "kernel/task.h"
#include "mm/oom.h"
#include "tests/host/unit/space.h"

#define RAM 512 /* pages */

static struct mm *mm;
static unsigned long addr;

static void boot_victim(void)
{
	machine_boot(RAM, 2);
	machine_run_on(1);
	mm = space_new();
	addr = map_anon(mm, 8, RW);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(user_put(addr + i * PAGE_SIZE, 1 + i), FAULT_OK);
}

/* As the killer does. */
static void mark(void)
{
	host_tasks[1].killed = true;
	oom_mark_victim(mm);
}

static bool reap_round(void)
{
	bool left;

	machine_run_on(0);
	left = oom_reap_round();
	machine_run_on(1);
	return left;
}

static void end(void)
{
	space_end(mm);
	machine_check_rest();
}

BARE_TEST(private_memory_goes)
{
	unsigned long used;

	boot_victim();
	used = nr_free_pages();
	CHECK(!oom_victim_is_dying());
	mark();
	CHECK(oom_victim_is_dying());
	CHECK_EQ(pte_at(mm, addr) != 0, true);
	counters_start();
	CHECK(!reap_round());
	CHECK_EQ(counted(VM_oom_reaped), 8);
	CHECK_EQ(nr_free_pages(), used + 8);
	CHECK_EQ(mm_rss(mm), 0);
	CHECK(!oom_victim_is_dying()); /* there is nothing more to wait for */
	end();
}

BARE_TEST(what_was_there_does_not_come_back_as_zeros)
{
	char buf[4] = "abc";

	boot_victim();
	mark();
	CHECK(!reap_round());
	CHECK_EQ(user_byte(addr), -(int)FAULT_KILLED);
	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_KILLED);
	CHECK_EQ(copy_from_user(buf, (void *)addr, 4), 4);
	CHECK_EQ(copy_to_user((void *)addr, buf, 4), 4);
	CHECK_EQ(mm_copy_from(mm, buf, addr, 4), 0);
	CHECK_STRING(buf, "abc");
	CHECK_EQ(mm_rss(mm), 0);
	end();
}

BARE_TEST(nor_as_what_the_file_says)
{
	struct file *file;
	unsigned long at;

	boot_victim();
	file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	at = map_file(mm, file, 4, RW, 0);
	CHECK_EQ(user_put(at, 77), FAULT_OK);
	mark();
	CHECK(!reap_round());
	CHECK_EQ(user_byte(at), -(int)FAULT_KILLED);
	CHECK_EQ(user_put(at, 1), FAULT_KILLED);
	CHECK_EQ(mm_rss(mm), 0);
	file_put(file);
	end();
}

BARE_TEST(locked_memory_goes_and_shared_memory_stays)
{
	struct file *file;
	long at, locked;

	boot_victim();
	file = host_file(FILE_TMPFS, 4 * PAGE_SIZE);
	at = vm_mmap(mm, file, 0, 4 * PAGE_SIZE, RW, MAP_SHARED, 0);
	CHECK(at > 0);
	CHECK_EQ(user_put(at, 5), FAULT_OK);
	locked = vm_mmap(mm, NULL, 0, 2 * PAGE_SIZE, RW, ANON | MAP_LOCKED, 0);
	CHECK(vma_lookup(mm, locked)->vm_flags & VM_LOCKED);
	CHECK_EQ(user_put(locked, 5), FAULT_OK);
	mark();
	CHECK(!reap_round());
	CHECK_EQ(mm->rss_anon, 0);
	CHECK_EQ(mm->rss_file, 1);
	CHECK_EQ(user_byte(at), 5);
	CHECK_EQ(user_byte(at + PAGE_SIZE), 0);
	file_put(file);
	end();
}

/* ---- a fault and the reaper at once ---- */

ONCE_MEANWHILE(the_reaper_comes)
{
	mark();
	machine_run_on(0);
	CHECK(!oom_reap_round());
}

BARE_TEST(a_page_that_is_being_made)
{
	boot_victim();
	vm_munmap(mm, addr, PAGE_SIZE);
	addr = map_anon(mm, 4, RW);
	machine_meanwhile = the_reaper_comes;
	CHECK_EQ(user_put(addr, 1), FAULT_KILLED);
	CHECK(the_reaper_comes_happened);
	machine_meanwhile = NULL;
	CHECK_EQ(mm_rss(mm), 0);
	end();
}

BARE_TEST(a_leaf_table_that_is_being_made)
{
	unsigned long far;

	boot_victim();
	far = vm_mmap(mm, NULL, 0x8000000, PAGE_SIZE, RW, ANON | MAP_FIXED, 0);
	CHECK_EQ(far, 0x8000000);
	machine_meanwhile = the_reaper_comes;
	CHECK_EQ(user_put(far, 1), FAULT_KILLED);
	machine_meanwhile = NULL;
	CHECK_EQ(pte_at(mm, far), 0);
	end();
}

BARE_TEST(pages_of_a_file_that_are_being_mapped)
{
	struct file *file;
	unsigned long at;

	boot_victim();
	file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	for (unsigned i = 0; i < 4; i++)
		page_put(read_mapping_page(host_file_mapping(file), i));
	at = map_file(mm, file, 4, RW, 0);
	machine_meanwhile = the_reaper_comes;
	CHECK_EQ(user_byte(at), -(int)FAULT_KILLED);
	machine_meanwhile = NULL;
	CHECK_EQ(mm_rss(mm), 0);
	file_put(file);
	end();
}

BARE_TEST(a_page_that_is_being_copied)
{
	struct mm *child;

	boot_victim();
	child = mm_fork(mm);
	CHECK(child != NULL);
	machine_meanwhile = the_reaper_comes;
	CHECK_EQ(user_put(addr, 9), FAULT_KILLED);
	machine_meanwhile = NULL;
	CHECK_EQ(mm_rss(mm), 0);
	/* The relative's page is what it was. */
	machine_use_mm(child);
	CHECK_EQ(user_byte(addr), 1);
	machine_use_mm(mm);
	mm_put(child);
	end();
}

/* ---- a victim that cannot be had ---- */

BARE_TEST(who_cannot_be_reaped_is_given_up)
{
	unsigned rounds = 1;

	boot_victim();
	mark();
	down_write(&mm->mmap_lock);
	while (reap_round()) {
		CHECK(oom_victim_is_dying());
		rounds++;
	}
	CHECK_EQ(rounds, OOM_TRIES);
	CHECK(!oom_victim_is_dying());
	CHECK_EQ(mm_rss(mm), 8);
	up_write(&mm->mmap_lock);
	CHECK(!reap_round());
	CHECK_EQ(user_byte(addr), 1); /* nobody came afterwards */
	end();
}

BARE_TEST(a_lock_that_is_free_later)
{
	boot_victim();
	mark();
	down_write(&mm->mmap_lock);
	CHECK(reap_round());
	up_write(&mm->mmap_lock);
	CHECK(!reap_round());
	CHECK_EQ(mm_rss(mm), 0);
	end();
}

/* The next victim of mm/oom.c: the one that was given up is not asked again. */
BARE_TEST(after_it_the_next_is_chosen)
{
	struct mm *other;
	unsigned long at;

	machine_boot(RAM, 4);
	machine_run_on(1);
	mm = space_new();
	at = vm_mmap(mm, NULL, 0, 2 * RAM * PAGE_SIZE, RW, ANON | MAP_NORESERVE, 0);
	for (unsigned i = 0; nr_free_pages() > 100; i++)
		CHECK_EQ(user_put(at + i * PAGE_SIZE, 1), FAULT_OK);
	machine_run_on(2);
	other = space_new();
	at = vm_mmap(other, NULL, 0, 2 * RAM * PAGE_SIZE, RW, ANON | MAP_NORESERVE, 0);
	for (unsigned i = 0; nr_free_pages() > 0; i++)
		CHECK_EQ(user_put(at + i * PAGE_SIZE, 1), FAULT_OK);
	machine_run_on(1);
	mark();
	down_write(&mm->mmap_lock);
	for (unsigned i = 0; i < OOM_TRIES; i++)
		reap_round();
	up_write(&mm->mmap_lock);
	machine_run_on(2);
	CHECK_EQ(user_put(at + (2 * RAM - 1) * PAGE_SIZE, 1), FAULT_KILLED);
	CHECK(host_tasks[2].killed);
	space_end(other);
	end();
}
