/*
 * random.h - random bytes.
 */
#ifndef RAVEL_KERNEL_RANDOM_H
#define RAVEL_KERNEL_RANDOM_H

#include "lib/types.h"

/*
 * Seeds the generator: from ravel.seed= alone when it is given (repeatable), else from the
 * machine.
 */
void random_init(void);
/* Fills @buf with @n bytes. Any context. */
void random_bytes(void *buf, size_t n);

#endif
