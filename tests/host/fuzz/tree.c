/*
 * tree.c - red-black trees against a sorted array, the index of areas against an array of pages.
 *
 *	keys[]       the oracle of the plain tree: in order
 *	page[0..N)   the oracle of the areas: what each page's protection is, or that it is free.
 *	             Areas are the runs of equal pages, since equal neighbours always melt.
 *
 *	  page   . . r r r . w w r .      areas   [r) at 2..5, [w) at 6..8, [r) at 8..9
 *
 * After every step list and runs are the same, find_vma() finds for each page what a walk does, and
 * gaps are those that trying every place from above gives.
 */
#include <string.h>

#include "kernel/panic.h"
#include "lib/errno.h"
#include "lib/prng.h"
#include "mm/vma.h"
#include "tests/host/fuzz.h"

#define RAM_PAGES   1024
#define NR_PAGES    192
#define BASE	    0x40000000UL
#define FREE	    0xff
#define NR_KEYS	    256
#define GAP_QUERIES 4

enum { OP_MAP, OP_MAP_TOO, OP_UNMAP, OP_RESIZE, OP_KEY_IN, OP_KEY_OUT, NR_CODES };

static struct mm *mm;
static u8 page[NR_PAGES];

static struct node {
	struct rb_node rb;
	u32 key;
	bool in;
} nodes[NR_KEYS];
static struct rb_root keys_tree;
static u32 keys[NR_KEYS];
static unsigned nr_keys;

static unsigned long addr_of(unsigned column)
{
	return BASE + column * (unsigned long)PAGE_SIZE;
}

/* ---- the plain tree ---- */

static void check_keys(void)
{
	struct rb_node *rb = rb_first(&keys_tree);

	for (unsigned i = 0; i < nr_keys; i++, rb = rb_next(rb)) {
		BUG_ON(!rb || rb_entry(rb, struct node, rb)->key != keys[i]);
		BUG_ON(i > 0 && rb_entry(rb_prev(rb), struct node, rb)->key != keys[i - 1]);
		BUG_ON(i == 0 && rb_prev(rb));
	}
	BUG_ON(rb);
	rb = rb_last(&keys_tree);
	BUG_ON(nr_keys ? rb_entry(rb, struct node, rb)->key != keys[nr_keys - 1] : !!rb);
	BUG_ON(!rb_check(&keys_tree));
}

static void key_in(u32 key)
{
	struct rb_node **link = &keys_tree.rb_node, *parent = NULL;
	unsigned i = nr_keys;

	if (nodes[key].in)
		return;
	while (*link) {
		parent = *link;
		link = key < rb_entry(parent, struct node, rb)->key ? &parent->rb_left :
								      &parent->rb_right;
	}
	nodes[key] = (struct node){ .key = key, .in = true };
	rb_link_node(&nodes[key].rb, parent, link);
	rb_insert_color(&nodes[key].rb, &keys_tree);
	for (; i > 0 && keys[i - 1] > key; i--)
		keys[i] = keys[i - 1];
	keys[i] = key;
	nr_keys++;
}

static void key_out(u32 key)
{
	unsigned i = 0;

	if (!nodes[key].in)
		return;
	rb_erase(&nodes[key].rb, &keys_tree);
	memset(&nodes[key], 0x5a, sizeof(nodes[key])); /* nothing may lead here any more */
	nodes[key].in = false;
	while (keys[i] != key)
		i++;
	memmove(&keys[i], &keys[i + 1], (--nr_keys - i) * sizeof(keys[0]));
}

/* ---- areas ---- */

static bool all_free(unsigned start, unsigned end)
{
	for (unsigned i = start; i < end; i++) {
		if (page[i] != FREE)
			return false;
	}
	return true;
}

/* The end of the run that begins at @start. */
static unsigned run_end(unsigned start)
{
	unsigned end = start;

	while (end < NR_PAGES && page[end] == page[start])
		end++;
	return end;
}

static void check_areas(void)
{
	struct vm_area *vma = mm->mmap;

	for (unsigned i = 0; i < NR_PAGES; i = run_end(i)) {
		if (page[i] == FREE)
			continue;
		BUG_ON(!vma || vma->vm_start != addr_of(i) || vma->vm_end != addr_of(run_end(i)));
		BUG_ON(vma->vm_prot != page[i]);
		vma = vma->vm_next;
	}
	BUG_ON(vma);
	BUG_ON(vma_tree_check(mm) != 0);
}

static void check_lookups(void)
{
	struct vm_area *vma = mm->mmap;

	BUG_ON(find_vma(mm, 0) != vma || vma_before(mm, 0));
	for (unsigned i = 0; i <= NR_PAGES; i++) {
		while (vma && vma->vm_end <= addr_of(i))
			vma = vma->vm_next;
		BUG_ON(find_vma(mm, addr_of(i)) != vma);
		BUG_ON(find_vma(mm, addr_of(i) + PAGE_SIZE - 1) != vma);
	}
}

/* The highest place for @len pages in columns [low, high); -1: there is none. */
static int oracle_gap(unsigned len, unsigned low, unsigned high)
{
	for (int at = (int)high - (int)len; at >= (int)low; at--) {
		if (all_free(at, at + len))
			return at;
	}
	return -1;
}

static void check_gaps(u64 seed)
{
	struct prng prng = { seed };

	for (unsigned i = 0; i < GAP_QUERIES; i++) {
		unsigned low = prng_below(&prng, NR_PAGES), high = prng_below(&prng, NR_PAGES + 1);
		unsigned len = 1 + prng_below(&prng, i % 2 ? 4 : NR_PAGES);
		int place = oracle_gap(len, low, high);

		BUG_ON(vma_find_gap(mm, len * (unsigned long)PAGE_SIZE, addr_of(low),
				    addr_of(high)) != (place < 0 ? 0 : addr_of(place)));
	}
}

/* ---- the operations ---- */

/* What an operation names: columns [start, end), a protection, and whether memory fails. */
struct range {
	unsigned start, end;
	u8 prot;
	bool fail;
};

static struct range range_of(const struct fuzz_op *op)
{
	struct range range = { .start = op->b % NR_PAGES, .prot = (op->a >> 8) % 3 };
	unsigned len = 1 + (op->a & 0xff) % (op->a & 0x800 ? 64 : 6);

	range.end = min(range.start + len, (unsigned)NR_PAGES);
	range.fail = (op->b >> 16) % 8 == 0;
	return range;
}

static void do_map(const struct range *range)
{
	struct vm_area want = {
		.vm_start = addr_of(range->start),
		.vm_end = addr_of(range->end),
		.vm_prot = range->prot,
		.vm_pgoff = addr_of(range->start) >> PAGE_SHIFT,
	};
	struct vm_area *spare;

	if (!all_free(range->start, range->end))
		return;
	current->fail_alloc = range->fail;
	spare = vma_prepare();
	current->fail_alloc = 0;
	BUG_ON(!spare != range->fail);
	if (!spare)
		return;
	vma_insert(mm, &want, spare);
	memset(page + range->start, range->prot, range->end - range->start);
}

static void do_unmap(const struct range *range)
{
	unsigned splits = vma_splits(mm, addr_of(range->start), addr_of(range->end));
	int err;

	current->fail_alloc = range->fail ? 1 + range->prot % 2 : 0;
	err = vma_remove(mm, addr_of(range->start), addr_of(range->end));
	BUG_ON(err != (current->fail_alloc == 0 && range->fail ? -ENOMEM : 0));
	BUG_ON(range->fail && !err && splits > range->prot % 2);
	current->fail_alloc = 0;
	if (!err)
		memset(page + range->start, FREE, range->end - range->start);
}

/* The area at @start gets the borders of @range, if it would not touch another one then. */
static void do_resize(const struct range *range)
{
	struct vm_area *vma = vma_lookup(mm, addr_of(range->start));
	unsigned start, end, low, high;

	if (!vma)
		return;
	start = (vma->vm_start - BASE) >> PAGE_SHIFT;
	end = (vma->vm_end - BASE) >> PAGE_SHIFT;
	low = start >= range->prot ? start - range->prot : start;
	high = range->end;
	if (!all_free(low > 0 ? low - 1 : 0, start) ||
	    (high >= end && !all_free(end, min(high + 1, (unsigned)NR_PAGES))) || high <= low)
		return;
	vma_resize(vma, addr_of(low), addr_of(high));
	memset(page + start, FREE, end - start);
	memset(page + low, vma->vm_prot, high - low);
}

static void start(void)
{
	if (!nr_harts)
		machine_boot(RAM_PAGES, 1);
	mm = mm_alloc();
	memset(page, FREE, sizeof(page));
	memset(nodes, 0, sizeof(nodes));
	keys_tree = RB_ROOT;
	nr_keys = 0;
}

static void step(const struct fuzz_op *op)
{
	struct range range = range_of(op);

	down_write(&mm->mmap_lock);
	switch (op->code) {
	case OP_MAP:
	case OP_MAP_TOO:
		do_map(&range);
		break;
	case OP_UNMAP:
		do_unmap(&range);
		break;
	case OP_RESIZE:
		do_resize(&range);
		break;
	case OP_KEY_IN:
		key_in(op->b % NR_KEYS);
		break;
	default:
		key_out(op->b % NR_KEYS);
		break;
	}
	if (op->code == OP_KEY_IN || op->code == OP_KEY_OUT) {
		check_keys();
	} else {
		check_areas();
		check_lookups();
		check_gaps(op->c);
		BUG_ON(mm_check(mm) != 0);
	}
	up_write(&mm->mmap_lock);
}

static void end(void)
{
	mm_put(mm);
	machine_check_rest();
	while (nr_keys > 0) {
		key_out(keys[nr_keys / 2]);
		check_keys();
	}
}

static void print(FILE *out, const struct fuzz_op *op)
{
	struct range range = range_of(op);

	if (op->code == OP_KEY_IN || op->code == OP_KEY_OUT) {
		fprintf(out, "\tkey_%s(%u);\n", op->code == OP_KEY_IN ? "in" : "out",
			op->b % NR_KEYS);
		return;
	}
	if (range.fail && op->code != OP_RESIZE)
		fprintf(out, "\tcurrent->fail_alloc = %u;\n",
			op->code == OP_UNMAP ? 1 + range.prot % 2 : 1);
	fprintf(out, "\t%s(mm, %u, %u, %u); /* first page, end, protection */\n",
		op->code == OP_UNMAP  ? "unmap" :
		op->code == OP_RESIZE ? "resize" :
					"map",
		range.start, range.end, range.prot);
}

const struct fuzz_target fuzz_target = {
	.name = "tree",
	.nr_codes = NR_CODES,
	.default_ops = 4000,
	.start = start,
	.step = step,
	.end = end,
	.print = print,
};
