/*
 * console.h - the side of printk that few need: the ring, the quiet switch, and panics.
 */
#ifndef RAVEL_KERNEL_CONSOLE_H
#define RAVEL_KERNEL_CONSOLE_H

#include "lib/types.h"

/* pr_info() keeps off the console. */
void console_set_quiet(bool quiet);
/* From now on messages are written without any lock: their holders may be halted. */
void console_panic(void);
/*
 * Copies messages from stream position @pos (0: the oldest) into @buf; returns the bytes copied,
 * and the next position in @pos. Messages that the ring has lost are skipped.
 */
size_t dmesg_read(u64 *pos, char *buf, size_t size);

struct task;
/* The foreground group of the terminal that is @task's, or -1. Any context. */
pid_t tty_foreground_of(const struct task *task);

#endif
