/*
 * pgtable.h - walking and growing a process' page table. mm/pgtable.c has the drawing.
 */
#ifndef RAVEL_MM_PGTABLE_H
#define RAVEL_MM_PGTABLE_H

#include "lib/list.h"
#include "mm/mm.h"

struct mmu_gather;

/* The frame that every untouched anonymous page reads as zeros; never counted, never freed. */
extern struct page *zero_page;

/* What each PROT_* lets a leaf grant: V, U, R, W, X bits; PTE_PROTNONE for PROT_NONE. */
extern const unsigned long prot_pte_bits[PROT_MASK + 1];

static inline unsigned long prot_to_pte(u32 prot)
{
	return prot_pte_bits[prot & PROT_MASK];
}

/* The level 0 entry of @addr, or NULL when its table does not exist. mmap_lock held. */
pte_t *pte_find(struct mm *mm, unsigned long addr);
/* As pte_find(), making the tables that miss; NULL: no memory (tables made so far stay, empty). */
pte_t *pte_alloc(struct mm *mm, unsigned long addr);

/*
 * Tables made ahead, for an edit that cannot go back when it comes to need them.
 * tables_reserve(): @nr of them, or -ENOMEM with none taken. tables_release() frees those left.
 */
struct table_reserve {
	struct list_head pages;
};

int tables_reserve(struct table_reserve *reserve, unsigned nr);
void tables_release(struct table_reserve *reserve);
/* As pte_alloc(), from @reserve; cannot fail. */
pte_t *pte_alloc_reserved(struct mm *mm, unsigned long addr, struct table_reserve *reserve);
/*
 * The leaf table of @from, both addresses at the start of one's span, translates @to from now on,
 * where there was none; the table above comes from @reserve. Every hart has forgotten @from.
 * mmap_lock held for writing, and what keeps other walkers away from the areas at @from.
 */
void table_move(struct mm *mm, unsigned long from, unsigned long to, struct table_reserve *reserve);

/* The lock of the leaf table that holds @ptep. */
static inline struct spinlock *pte_lockptr(pte_t *ptep)
{
	return &virt_to_page(ptep)->ptl;
}

/* Root of a new address space with the kernel's half in place; NULL: no memory. */
pte_t *pgd_alloc(void);
void pgd_free(pte_t *pgd);

/*
 * Frees the tables that translate nothing but addresses in [floor, ceiling), of those that
 * [start, end) uses: no area lies there, and every leaf is clear. mmap_lock held for writing. The
 * frames go through @gather, which frees them after the flush.
 */
void free_pgtables(struct mmu_gather *gather, unsigned long start, unsigned long end,
		   unsigned long floor, unsigned long ceiling);
/*
 * The same for all tables without an entry, whatever areas lie there: a fault makes them again. How
 * many. mmap_lock held for writing.
 */
unsigned long free_empty_pgtables(struct mmu_gather *gather);

/* The end of the span of level @level that holds @addr, or @end if that comes first. */
static inline unsigned long pt_addr_end(unsigned long addr, unsigned long end, unsigned level)
{
	unsigned long next = (addr & ~(PT_SPAN(level) - 1)) + PT_SPAN(level);

	return next < end ? next : end;
}

#endif
