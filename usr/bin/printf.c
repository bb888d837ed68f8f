/*
 * printf.c - print the arguments by a format, again for as long as there are arguments.
 *
 *	%s %b (with backslashes) %c %d %i %u %o %x %X %e %f %g %%, \n and the like, \ooo, \c: stop
 *
 * Invariants: a missing argument is empty, or 0.  Locks: none.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usr/lib/tool.h"

static char **arguments; /* what is left of them */
static int status;

static const char *take(void)
{
	return *arguments ? *arguments++ : "";
}

/* Print the backslash sequence at @text, which is behind the backslash. Returns what follows it. */
static const char *print_escape(const char *text)
{
	static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
	const char *letter = *text ? strchr(letters, *text) : NULL;
	int value = 0;

	if (*text == 'c')
		exit(close_stdout(status));
	if (*text >= '0' && *text <= '7') {
		for (int i = 0; i < 3 + (*text == '0') && *text >= '0' && *text <= '7'; i++)
			value = value * 8 + *text++ - '0';
		putchar(value);
		return text;
	}
	if (letter) {
		putchar(bytes[letter - letters]);
		return text + 1;
	}
	putchar('\\');
	return text;
}

static void print_escaped(const char *text)
{
	while (*text) {
		if (*text == '\\')
			text = print_escape(text + 1);
		else
			putchar(*text++);
	}
}

static void check(const char *text, const char *end)
{
	if (!errno && !*end)
		return;
	warn("%s: not a number", text);
	status = STATUS_FAILED;
}

/* 'x is the number of the character x. */
static long long integer(const char *text)
{
	long long value;
	char *end;

	if (*text == '\'' || *text == '"')
		return (unsigned char)text[1];
	errno = 0;
	value = strtoll(text, &end, 0);
	if (errno == ERANGE && *text != '-') {
		errno = 0;
		value = strtoull(text, &end, 0);
	}
	check(text, end);
	return value;
}

static void print_number(const char *flags, char conversion, const char *text)
{
	char format[48];
	double value;
	char *end;

	if (strchr("diuoxX", conversion)) {
		snprintf(format, sizeof(format), "%s%s%c", flags, "ll", conversion);
		printf(format, integer(text));
		return;
	}
	errno = 0;
	value = strtod(text, &end);
	check(text, end);
	snprintf(format, sizeof(format), "%s%c", flags, conversion);
	printf(format, value);
}

/* One conversion, from behind its %. Returns what follows it. */
static const char *print_conversion(const char *text)
{
	char flags[32] = "%";
	size_t length = 1;

	while (*text && strchr("-+ #0123456789.*", *text) && length < 20) {
		if (*text == '*')
			length += sprintf(flags + length, "%d", (int)integer(take()));
		else
			flags[length++] = *text;
		text++;
	}
	flags[length] = '\0';
	if (*text == '%') {
		putchar('%');
	} else if (*text == 'b') {
		print_escaped(take());
	} else if (*text == 's') {
		strcat(flags, "s");
		printf(flags, take());
	} else if (*text == 'c') {
		const char *argument = take();

		if (*argument)
			putchar(*argument);
	} else if (*text && strchr("diuoxXeEfFgG", *text)) {
		print_number(flags, *text, take());
	} else {
		die(STATUS_FAILED, "%%%c: not a conversion", *text);
	}
	return text + 1;
}

int main(int argc, char **argv)
{
	char **before;

	if (argc > 1 && strcmp(argv[1], "--") == 0) {
		argv++;
		argc--;
	}
	if (argc < 2)
		usage("printf format [argument...]");
	arguments = argv + 2;
	do {
		const char *format = argv[1];

		before = arguments;
		while (*format) {
			if (*format == '%')
				format = print_conversion(format + 1);
			else if (*format == '\\')
				format = print_escape(format + 1);
			else
				putchar(*format++);
		}
	} while (*arguments && arguments > before);
	return close_stdout(status);
}
