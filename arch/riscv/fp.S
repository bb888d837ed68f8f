/*
 * fp.S - the floating-point registers to memory and back.
 *
 *	void fp_save(struct fp_state *fp);              registers -> *fp
 *	void fp_restore(const struct fp_state *fp);     *fp -> registers
 *
 * The kernel itself has no floating point: FS is on only inside these two. When they are called is
 * decided in switch.c.
 */
#include "arch/riscv/asm-offsets.h"
#include "arch/riscv/csr.h"

	.option	arch, +d

	.macro	fp_regs op
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
		   22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	f\n, 8 * \n(a0)
	.endr
	.endm

	.text
	.globl	fp_save
fp_save:
	li	t0, SR_FS
	csrs	sstatus, t0
	fp_regs	fsd
	frcsr	t1
	sw	t1, FP_FCSR(a0)
	csrc	sstatus, t0
	ret

	.globl	fp_restore
fp_restore:
	li	t0, SR_FS
	csrs	sstatus, t0
	fp_regs	fld
	lwu	t1, FP_FCSR(a0)
	fscsr	t1
	csrc	sstatus, t0
	ret
