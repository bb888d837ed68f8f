/*
 * stack.c - the stack: an area that grows downwards, one fault at a time.
 *
 *	| area below |   guard gap >= 1 MiB   | <- grows | stack area |  top
 *	                                         addr
 *
 *	A fault between the area below and a VM_GROWSDOWN area is the stack's, if the grown stack
 *	stays within RLIMIT_STACK and leaves the guard gap free. mmap without an address keeps its
 *	distance too (mm->mmap_base, mmap.c).
 *
 * Invariant: the gap below a growable area is never shrunk under STACK_GUARD by growing. (Test:
 * stack.)
 * Locks: mmap_lock for writing: the list changes. The fault dropped its read side before and starts
 * over after.
 */
#include "mm/stack.h"

#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/commit.h"
#include "mm/debug.h"
#include "mm/internal.h"
#include "mm/mlock.h"
#include "mm/mmap.h"
#include "mm/vma.h"

/* The area that a fault at @addr, which no area holds, may extend; or NULL. */
static struct vm_area *growable_above(struct mm *mm, unsigned long addr)
{
	struct vm_area *vma = find_vma(mm, addr);

	return vma && vma->vm_start > addr && (vma->vm_flags & VM_GROWSDOWN) ? vma : NULL;
}

/* 0 when @vma may grow down to @addr, the stack being limited by @rlim; or -ENOMEM. */
static int may_grow(struct mm *mm, const struct vm_area *vma, unsigned long addr,
		    const struct rlimit *rlim)
{
	const struct vm_area *prev;
	unsigned long floor, grow;

	prev = vma->vm_prev;
	floor = prev ? prev->vm_end : MMAP_MIN_ADDR;
	if (prev && prev->vm_prot != PROT_NONE && !(prev->vm_flags & VM_GROWSDOWN))
		floor += STACK_GUARD;
	if (addr < floor || vma->vm_end - addr > rlim[RLIMIT_STACK].cur)
		return -ENOMEM;
	grow = (vma->vm_start - addr) >> PAGE_SHIFT;
	/* Moved by mremap() from where it could not have grown so far: offsets end at 0. */
	if (grow > vma->vm_pgoff)
		return -ENOMEM;
	if (!may_lock_area(mm, vma->vm_flags, grow) || may_expand(mm, grow, vma))
		return -ENOMEM;
	return 0;
}

struct vm_area *stack_may_grow(struct mm *mm, unsigned long addr, const struct rlimit *rlim)
{
	struct vm_area *vma = growable_above(mm, addr);

	return vma && may_grow(mm, vma, addr, rlim) == 0 ? vma : NULL;
}

static int stack_grow_locked(struct mm *mm, unsigned long addr)
{
	struct vm_area *vma = growable_above(mm, addr);

	if (!vma) /* another hart has mapped something there, or grown it already */
		return vma_lookup(mm, addr) ? 0 : -EFAULT;
	if (may_grow(mm, vma, addr, current->rlim))
		return -ENOMEM;
	vma_resize(vma, addr, vma->vm_end);
	vma_merge(mm, vma); /* a part of the stack that was cut off below it, PROT_NONE too */
	return 0;
}

int stack_grow(struct mm *mm, unsigned long addr)
{
	int err;

	/* A look before the writer's lock: most addresses without an area are plain bugs. */
	down_read(&mm->mmap_lock);
	err = growable_above(mm, addr) || vma_lookup(mm, addr) ? 0 : -EFAULT;
	up_read(&mm->mmap_lock);
	if (err)
		return err;
	down_write(&mm->mmap_lock);
	err = stack_grow_locked(mm, addr & PAGE_MASK);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return err;
}

int vm_make_stack(struct mm *mm, unsigned long top, unsigned long size, u32 prot)
{
	struct vm_area want = {
		.vm_start = top - size,
		.vm_end = top,
		.vm_prot = prot,
		.vm_flags = VM_GROWSDOWN,
		.vm_pgoff = (top - size) >> PAGE_SHIFT,
	};
	struct vm_area *spare;

	if (commit_check(size >> PAGE_SHIFT))
		return -ENOMEM;
	spare = vma_prepare();
	if (!spare)
		return -ENOMEM;
	down_write(&mm->mmap_lock);
	if (may_expand(mm, size >> PAGE_SHIFT, &want)) {
		up_write(&mm->mmap_lock);
		vma_discard(spare);
		return -ENOMEM;
	}
	vma_insert(mm, &want, spare);
	mm->start_stack = top;
	mm->mmap_base = mmap_base_below_stack(top);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return 0;
}
