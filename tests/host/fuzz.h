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
	/* @op as one line of the body of a unit test, with a newline. */
	void (*print)(FILE *out, const struct fuzz_op *op);
	/* The lines that the unit test's file begins with; may be NULL. */
	const char *includes;
	/* What stands before and after these lines in the unit test; may be NULL. */
	const char *prologue, *epilogue;
};

extern const struct fuzz_target fuzz_target;

/*
 * For one in eight of @draw, random bits of the operation, the n-th allocation from now on fails, n
 * from 1 to 12; for the others none does.
 */
void fuzz_fail_alloc(u64 draw);
/* True when it failed since; none will from now on. */
bool fuzz_alloc_failed(void);

#endif
