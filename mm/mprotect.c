/*
 * mprotect.c - mprotect(2): other rights for a range.
 *
 *	before   [A  rw               )
 *	r--          [s ....... e)
 *	after    [A  )[   r--    )[A  )     split at both ends, change, merge what is equal now
 *
 *	The PTEs follow: each present one gets the new rights. W comes back at once only for a page
 *	that nobody shares (cow.c's rule: anonymous, refcount 1), and stays in that of a shared
 *	mapping; any other regains it by a fault.
 *	PROT_NONE keeps the frame but hides it (PTE_PROTNONE).
 *
 *	PROT_GROWSDOWN: s is moved down to where the growing area that holds it begins.
 *
 *	A hole in the range: as in Linux, the areas before it are changed, then ENOMEM.
 *
 * Between the change and the flush a hart may still store to a page of a file, as before: D stays
 * in the PTE, so that write-back knows and flushes it (mm/rmap.c).
 *
 * Invariants: no PTE grants more than its area (mm_check()); harts forget a PTE that lost a right
 * before the call returns; a failure for want of memory changes nothing.
 * Locks: mmap_lock for writing; each leaf table's lock.
 * Source: mprotect(2).
 */
#include "arch/riscv/mmu.h"
#include "fs/mapping.h"
#include "kernel/panic.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/commit.h"
#include "mm/debug.h"
#include "mm/fault.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/swap.h"
#include "mm/tlb.h"
#include "mm/vma.h"
#include "mm/window.h"

#define PROT_SEM       0x8 /* accepted and meaningless, as in Linux */
#define PROT_GROWSDOWN 0x01000000u
#define PROT_GROWSUP   0x02000000u

static bool may_write_now(pte_t pte)
{
	const struct page *page;

	if (pte_special(pte))
		return false;
	if (pte_write(pte)) /* nobody else's, or shared on purpose: and known to be dirty */
		return true;
	page = pfn_to_page(pte_pfn(pte));
	return page_is_anon(page) && atomic_read(&page->refcount) == 1;
}

/* One PTE gets the rights @bits. True when it lost one that a TLB may still grant. */
static bool change_pte(pte_t *ptep, pte_t old, unsigned long bits)
{
	const unsigned long rights = PTE_V | PTE_R | PTE_W | PTE_X;
	pte_t new;

	if ((bits & PTE_W) && !may_write_now(old))
		bits &= ~PTE_W;
	if (bits & PTE_X) {
		struct page *page = pfn_to_page(pte_pfn(old));

		fault_sync_icache(&page, 1);
	}
	/* Taken first: the hardware may be setting A or D in the old one. */
	old = pte_take(ptep);
	new.val = (old.val & ~(rights | PTE_U | PTE_PROTNONE)) | bits;
	pte_set(ptep, new);
	return old.val & ~new.val &rights;
}

static bool change_leaves(pte_t *ptep, unsigned long addr, unsigned long end, unsigned long bits)
{
	struct spinlock *ptl = pte_lockptr(ptep);
	bool lost = false;

	spin_lock(ptl);
	for (; addr < end; addr += PAGE_SIZE, ptep++) {
		pte_t pte = pte_read(ptep);

		if (pte_present(pte))
			lost |= change_pte(ptep, pte, bits);
		else if (unlikely(pte_swap(pte)))
			lost |= swap_is_unflushed();
	}
	spin_unlock(ptl);
	return lost;
}

/* The PTEs of one area follow its new protection. */
static void change_area_ptes(struct vm_area *vma)
{
	struct mm *mm = vma->vm_mm;
	unsigned long bits = prot_to_pte(vma->vm_prot);
	unsigned long addr, next;
	bool lost = false;

	for (addr = vma->vm_start; addr < vma->vm_end; addr = next) {
		pte_t *ptep;

		if (!pte_present(pte_read(&mm->pgd[pt_index(addr, 2)]))) {
			next = pt_addr_end(addr, vma->vm_end, 2);
			continue;
		}
		next = pt_addr_end(addr, vma->vm_end, 1);
		ptep = pte_find(mm, addr);
		if (ptep)
			lost |= change_leaves(ptep, addr, next, bits);
	}
	if (lost) {
		window();
		flush_tlb_range(mm, vma->vm_start, vma->vm_end);
	}
}

static void change_area(struct vm_area *vma, u32 prot)
{
	struct mm *mm = vma->vm_mm;

	vma_account(mm, vma, vma->vm_start, vma->vm_end, -1);
	vma->vm_prot = prot;
	vma_account(mm, vma, vma->vm_start, vma->vm_end, 1);
	change_area_ptes(vma);
}

/* Memory that becomes writable counts as data from now on, and is promised. */
static int check_limits(struct mm *mm, unsigned long start, unsigned long end, u32 prot)
{
	unsigned long pages = 0, promised = 0;

	if (!(prot & PROT_WRITE))
		return 0;
	for (struct vm_area *vma = find_vma(mm, start); vma && vma->vm_start < end;
	     vma = vma->vm_next) {
		unsigned long part = min(end, vma->vm_end) - max(start, vma->vm_start);

		if ((vma->vm_prot & PROT_WRITE) || (vma->vm_flags & VM_SHARED))
			continue;
		if (counts_as_data(prot, vma->vm_flags))
			pages += part >> PAGE_SHIFT;
		if (!(vma->vm_flags & VM_NORESERVE) && !vma_is_committed(vma))
			promised += part >> PAGE_SHIFT;
	}
	if (commit_check(promised))
		return -ENOMEM;
	if (pages == 0)
		return 0;
	return mm->data_vm + pages > current->rlim[RLIMIT_DATA].cur >> PAGE_SHIFT ? -ENOMEM : 0;
}

/* File pages of a file system mounted noexec stay as they are. */
static bool exec_refused(const struct vm_area *vma, u32 prot)
{
	return (prot & PROT_EXEC) && vma->vm_file && !file_can_exec(vma->vm_file);
}

/* A file that was not opened for writing is not written through a shared mapping either. */
static bool write_refused(const struct vm_area *vma, u32 prot)
{
	return (prot & PROT_WRITE) && (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_SHARED;
}

/*
 * PROT_GROWSDOWN and PROT_GROWSUP: the change goes on to where the growing area begins, or ends.
 * 0 with *@start moved, or -errno. No area grows upwards here, as on Linux but for one machine.
 */
static int follow_growth(struct mm *mm, unsigned long *start, unsigned long end, u32 grows)
{
	struct vm_area *vma = find_vma(mm, *start);

	if (!vma || vma->vm_start >= end)
		return -ENOMEM;
	if (grows & PROT_GROWSUP)
		return vma->vm_start > *start ? -ENOMEM : -EINVAL;
	if (!(vma->vm_flags & VM_GROWSDOWN))
		return -EINVAL;
	*start = vma->vm_start;
	return 0;
}

static int mprotect_locked(struct mm *mm, unsigned long start, unsigned long end, u32 prot)
{
	struct vm_area *vma;
	unsigned long at = start;
	int err;

	err = check_limits(mm, start, end, prot);
	if (err)
		return err;
	if (vma_splits_too_many(mm, start, end))
		return -ENOMEM;
	err = vma_split_range(mm, start, end);
	if (err)
		return err;
	for (vma = vma_lookup(mm, start); vma && vma->vm_start <= at && at < end && !err;
	     vma = vma->vm_next) {
		if (exec_refused(vma, prot) || write_refused(vma, prot))
			err = -EACCES;
		else if (vma->vm_prot != prot)
			change_area(vma, prot);
		vma = vma_merge(mm, vma);
		at = vma->vm_end;
	}
	/*
	 * The split at @end leaves two equal areas when a hole or a refusal came first, or no right
	 * changed.
	 */
	vma = vma_lookup(mm, end);
	if (vma)
		vma_merge(mm, vma);
	if (err)
		return err;
	return at < end ? -ENOMEM : 0;
}

int vm_mprotect(struct mm *mm, unsigned long addr, unsigned long len, u32 prot)
{
	u32 grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	unsigned long bytes = PAGE_ALIGN(len);
	unsigned long end = addr + bytes;
	int err = 0;

	prot &= ~grows;
	if (offset_in_page(addr) || grows == (PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (len == 0)
		return 0;
	if (bytes < len || end < addr)
		return -ENOMEM;
	if (prot & ~(PROT_MASK | PROT_SEM))
		return -EINVAL;
	down_write(&mm->mmap_lock);
	if (grows)
		err = follow_growth(mm, &addr, end, grows);
	if (!err)
		err = mprotect_locked(mm, addr, end, prot & PROT_MASK);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	/* What is locked is there: the copy that a write would make, the page that was hidden. */
	if (unlikely(READ_ONCE(mm->locked_vm)) && !err && (prot & PROT_MASK))
		mm_populate_locked(mm, addr, end);
	return err;
}

SYSCALL_DEFINE3(mprotect, unsigned long, addr, unsigned long, len, unsigned long, prot)
{
	if (prot >> 32)
		return -EINVAL;
	return vm_mprotect(current->mm, addr, len, prot);
}
