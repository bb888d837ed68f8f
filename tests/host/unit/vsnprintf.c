/*
 * vsnprintf.c - formatted text (lib/vsnprintf.c) against the C library.
 *
 *	every flag, width, precision and length with every conversion, and some numbers:
 *	kernel_snprintf() and snprintf() must write the same and return the same
 */
#include "lib/vsnprintf.h"

#include <string.h>

#include "tests/host/klib/klib.h"
#include "tests/host/test.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-truncation"

static char got[256], expected[256];

static void check_same(const char *fmt, int got_len, int expected_len)
{
	if (got_len != expected_len || strcmp(got, expected) != 0)
		host_test_fail(__FILE__, __LINE__, "\"%s\": expected %d \"%s\", got %d \"%s\"", fmt,
			       expected_len, expected, got_len, got);
}

#define SAME(fmt, ...)                                                                             \
	check_same(fmt, kernel_snprintf(got, sizeof(got), fmt, ##__VA_ARGS__),                     \
		   snprintf(expected, sizeof(expected), fmt, ##__VA_ARGS__))

static const char *const flags[] = { "",   "-",	 "0",  "+",  " ",  "#",	 "-0",
				     "-+", "-#", "0+", "0 ", "0#", "+ ", "-0+ #" };
static const char *const sizes[] = { "", "1", "5", "12", ".", ".0", ".1", ".5", "12.5", "5.12" };

/* A flag that C leaves undefined for this conversion. */
static bool undefined(const char *flag, char conv)
{
	return strchr(flag, '#') && strchr("diu", conv);
}

BARE_TEST(integers_of_every_form)
{
	static const char *const lengths[] = { "hh", "h", "", "l", "ll", "j", "z", "t" };
	static const long values[] = {
		0,   1,	   -1,	  9,	 10,	  127,	   128,	     255,
		256, 4095, 32768, 65536, INT_MAX, INT_MIN, LONG_MAX, LONG_MIN
	};
	char fmt[32];

	for (const char *conv = "diuxXo"; *conv; conv++) {
		for (unsigned f = 0; f < ARRAY_SIZE(flags); f++) {
			if (undefined(flags[f], *conv))
				continue;
			for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
				for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
					snprintf(fmt, sizeof(fmt), "[%%%s%s%s%c]", flags[f],
						 sizes[s], lengths[l], *conv);
					for (unsigned v = 0; v < ARRAY_SIZE(values); v++)
						SAME(fmt, values[v]);
				}
			}
		}
	}
}

BARE_TEST(strings_and_characters)
{
	char fmt[32];

	for (unsigned f = 0; f < 2; f++) {
		for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
			snprintf(fmt, sizeof(fmt), "[%%%s%ss]", flags[f], sizes[s]);
			SAME(fmt, "");
			SAME(fmt, "abc");
			SAME(fmt, "a long string");
		}
		snprintf(fmt, sizeof(fmt), "[%%%s5c]", flags[f]);
		SAME(fmt, 'x');
	}
	SAME("%c%c", 'a', 'b');
	SAME("%s", (char *)NULL);
	SAME("100%%");
	SAME("no conversion");
}

BARE_TEST(a_string_with_a_precision_needs_no_end)
{
	static const char bytes[3] = { 'a', 'b', 'c' };

	SAME("[%.3s]", bytes);
	SAME("[%.*s]", 2, bytes);
}

BARE_TEST(widths_that_are_arguments)
{
	SAME("[%*d]", 6, 42);
	SAME("[%*d]", -6, 42);
	SAME("[%-*d]", 6, 42);
	SAME("[%.*d]", 6, 42);
	SAME("[%.*d]", -6, 42); /* as if there were none */
	SAME("[%*.*d]", 8, 4, -42);
	SAME("[%0*x]", 8, 42);
}

BARE_TEST(pointers_are_hexadecimal)
{
	kernel_snprintf(got, sizeof(got), "%p %p", (void *)0xabc, (void *)0);
	CHECK_STRING(got, "0xabc 0x0");
	kernel_snprintf(got, sizeof(got), "[%8p][%-8p]", (void *)0xabc, (void *)0xabc);
	CHECK_STRING(got, "[   0xabc][0xabc   ]");
}

BARE_TEST(a_buffer_is_never_overrun)
{
	for (unsigned size = 0; size < 12; size++) {
		memset(got, 'X', sizeof(got));
		memset(expected, 'X', sizeof(expected));
		CHECK_EQ(kernel_snprintf(got, size, "%d-%s", 123, "abcdef"), 10);
		CHECK_EQ(snprintf(expected, size, "%d-%s", 123, "abcdef"), 10);
		CHECK_EQ(memcmp(got, expected, sizeof(got)), 0);
		memset(got, 'X', sizeof(got));
		/* What was really written: sums of these stay within the buffer. */
		CHECK_EQ(kernel_scnprintf(got, size, "%d-%s", 123, "abcdef"), size == 0 ? 0 :
									      size - 1 < 10 ?
											  size - 1 :
											  10);
	}
	CHECK_EQ(kernel_snprintf(NULL, 0, "%s", "abc"), 3);
}

BARE_TEST(an_unfinished_conversion_ends_the_text)
{
	CHECK_EQ(kernel_snprintf(got, sizeof(got), "ab%"), 2);
	CHECK_STRING(got, "ab");
	CHECK_EQ(kernel_snprintf(got, sizeof(got), "ab%-5"), 2);
	CHECK_EQ(kernel_snprintf(got, sizeof(got), "ab%l"), 2);
}
