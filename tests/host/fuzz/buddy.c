/*
 * buddy.c - the page allocator against a bitmap: which frames are handed out, nothing else.
 *
 *	slot 0..511: at most one block each, of slot_order(); its first and last word of every page
 *	carry a mark while it is held
 *
 * After every step: no frame is in two blocks, every block is aligned, the marks are there, the
 * counts are the bitmap's, buddy_check() finds nothing. An allocation may fail only when it was
 * told to, or when the bitmap has no free aligned run of that size. At the end all is given back,
 * and the lists are what they were at the start.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/panic.h"
#include "mm/buddy.h"
#include "tests/host/fuzz.h"

#define RAM_PAGES 2600 /* no power of two: the end is ragged */
#define HARTS	  4
#define NR_SLOTS  512

enum { OP_ALLOC, OP_ALLOC_TOO, OP_FREE, OP_FREE_TOO, OP_GET, OP_PUT, OP_HART, OP_DRAIN, NR_CODES };

static struct page *slot[NR_SLOTS];
static unsigned extra_refs[NR_SLOTS];
static u8 *used; /* the oracle: one byte for each frame; 2: never given to the buddy */
static struct buddy_stats first;
static unsigned long nr_used, step_nr;

/* Most are single pages; one in sixteen of each other order. */
static unsigned slot_order(unsigned i)
{
	return i % 16 <= MAX_ORDER ? i % 16 : 0;
}

static void drain_all(void)
{
	unsigned hart = current->hart->id;

	for (unsigned i = 0; i < HARTS; i++) {
		machine_run_on(i);
		buddy_drain_local();
	}
	machine_run_on(hart);
}

static u64 mark_of(const struct page *page)
{
	return 0x6d61726b00000000UL + page_to_pfn(page);
}

static u64 *words_of(struct page *page)
{
	return page_address(page);
}

static void check_counts(void)
{
	struct buddy_stats stats;
	unsigned long listed = 0;

	buddy_get_stats(&stats);
	for (unsigned o = 0; o <= MAX_ORDER; o++)
		listed += stats.nr_free[o] << o;
	BUG_ON(stats.total != first.total);
	BUG_ON(stats.free != listed + stats.pcp);
	BUG_ON(stats.free != first.free - nr_used);
	BUG_ON(nr_free_pages() != stats.free);
	BUG_ON(buddy_check() != 0);
}

/* Is there a free aligned run of 2^@order frames? Then the buddy, which melts, has it too. */
static bool oracle_has(unsigned order)
{
	unsigned long size = 1UL << order;

	for (unsigned long pfn = ALIGN_UP(mem_map_base_pfn, size);
	     pfn + size <= mem_map_base_pfn + mem_map_nr; pfn += size) {
		if (!memchr(used + pfn - mem_map_base_pfn, 1, size) &&
		    !memchr(used + pfn - mem_map_base_pfn, 2, size))
			return true;
	}
	return false;
}

/* Frames of @page's block change in the bitmap from @from to @to. */
static void oracle_set(const struct page *page, unsigned order, u8 from, u8 to)
{
	u8 *at = used + (page - mem_map);

	BUG_ON(page_to_pfn(page) & ((1UL << order) - 1));
	BUG_ON(page < mem_map || page + (1UL << order) > mem_map + mem_map_nr);
	for (unsigned long i = 0; i < 1UL << order; i++)
		BUG_ON(at[i] != from);
	memset(at, to, 1UL << order);
	nr_used += to == 1 ? 1UL << order : -(1UL << order);
}

static void mark_block(struct page *page, unsigned order, bool zeroed)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		u64 *words = words_of(page + i);

		for (unsigned w = 0; zeroed && w < PAGE_SIZE / 8; w++)
			BUG_ON(words[w] != 0);
		words[0] = words[PAGE_SIZE / 8 - 1] = mark_of(page + i);
	}
}

static void check_block(struct page *page, unsigned order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		BUG_ON(words_of(page + i)[0] != mark_of(page + i));
		BUG_ON(words_of(page + i)[PAGE_SIZE / 8 - 1] != mark_of(page + i));
	}
}

static gfp_t gfp_of(const struct fuzz_op *op)
{
	return (op->a % 4 == 0 ? GFP_ZERO : 0) | (op->a % 8 >= 6 ? GFP_ATOMIC : 0);
}

static bool injected(const struct fuzz_op *op)
{
	return op->c % 32 == 31;
}

static void do_alloc(const struct fuzz_op *op, unsigned i)
{
	unsigned order = slot_order(i);
	gfp_t gfp = gfp_of(op);
	struct page *page;

	if (slot[i])
		return;
	current->fail_fired = 0;
	current->fail_alloc = injected(op);
	page = alloc_pages(order, gfp);
	current->fail_alloc = 0;
	if (!page) {
		BUG_ON(!injected(op) && oracle_has(order));
		return;
	}
	BUG_ON(current->fail_fired);
	BUG_ON(atomic_read(&page->refcount) != 1 || atomic_read(&page->mapcount) != 0);
	BUG_ON(page->type != PAGE_KERNEL || page->order != order);
	oracle_set(page, order, 0, 1);
	mark_block(page, order, gfp & GFP_ZERO);
	slot[i] = page;
}

static void do_free(unsigned i)
{
	if (!slot[i])
		return;
	check_block(slot[i], slot_order(i));
	oracle_set(slot[i], slot_order(i), 1, 0);
	for (; extra_refs[i] > 0; extra_refs[i]--)
		page_put(slot[i]);
	if (slot_order(i) == 0 && i % 32 == 0)
		page_put(slot[i]);
	else
		free_pages(slot[i], slot_order(i));
	slot[i] = NULL;
}

static void start(void)
{
	if (!used) {
		machine_boot(RAM_PAGES, HARTS);
		used = calloc(mem_map_nr, 1);
	}
	drain_all();
	for (unsigned long i = 0; i < mem_map_nr; i++)
		used[i] = mem_map[i].type == PAGE_FREE ? 0 : 2;
	nr_used = 0;
	buddy_get_stats(&first);
	BUG_ON(first.pcp != 0);
}

static void step(const struct fuzz_op *op)
{
	unsigned i = op->b % NR_SLOTS;

	switch (op->code) {
	case OP_ALLOC:
	case OP_ALLOC_TOO:
		do_alloc(op, i);
		break;
	case OP_FREE:
	case OP_FREE_TOO:
		do_free(i);
		break;
	case OP_GET:
		if (slot[i] && slot_order(i) == 0) {
			page_get(slot[i]);
			extra_refs[i]++;
		}
		break;
	case OP_PUT:
		if (slot[i] && extra_refs[i] > 0) {
			page_put(slot[i]);
			extra_refs[i]--;
		}
		break;
	case OP_HART:
		machine_run_on(op->a % HARTS);
		break;
	default:
		buddy_drain_local();
		BUG_ON(alloc_pages(MAX_ORDER + 1 + op->a % 100, GFP_KERNEL) != NULL);
		break;
	}
	/* The lists are long: looked at whole only every so often, but at the end always. */
	if (++step_nr % 8 == 0)
		check_counts();
}

static void end(void)
{
	struct buddy_stats last;

	check_counts();
	for (unsigned i = 0; i < NR_SLOTS; i++)
		do_free(i);
	drain_all();
	check_counts();
	buddy_get_stats(&last);
	BUG_ON(memcmp(&last, &first, sizeof(last)) != 0);
	machine_run_on(0);
	machine_check_rest();
	step_nr = 0;
}

static void print(FILE *out, const struct fuzz_op *op)
{
	unsigned i = op->b % NR_SLOTS;

	switch (op->code) {
	case OP_ALLOC:
	case OP_ALLOC_TOO:
		if (injected(op))
			fprintf(out, "\tcurrent->fail_alloc = 1;\n");
		fprintf(out, "\tpage[%u] = alloc_pages(%u, 0x%x);\n", i, slot_order(i), gfp_of(op));
		break;
	case OP_FREE:
	case OP_FREE_TOO:
		fprintf(out, "\tfree_pages(page[%u], %u);\n", i, slot_order(i));
		break;
	case OP_GET:
		fprintf(out, "\tpage_get(page[%u]);\n", i);
		break;
	case OP_PUT:
		fprintf(out, "\tpage_put(page[%u]);\n", i);
		break;
	case OP_HART:
		fprintf(out, "\tmachine_run_on(%u);\n", op->a % HARTS);
		break;
	default:
		fprintf(out, "\tbuddy_drain_local();\n");
		break;
	}
}

const struct fuzz_target fuzz_target = {
	.name = "buddy",
	.nr_codes = NR_CODES,
	.default_ops = 40000,
	.start = start,
	.step = step,
	.end = end,
	.print = print,
};
