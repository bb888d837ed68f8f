/*
 * gcdemo.c - the garbage collector of usr/lib/gc at work.
 *
 *   gcdemo graph       a list, a tree and a circle: the heap before and after a collection
 *   gcdemo dot         the same before the collection, for `dot -Tsvg` of Graphviz
 *   gcdemo churn [n]   n rounds of a program that never frees: what is in use, what the heap takes
 *   gcdemo deep [n]    a list of n cells (a million): no recursion in the collector
 *   gcdemo tricks      what a conservative collector sees and does not see
 *
 * docs/gc.md has what they print, explained.
 *
 * Invariants: the roots that matter are the static variables below; who looks for garbage scrubs
 * the stack first, where calls that are over left addresses.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/gc/gc.h"
#include "usr/lib/tool.h"

struct node {
	struct node *left, *right;
	char name[8];
};

static struct node *list, *tree, *circle;
static struct gc_stats stats;

static void *need(void *block)
{
	if (!block)
		die_errno(STATUS_FAILED, "gc_malloc");
	return block;
}

/* Overwrite what earlier calls left below the caller's frame: addresses of blocks, too. */
__attribute__((noipa)) static void scrub_stack(void)
{
	volatile char bytes[32768];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0;
}

static void collect(void)
{
	const char *broken;

	scrub_stack();
	if (gc_collect())
		die_errno(STATUS_FAILED, "gc_collect");
	broken = gc_check();
	if (broken)
		die(STATUS_FAILED, "%s", broken);
	gc_get_stats(&stats);
}

/* ---- graph ---- */

static struct node *make_node(char kind, int nr, struct node *left, struct node *right)
{
	struct node *node = need(gc_malloc(sizeof(*node)));

	snprintf(node->name, sizeof(node->name), "%c%d", kind, nr);
	node->left = left;
	node->right = right;
	return node;
}

static struct node *make_tree(int nr, int depth)
{
	if (depth == 0)
		return NULL;
	return make_node('t', nr, make_tree(2 * nr, depth - 1), make_tree(2 * nr + 1, depth - 1));
}

__attribute__((noipa)) static void make_graph(void)
{
	for (int i = 3; i > 0; i--)
		list = make_node('l', i, list, NULL);
	tree = make_tree(1, 3);
	circle = make_node('c', 3, NULL, NULL);
	circle = circle->left = make_node('c', 1, make_node('c', 2, circle, NULL), NULL);
}

/* The circle is forgotten, and of the tree one half. */
__attribute__((noipa)) static void forget(void)
{
	circle = NULL;
	tree->left = NULL;
}

static void label(const void *start, size_t size, char *text, size_t room)
{
	const struct node *node = start;

	(void)size;
	snprintf(text, room, "%.*s", (int)sizeof(node->name), node->name);
}

static void dump(const char *title, enum gc_format format)
{
	if (*title)
		puts(title);
	scrub_stack();
	if (gc_dump(stdout, format, label))
		die_errno(STATUS_FAILED, "gc_dump");
}

static void graph(enum gc_format format)
{
	make_graph();
	if (format == GC_DOT) {
		forget();
		dump("", format);
		return;
	}
	dump("A list l1-l3, a tree t1-t7 and a circle c1-c3:\n", format);
	forget();
	dump("\ncircle = NULL; tree->left = NULL; before the collection:\n", format);
	collect();
	printf("\nThe collection looked at %zu words outside of the heap, %zu of them addresses,\n"
	       "and at %zu in it. It freed %zu blocks, %zu bytes. After it:\n\n",
	       stats.root_words, stats.root_hits, stats.heap_words, stats.freed_blocks,
	       stats.freed);
	dump("", format);
}

/* ---- churn ---- */

#define TREE_DEPTH 14

/* Trees come and go, the list grows: as programs do that never free. */
__attribute__((noipa)) static void churn_round(void)
{
	tree = make_tree(1, TREE_DEPTH);
	for (int i = 0; i < 2000; i++)
		list = make_node('l', i, list, NULL);
	circle = make_node('c', 1, NULL, NULL);
	circle->left = make_node('c', 2, circle, NULL);
}

static void churn(long long rounds)
{
	size_t freed = 0;

	puts("round  allocated     in use       heap   resident  collections  mark ms  sweep ms");
	for (long long i = 1; i <= rounds; i++) {
		churn_round();
		gc_get_stats(&stats);
		printf("%5lld  %6zu KiB %6zu KiB %6zu KiB %6ld KiB  %11zu  %7.2f  %8.2f\n", i,
		       stats.total >> 10, stats.bytes >> 10, stats.heap >> 10, resident_kb(),
		       stats.collections, stats.mark_ns / 1e6, stats.sweep_ns / 1e6);
	}
	list = tree = circle = NULL;
	collect();
	freed = stats.freed;
	printf("All forgotten: the last collection freed %zu KiB and gave %zu KiB back to the\n"
	       "system; %zu blocks are left, resident are %ld KiB.\n",
	       freed >> 10, stats.returned >> 10, stats.blocks, resident_kb());
}

/* ---- deep ---- */

__attribute__((noipa)) static void make_list(long long length)
{
	for (long long i = 0; i < length; i++) {
		struct node *node = need(gc_malloc(sizeof(*node)));

		node->left = list;
		list = node;
	}
}

static void deep(long long length)
{
	gc_set_threshold(SIZE_MAX);
	make_list(length);
	collect();
	printf("A list of %lld cells: %zu blocks reached in %.1f ms,\n"
	       "at most %zu of them on the mark stack.\n",
	       length, stats.blocks, stats.mark_ns / 1e6, stats.depth);
	gc_limit_mark_stack(1);
	tree = make_tree(1, 10);
	collect();
	printf("A tree of 1023 nodes too, and room for one entry: %zu blocks reached,\n"
	       "the heap was scanned %zu times again because the mark stack was full.\n",
	       stats.blocks, stats.rescans);
	list = tree = NULL;
	collect();
	printf("Both forgotten: %zu blocks left.\n", stats.blocks);
}

/* ---- tricks ---- */

#define MANY 100

static uintptr_t hidden[MANY]; /* inverted addresses: no pointers to anybody but us */
static volatile uintptr_t number;
static char *volatile inside;
static __thread struct node *volatile mine;

__attribute__((noipa)) static void make_many(void)
{
	for (int i = 0; i < MANY; i++)
		hidden[i] = ~(uintptr_t)need(gc_malloc(sizeof(struct node)));
}

/* Collect, and say how many of the MANY are there. */
static void tell(const char *what)
{
	int there = 0;

	collect();
	for (int i = 0; i < MANY; i++)
		there += gc_base((void *)~hidden[i]) == (void *)~hidden[i];
	printf("%-64s %3d of %d\n", what, there, MANY);
}

static void tricks(void)
{
	struct node **outside = xmalloc(MANY * sizeof(*outside));

	printf("%-58s%s\n",
	       "A hundred blocks, and where their addresses stand:", "there after a collection");
	make_many();
	tell("nowhere but inverted (a hidden pointer is no pointer)");
	make_many();
	number = ~hidden[7];
	tell("of one, in a number that happens to be its address");
	number = 0;
	make_many();
	inside = (char *)~hidden[8] + 17;
	tell("of one, 17 bytes further: a pointer to a member");
	inside = NULL;
	make_many();
	mine = (struct node *)~hidden[9];
	tell("of one, in a thread-local variable");
	mine = NULL;
	make_many();
	for (int i = 0; i < MANY; i++)
		outside[i] = (struct node *)~hidden[i];
	gc_add_roots(outside, outside + MANY);
	tell("of all, in memory of malloc(), told by gc_add_roots()");
	gc_remove_roots(outside);
	tell("the same without gc_add_roots(): nobody looks there");
	free(outside);
}

#define SYNOPSIS "gcdemo graph | dot | churn [rounds] | deep [cells] | tricks"

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool takes_number = strcmp(what, "churn") == 0 || strcmp(what, "deep") == 0;
	long long n = strcmp(what, "deep") == 0 ? 1000000 : 10;

	if (argc > 2 + takes_number || (argc == 3 && parse_number(argv[2], 1, 100000000, &n)))
		usage(SYNOPSIS);
	if (strcmp(what, "graph") == 0)
		graph(GC_TEXT);
	else if (strcmp(what, "dot") == 0)
		graph(GC_DOT);
	else if (strcmp(what, "churn") == 0)
		churn(n);
	else if (strcmp(what, "deep") == 0)
		deep(n);
	else if (strcmp(what, "tricks") == 0)
		tricks();
	else
		usage(SYNOPSIS);
	return close_stdout(0);
}
