/*
 * trap.h - the registers of an interrupted context, as entry.S saves them on the kernel stack.
 *
 * The offsets are used by entry.S; BUILD_BUG_ON in trap.c keeps both in step.
 */
#ifndef RAVEL_ARCH_TRAP_H
#define RAVEL_ARCH_TRAP_H

#include "lib/types.h"

struct trap_frame {
	unsigned long sepc;
	unsigned long ra, sp, gp, tp;
	unsigned long t0, t1, t2;
	unsigned long s0, s1;
	unsigned long a0, a1, a2, a3, a4, a5, a6, a7;
	unsigned long s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	unsigned long t3, t4, t5, t6;
	unsigned long sstatus;
	unsigned long stval;
	unsigned long scause;
	unsigned long orig_a0; /* a0 at entry: what a restarted system call gets again */
};

/* Saved by switch_to(): what the C calling convention preserves. */
struct context {
	unsigned long ra, sp;
	unsigned long s[12];
};

struct fp_state {
	u64 f[32];
	u32 fcsr;
};

static inline bool trap_from_user(const struct trap_frame *regs)
{
	return !(regs->sstatus & 0x100); /* SPP: the privilege before the trap */
}

#endif
