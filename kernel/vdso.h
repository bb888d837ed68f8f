/*
 * vdso.h - the page of kernel-made code in every process. fs/vdso.c
 */
#ifndef RAVEL_KERNEL_VDSO_H
#define RAVEL_KERNEL_VDSO_H

#include "lib/types.h"

struct file;
struct mm;

/* Boot, after the caches of fs/. */
void vdso_init(void);
/*
 * Makes sure that @mm has it mapped, or had, at mm->vdso; 0 or -ENOMEM. Takes mmap_lock. For the
 * first signal handler of a program: most have none.
 */
int vdso_map(struct mm *mm);
bool file_is_vdso(const struct file *file);

#endif
