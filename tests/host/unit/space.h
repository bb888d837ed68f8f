/*
 * space.h - what the tests of address spaces share: a space to live in, its PTEs, the counters.
 *
 *	struct mm *mm = space_new();               hart 0 lives in it
 *	addr = map_anon(mm, 4, RW);
 *	counters_start();
 *	CHECK_EQ(user_write(addr, "x", 1), FAULT_OK);
 *	CHECK_EQ(counted(VM_fault_demand_zero), 1);
 *	space_end(mm);                             no hart lives in it, and it goes
 */
#ifndef RAVEL_HOST_UNIT_SPACE_H
#define RAVEL_HOST_UNIT_SPACE_H

#include "fs/mapping.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/pgtable.h"
#include "mm/vma.h"
#include "mm/vmstat.h"
#include "tests/host/test.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RO   PROT_READ
#define RW   (PROT_READ | PROT_WRITE)
#define RX   (PROT_READ | PROT_EXEC)
#define RWX  (PROT_READ | PROT_WRITE | PROT_EXEC)

/* From now on code runs on @hart, whose task lives in @mm. */
static inline void live_in(unsigned hart, struct mm *mm)
{
	machine_run_on(hart);
	machine_use_mm(mm);
}

static inline struct mm *space_new(void)
{
	struct mm *mm = mm_alloc();

	CHECK(mm != NULL);
	machine_use_mm(mm);
	return mm;
}

/* Every hart leaves @mm, whose last user was the test; hart 0 goes on. */
static inline void space_end(struct mm *mm)
{
	for (unsigned hart = nr_harts; hart-- > 0;) {
		machine_run_on(hart);
		if (current->mm == mm)
			machine_use_mm(NULL);
	}
	mm_put(mm);
}

static inline unsigned long map_anon(struct mm *mm, unsigned pages, u32 prot)
{
	long addr = vm_mmap(mm, NULL, 0, pages * PAGE_SIZE, prot, ANON, 0);

	CHECK(addr > 0);
	return addr;
}

/* @pages of @file from page @first on, at an address that is a multiple of 64 KiB. */
static inline unsigned long map_file(struct mm *mm, struct file *file, unsigned pages, u32 prot,
				     unsigned long first)
{
	static unsigned long next = 0x10000000;
	long addr = vm_mmap(mm, file, next, pages * PAGE_SIZE, prot, MAP_PRIVATE | MAP_FIXED,
			    first * PAGE_SIZE);

	CHECK(addr > 0);
	next += ALIGN_UP((pages + 16) * PAGE_SIZE, 0x10000);
	return addr;
}

/* The PTE of @addr; 0 if it has none. */
static inline unsigned long pte_at(struct mm *mm, unsigned long addr)
{
	pte_t *ptep = pte_find(mm, addr);

	return ptep ? pte_read(ptep).val : 0;
}

static inline struct page *page_at(struct mm *mm, unsigned long addr)
{
	unsigned long pte = pte_at(mm, addr);

	return pte ? pfn_to_page(pte_pfn((pte_t){ pte })) : NULL;
}

/* The byte that the current hart reads at @addr, or minus the fault result. */
static inline int user_byte(unsigned long addr)
{
	enum fault_result res;
	u8 byte;

	res = user_read(addr, &byte, 1);
	return res == FAULT_OK ? byte : -(int)res;
}

static inline enum fault_result user_put(unsigned long addr, u8 byte)
{
	return user_write(addr, &byte, 1);
}

/* Bytes @pos of a disk file, as it was made. */
static inline int pattern_of(struct file *file, u64 pos)
{
	return file_pattern(host_file_nr(file), pos);
}

/* ---- counters ---- */

static unsigned long counters_before[NR_VMSTAT];

static inline void counters_start(void)
{
	for (unsigned i = 0; i < NR_VMSTAT; i++)
		counters_before[i] = vmstat_sum(i);
}

/* How often since counters_start(). */
static inline long counted(enum vmstat_event event)
{
	return vmstat_sum(event) - counters_before[event];
}

/*
 * Since counters_start() there was one fault, which was counted as @event and as nothing else of
 * the table in mm/fault.c.
 */
static inline void check_one_fault(const char *file, int line, enum vmstat_event event)
{
	if (counted(VM_pgfault) != 1)
		host_test_fail(file, line, "%ld faults instead of one", counted(VM_pgfault));
	for (unsigned i = VM_fault_zero_page; i <= VM_fault_raced; i++) {
		if (i != VM_fault_file_around && counted(i) != (i == event))
			host_test_fail(file, line, "%s counted %ld times, %s once", vmstat_name[i],
				       counted(i), vmstat_name[event]);
	}
}

#define CHECK_ONE_FAULT(event) check_one_fault(__FILE__, __LINE__, event)

/* ---- the others, while the kernel sleeps or is in a window ---- */

/* machine_meanwhile for something that happens once. */
#define ONCE_MEANWHILE(name)                                                                       \
	static void name##_once(void);                                                             \
	static bool name##_happened;                                                               \
	static void name(bool locked)                                                              \
	{                                                                                          \
		if (locked || name##_happened)                                                     \
			return;                                                                    \
		name##_happened = true;                                                            \
		name##_once();                                                                     \
	}                                                                                          \
	static void name##_once(void)

#endif
