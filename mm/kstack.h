/*
 * kstack.h - kernel stacks in the vmap region, each above a guard. mm/kstack.c has the drawing.
 */
#ifndef RAVEL_MM_KSTACK_H
#define RAVEL_MM_KSTACK_H

#include "arch/riscv/memlayout.h"

/* Lowest usable byte of a stack of THREAD_SIZE bytes; NULL: no memory. */
void *kstack_alloc(void);
void kstack_free(void *stack);
unsigned long kstack_nr_pages(void);
unsigned long kstack_nr_used(void); /* stacks, without those that wait for their next owner */
void kstack_init(void);		    /* after slab_init(), before the first task */

#endif
