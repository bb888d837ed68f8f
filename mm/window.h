/*
 * window.h - the moments at which the memory manager works without a lock, made longer on demand.
 *
 * With `ravel.delay=SEED` on the kernel's command line each window() waits a seeded pseudo-random
 * while, so that other harts get in between and races show. Without it, one test of a flag.
 */
#ifndef RAVEL_MM_WINDOW_H
#define RAVEL_MM_WINDOW_H

#include "lib/types.h"

extern bool window_open;

void window_wait(void);
void window_init(void); /* reads the command line; boot */

static inline void window(void)
{
	if (unlikely(window_open))
		window_wait();
}

#endif
