/*
 * date.c - print the time, or set it; -u in UTC, -d DATE that time, -r FILE when it was changed,
 * -s DATE set the clock, -I the date as 2024-01-31, +FORMAT as strftime() has it, with %N.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/date.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "date [-uI] [-d date | -r file | -s date] [+format]";

static void print(const char *format, const struct timespec *when)
{
	char expanded[2048], text[4096];
	size_t length = 0;
	struct tm tm;

	/* %N, the nanoseconds, is not strftime()'s. */
	while (*format && length < sizeof(expanded) - 12) {
		if (format[0] == '%' && format[1] == 'N') {
			length += sprintf(expanded + length, "%09ld", when->tv_nsec);
			format += 2;
			continue;
		}
		if (format[0] == '%' && format[1])
			expanded[length++] = *format++;
		expanded[length++] = *format++;
	}
	expanded[length] = '\0';
	if (!localtime_r(&when->tv_sec, &tm))
		die_errno(STATUS_FAILED, "time");
	text[0] = '\0';
	strftime(text, sizeof(text), expanded, &tm);
	puts(text);
}

int main(int argc, char **argv)
{
	const char *format = "%a %b %e %H:%M:%S %Z %Y";
	struct timespec when;
	bool set = false;
	struct stat st;
	int option;

	clock_gettime(CLOCK_REALTIME, &when);
	while ((option = getopt(argc, argv, "uId:r:s:")) != -1) {
		if (option == '?')
			usage(synopsis);
		if (option == 'u')
			setenv("TZ", "UTC0", 1);
		if (option == 'I')
			format = "%Y-%m-%d";
		if ((option == 'd' || option == 's') && parse_date(optarg, &when) < 0)
			die(STATUS_FAILED, "%s: not a date", optarg);
		set |= option == 's';
		if (option == 'r') {
			if (stat(optarg, &st) < 0)
				die_errno(STATUS_FAILED, "%s", optarg);
			when = st.st_mtim;
		}
	}
	if (optind < argc && argv[optind][0] == '+')
		format = argv[optind++] + 1;
	if (optind < argc)
		usage(synopsis);
	if (set && clock_settime(CLOCK_REALTIME, &when) < 0)
		die_errno(STATUS_FAILED, "cannot set the clock");
	print(format, &when);
	return close_stdout(0);
}
