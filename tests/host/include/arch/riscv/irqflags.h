/*
 * irqflags.h, host: nothing interrupts a simulated hart; the state is only kept and checked.
 */
#ifndef RAVEL_ARCH_IRQFLAGS_H
#define RAVEL_ARCH_IRQFLAGS_H

#include "lib/types.h"

extern bool host_irqs_on;

static inline void local_irq_enable(void)
{
	host_irqs_on = true;
}

static inline void local_irq_disable(void)
{
	host_irqs_on = false;
}

static inline unsigned long local_irq_save(void)
{
	bool on = host_irqs_on;

	host_irqs_on = false;
	return on;
}

static inline void local_irq_restore(unsigned long flags)
{
	host_irqs_on = flags;
}

static inline bool irqs_disabled(void)
{
	return !host_irqs_on;
}

/* Whoever holds the lock that this loop waits for does not run meanwhile. */
void cpu_relax(void);

#endif
