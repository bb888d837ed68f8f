/*
 * rtc.c - the goldfish real-time clock: nanoseconds since 1970, read once at boot.
 *
 *	register 0: low half, whose read holds    register 4: the high half that belongs to it
 *
 * Written once by the boot hart, then only read: no locks.
 */
#include "drivers/rtc.h"

#include "arch/riscv/machine.h"
#include "arch/riscv/mmu.h"
#include "arch/riscv/timer.h"

static u64 boot_ns;

void rtc_init(void)
{
	volatile u32 *regs;
	u64 low, high;

	if (machine.rtc.size < 8)
		return;
	regs = ioremap(machine.rtc.base, 8);
	if (!regs)
		return;
	low = regs[0];
	high = regs[1];
	boot_ns = (high << 32 | low) - arch_ktime_ns();
}

u64 rtc_boot_ns(void)
{
	return boot_ns;
}
