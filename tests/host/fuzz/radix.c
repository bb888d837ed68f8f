/*
 * radix.c - the radix tree and its tags against an array; bitmaps against an array of bools.
 *
 *	index_of[0..95]   the indexes in play: small and dense, at the edges of every height, high
 *	item[i], tag[i]   the oracle: what is at index_of[i]
 *
 * After every step look-ups of all indexes, gang look-ups from a random place and
 * radix_tree_check() agree, and a failed insertion has left the count of nodes as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/panic.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/radix_tree.h"
#include "tests/host/fuzz.h"

#define NR_INDEXES 96
#define MAP_BITS   200

enum {
	OP_INSERT,
	OP_INSERT_TOO,
	OP_DELETE,
	OP_REPLACE,
	OP_TAG,
	OP_UNTAG,
	OP_GANG,
	OP_CUT,
	OP_BIT,
	NR_CODES,
};

static struct radix_tree_root tree;
static unsigned long index_of[NR_INDEXES];
static void *item[NR_INDEXES];
static bool tagged[NR_INDEXES][RADIX_NR_TAGS];
static long nr_nodes, allocs_left; /* negative: without limit */

static unsigned long bits[BITS_TO_LONGS(MAP_BITS)];
static bool oracle_bits[MAP_BITS];

static void *node_alloc(void)
{
	if (allocs_left == 0)
		return NULL;
	allocs_left--;
	nr_nodes++;
	return calloc(1, RADIX_NODE_SIZE);
}

static void node_free(void *node)
{
	nr_nodes--;
	free(node);
}

/* In ascending order, so that the oracle's next is the tree's next. */
static int by_value(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

static void indexes_init(void)
{
	unsigned nr = 0;

	for (unsigned long i = 0; i < 40; i++)
		index_of[nr++] = i * 3;
	for (unsigned shift = RADIX_BITS; shift < 64; shift += RADIX_BITS) {
		index_of[nr++] = (1UL << shift) - 2;
		index_of[nr++] = (1UL << shift) + 1;
		index_of[nr++] = 3UL << shift;
	}
	while (nr < NR_INDEXES) {
		index_of[nr] = ~0UL - nr * 67;
		nr++;
	}
	qsort(index_of, NR_INDEXES, sizeof(index_of[0]), by_value);
}

/* ---- comparing ---- */

static void check_lookups(void)
{
	bool any[RADIX_NR_TAGS] = { false };
	unsigned nr = 0;

	for (unsigned i = 0; i < NR_INDEXES; i++) {
		BUG_ON(radix_tree_lookup(&tree, index_of[i]) != item[i]);
		nr += item[i] != NULL;
		for (unsigned tag = 0; tag < RADIX_NR_TAGS; tag++) {
			BUG_ON(radix_tree_tag_get(&tree, index_of[i], tag) != tagged[i][tag]);
			any[tag] |= tagged[i][tag];
		}
	}
	for (unsigned tag = 0; tag < RADIX_NR_TAGS; tag++)
		BUG_ON(radix_tree_tagged(&tree, tag) != any[tag]);
	BUG_ON(!radix_tree_check(&tree));
	BUG_ON((tree.node == NULL) != (nr == 0) || (nr_nodes == 0) != (nr == 0));
}

/* @tag: RADIX_NR_TAGS for any item. */
static void check_gang(unsigned long first, unsigned max, unsigned tag)
{
	unsigned long indexes[NR_INDEXES];
	void *items[NR_INDEXES];
	unsigned found, expected = 0;

	found = tag == RADIX_NR_TAGS ?
			radix_tree_gang_lookup(&tree, items, indexes, first, max) :
			radix_tree_gang_lookup_tag(&tree, items, indexes, first, max, tag);
	for (unsigned i = 0; i < NR_INDEXES && expected < max; i++) {
		if (index_of[i] < first || !item[i] || (tag < RADIX_NR_TAGS && !tagged[i][tag]))
			continue;
		BUG_ON(expected >= found);
		BUG_ON(items[expected] != item[i] || indexes[expected] != index_of[i]);
		expected++;
	}
	BUG_ON(found != expected);
}

/* The oracle looks at one bit after the other. */
static void do_bit(const struct fuzz_op *op)
{
	unsigned size = op->c % (MAP_BITS + 1), at = op->b % MAP_BITS, weight = 0;
	unsigned next[2] = { size, size };

	(op->a & 1 ? set_bit : clear_bit)(at, bits);
	oracle_bits[at] = op->a & 1;
	at = (op->a >> 1) % MAP_BITS;
	for (unsigned i = 0; i < size; i++) {
		BUG_ON(test_bit(i, bits) != oracle_bits[i]);
		weight += oracle_bits[i];
		if (i >= at && next[oracle_bits[i]] == size)
			next[oracle_bits[i]] = i;
	}
	BUG_ON(find_next_bit(bits, size, at) != next[1]);
	BUG_ON(find_next_zero_bit(bits, size, at) != next[0]);
	BUG_ON(bitmap_weight(bits, size) != weight);
	BUG_ON(hweight64(op->c) != (unsigned)__builtin_popcountl(op->c));
	BUG_ON(is_pow2(op->c) != (__builtin_popcountl(op->c) == 1));
	if (op->c == 0)
		return;
	BUG_ON(fls64(op->c) != 64u - __builtin_clzl(op->c));
	BUG_ON(__ffs64(op->c) != (unsigned)__builtin_ctzl(op->c));
}

/* ---- the operations ---- */

static void *some_item(const struct fuzz_op *op)
{
	return (void *)(8 + (op->c % 1000 << 3));
}

/* Nodes that may be made by this insertion; -1: all it wants. */
static long limit(const struct fuzz_op *op)
{
	return op->a % 4 == 0 ? (op->a >> 2) % 12 : -1;
}

static void do_insert(unsigned i, const struct fuzz_op *op)
{
	long before = nr_nodes;
	int err;

	allocs_left = limit(op);
	err = radix_tree_insert(&tree, index_of[i], some_item(op));
	if (err == -ENOMEM && allocs_left == 0) {
		BUG_ON(nr_nodes != before);
	} else {
		BUG_ON(err != (item[i] ? -EEXIST : 0));
		if (!err)
			item[i] = some_item(op);
	}
	allocs_left = -1;
}

static void do_delete(unsigned i)
{
	BUG_ON(radix_tree_delete(&tree, index_of[i]) != item[i]);
	item[i] = NULL;
	memset(tagged[i], 0, sizeof(tagged[i]));
}

/* All from index number @i on go: the tree becomes lower, and may grow again. */
static void do_cut(unsigned i, const struct fuzz_op *op)
{
	for (; op->a % 4 == 0 && i < NR_INDEXES; i++)
		do_delete(i);
}

static void start(void)
{
	indexes_init();
	allocs_left = -1;
	radix_tree_init(&tree, node_alloc, node_free);
	memset(item, 0, sizeof(item));
	memset(tagged, 0, sizeof(tagged));
	memset(bits, 0, sizeof(bits));
	memset(oracle_bits, 0, sizeof(oracle_bits));
}

static void step(const struct fuzz_op *op)
{
	unsigned i = op->b % NR_INDEXES, tag = op->a % RADIX_NR_TAGS;

	switch (op->code) {
	case OP_INSERT:
	case OP_INSERT_TOO:
		do_insert(i, op);
		break;
	case OP_DELETE:
		do_delete(i);
		break;
	case OP_CUT:
		do_cut(i, op);
		break;
	case OP_REPLACE:
		BUG_ON(radix_tree_replace(&tree, index_of[i], some_item(op)) != item[i]);
		if (item[i])
			item[i] = some_item(op);
		break;
	case OP_TAG:
		radix_tree_tag_set(&tree, index_of[i], tag);
		tagged[i][tag] = item[i];
		break;
	case OP_UNTAG:
		radix_tree_tag_clear(&tree, index_of[i], tag);
		tagged[i][tag] = false;
		break;
	case OP_GANG:
		check_gang(op->c % 2 ? index_of[i] + op->c % 5 : op->c >> op->a % 64,
			   op->a % (NR_INDEXES + 1), op->b >> 16 & 3);
		break;
	default:
		do_bit(op);
		break;
	}
	check_lookups();
}

static void end(void)
{
	for (unsigned i = 0; i < NR_INDEXES; i++)
		BUG_ON(radix_tree_delete(&tree, index_of[i]) != item[i]);
	BUG_ON(tree.node || nr_nodes != 0);
}

static void print(FILE *out, const struct fuzz_op *op)
{
	unsigned long index;

	indexes_init();
	index = index_of[op->b % NR_INDEXES];
	switch (op->code) {
	case OP_INSERT:
	case OP_INSERT_TOO:
		fprintf(out, "\tallocs_left = %ld;\n\tradix_tree_insert(&tree, 0x%lx, %p);\n",
			limit(op), index, some_item(op));
		break;
	case OP_DELETE:
		fprintf(out, "\tradix_tree_delete(&tree, 0x%lx);\n", index);
		break;
	case OP_CUT:
		if (op->a % 4 == 0)
			fprintf(out, "\tdelete_from(0x%lx);\n", index);
		break;
	case OP_REPLACE:
		fprintf(out, "\tradix_tree_replace(&tree, 0x%lx, %p);\n", index, some_item(op));
		break;
	case OP_TAG:
	case OP_UNTAG:
		fprintf(out, "\tradix_tree_tag_%s(&tree, 0x%lx, %u);\n",
			op->code == OP_TAG ? "set" : "clear", index, op->a % RADIX_NR_TAGS);
		break;
	case OP_GANG:
		fprintf(out, "\tgang_lookup(0x%lx, %u, %u); /* first, max, tag (3: any) */\n",
			op->c % 2 ? index + op->c % 5 : op->c >> op->a % 64,
			op->a % (NR_INDEXES + 1), op->b >> 16 & 3);
		break;
	default:
		fprintf(out, "\t%s(%u, bits); /* then look from %u to %lu, and at 0x%lx */\n",
			op->a & 1 ? "set_bit" : "clear_bit", op->b % MAP_BITS,
			(op->a >> 1) % MAP_BITS, (unsigned long)op->c % (MAP_BITS + 1),
			(unsigned long)op->c);
		break;
	}
}

const struct fuzz_target fuzz_target = {
	.name = "radix",
	.nr_codes = NR_CODES,
	.default_ops = 2500,
	.start = start,
	.step = step,
	.end = end,
	.print = print,
};
