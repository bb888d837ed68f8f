/*
 * stack.h - the stack area grows when the program pushes below it.
 */
#ifndef RAVEL_MM_STACK_H
#define RAVEL_MM_STACK_H

struct mm;
struct rlimit;
struct vm_area;

/*
 * Extends the growable area above user address @addr down to it, if the current task's RLIMIT_STACK
 * and the guard gap allow. 0, or -ENOMEM/-EFAULT with nothing changed. Takes mmap_lock for writing.
 */
int stack_grow(struct mm *mm, unsigned long addr);
/*
 * The area that stack_grow() would extend to the page at @addr, which no area holds, with the
 * RLIMIT_STACK of @rlim; NULL: it would refuse. Changes nothing; mmap_lock held.
 */
struct vm_area *stack_may_grow(struct mm *mm, unsigned long addr, const struct rlimit *rlim);

#endif
