/*
 * fork.c - a second address space like the first, without copying its memory.
 *
 *	parent  [A) [B) [C)        every area is cloned;
 *	child   [A) [B) [C)        of the PTEs only those that a fault could not rebuild:
 *
 *	anonymous page     both PTEs lose W, the page gains a reference and a mapping; the first
 *	                   write on either side is a copy-on-write fault
 *	swap entry         both have it, the slot counts one more
 *	zero page, file    left out: the child faults them in from the list and the page cache;
 *	                   that of a shared area is the same page for both, and never copied
 *	PROT_NONE'd page   as anonymous
 *
 *	of areas		madvise(2) and mlock(2) say more:
 *
 *	MADV_DONTFORK	   the child has a hole there
 *	MADV_WIPEONFORK	   the area is cloned, none of its PTEs: zeros
 *	locked		   the child's is not, so equal neighbours may become one there
 *
 * Invariant: after it, no writable PTE maps a page that two address spaces share (vm_check_all()).
 * Locks: the parent's mmap_lock for writing (no fault may add pages behind the copy), then the
 * child's, nested; then the two leaf tables' locks, parent before child.
 * Failure: the half-made child is put, which undoes it; the parent's pages that lost W get it back
 * by the next write, at the price of a fault.
 */
#include "arch/riscv/hart.h"
#include "fs/mapping.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/anon_root.h"
#include "mm/commit.h"
#include "mm/debug.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/slab.h"
#include "mm/swap.h"
#include "mm/tlb.h"
#include "mm/vma.h"

/* Shares the anonymous pages of one leaf table's part [addr, end). True if a parent PTE lost W. */
static bool copy_leaves(struct mm *child, pte_t *src, pte_t *dst, unsigned long addr,
			unsigned long end)
{
	struct spinlock *src_ptl = pte_lockptr(src), *dst_ptl = pte_lockptr(dst);
	bool lost_write = false;
	long anon = 0, swapped = 0;

	spin_lock(src_ptl);
	spin_lock_nested(dst_ptl, 1); /* the child's after the parent's */
	for (; addr < end; addr += PAGE_SIZE, src++, dst++) {
		pte_t pte = pte_read(src);
		struct page *page;

		if (!pte_present(pte) || pte_special(pte)) {
			if (likely(!pte_swap(pte)))
				continue;
			swap_dup(pte);
			pte_set(dst, pte);
			swapped++;
			lost_write |= swap_is_unflushed(); /* W went, with the rest */
			continue;
		}
		page = pfn_to_page(pte_pfn(pte));
		if (!page_is_anon(page))
			continue;
		if (pte_write(pte)) {
			pte_clear_bits(src, PTE_W);
			pte.val &= ~PTE_W;
			lost_write = true;
		}
		page_get(page);
		atomic_inc(&page->mapcount);
		pte_set(dst, pte);
		anon++;
	}
	spin_unlock(dst_ptl);
	spin_unlock(src_ptl);
	mm_add_rss_anon(child, anon);
	mm_add_swap_ents(child, swapped);
	gauge_add(GAUGE_SHARED_ANON, anon);
	return lost_write;
}

/*
 * True when one of the PTEs of the leaf table part at @ptep is worth a table in the child. Under
 * the table's lock: reclaim needs no mmap_lock, and a PTE that it is just taking is empty for a
 * moment, or names a frame that is somebody else's already.
 */
static bool any_anon(pte_t *ptep, unsigned long addr, unsigned long end)
{
	struct spinlock *ptl = pte_lockptr(ptep);
	bool any = false;

	spin_lock(ptl);
	for (; addr < end && !any; addr += PAGE_SIZE, ptep++) {
		pte_t pte = pte_read(ptep);

		any = pte_swap(pte) || (pte_present(pte) && !pte_special(pte) &&
					page_is_anon(pfn_to_page(pte_pfn(pte))));
	}
	spin_unlock(ptl);
	return any;
}

static int copy_area_ptes(struct mm *child, struct mm *parent, struct vm_area *vma,
			  bool *lost_write)
{
	unsigned long addr, next;

	for (addr = vma->vm_start; addr < vma->vm_end; addr = next) {
		pte_t *src, *dst;

		if (!pte_present(pte_read(&parent->pgd[pt_index(addr, 2)]))) {
			next = pt_addr_end(addr, vma->vm_end, 2);
			continue;
		}
		next = pt_addr_end(addr, vma->vm_end, 1);
		src = pte_find(parent, addr);
		if (!src || !any_anon(src, addr, next))
			continue;
		dst = pte_alloc(child, addr);
		if (!dst)
			return -ENOMEM;
		if (copy_leaves(child, src, dst, addr, next))
			*lost_write = true;
	}
	return 0;
}

static void copy_layout(struct mm *child, const struct mm *parent)
{
	child->start_code = parent->start_code;
	child->end_code = parent->end_code;
	child->start_data = parent->start_data;
	child->end_data = parent->end_data;
	child->start_brk = parent->start_brk;
	child->brk = parent->brk;
	child->start_stack = parent->start_stack;
	child->arg_start = parent->arg_start;
	child->arg_end = parent->arg_end;
	child->env_start = parent->env_start;
	child->env_end = parent->env_end;
	child->mmap_base = parent->mmap_base;
	child->vdso = parent->vdso;
	child->exe_file = parent->exe_file ? file_get(parent->exe_file) : NULL;
	memcpy(child->auxv, parent->auxv, sizeof(child->auxv));
}

#define VM_FORK_MASK (VM_LOCK_MASK | VM_DONTCOPY | VM_WIPEONFORK)

/* @vma has one of these flags: @want becomes what the child is to have there; false: nothing. */
static __noinline bool inherit(const struct vm_area *vma, struct vm_area *want)
{
	*want = *vma;
	want->vm_flags &= ~VM_LOCK_MASK;
	if (vma->vm_flags & VM_WIPEONFORK)
		want->vm_anon = false;
	return !(vma->vm_flags & VM_DONTCOPY);
}

/* The child's pages are looked for where mremap() has moved the area. 0 or -ENOMEM. */
static __noinline int copy_shift(struct mm *child, const struct vm_area *vma)
{
	struct anon_shift *new;
	int err = anon_shift_prepare(child, vma->vm_moved, &new);

	if (!err)
		anon_shift_insert(child, new);
	return err;
}

static int copy_areas(struct mm *child, struct mm *parent, bool *lost_write)
{
	struct vm_area other;

	for (struct vm_area *vma = parent->mmap; vma; vma = vma->vm_next) {
		const struct vm_area *want = vma;
		struct vm_area *spare;
		int err;

		if (unlikely(vma->vm_flags & VM_FORK_MASK)) {
			if (!inherit(vma, &other))
				continue;
			want = &other;
		}
		if (vma_is_committed(want) && commit_check(vma_pages(want)))
			return -ENOMEM;
		if (unlikely(want->vm_moved) && copy_shift(child, want))
			return -ENOMEM;
		spare = vma_prepare();
		if (!spare)
			return -ENOMEM;
		vma_insert(child, want, spare);
		err = want->vm_anon ? copy_area_ptes(child, parent, vma, lost_write) : 0;
		if (err)
			return err;
	}
	return 0;
}

struct mm *mm_fork(struct mm *parent)
{
	struct mm *child = mm_alloc_in_family(parent->anon_root);
	bool lost_write = false;
	int err;

	if (!child)
		return NULL;
	down_write(&parent->mmap_lock);
	down_write_nested(&child->mmap_lock, 1); /* nobody else has the child yet */
	copy_layout(child, parent);
	err = copy_areas(child, parent, &lost_write);
	/* Also on failure: no hart may go on writing to what the child shared for a moment. */
	if (lost_write)
		flush_tlb_range(parent, 0, TASK_SIZE);
	debug_mm_edited(child);
	debug_mm_edited(parent);
	up_write(&child->mmap_lock);
	up_write(&parent->mmap_lock);
	if (err) {
		mm_put(child);
		return NULL;
	}
	return child;
}
