/*
 * string.c - memory and strings.
 *
 * memcpy, memset and memmove move 8 bytes at a time, eight times unrolled, when source and
 * destination share their alignment: pipes, exec and the page cache spend their time here. Compiled
 * without the optimisation that turns such loops into calls of themselves.
 *
 * Locks: none.
 */
#include "lib/string.h"

#include "lib/ctype.h"
#include "lib/errno.h"

#if !defined(__STDC_HOSTED__) || __STDC_HOSTED__ == 0
#pragma GCC optimize("no-tree-loop-distribute-patterns")

typedef u64 __attribute__((may_alias)) word;

/* Copies 32 bytes from @s to @d, which may overlap if @d is below; both are aligned to words. */
static __always_inline void copy_four(u8 *d, const u8 *s)
{
	word *dw = (word *)d;
	const word *sw = (const word *)s;
	u64 a = sw[0], b = sw[1], c = sw[2], e = sw[3];

	dw[0] = a;
	dw[1] = b;
	dw[2] = c;
	dw[3] = e;
}

static __always_inline void copy_forward(u8 *d, const u8 *s, size_t n)
{
	if ((((uintptr_t)d ^ (uintptr_t)s) & 7) == 0) {
		for (; n > 0 && ((uintptr_t)d & 7); n--)
			*d++ = *s++;
		for (; n >= 64; n -= 64, d += 64, s += 64) {
			copy_four(d, s);
			copy_four(d + 32, s + 32);
		}
		if (n >= 32) {
			copy_four(d, s);
			n -= 32;
			d += 32;
			s += 32;
		}
		for (; n >= 8; n -= 8, d += 8, s += 8)
			*(word *)d = *(const word *)s;
	}
	while (n-- > 0)
		*d++ = *s++;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	copy_forward(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (d <= s || d >= s + n) {
		copy_forward(d, s, n);
		return dst;
	}
	d += n;
	s += n;
	if ((((uintptr_t)d ^ (uintptr_t)s) & 7) == 0) {
		for (; n > 0 && ((uintptr_t)d & 7); n--)
			*--d = *--s;
		for (; n >= 8; n -= 8) {
			d -= 8;
			s -= 8;
			*(word *)d = *(const word *)s;
		}
	}
	while (n-- > 0)
		*--d = *--s;
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u64 pattern = (u8)c * 0x0101010101010101ULL;
	u8 *d = dst;

	for (; n > 0 && ((uintptr_t)d & 7); n--)
		*d++ = c;
	for (; n >= 64; n -= 64, d += 64) {
		word *w = (word *)d;

		w[0] = pattern;
		w[1] = pattern;
		w[2] = pattern;
		w[3] = pattern;
		w[4] = pattern;
		w[5] = pattern;
		w[6] = pattern;
		w[7] = pattern;
	}
	for (; n >= 8; n -= 8, d += 8)
		*(word *)d = pattern;
	while (n-- > 0)
		*d++ = c;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n > 0; n--, p++, q++) {
		if (*p != *q)
			return *p - *q;
	}
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n > 0; n--, p++) {
		if (*p == (u8)c)
			return (void *)p;
	}
	return NULL;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return p - s;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++) {
		if (*a != *b)
			return (u8)*a - (u8)*b;
		if (!*a)
			break;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (!*s)
			return NULL;
	}
	return (char *)s;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}

char *strstr(const char *hay, const char *needle)
{
	size_t n = strlen(needle);

	for (; strncmp(hay, needle, n) != 0; hay++) {
		if (!*hay)
			return NULL;
	}
	return (char *)hay;
}
#endif

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size > 0) {
		size_t n = min(len, size - 1);

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

size_t strlcat(char *dst, const char *src, size_t size)
{
	size_t used = strnlen(dst, size);

	return used + strlcpy(dst + used, src, size - used);
}

static int digit_value(char c)
{
	if (isdigit(c))
		return c - '0';
	if (isalpha(c))
		return (c | 0x20) - 'a' + 10;
	return 99;
}

int kstrtoul(const char *s, int base, unsigned long *out)
{
	unsigned long value = 0;
	bool any = false;

	if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 0x20) == 'x' && isxdigit(s[2])) {
		base = 16;
		s += 2;
	} else if (base == 0) {
		base = s[0] == '0' ? 8 : 10;
	}
	for (; digit_value(*s) < base; s++) {
		unsigned long next;

		if (__builtin_mul_overflow(value, (unsigned long)base, &next) ||
		    __builtin_add_overflow(next, (unsigned long)digit_value(*s), &value))
			return -ERANGE;
		any = true;
	}
	if (*s == '\n')
		s++;
	if (!any || *s)
		return -EINVAL;
	*out = value;
	return 0;
}
