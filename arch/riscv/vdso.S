/*
 * vdso.S - the code to which a signal handler returns: fs/vdso.c maps it.
 *
 * Debuggers and unwinders know a signal frame by these two instructions at its return address.
 */
	.section .rodata
	.globl	vdso_start, vdso_end
	.balign	4
vdso_start:
	li	a7, 139		/* rt_sigreturn */
	ecall
vdso_end:
