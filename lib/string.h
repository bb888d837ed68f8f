/*
 * string.h - memory and strings, by the names and contracts of the C library.
 *
 * On the host (tests) the C library's own functions are used; only what it lacks comes from
 * string.c.
 */
#ifndef RAVEL_LIB_STRING_H
#define RAVEL_LIB_STRING_H

#include "lib/types.h"

#if !defined(__STDC_HOSTED__) || __STDC_HOSTED__ == 0
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *hay, const char *needle);
#else
#include <string.h>
#endif

/* Copies @src and its NUL into @dst of @size bytes, cut if need be; returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);
/* Appends likewise; returns the length it tried to make. */
size_t strlcat(char *dst, const char *src, size_t size);

/*
 * The whole of @s (one newline may follow) as a number; @base 0 takes 0x and 0 prefixes.
 * 0, -EINVAL (not a number) or -ERANGE.
 */
int kstrtoul(const char *s, int base, unsigned long *out);

#endif
