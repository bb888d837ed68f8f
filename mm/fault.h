/*
 * fault.h - one fault on its way through the handler, and the cases that mm/fault.c dispatches to.
 */
#ifndef RAVEL_MM_FAULT_H
#define RAVEL_MM_FAULT_H

#include "mm/mm.h"
#include "mm/pgtable.h"

struct address_space;
struct file;

struct fault {
	struct mm *mm;
	struct vm_area *vma; /* valid while mmap_lock is held */
	unsigned long addr;  /* user address, page aligned */
	enum fault_access access;
	pte_t *ptep;	/* leaf entry of addr, NULL: its table does not exist */
	pte_t orig;	/* what *ptep was when the case was chosen */
	bool new_table; /* ptep's table was made by this fault */
	/* A cache page that the new page was made of, and its file; it must still be the file's. */
	const struct page *source;
	const struct address_space *source_mapping;
	bool waited;		  /* for a disk: a major fault */
	unsigned long fail_fired; /* failures injected before this fault */
	bool may_kill;		  /* somebody, for want of memory */
	unsigned luck;		  /* oom_make_room()'s */
	bool made_room;		  /* on the disk: there is no more to be had */
	struct file *throttle;	  /* its writer is to wait, without mmap_lock; or NULL */
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
enum fault_result swap_fault(struct fault *f); /* PTE is a swap entry    (mm/swapin.c) */
/* PTE present, write to a read-only one, shared area (mm/shared.c) */
enum fault_result shared_write_fault(struct fault *f);
/*
 * A write to up-to-date @page, referenced, of a shared area, whose PTE is what f->orig says. As a
 * case of its own: FAULT_RETRY, FAULT_RETRY_UNLOCKED too.
 */
enum fault_result shared_write(struct fault *f, struct page *page);
/* True when pages of @vma may be written to unnoticed: the first touch maps them so. */
bool shared_maps_writable(const struct vm_area *vma);
/* Sleeps for I/O and so may drop mmap_lock; the caller's errno as a fault result. */
enum fault_result fault_from_errno(int err);

/*
 * Installs @pte for f->addr under the leaf lock if the entry is still what f->orig says, making
 * tables as needed. FAULT_OK, FAULT_RETRY (it had changed) or FAULT_OOM. On success the page of the
 * PTE, if it is not special, has gained a mapping; its reference was the caller's and is the PTE's.
 */
enum fault_result fault_install(struct fault *f, pte_t pte);

/* f->ptep, its table made if it misses; false: no memory. */
bool fault_alloc_pte(struct fault *f);
/* After a PTE was set: this hart may have cached that there was nothing. */
void fault_flush_local(const struct fault *f);
/* Leaf lock held: @page is still page cache of @as and not past the end of the file. */
bool page_still_in_file(const struct page *page, const struct address_space *as);

/* Leaf bits for a fresh mapping in @vma: its protection, U, A; with W only if @writable. */
static inline unsigned long fault_pte_bits(const struct vm_area *vma, bool writable)
{
	unsigned long bits = prot_to_pte(vma->vm_prot) | PTE_A;

	return writable ? bits : bits & ~PTE_W;
}

/* Marks @page as anonymous memory of f's family at f->addr. */
void fault_own_anon(struct fault *f, struct page *page);

/* Before the @nr pages become executable: once after contents came in, every hart does fence.i. */
void fault_sync_icache(struct page **pages, unsigned nr);

#endif
