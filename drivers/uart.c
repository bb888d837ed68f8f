/*
 * uart.c - the serial console: a 16550, by interrupt for input and by polling for output.
 *
 *	line --> receive FIFO --interrupt--> tty_input()          (drivers/tty.c)
 *	uart_write() --> transmit FIFO, 16 bytes each time it is empty --> line
 *
 * Until uart_init() has found the device, output goes through the firmware, a character a call.
 * Locks: uart_lock, interrupts off, keeps writers apart; it is inside the console's lock and the
 * terminal's, and nothing is inside it. The receive side belongs to the interrupt handler; the
 * interrupt enable register after uart_init() to who holds the terminal's lock.
 */
#include "drivers/uart.h"

#include "arch/riscv/machine.h"
#include "arch/riscv/mmu.h"
#include "arch/riscv/sbi.h"
#include "drivers/plic.h"
#include "drivers/tty.h"
#include "kernel/lock.h"
#include "kernel/printk.h"

enum uart_reg {
	UART_DATA = 0, /* read: received, write: to send */
	UART_IER = 1,
	UART_FCR = 2,
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
};

#define IER_RECEIVED  0x01
#define FCR_ENABLE    0x01
#define FCR_CLEAR     0x06
#define LCR_8N1	      0x03
#define MCR_DTR_RTS   0x03
#define MCR_OUT2      0x08 /* lets the interrupt out, on PC-like boards */
#define LSR_RECEIVED  0x01
#define LSR_SEND_IDLE 0x20
#define FIFO_SIZE     16

static volatile u8 *uart_regs; /* NULL: no device yet */
static struct spinlock uart_lock = SPINLOCK_INIT;

static volatile u8 *uart_reg(enum uart_reg reg)
{
	return &uart_regs[(size_t)reg << machine.uart_reg_shift];
}

static void firmware_write(const char *s, size_t n)
{
	static enum { UNKNOWN, LEGACY, DBCN } console;

	if (console == UNKNOWN)
		console = sbi_probe(SBI_EXT_DBCN) ? DBCN : LEGACY;
	for (; n; n--, s++) {
		if (console == DBCN)
			sbi_call(SBI_EXT_DBCN, SBI_DBCN_WRITE_BYTE, (u8)*s, 0, 0, 0);
		else
			sbi_putchar(*s);
	}
}

void uart_write_panic(const char *s, size_t n)
{
	if (!uart_regs) {
		firmware_write(s, n);
		return;
	}
	while (n) {
		while (!(*uart_reg(UART_LSR) & LSR_SEND_IDLE))
			;
		for (unsigned room = FIFO_SIZE; room && n; room--, n--)
			*uart_reg(UART_DATA) = *s++;
	}
}

void uart_write(const char *s, size_t n)
{
	unsigned long flags = spin_lock_irqsave(&uart_lock);

	uart_write_panic(s, n);
	spin_unlock_irqrestore(&uart_lock, flags);
}

void uart_putc(char c)
{
	uart_write(&c, 1);
}

static void uart_interrupt(void *arg __maybe_unused)
{
	while ((*uart_reg(UART_LSR) & LSR_RECEIVED) && tty_has_room())
		tty_input(*uart_reg(UART_DATA));
}

void uart_hold_input(bool hold)
{
	*uart_reg(UART_IER) = hold ? 0 : IER_RECEIVED;
}

void uart_init(void)
{
	volatile u8 *regs;

	if (!machine.uart.size)
		return;
	regs = ioremap(machine.uart.base, machine.uart.size);
	if (!regs) {
		printk("uart: cannot map its registers; the firmware's console stays\n");
		return;
	}
	uart_regs = regs;
	*uart_reg(UART_IER) = 0;
	*uart_reg(UART_LCR) = LCR_8N1;
	*uart_reg(UART_FCR) = FCR_ENABLE | FCR_CLEAR;
	*uart_reg(UART_MCR) = MCR_DTR_RTS | MCR_OUT2;
	if (irq_register(machine.uart.irq, uart_interrupt, NULL) != 0)
		printk("uart: no interrupt %u: no input\n", machine.uart.irq);
	*uart_reg(UART_IER) = IER_RECEIVED;
}
