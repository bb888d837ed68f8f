/*
 * provoke.h - mistakes made on purpose that only the debug kernel finds.
 */
#ifndef RAVEL_KERNEL_PROVOKE_H
#define RAVEL_KERNEL_PROVOKE_H

#ifdef CONFIG_DEBUG

/* Commits the mistake named @what; returns if there is none of that name, or it goes on. */
void debug_provoke(const char *what);

#else

static inline void debug_provoke(const char *what __maybe_unused)
{
}

#endif
#endif
