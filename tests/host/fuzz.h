/*
 * fuzz.h - a fuzzer: random operations done to the real code and to an oracle that is obviously
 * right. fuzz.c has the drawing, and main().
 *
 * A target is one file in tests/host/fuzz/, which defines `fuzz_target`. It becomes two programs:
 * build/host/fuzz/NAME, seeded, by the host's gcc, and build/host/libfuzzer/NAME, guided by
 * coverage, by clang.
 */
#ifndef RAVEL_HOST_FUZZ_H
#define RAVEL_HOST_FUZZ_H

#include "tests/host/host.h"

/* One operation. What the fields mean is the target's; it takes any value. */
struct fuzz_op {
	u16 code;
	u16 a;
	u32 b;
	u64 c;
};

struct fuzz_target {
	const char *name;
	unsigned nr_codes;    /* codes are 0 .. nr_codes - 1 */
	unsigned default_ops; /* of one run of the seeded program */
	/*
	 * A run: start, steps, end. Called again and again in one process, so the end must leave
	 * the machine at rest (it is booted once, by the first start).
	 */
	void (*start)(void);
	/* Does @op to both and compares them; panics when they differ. */
	void (*step)(const struct fuzz_op *op);
	void (*end)(void);
	/* @op in words of C, with a newline: a line of a unit test if there is a prologue. */
	void (*print)(FILE *out, const struct fuzz_op *op);
	/*
	 * The lines that the unit test's file begins with, and what stands before and after those
	 * that print() gives. All NULL: the unit test includes the target's file, and does the
	 * operations as they are.
	 */
	const char *includes, *prologue, *epilogue;
};

extern const struct fuzz_target fuzz_target;

#endif
