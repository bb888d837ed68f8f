/*
 * sanitizer.h - what AddressSanitizer is told of the kernel's allocators, and what it knows.
 */
#ifndef RAVEL_HOST_SANITIZER_H
#define RAVEL_HOST_SANITIZER_H

#include "lib/types.h"

/* "function file:line" of host code address @pc. */
void sanitizer_symbol(unsigned long pc, char *buf, size_t size);

#endif
