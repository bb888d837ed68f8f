/*
 * pgtable.c - a process' page table: three levels, made on demand, freed with the areas they serve.
 *
 *	mm->pgd (level 2)        [ user half: 256 entries | kernel half: shared, never changes ]
 *	   entry spans 1 GiB  --> level 1 table
 *	   entry spans 2 MiB  --> level 0 table: 512 leaves; its struct page holds their lock
 *	   entry spans 4 KiB  --> frame
 *
 * Invariants (mm_check()): mm->nr_ptes counts the level 1 and level 0 tables; a table exists only
 * if some area lies in its span; tables of the user half belong to one mm (page->mapping).
 * Locks: leaves of a table under its page's ptl; the pointers to tables under mm->page_table_lock.
 * Pointers are set once under it, and cleared under it with mmap_lock held for writing, too. So
 * whoever holds mmap_lock reads them without it; and whoever does not (the reverse walk) holds it
 * from where he reads them until he is done with the leaves.
 */
#include "mm/pgtable.h"

#include "arch/riscv/mmu.h"
#include "kernel/panic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/tlb.h"
#include "mm/vmstat.h"
#include "mm/window.h"

struct page *zero_page;

/* Sv39 has no write-only page: W without R is reserved, so writing implies reading. */
const unsigned long prot_pte_bits[PROT_MASK + 1] = {
	[PROT_NONE] = PTE_PROTNONE,
	[PROT_READ] = PTE_V | PTE_U | PTE_R,
	[PROT_WRITE] = PTE_V | PTE_U | PTE_R | PTE_W,
	[PROT_READ | PROT_WRITE] = PTE_V | PTE_U | PTE_R | PTE_W,
	[PROT_EXEC] = PTE_V | PTE_U | PTE_X,
	[PROT_EXEC | PROT_READ] = PTE_V | PTE_U | PTE_X | PTE_R,
	[PROT_EXEC | PROT_WRITE] = PTE_V | PTE_U | PTE_X | PTE_R | PTE_W,
	[PROT_MASK] = PTE_V | PTE_U | PTE_X | PTE_R | PTE_W,
};

static pte_t *table_of(pte_t entry)
{
	return phys_to_virt(PFN_PHYS(pte_pfn(entry)));
}

pte_t *pte_find(struct mm *mm, unsigned long addr)
{
	pte_t entry = pte_read(&mm->pgd[pt_index(addr, 2)]);

	if (!pte_present(entry))
		return NULL;
	entry = pte_read(&table_of(entry)[pt_index(addr, 1)]);
	if (!pte_present(entry))
		return NULL;
	return &table_of(entry)[pt_index(addr, 0)];
}

static struct page *reserve_take(struct table_reserve *reserve)
{
	struct page *page = list_first_entry(&reserve->pages, struct page, lru);

	BUG_ON(list_empty(&reserve->pages));
	list_del(&page->lru);
	return page;
}

/* The table below @slot, made if it misses: of @reserve, if given; NULL: no memory. */
static pte_t *table_alloc(struct mm *mm, pte_t *slot, struct table_reserve *reserve)
{
	pte_t entry = pte_read(slot);
	struct page *table;

	if (likely(pte_present(entry)))
		return table_of(entry);
	table = reserve ? reserve_take(reserve) : alloc_page(GFP_KERNEL | GFP_ZERO);
	if (!table)
		return NULL;
	table->type = PAGE_TABLE;
	table->mapping = mm;
	spin_lock_init(&table->ptl);

	window();
	spin_lock(&mm->page_table_lock);
	entry = pte_read(slot);
	if (likely(!pte_present(entry))) {
		entry = pte_make(page_to_pfn(table), PTE_V);
		pte_set(slot, entry);
		mm->nr_ptes++;
		table = NULL;
		count_vm(VM_pgtable_alloc);
	}
	spin_unlock(&mm->page_table_lock);
	if (table)
		page_put(table); /* another hart was first */
	/* The new table before what the caller reads next: see filemap_truncate(). */
	smp_mb();
	return table_of(entry);
}

pte_t *pte_alloc(struct mm *mm, unsigned long addr)
{
	pte_t *table = table_alloc(mm, &mm->pgd[pt_index(addr, 2)], NULL);

	if (!table)
		return NULL;
	table = table_alloc(mm, &table[pt_index(addr, 1)], NULL);
	return table ? &table[pt_index(addr, 0)] : NULL;
}

/* ---- tables for an edit that cannot go back ---- */

int tables_reserve(struct table_reserve *reserve, unsigned nr)
{
	INIT_LIST_HEAD(&reserve->pages);
	while (nr-- > 0) {
		struct page *page = alloc_page(GFP_KERNEL | GFP_ZERO);

		if (!page) {
			tables_release(reserve);
			return -ENOMEM;
		}
		list_add_tail(&page->lru, &reserve->pages);
	}
	return 0;
}

void tables_release(struct table_reserve *reserve)
{
	while (!list_empty(&reserve->pages))
		page_put(reserve_take(reserve));
}

pte_t *pte_alloc_reserved(struct mm *mm, unsigned long addr, struct table_reserve *reserve)
{
	pte_t *table = table_alloc(mm, &mm->pgd[pt_index(addr, 2)], reserve);

	return &table_alloc(mm, &table[pt_index(addr, 1)], reserve)[pt_index(addr, 0)];
}

void table_move(struct mm *mm, unsigned long from, unsigned long to, struct table_reserve *reserve)
{
	pte_t *above = table_alloc(mm, &mm->pgd[pt_index(to, 2)], reserve);
	pte_t *slot = &table_of(mm->pgd[pt_index(from, 2)])[pt_index(from, 1)];
	struct spinlock *ptl = pte_lockptr(table_of(*slot));

	BUG_ON(!pte_none(above[pt_index(to, 1)]));
	spin_lock(&mm->page_table_lock);
	spin_lock(ptl);
	pte_set(&above[pt_index(to, 1)], pte_take(slot));
	window();
	/* All of it: a walker may have kept the pointer to the table, which no address names. */
	flush_tlb_range(mm, 0, TASK_SIZE);
	spin_unlock(ptl);
	spin_unlock(&mm->page_table_lock);
}

pte_t *pgd_alloc(void)
{
	struct page *page = alloc_page(GFP_KERNEL | GFP_ZERO);
	pte_t *pgd;

	if (!page)
		return NULL;
	page->type = PAGE_TABLE;
	pgd = page_address(page);
	memcpy(&pgd[KERNEL_ROOT_IX], &kernel_root[KERNEL_ROOT_IX],
	       (PT_ENTRIES - KERNEL_ROOT_IX) * sizeof(pte_t));
	return pgd;
}

void pgd_free(pte_t *pgd)
{
	page_put(virt_to_page(pgd));
}

static bool table_is_empty(const pte_t *table)
{
	for (unsigned i = 0; i < PT_ENTRIES; i++) {
		if (!pte_none(pte_read(&table[i])))
			return false;
	}
	return true;
}

/*
 * Cuts the table below @slot out of the tree and hands it to the gather; with @if_empty only if it
 * has no entry. True if it went.
 */
static bool table_free(struct mmu_gather *gather, pte_t *slot, bool if_empty)
{
	struct mm *mm = gather->mm;
	pte_t entry;
	bool goes;

	spin_lock(&mm->page_table_lock);
	entry = pte_read(slot);
	/* Looked at in here: a PTE on its way to swap is clear for a moment (mm/swapout.c). */
	goes = !if_empty || table_is_empty(table_of(entry));
	if (goes) {
		pte_set(slot, (pte_t){ 0 });
		mm->nr_ptes--;
	}
	spin_unlock(&mm->page_table_lock);
	if (!goes)
		return false;
	count_vm(VM_pgtable_free);
	gather_table(gather, pfn_to_page(pte_pfn(entry)));
	return true;
}

/* True when the whole span of level @level around @addr lies in [floor, ceiling). */
static bool span_is_free(unsigned long addr, unsigned level, unsigned long floor,
			 unsigned long ceiling)
{
	unsigned long start = addr & ~(PT_SPAN(level) - 1);

	return start >= floor && start + PT_SPAN(level) <= ceiling;
}

void free_pgtables(struct mmu_gather *gather, unsigned long start, unsigned long end,
		   unsigned long floor, unsigned long ceiling)
{
	pte_t *pgd = gather->mm->pgd;
	unsigned long addr, next, next_gb;

	/* TASK_SIZE is a page short of a span: past the last area nothing can follow. */
	if (ceiling == TASK_SIZE)
		ceiling = TASK_SIZE + PAGE_SIZE;
	for (addr = start; addr < end; addr = next_gb) {
		pte_t *slot2 = &pgd[pt_index(addr, 2)];
		unsigned long a = addr;

		next_gb = pt_addr_end(addr, end, 2);
		if (!pte_present(*slot2))
			continue;
		for (; a < next_gb; a = next) {
			pte_t *slot1 = &table_of(*slot2)[pt_index(a, 1)];

			next = pt_addr_end(a, next_gb, 1);
			if (pte_present(*slot1) && span_is_free(a, 1, floor, ceiling))
				table_free(gather, slot1, false);
		}
		if (span_is_free(addr, 2, floor, ceiling))
			table_free(gather, slot2, false);
	}
}

unsigned long free_empty_pgtables(struct mmu_gather *gather)
{
	pte_t *pgd = gather->mm->pgd;
	unsigned long freed = 0;

	for (unsigned i = 0; i < KERNEL_ROOT_IX; i++) {
		pte_t entry = pte_read(&pgd[i]);
		pte_t *table;

		if (!pte_present(entry))
			continue;
		table = table_of(entry);
		for (unsigned j = 0; j < PT_ENTRIES; j++) {
			if (pte_present(pte_read(&table[j])))
				freed += table_free(gather, &table[j], true);
		}
		freed += table_free(gather, &pgd[i], true);
	}
	return freed;
}
