/*
 * date.h - dates as people write them, for date and touch.
 *
 * Invariants: local time, which is UTC without TZ and /etc/localtime.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_DATE_H
#define RAVEL_USR_LIB_DATE_H

#include <time.h>

/*
 * Parse "now", "@SECONDS[.fraction]", "YYYY-MM-DD", "YYYY-MM-DD[ T]HH:MM[:SS[.fraction]]" or a time
 * of today; a Z at the end means UTC.
 * Returns 0 with the time in *@when, or -1 when @text is no date.
 */
int parse_date(const char *text, struct timespec *when);

/* Parse [[CC]YY]MMDDhhmm[.ss], as touch -t and date have it. Returns as parse_date(). */
int parse_stamp(const char *text, struct timespec *when);

#endif
