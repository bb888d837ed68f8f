/*
 * mmu.h, host: as the kernel's; a fence is the simulated MMU's (tests/host/mmu.c).
 */
#ifndef RAVEL_HOST_MMU_H
#define RAVEL_HOST_MMU_H

#define local_flush_tlb_page riscv_local_flush_tlb_page
#define local_flush_tlb_all  riscv_local_flush_tlb_all
#include_next "arch/riscv/mmu.h"
#undef local_flush_tlb_page
#undef local_flush_tlb_all

void local_flush_tlb_page(unsigned long addr);
void local_flush_tlb_all(void);

#endif
