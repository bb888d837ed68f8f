/*
 * fault.h - one fault on its way through the handler, and the cases that mm/fault.c dispatches to.
 */
#ifndef RAVEL_MM_FAULT_H
#define RAVEL_MM_FAULT_H

#include "mm/mm.h"

struct fault {
	struct mm *mm;
	struct vm_area *vma; /* valid while mmap_lock is held */
	unsigned long addr;  /* user address, page aligned */
	enum fault_access access;
	pte_t *ptep;		  /* leaf entry of addr, NULL: its table does not exist */
	pte_t orig;		  /* what *ptep was when the case was chosen */
	bool waited;		  /* for a disk: a major fault */
	unsigned long fail_fired; /* failures injected before this fault */
};

/*
 * What a case returns besides enum fault_result: the world changed (another hart was first, or
 * mmap_lock was dropped), start over.
 *
 *	FAULT_RETRY	 mmap_lock is still held
 *	FAULT_RETRY_UNLOCKED  the case has dropped it
 */
#define FAULT_RETRY	     ((enum fault_result)100)
#define FAULT_RETRY_UNLOCKED ((enum fault_result)101)

/* Each: mmap_lock held for reading; f->vma allows f->access. */
enum fault_result anon_fault(struct fault *f); /* PTE empty, no file      (mm/anon.c) */
enum fault_result file_fault(struct fault *f); /* PTE empty, file         (mm/filefault.c) */
enum fault_result cow_fault(struct fault *f); /* PTE present, write to a read-only one (mm/cow.c) */
/* Sleeps for I/O and so may drop mmap_lock; the caller's errno as a fault result. */
enum fault_result fault_from_errno(int err);

/*
 * Installs @pte for f->addr under the leaf lock if the entry is still what f->orig says, making
 * tables as needed. FAULT_OK, FAULT_RETRY (it had changed) or FAULT_OOM. On success the page of the
 * PTE, if it is not special, has gained a mapping; its reference was the caller's and is the PTE's.
 */
enum fault_result fault_install(struct fault *f, pte_t pte);

/* Leaf bits for a fresh mapping in @vma: its protection, U, A; with W only if @writable. */
unsigned long fault_pte_bits(const struct vm_area *vma, bool writable);

/* Marks @page as anonymous memory of f's family at f->addr. */
void fault_own_anon(struct fault *f, struct page *page);

/* Before @page becomes executable: once after its contents came in, every hart does fence.i. */
void fault_sync_icache(struct page *page);

#endif
