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
/* Maps it into @mm, a new image, and notes where in mm->vdso; 0 or -ENOMEM. */
int vdso_map(struct mm *mm);
bool file_is_vdso(const struct file *file);

#endif
