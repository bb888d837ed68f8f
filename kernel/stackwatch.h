/*
 * stackwatch.h - the debug kernel's watch over the depth of kernel stacks.
 */
#ifndef RAVEL_KERNEL_STACKWATCH_H
#define RAVEL_KERNEL_STACKWATCH_H

#include "kernel/task.h"

#ifdef CONFIG_DEBUG

/* Fills a stack's mapped bytes from @low up to @end: nobody uses that part yet. */
void stack_watch(void *low, const void *end);
/* The same for the boot stack below the caller, who runs on it. */
void stack_watch_boot(void);
/*
 * @task has done @call, a text that stays: was its stack used more deeply than any before it? Warns
 * once, when it is three quarters of the stack.
 */
void stack_check(const struct task *task, const char *call);
/* At power-off: prints `debug: deepest kernel stack: N of 16384 bytes (task, call)`. */
void stack_report(void);

#else

#define stack_watch(low, end)	((void)0)
#define stack_watch_boot()	((void)0)
#define stack_check(task, call) ((void)0)
#define stack_report()		((void)0)

#endif
#endif
