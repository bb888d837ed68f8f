/*
 * cow.c - a write to a page that is there, read-only (mm/cow.c): reuse it, or copy.
 *
 *	who else has the page?   nobody, not even for a moment   reuse: W comes back
 *	                         a relative, the page cache,     copy: the others keep the old page,
 *	                         an I/O, a copy in progress      this PTE and every TLB leave it
 */
#include "lib/string.h"
#include "tests/host/unit/space.h"

static struct mm *mm, *child;
static unsigned long addr;

/* A family of two that shares the page at addr, whose first byte is 1. */
static void share(u32 prot)
{
	mm = space_new();
	addr = map_anon(mm, 1, prot);
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	child = mm_fork(mm);
}

TEST(a_shared_page_is_copied_and_the_last_owner_keeps_it)
{
	struct page *old;

	share(RW);
	old = page_at(mm, addr);
	counters_start();
	CHECK_EQ(user_put(addr + 1, 2), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_cow_copy);
	CHECK(page_at(mm, addr) != old && page_at(child, addr) == old);
	CHECK_EQ(user_byte(addr), 1); /* the rest was copied */
	CHECK_EQ(page_at(mm, addr)->index, old->index);
	CHECK_EQ(atomic_read(&old->mapcount), 1);
	CHECK_EQ(mm->rss_anon, 1);
	live_in(1, child);
	counters_start();
	CHECK_EQ(user_put(addr + 1, 3), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_cow_reuse);
	CHECK(page_at(child, addr) == old);
	CHECK_EQ(pte_at(child, addr) & (PTE_W | PTE_D | PTE_A), PTE_W | PTE_D | PTE_A);
	space_end(child);
	space_end(mm);
}

TEST(svade_sees_one_fault_too)
{
	mmu_options.svade = true;
	share(RW);
	counters_start();
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_cow_copy);
	live_in(1, child);
	pte_clear_bits(pte_find(child, addr), PTE_A | PTE_D);
	CHECK_EQ(user_put(addr, 3), FAULT_OK);
	CHECK_EQ(counted(VM_pgfault), 2);
	space_end(child);
	space_end(mm);
}

/*
 * CVE-2020-29374: somebody took a reference to read the page, and its process writes to it. He must
 * go on reading what it was: the refcount decides, though only one PTE maps it.
 */
TEST(a_page_that_somebody_holds_is_copied)
{
	enum fault_result res;
	struct page *held;

	share(RW);
	mm_put(child);
	held = get_user_page(mm, addr, FAULT_READ, &res);
	CHECK_EQ(atomic_read(&held->mapcount), 1);
	counters_start();
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_cow_copy);
	CHECK_EQ(*(u8 *)page_address(held), 1);
	CHECK_EQ(atomic_read(&held->refcount), 1);
	page_put(held);
	space_end(mm);
}

TEST(the_zero_page_gives_way_to_a_fresh_page)
{
	struct page *page = alloc_page(GFP_KERNEL);

	mm = space_new();
	addr = map_anon(mm, 1, RW);
	CHECK_EQ(user_byte(addr), 0);
	/* The next page to be given out was full of something. */
	memset(page_address(page), 0xee, PAGE_SIZE);
	page_put(page);
	counters_start();
	CHECK_EQ(user_put(addr + 1, 1), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_demand_zero);
	CHECK(page_at(mm, addr) != zero_page);
	CHECK_EQ(pte_at(mm, addr) & PTE_SPECIAL, 0);
	CHECK_EQ(*(u8 *)page_address(zero_page), 0);
	CHECK_EQ(*((u8 *)page_address(zero_page) + 1), 0);
	CHECK_EQ(user_byte(addr), 0);
	CHECK_EQ(mm->rss_anon, 1);
	CHECK(vma_lookup(mm, addr)->vm_anon);
	space_end(mm);
}

TEST(a_page_of_a_file_is_copied_and_the_cache_keeps_its_own)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct page *cached;

	mm = space_new();
	addr = map_file(mm, file, 1, RW, 0);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	cached = page_at(mm, addr);
	CHECK_EQ(mm->rss_file, 1);
	counters_start();
	CHECK_EQ(user_put(addr + 1, 0xaa), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_cow_copy);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	CHECK_EQ(*((u8 *)page_address(cached) + 1), pattern_of(file, 1));
	CHECK_EQ(mm->rss_file, 0);
	CHECK_EQ(mm->rss_anon, 1);
	CHECK_EQ(atomic_read(&cached->mapcount), 0);
	CHECK_EQ(atomic_read(&cached->refcount), 1);
	CHECK_EQ(page_at(mm, addr)->type, PAGE_ANON);
	/* From now on it is memory of its own: written again, it is not copied again. */
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK_EQ(counted(VM_pgfault), 1);
	space_end(mm);
	file_put(file);
}

/* Threads: the old page is in the TLBs of the others. What is written from now on they must see. */
TEST(other_harts_leave_the_old_page)
{
	share(RW);
	for (unsigned hart = 1; hart < 4; hart++) {
		live_in(hart, mm);
		CHECK_EQ(user_byte(addr), 1);
	}
	machine_run_on(0);
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	for (unsigned hart = 1; hart < 4; hart++) {
		machine_run_on(hart);
		CHECK_EQ(user_byte(addr), 2);
		CHECK_EQ(user_put(addr, 2), FAULT_OK);
	}
	mm_put(child);
	space_end(mm);
}

TEST(and_the_zero_page)
{
	mm = space_new();
	addr = map_anon(mm, 1, RW);
	live_in(1, mm);
	CHECK_EQ(user_byte(addr), 0);
	live_in(0, mm);
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	machine_run_on(1);
	CHECK_EQ(user_byte(addr), 2);
	space_end(mm);
}

/* After a reuse the others have at most a stale "may not write": a spurious fault. */
TEST(reuse_needs_no_fence_elsewhere)
{
	share(RW);
	mm_put(child);
	live_in(1, mm);
	CHECK_EQ(user_byte(addr), 1);
	live_in(0, mm);
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	machine_run_on(1);
	counters_start();
	CHECK_EQ(user_put(addr, 3), FAULT_OK);
	CHECK(counted(VM_fault_spurious) <= 1);
	CHECK_EQ(counted(VM_fault_cow_copy) + counted(VM_fault_cow_reuse), 0);
	space_end(mm);
}

TEST(a_copy_of_code_is_fenced)
{
	u64 insn;

	share(RWX);
	CHECK_EQ(user_fetch(addr, &insn), FAULT_OK);
	CHECK_EQ(insn, 1);
	counters_start();
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	CHECK(page_flags(page_at(mm, addr)) & PG_ICACHE_CLEAN);
	CHECK_EQ(user_fetch(addr, &insn), FAULT_OK);
	CHECK_EQ(insn, 2);
	mm_put(child);
	space_end(mm);
}

/* ---- somebody else is first ---- */

ONCE_MEANWHILE(another_writes)
{
	live_in(1, mm);
	CHECK_EQ(user_put(addr + 1, 0xbb), FAULT_OK);
}

ONCE_MEANWHILE(another_reads)
{
	live_in(1, mm);
	CHECK_EQ(user_byte(addr), 1);
}

ONCE_MEANWHILE(another_drops)
{
	live_in(1, mm);
	filemap_truncate(file_mapping(vma_lookup(mm, addr)->vm_file), 0);
}

/* The second window: the copy is made, but not yet in place. */
static unsigned windows;

static void another_writes_late(bool locked)
{
	if (!locked && ++windows == 2)
		another_writes(false);
}

TEST(two_harts_copy_one_page_once)
{
	share(RW);
	counters_start();
	machine_meanwhile = another_writes_late;
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	CHECK(another_writes_happened);
	CHECK_EQ(user_byte(addr), 2);
	CHECK_EQ(user_byte(addr + 1), 0xbb);
	CHECK_EQ(counted(VM_fault_cow_copy), 1);
	CHECK_EQ(counted(VM_fault_raced), 1);
	mm_put(child);
	space_end(mm);
}

TEST(one_was_first_before_the_case_began)
{
	share(RW);
	counters_start();
	machine_meanwhile = another_writes;
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	CHECK_EQ(user_byte(addr + 1), 0xbb);
	CHECK_EQ(counted(VM_fault_cow_copy), 1);
	CHECK_EQ(counted(VM_fault_raced), 1);
	mm_put(child);
	space_end(mm);
}

/* Reading, the hardware sets A in the old PTE: that is no reason to start over. */
TEST(an_a_bit_that_comes_meanwhile_is_no_change)
{
	share(RW);
	pte_clear_bits(pte_find(mm, addr), PTE_A);
	counters_start();
	machine_meanwhile = another_reads;
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	CHECK(another_reads_happened);
	CHECK_EQ(counted(VM_fault_raced), 0);
	CHECK_EQ(counted(VM_fault_cow_copy), 1);
	machine_meanwhile = NULL;
	machine_run_on(1);
	CHECK_EQ(user_byte(addr), 2);
	mm_put(child);
	space_end(mm);
}

/* mmap_lock keeps munmap out of a fault; a truncation it does not keep out. */
TEST(the_file_page_was_truncated_while_it_was_copied)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);

	mm = space_new();
	addr = map_file(mm, file, 1, RW, 0);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	counters_start();
	machine_meanwhile = another_drops;
	CHECK_EQ(user_put(addr, 1), FAULT_SIGBUS);
	CHECK(another_drops_happened);
	CHECK_EQ(counted(VM_fault_raced), 1);
	CHECK_EQ(mm->rss_anon + mm->rss_file, 0);
	space_end(mm);
	file_put(file);
}

TEST(the_page_went_while_its_a_bit_was_to_be_set)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);

	mm = space_new();
	addr = map_file(mm, file, 1, RO, 0);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	mmu_options.svade = true;
	pte_clear_bits(pte_find(mm, addr), PTE_A);
	mmu_sfence(0, NULL, NULL);
	counters_start();
	machine_meanwhile = another_drops;
	CHECK_EQ(user_byte(addr), -FAULT_SIGBUS);
	CHECK_EQ(counted(VM_fault_raced), 1);
	CHECK_EQ(counted(VM_fault_access_bits), 0);
	CHECK_EQ(pte_at(mm, addr), 0);
	space_end(mm);
	file_put(file);
}

TEST(without_memory_the_old_page_stays)
{
	struct page *old;

	share(RW);
	old = page_at(mm, addr);
	current->fail_alloc = 1;
	counters_start();
	CHECK_EQ(user_put(addr, 2), FAULT_OOM);
	CHECK_ONE_FAULT(VM_fault_oom);
	CHECK(page_at(mm, addr) == old);
	CHECK_EQ(atomic_read(&old->refcount), 2);
	machine_check();
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	mm_put(child);
	space_end(mm);
}
