/*
 * measure.h - one trace on one allocator, in a process that has done nothing else.
 */
#ifndef RAVEL_USR_BENCH_MALLOCBENCH_MEASURE_H
#define RAVEL_USR_BENCH_MALLOCBENCH_MEASURE_H

#include "usr/bench/mallocbench/trace.h"

/* The name of the allocator that this program is linked with: "umalloc" or "glibc". */
const char *linked_allocator(void);

/*
 * Replay and print one line: "payload heap cost operations faults".  payload is the most bytes that
 * were allocated at a time, heap the most that the allocator had; cost is the sum over all
 * operations, in instructions where the machine can count them (or where one is 1 ns), else in ns;
 * faults are page faults.  Every block was checked: alignment, and contents until it was freed.
 */
void measure(const struct trace *trace, const char *allocator);

/* Replay and print up to so many lines "operation payload heap". */
void timeline(const struct trace *trace, const char *allocator, size_t lines);

#endif
