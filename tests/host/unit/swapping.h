/*
 * swapping.h - what the tests of swap share: a swap area, pages that go, where a page is.
 *
 *	disk = swap_on(64);                       an area with 63 slots
 *	addr = map_anon(mm, 4, RW);               fill(), then
 *	page_out(mm, addr, 4);                    all of it is in slots
 *	swap_end(disk);                           everything is back, no slot was left
 */
#ifndef RAVEL_HOST_UNIT_SWAPPING_H
#define RAVEL_HOST_UNIT_SWAPPING_H

#include "kernel/syscall.h"
#include "mm/swap.h"
#include "mm/walk.h"
#include "tests/host/swapdisk.h"
#include "tests/host/unit/space.h"

#define MADV_DONTNEED 4
#define MADV_PAGEOUT  21

long sys_madvise(const struct trap_frame *regs);
long sys_mlock(const struct trap_frame *regs);

static inline long call_madvise(unsigned long addr, unsigned long len, int advice)
{
	struct trap_frame regs = { .a0 = addr, .a1 = len, .a2 = advice };

	return sys_madvise(&regs);
}

static inline long call_mlock(unsigned long addr, unsigned long len)
{
	struct trap_frame regs = { .a0 = addr, .a1 = len };

	return sys_mlock(&regs);
}

static inline struct block_device *swap_on(unsigned pages)
{
	struct block_device *disk = swapdisk_new(pages);

	CHECK_EQ(swap_area_on(disk, "/dev/swap", 0), 0);
	CHECK_EQ(swap_nr_slots(), pages - 1);
	CHECK_EQ(swap_nr_free(), pages - 1);
	return disk;
}

/* Nobody has anything in swap: no slot may be in use. */
static inline void swap_end(struct block_device *disk)
{
	machine_check();
	CHECK_EQ(swap_nr_free(), swap_nr_slots());
	CHECK_EQ(swap_nr_cached(), 0);
	CHECK_EQ(swap_area_off(disk), 0);
}

static inline void fill(unsigned long addr, unsigned pages, u8 tag)
{
	for (unsigned i = 0; i < pages; i++)
		CHECK_EQ(user_put(addr + i * PAGE_SIZE, tag + i), FAULT_OK);
}

/* The pages have what fill() wrote. */
static inline void check_filled(unsigned long addr, unsigned pages, u8 tag)
{
	for (unsigned i = 0; i < pages; i++)
		CHECK_EQ(user_byte(addr + i * PAGE_SIZE), (u8)(tag + i));
}

/* What @mm, in which the current hart lives, has there goes as far as it can. */
static inline void try_page_out(struct mm *mm, unsigned long addr, unsigned pages)
{
	CHECK(current->mm == mm);
	CHECK_EQ(call_madvise(addr, pages * PAGE_SIZE, MADV_PAGEOUT), 0);
}

static inline bool is_swapped(struct mm *mm, unsigned long addr)
{
	return pte_swap((pte_t){ pte_at(mm, addr) });
}

static inline void page_out(struct mm *mm, unsigned long addr, unsigned pages)
{
	try_page_out(mm, addr, pages);
	for (unsigned i = 0; i < pages; i++)
		CHECK(is_swapped(mm, addr + i * PAGE_SIZE));
}

#endif
