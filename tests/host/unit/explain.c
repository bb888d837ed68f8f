/*
 * explain.c - mm_explain() says what an access would do; then the access is made, and the counters
 * of the fault table must agree.
 *
 *	snapshot --> mm_explain() --> the same snapshot?   it changes nothing
 *	                 |
 *	             access --> exactly the foretold counters, each once, and the foretold result
 */
#include "mm/explain.h"

#include "arch/riscv/mmu.h"
#include "fs/mapping.h"
#include "lib/string.h"
#include "mm/filemap.h"
#include "mm/rmap.h"
#include "mm/stack.h"
#include "mm/vma.h"
#include "tests/host/unit/failing.h"
#include "tests/host/unit/space.h"

#define STACK	   (STACK_TOP - 0x10000)
#define DIRECT_MAP 0xffffffc080000000UL

static struct explanation last;

/* Asks about @addr; the address space is as before. */
static const struct explanation *explain(struct mm *mm, unsigned long addr)
{
	char *before = snapshot(mm);

	down_read(&mm->mmap_lock);
	mm_explain(mm, addr, current->rlim, true, &last);
	up_read(&mm->mmap_lock);
	snapshot_check(mm, before, __FILE__, __LINE__, 0);
	__builtin_free(before);
	return &last;
}

static enum fault_result do_access(unsigned long addr, enum fault_access access)
{
	u64 insn;
	u8 byte;

	if (access == FAULT_EXEC)
		return user_fetch(addr, &insn);
	return access == FAULT_WRITE ? user_put(addr, 1) : user_read(addr, &byte, 1);
}

static bool counts(const struct explained_access *told, enum vmstat_event event)
{
	for (unsigned i = 0; i < told->nr; i++) {
		enum fault_case what = told->cases[i];

		/* Nothing is stale here, and without Svade the hardware sets A and D. */
		if (what == CASE_ALLOWED || (what == CASE_ACCESS_BITS && !mmu_options.svade))
			continue;
		if (fault_case_counter(what) == event)
			return true;
	}
	return false;
}

/* The rows of @told as text: "read_in file_copy". */
static const char *rows(const struct explained_access *told)
{
	static char text[80];

	text[0] = '\0';
	for (unsigned i = 0; i < told->nr; i++) {
		if (i > 0)
			strlcat(text, " ", sizeof(text));
		strlcat(text, fault_case_name(told->cases[i]), sizeof(text));
	}
	return text;
}

/* Asks, and then does it. */
static void check_access(int line, struct mm *mm, unsigned long addr, enum fault_access access,
			 const char *expected)
{
	const struct explained_access *told = &explain(mm, addr)->access[access];
	enum fault_case end = told->cases[told->nr - 1];
	struct vm_area *vma = find_vma(mm, addr);
	bool disk = vma && vma->vm_file && !file_mapping(vma->vm_file)->ops->no_backing;
	enum fault_result res;

	if (strcmp(rows(told), expected) != 0)
		host_test_fail(__FILE__, line, "foretold \"%s\", expected \"%s\"", rows(told),
			       expected);
	counters_start();
	res = do_access(addr, access);
	if (res != fault_case_result(end))
		host_test_fail(__FILE__, line, "foretold result %d, got %d", fault_case_result(end),
			       res);
	for (unsigned i = VM_fault_zero_page; i <= VM_fault_raced; i++) {
		if (i != VM_fault_file_around && counted(i) != counts(told, i))
			host_test_fail(__FILE__, line, "%s: %s counted %ld times", rows(told),
				       vmstat_name[i], counted(i));
	}
	/* Without a disk a page is made, and nobody waited. */
	if (counted(VM_pgmajfault) != (disk ? counts(told, VM_fault_io_retry) : 0))
		host_test_fail(__FILE__, line, "%s: major or not", rows(told));
}

#define LOAD(addr, expected)  check_access(__LINE__, mm, addr, FAULT_READ, expected)
#define STORE(addr, expected) check_access(__LINE__, mm, addr, FAULT_WRITE, expected)
#define FETCH(addr, expected) check_access(__LINE__, mm, addr, FAULT_EXEC, expected)

TEST(outside_of_all_areas)
{
	struct mm *mm = space_new();
	unsigned long low = 0x10000000, high = low + 4 * PAGE_SIZE;

	CHECK_EQ(vm_mmap(mm, NULL, low, PAGE_SIZE, RW, ANON | MAP_FIXED, 0), low);
	CHECK_EQ(vm_mmap(mm, NULL, high, PAGE_SIZE, RW, ANON | MAP_FIXED, 0), high);
	LOAD(low + PAGE_SIZE, "no_area");
	STORE(low + PAGE_SIZE, "no_area");
	FETCH(low + PAGE_SIZE, "no_area");
	CHECK(!last.vma);
	CHECK_EQ(last.below->vm_start, low);
	CHECK_EQ(last.above->vm_start, high);
	LOAD(0, "no_area");
	CHECK(!last.below);
	CHECK_EQ(last.above->vm_start, low);
	LOAD(high + PAGE_SIZE, "no_area");
	CHECK_EQ(last.below->vm_start, high);
	CHECK(!last.above);
	LOAD(TASK_SIZE - 1, "no_area");
	space_end(mm);
}

TEST(addresses_that_no_program_may_use)
{
	const struct explanation *e;
	struct mm *mm;

	/* RAM in the kernel half, by one entry of the root: a leaf of 1 GiB. */
	kernel_root[pt_index(DIRECT_MAP, 2)] =
		pte_make(PFN_DOWN(HOST_RAM_BASE), PTE_V | PTE_R | PTE_W | PTE_G | PTE_A | PTE_D);
	mm = space_new();
	map_anon(mm, 1, RW);
	e = explain(mm, 1UL << 38);
	CHECK(!e->is_canonical && !e->is_kernel && e->nr_entries == 0);
	CHECK_STRING(rows(&e->access[FAULT_WRITE]), "no_area");
	e = explain(mm, ~(1UL << 38));
	CHECK(!e->is_canonical && e->nr_entries == 0);
	e = explain(mm, DIRECT_MAP + 5);
	CHECK(e->is_canonical && e->is_kernel);
	CHECK(e->nr_entries == 1 && e->is_leaf && e->frame.is_ram);
	CHECK_EQ(e->pa, HOST_RAM_BASE + 5);
	CHECK_STRING(rows(&e->access[FAULT_READ]), "no_area");
	/* Without the right to look, nothing of the kernel's tables is told. */
	down_read(&mm->mmap_lock);
	mm_explain(mm, DIRECT_MAP + 5, current->rlim, false, &last);
	up_read(&mm->mmap_lock);
	CHECK(last.is_kernel && last.nr_entries == 0 && !last.frame.exists);
	CHECK_STRING(rows(&last.access[FAULT_EXEC]), "no_area");
	space_end(mm);
}

TEST(what_the_area_forbids)
{
	struct mm *mm = space_new();
	unsigned long none = map_anon(mm, 1, PROT_NONE), ro = map_anon(mm, 1, RO);
	unsigned long x = map_anon(mm, 1, PROT_EXEC);

	LOAD(none, "forbidden");
	STORE(none, "forbidden");
	FETCH(none, "forbidden");
	STORE(ro, "forbidden");
	FETCH(ro, "forbidden");
	LOAD(ro, "zero_page");
	STORE(ro, "forbidden");
	LOAD(x, "forbidden");
	FETCH(x, "zero_page");
	space_end(mm);
}

TEST(anonymous_memory)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 3, RW);

	LOAD(addr, "zero_page");
	LOAD(addr, "allowed");
	CHECK(last.frame.is_zero);
	STORE(addr, "cow_zero");
	CHECK_EQ(last.nr_entries, 3);
	STORE(addr, "allowed");
	STORE(addr + PAGE_SIZE, "demand_zero");
	LOAD(addr + PAGE_SIZE, "allowed");
	FETCH(addr + PAGE_SIZE, "forbidden");
	space_end(mm);
}

TEST(a_frame_of_ones_own)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 2, RW);
	const struct explanation *e;
	struct page *page;

	CHECK_EQ(user_put(addr + PAGE_SIZE + 9, 1), FAULT_OK);
	page = page_at(mm, addr + PAGE_SIZE);
	e = explain(mm, addr + PAGE_SIZE + 9);
	CHECK(e->is_leaf && e->frame.exists && e->frame.is_ram && e->frame.is_family);
	CHECK(!e->frame.is_zero && !e->cache.exists);
	CHECK_EQ(e->pa, page_to_phys(page) + 9);
	CHECK_EQ(e->frame.pfn, page_to_pfn(page));
	CHECK_EQ(e->frame.refcount, 1);
	CHECK_EQ(e->frame.mapcount, 1);
	CHECK_EQ(e->frame.type, PAGE_ANON);
	CHECK_EQ(e->frame.index, (addr >> PAGE_SHIFT) + 1);
	CHECK_EQ(e->entries[2].pte.val, pte_at(mm, addr + PAGE_SIZE));
	CHECK_EQ(e->entries[2].at, virt_to_phys(pte_find(mm, addr + PAGE_SIZE)));
	CHECK_EQ(e->entries[0].at, virt_to_phys(&mm->pgd[pt_index(addr, 2)]));
	CHECK_EQ(e->entries[1].index, pt_index(addr, 1));
	/* Beside it: the tables are there, the leaf is empty. */
	e = explain(mm, addr);
	CHECK(e->nr_entries == 3 && !e->is_leaf && !e->frame.exists);
	/* A gigabyte away not even that. */
	e = explain(mm, addr ^ (1UL << 31));
	CHECK_EQ(e->nr_entries, 1);
	space_end(mm);
}

TEST(copy_on_write)
{
	struct mm *mm = space_new(), *child;
	unsigned long addr = map_anon(mm, 3, RW), addrs[2];
	const struct explanation *e;

	for (int i = 0; i < 3; i++)
		CHECK_EQ(user_put(addr + i * PAGE_SIZE, 1), FAULT_OK);
	child = mm_fork(mm);
	local_flush_tlb_all();
	e = explain(mm, addr);
	CHECK_EQ(e->frame.mapcount, 2);
	CHECK_EQ(mm_find_frame(mm, e, addrs, 2), 1);
	CHECK_EQ(addrs[0], addr);
	CHECK_EQ(mm_find_frame(child, e, addrs, 2), 1);
	CHECK_EQ(mm_find_frame(child, e, addrs, 0), 1);
	LOAD(addr, "allowed");
	STORE(addr, "cow_copy");
	STORE(addr, "allowed");
	CHECK_EQ(mm_find_frame(child, explain(mm, addr), addrs, 2), 0);
	mm_put(child);
	STORE(addr + PAGE_SIZE, "cow_reuse");
	/* Somebody is just reading it: not even the last owner may have it. */
	child = mm_fork(mm);
	mm_put(child);
	page_get(page_at(mm, addr + 2 * PAGE_SIZE));
	e = explain(mm, addr + 2 * PAGE_SIZE);
	CHECK_EQ(e->frame.refcount, 2);
	CHECK_STRING(rows(&e->access[FAULT_WRITE]), "cow_copy");
	page_put(page_at(mm, addr + 2 * PAGE_SIZE));
	STORE(addr + 2 * PAGE_SIZE, "cow_reuse");
	space_end(mm);
}

TEST(a_private_file)
{
	struct file *file = host_file(FILE_DISK, 3 * PAGE_SIZE + 1);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 6, RW, 0);

	STORE(addr + PAGE_SIZE, "read_in file_copy");
	CHECK(!last.cache.exists);
	LOAD(addr, "file_map");
	CHECK(last.cache.exists && last.cache.is_here);
	LOAD(addr, "allowed");
	STORE(addr, "cow_copy");
	STORE(addr + PAGE_SIZE, "allowed");
	LOAD(addr + 3 * PAGE_SIZE, "access_bits"); /* it came with its neighbour, not used yet */
	CHECK_EQ(last.file_index, 3);
	CHECK_EQ(last.frame.type, PAGE_FILE);
	CHECK(!last.frame.is_family);
	LOAD(addr + 4 * PAGE_SIZE, "past_end");
	STORE(addr + 4 * PAGE_SIZE, "past_end");
	FETCH(addr + 4 * PAGE_SIZE, "forbidden");
	filemap_truncate(host_file_mapping(file), PAGE_SIZE);
	LOAD(addr + 3 * PAGE_SIZE, "past_end");
	space_end(mm);
	file_put(file);
}

static unsigned long map_shared(struct mm *mm, struct file *file, unsigned pages)
{
	long addr = vm_mmap(mm, file, 0, pages * PAGE_SIZE, RW, MAP_SHARED, 0);

	CHECK(addr > 0);
	return addr;
}

TEST(a_shared_file)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_shared(mm, file, 4), again = map_shared(mm, file, 4), addrs[4];

	STORE(addr, "read_in shared_write");
	STORE(addr, "allowed");
	LOAD(again, "file_map");
	STORE(again, "shared_write");
	CHECK_EQ(last.frame.mapcount, 2);
	CHECK(last.frame.flags & PG_DIRTY);
	CHECK_EQ(mm_find_frame(mm, &last, addrs, 4), 2);
	CHECK_EQ(addrs[0] + addrs[1], addr + again);
	CHECK_EQ(filemap_write_all(host_file_mapping(file)), 0);
	LOAD(addr, "allowed");
	STORE(addr, "shared_write"); /* clean again: the next write is noticed */
	STORE(addr + PAGE_SIZE, "shared_write");
	space_end(mm);
	file_put(file);
}

/* Memory without a disk: nobody needs to know of writes. */
TEST(shared_memory)
{
	struct file *file = host_file(FILE_TMPFS, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_shared(mm, file, 4);

	LOAD(addr, "read_in file_map");
	STORE(addr, "allowed");
	STORE(addr + PAGE_SIZE, "read_in file_map");
	CHECK(!last.access[FAULT_WRITE].needs_room);
	space_end(mm);
	file_put(file);
}

TEST(a_stack_that_grows)
{
	struct mm *mm = space_new();

	CHECK_EQ(vm_make_stack(mm, STACK, 2 * PAGE_SIZE, RW), 0);
	STORE(STACK - 3 * PAGE_SIZE, "stack_grow demand_zero");
	CHECK(!last.vma);
	LOAD(STACK - 5 * PAGE_SIZE + 7, "stack_grow zero_page");
	LOAD(STACK - 4 * PAGE_SIZE, "zero_page");
	/* It has grown for an access that it forbids. */
	FETCH(STACK - 6 * PAGE_SIZE, "stack_grow forbidden");
	STORE(STACK - 6 * PAGE_SIZE, "demand_zero");
	current->rlim[RLIMIT_STACK].cur = 8 * PAGE_SIZE;
	STORE(STACK - 9 * PAGE_SIZE, "no_area");
	STORE(STACK - 8 * PAGE_SIZE, "stack_grow demand_zero");
	STORE(STACK, "no_area");
	space_end(mm);
}

TEST(missing_a_and_d_bits)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, RW);

	for (int svade = 0; svade < 2; svade++) {
		mmu_options.svade = svade;
		CHECK_EQ(user_put(addr, 1), FAULT_OK);
		pte_clear_bits(pte_find(mm, addr), PTE_A | PTE_D);
		local_flush_tlb_page(addr);
		LOAD(addr, "access_bits");
		LOAD(addr, "allowed");
		STORE(addr, "access_bits");
		STORE(addr, "allowed");
	}
	space_end(mm);
}

/* A page that PROT_NONE hides is there, and is told. */
TEST(hidden_by_prot_none)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, RW);

	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK_EQ(vm_mprotect(mm, addr, PAGE_SIZE, PROT_NONE), 0);
	LOAD(addr, "forbidden");
	CHECK(last.is_leaf && last.frame.exists);
	CHECK_EQ(last.frame.mapcount, 1);
	space_end(mm);
}

TEST(nobody_maps_a_frame_that_is_not_ram_or_is_the_zero_page)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, RW), addrs[1];

	CHECK_EQ(user_byte(addr), 0);
	CHECK_EQ(mm_find_frame(mm, explain(mm, addr), addrs, 1), 0);
	CHECK_EQ(mm_find_frame(mm, explain(mm, PAGE_SIZE), addrs, 1), 0);
	space_end(mm);
}

#define DEVICES 0xffffffc000000000UL

/* The direct map has device registers too: frames without a struct page. */
TEST(a_frame_that_is_a_device)
{
	struct mm *mm;
	unsigned long addrs[1];

	kernel_root[pt_index(DEVICES, 2)] = pte_make(0, PTE_V | PTE_R | PTE_W | PTE_G);
	mm = space_new();
	explain(mm, DEVICES + 0x10000000);
	CHECK(last.frame.exists && !last.frame.is_ram);
	CHECK_EQ(last.frame.pfn, 0x10000);
	CHECK_EQ(mm_find_frame(mm, &last, addrs, 1), 0);
	space_end(mm);
}

/*
 *	area a   pages 0..3 of the file    page 2 is faulted in
 *	area b   pages 0..3                not faulted in; in the tables of a
 *	area c   pages 3..3                does not cover page 2
 *	mm 2     pages 0..3                has no tables at all
 */
TEST(only_who_maps_the_frame_now_is_found)
{
	struct file *file = host_file(FILE_TMPFS, 4 * PAGE_SIZE);
	struct mm *mm = space_new(), *other = mm_alloc();
	unsigned long a = map_file(mm, file, 4, RW, 0), addrs[4];

	map_file(mm, file, 4, RW, 0);
	map_file(mm, file, 1, RW, 3);
	map_file(other, file, 4, RW, 0);
	CHECK_EQ(user_byte(a + 2 * PAGE_SIZE), 0);
	explain(mm, a + 2 * PAGE_SIZE);
	CHECK_EQ(mm_find_frame(mm, &last, addrs, 4), 1);
	CHECK_EQ(addrs[0], a + 2 * PAGE_SIZE);
	CHECK_EQ(mm_find_frame(other, &last, addrs, 4), 0);
	mm_put(other);
	space_end(mm);
	file_put(file);
}

TEST(every_row_has_a_name_and_a_counter)
{
	for (unsigned i = 0; i < NR_FAULT_CASES; i++) {
		CHECK(fault_case_name(i) != NULL);
		CHECK(fault_case_counter(i) >= VM_fault_zero_page);
		CHECK(fault_case_counter(i) <= VM_fault_raced);
	}
}
