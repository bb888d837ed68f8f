/*
 * mmap.h - where areas are put, and the part of mmap(2) that other edits are made of.
 */
#ifndef RAVEL_MM_MMAP_H
#define RAVEL_MM_MMAP_H

#include "lib/types.h"

struct file;
struct mm;
struct vm_area;

/* Bytes that stay free below a growable stack, as Linux's stack_guard_gap (256 pages). */
#define STACK_GUARD (256UL << 12)

/* Where the mmap area begins (growing down), below a stack that ends at user address @top. */
unsigned long mmap_base_below_stack(unsigned long top);

/*
 * The user address for @len bytes (of whole pages): @addr itself with MAP_FIXED or
 * MAP_FIXED_NOREPLACE in @flags, else @addr (a hint; 0: none) if that is free, else the highest
 * free place. -ENOMEM, -EINVAL, -EPERM or -EEXIST, as mmap(2). mmap_lock held.
 */
long mmap_place(struct mm *mm, unsigned long addr, unsigned long len, u32 flags);

/*
 * mmap(2) under mmap_lock held for writing: the area *@want, its borders to be set here, its flags
 * and file as the caller checked them. The address, or -errno with nothing changed.
 */
long mmap_locked(struct mm *mm, struct vm_area *want, unsigned long addr, unsigned long len,
		 u32 flags);

/*
 * Sets the flags of shared area @want of @file. 0, or -EPERM when @file is sealed against writes.
 * mmap_end_sharing() follows when the area is on its mapping's list or will not be.
 */
int mmap_start_sharing(struct file *file, struct vm_area *want);
void mmap_end_sharing(struct file *file, const struct vm_area *want);

#endif
