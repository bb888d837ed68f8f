/*
 * slab.c - kmalloc() and object caches against a list of what is held.
 *
 *	slot 0..511   at most one object each; slots 0..191 take theirs from a cache, the others
 *	              from kmalloc() or kstrdup()
 *	owner[]       the oracle: which slot has these 8 bytes of RAM
 *
 * After every step: no two objects overlap, each is aligned, and its bytes are what its slot wrote;
 * the byte behind it is poisoned; the caches' counts are the oracle's; slab_check() finds nothing.
 * An allocation may fail only when told to, or when the buddy has no block for a new slab.
 */
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/panic.h"
#include "mm/slab.h"
#include "tests/host/fuzz.h"

#define RAM_PAGES   3000
#define HARTS	    3
#define NR_SLOTS    512
#define CACHE_SLOTS 192 /* the first */
#define GRAIN	    8
#define MAGAZINE    16 /* free objects that a hart may keep, of each cache */
#define SAMPLE	    64 /* bytes looked at in either end of an object */

enum { OP_ALLOC, OP_ALLOC_TOO, OP_FREE, OP_FREE_TOO, OP_HART, OP_LOOK, NR_CODES };

static const struct {
	const char *name;
	unsigned size, align;
} kinds[] = {
	{ "fuzz-1", 1, 0 },	  { "fuzz-24", 24, 8 },	    { "fuzz-100", 100, 64 },
	{ "fuzz-700", 700, 256 }, { "fuzz-3000", 3000, 0 }, { "fuzz-20000", 20000, 4096 },
};
static struct kmem_cache *caches[ARRAY_SIZE(kinds)];

static struct object {
	u8 *at; /* NULL: the slot is empty */
	size_t size;
	u8 seed;
	int info; /* the cache's number for slab_get_info(); -1: none, a large block */
} slots[NR_SLOTS];
static u16 *owner;		  /* slot + 1 */
static unsigned long held[64];	  /* objects by cache number */
static unsigned long large_pages; /* of blocks beyond the caches */

/* ---- what a slot asks for ---- */

static bool from_cache(unsigned i)
{
	return i < CACHE_SLOTS;
}

static bool is_strdup(unsigned i, const struct fuzz_op *op)
{
	return !from_cache(i) && op->a % 16 == 0;
}

/* Small ones often, around every power of two; now and then up to past the largest. */
static size_t size_of(unsigned i, const struct fuzz_op *op)
{
	unsigned bits = op->a % 16 == 15 ? 23 : 13;

	if (from_cache(i))
		return kinds[i % ARRAY_SIZE(kinds)].size;
	return (op->c >> 8) % ((2UL << op->c % bits) + 1);
}

static size_t align_of(unsigned i, size_t size)
{
	unsigned align = from_cache(i) ? kinds[i % ARRAY_SIZE(kinds)].align : 0;

	if (!from_cache(i) && size >= PAGE_SIZE)
		return PAGE_SIZE;
	return align ? align : 16;
}

/* ---- contents ---- */

static u8 byte_at(const struct object *obj, size_t n)
{
	return obj->seed + n * 7;
}

static void contents(const struct object *obj, bool write)
{
	for (size_t n = 0; n < obj->size; n++) {
		if (n == SAMPLE && obj->size > 2 * SAMPLE)
			n = obj->size - SAMPLE;
		if (write)
			obj->at[n] = byte_at(obj, n);
		else
			BUG_ON(obj->at[n] != byte_at(obj, n));
	}
}

static void own(const struct object *obj, u16 from, u16 to)
{
	unsigned long first = (virt_to_phys(obj->at) - HOST_RAM_BASE) / GRAIN;

	for (unsigned long n = 0; n < DIV_ROUND_UP(max(obj->size, 1UL), GRAIN); n++) {
		BUG_ON(owner[first + n] != from);
		owner[first + n] = to;
	}
}

/* ---- counts ---- */

static int info_of(const char *name)
{
	struct slab_info info;

	for (unsigned n = 0; slab_get_info(n, &info); n++) {
		if (strcmp(info.name, name) == 0)
			return n;
	}
	panic("no cache %s", name);
}

/* The cache that has to serve kmalloc(@size); -1: it is a block of its own. */
static int kmalloc_info(size_t size)
{
	static const unsigned sizes[] = { 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048 };
	char name[32];

	for (unsigned n = 0; n < ARRAY_SIZE(sizes); n++) {
		if (size <= sizes[n]) {
			snprintf(name, sizeof(name), "kmalloc-%u", sizes[n]);
			return info_of(name);
		}
	}
	return -1;
}

static unsigned long large_size(size_t size)
{
	unsigned long nr = 1;

	while (nr * PAGE_SIZE < size)
		nr *= 2;
	return nr;
}

static void check_counts(void)
{
	unsigned long pages = large_pages;
	struct slab_info info;

	for (unsigned n = 0; slab_get_info(n, &info); n++) {
		BUG_ON(info.active_objs != held[n]);
		BUG_ON(info.active_objs > info.num_objs);
		BUG_ON(info.num_objs != info.nr_slabs * info.objperslab);
		pages += info.nr_slabs * info.pagesperslab;
	}
	BUG_ON(slab_nr_pages() != pages);
}

static void check_all(void)
{
	check_counts();
	BUG_ON(slab_check() != 0);
	for (unsigned i = 0; i < NR_SLOTS; i++) {
		if (slots[i].at)
			contents(&slots[i], false);
	}
}

/* ---- the operations ---- */

static bool injected(const struct fuzz_op *op)
{
	return op->b >> 16 & 1 && op->b >> 17 & 1 && op->b >> 18 & 1;
}

static gfp_t gfp_of(const struct fuzz_op *op)
{
	return (op->a >> 4 & 1 ? GFP_ZERO : 0) | (op->a >> 5 & 1 ? GFP_ATOMIC : 0);
}

static u8 *strdup_of(size_t size, u8 seed)
{
	char *copy, *text = malloc(size);

	memset(text, 'a' + seed % 26, size);
	text[size - 1] = '\0';
	copy = kstrdup(text, GFP_KERNEL);
	BUG_ON(copy && strcmp(copy, text) != 0);
	free(text);
	return (u8 *)copy;
}

static u8 *get(unsigned i, const struct fuzz_op *op, size_t size)
{
	u8 *at;

	current->fail_fired = 0;
	current->fail_alloc = injected(op);
	if (from_cache(i))
		at = kmem_cache_alloc(caches[i % ARRAY_SIZE(kinds)], gfp_of(op));
	else if (is_strdup(i, op) && size > 0)
		at = strdup_of(size, op->a);
	else
		at = kmalloc(size, gfp_of(op));
	current->fail_alloc = 0;
	return at;
}

/* Was there no memory? Then all lists were drained, and hold no block that is large enough. */
static void check_failure(int info_nr, size_t size)
{
	struct buddy_stats stats;
	struct slab_info info;
	unsigned long pages;

	if (current->fail_fired || size > KMALLOC_MAX)
		return;
	buddy_get_stats(&stats);
	if (info_nr >= 0)
		BUG_ON(!slab_get_info(info_nr, &info));
	pages = info_nr >= 0 ? info.pagesperslab : large_size(size);
	for (unsigned o = 0; o <= MAX_ORDER; o++)
		BUG_ON(stats.nr_free[o] && 1UL << o >= pages);
}

/* False where only coverage is measured. */
static bool sanitized(void)
{
	static u64 probe;
	bool poisoned;

	ASAN_POISON_MEMORY_REGION(&probe, sizeof(probe));
	poisoned = __asan_address_is_poisoned(&probe);
	ASAN_UNPOISON_MEMORY_REGION(&probe, sizeof(probe));
	return poisoned;
}

/* Where what slot @i may use ends: an object of a cache is never smaller than a pointer. */
static size_t behind(unsigned i, size_t size)
{
	return from_cache(i) ? max(size, sizeof(void *)) : size;
}

/* A new slab came: then there was no free object but in other harts' magazines. */
static void check_growth(const struct slab_info *before, int info_nr)
{
	struct slab_info after;

	BUG_ON(!slab_get_info(info_nr, &after));
	BUG_ON(after.nr_slabs > before->nr_slabs &&
	       before->num_objs - before->active_objs > (HARTS - 1) * MAGAZINE);
}

static void do_alloc(unsigned i, const struct fuzz_op *op)
{
	struct object *obj = &slots[i];
	size_t size = size_of(i, op);
	struct slab_info before;

	if (obj->at)
		return;
	obj->info = from_cache(i) ? info_of(kinds[i % ARRAY_SIZE(kinds)].name) : kmalloc_info(size);
	if (obj->info >= 0)
		slab_get_info(obj->info, &before);
	obj->at = get(i, op, size);
	if (obj->info >= 0)
		check_growth(&before, obj->info);
	if (!obj->at) {
		check_failure(obj->info, size);
		return;
	}
	BUG_ON(current->fail_fired || size > KMALLOC_MAX);
	obj->size = size;
	obj->seed = op->a;
	BUG_ON((unsigned long)obj->at % align_of(i, size) != 0);
	BUG_ON(size && __asan_region_is_poisoned(obj->at, size));
	BUG_ON(obj->info >= 0 && sanitized() &&
	       !__asan_address_is_poisoned(obj->at + behind(i, size)));
	BUG_ON(obj->info >= 0 && slab_object_size(obj->at) < size);
	if (gfp_of(op) & GFP_ZERO && !is_strdup(i, op)) {
		for (size_t n = 0; n < size; n++)
			BUG_ON(obj->at[n] != 0);
	}
	own(obj, 0, i + 1);
	contents(obj, true);
	if (obj->info >= 0)
		held[obj->info]++;
	else
		large_pages += large_size(size);
}

static void do_free(unsigned i)
{
	struct object *obj = &slots[i];

	if (!obj->at)
		return;
	contents(obj, false);
	own(obj, i + 1, 0);
	if (obj->info >= 0)
		held[obj->info]--;
	else
		large_pages -= large_size(obj->size);
	if (from_cache(i))
		kmem_cache_free(caches[i % ARRAY_SIZE(kinds)], obj->at);
	else
		kfree(obj->at);
	obj->at = NULL;
}

static void start(void)
{
	if (owner)
		return;
	machine_boot(RAM_PAGES, HARTS);
	owner = calloc(RAM_PAGES * PAGE_SIZE / GRAIN, sizeof(*owner));
	for (unsigned n = 0; n < ARRAY_SIZE(kinds); n++)
		caches[n] = kmem_cache_create(kinds[n].name, kinds[n].size, kinds[n].align);
}

static void step(const struct fuzz_op *op)
{
	unsigned i = op->b % NR_SLOTS;

	switch (op->code) {
	case OP_ALLOC:
	case OP_ALLOC_TOO:
		do_alloc(i, op);
		break;
	case OP_FREE:
	case OP_FREE_TOO:
		do_free(i);
		break;
	case OP_HART:
		machine_run_on(op->a % HARTS);
		break;
	default:
		if (op->a % 16 == 0)
			check_all();
		kfree(NULL);
		break;
	}
	check_counts();
}

static void end(void)
{
	check_all();
	for (unsigned i = 0; i < NR_SLOTS; i++)
		do_free(i);
	check_all();
	machine_run_on(0);
	machine_check_rest();
}

static void print(FILE *out, const struct fuzz_op *op)
{
	unsigned i = op->b % NR_SLOTS;

	switch (op->code) {
	case OP_ALLOC:
	case OP_ALLOC_TOO:
		if (injected(op))
			fprintf(out, "\tcurrent->fail_alloc = 1;\n");
		if (from_cache(i))
			fprintf(out, "\tobj[%u] = kmem_cache_alloc(%s, 0x%x);\n", i,
				kinds[i % ARRAY_SIZE(kinds)].name, gfp_of(op));
		else
			fprintf(out, "\tobj[%u] = %s(%zu, 0x%x);\n", i,
				is_strdup(i, op) ? "strdup_of" : "kmalloc", size_of(i, op),
				gfp_of(op));
		break;
	case OP_FREE:
	case OP_FREE_TOO:
		if (from_cache(i))
			fprintf(out, "\tkmem_cache_free(%s, obj[%u]);\n",
				kinds[i % ARRAY_SIZE(kinds)].name, i);
		else
			fprintf(out, "\tkfree(obj[%u]);\n", i);
		break;
	case OP_HART:
		fprintf(out, "\tmachine_run_on(%u);\n", op->a % HARTS);
		break;
	default:
		fprintf(out, "\tCHECK_EQ(slab_check(), 0);\n");
		break;
	}
}

const struct fuzz_target fuzz_target = {
	.name = "slab",
	.nr_codes = NR_CODES,
	.default_ops = 20000,
	.start = start,
	.step = step,
	.end = end,
	.print = print,
};
