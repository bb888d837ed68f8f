/*
 * entry.S - where every trap begins and ends, and where one task becomes another.
 *
 *	sscratch   in user mode: the current task       in the kernel: 0
 *	tp         in user mode: the program's own      in the kernel: the current task
 *
 *	kernel stack of a task, highest address first:
 *	  kernel_sp --> +------------+
 *	                | trap_frame |  the user's registers, always at this place
 *	                +------------+
 *	                | C frames   |
 *	                | trap_frame |  of an interrupt or a fault taken in the kernel, and so on
 *	  stack_low --> +------------+
 *	                |  unmapped  |  mapped when a trap finds no room (docs/kernel-stacks.md)
 *
 * Invariants: every register of the interrupted context is in its trap_frame; SUM and FS are off in
 * C code; s0 is 0 below the user's frame, so that backtraces end there; interrupts are off between
 * the last look at task->flags and sret.
 */
#include "arch/riscv/asm-offsets.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/memlayout.h"

/* Saves or loads, by @op, all registers of the frame at sp but sp, tp and t0. */
	.macro	frame_regs op
	\op	ra, PT_RA(sp)
	\op	gp, PT_GP(sp)
	\op	t1, PT_T1(sp)
	\op	t2, PT_T2(sp)
	\op	s0, PT_S0(sp)
	\op	s1, PT_S1(sp)
	\op	a0, PT_A0(sp)
	\op	a1, PT_A1(sp)
	\op	a2, PT_A2(sp)
	\op	a3, PT_A3(sp)
	\op	a4, PT_A4(sp)
	\op	a5, PT_A5(sp)
	\op	a6, PT_A6(sp)
	\op	a7, PT_A7(sp)
	\op	s2, PT_S2(sp)
	\op	s3, PT_S3(sp)
	\op	s4, PT_S4(sp)
	\op	s5, PT_S5(sp)
	\op	s6, PT_S6(sp)
	\op	s7, PT_S7(sp)
	\op	s8, PT_S8(sp)
	\op	s9, PT_S9(sp)
	\op	s10, PT_S10(sp)
	\op	s11, PT_S11(sp)
	\op	t3, PT_T3(sp)
	\op	t4, PT_T4(sp)
	\op	t5, PT_T5(sp)
	\op	t6, PT_T6(sp)
	.endm

/* Saves the interrupted sp (s1) and tp (s2); leaves sepc in s4 and scause in s5; SUM, FS off. */
	.macro	frame_state
	li	t0, SR_SUM | SR_FS
	csrrc	s3, sstatus, t0
	csrr	s4, sepc
	csrr	s5, scause
	sd	s1, PT_SP(sp)
	sd	s2, PT_TP(sp)
	sd	s3, PT_SSTATUS(sp)
	sd	s5, PT_SCAUSE(sp)
	.endm

/* The rest of the frame, for traps that are not system calls. */
	.macro	frame_fault
	csrr	t0, stval
	sd	s4, PT_SEPC(sp)
	sd	t0, PT_STVAL(sp)
	.endm

	.text
	.balign	4
	.globl	trap_entry
trap_entry:
	csrrw	tp, sscratch, tp
	beqz	tp, from_kernel

	sd	sp, TASK_USER_SP(tp)
	ld	sp, TASK_KERNEL_SP(tp)
	addi	sp, sp, -PT_SIZE
	sd	t0, PT_T0(sp)
	frame_regs sd
	ld	s1, TASK_USER_SP(tp)
	csrrw	s2, sscratch, zero
	frame_state
	li	s0, 0
	li	t0, CAUSE_USER_ECALL
	bne	s5, t0, user_fault

	addi	s4, s4, 4		/* go on behind the ecall */
	sd	s4, PT_SEPC(sp)
	sd	a0, PT_ORIG_A0(sp)
	csrsi	sstatus, SR_SIE
	mv	a0, sp
	call	syscall_dispatch

/* sp is the user's frame, at the top of the kernel stack. */
ret_to_user:
	csrci	sstatus, SR_SIE
	ld	t0, TASK_FLAGS(tp)
	bnez	t0, user_work
	ld	t0, PT_SSTATUS(sp)
	ld	t1, PT_SEPC(sp)
	csrw	sstatus, t0
	csrw	sepc, t1
	csrw	sscratch, tp
	frame_regs ld
	ld	t0, PT_T0(sp)
	ld	tp, PT_TP(sp)
	ld	sp, PT_SP(sp)
	sret

user_work:
	csrsi	sstatus, SR_SIE
	mv	a0, sp
	call	exit_to_user_work
	j	ret_to_user

user_fault:
	frame_fault
	mv	a0, sp
	call	trap_user
	ld	t0, PT_SEPC(sp)
	sc.d	zero, t0, (sp)		/* PT_SEPC is 0: ends a reservation the program held */
	j	ret_to_user

/*
 * The frame is stored where something is mapped: from task->stack_low, less than THREAD_SIZE up.
 * Anything else (the mapped part is full, sp is astray or on an emergency stack) is the emergency
 * stack's, so that no store here ever faults.
 */
from_kernel:
	csrr	tp, sscratch
	csrw	sscratch, t0
	addi	sp, sp, -PT_SIZE
	ld	t0, TASK_STACK_LOW(tp)
	sub	t0, sp, t0
	srli	t0, t0, THREAD_SHIFT
	bnez	t0, no_room
	csrrw	t0, sscratch, zero
	sd	t0, PT_T0(sp)
	frame_regs sd
	addi	s1, sp, PT_SIZE
	mv	s2, tp
	frame_state
	frame_fault
	mv	a0, sp
	call	trap_kernel		/* returns with interrupts off */
ret_to_kernel:
	ld	t0, PT_SSTATUS(sp)
	ld	t1, PT_SEPC(sp)
	csrw	sstatus, t0
	csrw	sepc, t1
	sc.d	zero, t1, (sp)
	frame_regs ld
	ld	t0, PT_T0(sp)
	ld	sp, PT_SP(sp)
	sret

/*
 * On the hart's emergency stack, from its top; t0 is still in sscratch. There will be room when
 * trap_no_room() returns, and the trap is taken again: the instruction or the interrupt is still
 * there.
 */
no_room:
	addi	sp, sp, PT_SIZE
	sd	sp, TASK_USER_SP(tp)
	ld	t0, TASK_HART(tp)
	lwu	t0, (t0)
	addi	t0, t0, 1
	slli	t0, t0, EMERGENCY_STACK_SHIFT
	lla	sp, emergency_stacks
	add	sp, sp, t0
	addi	sp, sp, -PT_SIZE
	csrrw	t0, sscratch, zero
	sd	t0, PT_T0(sp)
	frame_regs sd
	ld	s1, TASK_USER_SP(tp)
	mv	s2, tp
	frame_state
	frame_fault
	mv	a0, sp
	call	trap_no_room
	j	ret_to_kernel

/*
 * struct task *context_switch(struct task *prev, struct task *next)
 * Called with interrupts off; returns when @prev runs again.
 */
	.globl	context_switch
context_switch:
	sd	ra, TASK_CONTEXT_RA(a0)
	sd	sp, TASK_CONTEXT_SP(a0)
	ld	ra, TASK_CONTEXT_RA(a1)
	ld	sp, TASK_CONTEXT_SP(a1)
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	sd	s\n, TASK_CONTEXT_S + 8 * \n(a0)
	ld	s\n, TASK_CONTEXT_S + 8 * \n(a1)
	.endr
	mv	tp, a1
	ret

/*
 * Where a new task begins (see task_set_entry()): s0 is its kernel function or 0, s1 the argument,
 * sp its user frame. A kernel function that returns has filled that frame: it goes to user mode.
 */
	.globl	ret_from_fork
ret_from_fork:
	mv	s2, s0
	li	s0, 0
	call	finish_task_switch
	beqz	s2, ret_to_user
	csrsi	sstatus, SR_SIE
	mv	a0, s1
	jalr	s2
	j	ret_to_user

	.section .bss
	.balign	16
	.globl	emergency_stacks
emergency_stacks:
	.skip	MAX_HARTS_ASM << EMERGENCY_STACK_SHIFT
