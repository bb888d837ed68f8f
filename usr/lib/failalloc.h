/*
 * failalloc.h - on Ravel: a system call with its first, second, ... allocation failing.
 *
 * Writing N to /proc/self/fail_alloc makes the Nth next allocation of this process fail, once;
 * reading gives "<remaining> <fired>".
 *
 * Locks: none.
 */
#ifndef RAVEL_USR_LIB_FAILALLOC_H
#define RAVEL_USR_LIB_FAILALLOC_H

#include <stdbool.h>

#define FAIL_LIMIT 4000 /* no call has so many allocations */

/* Open the control file, which exec closes; before the two that follow. */
void fail_open(void);
/* Make the nth next allocation fail; 0: none. The count of failures starts at 0 again. */
void fail_arm(int n);
/* Did it? Disarms. A read that fails has met the failure itself: then the operation had not. */
bool fail_fired(void);
/* The raw result of a system call is one of those that tell of a lack of memory. */
bool fail_is_errno(long result);

/*
 * Run op once, then with N = 1, 2, 3, ... until one run in which nothing fired. op returns the raw
 * result of the system call; cleanup undoes a success. Both must touch nothing that the first run
 * has not touched. After each failure /proc/self/maps is as before, and free memory and objects are
 * (testmem.h); else the test fails, as it does when no allocation failed at all.
 */
void fail_each(const char *what, long (*op)(void), void (*cleanup)(long));

#endif
