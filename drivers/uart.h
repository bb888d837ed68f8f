/*
 * uart.h - the serial console: a 16550, or the firmware's console until it is found.
 */
#ifndef RAVEL_DRIVERS_UART_H
#define RAVEL_DRIVERS_UART_H

#include "lib/types.h"

/* Readies the UART of the device tree; without one the firmware's console stays. */
void uart_init(void);
/* Writes @n bytes as they are, waiting for the device. Any context. */
void uart_write(const char *s, size_t n);
void uart_putc(char c);
/* As uart_write(), but takes no lock: for a panic, whose lock holder may be halted. */
void uart_write_panic(const char *s, size_t n);
/*
 * Leave what comes in where it is, in the FIFO and with the sender, or take it again: then an
 * interrupt comes for what waits. The caller holds the terminal's lock.
 */
void uart_hold_input(bool hold);

#endif
