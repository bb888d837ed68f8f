/*
 * membugs.h - the ten classic memory bugs, each a function that makes its mistake for real.
 *
 * Rules for them: what is wrong is one line, and that line says so. The compiler is kept from
 * seeing through it (volatile, noipa), not asked to look away. Each prints what it saw.
 */
#ifndef RAVEL_USR_BIN_MEMBUGS_H
#define RAVEL_USR_BIN_MEMBUGS_H

/* The function keeps its frame and its stores, whatever its callers are. */
#define APART __attribute__((noipa))

/* pointers.c */
void bad_pointer(void);
void operator_precedence(void);
void pointer_arithmetic(void);

/* heapbugs.c */
void uninitialised_read(void);
void pointer_size(void);
void off_by_one(void);
void use_after_free(void);
void leak(void);

/* stackbugs.c */
void buffer_overflow(void);
void dangling_address(void);

/* fault.c: tell where a SIGSEGV or SIGBUS comes from, then let it end the process. */
void explain_faults(void);

#endif
