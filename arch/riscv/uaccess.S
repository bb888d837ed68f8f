/*
 * uaccess.S - copies to and from user memory, and what happens when one faults.
 *
 * Each ex_range names the instructions [from, to) that may fault and where to go on when the fault
 * cannot be served; the trap handler (uaccess_fixup()) leaves the faulting address in t6. A loop of
 * words continues by bytes up to that address, so the counts returned are exact.
 *
 * Source and destination that share their low three bits go by words, 16 a turn; others by words
 * put together from two aligned loads, which never touch a page that holds no wanted byte.
 */
#include "arch/riscv/csr.h"
#include "lib/errno.h"

	.macro	ex_range from, to, fixup
	.pushsection __ex_table, "a"
	.balign	8
	.quad	\from, \to, \fixup
	.popsection
	.endm

	.macro	user_access op
	li	t6, SR_SUM
	\op	sstatus, t6
	.endm

/* size_t __copy_user(void *dst, const void *src, size_t n): bytes not copied. */
	.text
	.globl	__copy_user
__copy_user:
	user_access csrs
	add	a3, a0, a2		/* a3: end of dst, until the end */
	li	t0, 8
	bltu	a2, t0, copy_tail
	xor	t0, a0, a1
	andi	t0, t0, 7
	bnez	t0, copy_shifted

	andi	t0, a0, 7
	beqz	t0, copy_aligned
copy_head:
	lbu	t0, (a1)
	addi	a1, a1, 1
	sb	t0, (a0)
	addi	a0, a0, 1
	andi	t0, a0, 7
	bnez	t0, copy_head

copy_aligned:
	sub	t0, a3, a0
	andi	t0, t0, -128
	add	a4, a0, t0
	beqz	t0, copy_words
copy_block:
	.macro	copy_64 off
	ld	a5, \off(a1)
	ld	a6, \off + 8(a1)
	ld	a7, \off + 16(a1)
	ld	t0, \off + 24(a1)
	ld	t1, \off + 32(a1)
	ld	t2, \off + 40(a1)
	ld	t3, \off + 48(a1)
	ld	t4, \off + 56(a1)
	sd	a5, \off(a0)
	sd	a6, \off + 8(a0)
	sd	a7, \off + 16(a0)
	sd	t0, \off + 24(a0)
	sd	t1, \off + 32(a0)
	sd	t2, \off + 40(a0)
	sd	t3, \off + 48(a0)
	sd	t4, \off + 56(a0)
	.endm
	copy_64	0
	copy_64	64
	addi	a1, a1, 128
	addi	a0, a0, 128
	bltu	a0, a4, copy_block

copy_words:
	andi	a4, a3, -8
	bgeu	a0, a4, copy_tail
copy_word:
	ld	t0, (a1)
	addi	a1, a1, 8
	sd	t0, (a0)
	addi	a0, a0, 8
	bltu	a0, a4, copy_word
copy_blocks_end:

copy_tail:
	bgeu	a0, a3, copy_done
copy_byte:
	lbu	t0, (a1)
	addi	a1, a1, 1
	sb	t0, (a0)
	addi	a0, a0, 1
	bltu	a0, a3, copy_byte
copy_done:
	user_access csrc
	sub	a0, a3, a0
	ret

copy_shifted:
	li	t0, 32
	bltu	a2, t0, copy_byte
	andi	t0, a0, 7
	beqz	t0, copy_shift_start
copy_shift_head:
	lbu	t0, (a1)
	addi	a1, a1, 1
	sb	t0, (a0)
	addi	a0, a0, 1
	andi	t0, a0, 7
	bnez	t0, copy_shift_head
copy_shift_start:
	andi	t3, a1, 7
	slli	t3, t3, 3		/* bits of the first word that are not wanted */
	neg	t4, t3			/* shifts look at six bits: 64 - t3 */
	andi	a5, a1, -8
	andi	a4, a3, -8
copy_shift_load:
	ld	t0, (a5)
copy_shift_word:
	ld	t1, 8(a5)
	addi	a5, a5, 8
	srl	t0, t0, t3
	sll	t2, t1, t4
	or	t0, t0, t2
	sd	t0, (a0)
	addi	a0, a0, 8
	addi	a1, a1, 8
	mv	t0, t1
	bltu	a0, a4, copy_shift_word
copy_shift_end:
	j	copy_tail

/* A word loop stopped at address t6: on by bytes up to there, where a0 and a1 allow it. */
copy_partial:
	sub	t1, a3, a0
	sub	t0, t6, a0
	bltu	t0, t1, 1f
	sub	t0, t6, a1
	bgeu	t0, t1, copy_done
1:	add	a4, a0, t0
copy_partial_byte:
	bgeu	a0, a4, copy_done
	lbu	t0, (a1)
	addi	a1, a1, 1
	sb	t0, (a0)
	addi	a0, a0, 1
	j	copy_partial_byte
copy_partial_end:

	ex_range copy_head, copy_aligned, copy_done
	ex_range copy_block, copy_blocks_end, copy_partial
	ex_range copy_tail, copy_done, copy_done
	ex_range copy_shift_head, copy_shift_start, copy_done
	ex_range copy_shift_load, copy_shift_end, copy_partial
	ex_range copy_partial_byte, copy_partial_end, copy_done

/* size_t __clear_user(void *dst, size_t n): bytes not cleared. */
	.globl	__clear_user
__clear_user:
	user_access csrs
	add	a3, a0, a1
	li	t0, 8
	bltu	a1, t0, clear_tail
clear_head:
	andi	t0, a0, 7
	beqz	t0, clear_aligned
	sb	zero, (a0)
	addi	a0, a0, 1
	j	clear_head

clear_aligned:
	sub	t0, a3, a0
	andi	t0, t0, -64
	add	a4, a0, t0
	beqz	t0, clear_words
clear_block:
	.irp	off, 0, 8, 16, 24, 32, 40, 48, 56
	sd	zero, \off(a0)
	.endr
	addi	a0, a0, 64
	bltu	a0, a4, clear_block
clear_words:
	andi	a4, a3, -8
	bgeu	a0, a4, clear_tail
clear_word:
	sd	zero, (a0)
	addi	a0, a0, 8
	bltu	a0, a4, clear_word

clear_tail:
	bgeu	a0, a3, clear_done
	sb	zero, (a0)
	addi	a0, a0, 1
	j	clear_tail
clear_done:
	user_access csrc
	sub	a0, a3, a0
	ret

/* The stores of a turn go upwards, so all below t6 is clear. */
clear_partial:
	bltu	t6, a0, clear_done
	mv	a0, t6
	j	clear_done

	ex_range clear_head, clear_aligned, clear_done
	ex_range clear_block, clear_tail, clear_partial
	ex_range clear_tail, clear_done, clear_done

/* long __strncpy_user(char *dst, const char *src, size_t n): length, n: no NUL, -EFAULT. */
	.globl	__strncpy_user
__strncpy_user:
	user_access csrs
	mv	a4, a0
	add	a3, a0, a2
strncpy_byte:
	bgeu	a0, a3, strncpy_done
	lbu	t0, (a1)
	addi	a1, a1, 1
	sb	t0, (a0)
	beqz	t0, strncpy_done
	addi	a0, a0, 1
	j	strncpy_byte
strncpy_done:
	user_access csrc
	sub	a0, a0, a4
	ret
strncpy_fault:
	user_access csrc
	li	a0, -EFAULT
	ret

	ex_range strncpy_byte, strncpy_done, strncpy_fault

/* size_t __strnlen_user(const char *src, size_t n): with the NUL; n + 1: no NUL, 0: fault. */
	.globl	__strnlen_user
__strnlen_user:
	user_access csrs
	mv	a4, a0
	add	a3, a0, a1
strnlen_byte:
	bgeu	a0, a3, strnlen_done
	lbu	t0, (a0)
	beqz	t0, strnlen_done
	addi	a0, a0, 1
	j	strnlen_byte
strnlen_done:
	user_access csrc
	sub	a0, a0, a4
	addi	a0, a0, 1
	ret
strnlen_fault:
	user_access csrc
	li	a0, 0
	ret

	ex_range strnlen_byte, strnlen_done, strnlen_fault
