/*
 * memlayout.h - the Sv39 address space, drawn once.
 *
 *   0x00_0000_0000  [0, 64 KiB) never mapped           MMAP_MIN_ADDR
 *                   program, heap (brk grows up) ... mmap area (grows down) ... stack
 *   0x3f_ffff_f000  one unmapped page, then the end    TASK_SIZE
 *   ---- not canonical ----
 *   PAGE_OFFSET     direct map: virtual = physical + PAGE_OFFSET; RAM, the kernel image inside it
 *                   (text R-X, rodata R--, data RW-) and the device registers that are in use
 *   VMAP_BASE       1 GiB for kernel stacks, each above a guard (mm/kstack.c)
 *
 * The kernel half is the same in every page table: its root entries are copied from the kernel's
 * own table when a process' root is made, and never change after boot.
 * Source: RISC-V privileged specification, "Sv39: Page-Based 39-bit Virtual-Memory System".
 */
#ifndef RAVEL_ARCH_MEMLAYOUT_H
#define RAVEL_ARCH_MEMLAYOUT_H

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096
#define PAGE_MASK  (~(PAGE_SIZE - 1L))

#define PAGE_OFFSET 0xffffffc000000000
#define VMAP_BASE   0xffffffe000000000
#define VMAP_END    0xffffffe040000000

/* The first address past the user half, less one page so that no access can run into the hole. */
#define TASK_SIZE     0x3ffffff000
#define STACK_TOP     TASK_SIZE
#define MMAP_MIN_ADDR 0x10000

/*
 * Kernel stacks: at most THREAD_SIZE bytes, in the upper half of a slot twice as large, guard
 * below.
 */
#define THREAD_SHIFT 14
#define THREAD_SIZE  (1 << THREAD_SHIFT)

#ifndef __ASSEMBLER__
#include "lib/types.h"

typedef unsigned long phys_addr_t;

#define PAGE_ALIGN(x)	  (((x) + PAGE_SIZE - 1) & PAGE_MASK)
#define PFN_DOWN(x)	  ((unsigned long)(x) >> PAGE_SHIFT)
#define PFN_PHYS(pfn)	  ((phys_addr_t)(pfn) << PAGE_SHIFT)
#define offset_in_page(x) ((unsigned long)(x) & (PAGE_SIZE - 1))

/* Direct map: physical to kernel virtual and back. The kernel image is part of it. */
static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(pa + PAGE_OFFSET);
}

static inline phys_addr_t virt_to_phys(const void *va)
{
	return (phys_addr_t)va - PAGE_OFFSET;
}
#endif

#endif
