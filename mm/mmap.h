/*
 * mmap.h - where mmap(2) puts areas.
 */
#ifndef RAVEL_MM_MMAP_H
#define RAVEL_MM_MMAP_H

/* Bytes that stay free below a growable stack, as Linux's stack_guard_gap (256 pages). */
#define STACK_GUARD (256UL << 12)

/* Where the mmap area begins (growing down), below a stack that ends at user address @top. */
unsigned long mmap_base_below_stack(unsigned long top);

#endif
