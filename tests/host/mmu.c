/*
 * mmu.c - a simulated Sv39 MMU for each hart, as strict as the specification lets hardware be.
 *
 *	satp --> root --> level 1 --> level 0 --> frame      the real tables, made by mm/
 *
 *	TLB       (va, asid) -> leaf entry                   forgets what an sfence names, only that
 *	tables    (va prefix, asid, level) -> table          forgotten by an sfence without address
 *	invalid   (va, asid) -> nothing there                if keeps_invalid; no table: as above
 *	icache    frame -> the bytes fetched first           forgets at fence.i
 *
 * Real hardware, and QEMU above all, forgets much more than it is asked to; so only here a missing
 * or a wrong fence is seen. Three things are reported:
 *
 *	a translation that grants more than the tables, or leads elsewhere, is used or left at rest
 *	a frame is freed that some TLB still leads to, or a table that some walker still keeps
 *	a page fault is repeated for ever, because the handler did not fence (tests/host/machine.c)
 *
 * Source: RISC-V privileged specification, "Supervisor Memory-Management Fence Instruction",
 * "Virtual Address Translation Process".
 */
#include "tests/host/mmu.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/mmu.h"
#include "kernel/panic.h"
#include "mm/page.h"

#define TLB_SIZE    64
#define TABLES_SIZE 16
#define ICACHE_SIZE 64

struct leaf_entry {
	bool valid;
	unsigned asid;
	unsigned long va; /* of the page */
	pte_t pte;	  /* 0: nothing was there */
	bool no_table;	  /* ... not even a table: a fence with an address does not reach that */
};

struct table_entry {
	bool valid;
	unsigned asid, level; /* of the table that it leads to */
	unsigned long prefix; /* va >> PT_SHIFT(level + 1) */
	unsigned long pfn;
};

struct icache_entry {
	unsigned long pa; /* 0: none */
	u64 bytes;
};

static struct hart_mmu {
	phys_addr_t root;
	unsigned asid;
	struct leaf_entry tlb[TLB_SIZE];
	struct table_entry tables[TABLES_SIZE];
	struct icache_entry icache[ICACHE_SIZE];
	unsigned next_leaf, next_table, next_icache; /* replaced in turn */
} mmus[MAX_HARTS];

struct mmu_options mmu_options = { .keeps_invalid = true, .keeps_tables = true };
int mmu_busy;

/* ---- walking ---- */

static struct table_entry *find_table(struct hart_mmu *mmu, unsigned long va, unsigned level)
{
	for (unsigned i = 0; i < TABLES_SIZE; i++) {
		struct table_entry *t = &mmu->tables[i];

		if (t->valid && t->asid == mmu->asid && t->level == level &&
		    t->prefix == va >> PT_SHIFT(level + 1))
			return t;
	}
	return NULL;
}

static void keep_table(struct hart_mmu *mmu, unsigned long va, unsigned level, unsigned long pfn)
{
	if (!mmu_options.keeps_tables)
		return;
	mmu->tables[mmu->next_table++ % TABLES_SIZE] = (struct table_entry){
		.valid = true,
		.asid = mmu->asid,
		.level = level,
		.prefix = va >> PT_SHIFT(level + 1),
		.pfn = pfn,
	};
}

/*
 * The leaf slot of @va as the tables are now; NULL: no table leads there. With @mmu it starts from
 * the lowest table that it kept, and keeps what it sees.
 */
static pte_t *walk(phys_addr_t root, unsigned long va, struct hart_mmu *mmu)
{
	unsigned long pfn = PFN_DOWN(root);
	unsigned level = PT_LEVELS - 1;

	for (unsigned l = 0; mmu && l < PT_LEVELS - 1; l++) {
		struct table_entry *kept = find_table(mmu, va, l);

		if (kept) {
			pfn = kept->pfn;
			level = l;
			break;
		}
	}
	for (; level > 0; level--) {
		pte_t *table = phys_to_virt(PFN_PHYS(pfn));
		pte_t entry = pte_read(&table[pt_index(va, level)]);

		if (!(entry.val & PTE_V))
			return NULL;
		if (!pte_is_table(entry))
			panic("mmu: 0x%lx: a leaf at level %u", va, level);
		if (entry.val & (PTE_A | PTE_D | PTE_U))
			panic("mmu: 0x%lx: reserved bits in the pointer to a table", va);
		pfn = pte_pfn(entry);
		if (mmu)
			keep_table(mmu, va, level - 1, pfn);
	}
	return &((pte_t *)phys_to_virt(PFN_PHYS(pfn)))[pt_index(va, 0)];
}

/* ---- the TLB ---- */

static struct leaf_entry *find_leaf(struct hart_mmu *mmu, unsigned long va)
{
	for (unsigned i = 0; i < TLB_SIZE; i++) {
		struct leaf_entry *e = &mmu->tlb[i];

		if (e->valid && e->asid == mmu->asid && e->va == (va & PAGE_MASK))
			return e;
	}
	return NULL;
}

static void keep_leaf(struct hart_mmu *mmu, unsigned long va, pte_t pte, bool no_table)
{
	struct leaf_entry *e = find_leaf(mmu, va);

	if (!e)
		e = &mmu->tlb[mmu->next_leaf++ % TLB_SIZE];
	*e = (struct leaf_entry){ true, mmu->asid, va & PAGE_MASK, pte, no_table };
}

/* Why @e must not be used any more, or NULL: it gives no more than the tables do now. */
static const char *stale(const struct hart_mmu *mmu, const struct leaf_entry *e)
{
	pte_t *slot, now;

	if (!(e->pte.val & PTE_V))
		return NULL;
	slot = walk(mmu->root, e->va, NULL);
	now = slot ? pte_read(slot) : (pte_t){ 0 };
	if (!(now.val & PTE_V))
		return "is not mapped any more";
	if (pte_pfn(now) != pte_pfn(e->pte))
		return "is another frame now";
	if (e->pte.val & ~now.val & (PTE_LEAF | PTE_U))
		return "may not be used so any more";
	if (e->pte.val & ~now.val & PTE_D)
		return "would be written to without D being set";
	return NULL;
}

static void check_leaf(unsigned hart, const struct leaf_entry *e, const char *what)
{
	const char *why = stale(&mmus[hart], e);

	if (why)
		panic("mmu: hart %u: %s of 0x%lx, which %s (TLB 0x%lx)", hart, what, e->va, why,
		      e->pte.val);
}

static unsigned long needed(enum fault_access access)
{
	static const unsigned long bits[] = {
		[FAULT_READ] = PTE_V | PTE_U | PTE_R | PTE_A,
		[FAULT_WRITE] = PTE_V | PTE_U | PTE_R | PTE_W | PTE_A | PTE_D,
		[FAULT_EXEC] = PTE_V | PTE_U | PTE_X | PTE_A,
	};

	return bits[access];
}

/* Walks the tables for @va and fills the TLB; false: a page fault. */
static bool refill(struct hart_mmu *mmu, unsigned long va, enum fault_access access)
{
	unsigned long need = needed(access), missing;
	pte_t *slot = walk(mmu->root, va, mmu);
	pte_t pte = slot ? pte_read(slot) : (pte_t){ 0 };

	if (!(pte.val & PTE_V)) {
		if (mmu_options.keeps_invalid)
			keep_leaf(mmu, va, (pte_t){ 0 }, !slot);
		return false;
	}
	if ((pte.val & (PTE_R | PTE_W)) == PTE_W)
		panic("mmu: 0x%lx: W without R is reserved", va);
	if (!pfn_valid(pte_pfn(pte)))
		panic("mmu: 0x%lx: PTE 0x%lx names no frame", va, pte.val);
	missing = need & ~pte.val;
	if (missing && !(missing & ~(PTE_A | PTE_D)) && !mmu_options.svade) {
		pte_set_bits(slot, missing);
		pte = pte_read(slot);
		missing = 0;
	}
	if ((pte.val & PTE_A) || mmu_options.svade)
		keep_leaf(mmu, va, pte, false);
	return !missing;
}

enum mmu_result mmu_access(unsigned hart, unsigned long va, enum fault_access access,
			   phys_addr_t *pa)
{
	struct hart_mmu *mmu = &mmus[hart];
	struct leaf_entry *e = find_leaf(mmu, va);

	/* Bits 63 to 39 must equal bit 38; the upper half is not the user's. */
	if (va >> (PT_SHIFT(PT_LEVELS) - 1) || !mmu->root)
		return MMU_FAULT;
	if (e && (e->pte.val & PTE_V) && !mmu_busy)
		check_leaf(hart, e, "use");
	/* A hit that lacks only D: the walker sets it. With Svade it traps at once. */
	if (!e || (!mmu_options.svade && (needed(access) & ~e->pte.val) == PTE_D)) {
		if (!refill(mmu, va, access))
			return MMU_FAULT;
		e = find_leaf(mmu, va);
	}
	if (needed(access) & ~e->pte.val)
		return MMU_FAULT;
	*pa = PFN_PHYS(pte_pfn(e->pte)) + offset_in_page(va);
	return MMU_OK;
}

/* ---- fences ---- */

void mmu_set_satp(unsigned hart, phys_addr_t root, unsigned asid)
{
	mmus[hart].root = root;
	mmus[hart].asid = asid;
}

void mmu_sfence(unsigned hart, const unsigned long *va, const unsigned *asid)
{
	struct hart_mmu *mmu = &mmus[hart];

	for (unsigned i = 0; i < TLB_SIZE; i++) {
		struct leaf_entry *e = &mmu->tlb[i];

		if ((!va || (!e->no_table && e->va == (*va & PAGE_MASK))) &&
		    (!asid || (e->asid == *asid && !(e->pte.val & PTE_G))))
			e->valid = false;
	}
	if (va)
		return;
	for (unsigned i = 0; i < TABLES_SIZE; i++) {
		if (!asid || mmu->tables[i].asid == *asid)
			mmu->tables[i].valid = false;
	}
}

void mmu_sfence_range(unsigned hart, unsigned long start, unsigned long end)
{
	for (unsigned i = 0; i < TLB_SIZE; i++) {
		struct leaf_entry *e = &mmus[hart].tlb[i];

		if (!e->no_table && e->va - (start & PAGE_MASK) < end - (start & PAGE_MASK))
			e->valid = false;
	}
}

/* ---- instructions ---- */

void mmu_fence_i(unsigned hart)
{
	for (unsigned i = 0; i < ICACHE_SIZE; i++)
		mmus[hart].icache[i].pa = 0;
}

enum mmu_result mmu_fetch(unsigned hart, unsigned long va, u64 *bytes)
{
	struct hart_mmu *mmu = &mmus[hart];
	phys_addr_t pa;

	if (mmu_access(hart, va & ~7UL, FAULT_EXEC, &pa) != MMU_OK)
		return MMU_FAULT;
	*bytes = *(u64 *)phys_to_virt(pa);
	for (unsigned i = 0; i < ICACHE_SIZE; i++) {
		if (mmu->icache[i].pa != pa)
			continue;
		if (mmu->icache[i].bytes != *bytes)
			panic("mmu: hart %u: fetch at 0x%lx of instructions that were there before",
			      hart, va);
		return MMU_OK;
	}
	mmu->icache[mmu->next_icache++ % ICACHE_SIZE] = (struct icache_entry){ pa, *bytes };
	return MMU_OK;
}

/* ---- checking ---- */

void mmu_check(void)
{
	for (unsigned hart = 0; hart < nr_harts; hart++) {
		struct hart_mmu *mmu = &mmus[hart];

		for (unsigned i = 0; i < TLB_SIZE && mmu->root; i++) {
			if (mmu->tlb[i].valid && mmu->tlb[i].asid == mmu->asid)
				check_leaf(hart, &mmu->tlb[i], "a translation is left");
		}
	}
}

void mmu_frames_freed(unsigned long pfn, unsigned long nr)
{
	for (unsigned hart = 0; hart < MAX_HARTS; hart++) {
		struct hart_mmu *mmu = &mmus[hart];

		if (PFN_DOWN(mmu->root) - pfn < nr)
			panic("mmu: hart %u: its root table is freed", hart);
		for (unsigned i = 0; i < TLB_SIZE; i++) {
			struct leaf_entry *e = &mmu->tlb[i];

			if (e->valid && (e->pte.val & PTE_V) && pte_pfn(e->pte) - pfn < nr)
				panic("mmu: hart %u: frame 0x%lx is freed, 0x%lx still leads there",
				      hart, pte_pfn(e->pte), e->va);
		}
		for (unsigned i = 0; i < TABLES_SIZE; i++) {
			struct table_entry *t = &mmu->tables[i];

			if (t->valid && t->pfn - pfn < nr)
				panic("mmu: hart %u: table 0x%lx of 0x%lx is freed, but still kept",
				      hart, t->pfn, t->prefix << PT_SHIFT(t->level + 1));
		}
	}
}
