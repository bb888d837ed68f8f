/*
 * stack.h - the stack area grows when the program pushes below it.
 */
#ifndef RAVEL_MM_STACK_H
#define RAVEL_MM_STACK_H

struct mm;

/*
 * Extends the growable area above user address @addr down to it, if the current task's RLIMIT_STACK
 * and the guard gap allow. 0, or -ENOMEM/-EFAULT with nothing changed. Takes mmap_lock for writing.
 */
int stack_grow(struct mm *mm, unsigned long addr);

#endif
