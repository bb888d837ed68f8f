/*
 * page.S - clearing and copying whole pages: the largest single cost of most faults.
 *
 *	void clear_page(void *page);                    547 instructions
 *	void copy_page(void *dst, const void *src);     1,076 instructions
 *
 * Page-aligned kernel addresses; 32 doublewords a turn.
 */
#include "arch/riscv/memlayout.h"

	.text
	.globl	clear_page
clear_page:
	li	t0, PAGE_SIZE
	add	t0, a0, t0
1:
	.set	off, 0
	.rept	32
	sd	zero, off(a0)
	.set	off, off + 8
	.endr
	addi	a0, a0, 256
	bne	a0, t0, 1b
	ret

	.globl	copy_page
copy_page:
	li	t0, PAGE_SIZE
	add	t0, a0, t0
1:
	.set	off, 0
	.rept	4
	ld	a2, off(a1)
	ld	a3, off + 8(a1)
	ld	a4, off + 16(a1)
	ld	a5, off + 24(a1)
	ld	a6, off + 32(a1)
	ld	a7, off + 40(a1)
	ld	t1, off + 48(a1)
	ld	t2, off + 56(a1)
	sd	a2, off(a0)
	sd	a3, off + 8(a0)
	sd	a4, off + 16(a0)
	sd	a5, off + 24(a0)
	sd	a6, off + 32(a0)
	sd	a7, off + 40(a0)
	sd	t1, off + 48(a0)
	sd	t2, off + 56(a0)
	.set	off, off + 64
	.endr
	addi	a1, a1, 256
	addi	a0, a0, 256
	bne	a0, t0, 1b
	ret
