/*
 * printk.h - the kernel's messages: to the console at once, and into a ring that dmesg can read.
 */
#ifndef RAVEL_KERNEL_PRINTK_H
#define RAVEL_KERNEL_PRINTK_H

#include <stdarg.h>

#include "lib/types.h"

/*
 * printk() is for events a person must see; pr_info() is the boot log, which `quiet` on the command
 * line keeps off the console. Callable anywhere, also from interrupts and with any lock held but
 * the console's own.
 */
void printk(const char *fmt, ...) __printf(1, 2);
void vprintk(const char *fmt, va_list ap);
void pr_info(const char *fmt, ...) __printf(1, 2);

#endif
