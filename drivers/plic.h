/*
 * plic.h - the interrupt controller: one handler for each source.
 */
#ifndef RAVEL_DRIVERS_PLIC_H
#define RAVEL_DRIVERS_PLIC_H

#include "lib/types.h"

#define PLIC_MAX_IRQ 128

/* Maps the controller; every source comes to the boot hart. Without one nothing interrupts. */
void plic_init(void);
/*
 * Makes @fn(@arg) the handler of source @irq and enables it. It runs on the boot hart in interrupt
 * context. 0; -EINVAL: no such source; -EBUSY: it has a handler.
 */
int irq_register(unsigned irq, void (*fn)(void *arg), void *arg);
/* The external interrupt: claims, handles and completes all that is pending. */
void plic_interrupt(void);

#endif
