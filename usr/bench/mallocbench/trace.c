/*
 * trace.c - reads traces of allocations (the format: trace.h).
 */
#include "usr/bench/mallocbench/trace.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_IDS	  (1 << 24)
#define MAX_OPS	  (1 << 26)
#define MAX_BYTES (1 << 30)

_Noreturn void bench_fail(const char *what, const char *why)
{
	dprintf(STDERR_FILENO, "mallocbench: %s: %s\n", what, why);
	_exit(2);
}

void *bench_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bench_fail("mmap", "no memory");
	return memory;
}

/* A number at *at, which moves behind it; -1 if there is none up to the next letter or the end. */
static long number(const char **at, const char *end)
{
	const char *p = *at;
	long value = -1;

	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	for (; p < end && *p >= '0' && *p <= '9' && value < MAX_BYTES; p++)
		value = (value < 0 ? 0 : value * 10) + (*p - '0');
	*at = p;
	return value;
}

/* The letter of the next operation, or 0 at the end. */
static char letter(const char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\n' || **at == '\r' || **at == '\t'))
		++*at;
	return *at < end ? *(*at)++ : 0;
}

static const char *read_header(struct trace *trace, const char **at, const char *end)
{
	long numbers[4];
	int count = 0;

	while (count < 4 && (numbers[count] = number(at, end)) >= 0)
		count++;
	if (count != 2 && count != 4)
		return "the header is neither 'ids ops' nor 'heap ids ops weight'";
	trace->ids = numbers[count / 2 - 1];
	trace->count = numbers[count / 2];
	if (trace->ids > MAX_IDS || trace->count > MAX_OPS)
		return "too large";
	return NULL;
}

/* One operation: what it does to live[id] must be possible. */
static const char *check_op(const struct op *op, bool *live)
{
	switch (op->kind) {
	case 'a':
		if (*live)
			return "an id is allocated twice";
		*live = true;
		return NULL;
	case 'r':
		/* Some traces begin a block with a reallocation. */
		*live = true;
		return NULL;
	case 'f':
		if (!*live)
			return "an id is freed that is not allocated";
		*live = false;
		return NULL;
	}
	return "an operation is none of a, r, f";
}

static const char *read_ops(struct trace *trace, const char *at, const char *end)
{
	bool *live = bench_memory(trace->ids);
	size_t count = 0;
	char kind;

	trace->ops = bench_memory((trace->count + trace->ids) * sizeof(struct op));
	while ((kind = letter(&at, end))) {
		long id = number(&at, end), bytes = kind == 'f' ? 0 : number(&at, end);

		if (count == trace->count || id < 0 || id >= (long)trace->ids || bytes < 0 ||
		    bytes > MAX_BYTES)
			return "an operation does not fit the header, or has no number";
		trace->ops[count] = (struct op){ .kind = kind, .id = id, .bytes = bytes };

		const char *wrong = check_op(&trace->ops[count++], &live[id]);

		if (wrong)
			return wrong;
	}
	if (count != trace->count || !count)
		return "it has fewer operations than its header says, or none";
	for (size_t id = 0; id < trace->ids; id++)
		if (live[id])
			trace->ops[count++] = (struct op){ .kind = 'f', .id = id };
	trace->count = count;
	return NULL;
}

const char *trace_load(struct trace *trace, const char *name)
{
	for (const char *const *shape = trace_shapes; *shape; shape++) {
		if (strcmp(*shape, name) == 0) {
			trace_generate(trace, name);
			return NULL;
		}
	}

	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return "cannot be opened";

	const char *text = mmap(NULL, status.st_size + 1, PROT_READ, MAP_PRIVATE, fd, 0);

	close(fd);
	if (text == MAP_FAILED)
		return "cannot be mapped";

	const char *at = text, *end = text + status.st_size;
	const char *wrong = read_header(trace, &at, end);

	return wrong ? wrong : read_ops(trace, at, end);
}
