/*
 * memlayout.h, host: as the kernel's, with the direct map where a host process has room for it.
 *
 * The user half, the vmap region and the tables stay RISC-V's: only the simulated MMU reads them.
 */
#ifndef RAVEL_HOST_MEMLAYOUT_H
#define RAVEL_HOST_MEMLAYOUT_H

#define phys_to_virt riscv_phys_to_virt
#define virt_to_phys riscv_virt_to_phys
#include_next "arch/riscv/memlayout.h"
#undef phys_to_virt
#undef virt_to_phys

#undef PAGE_OFFSET
#define PAGE_OFFSET 0x200000000000

static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(pa + PAGE_OFFSET);
}

static inline phys_addr_t virt_to_phys(const void *va)
{
	return (phys_addr_t)va - PAGE_OFFSET;
}

#endif
