/*
 * date.c - dates as people write them; the contracts are in date.h.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/lib/date.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The digits of ".5", ".123456789": nanoseconds. Leaves *@text behind them. */
static long parse_fraction(const char **text)
{
	long nanoseconds = 0;
	long unit = 100000000;

	if (**text != '.')
		return 0;
	for ((*text)++; isdigit((unsigned char)**text); (*text)++) {
		nanoseconds += (**text - '0') * unit;
		unit /= 10;
	}
	return nanoseconds;
}

/* mktime() and timegm() accept the 40th of a month: a date must come back as it went in. */
static int to_time(struct tm *tm, bool utc, time_t *when)
{
	struct tm asked = *tm;

	tm->tm_isdst = -1;
	*when = utc ? timegm(tm) : mktime(tm);
	if (tm->tm_mon != asked.tm_mon || tm->tm_mday != asked.tm_mday ||
	    tm->tm_hour != asked.tm_hour || tm->tm_min != asked.tm_min)
		return -1;
	return 0;
}

int parse_date(const char *text, struct timespec *when)
{
	const char *end;
	struct tm tm;
	bool utc;

	clock_gettime(CLOCK_REALTIME, when);
	if (strcmp(text, "now") == 0)
		return 0;
	if (*text == '@') {
		when->tv_sec = strtoll(text + 1, (char **)&end, 10);
		when->tv_nsec = parse_fraction(&end);
		return end == text + 1 || *end ? -1 : 0;
	}
	localtime_r(&when->tv_sec, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	when->tv_nsec = 0;
	end = strptime(text, "%Y-%m-%d", &tm);
	if (end && *end == 'T')
		text = end + 1;
	else if (end)
		text = end + strspn(end, " ");
	if (*text) {
		end = strptime(text, "%H:%M:%S", &tm);
		if (!end)
			end = strptime(text, "%H:%M", &tm);
		if (!end)
			return -1;
		when->tv_nsec = parse_fraction(&end);
	}
	utc = *end == 'Z';
	return end[utc] ? -1 : to_time(&tm, utc, &when->tv_sec);
}

int parse_stamp(const char *text, struct timespec *when)
{
	static const char *const formats[] = { "%m%d%H%M", "%y%m%d%H%M", "%Y%m%d%H%M" };
	size_t length = strcspn(text, ".");
	time_t now = time(NULL);
	const char *end;
	struct tm tm;

	if (length != 8 && length != 10 && length != 12)
		return -1;
	localtime_r(&now, &tm);
	tm.tm_sec = 0;
	end = strptime(text, formats[(length - 8) / 2], &tm);
	if (end && *end == '.')
		end = strptime(end + 1, "%S", &tm);
	when->tv_nsec = 0;
	return !end || *end ? -1 : to_time(&tm, false, &when->tv_sec);
}
