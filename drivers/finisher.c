/*
 * finisher.c - the end of the machine: QEMU's sifive,test0 device, or the firmware.
 *
 *	one 32-bit register:   0x5555  power off, status 0
 *	            (status << 16) | 0x3333  power off with that status
 *	                       0x7777  reset
 *
 * The firmware's SRST cannot report a status, so it only serves where there is no such device.
 * Locks: none; a store ends everything.
 */
#include "drivers/finisher.h"

#include "arch/riscv/irqflags.h"
#include "arch/riscv/machine.h"
#include "arch/riscv/mmu.h"
#include "arch/riscv/sbi.h"

#define FINISHER_FAIL  0x3333
#define FINISHER_PASS  0x5555
#define FINISHER_RESET 0x7777

static volatile u32 *finisher; /* NULL: none */

void finisher_init(void)
{
	if (machine.finisher.size >= sizeof(u32))
		finisher = ioremap(machine.finisher.base, sizeof(u32));
}

static void __noreturn finish(u32 word, unsigned long srst_type)
{
	local_irq_disable();
	if (finisher)
		*finisher = word;
	sbi_call(SBI_EXT_SRST, 0, srst_type, 0, 0, 0);
	for (;;)
		wait_for_interrupt();
}

void machine_poweroff(int status)
{
	finish(status ? ((u32)(status & 0xff) << 16) | FINISHER_FAIL : FINISHER_PASS,
	       SBI_SRST_SHUTDOWN);
}

void machine_reboot(void)
{
	finish(FINISHER_RESET, SBI_SRST_COLD_REBOOT);
}
