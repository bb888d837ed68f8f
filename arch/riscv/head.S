/*
 * head.S - the first instructions: from OpenSBI's physical world into the kernel's addresses.
 *
 *	_start           a0 = hart id, a1 = device tree (physical); satp off. Any hart.
 *	_secondary_start a0 = hart id; satp off. Started by smp.c, one hart at a time.
 *
 * Only the first hart to come through _start boots. OpenSBI 1.1 (sbi_hsm_hart_start) makes a hart
 * startable before it notes where to: one that happens to look just then goes where the last note
 * said, which is _start with the device tree (it took some hundred boots of four harts to see it
 * three times). So a second hart there is one that smp.c is starting, and a1 is believed only by
 * the first: the others find their idle task in starting_task, if starting_hartid names them.
 *
 * Neither needs an identity map: stvec names the first high address, so the fetch that follows the
 * write of satp faults straight into the kernel half. Until then only pc-relative (lla) addresses
 * are right. The early table maps 8 GiB of the direct map writable and executable; paging_init()
 * replaces it before anything else runs.
 */
#include "arch/riscv/asm-offsets.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/memlayout.h"

#define GIGAPAGE_RWX 0xef /* V R W X G A D */
#define ROOT_FIRST   256  /* root entry of PAGE_OFFSET */

	.section .head.text, "ax"
	.globl _start
_start:
	csrw	sie, zero
	li	t0, SR_SUM | SR_FS
	csrc	sstatus, t0		/* whatever the firmware left */
	lla	t0, boot_claimed
	li	t1, 1
	amoswap.w.aq t1, t1, (t0)
	bnez	t1, _secondary_start
	mv	s0, a0
	mv	s1, a1

	lla	t0, _sbss
	lla	t1, _ebss
1:	bgeu	t0, t1, 2f
	sd	zero, (t0)
	addi	t0, t0, 8
	j	1b

2:	lla	t0, early_root
	srli	t0, t0, PAGE_SHIFT
	li	t1, SATP_SV39
	or	t0, t0, t1
	li	t2, PAGE_OFFSET
	call	enable_paging

	lla	tp, boot_task
	lla	sp, boot_stack + THREAD_SIZE
	call	set_vectors
	lla	t0, boot_hartid
	sd	s0, (t0)
	lla	t0, boot_dtb
	sd	s1, (t0)
	li	s0, 0
	call	start_kernel
3:	wfi
	j	3b

	.globl _secondary_start
_secondary_start:
	csrw	sie, zero
	li	t0, SR_SUM | SR_FS
	csrc	sstatus, t0
	fence	r, rw
	lla	t0, starting_hartid
	ld	t0, (t0)
	bne	t0, a0, 4f		/* given up on meanwhile */
	lla	t0, starting_task
	ld	tp, (t0)
	lla	t0, kernel_satp
	ld	t0, (t0)
	li	t2, PAGE_OFFSET
	call	enable_paging
	ld	sp, TASK_KERNEL_SP(tp)
	call	set_vectors
	li	s0, 0
	call	secondary_main
4:	wfi
	j	4b

/* Turns on satp t0 and returns to ra + t2, the caller's high address. */
enable_paging:
	add	ra, ra, t2
	lla	t1, 1f
	add	t1, t1, t2
	csrw	stvec, t1
	sfence.vma
	csrw	satp, t0
	.balign	4
1:	sfence.vma
	ret

set_vectors:
	lla	t0, trap_entry
	csrw	stvec, t0
	csrw	sscratch, zero		/* zero says: in the kernel */
	ret

	.section .data
	.balign	4
boot_claimed:
	.word	0			/* not in .bss, which the boot hart clears */

	.balign	PAGE_SIZE
early_root:
	.fill	ROOT_FIRST, 8, 0
	.set	gigabyte, 0
	.rept	8
	.dword	(gigabyte << 28) | GIGAPAGE_RWX
	.set	gigabyte, gigabyte + 1
	.endr
	.fill	512 - ROOT_FIRST - 8, 8, 0

/*
 * As mm/kstack.c makes them: a slot of twice the size, whose lower half paging_init() leaves
 * unmapped.
 */
	.section .bss
	.balign	2 * THREAD_SIZE
	.globl	boot_stack_guard, boot_stack
boot_stack_guard:
	.skip	THREAD_SIZE
boot_stack:
	.skip	THREAD_SIZE
