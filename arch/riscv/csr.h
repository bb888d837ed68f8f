/*
 * csr.h - control and status registers of supervisor mode: numbers, bits, and how to touch them.
 *
 * Source: RISC-V privileged specification, "Supervisor-Level ISA"; Sstc for stimecmp.
 */
#ifndef RAVEL_ARCH_CSR_H
#define RAVEL_ARCH_CSR_H

#define SR_SIE	      0x00000002 /* interrupts on in supervisor mode */
#define SR_SPIE	      0x00000020 /* ... as they were before the trap */
#define SR_SPP	      0x00000100 /* the trap came from supervisor mode */
#define SR_FS	      0x00006000 /* floating-point state: */
#define SR_FS_OFF     0x00000000 /*   instructions trap */
#define SR_FS_INITIAL 0x00002000 /*   all registers are zero */
#define SR_FS_CLEAN   0x00004000 /*   registers equal the saved copy */
#define SR_FS_DIRTY   0x00006000 /*   registers are newer than the saved copy */
#define SR_SUM	      0x00040000 /* supervisor may touch user pages */
#define SR_UXL	      0x300000000

#define SIE_SSIE 0x002 /* software: another hart's IPI */
#define SIE_STIE 0x020
#define SIE_SEIE 0x200 /* external: the PLIC */

#define SATP_SV39 0x8000000000000000

/* scounteren: counters that user mode may read. */
#define SCOUNTEREN_CY 0x1
#define SCOUNTEREN_TM 0x2
#define SCOUNTEREN_IR 0x4

/* scause */
#define CAUSE_INTERRUPT	       0x8000000000000000
#define IRQ_S_SOFT	       1
#define IRQ_S_TIMER	       5
#define IRQ_S_EXTERNAL	       9
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS     1
#define CAUSE_ILLEGAL	       2
#define CAUSE_BREAKPOINT       3
#define CAUSE_LOAD_MISALIGNED  4
#define CAUSE_LOAD_ACCESS      5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS     7
#define CAUSE_USER_ECALL       8
#define CAUSE_FETCH_PAGE       12
#define CAUSE_LOAD_PAGE	       13
#define CAUSE_STORE_PAGE       15

/* stimecmp by number: the assembler is told nothing of Sstc. */
#define CSR_STIMECMP 0x14d

#ifndef __ASSEMBLER__

#define CSR_NAME_(csr) #csr
#define CSR_NAME(csr)  CSR_NAME_(csr)

#define csr_read(csr)                                                                              \
	({                                                                                         \
		unsigned long __v;                                                                 \
		__asm__ volatile("csrr %0, " CSR_NAME(csr) : "=r"(__v) : : "memory");              \
		__v;                                                                               \
	})

#define csr_write(csr, val)                                                                        \
	__asm__ volatile("csrw " CSR_NAME(csr) ", %0" : : "rK"((unsigned long)(val)) : "memory")

#define csr_set(csr, bits)                                                                         \
	__asm__ volatile("csrs " CSR_NAME(csr) ", %0" : : "rK"((unsigned long)(bits)) : "memory")

#define csr_clear(csr, bits)                                                                       \
	__asm__ volatile("csrc " CSR_NAME(csr) ", %0" : : "rK"((unsigned long)(bits)) : "memory")

#endif

#endif
