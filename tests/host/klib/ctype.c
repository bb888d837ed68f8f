/*
 * ctype.c - the kernel's own classes of characters, for a test that has the C library's.
 */
#include "lib/ctype.h"

/* Bit n: class n of @c holds. The order is the test's (tests/host/unit/string.c). */
unsigned kernel_ctype(int c)
{
	return isdigit(c) | isspace(c) << 1 | isupper(c) << 2 | isalpha(c) << 3 | isxdigit(c) << 4 |
	       isprint(c) << 5;
}

int kernel_toupper(int c)
{
	return toupper(c);
}

int kernel_tolower(int c)
{
	return tolower(c);
}
