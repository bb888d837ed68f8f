/*
 * brk.c - brk(2): the end of the heap.
 *
 *	start_brk          brk        new brk
 *	   [ heap area, VM_HEAP )  ...  )      grow: insert [brk, new), which merges with the heap
 *	                                       shrink: remove [new, brk)
 *
 *	Borders are page-aligned upwards; a move inside one page edits nothing.
 *
 * Invariants: start_brk <= brk; the heap never runs into another area or the stack's guard gap. The
 * call never fails loudly: it returns the break as it is afterwards.
 * Locks: mmap_lock for writing.
 * Source: brk(2), "C library/kernel differences".
 */
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "mm/debug.h"
#include "mm/internal.h"
#include "mm/mlock.h"
#include "mm/mmap.h"
#include "mm/vma.h"

static bool room_for_heap(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vm_area *next = find_vma(mm, start);

	if (!next)
		return true;
	if (next->vm_flags & VM_GROWSDOWN)
		return end + STACK_GUARD <= next->vm_start;
	return end <= next->vm_start;
}

static bool heap_grow(struct mm *mm, unsigned long start, unsigned long end)
{
	struct vm_area want = {
		.vm_start = start,
		.vm_end = end,
		.vm_prot = PROT_READ | PROT_WRITE,
		.vm_flags = VM_HEAP,
		.vm_pgoff = start >> PAGE_SHIFT,
	};
	struct vm_area *spare;

	if (unlikely(mm->def_flags)) {
		want.vm_flags |= mm->def_flags;
		if (!may_lock_pages(mm, (end - start) >> PAGE_SHIFT))
			return false;
	}
	if (!room_for_heap(mm, start, end) || mm->nr_areas >= MAX_MAP_COUNT ||
	    may_expand(mm, (end - start) >> PAGE_SHIFT, &want))
		return false;
	spare = vma_prepare();
	if (!spare)
		return false;
	vma_insert(mm, &want, spare);
	return true;
}

static unsigned long brk_locked(struct mm *mm, unsigned long brk)
{
	unsigned long old_end = PAGE_ALIGN(mm->brk), new_end;

	if (brk < mm->start_brk || brk > TASK_SIZE)
		return mm->brk;
	/* The program's own data counts too, where the limit is one. */
	if (brk - mm->start_brk + (mm->end_data - mm->start_data) > current->rlim[RLIMIT_DATA].cur)
		return mm->brk;
	new_end = PAGE_ALIGN(brk);
	if (new_end > old_end && !heap_grow(mm, old_end, new_end))
		return mm->brk;
	if (new_end < old_end && vma_remove(mm, new_end, old_end))
		return mm->brk;
	mm->brk = brk;
	return brk;
}

static unsigned long change_brk(struct mm *mm, unsigned long brk)
{
	down_write(&mm->mmap_lock);
	brk = brk_locked(mm, brk);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return brk;
}

/* After mlockall(MCL_FUTURE): what is new is there at once. */
static __noinline unsigned long change_locked_brk(struct mm *mm, unsigned long brk)
{
	unsigned long old = READ_ONCE(mm->brk);

	brk = change_brk(mm, brk);
	if (brk > old)
		mm_populate_locked(mm, PAGE_ALIGN(old), PAGE_ALIGN(brk));
	return brk;
}

unsigned long vm_brk(struct mm *mm, unsigned long brk)
{
	if (unlikely(READ_ONCE(mm->def_flags)))
		return change_locked_brk(mm, brk);
	return change_brk(mm, brk);
}

SYSCALL_DEFINE1(brk, unsigned long, brk)
{
	return vm_brk(current->mm, brk);
}
