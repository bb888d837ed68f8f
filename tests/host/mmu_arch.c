/*
 * mmu_arch.c - arch/riscv/mmu.h as the simulated MMU does it: satp, fences, the vmap region.
 *
 * A flush does exactly what it was asked for: the kernel's own shortcut, all for many pages, would
 * hide a range that is too short.
 */
#include "arch/riscv/mmu.h"

#include "arch/riscv/hart.h"
#include "kernel/panic.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "tests/host/host.h"

#define MAX_STACK_PAGES 1024

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
}

void local_flush_tlb_all(void)
{
	mmu_sfence(this_hart()->id, NULL, NULL);
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
	}
}

void flush_icache_all(void)
{
	for (unsigned hart = 0; hart < nr_harts; hart++)
		mmu_fence_i(hart);
}

static struct {
	unsigned long va;
	phys_addr_t pa;
} kernel_map[MAX_STACK_PAGES]; /* va 0: free */
unsigned kernel_map_fail;      /* the so many-th mapping from now fails */

int kernel_map_page(unsigned long va, phys_addr_t pa, unsigned long bits)
{
	static struct page *table[MAX_STACK_PAGES / PT_ENTRIES * 2]; /* half of each is guards */
	unsigned t = (va - VMAP_BASE) >> PT_SHIFT(1);

	(void)bits;
	if (kernel_map_fail && --kernel_map_fail == 0)
		return -ENOMEM;
	BUG_ON(t >= ARRAY_SIZE(table));
	if (!table[t] && (table[t] = alloc_page(GFP_KERNEL)) == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < MAX_STACK_PAGES; i++) {
		BUG_ON(kernel_map[i].va == va);
		if (kernel_map[i].va)
			continue;
		kernel_map[i].va = va;
		kernel_map[i].pa = pa;
		return 0;
	}
	return -ENOMEM;
}

phys_addr_t kernel_unmap_page(unsigned long va)
{
	for (unsigned i = 0; i < MAX_STACK_PAGES; i++) {
		if (kernel_map[i].va != va)
			continue;
		kernel_map[i].va = 0;
		return kernel_map[i].pa;
	}
	panic("kernel_unmap_page: 0x%lx is not mapped", va);
}
