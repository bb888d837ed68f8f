/*
 * mmu.h - satp, translation caches and instruction caches of this hart and of others.
 *
 * Remote forms take a logical hart mask, skip this hart's bit after doing it locally, and return
 * when every hart named has finished (SBI RFENCE is synchronous).
 */
#ifndef RAVEL_ARCH_MMU_H
#define RAVEL_ARCH_MMU_H

#include "arch/riscv/pte.h"

struct early_ranges;

/* The kernel's own root table; its upper half is copied into each process' root. */
extern pte_t *kernel_root;

/* Builds the kernel's final page table from early memory and switches to it (boot hart). */
void paging_init(void);

/* Points this hart's satp at root table @root (kernel virtual address), full local flush. */
void mmu_switch(const pte_t *root);

static inline void local_flush_tlb_page(unsigned long addr)
{
	__asm__ volatile("sfence.vma %0, zero" : : "r"(addr) : "memory");
}

static inline void local_flush_tlb_all(void)
{
	__asm__ volatile("sfence.vma zero, zero" : : : "memory");
}

/* Flushes [start, end) on every hart in @mask (may include this one). */
void flush_tlb_harts(unsigned long mask, unsigned long start, unsigned long end);
/* fence.i on every online hart. */
void flush_icache_all(void);

/*
 * Maps kernel address @va (in the vmap region) to frame @pa with leaf rights @bits (PTE_R | PTE_W
 * ...), without flushing; 0 or -ENOMEM. A leaf table made for it stays for good.
 */
int kernel_map_page(unsigned long va, phys_addr_t pa, unsigned long bits);
/* Takes the mapping away, without flushing, and returns its frame's address. */
phys_addr_t kernel_unmap_page(unsigned long va);

/* True when something is mapped at @va, of the vmap region. Any context. */
bool kernel_page_mapped(unsigned long va);
/*
 * As kernel_map_page() where a page beside @va is or was mapped, so that the leaf table exists: in
 * any context, whatever locks are held, since nobody else edits this entry meanwhile.
 */
void kernel_map_beside(unsigned long va, phys_addr_t pa, unsigned long bits);

/*
 * Makes the device registers [pa, pa + size) usable; returns their kernel address, NULL: no
 * memory.
 */
volatile void *ioremap(phys_addr_t pa, size_t size);

#endif
