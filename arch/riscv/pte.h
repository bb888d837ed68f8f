/*
 * pte.h - a page-table entry of Sv39, bit by bit.
 *
 *   63      54 53                    10 9 8 7 6 5 4 3 2 1 0
 *   | reserved |   physical page number | RSW |D|A|G|U|X|W|R|V|
 *
 *   An entry with V and none of R W X points to the next table; any other valid entry is a leaf.
 *   RSW bit 0 is SPECIAL: a leaf whose frame is not counted (the shared zero page).
 *   PROTNONE (bit 5 without V) is a leaf that the area's PROT_NONE keeps from everybody: the
 *   frame is still there and counted. SWAP (RSW bit 1, with neither V nor PROTNONE) is no leaf but
 *   a swap entry: the page lies in a slot of a swap area.
 *
 *   63   58    54 53                  10 9 8                 0
 *   |  0 | area  |        slot          |1|        0        |
 *
 * Three levels, 512 entries each: level 2 is the root, level 0 holds the leaves that mm/ uses.
 * Source: RISC-V privileged specification, "Sv39" and "Supervisor Memory-Management".
 */
#ifndef RAVEL_ARCH_PTE_H
#define RAVEL_ARCH_PTE_H

#include "arch/riscv/memlayout.h"

typedef struct {
	unsigned long val;
} pte_t;

#define PTE_V	     (1UL << 0)
#define PTE_R	     (1UL << 1)
#define PTE_W	     (1UL << 2)
#define PTE_X	     (1UL << 3)
#define PTE_U	     (1UL << 4)
#define PTE_G	     (1UL << 5)
#define PTE_A	     (1UL << 6)
#define PTE_D	     (1UL << 7)
#define PTE_SPECIAL  (1UL << 8)
#define PTE_SWAP     (1UL << 9)
#define PTE_LEAF     (PTE_R | PTE_W | PTE_X)
#define PTE_PROTNONE PTE_G

#define PTE_PPN_SHIFT  10
#define PT_LEVELS      3
#define PT_ENTRIES     512
#define PT_INDEX_BITS  9
#define KERNEL_ROOT_IX 256 /* the first root entry of the kernel half */

/* Address bits that level @level translates: 12, 21, 30; and the bytes one entry spans. */
#define PT_SHIFT(level) (PAGE_SHIFT + (level)*PT_INDEX_BITS)
#define PT_SPAN(level)	(1UL << PT_SHIFT(level))

static inline unsigned pt_index(unsigned long addr, unsigned level)
{
	return (addr >> PT_SHIFT(level)) & (PT_ENTRIES - 1);
}

static inline pte_t pte_make(unsigned long pfn, unsigned long bits)
{
	return (pte_t){ (pfn << PTE_PPN_SHIFT) | bits };
}

static inline bool pte_none(pte_t pte)
{
	return pte.val == 0;
}

static inline bool pte_present(pte_t pte)
{
	return pte.val & (PTE_V | PTE_PROTNONE);
}

static inline bool pte_swap(pte_t pte)
{
	return pte.val & PTE_SWAP;
}

static inline bool pte_is_table(pte_t pte)
{
	return (pte.val & (PTE_V | PTE_LEAF)) == PTE_V;
}

static inline bool pte_write(pte_t pte)
{
	return pte.val & PTE_W;
}

static inline bool pte_special(pte_t pte)
{
	return pte.val & PTE_SPECIAL;
}

static inline unsigned long pte_pfn(pte_t pte)
{
	return (pte.val & ((1UL << 54) - 1)) >> PTE_PPN_SHIFT;
}

/* ---- swap entries: what a PTE holds, and what names a slot everywhere else ---- */

#define SWAP_AREA_SHIFT 54
#define MAX_SWAP_AREAS	16

static inline pte_t swap_entry(unsigned area, unsigned long slot)
{
	return (pte_t){ PTE_SWAP | slot << PTE_PPN_SHIFT | (unsigned long)area << SWAP_AREA_SHIFT };
}

static inline unsigned swap_entry_area(pte_t entry)
{
	return (entry.val >> SWAP_AREA_SHIFT) & (MAX_SWAP_AREAS - 1);
}

static inline unsigned long swap_entry_slot(pte_t entry)
{
	return pte_pfn(entry);
}

/* The hardware walks tables while software edits them: entries are read and written whole. */
static inline pte_t pte_read(const pte_t *ptep)
{
	return (pte_t){ READ_ONCE(ptep->val) };
}

static inline void pte_set(pte_t *ptep, pte_t pte)
{
	__atomic_store_n(&ptep->val, pte.val, __ATOMIC_RELEASE);
}

/* Takes the entry away and returns it with whatever A and D bits the hardware set until then. */
static inline pte_t pte_take(pte_t *ptep)
{
	return (pte_t){ __atomic_exchange_n(&ptep->val, 0, __ATOMIC_ACQ_REL) };
}

/* Removes @bits without losing an A or D bit that the hardware sets meanwhile. */
static inline void pte_clear_bits(pte_t *ptep, unsigned long bits)
{
	__atomic_fetch_and(&ptep->val, ~bits, __ATOMIC_ACQ_REL);
}

static inline void pte_set_bits(pte_t *ptep, unsigned long bits)
{
	__atomic_fetch_or(&ptep->val, bits, __ATOMIC_ACQ_REL);
}

#endif
