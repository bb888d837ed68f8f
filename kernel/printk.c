/*
 * printk.c - the kernel's messages.
 *
 *	printk() --> line[] --> ring of 64 KiB --> dmesg_read()
 *	                  \--> UART, with \n as \r\n
 *
 *	ring_head counts all bytes ever written; the byte of position p is ring[p % RING_SIZE], and
 *	the last RING_SIZE positions are there.
 *
 * Locks: console_lock, interrupts off, guards line, ring and the order on the UART; uart_lock is
 * inside it. After console_panic() nothing is locked.
 */
#include "kernel/printk.h"

#include "drivers/uart.h"
#include "kernel/console.h"
#include "kernel/lock.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"

#define RING_SIZE 65536
#define LINE_SIZE 1024 /* a longer message is cut */

static struct spinlock console_lock = SPINLOCK_INIT;
static char ring[RING_SIZE];
static u64 ring_head;
static char line[LINE_SIZE];
static bool console_quiet, panicking;

void console_set_quiet(bool quiet)
{
	console_quiet = quiet;
}

void console_panic(void)
{
	WRITE_ONCE(panicking, true);
}

static void console_write(const char *s, size_t n)
{
	void (*write)(const char *, size_t) = panicking ? uart_write_panic : uart_write;

	while (n) {
		const char *end = memchr(s, '\n', n);
		size_t run = end ? (size_t)(end - s) : n;

		write(s, run);
		if (!end)
			return;
		write("\r\n", 2);
		s += run + 1;
		n -= run + 1;
	}
}

static void emit(bool to_console, const char *fmt, va_list ap)
{
	bool locked = !READ_ONCE(panicking);
	unsigned long flags = 0;
	int len;

	if (locked)
		flags = spin_lock_irqsave(&console_lock);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	len = min(len, LINE_SIZE - 1);
	for (int i = 0; i < len; i++)
		ring[ring_head++ % RING_SIZE] = line[i];
	if (to_console)
		console_write(line, len);
	if (locked)
		spin_unlock_irqrestore(&console_lock, flags);
}

void vprintk(const char *fmt, va_list ap)
{
	emit(true, fmt, ap);
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(true, fmt, ap);
	va_end(ap);
}

void pr_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(!console_quiet, fmt, ap);
	va_end(ap);
}

size_t dmesg_read(u64 *pos, char *buf, size_t size)
{
	unsigned long flags = spin_lock_irqsave(&console_lock);
	size_t n = 0;

	if (ring_head > RING_SIZE && *pos < ring_head - RING_SIZE)
		*pos = ring_head - RING_SIZE;
	while (n < size && *pos < ring_head)
		buf[n++] = ring[(*pos)++ % RING_SIZE];
	spin_unlock_irqrestore(&console_lock, flags);
	return n;
}
