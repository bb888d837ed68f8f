/*
 * timer.c - asking for a timer interrupt: by stimecmp where there is Sstc, else by the firmware.
 *
 *	ktime_ns --arch_timer_arm()--> ticks --> stimecmp or sbi set_timer --> S timer interrupt
 *
 * Rounding is upwards, so an interrupt never comes before the time it was asked for. The factors
 * are written once at boot; the comparator is each hart's own. No locks.
 */
#include "arch/riscv/timer.h"

#include "arch/riscv/machine.h"
#include "arch/riscv/sbi.h"
#include "kernel/panic.h"
#include "kernel/time.h"

#define QUIET_NS (10 * 1000 * 1000) /* as the scheduler's slice */

u64 timer_mult;
static u64 ticks_mult; /* (timebase << 64) / 1e9, rounded up */

void timer_setup(void)
{
	u64 hz = machine.timebase_hz;

	if (hz == 0 || hz >= NSEC_PER_SEC)
		panic("device tree: timebase-frequency %lu is out of range", (unsigned long)hz);
	timer_mult = (NSEC_PER_SEC << 32) / hz;
	/* Long division of hz * 2^64 in two halves of 32 bits. */
	ticks_mult = (hz << 32) / NSEC_PER_SEC;
	ticks_mult = (ticks_mult << 32) + ((((hz << 32) % NSEC_PER_SEC) << 32) / NSEC_PER_SEC) + 1;
}

static void set_comparator(u64 ticks)
{
	if (machine.has_sstc)
		csr_write(CSR_STIMECMP, ticks);
	else
		sbi_call(SBI_EXT_TIME, 0, ticks, 0, 0, 0);
}

void arch_timer_arm(u64 ns)
{
	set_comparator((u64)(((unsigned __int128)ns * ticks_mult) >> 64) + 1);
}

/*
 * Never "for ever": a hart that waits for a disk under -icount sleep=off jumps in virtual time to
 * its next timer, and with one at the end of time QEMU 7.2 went there and never came back.
 */
void timer_quiet(void)
{
	arch_timer_arm(arch_ktime_ns() + QUIET_NS);
}
