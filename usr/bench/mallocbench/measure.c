/*
 * measure.c - replays a trace twice: once to see that it is right and what it needs, once to see
 * what it costs.
 *
 * The first replay writes every byte of every block, and reads them before the block goes: a block
 * that overlaps another, or that realloc() lost, shows.  It is a child's, so that the second finds
 * a fresh heap; that touches no payload, so that all that it costs is the allocator's (and the
 * loop's).
 */
#define _GNU_SOURCE
#include "usr/bench/mallocbench/measure.h"

#include <linux/perf_event.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/malloc/textbook/allocator.h"
#include "usr/lib/malloc/textbook/memlib.h"

#define LARGE	 (32 * 1024) /* blocks that may be mappings: then mallinfo2() is asked */
#define ENOUGH	 40000	     /* operations, for a cost that does not hang on the first pages */
#define NEVER_OK "the allocator refuses, or breaks a block"

struct subject {
	void *(*malloc)(size_t bytes);
	void (*free)(void *payload);
	void *(*realloc)(void *payload, size_t bytes);
	const struct allocator *textbook; /* NULL: the allocator that is linked */
	char *base;			  /* of its heap: where the break was */
};

struct block_state {
	unsigned char *payload;
	size_t bytes;
};

struct replay {
	const struct subject *subject;
	struct block_state *blocks; /* by id */
	size_t payload, peak_payload, heap, peak_heap, mapped;
};

static const struct allocator *textbook;

/* libumalloc defines it, the C library does not. */
extern const char *umalloc_check(const void **where) __attribute__((weak));

const char *linked_allocator(void)
{
	return umalloc_check ? "umalloc" : "glibc";
}

static void *realloc_textbook(void *payload, size_t bytes)
{
	return textbook_realloc(textbook, payload, bytes);
}

static void subject_init(struct subject *subject, const char *name)
{
	if (strcmp(name, linked_allocator()) == 0) {
		*subject = (struct subject){ malloc, free, realloc, NULL, NULL };
		/* The C library has begun before main(): what it has is not the trace's. */
		struct mallinfo2 already = mallinfo2();

		subject->base = (char *)sbrk(0) - already.arena + already.uordblks;
		return;
	}
	textbook = textbook_find(name);
	if (!textbook)
		bench_fail(name, "no such allocator");
	*subject = (struct subject){ textbook->malloc, textbook->free, realloc_textbook, textbook,
				     NULL };
	if (!mem_init() || !textbook->init())
		bench_fail(name, "no memory for its heap");
}

/* ---- the first replay */

static unsigned char filling(size_t id)
{
	return (id * 2654435761u >> 16) | 1;
}

static void check_contents(const struct block_state *block, size_t id, size_t bytes)
{
	const unsigned char *p = block->payload;

	if (bytes && (p[0] != filling(id) || memcmp(p, p + 1, bytes - 1) != 0))
		bench_fail("wrong contents", NEVER_OK);
}

static void do_op(const struct subject *subject, const struct op *op, void **payload)
{
	if (op->kind == 'a') {
		*payload = subject->malloc(op->bytes);
	} else if (op->kind == 'r') {
		/* A reallocation to 0 bytes means different things to different allocators. */
		*payload = subject->realloc(*payload, op->bytes ? op->bytes : 1);
	} else {
		if (*payload)
			subject->free(*payload);
		*payload = NULL;
	}
}

static void note_sizes(struct replay *replay, const struct op *op, size_t old_bytes)
{
	const struct subject *subject = replay->subject;

	replay->payload += op->bytes - old_bytes;
	if (replay->payload > replay->peak_payload)
		replay->peak_payload = replay->payload;
	if (subject->textbook) {
		replay->heap = mem_size();
	} else {
		if (op->bytes >= LARGE || old_bytes >= LARGE)
			replay->mapped = mallinfo2().hblkhd;
		replay->heap = (char *)sbrk(0) - subject->base + replay->mapped;
	}
	if (replay->heap > replay->peak_heap)
		replay->peak_heap = replay->heap;
}

static void checked_op(struct replay *replay, const struct op *op)
{
	struct block_state *block = &replay->blocks[op->id];
	size_t old = block->bytes;

	if (op->kind != 'a')
		check_contents(block, op->id, old);
	do_op(replay->subject, op, (void **)&block->payload);
	block->bytes = op->bytes;
	note_sizes(replay, op, old);
	if (op->kind == 'f')
		return;
	if ((!block->payload && op->bytes) || (uintptr_t)block->payload % 16)
		bench_fail("no block, or not aligned", NEVER_OK);
	if (op->kind == 'r')
		check_contents(block, op->id, old < op->bytes ? old : op->bytes);
	if (op->bytes)
		memset(block->payload, filling(op->id), op->bytes);
}

static void replay_init(struct replay *replay, const struct trace *trace, struct subject *subject)
{
	*replay = (struct replay){
		.subject = subject,
		.blocks = bench_memory(trace->ids * sizeof(struct block_state)),
	};
}

/* ---- the second */

/* A counter of this process' instructions, or -1: no such machine, or not for us. */
static int open_counter(void)
{
	struct perf_event_attr wanted = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(wanted),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0);
}

static uint64_t cost_now(int counter)
{
	uint64_t count;
	struct timespec now;

	if (counter >= 0 && read(counter, &count, sizeof(count)) == sizeof(count))
		return count;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000UL + now.tv_nsec;
}

static long faults_now(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

static void timed_replay(const struct trace *trace, const char *allocator)
{
	struct subject subject;
	void **payloads = bench_memory(trace->ids * sizeof(*payloads));
	const struct op *end = trace->ops + trace->count;
	size_t rounds = 1 + ENOUGH / (trace->count + 1);
	int counter = open_counter();

	subject_init(&subject, allocator);
	for (size_t id = 0; id < trace->ids; id++)
		payloads[id] = NULL; /* its pages are there when the clock runs */

	long faults = faults_now();
	uint64_t before = cost_now(counter);

	for (size_t round = 0; round < rounds; round++)
		for (const struct op *op = trace->ops; op < end; op++)
			do_op(&subject, op, &payloads[op->id]);

	uint64_t cost = cost_now(counter) - before;

	dprintf(STDOUT_FILENO, "%lu %zu %ld\n", (unsigned long)cost, rounds * trace->count,
		faults_now() - faults);
}

/* ---- both */

void measure(const struct trace *trace, const char *allocator)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		bench_fail("fork", "no process");
	if (child == 0) {
		struct subject subject;
		struct replay replay;

		subject_init(&subject, allocator);
		replay_init(&replay, trace, &subject);
		for (size_t i = 0; i < trace->count; i++)
			checked_op(&replay, &trace->ops[i]);
		dprintf(STDOUT_FILENO, "%zu %zu ", replay.peak_payload, replay.peak_heap);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status != 0)
		bench_fail(allocator, "the replay failed");
	timed_replay(trace, allocator);
}

void timeline(const struct trace *trace, const char *allocator, size_t lines)
{
	struct subject subject;
	struct replay replay;

	subject_init(&subject, allocator);
	replay_init(&replay, trace, &subject);
	for (size_t i = 0; i < trace->count; i++) {
		checked_op(&replay, &trace->ops[i]);
		if (i * lines / trace->count != (i + 1) * lines / trace->count)
			dprintf(STDOUT_FILENO, "%zu %zu %zu\n", i + 1, replay.payload, replay.heap);
	}
}
