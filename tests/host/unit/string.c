/*
 * string.c - memory, strings and characters (lib/string.c, lib/ctype.h) against the C library.
 *
 *	host.mk compiles them once more as the kernel sees them: kernel_memcpy() beside memcpy()
 *
 * Copies are tried at every alignment of both ends: words are moved only where both agree.
 */
#include "lib/string.h"

#include <ctype.h>

#include "lib/errno.h"
#include "lib/prng.h"
#include "tests/host/klib/klib.h"
#include "tests/host/test.h"

#define SIZE 512

static u8 got[SIZE], expected[SIZE], source[SIZE];
static const size_t lengths[] = { 0, 1, 7, 8, 9, 15, 16, 63, 64, 65, 71, 72, 127, 128, 200, 300 };

static void fill(void)
{
	struct prng prng = { 1 };

	for (unsigned i = 0; i < SIZE; i++) {
		source[i] = prng_next(&prng);
		got[i] = expected[i] = prng_next(&prng);
	}
}

static void check_same(const char *what, unsigned to, unsigned from, size_t n)
{
	if (memcmp(got, expected, SIZE) != 0)
		host_test_fail(__FILE__, __LINE__, "%s of %zu bytes to +%u from +%u", what, n, to,
			       from);
}

BARE_TEST(memory_is_copied_at_every_alignment)
{
	fill();
	for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
		for (unsigned at = 0; at < 64; at++) {
			unsigned to = 8 + at % 8, from = 16 + at / 8;

			CHECK(kernel_memcpy(got + to, source + from, lengths[l]) == got + to);
			memcpy(expected + to, source + from, lengths[l]);
			check_same("copy", to, from, lengths[l]);
		}
	}
}

BARE_TEST(memory_is_moved_over_itself_both_ways)
{
	fill();
	for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
		for (unsigned to = 64; to < 100; to++) {
			unsigned from = 80;

			CHECK(kernel_memmove(got + to, got + from, lengths[l]) == got + to);
			memmove(expected + to, expected + from, lengths[l]);
			check_same("move", to, from, lengths[l]);
		}
	}
}

BARE_TEST(memory_is_set)
{
	fill();
	for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
		for (unsigned to = 0; to < 16; to++) {
			CHECK(kernel_memset(got + to, 0x1a5 + to, lengths[l]) == got + to);
			memset(expected + to, 0x1a5 + to, lengths[l]);
			check_same("set", to, 0, lengths[l]);
		}
	}
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

BARE_TEST(memory_is_compared_and_searched)
{
	static const char a[] = "abc\0def\xff", b[] = "abc\0deg\x01";

	for (size_t n = 0; n <= sizeof(a); n++) {
		CHECK_EQ(sign(kernel_memcmp(a, b, n)), sign(memcmp(a, b, n)));
		CHECK_EQ(sign(kernel_memcmp(b, a, n)), sign(memcmp(b, a, n)));
		CHECK(kernel_memchr(a, 'f', n) == memchr(a, 'f', n));
		CHECK(kernel_memchr(a, 0x1ff, n) == memchr(a, 0x1ff, n));
	}
	CHECK(kernel_memcmp("\xff", "\x01", 1) > 0); /* unsigned */
}

BARE_TEST(strings_are_measured_compared_and_searched)
{
	static const char *const s[] = { "",	 "a",	 "ab",	   "abc",	"abd", "b",
					 "\xff", "abab", "aababc", "abcabcabd", "cabd" };

	for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
		CHECK_EQ(kernel_strlen(s[i]), strlen(s[i]));
		CHECK(kernel_strchr(s[i], 'b') == strchr(s[i], 'b'));
		CHECK(kernel_strchr(s[i], 0) == strchr(s[i], 0));
		CHECK(kernel_strrchr(s[i], 'b') == strrchr(s[i], 'b'));
		CHECK(kernel_strrchr(s[i], 0) == strrchr(s[i], 0));
		CHECK(kernel_strchr(s[i], 0xff) == strchr(s[i], 0xff));
		for (unsigned j = 0; j < ARRAY_SIZE(s); j++) {
			CHECK_EQ(sign(kernel_strcmp(s[i], s[j])), sign(strcmp(s[i], s[j])));
			CHECK(kernel_strstr(s[i], s[j]) == strstr(s[i], s[j]));
			for (size_t n = 0; n < 5; n++) {
				CHECK_EQ(sign(kernel_strncmp(s[i], s[j], n)),
					 sign(strncmp(s[i], s[j], n)));
				CHECK_EQ(kernel_strnlen(s[i], n), strnlen(s[i], n));
			}
		}
	}
}

BARE_TEST(a_copy_of_a_string_is_cut_and_terminated)
{
	char buf[8] = "1234567";

	CHECK_EQ(kernel_strlcpy(buf, "abc", 8), 3);
	CHECK_STRING(buf, "abc");
	CHECK_EQ(buf[4], '5'); /* no more than its NUL */
	CHECK_EQ(kernel_strlcpy(buf, "abcdefgh", 4), 8);
	CHECK_STRING(buf, "abc");
	CHECK_EQ(kernel_strlcpy(buf, "xyz", 0), 3);
	CHECK_STRING(buf, "abc");
	CHECK_EQ(kernel_strlcat(buf, "def", 8), 6);
	CHECK_STRING(buf, "abcdef");
	CHECK_EQ(kernel_strlcat(buf, "ghi", 8), 9);
	CHECK_STRING(buf, "abcdefg");
	CHECK_EQ(kernel_strlcat(buf, "z", 3), 4); /* no room, not even for what is there */
	CHECK_STRING(buf, "abcdefg");
}

/* ---- numbers ---- */

static const struct {
	const char *text;
	int base;
	int err;
	unsigned long value;
} numbers[] = {
	{ "0", 10, 0, 0 },
	{ "42", 10, 0, 42 },
	{ "42\n", 10, 0, 42 },
	{ "42\n\n", 10, -EINVAL, 0 },
	{ "42 ", 10, -EINVAL, 0 },
	{ " 42", 10, -EINVAL, 0 },
	{ "-1", 10, -EINVAL, 0 },
	{ "+1", 10, -EINVAL, 0 },
	{ "", 10, -EINVAL, 0 },
	{ "\n", 10, -EINVAL, 0 },
	{ "0x1f", 0, 0, 0x1f },
	{ "0X1F", 0, 0, 0x1f },
	{ "0x1f", 16, 0, 0x1f },
	{ "1f", 16, 0, 0x1f },
	{ "0x", 16, -EINVAL, 0 },
	{ "0x", 0, -EINVAL, 0 },
	{ "0x1f", 10, -EINVAL, 0 },
	{ "017", 0, 0, 15 },
	{ "08", 0, -EINVAL, 0 },
	{ "17", 8, 0, 15 },
	{ "18", 8, -EINVAL, 0 },
	{ "1g", 16, -EINVAL, 0 },
	{ "18446744073709551615", 10, 0, ~0UL },
	{ "18446744073709551616", 10, -ERANGE, 0 },
	{ "18446744073709551620", 10, -ERANGE, 0 },
	{ "99999999999999999999999", 10, -ERANGE, 0 },
	{ "ffffffffffffffff", 16, 0, ~0UL },
	{ "10000000000000000", 16, -ERANGE, 0 },
};

BARE_TEST(numbers_are_whole_strings)
{
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		unsigned long value = 77;
		int err = kernel_kstrtoul(numbers[i].text, numbers[i].base, &value);

		if (err != numbers[i].err || value != (err ? 77 : numbers[i].value))
			host_test_fail(__FILE__, __LINE__, "\"%s\" in base %d: %d, %lu",
				       numbers[i].text, numbers[i].base, err, value);
	}
}

/* ---- characters ---- */

BARE_TEST(ascii_characters_have_their_classes)
{
	for (int c = 0; c < 128; c++) {
		unsigned classes = (isdigit(c) != 0) | (isspace(c) != 0) << 1 |
				   (isupper(c) != 0) << 2 | (isalpha(c) != 0) << 3 |
				   (isxdigit(c) != 0) << 4 | (isprint(c) != 0) << 5;

		CHECK_EQ(kernel_ctype(c), classes);
		CHECK_EQ(kernel_toupper(c), toupper(c));
		CHECK_EQ(kernel_tolower(c), tolower(c));
	}
	for (int c = 128; c < 256; c++)
		CHECK_EQ(kernel_ctype(c), 0);
}
