/*
 * early.h - physical memory before there is an allocator.
 *
 * Two short sorted tables: what the device tree says is RAM, and what of it is taken. mm/early.c
 * has the drawing. Boot hart only; after page_init() the tables are only read.
 */
#ifndef RAVEL_MM_EARLY_H
#define RAVEL_MM_EARLY_H

#include "arch/riscv/memlayout.h"

#define EARLY_MAX_RANGES 64

struct early_range {
	phys_addr_t start, end;
};

struct early_ranges {
	unsigned nr;
	struct early_range range[EARLY_MAX_RANGES];
};

extern struct early_ranges early_ram;	   /* page aligned inwards, disjoint, sorted */
extern struct early_ranges early_reserved; /* page aligned outwards, disjoint, sorted */

/* Each: bytes [start, start + size). Overflowing or empty ranges are ignored; -ENOSPC when full. */
int early_add_ram(phys_addr_t start, phys_addr_t size);
int early_reserve(phys_addr_t start, phys_addr_t size);
/* True when any byte of [start, end) is RAM. */
bool early_is_ram(phys_addr_t start, phys_addr_t end);

/* Pages that early_alloc() gave: the page array, and the page tables of the kernel. */
extern unsigned long early_nr_allocated;

/* @size bytes of zeroed memory at a multiple of @align (a power of two, >= PAGE_SIZE); panics. */
phys_addr_t early_alloc(phys_addr_t size, phys_addr_t align);

#endif
