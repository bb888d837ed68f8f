/*
 * asm-offsets.h - where the fields that assembly touches lie in their structures.
 *
 * arch/riscv/trap.c asserts each of these at compile time.
 */
#ifndef RAVEL_ARCH_ASM_OFFSETS_H
#define RAVEL_ARCH_ASM_OFFSETS_H

/* struct trap_frame */
#define PT_SEPC	   0
#define PT_RA	   8
#define PT_SP	   16
#define PT_GP	   24
#define PT_TP	   32
#define PT_T0	   40
#define PT_T1	   48
#define PT_T2	   56
#define PT_S0	   64
#define PT_S1	   72
#define PT_A0	   80
#define PT_A1	   88
#define PT_A2	   96
#define PT_A3	   104
#define PT_A4	   112
#define PT_A5	   120
#define PT_A6	   128
#define PT_A7	   136
#define PT_S2	   144
#define PT_S3	   152
#define PT_S4	   160
#define PT_S5	   168
#define PT_S6	   176
#define PT_S7	   184
#define PT_S8	   192
#define PT_S9	   200
#define PT_S10	   208
#define PT_S11	   216
#define PT_T3	   224
#define PT_T4	   232
#define PT_T5	   240
#define PT_T6	   248
#define PT_SSTATUS 256
#define PT_STVAL   264
#define PT_SCAUSE  272
#define PT_ORIG_A0 280
#define PT_SIZE	   288 /* a multiple of 16: sp stays aligned */

/* struct task */
#define TASK_KERNEL_SP	0
#define TASK_USER_SP	8
#define TASK_FLAGS	16
#define TASK_STACK_LOW	24
#define TASK_CONTEXT_RA 32
#define TASK_CONTEXT_SP 40
#define TASK_CONTEXT_S	48  /* s0 .. s11 */
#define TASK_HART	144 /* its first field is the hart's logical number */

/* struct fp_state */
#define FP_FCSR 256

/* Each hart's stack for traps that find no room on the task's: 4 KiB. */
#define EMERGENCY_STACK_SHIFT 12
#define MAX_HARTS_ASM	      8

#endif
