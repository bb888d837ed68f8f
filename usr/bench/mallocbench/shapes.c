/*
 * shapes.c - the usual shapes of traces, each hard on an allocator in its own way.
 *
 *	binary		2000 pairs of 64 and 448 bytes; the 448s go, and 2000 of 512 come: the holes
 *			are too small unless neighbours merge, or sizes are kept apart
 *	binary2		4000 pairs of 16 and 112; then 4000 of 128
 *	coalescing	two blocks of 4095, freed, one of 8190
 *	random		sizes up to 32 KiB, in any order
 *	random2		likewise, another seed
 *	realloc		a block grows by 128 from 512 on, with a block of 128 always behind it
 *	realloc2	a block grows by 5 from 4092 on, with blocks of 16
 *
 * Every shape is the same on every machine.
 */
#include <string.h>

#include "usr/bench/mallocbench/trace.h"

const char *const trace_shapes[] = {
	"binary", "binary2", "coalescing", "random", "random2", "realloc", "realloc2", NULL,
};

static void begin(struct trace *trace, size_t ids, size_t ops)
{
	*trace = (struct trace){ .ids = ids };
	trace->ops = bench_memory((ops + ids) * sizeof(struct op));
}

static void add(struct trace *trace, char kind, uint32_t id, uint32_t bytes)
{
	trace->ops[trace->count++] = (struct op){ .kind = kind, .id = id, .bytes = bytes };
}

static void binary(struct trace *trace, uint32_t pairs, const uint32_t bytes[3])
{
	begin(trace, 3 * pairs, 6 * pairs);
	for (uint32_t i = 0; i < 2 * pairs; i++)
		add(trace, 'a', i, bytes[i % 2]);
	for (uint32_t i = 1; i < 2 * pairs; i += 2)
		add(trace, 'f', i, 0);
	for (uint32_t i = 2 * pairs; i < 3 * pairs; i++)
		add(trace, 'a', i, bytes[2]);
	for (uint32_t i = 0; i < 2 * pairs; i += 2)
		add(trace, 'f', i, 0);
	for (uint32_t i = 2 * pairs; i < 3 * pairs; i++)
		add(trace, 'f', i, 0);
}

static void coalescing(struct trace *trace)
{
	const uint32_t rounds = 2400;

	begin(trace, 3 * rounds, 6 * rounds);
	for (uint32_t i = 0; i < 3 * rounds; i += 3) {
		add(trace, 'a', i, 4095);
		add(trace, 'a', i + 1, 4095);
		add(trace, 'f', i, 0);
		add(trace, 'f', i + 1, 0);
		add(trace, 'a', i + 2, 8190);
		add(trace, 'f', i + 2, 0);
	}
}

/* xorshift: a full period of 64 bits. */
static uint32_t next_random(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 32) % below;
}

/* Each step allocates the next id, or frees one of the live ones: the more live, the likelier. */
static void random_sizes(struct trace *trace, uint64_t seed)
{
	const uint32_t blocks = 2400;
	uint32_t *live = bench_memory(blocks * sizeof(*live));
	uint32_t living = 0, made = 0;

	begin(trace, blocks, 2 * blocks);
	while (made < blocks || living) {
		if (made < blocks && next_random(&seed, 4 * blocks) >= blocks + 2 * living) {
			live[living++] = made;
			add(trace, 'a', made++, 1 + next_random(&seed, 32768));
		} else if (living) {
			uint32_t which = next_random(&seed, living);

			add(trace, 'f', live[which], 0);
			live[which] = live[--living];
		}
	}
}

static void growing(struct trace *trace, uint32_t from, uint32_t by, uint32_t beside)
{
	const uint32_t steps = 4800;

	begin(trace, steps + 2, 3 * steps + 4);
	add(trace, 'a', 0, from);
	add(trace, 'a', 1, beside);
	for (uint32_t i = 1; i <= steps; i++) {
		add(trace, 'r', 0, from + i * by);
		add(trace, 'a', i + 1, beside);
		add(trace, 'f', i, 0);
	}
	add(trace, 'f', 0, 0);
	add(trace, 'f', steps + 1, 0);
}

void trace_generate(struct trace *trace, const char *shape)
{
	if (strcmp(shape, "binary") == 0)
		binary(trace, 2000, (const uint32_t[]){ 64, 448, 512 });
	else if (strcmp(shape, "binary2") == 0)
		binary(trace, 4000, (const uint32_t[]){ 16, 112, 128 });
	else if (strcmp(shape, "coalescing") == 0)
		coalescing(trace);
	else if (strcmp(shape, "random") == 0)
		random_sizes(trace, 0x9e3779b97f4a7c15);
	else if (strcmp(shape, "random2") == 0)
		random_sizes(trace, 0x2545f4914f6cdd1d);
	else if (strcmp(shape, "realloc") == 0)
		growing(trace, 512, 128, 128);
	else
		growing(trace, 4092, 5, 16);
}
