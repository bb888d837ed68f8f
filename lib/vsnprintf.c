/*
 * vsnprintf.c - formatted text into a bounded buffer.
 *
 *	"%-08lx"  ->  struct spec { flags, width, precision, length, conversion }  ->  characters
 *
 * Every character goes through out(), which counts always and stores while there is room: so the
 * buffer cannot be overrun and the return value is the untruncated length.
 *
 * Locks: none.
 */
#include "lib/vsnprintf.h"

#include "lib/ctype.h"
#include "lib/string.h"

#if !defined(__STDC_HOSTED__) || __STDC_HOSTED__ == 0

struct sink {
	char *buf;
	size_t size, len;
};

struct spec {
	bool left, zero, plus, space, alt;
	int width, precision; /* precision -1: none given */
	int length;	      /* -2 hh, -1 h, 0, 1 l, 2 ll j z t */
};

static void out(struct sink *sink, char c)
{
	if (sink->len + 1 < sink->size)
		sink->buf[sink->len] = c;
	sink->len++;
}

static void out_many(struct sink *sink, char c, int n)
{
	while (n-- > 0)
		out(sink, c);
}

static const char *parse_flags(const char *p, struct spec *spec)
{
	for (;; p++) {
		switch (*p) {
		case '-':
			spec->left = true;
			break;
		case '0':
			spec->zero = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->space = true;
			break;
		case '#':
			spec->alt = true;
			break;
		default:
			return p;
		}
	}
}

static const char *parse_number(const char *p, int *number)
{
	*number = 0;
	while (isdigit(*p))
		*number = *number * 10 + *p++ - '0';
	return p;
}

static const char *parse_length(const char *p, struct spec *spec)
{
	switch (*p) {
	case 'h':
		spec->length = p[1] == 'h' ? -2 : -1;
		return p + (p[1] == 'h' ? 2 : 1);
	case 'l':
		spec->length = p[1] == 'l' ? 2 : 1;
		return p + (p[1] == 'l' ? 2 : 1);
	case 'j':
	case 'z':
	case 't':
		spec->length = 2;
		return p + 1;
	default:
		return p;
	}
}

static void put_string(struct sink *sink, const struct spec *spec, const char *s)
{
	size_t len;

	if (!s)
		s = "(null)";
	len = spec->precision >= 0 ? strnlen(s, spec->precision) : strlen(s);
	if (!spec->left)
		out_many(sink, ' ', spec->width - (int)len);
	for (size_t i = 0; i < len; i++)
		out(sink, s[i]);
	if (spec->left)
		out_many(sink, ' ', spec->width - (int)len);
}

/* @prefix ("", "-", "0x" ...), zeros, digits; padded to the width. */
static void put_number(struct sink *sink, const struct spec *spec, const char *prefix, u64 value,
		       unsigned base, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	int prefix_len = strlen(prefix), len = 0, zeros;
	char text[24];

	for (; value > 0; value /= base)
		text[len++] = digits[value % base];
	if (len == 0 && spec->precision != 0)
		text[len++] = '0';
	zeros = spec->precision - len;
	if (spec->precision < 0 && spec->zero && !spec->left)
		zeros = spec->width - prefix_len - len;
	if (zeros < 0)
		zeros = 0;
	/* An octal number with # begins with a zero, whoever put it there. */
	if (base == 8 && spec->alt && zeros == 0 && (len == 0 || text[len - 1] != '0'))
		text[len++] = '0';
	if (!spec->left)
		out_many(sink, ' ', spec->width - prefix_len - zeros - len);
	while (*prefix)
		out(sink, *prefix++);
	out_many(sink, '0', zeros);
	for (int i = len; i > 0; i--)
		out(sink, text[i - 1]);
	if (spec->left)
		out_many(sink, ' ', spec->width - prefix_len - zeros - len);
}

static void put_signed(struct sink *sink, const struct spec *spec, s64 value)
{
	const char *prefix = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

	put_number(sink, spec, prefix, value < 0 ? -(u64)value : (u64)value, 10, false);
}

static s64 narrow_signed(s64 value, int length)
{
	return length == -2 ? (signed char)value : length == -1 ? (short)value : value;
}

static u64 narrow_unsigned(u64 value, int length)
{
	return length == -2 ? (u8)value : length == -1 ? (u16)value : value;
}

static void put_unsigned(struct sink *sink, const struct spec *spec, u64 value, char conv)
{
	const char *prefix = "";

	value = narrow_unsigned(value, spec->length);
	if (spec->alt && value != 0)
		prefix = conv == 'x' ? "0x" : conv == 'X' ? "0X" : "";
	put_number(sink, spec, prefix, value, conv == 'o' ? 8 : conv == 'u' ? 10 : 16, conv == 'X');
}

/* One conversion; va_list in a struct so that it can be handed on by address everywhere. */
struct args {
	va_list ap;
};

static void convert(struct sink *sink, const struct spec *spec, char conv, struct args *args)
{
	switch (conv) {
	case 'd':
	case 'i':
		put_signed(sink, spec,
			   spec->length > 0 ? va_arg(args->ap, long) :
					      narrow_signed(va_arg(args->ap, int), spec->length));
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		put_unsigned(sink, spec,
			     spec->length > 0 ? va_arg(args->ap, unsigned long) :
						va_arg(args->ap, unsigned int),
			     conv);
		break;
	case 'p':
		put_number(sink, spec, "0x", (uintptr_t)va_arg(args->ap, void *), 16, false);
		break;
	case 'c':
		out_many(sink, ' ', spec->left ? 0 : spec->width - 1);
		out(sink, va_arg(args->ap, int));
		out_many(sink, ' ', spec->left ? spec->width - 1 : 0);
		break;
	case 's':
		put_string(sink, spec, va_arg(args->ap, const char *));
		break;
	default:
		out(sink, conv); /* %% */
		break;
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct sink sink = { buf, size, 0 };
	struct args args;

	va_copy(args.ap, ap);
	while (*fmt) {
		struct spec spec = { .precision = -1 };

		if (*fmt != '%') {
			out(&sink, *fmt++);
			continue;
		}
		fmt = parse_flags(fmt + 1, &spec);
		if (*fmt == '*') {
			spec.width = va_arg(args.ap, int);
			spec.left |= spec.width < 0;
			spec.width = spec.width < 0 ? -spec.width : spec.width;
			fmt++;
		} else {
			fmt = parse_number(fmt, &spec.width);
		}
		if (*fmt == '.' && fmt[1] == '*') {
			spec.precision = va_arg(args.ap, int);
			fmt += 2;
		} else if (*fmt == '.') {
			fmt = parse_number(fmt + 1, &spec.precision);
		}
		fmt = parse_length(fmt, &spec);
		if (!*fmt)
			break;
		convert(&sink, &spec, *fmt++, &args);
	}
	va_end(args.ap);
	if (size > 0)
		buf[min(sink.len, size - 1)] = '\0';
	return sink.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return len;
}
#endif

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (size == 0)
		return 0;
	return min((size_t)len, size - 1);
}
