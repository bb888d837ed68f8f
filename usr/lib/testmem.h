/*
 * testmem.h - compares the machine's memory from before and after a TEST (Ravel only).
 *
 * On Linux all of these do nothing and report success.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TESTMEM_H
#define RAVEL_USR_LIB_TESTMEM_H

#include <stdbool.h>

/* Remember free memory and object counts. */
void testmem_before(void);

/*
 * Compare with testmem_before(), for up to two seconds, because frees may be deferred; then run
 * vm_check_all().  Prints what differs as diagnostics.  Returns true when all is as before.
 */
bool testmem_after(void);

/* Only wait till the counts are as before, or two seconds. Returns true when they are. */
bool testmem_settle(void);

/* Wait till the machine is as the last call of one of those two left it, or two seconds. */
void testmem_rest(void);

#endif
