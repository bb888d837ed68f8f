/*
 * usage.c - what is in memory and whose it is: mm/walk.c, smaps.c, pagemap.c, and what an end gives
 * back.
 *
 *	pages     a a z f . h          as tests/host/unit/areas.h draws them
 *	rss       2 (z is nobody's)    pss: each page divided by who maps it
 */
#include "tests/host/unit/space.h"

#include "lib/string.h"
#include "mm/walk.h"

/* The usage of the area that holds @addr. */
static struct area_usage usage_of(struct mm *mm, unsigned long addr)
{
	struct area_usage usage = {};
	const struct vm_area *vma = vma_lookup(mm, addr);

	CHECK(vma != NULL);
	vma_add_usage(vma, &usage);
	return usage;
}

static unsigned long rss_of(const struct area_usage *usage)
{
	return usage->shared_clean + usage->shared_dirty + usage->private_clean +
	       usage->private_dirty;
}

TEST(anonymous_pages_are_private_and_dirty)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 8, RW);
	struct area_usage usage = usage_of(mm, addr);

	CHECK_EQ(rss_of(&usage), 0);
	user_put(addr, 1);
	user_put(addr + 5 * PAGE_SIZE, 1);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 0); /* the zero page */
	usage = usage_of(mm, addr);
	CHECK_EQ(rss_of(&usage), 2);
	CHECK_EQ(usage.private_dirty, 2);
	CHECK_EQ(usage.anon, 2);
	CHECK_EQ(usage.referenced, 2);
	CHECK_EQ(usage.pss_anon, 2UL << PSS_SHIFT);
	CHECK_EQ(usage.pss_dirty, 2UL << PSS_SHIFT);
	/* Hidden, they are there all the same. */
	CHECK_EQ(vm_mprotect(mm, addr, 8 * PAGE_SIZE, PROT_NONE), 0);
	usage = usage_of(mm, addr);
	CHECK_EQ(usage.private_dirty, 2);
	space_end(mm);
}

/* Most leaf tables of a reservation are not there: neither of the same GiB nor of others. */
TEST(a_reservation_is_mostly_nothing)
{
	const unsigned long nr = 3UL << (30 - PAGE_SHIFT);
	struct mm *mm = space_new();
	unsigned long addr = vm_mmap(mm, NULL, 0, nr * PAGE_SIZE, RW,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);

	user_put(addr + PAGE_SIZE, 1);
	user_put(addr + (nr - 1000) * PAGE_SIZE, 1);
	CHECK_EQ(usage_of(mm, addr).private_dirty, 2);
	CHECK_EQ(usage_of(mm, addr).pss_locked, 0);
	vma_lookup(mm, addr)->vm_flags |= VM_LOCKED;
	CHECK_EQ(usage_of(mm, addr).pss_locked, 2UL << PSS_SHIFT);
	vma_lookup(mm, addr)->vm_flags &= ~VM_LOCKED;
	space_end(mm);
}

TEST(a_page_of_three_counts_a_third)
{
	struct mm *a = space_new(), *b, *c;
	unsigned long addr = map_anon(a, 3, RW);
	struct area_usage usage;

	for (int i = 0; i < 3; i++)
		user_put(addr + i * PAGE_SIZE, 1);
	b = mm_fork(a);
	c = mm_fork(a);
	user_put(addr, 2);
	usage = usage_of(a, addr);
	CHECK_EQ(usage.private_dirty, 1);
	CHECK_EQ(usage.shared_dirty, 2);
	CHECK_EQ(usage.pss_anon, (1UL << PSS_SHIFT) + 2 * ((1UL << PSS_SHIFT) / 3));
	usage = usage_of(b, addr);
	CHECK_EQ(usage.shared_dirty, 3);
	CHECK_EQ(usage.pss_anon, ((1UL << PSS_SHIFT) / 2) + 2 * ((1UL << PSS_SHIFT) / 3));
	CHECK_EQ(gauge_sum(GAUGE_SHARED_ANON), 1 + 2 + 2); /* PTEs beyond the first */
	mm_put(b);
	mm_put(c);
	CHECK_EQ(gauge_sum(GAUGE_SHARED_ANON), 0);
	usage = usage_of(a, addr);
	CHECK_EQ(usage.private_dirty, 3);
	space_end(a);
}

TEST(pages_of_files_and_of_shared_memory)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct file *tmpfs = host_file(FILE_TMPFS, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 4, RW, 0), shared;
	struct area_usage usage;
	long ret;

	CHECK(user_byte(addr) >= 0);
	usage = usage_of(mm, addr);
	CHECK_EQ(usage.private_clean, mm->rss_file);
	CHECK_EQ(usage.pss_file, (u64)mm->rss_file << PSS_SHIFT);
	CHECK_EQ(usage.anon, 0);
	user_put(addr, 1); /* a copy of one's own */
	usage = usage_of(mm, addr);
	CHECK_EQ(usage.anon, 1);
	CHECK_EQ(usage.private_dirty, 1);
	CHECK_EQ(mm_nr_shmem(mm), 0);
	ret = vm_mmap(mm, tmpfs, 0, 4 * PAGE_SIZE, RW, MAP_SHARED, 0);
	CHECK(ret > 0);
	shared = ret;
	user_put(shared, 1);
	user_put(shared + PAGE_SIZE, 1);
	usage = usage_of(mm, shared);
	CHECK_EQ(usage.private_dirty, 2);
	CHECK_EQ(usage.pss_shmem, 2UL << PSS_SHIFT);
	CHECK_EQ(usage.pss_file, 0);
	CHECK_EQ(mm_nr_shmem(mm), 2);
	machine_check();
	/* A private mapping of it: a write leaves the shared page. */
	ret = vm_mmap(mm, tmpfs, 0, 4 * PAGE_SIZE, RW, MAP_PRIVATE, 0);
	CHECK_EQ(user_byte(ret), 1);
	CHECK_EQ(mm_nr_shmem(mm), 4);
	user_put(ret, 2);
	CHECK_EQ(mm_nr_shmem(mm), 3);
	machine_check();
	file_put(file);
	file_put(tmpfs);
	space_end(mm);
}

/* ---- page by page ---- */

TEST(entries_of_pagemap)
{
	struct mm *mm = space_new(), *child;
	unsigned long addr = map_anon(mm, 600, RW);
	static u64 entry[600];
	u64 first;

	user_put(addr, 1);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 0);
	user_put(addr + 599 * PAGE_SIZE, 1);
	mm_pagemap(mm, addr, 600, true, entry);
	first = PM_PRESENT | PM_EXCLUSIVE | page_to_pfn(page_at(mm, addr));
	CHECK_EQ(entry[0], first);
	CHECK_EQ(entry[1], PM_PRESENT | page_to_pfn(zero_page));
	CHECK_EQ(entry[2], 0);
	CHECK_EQ(entry[599],
		 PM_PRESENT | PM_EXCLUSIVE | page_to_pfn(page_at(mm, addr + 599 * PAGE_SIZE)));
	for (int i = 2; i < 599; i++)
		CHECK_EQ(entry[i], 0);
	mm_pagemap(mm, addr, 1, false, entry);
	CHECK_EQ(entry[0], PM_PRESENT | PM_EXCLUSIVE);
	child = mm_fork(mm);
	mm_pagemap(mm, addr, 1, true, entry);
	CHECK_EQ(entry[0], first & ~PM_EXCLUSIVE);
	mm_put(child);
	/* Far from every area there is not even a table. */
	mm_pagemap(mm, 0, 16, true, entry);
	CHECK_EQ(entry[0] | entry[15], 0);
	mm_pagemap(mm, TASK_SIZE / 2 - 8 * PAGE_SIZE, 16, true, entry);
	CHECK_EQ(entry[0] | entry[15], 0);
	space_end(mm);
}

TEST(entries_of_file_pages)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 4, RW, 0);
	u64 entry;

	CHECK(user_byte(addr) >= 0);
	mm_pagemap(mm, addr, 1, false, &entry);
	CHECK_EQ(entry, PM_PRESENT | PM_FILE | PM_EXCLUSIVE);
	user_put(addr, 1);
	mm_pagemap(mm, addr, 1, false, &entry);
	CHECK_EQ(entry, PM_PRESENT | PM_EXCLUSIVE);
	file_put(file);
	space_end(mm);
}

static bool has(u64 flags, unsigned bit)
{
	return flags >> bit & 1;
}

TEST(what_frames_are)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, RW), mapped = map_file(mm, file, 1, RO, 0);
	struct page *kernel = alloc_page(GFP_KERNEL);
	unsigned long pfn = page_to_pfn(kernel);
	u64 flags;

	user_put(addr, 1);
	CHECK(user_byte(mapped) >= 0);
	flags = frame_flags(page_to_pfn(page_at(mm, addr)));
	CHECK(has(flags, KPF_ANON) && has(flags, KPF_MMAP) && has(flags, KPF_SWAPBACKED));
	flags = frame_flags(page_to_pfn(page_at(mm, mapped)));
	CHECK(has(flags, KPF_LRU) && has(flags, KPF_UPTODATE) && !has(flags, KPF_ANON));
	CHECK_EQ(frame_count(page_to_pfn(page_at(mm, mapped))), 1);
	CHECK(has(frame_flags(page_to_pfn(zero_page)), KPF_ZERO_PAGE));
	CHECK(has(frame_flags(PFN_DOWN(virt_to_phys(mm->pgd))), KPF_PGTABLE));
	CHECK(has(frame_flags(PFN_DOWN(virt_to_phys(mm))), KPF_SLAB));
	CHECK_EQ(frame_flags(pfn), 0);
	page_put(kernel);
	CHECK_EQ(frame_flags(pfn), 1UL << KPF_BUDDY);
	CHECK(has(frame_flags(PFN_DOWN(virt_to_phys(mem_map))), KPF_RESERVED));
	CHECK_EQ(frame_flags(0), 1UL << KPF_NOPAGE);
	CHECK_EQ(frame_flags(frame_end()), 1UL << KPF_NOPAGE);
	CHECK_EQ(frame_count(frame_end()), 0);
	file_put(file);
	space_end(mm);
}

/* ---- the end of an address space ---- */

TEST(frames_that_an_end_gives_back)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *mm = space_new(), *child;
	unsigned long addr = map_anon(mm, 8, RW);
	struct mm_freed freed;
	unsigned long files;

	for (int i = 0; i < 8; i++)
		user_put(addr + i * PAGE_SIZE, 1);
	child = mm_fork(mm);
	live_in(0, child);
	user_put(addr, 2);
	CHECK(user_byte(map_file(child, file, 4, RO, 0)) >= 0);
	files = child->rss_file;
	live_in(0, mm);
	mm_get(child);
	mm_put_freed(child, &freed);
	CHECK_EQ(freed.anon + freed.file + freed.tables + freed.kept_anon + freed.kept_file, 0);
	counters_start();
	mm_put_freed(child, &freed);
	CHECK_EQ(freed.anon, 1);
	CHECK_EQ(freed.kept_anon, 7);
	CHECK_EQ(freed.file, 0);
	CHECK_EQ(freed.kept_file, files);
	CHECK(freed.tables >= 3);
	CHECK_EQ(counted(VM_exit_freed_anon), 1);
	CHECK_EQ(counted(VM_exit_kept_anon), 7);
	CHECK_EQ(counted(VM_exit_freed_tables), freed.tables);
	file_put(file);
	space_end(mm);
}

/* A file that has gone takes its pages with the last mapping. */
TEST(frames_of_a_file_that_has_gone)
{
	struct file *file = host_file(FILE_TMPFS, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	long addr = vm_mmap(mm, file, 0, 4 * PAGE_SIZE, RW, MAP_SHARED, 0);
	struct page *held;
	struct mm_freed freed;

	user_put(addr, 1);
	held = page_at(mm, addr);
	page_get(held);
	machine_use_mm(NULL);
	mm_put_freed(mm, &freed);
	CHECK_EQ(freed.kept_file, 1);
	page_put(held);
	file_put(file);
}
