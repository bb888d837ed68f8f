/*
 * mmu_arch.c - arch/riscv/mmu.h as the simulated MMU does it: satp and fences. vmap.c has the rest.
 *
 * A flush does exactly what it was asked for: the kernel's own shortcut, all for many pages, would
 * hide a range that is too short.
 */
#include "arch/riscv/mmu.h"

#include "arch/riscv/hart.h"
#include "kernel/panic.h"
#include "tests/host/host.h"

static pte_t root_of_kernel[PT_ENTRIES];
pte_t *kernel_root = root_of_kernel;

void mmu_switch(const pte_t *root)
{
	/* The kernel's own root is no RAM here, and maps nothing for a user. */
	mmu_set_satp(this_hart()->id, root == kernel_root ? 0 : virt_to_phys(root), 0);
	local_flush_tlb_all();
}

void local_flush_tlb_page(unsigned long addr)
{
	mmu_sfence(this_hart()->id, &addr, NULL);
	vmap_fence(this_hart()->id, addr, addr + 1);
}

void local_flush_tlb_all(void)
{
	mmu_sfence(this_hart()->id, NULL, NULL);
	vmap_fence(this_hart()->id, VMAP_BASE, VMAP_END);
}

void flush_tlb_harts(unsigned long mask, unsigned long start, unsigned long end)
{
	bool all = start == 0 && end >= TASK_SIZE;

	for (unsigned hart = 0; hart < nr_harts; hart++) {
		if (!(mask & BIT(hart)))
			continue;
		if (all)
			mmu_sfence(hart, NULL, NULL);
		else
			mmu_sfence_range(hart, start, end);
		vmap_fence(hart, all ? VMAP_BASE : start, all ? VMAP_END : end);
	}
}

void flush_icache_all(void)
{
	for (unsigned hart = 0; hart < nr_harts; hart++)
		mmu_fence_i(hart);
}
