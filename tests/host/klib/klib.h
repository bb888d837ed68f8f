/*
 * klib.h - the kernel's own strings, formats and classes of characters, by other names than the C
 * library's, which is their oracle (host.mk: KLIB_FLAGS).
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
unsigned kernel_ctype(int c);
int kernel_toupper(int c);
int kernel_tolower(int c);
int kernel_snprintf(char *buf, size_t size, const char *fmt, ...);
int kernel_scnprintf(char *buf, size_t size, const char *fmt, ...);

#endif
