/*
 * panic.h - when going on would be worse: assertions and the machine's last words.
 */
#ifndef RAVEL_KERNEL_PANIC_H
#define RAVEL_KERNEL_PANIC_H

#include "lib/types.h"

/* Stops the other harts, prints message, registers and backtrace, ends QEMU with PANIC_EXIT. */
#define PANIC_EXIT 125
void panic(const char *fmt, ...) __noreturn __printf(1, 2);

struct trap_frame;
/* As panic(), for a trap: cause in words, the trap's registers, and the backtrace from there. */
void panic_regs(const struct trap_frame *regs, const char *fmt, ...) __noreturn __printf(2, 3);

/* Prints `WARNING: ...` with a backtrace and goes on; the test runner counts it as a failure. */
void warn(const char *fmt, ...) __printf(1, 2);

#define BUG_ON(cond)                                                                               \
	do {                                                                                       \
		if (unlikely(cond))                                                                \
			panic("BUG: %s at %s:%d", #cond, __FILE__, __LINE__);                      \
	} while (0)

#define WARN_ON(cond)                                                                              \
	({                                                                                         \
		bool __warn = (cond);                                                              \
		if (unlikely(__warn))                                                              \
			warn("%s at %s:%d", #cond, __FILE__, __LINE__);                            \
		__warn;                                                                            \
	})

/*
 * Writes "function+0xoffset" for kernel text address @addr into @buf, "variable" or
 * "variable+0xoffset" for one of kernel data; hex when it is neither.
 */
void symbol_name(unsigned long addr, char *buf, size_t size);
void dump_backtrace(unsigned long fp);

/*
 * `ravel.panic=test|overflow|null|wtext|bug`, or a mistake of mm/provoke.c or kernel/provoke.c, on
 * the command line: does just that; else returns.
 */
void panic_test(void);

#endif
