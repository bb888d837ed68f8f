/*
 * testgc.c - what tests of the garbage collector have in common.  Locks: none.
 */
#include "usr/lib/test.h"

#include <stddef.h>

#include "usr/lib/gc/gc.h"
#include "usr/lib/testgc.h"

/* Whatever the compiler knows of it, a call is a call: callers count on a frame of its own. */
__attribute__((noipa)) void scrub_stack(void)
{
	volatile char bytes[16384];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0;
}

void check_heap(void)
{
	const char *broken = gc_check();

	CHECK_STRING(broken ? broken : "", "");
}
