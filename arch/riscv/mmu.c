/*
 * mmu.c - the kernel's own page table, and the flushing of translations.
 *
 *	kernel_root  256.. direct map: RAM in the largest pages that fit; the kernel image by
 *	                   sections (text R-X, rodata R--, data RW-, and nothing below the boot
 *	                   stack); device registers by 4 KiB
 *	             384   VMAP_BASE: 1 GiB of 4 KiB pages, for kernel stacks
 *
 * Invariants: no leaf is both writable and executable; the firmware's memory and what the device
 * tree reserves have no leaf; root entries do not change after boot, because every process has
 * copied them; page-table pages of the vmap region are never given back.
 * Locks: kernel_map_lock guards all entries below the root after boot, but for the leaves of a
 * stack that grows, which are its own: tables are never given back, so they are found without it.
 */
#include "arch/riscv/mmu.h"

#include "arch/riscv/csr.h"
#include "arch/riscv/machine.h"
#include "arch/riscv/sbi.h"
#include "arch/riscv/smp.h"
#include "kernel/lock.h"
#include "kernel/panic.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "mm/early.h"
#include "mm/vmstat.h"

#define KERNEL_RW (PTE_V | PTE_R | PTE_W | PTE_G | PTE_A | PTE_D)
#define KERNEL_R  (PTE_V | PTE_R | PTE_G | PTE_A)
#define KERNEL_RX (PTE_V | PTE_R | PTE_X | PTE_G | PTE_A)

/* More pages than this are flushed by flushing all. */
#define FLUSH_ALL_PAGES 32

extern char _stext[], _srodata[], _sdata[], _end[];
extern char boot_stack_guard[], boot_stack[];

pte_t *kernel_root;
unsigned long kernel_satp; /* head.S: what a starting hart uses */
static struct spinlock kernel_map_lock = SPINLOCK_INIT;

/* A zeroed page-table page, from early memory as long as there is no allocator; 0: no memory. */
static phys_addr_t table_page(void)
{
	struct page *page;

	if (!mem_map)
		return early_alloc(PAGE_SIZE, PAGE_SIZE);
	page = alloc_page(GFP_ATOMIC | GFP_ZERO);
	if (!page)
		return 0;
	page->type = PAGE_TABLE;
	return page_to_phys(page);
}

/*
 * The entry of level @level that translates kernel address @va; tables above it are made when they
 * miss. NULL: no memory, or a larger page is there already.
 */
static pte_t *kernel_pte(unsigned long va, unsigned level)
{
	pte_t *table = kernel_root;

	for (unsigned l = PT_LEVELS - 1; l > level; l--) {
		pte_t *entry = &table[pt_index(va, l)];
		phys_addr_t pa;

		if (pte_none(*entry)) {
			pa = table_page();
			if (!pa)
				return NULL;
			pte_set(entry, pte_make(PFN_DOWN(pa), PTE_V));
		} else if (!pte_is_table(*entry)) {
			return NULL;
		}
		table = phys_to_virt(PFN_PHYS(pte_pfn(*entry)));
	}
	return &table[pt_index(va, level)];
}

/*
 * Maps RAM or registers [start, end) at its place in the direct map, by the largest pages that
 * fit.
 */
static int map_direct(phys_addr_t start, phys_addr_t end, unsigned long bits)
{
	unsigned level;
	pte_t *pte;

	while (start < end) {
		level = PT_LEVELS - 1;
		while (level > 0 && (start % PT_SPAN(level) || end - start < PT_SPAN(level)))
			level--;
		pte = kernel_pte(start + PAGE_OFFSET, level);
		if (!pte)
			return -ENOMEM;
		pte_set(pte, pte_make(PFN_DOWN(start), bits));
		start += PT_SPAN(level);
	}
	return 0;
}

/* Maps RAM [start, end) writable, but for the holes from machine.unmapped[@i] on and the image. */
static void map_ram(phys_addr_t start, phys_addr_t end, unsigned i)
{
	struct ram_range image = { virt_to_phys(_stext), virt_to_phys(_end) };

	for (; i <= machine.nr_unmapped; i++) {
		const struct ram_range *hole =
			i < machine.nr_unmapped ? &machine.unmapped[i] : &image;

		if (hole->end <= start || hole->start >= end)
			continue;
		if (hole->start > start)
			map_ram(start, hole->start, i + 1);
		if (hole->end >= end)
			return;
		start = hole->end;
	}
	if (map_direct(start, end, KERNEL_RW) != 0)
		panic("paging: two sizes for one address below 0x%lx", (unsigned long)end);
}

static void map_image(const char *start, const char *end, unsigned long bits)
{
	if (map_direct(virt_to_phys(start), virt_to_phys(end), bits) != 0)
		panic("paging: cannot map the kernel image");
}

void paging_init(void)
{
	kernel_root = phys_to_virt(early_alloc(PAGE_SIZE, PAGE_SIZE));
	map_image(_stext, _srodata, KERNEL_RX);
	map_image(_srodata, _sdata, KERNEL_R);
	map_image(_sdata, boot_stack_guard, KERNEL_RW);
	map_image(boot_stack, _end, KERNEL_RW);
	for (unsigned i = 0; i < early_ram.nr; i++)
		map_ram(early_ram.range[i].start, early_ram.range[i].end, 0);
	/* Makes the level-1 table, so that the root entry exists before any root is copied. */
	kernel_pte(VMAP_BASE, 1);
	kernel_satp = SATP_SV39 | PFN_DOWN(virt_to_phys(kernel_root));
	mmu_switch(kernel_root);
}

void mmu_switch(const pte_t *root)
{
	csr_write(satp, SATP_SV39 | PFN_DOWN(virt_to_phys(root)));
	local_flush_tlb_all();
}

static bool in_vmap(unsigned long va)
{
	return va >= VMAP_BASE && va < VMAP_END;
}

/* The leaf entry of @va; NULL: its table was never made. */
static pte_t *vmap_leaf(unsigned long va)
{
	pte_t *table = kernel_root;

	BUG_ON(!in_vmap(va));
	for (unsigned l = PT_LEVELS - 1; l > 0; l--) {
		pte_t entry = pte_read(&table[pt_index(va, l)]);

		if (!pte_is_table(entry))
			return NULL;
		table = phys_to_virt(PFN_PHYS(pte_pfn(entry)));
	}
	return &table[pt_index(va, 0)];
}

static void set_leaf(pte_t *pte, phys_addr_t pa, unsigned long bits)
{
	BUG_ON(!pte_none(*pte) || (bits & (PTE_W | PTE_X)) == (PTE_W | PTE_X));
	pte_set(pte, pte_make(PFN_DOWN(pa), bits | PTE_V | PTE_G | PTE_A | PTE_D));
}

int kernel_map_page(unsigned long va, phys_addr_t pa, unsigned long bits)
{
	int ret = -ENOMEM;
	pte_t *pte;

	BUG_ON(!in_vmap(va));
	spin_lock(&kernel_map_lock);
	pte = kernel_pte(va, 0);
	if (pte) {
		set_leaf(pte, pa, bits);
		ret = 0;
	}
	spin_unlock(&kernel_map_lock);
	return ret;
}

void kernel_map_beside(unsigned long va, phys_addr_t pa, unsigned long bits)
{
	pte_t *pte = vmap_leaf(va);

	BUG_ON(!pte);
	set_leaf(pte, pa, bits);
}

bool kernel_page_mapped(unsigned long va)
{
	const pte_t *pte = vmap_leaf(va);

	return pte && pte_present(pte_read(pte));
}

phys_addr_t kernel_unmap_page(unsigned long va)
{
	pte_t *pte = vmap_leaf(va), old = { 0 };

	spin_lock(&kernel_map_lock);
	if (pte)
		old = pte_take(pte);
	spin_unlock(&kernel_map_lock);
	BUG_ON(pte_none(old));
	return PFN_PHYS(pte_pfn(old));
}

volatile void *ioremap(phys_addr_t pa, size_t size)
{
	phys_addr_t end = PAGE_ALIGN(pa + size);
	int ret = 0;

	if (size == 0 || end <= pa || end > VMAP_BASE - PAGE_OFFSET || early_is_ram(pa, end))
		return NULL;
	spin_lock(&kernel_map_lock);
	for (phys_addr_t page = pa & PAGE_MASK; page < end && ret == 0; page += PAGE_SIZE)
		ret = map_direct(page, page + PAGE_SIZE, KERNEL_RW);
	spin_unlock(&kernel_map_lock);
	local_flush_tlb_all();
	return ret == 0 ? phys_to_virt(pa) : NULL;
}

void flush_tlb_harts(unsigned long mask, unsigned long start, unsigned long end)
{
	bool all = end - start > FLUSH_ALL_PAGES * PAGE_SIZE;
	unsigned long self = 1UL << this_hart()->id;

	if (mask & self) {
		count_vm(VM_tlb_flush_local);
		if (all)
			local_flush_tlb_all();
		else
			for (unsigned long addr = start & PAGE_MASK; addr < end; addr += PAGE_SIZE)
				local_flush_tlb_page(addr);
	}
	mask &= ~self;
	if (mask) {
		count_vm(VM_tlb_flush_remote);
		sbi_call_harts(mask, SBI_EXT_RFENCE, SBI_RFENCE_SFENCE_VMA, all ? 0 : start,
			       all ? ~0UL : end - start);
	}
}

void flush_icache_all(void)
{
	unsigned long others = READ_ONCE(harts_online_mask) & ~(1UL << this_hart()->id);

	count_vm(VM_icache_flush);
	__asm__ volatile("fence.i" : : : "memory");
	if (others) {
		smp_mb(); /* the new instructions before the others' fence */
		sbi_call_harts(others, SBI_EXT_RFENCE, SBI_RFENCE_FENCE_I, 0, 0);
	}
}
