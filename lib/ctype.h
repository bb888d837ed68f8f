/*
 * ctype.h - classes of ASCII characters. On the host (tests) the C library's own are used.
 */
#ifndef RAVEL_LIB_CTYPE_H
#define RAVEL_LIB_CTYPE_H

#include "lib/types.h"

#if !defined(__STDC_HOSTED__) || __STDC_HOSTED__ == 0
static inline bool isdigit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool isspace(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool isupper(int c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool isalpha(int c)
{
	return isupper(c & ~0x20);
}

static inline bool isxdigit(int c)
{
	return isdigit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static inline bool isprint(int c)
{
	return c >= ' ' && c < 0x7f;
}

static inline int toupper(int c)
{
	return c >= 'a' && c <= 'z' ? c - 0x20 : c;
}

static inline int tolower(int c)
{
	return isupper(c) ? c + 0x20 : c;
}
#else
#include <ctype.h>
#endif

#endif
