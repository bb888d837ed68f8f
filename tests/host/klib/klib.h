/*
 * klib.h - the kernel's own strings and formats, for tests that compare them with the C library's.
 *
 * host.mk compiles lib/string.c and lib/vsnprintf.c once more, without a library and with these
 * names; ctype.c has the classes of characters.
 */
#ifndef RAVEL_HOST_KLIB_H
#define RAVEL_HOST_KLIB_H

#include "lib/types.h"

void *kernel_memcpy(void *dst, const void *src, size_t n);
void *kernel_memmove(void *dst, const void *src, size_t n);
void *kernel_memset(void *dst, int c, size_t n);
int kernel_memcmp(const void *a, const void *b, size_t n);
void *kernel_memchr(const void *s, int c, size_t n);
size_t kernel_strlen(const char *s);
size_t kernel_strnlen(const char *s, size_t max);
int kernel_strcmp(const char *a, const char *b);
int kernel_strncmp(const char *a, const char *b, size_t n);
char *kernel_strchr(const char *s, int c);
char *kernel_strrchr(const char *s, int c);
char *kernel_strstr(const char *hay, const char *needle);
size_t kernel_strlcpy(char *dst, const char *src, size_t size);
size_t kernel_strlcat(char *dst, const char *src, size_t size);
int kernel_kstrtoul(const char *s, int base, unsigned long *out);

int kernel_snprintf(char *buf, size_t size, const char *fmt, ...);
int kernel_scnprintf(char *buf, size_t size, const char *fmt, ...);

/* Bit n: class n of @c holds: digit, space, upper, alpha, xdigit, print. */
unsigned kernel_ctype(int c);
int kernel_toupper(int c);
int kernel_tolower(int c);

#endif
