/*
 * decide.h - which row of the table at the head of mm/fault.c an access is, and nothing else.
 *
 *	fault.c, anon.c, filefault.c, cow.c   decide, then act    \  the same functions, so that
 *	explain.c                             decide, then tell   /  explain(1) cannot be wrong
 *
 *	area_allows()   forbidden, or on to
 *	decide_pte()    CASE_ANON, CASE_FILE, CASE_COW, CASE_PRESENT: on to decide_anon(),
 *	                decide_file(), decide_cow(), decide_present(); or CASE_SHARED_WRITE
 *
 * Whether a stack grows is decided by stack_may_grow() (mm/stack.c).
 *
 * Invariants: nothing here changes anything, sleeps or takes a lock; all of it is inlined, so the
 * fault path pays nothing for being asked in two places.
 * Locks: the caller's: mmap_lock for what concerns areas, the leaf lock for what concerns pages
 * that a PTE maps, a reference or the mapping's lock for cache pages.
 */
#ifndef RAVEL_MM_DECIDE_H
#define RAVEL_MM_DECIDE_H

#include "fs/mapping.h"
#include "mm/fault.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/swap.h"

/* Rows, in the order of the table. X(name, counter of /proc/vmstat). */
#define FAULT_CASES(X)                                                                             \
	X(STACK_GROW, fault_stack_grow) /* and then start over */                                  \
	X(NO_AREA, fault_sigsegv_maperr)                                                           \
	X(FORBIDDEN, fault_sigsegv_accerr)                                                         \
	X(ZERO_PAGE, fault_zero_page)                                                              \
	X(DEMAND_ZERO, fault_demand_zero)                                                          \
	X(PAST_END, fault_sigbus)                                                                  \
	X(READ_IN, fault_io_retry) /* major if from a disk; then start over */                     \
	X(FILE_MAP, fault_file_read)                                                               \
	X(FILE_COPY, fault_file_cow)                                                               \
	X(SWAP_IN, fault_swap_in) /* major; then start over */                                     \
	X(SWAP_MAP, fault_swap_cache)                                                              \
	X(SHARED_WRITE, fault_shared_write)                                                        \
	X(COW_REUSE, fault_cow_reuse)                                                              \
	X(COW_COPY, fault_cow_copy)                                                                \
	X(COW_ZERO, fault_demand_zero) /* the zero page gives way to a page of one's own */        \
	X(ACCESS_BITS, fault_access_bits)                                                          \
	X(ALLOWED, fault_spurious) /* the PTE grants it: a fault only where the TLB is stale */

enum fault_case {
#define X(name, counter) CASE_##name,
	FAULT_CASES(X)
#undef X
		NR_FAULT_CASES,
	/* What decide_pte() leaves to be decided by the page. */
	CASE_ANON,
	CASE_FILE,
	CASE_SWAP,
	CASE_COW,
	CASE_PRESENT,
};

/* What the area must grant for this access. Writing implies reading in Sv39, see prot_to_pte(). */
static inline bool area_allows(const struct vm_area *vma, enum fault_access access)
{
	static const u32 needs[] = {
		[FAULT_READ] = PROT_READ | PROT_WRITE,
		[FAULT_WRITE] = PROT_WRITE,
		[FAULT_EXEC] = PROT_EXEC,
	};

	return vma->vm_prot & needs[access];
}

/* @vma allows @access; @pte: the leaf entry, 0 if it has none. */
static inline enum fault_case decide_pte(const struct vm_area *vma, enum fault_access access,
					 pte_t pte)
{
	if (pte_none(pte))
		return vma->vm_file ? CASE_FILE : CASE_ANON;
	if (unlikely(pte_swap(pte)))
		return CASE_SWAP;
	if (access == FAULT_WRITE && !pte_write(pte))
		return vma->vm_flags & VM_SHARED ? CASE_SHARED_WRITE : CASE_COW;
	return CASE_PRESENT;
}

static inline enum fault_case decide_anon(enum fault_access access)
{
	return access == FAULT_WRITE ? CASE_DEMAND_ZERO : CASE_ZERO_PAGE;
}

/* True when @page, which may be NULL, needs no reading. */
static inline bool page_is_here(const struct page *page)
{
	return page && (page_flags(page) & PG_UPTODATE);
}

/* The page is not past the end, and page_is_here(). */
static inline enum fault_case decide_file(const struct vm_area *vma, enum fault_access access)
{
	if (access != FAULT_WRITE || shared_maps_writable(vma))
		return CASE_FILE_MAP;
	return vma->vm_flags & VM_SHARED ? CASE_SHARED_WRITE : CASE_FILE_COPY;
}

/* Nobody but a PTE has anonymous @page; not the swap cache either, or only for its own sake. */
static inline bool page_is_only_ours(const struct page *page)
{
	int refs = atomic_read(&page->refcount);

	return refs == 1 ||
	       (refs == 2 && (page_flags(page) & PG_SWAPCACHE) && swap_cache_is_removable(page));
}

/* A write to what present, read-only @pte maps in a private area. Leaf lock held. */
static inline enum fault_case decide_cow(pte_t pte)
{
	const struct page *page;

	if (pte_special(pte))
		return CASE_COW_ZERO;
	page = pfn_to_page(pte_pfn(pte));
	return page_is_anon(page) && page_is_only_ours(page) ? CASE_COW_REUSE : CASE_COW_COPY;
}

/* What follows when the page of @entry is cached for swap. */
static inline enum fault_case decide_swap(pte_t entry, enum fault_access access)
{
	if (access == FAULT_WRITE && !swap_is_only_one(entry, NULL))
		return CASE_COW_COPY;
	return CASE_SWAP_MAP;
}

/* The bits that a leaf must have beside those that grant @access. */
static inline unsigned long pte_needs(enum fault_access access)
{
	return PTE_A | (access == FAULT_WRITE ? PTE_D : 0);
}

/* @pte grants @access. */
static inline enum fault_case decide_present(pte_t pte, enum fault_access access)
{
	unsigned long need = pte_needs(access);

	return (pte.val & need) == need ? CASE_ALLOWED : CASE_ACCESS_BITS;
}

#endif
