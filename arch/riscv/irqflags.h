/*
 * irqflags.h - this hart's interrupts on and off.
 *
 * The saved state is the SIE bit of sstatus alone, so that save and restore nest.
 */
#ifndef RAVEL_ARCH_IRQFLAGS_H
#define RAVEL_ARCH_IRQFLAGS_H

#include "arch/riscv/csr.h"
#include "lib/types.h"

static inline void local_irq_enable(void)
{
	csr_set(sstatus, SR_SIE);
}

static inline void local_irq_disable(void)
{
	csr_clear(sstatus, SR_SIE);
}

/* Turns interrupts off; returns the state before, for local_irq_restore(). */
static inline unsigned long local_irq_save(void)
{
	unsigned long old;

	__asm__ volatile("csrrci %0, sstatus, %1" : "=r"(old) : "i"(SR_SIE) : "memory");
	return old & SR_SIE;
}

static inline void local_irq_restore(unsigned long flags)
{
	csr_set(sstatus, flags & SR_SIE);
}

static inline bool irqs_disabled(void)
{
	return !(csr_read(sstatus) & SR_SIE);
}

/* A hint for loops that only look: PAUSE of Zihintpause, a no-op where it is not known. */
static inline void cpu_relax(void)
{
	__asm__ volatile(".4byte 0x0100000f" : : : "memory");
}

/*
 * Sleeps until an interrupt is pending, also while interrupts are off: so the idle loop tests for
 * work and waits with interrupts off, and loses no wake-up between the two.
 */
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("wfi" : : : "memory");
}

#endif
