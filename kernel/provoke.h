/*
 * provoke.h - mistakes made on purpose: those that only the debug kernel finds, and with stacks.
 */
#ifndef RAVEL_KERNEL_PROVOKE_H
#define RAVEL_KERNEL_PROVOKE_H

#include "lib/types.h"

/* Does to this task's stack what @what names (kernel/provokestack.c), or nothing. */
void stack_provoke(const char *what);

#ifdef CONFIG_DEBUG

/* Commits the mistake named @what; returns if there is none of that name, or it goes on. */
void debug_provoke(const char *what);

#else

static inline void debug_provoke(const char *what __maybe_unused)
{
}

#endif
#endif
