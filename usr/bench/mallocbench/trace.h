/*
 * trace.h - allocation traces for mallocbench: read from files, or made by a generator.
 *
 *	[suggested heap size]	the first numbers: "ids ops", or "heap ids ops weight"
 *	ids
 *	ops
 *	[weight]
 *	a ID BYTES		allocate
 *	r ID BYTES		reallocate
 *	f ID			free
 *
 * Nothing here calls malloc(): what is measured finds a fresh heap.
 */
#ifndef RAVEL_USR_BENCH_MALLOCBENCH_TRACE_H
#define RAVEL_USR_BENCH_MALLOCBENCH_TRACE_H

#include <stddef.h>
#include <stdint.h>

struct op {
	uint32_t kind : 8; /* 'a', 'r' or 'f' */
	uint32_t id : 24;
	uint32_t bytes;
};

struct trace {
	size_t ids, count;
	struct op *ops; /* count, and room for as many as there are ids */
};

/*
 * Fill trace from a shape's name, or else from a file.  A trace that does not free all is
 * completed. Returns NULL, or what is wrong with it.  The memory stays until the program ends.
 */
const char *trace_load(struct trace *trace, const char *name);

/* The shapes' names, up to NULL. */
extern const char *const trace_shapes[];

/* Fill trace with a shape; the name must be one of trace_shapes. */
void trace_generate(struct trace *trace, const char *shape);

/* Memory that is no malloc()'s: zero bytes, for good.  Ends the program if there is none. */
void *bench_memory(size_t bytes);

/* Print a message and end the program with status 2. */
_Noreturn void bench_fail(const char *what, const char *why);

#endif
