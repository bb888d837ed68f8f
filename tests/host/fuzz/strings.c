/*
 * strings.c - the kernel's strings, numbers and formats against this machine's C library.
 *
 *	lib/string.c lib/vsnprintf.c --freestanding, renamed--> kernel_strlen(), kernel_snprintf()
 *	libc                                                    strlen(), snprintf()
 *
 * Strings are of few different characters, so that they match often, and lie in memory of exactly
 * their size. Only what lib/vsnprintf.h promises is asked for: where C leaves a combination of
 * flags open, the two may differ.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/panic.h"
#include "lib/errno.h"
#include "lib/prng.h"
#include "tests/host/fuzz.h"
#include "tests/host/klib/klib.h"

#undef errno
extern int *__errno_location(void);

enum { OP_COMPARE, OP_SEARCH, OP_MOVE, OP_COPY, OP_NUMBER, OP_FORMAT, OP_FORMAT_TOO, NR_CODES };

#define MAX_ARGS 12

static int sign(int n)
{
	return n < 0 ? -1 : n > 0;
}

/* A string of @len characters of @alphabet in memory of its size; the caller frees it. */
static char *random_string(struct prng *prng, const char *alphabet, size_t len)
{
	char *s = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		s[i] = alphabet[prng_below(prng, strlen(alphabet))];
	s[len] = '\0';
	return s;
}

/* ---- memory and strings ---- */

static void do_compare(struct prng *prng)
{
	size_t len = prng_below(prng, 40), n = prng_below(prng, 48), both;
	char *a = random_string(prng, "ab\xff", len);
	char *b = random_string(prng, "ab\xff", prng_below(prng, 40));

	if (prng_below(prng, 2)) { /* nearly equal */
		free(b);
		b = strdup(a);
		if (len)
			b[prng_below(prng, len)] ^= prng_below(prng, 2);
	}
	both = min(n, min(strlen(a), strlen(b)));
	BUG_ON(kernel_strlen(a) != strlen(a) || kernel_strnlen(a, n) != strnlen(a, n));
	BUG_ON(sign(kernel_strcmp(a, b)) != sign(strcmp(a, b)));
	BUG_ON(sign(kernel_strncmp(a, b, n)) != sign(strncmp(a, b, n)));
	BUG_ON(sign(kernel_memcmp(a, b, both)) != sign(memcmp(a, b, both)));
	free(a);
	free(b);
}

static void do_search(struct prng *prng)
{
	size_t len = prng_below(prng, 40);
	char *a = random_string(prng, "abc", len);
	char *needle = random_string(prng, "abc", prng_below(prng, 5));
	int c = "abcd"[prng_below(prng, 5)]; /* the end of the string too */

	BUG_ON(kernel_strchr(a, c) != strchr(a, c) || kernel_strrchr(a, c) != strrchr(a, c));
	BUG_ON(kernel_memchr(a, c, len) != memchr(a, c, len));
	BUG_ON(kernel_strstr(a, needle) != strstr(a, needle));
	free(a);
	free(needle);
}

static void do_move(struct prng *prng)
{
	size_t room = 1 + prng_below(prng, 200), n = prng_below(prng, room);
	size_t from = prng_below(prng, room - n + 1), to = prng_below(prng, room - n + 1);
	char *a = random_string(prng, "abcdefgh", room), *b = strdup(a);

	BUG_ON(kernel_memmove(a + to, a + from, n) != a + to);
	memmove(b + to, b + from, n);
	BUG_ON(memcmp(a, b, room) != 0);
	BUG_ON(kernel_memset(a + to, 'x' + 256, n) != a + to);
	memset(b + to, 'x', n);
	BUG_ON(memcmp(a, b, room) != 0);
	BUG_ON(kernel_memcpy(a, b + from, n) != a || memcmp(a, b + from, n) != 0);
	free(a);
	free(b);
}

static void do_copy(struct prng *prng)
{
	size_t size = prng_below(prng, 30), len = prng_below(prng, 40), before;
	char *source = random_string(prng, "abc", len);
	char *a = malloc(size), *b = malloc(size);

	BUG_ON(kernel_strlcpy(a, source, size) != len);
	if (size)
		snprintf(b, size, "%s", source);
	BUG_ON(memcmp(a, b, size ? strlen(b) + 1 : 0) != 0);
	before = size ? strlen(a) : 0;
	BUG_ON(kernel_strlcat(a, source, size) != before + len);
	if (size)
		snprintf(b + before, size - before, "%s", source);
	BUG_ON(memcmp(a, b, size ? strlen(b) + 1 : 0) != 0);
	free(a);
	free(b);
	free(source);
}

/* ---- numbers ---- */

/* Strictly digits, where strtoul() also takes blanks and signs. */
static int oracle_number(const char *s, int base, unsigned long *value)
{
	char *end;

	if (!((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')))
		return -EINVAL;
	*__errno_location() = 0;
	*value = strtoul(s, &end, base);
	if (*__errno_location() == ERANGE)
		return -ERANGE;
	if (end == s)
		return -EINVAL;
	return *end == '\0' || strcmp(end, "\n") == 0 ? 0 : -EINVAL;
}

static void do_number(struct prng *prng)
{
	static const int bases[] = { 0, 8, 10, 16, 2, 36 };
	static const char *const alphabets[] = { "0123456789", "01", "0xXfF9-+ \nzZ", "89afAF" };
	int base = bases[prng_below(prng, ARRAY_SIZE(bases))], expected;
	char *digits = random_string(prng, alphabets[prng_below(prng, ARRAY_SIZE(alphabets))],
				     prng_below(prng, 26));
	unsigned long ours = 77, theirs = 77;
	char *s = malloc(64);

	snprintf(s, 64, "%s%s%s", prng_below(prng, 3) ? "" : "0x", digits,
		 prng_below(prng, 4) ? "" : "\n");
	expected = oracle_number(s, base, &theirs);
	BUG_ON(kernel_kstrtoul(s, base, &ours) != expected);
	BUG_ON(ours != (expected ? 77 : theirs));
	free(digits);
	free(s);
}

/* ---- formats ---- */

struct format {
	char text[256];
	u64 args[MAX_ARGS];
	unsigned nr_args;
};

static void __printf(2, 3) append(struct format *format, const char *fmt, ...)
{
	size_t used = strlen(format->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(format->text + used, sizeof(format->text) - used, fmt, ap);
	va_end(ap);
}

/* A width, or with @dot a precision: none, a number, or one from the arguments. */
static void append_number(struct format *format, struct prng *prng, bool dot)
{
	unsigned n = prng_below(prng, 30);

	switch (prng_below(prng, 4)) {
	case 0:
		append(format, "%s%u", dot ? "." : "", n);
		break;
	case 1:
		append(format, "%s*", dot ? "." : "");
		format->args[format->nr_args++] = (u64)(s64)(int)(n - 10);
		break;
	case 2:
		append(format, "%s", dot ? "." : "");
		break;
	default:
		break;
	}
}

static u64 some_value(struct prng *prng)
{
	static const u64 edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, ~0UL, 1UL << 63 };
	u64 value = prng_next(prng) >> prng_below(prng, 64);

	return prng_below(prng, 3) ? value : edges[prng_below(prng, ARRAY_SIZE(edges))];
}

static void append_integer(struct format *format, struct prng *prng)
{
	static const char *const lengths[] = { "", "hh", "h", "l", "ll", "j", "z", "t" };
	char conversion = "diuxXo"[prng_below(prng, 6)];
	bool is_signed = conversion == 'd' || conversion == 'i';

	append(format, "%%");
	for (unsigned n = prng_below(prng, 3); n > 0; n--) {
		char flag = "-0+ #"[prng_below(prng, 5)];

		if (flag == '#' && (is_signed || conversion == 'u'))
			continue;
		if ((flag == '+' || flag == ' ') && !is_signed)
			continue;
		append(format, "%c", flag);
	}
	append_number(format, prng, false);
	append_number(format, prng, true);
	append(format, "%s%c", lengths[prng_below(prng, ARRAY_SIZE(lengths))], conversion);
	format->args[format->nr_args++] = some_value(prng);
}

static void append_conversion(struct format *format, struct prng *prng, const char *string)
{
	const char *left = prng_below(prng, 2) ? "-" : "";

	switch (prng_below(prng, 8)) {
	case 0:
		append(format, "%%%s", left);
		append_number(format, prng, false);
		append(format, "c");
		format->args[format->nr_args++] = 'a' + prng_below(prng, 26);
		break;
	case 1:
		append(format, "%%%s", left);
		append_number(format, prng, false);
		append_number(format, prng, true);
		append(format, "s");
		format->args[format->nr_args++] = (u64)string;
		break;
	case 2:
		append(format, "%%%s", left);
		append_number(format, prng, false);
		append(format, "p");
		format->args[format->nr_args++] = some_value(prng) | 1;
		break;
	case 3:
		append(format, "%%%%");
		break;
	default:
		append_integer(format, prng);
		break;
	}
}

typedef int (*print_fn)(char *buf, size_t size, const char *fmt, ...);

/* Each argument takes a register or 8 bytes of the stack, whatever its type. */
static int call(print_fn fn, char *buf, size_t size, const struct format *f)
{
	const u64 *a = f->args;

	return fn(buf, size, f->text, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9],
		  a[10], a[11]);
}

static void do_format(struct prng *prng)
{
	struct format format = { .nr_args = 0 };
	char *string = random_string(prng, "xyz", prng_below(prng, 12));
	size_t size = prng_below(prng, 4) ? 300 : prng_below(prng, 40);
	char *ours = malloc(size), *theirs = malloc(size);
	int len;

	for (unsigned n = 1 + prng_below(prng, 3); n > 0; n--) {
		append(&format, "%s", prng_below(prng, 2) ? "<" : "");
		append_conversion(&format, prng, string);
	}
	len = call(snprintf, theirs, size, &format);
	if (call(kernel_snprintf, ours, size, &format) != len ||
	    memcmp(ours, theirs, size ? strlen(theirs) + 1 : 0) != 0)
		panic("format \"%s\": \"%s\", should be \"%s\"", format.text, size ? ours : "",
		      size ? theirs : "");
	BUG_ON(call(kernel_scnprintf, ours, size, &format) !=
	       (size == 0 ? 0 : (int)min((size_t)len, size - 1)));
	free(ours);
	free(theirs);
	free(string);
}

static void start(void)
{
}

/* One seed chooses all of an operation: its fields say nothing that could be made smaller. */
static void step(const struct fuzz_op *op)
{
	static void (*const checks[])(struct prng * prng) = {
		[OP_COMPARE] = do_compare,   [OP_SEARCH] = do_search, [OP_MOVE] = do_move,
		[OP_COPY] = do_copy,	     [OP_NUMBER] = do_number, [OP_FORMAT] = do_format,
		[OP_FORMAT_TOO] = do_format,
	};
	struct prng prng = { op->c };

	checks[op->code](&prng);
}

static void print(FILE *out, const struct fuzz_op *op)
{
	static const char *const names[] = { "compare", "search", "move",  "copy",
					     "number",	"format", "format" };

	fprintf(out, "\tdo_%s(0x%llx);\n", names[op->code], (unsigned long long)op->c);
}

const struct fuzz_target fuzz_target = {
	.name = "strings",
	.nr_codes = NR_CODES,
	.default_ops = 20000,
	.start = start,
	.step = step,
	.end = start,
	.print = print,
};
