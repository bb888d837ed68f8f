/*
 * vsnprintf.h - formatted text into a bounded buffer, as C99 has it.
 *
 * Conversions d i u x X o c s p %, flags - 0 + space #, width, precision, *, and hh h l ll j z t.
 * %p prints 0x and hexadecimal digits; a NULL string prints (null).
 */
#ifndef RAVEL_LIB_VSNPRINTF_H
#define RAVEL_LIB_VSNPRINTF_H

#include "lib/types.h"

#if !defined(__STDC_HOSTED__) || __STDC_HOSTED__ == 0
/*
 * The length of the whole text, which may exceed what @size let through; always terminated if size
 * > 0.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printf(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
#else
#include <stdio.h>
#endif

/* As snprintf(), but returns what was really written, without the NUL. */
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif
