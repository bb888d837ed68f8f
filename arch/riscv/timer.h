/*
 * timer.h - the machine's clock: ticks of the time CSR, and the next timer interrupt.
 *
 * ns = ticks * timer_mult / 2^32, in 128 bits: exact for the usual timebases, never overflows.
 */
#ifndef RAVEL_ARCH_TIMER_H
#define RAVEL_ARCH_TIMER_H

#include "arch/riscv/csr.h"
#include "lib/types.h"

extern u64 timer_mult; /* (1e9 << 32) / timebase */

/* Nanoseconds since the machine's reset; monotonic, the same on every hart. */
static inline u64 arch_ktime_ns(void)
{
	return (u64)(((unsigned __int128)csr_read(time) * timer_mult) >> 32);
}

/* Boot hart: computes the factors from machine.timebase_hz. */
void timer_setup(void);
/* Takes the pending timer interrupt away; the next comes when arch_timer_arm() asks for one. */
void timer_quiet(void);

#endif
