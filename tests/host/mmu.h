/*
 * mmu.h - a simulated Sv39 MMU for each hart, as strict as the specification lets hardware be.
 * mmu.c has the drawing.
 */
#ifndef RAVEL_HOST_MMU_MODEL_H
#define RAVEL_HOST_MMU_MODEL_H

#include "mm/mm.h"

struct mmu_options {
	bool svade;	    /* a clear A or D bit traps; else the walker sets it */
	bool keeps_invalid; /* an entry without V is cached as well */
	bool keeps_tables;  /* pointers to tables are cached */
};

extern struct mmu_options mmu_options;

/* What an access from user mode finds. */
enum mmu_result {
	MMU_OK,	   /* *pa is where the bytes are */
	MMU_FAULT, /* a page fault */
};

/*
 * Translates user address @va for @access on @hart, filling its TLB. Panics when a translation is
 * used that the tables do not give any more, unless mmu_busy.
 */
enum mmu_result mmu_access(unsigned hart, unsigned long va, enum fault_access access,
			   phys_addr_t *pa);

/* An edit is going on: stale translations may still be used, until its flush. */
extern int mmu_busy;

/* satp: the root table's physical address, and the ASID. Translations stay. */
void mmu_set_satp(unsigned hart, phys_addr_t root, unsigned asid);
/* sfence.vma with these operands; NULL stands for x0. */
void mmu_sfence(unsigned hart, const unsigned long *va, const unsigned *asid);
/* The same for each page of [start, end) and for no other. */
void mmu_sfence_range(unsigned hart, unsigned long start, unsigned long end);
/* fence.i */
void mmu_fence_i(unsigned hart);
/* A fetch of the 8 bytes at user address @va: panics when the hart has older ones of this frame. */
enum mmu_result mmu_fetch(unsigned hart, unsigned long va, u64 *bytes);

/* At rest: panics when a hart holds a translation of its address space that could harm. */
void mmu_check(void);
/* Frames [pfn, pfn + nr) are being freed: panics when a hart can still reach one. */
void mmu_frames_freed(unsigned long pfn, unsigned long nr);

#endif
