/*
 * gc.c - the collector of usr/lib/gc: what must survive survives, from every place where a pointer
 * may stand; what nobody reaches goes, but for what conservatism finds by accident. The oracle of
 * random graphs is in gcgraph.c.
 *
 * Addresses that must not count as pointers are kept inverted.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "usr/lib/gc/internal.h"
#include "usr/lib/testgc.h"
#include "usr/lib/testutil.h"

#define MANY 100

struct cell {
	struct cell *next;
	unsigned long value;
};

static uintptr_t hidden[MANY];

static uintptr_t hide(const void *pointer)
{
	return ~(uintptr_t)pointer;
}

static void collect(void)
{
	scrub_stack();
	CHECK_OK(gc_collect());
	check_heap();
}

static bool is_there(uintptr_t hidden_address)
{
	return gc_base((const void *)~hidden_address) == (const void *)~hidden_address;
}

/* MANY cells that only `hidden` knows. */
__attribute__((noipa)) static void make_many(void)
{
	for (int i = 0; i < MANY; i++)
		hidden[i] = hide(gc_malloc(sizeof(struct cell)));
}

static int count_there(void)
{
	int there = 0;

	for (int i = 0; i < MANY; i++)
		there += is_there(hidden[i]);
	return there;
}

/* ---- blocks ---- */

TEST(blocks_are_zeroed_aligned_and_apart)
{
	static char *blocks[300];
	size_t size = 0;

	for (int i = 0; i < 300; i++, size += 1 + size / 16) {
		blocks[i] = gc_malloc(size);
		CHECK((uintptr_t)blocks[i] % 16 == 0);
		CHECK(gc_size(blocks[i]) > size);
		for (size_t at = 0; at < size; at += size < 4096 ? 1 : 509)
			CHECK_EQ(blocks[i][at], 0);
		memset(blocks[i], i + 1, size);
		if (size > 1 << 20)
			size = 0;
	}
	collect();
	size = 0;
	for (int i = 0; i < 300; i++, size += 1 + size / 16) {
		for (size_t at = 0; at < size; at += size < 4096 ? 1 : 509)
			CHECK_EQ(blocks[i][at], (char)(i + 1));
		if (size > 1 << 20)
			size = 0;
	}
}

TEST(memory_that_is_used_again_is_zeroed)
{
	for (int round = 0; round < 20; round++) {
		for (size_t size = 1; size < 20000; size = size * 3 / 2 + 1) {
			char *block = gc_malloc(size);

			for (size_t at = 0; at < size; at++)
				CHECK_EQ(block[at], 0);
			memset(block, 0xff, size);
		}
		collect();
	}
}

TEST(addresses_that_are_no_blocks)
{
	char *block = gc_malloc(100), *big = gc_malloc(50000);

	CHECK_EQ(gc_base(NULL), NULL);
	CHECK_EQ(gc_base(&block), NULL);
	CHECK_EQ(gc_base((void *)UINTPTR_MAX), NULL);
	CHECK_EQ(gc_base(block - 1), NULL);
	CHECK_EQ(gc_base(gc), NULL);
	CHECK_EQ(gc_base(gc->base + gc->nr_pages * GC_PAGE), NULL);
	CHECK_EQ(gc_base(block + 57), block);
	CHECK_EQ(gc_base(block + 100), block);
	CHECK_EQ(gc_base(block + gc_size(block)), NULL);
	CHECK_EQ(gc_base(big + 50000), big);
	/* The tail of a page that its cells do not fill. */
	block = gc_malloc(670);
	CHECK_EQ(gc_size(block), 672);
	CHECK_EQ(gc_base((char *)((uintptr_t)block | 4095)), NULL);
}

TEST(the_limit)
{
	static void *keep[64];
	int nr = 0;

	CHECK_OK(gc_init(4 << 20));
	CHECK_ERRNO(gc_init(4 << 20), EBUSY);
	errno = 0;
	CHECK_EQ(gc_malloc(SIZE_MAX), NULL);
	CHECK_EQ(errno, ENOMEM);
	CHECK_EQ(gc_malloc(4 << 20), NULL);
	while (nr < 64 && (keep[nr] = gc_malloc(100000)))
		nr++;
	CHECK_RANGE(nr, 35, 41);
	CHECK_EQ(errno, ENOMEM);
	check_heap();
	keep[nr / 2] = NULL;
	CHECK(gc_malloc(100000)); /* collects by itself */
	check_heap();
	memset(keep, 0, sizeof(keep));
	CHECK(gc_malloc(3000000));
	check_heap();
}

TEST(garbage_is_collected_without_asking)
{
	struct gc_stats stats;

	for (int i = 0; i < 1000000; i++)
		CHECK(gc_malloc(100));
	gc_get_stats(&stats);
	CHECK_EQ(stats.total_blocks, 1000000);
	CHECK_RANGE(stats.collections, 50, 200);
	CHECK(stats.heap <= 4 << 20);
	check_heap();
}

TEST(no_collection_comes_by_itself_if_told)
{
	struct gc_stats stats;

	gc_set_threshold(SIZE_MAX);
	for (int i = 0; i < 100000; i++)
		CHECK(gc_malloc(100));
	gc_get_stats(&stats);
	CHECK_EQ(stats.collections, 0);
	CHECK_EQ(stats.blocks, 100000);
	collect();
	gc_get_stats(&stats);
	CHECK(stats.blocks < 100);
}

TEST(long_free_runs_go_back_to_the_system)
{
	static char *block;
	long long before, after;
	struct gc_stats stats;

	block = gc_malloc_leaf(16 << 20);
	memset(block, 1, 16 << 20);
	before = status_kb(getpid(), "RssAnon");
	if (before < 0)
		before = status_kb(getpid(), "VmRSS");
	block = NULL;
	collect();
	gc_get_stats(&stats);
	after = status_kb(getpid(), "RssAnon");
	if (after < 0)
		after = status_kb(getpid(), "VmRSS");
	CHECK_EQ(stats.returned, (16 << 20) + 4096);
	CHECK_RANGE(before - after, 15 << 10, 17 << 10);
}

/* ---- where pointers stand ---- */

static struct cell *in_bss;
static struct cell *in_data = (struct cell *)1;
static __thread struct cell *in_tls;

TEST(what_nobody_reaches_goes)
{
	make_many();
	CHECK_EQ(count_there(), MANY);
	collect();
	CHECK_RANGE(count_there(), 0, 5);
}

TEST(circles_go_too)
{
	struct cell *a, *b;

	for (int i = 0; i < MANY; i++) {
		a = gc_malloc(sizeof(*a));
		b = gc_malloc(sizeof(*b));
		a->next = b;
		b->next = a;
		hidden[i] = hide(a);
	}
	a = b = NULL;
	collect();
	CHECK_RANGE(count_there(), 0, 5);
}

__attribute__((noipa)) static void set_globals(void)
{
	in_bss = gc_malloc(sizeof(*in_bss));
	in_bss->next = gc_malloc(sizeof(*in_bss));
	in_data = gc_malloc(sizeof(*in_data));
	in_tls = gc_malloc(sizeof(*in_tls));
	in_bss->next->value = 1;
	in_data->value = 2;
	in_tls->value = 3;
}

TEST(data_bss_and_thread_local_variables)
{
	set_globals();
	hidden[0] = hide(in_bss->next);
	hidden[1] = hide(in_data);
	hidden[2] = hide(in_tls);
	collect();
	for (int i = 0; i < 3; i++) {
		CHECK(is_there(hidden[i]));
		CHECK_EQ(((struct cell *)~hidden[i])->value, i + 1);
	}
}

/* Recurses @depth times, with a cell in each frame, collects at the bottom, returns the sum. */
__attribute__((noipa)) static unsigned long in_frames(int depth)
{
	struct cell *mine = gc_malloc(sizeof(*mine));
	unsigned long sum = 0;

	mine->value = depth;
	if (depth)
		sum = in_frames(depth - 1);
	else
		CHECK_OK(gc_collect());
	CHECK_EQ(gc_base(mine), mine);
	return sum + mine->value;
}

TEST(every_frame_of_the_stack)
{
	CHECK_EQ(in_frames(1000), 1000 * 1001 / 2);
	check_heap();
}

/* Let the only copy of the cell hidden[0] stand in register @name while memory is collected. */
#define KEEP_IN_REGISTER(name)                                                                     \
	do {                                                                                       \
		register uintptr_t in_register __asm__(name) = ~hidden[0];                         \
		__asm__ volatile("" : "+r"(in_register));                                          \
		gc_collect();                                                                      \
		__asm__ volatile("" : "+r"(in_register));                                          \
		hidden[1] = ~in_register;                                                          \
	} while (0)

__attribute__((noipa)) static void keep_in_register(int nr)
{
	switch (nr) {
#if defined(__riscv)
	case 0:
		KEEP_IN_REGISTER("s1");
		break;
	case 1:
		KEEP_IN_REGISTER("s2");
		break;
	case 2:
		KEEP_IN_REGISTER("s5");
		break;
	case 3:
		KEEP_IN_REGISTER("s11");
		break;
#elif defined(__x86_64__)
	case 0:
		KEEP_IN_REGISTER("rbx");
		break;
	case 1:
		KEEP_IN_REGISTER("r12");
		break;
	case 2:
		KEEP_IN_REGISTER("r13");
		break;
	case 3:
		KEEP_IN_REGISTER("r15");
		break;
#endif
	default:
		SKIP("registers of this machine are not named here");
	}
}

TEST(a_pointer_only_in_a_register)
{
	for (int nr = 0; nr < 4; nr++) {
		make_many();
		scrub_stack();
		keep_in_register(nr);
		CHECK_EQ(hidden[1], hidden[0]);
		CHECK(is_there(hidden[0]));
		hidden[1] = 0;
		/* The rest was hidden as well as that one, and is gone. */
		CHECK_RANGE(count_there(), 1, 10);
		check_heap();
	}
}

TEST(any_byte_of_a_block_and_the_one_behind_it)
{
	static const size_t sizes[] = { 1, 15, 16, 24, 31, 32, 100, 1000, 2047, 2048, 4096, 10000 };
	static char *volatile pointer;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		for (size_t at = 0; at <= sizes[i]; at += sizes[i] > 200 ? sizes[i] / 10 : 1) {
			pointer = (char *)gc_malloc(sizes[i]) + at;
			hidden[0] = hide(pointer - at);
			collect();
			CHECK(is_there(hidden[0]));
		}
		pointer = NULL;
	}
}

TEST(malloc_memory_is_no_root_unless_added)
{
	struct cell **outside = malloc(MANY * sizeof(*outside));

	make_many();
	for (int i = 0; i < MANY; i++)
		outside[i] = (struct cell *)~hidden[i];
	CHECK_OK(gc_add_roots(outside, outside + MANY));
	collect();
	CHECK_EQ(count_there(), MANY);
	CHECK_OK(gc_remove_roots(outside));
	CHECK_ERRNO(gc_remove_roots(outside), ENOENT);
	collect();
	CHECK_RANGE(count_there(), 0, 10);
	free(outside);
}

TEST(nobody_looks_into_leaves)
{
	static uintptr_t **leaves, **others;

	leaves = gc_malloc(2 * sizeof(*leaves));
	leaves[0] = gc_malloc_leaf(MANY * sizeof(uintptr_t));
	others = gc_malloc(sizeof(*others));
	others[0] = gc_malloc(MANY * sizeof(uintptr_t));
	make_many();
	for (int i = 0; i < MANY; i++)
		(i % 2 ? leaves : others)[0][i] = ~hidden[i];
	collect();
	CHECK_RANGE(count_there(), MANY / 2, MANY / 2 + 5);
	for (int i = 0; i < MANY; i += 2)
		CHECK(is_there(hidden[i]));
}

/* Collect on an alternate stack: the main one is a root all the same. */
static void collect_in_handler(int signal)
{
	(void)signal;
	CHECK_OK(gc_collect());
}

TEST(the_main_stack_counts_on_another_stack)
{
	stack_t other = { .ss_size = 128 << 10 };
	struct sigaction action = { .sa_handler = collect_in_handler, .sa_flags = SA_ONSTACK };
	struct cell *volatile mine = gc_malloc(sizeof(*mine));

	other.ss_sp = map_anon(other.ss_size);
	hidden[0] = hide(mine);
	CHECK_OK(sigaltstack(&other, NULL));
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK(is_there(hidden[0]));
	CHECK_EQ(mine->value, 0);
	check_heap();
}

static struct {
	struct cell *volatile below;
	char stack[128 << 10];
} both;

/* A stack in an array: the variables below it are in the same area. */
TEST(variables_below_the_stack_that_runs_count)
{
	stack_t other = { .ss_sp = both.stack, .ss_size = sizeof(both.stack) };
	struct sigaction action = { .sa_handler = collect_in_handler, .sa_flags = SA_ONSTACK };

	both.below = gc_malloc(sizeof(*both.below));
	hidden[0] = hide(both.below);
	scrub_stack();
	CHECK_OK(sigaltstack(&other, NULL));
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK(is_there(hidden[0]));
	check_heap();
}

/* mlock() makes three areas of a stack, and only the highest is called so. */
__attribute__((noipa)) static void check_locked_part(bool other_stack)
{
	struct cell *volatile room[2 * GC_PAGE / sizeof(struct cell *)] = { NULL };
	char *page = (char *)(((uintptr_t)room + GC_PAGE - 1) & -GC_PAGE);
	struct cell *volatile *mine = (struct cell *volatile *)page + 100;

	if (mlock(page, GC_PAGE) < 0)
		SKIP("no right to lock a page");
	*mine = gc_malloc(sizeof(**mine));
	hidden[0] = hide(*mine);
	scrub_stack();
	if (other_stack)
		CHECK_OK(raise(SIGUSR1));
	else
		CHECK_OK(gc_collect());
	CHECK(is_there(hidden[0]));
	check_heap();
}

TEST(a_stack_with_a_locked_part)
{
	check_locked_part(false);
}

TEST(a_stack_with_a_locked_part_from_another)
{
	stack_t other = { .ss_sp = both.stack, .ss_size = sizeof(both.stack) };
	struct sigaction action = { .sa_handler = collect_in_handler, .sa_flags = SA_ONSTACK };

	CHECK_OK(sigaltstack(&other, NULL));
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	check_locked_part(true);
}

/* Behind the end of a file there is nothing to load: SIGBUS. */
TEST(files_that_the_program_maps_are_no_roots)
{
	const char *path = tmp_path("short");
	char *file;
	int fd;

	write_file(path, "x", 1);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0);
	file = mmap(NULL, 2 * GC_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(file != MAP_FAILED);
	CHECK(gc_malloc(1));
	collect();
	CHECK_EQ(file[0], 'x');
	CHECK_OK(unlink(path));
}

/* The kernel joins a stack that ends where the collector's mapping begins with that. */
TEST(the_collectors_own_memory_is_no_root)
{
	stack_t other = { .ss_size = 128 << 10 };
	struct sigaction action = { .sa_handler = collect_in_handler, .sa_flags = SA_ONSTACK };
	struct map_line line;

	CHECK_OK(gc_init(4 << 20));
	other.ss_sp = (char *)gc - other.ss_size;
	if (mmap(other.ss_sp, other.ss_size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
		 0) == MAP_FAILED)
		SKIP("something else is there");
	CHECK(find_map((unsigned long)gc, &line));
	CHECK(line.start <= (unsigned long)other.ss_sp);
	CHECK_OK(sigaltstack(&other, NULL));
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	CHECK_OK(raise(SIGUSR1));
	for (size_t i = 0; i < gc->nr_roots; i++)
		CHECK(gc->roots[i].end <= (uintptr_t)gc || gc->roots[i].start >= gc->end);
}

/* ---- depth ---- */

#define MILLION 1000000

static struct cell *list;

__attribute__((noipa)) static void make_list(unsigned long length)
{
	for (unsigned long i = 0; i < length; i++) {
		struct cell *cell = gc_malloc(sizeof(*cell));

		CHECK(cell);
		cell->next = list;
		cell->value = i;
		list = cell;
	}
}

__attribute__((noipa)) static void check_list(unsigned long length)
{
	for (const struct cell *cell = list; cell; cell = cell->next)
		CHECK_EQ(cell->value, --length);
	CHECK_EQ(length, 0);
}

TEST(a_list_of_a_million_cells)
{
	long long stack = status_kb(getpid(), "VmStk");
	struct gc_stats stats;

	CHECK_OK(gc_init(64 << 20));
	make_list(MILLION);
	test_progress();
	collect();
	gc_get_stats(&stats);
	CHECK_RANGE(stats.blocks, MILLION, MILLION + 10);
	CHECK_RANGE(stats.depth, 1, 10);
	CHECK_EQ(stats.rescans, 0);
	CHECK_EQ(status_kb(getpid(), "VmStk"), stack);
	check_list(MILLION);
	list = NULL;
	collect();
	gc_get_stats(&stats);
	CHECK_RANGE(stats.blocks, 0, 10);
}

TEST(an_array_of_pointers_needs_little_mark_stack)
{
	static struct cell **array;
	struct gc_stats stats;
	size_t nr = 200000;

	array = gc_malloc(nr * sizeof(*array));
	for (size_t i = 0; i < nr; i++) {
		array[i] = gc_malloc(sizeof(**array));
		array[i]->value = i;
	}
	collect();
	gc_get_stats(&stats);
	CHECK_RANGE(stats.blocks, nr + 1, nr + 10);
	CHECK_RANGE(stats.depth, 2, 200);
	for (size_t i = 0; i < nr; i++)
		CHECK_EQ(array[i]->value, i);
}

static void **make_tree(int depth)
{
	void **node = gc_malloc(4 * sizeof(*node));

	for (int i = 0; i < 4 && depth; i++)
		node[i] = make_tree(depth - 1);
	return node;
}

static size_t count_tree(void **node)
{
	size_t nr = 1;

	CHECK_EQ(gc_base(node), node);
	for (int i = 0; i < 4; i++)
		if (node[i])
			nr += count_tree(node[i]);
	return nr;
}

TEST(a_full_mark_stack_loses_nothing)
{
	static void **tree;
	struct gc_stats stats;

	tree = make_tree(6);
	for (size_t entries = 1; entries <= 16; entries *= 4) {
		gc_limit_mark_stack(entries);
		collect();
		gc_get_stats(&stats);
		CHECK(stats.rescans > 0);
		CHECK_RANGE(stats.depth, 1, entries);
		CHECK_EQ(count_tree(tree), 5461);
	}
	gc_limit_mark_stack(SIZE_MAX);
	collect();
	gc_get_stats(&stats);
	CHECK_EQ(stats.rescans, 0);
	CHECK_EQ(count_tree(tree), 5461);
}

/* ---- failure, fork ---- */

TEST(without_proc_nothing_is_freed)
{
	struct rlimit none = { 0, 0 };

	make_many();
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
	CHECK_ERRNO(gc_collect(), EMFILE);
	CHECK_EQ(count_there(), MANY);
	check_heap();
	CHECK(gc_malloc(100));
}

TEST(a_forked_child_has_its_own_heap)
{
	in_bss = gc_malloc(sizeof(*in_bss));
	in_bss->value = 7;
	hidden[0] = hide(in_bss);
	CHECK_CHILD({
		in_bss->value = 8;
		in_bss = NULL;
		for (int i = 0; i < 100000; i++)
			CHECK(gc_malloc(64));
		collect();
	});
	collect();
	CHECK(is_there(hidden[0]));
	CHECK_EQ(in_bss->value, 7);
}

/* ---- the checker, the dump ---- */

TEST(the_checker_sees_damage)
{
	static char *block, *big;
	struct gc_page *page, *large;

	block = gc_malloc(100);
	big = gc_malloc(20000);
	page = &gc->pages[(block - gc->base) / GC_PAGE];
	large = &gc->pages[(big - gc->base) / GC_PAGE];
#define FINDS_DAMAGE(lvalue, value)                                                                \
	do {                                                                                       \
		__typeof__(lvalue) saved = (lvalue);                                               \
		check_heap();                                                                      \
		(lvalue) = (value);                                                                \
		CHECK(gc_check());                                                                 \
		(lvalue) = saved;                                                                  \
		check_heap();                                                                      \
	} while (0)
	FINDS_DAMAGE(page->nr_used, 2);
	FINDS_DAMAGE(page->used[0], 3);
	FINDS_DAMAGE(page->used[3], 1UL << 63);
	FINDS_DAMAGE(page->marked[0], 2);
	FINDS_DAMAGE(page->class, 3);
	FINDS_DAMAGE(page->kind, GC_REST);
	FINDS_DAMAGE(page->next, large - gc->pages);
	FINDS_DAMAGE(gc->with_room[0][gc_nr_cells(page) > 30], 0);
	FINDS_DAMAGE(large->run, 4);
	FINDS_DAMAGE(large[2].run, 1);
	FINDS_DAMAGE(large[1].kind, GC_FREE);
	FINDS_DAMAGE(gc->first_free, gc->first_free + 1);
	FINDS_DAMAGE(gc->base[gc->first_free * GC_PAGE], 1);
	FINDS_DAMAGE(gc->stats.blocks, 3);
	FINDS_DAMAGE(gc->stats.bytes, 3);
}

static void label(const void *start, size_t size, char *text, size_t room)
{
	snprintf(text, room, "%zu:%lu", size, ((const struct cell *)start)->value);
}

__attribute__((noipa)) static void make_garbage(void)
{
	struct cell *cell = gc_malloc(sizeof(*cell));

	cell->next = cell;
	cell->value = 99;
}

TEST(the_dump_says_who_points_to_whom)
{
	static char text[16384];
	FILE *out;

	gc_set_threshold(SIZE_MAX);
	in_bss = gc_malloc(sizeof(*in_bss));
	in_bss->value = 5;
	in_bss->next = gc_malloc(sizeof(*in_bss));
	in_bss->next->value = 6;
	make_garbage();
	scrub_stack();
	out = fmemopen(text, sizeof(text), "w");
	CHECK_OK(gc_dump(out, GC_TEXT, label));
	fclose(out);
	CHECK(strstr(text, "\n  data 0x"));
	CHECK(strstr(text, "32 bytes, 32:5 -> 20\n"));
	CHECK(strstr(text, "32 bytes, 32:6\n"));
	CHECK(strstr(text, "32 bytes, 32:99, garbage -> 40\n"));
	scrub_stack();
	out = fmemopen(text, sizeof(text), "w");
	CHECK_OK(gc_dump(out, GC_DOT, label));
	fclose(out);
	CHECK(strstr(text, "digraph heap {\n"));
	CHECK(strstr(text, "\tb0 -> b20;\n"));
	CHECK(strstr(text, "\tb40 -> b40;\n"));
	check_heap();
}
