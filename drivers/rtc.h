/*
 * rtc.h - the clock chip: what time it was at boot.
 */
#ifndef RAVEL_DRIVERS_RTC_H
#define RAVEL_DRIVERS_RTC_H

#include "lib/types.h"

void rtc_init(void);
/* Nanoseconds since 1970 when ktime_ns() was 0; 0 when there is no clock chip. */
u64 rtc_boot_ns(void);

#endif
