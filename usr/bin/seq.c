/*
 * seq.c - print numbers: seq LAST, seq FIRST LAST, seq FIRST STEP LAST.
 *
 *	-s TEXT between them instead of a newline, -w all of one width, -f FORMAT as printf has it
 *
 * Invariants: as many decimals are printed as FIRST and STEP have; sums do not gather errors.
 * Locks: none.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static const char synopsis[] = "seq [-w] [-s text] [-f format] [first [step]] last";

static double parse(const char *text, int *decimals)
{
	const char *point = strchr(text, '.');
	char *end;
	double value = strtod(text, &end);
	int digits = point ? strlen(point + 1) : 0;

	if (end == text || *end || value != value)
		die(STATUS_FAILED, "%s: not a number", text);
	if (digits > *decimals)
		*decimals = digits;
	return value;
}

/* A format must take one double, and no more. */
static void check_format(const char *format)
{
	const char *at = format;
	int conversions = 0;

	while ((at = strchr(at, '%')) != NULL) {
		at++;
		if (*at == '%') {
			at++;
			continue;
		}
		at += strspn(at, "-+ #0123456789.");
		if (!*at || !strchr("aefgAEFG", *at))
			die(STATUS_FAILED, "%s: not a format for a number", format);
		conversions++;
	}
	if (conversions != 1)
		die(STATUS_FAILED, "%s: not a format for one number", format);
}

/* The numbers, up to half of the last decimal behind @last: sums of decimals are not exact. */
static void print(double first, double step, double last, const char *format, int decimals,
		  const char *separator)
{
	double slack = decimals ? 0.5 : 0;

	for (int i = 0; i < decimals; i++)
		slack /= 10;
	last += step > 0 ? slack : -slack;
	for (long long i = 0;; i++) {
		double value = first + i * step;

		if (step > 0 ? value > last : value < last) {
			if (i)
				putchar('\n');
			return;
		}
		if (i)
			fputs(separator, stdout);
		printf(format, value);
	}
}

/* "%.2f", or "%07.2f" where the longer of the two takes seven columns. */
static const char *make_format(double first, double last, int decimals, bool equal_width)
{
	static char format[32];
	int width = snprintf(NULL, 0, "%.*f", decimals, first);
	int other = snprintf(NULL, 0, "%.*f", decimals, last);

	if (equal_width)
		snprintf(format, sizeof(format), "%%0%d.%df", width > other ? width : other,
			 decimals);
	else
		snprintf(format, sizeof(format), "%%.%df", decimals);
	return format;
}

/* Is the argument a number, or the first of those: no option? */
static bool is_number(const char *text)
{
	text += *text == '-';
	return isdigit((unsigned char)*text) || *text == '.';
}

int main(int argc, char **argv)
{
	const char *separator = "\n", *format = NULL;
	double first = 1, step = 1, last;
	int decimals = 0, ignored = 0;
	bool equal_width = false;
	int count, option;

	while (optind < argc && !is_number(argv[optind]) &&
	       (option = getopt(argc, argv, "+ws:f:")) != -1) {
		if (option == '?')
			usage(synopsis);
		if (option == 'w')
			equal_width = true;
		else if (option == 's')
			separator = optarg;
		else
			check_format(format = optarg);
	}
	count = argc - optind;
	if (count < 1 || count > 3)
		usage(synopsis);
	if (count > 1)
		first = parse(argv[optind], &decimals);
	if (count > 2)
		step = parse(argv[optind + 1], &decimals);
	last = parse(argv[argc - 1], &ignored);
	if (step == 0)
		die(STATUS_FAILED, "the step must not be 0");
	if (!format)
		format = make_format(first, last, decimals, equal_width);
	print(first, step, last, format, decimals, separator);
	return close_stdout(0);
}
