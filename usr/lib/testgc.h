/*
 * testgc.h - what tests of the garbage collector have in common.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TESTGC_H
#define RAVEL_USR_LIB_TESTGC_H

/* Overwrite what calls before this one left below the caller's frame: addresses, for instance. */
void scrub_stack(void);

/* Fail the running TEST with what gc_check() says, if it finds anything. */
void check_heap(void);

#endif
