/*
 * malloc.c - the family of malloc(), which is libumalloc's here: contracts, errno, invariants.
 *
 * umalloc_check() looks at the whole heap: in the random TEST after every operation.
 */
#include "usr/lib/test.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "usr/lib/malloc/umalloc.h"
#include "usr/lib/testutil.h"

#define LARGE (512 * 1024) /* a mapping of its own */

/* Sizes that the compiler must not reason about. */
static volatile size_t zero, huge = PTRDIFF_MAX, all = SIZE_MAX;

/* What malloc() returned: the compiler must not leave out a block that is only freed. */
static char *kept(char *payload)
{
	static char *volatile place;

	place = payload;
	return place;
}

static void check_heap(void)
{
	CHECK_STRING(umalloc_check(NULL) ? umalloc_check(NULL) : "fine", "fine");
}

static void fill(void *payload, size_t from, size_t bytes, unsigned char seed)
{
	unsigned char *p = payload;

	for (size_t i = from; i < bytes; i++)
		p[i] = seed + i * 7;
}

static bool is_filled(const void *payload, size_t bytes, unsigned char seed)
{
	const unsigned char *p = payload;

	for (size_t i = 0; i < bytes; i++)
		if (p[i] != (unsigned char)(seed + i * 7))
			return false;
	return true;
}

TEST(payloads_are_aligned_to_16)
{
	for (size_t bytes = 0; bytes < 2000; bytes++) {
		char *p = malloc(bytes);

		CHECK(p);
		CHECK_EQ((uintptr_t)p % 16, 0);
		CHECK(malloc_usable_size(p) >= bytes);
		memset(p, 0xff, malloc_usable_size(p));
		if (bytes % 3)
			free(p);
	}
	check_heap();
}

TEST(impossible_sizes_are_enomem)
{
	errno = 0;
	CHECK(!malloc(huge + 1));
	CHECK_EQ(errno, ENOMEM);
	errno = 0;
	CHECK(!malloc(all));
	CHECK_EQ(errno, ENOMEM);
	errno = 0;
	CHECK(!calloc(all / 2, 3));
	CHECK_EQ(errno, ENOMEM);
	errno = 0;
	CHECK(!reallocarray(NULL, all / 2, 3));
	CHECK_EQ(errno, ENOMEM);
	errno = 0;
	CHECK(!aligned_alloc(4096, all - 100));
	CHECK_EQ(errno, ENOMEM);
	check_heap();
}

TEST(a_failed_realloc_leaves_the_block)
{
	for (size_t bytes = 10; bytes <= 1000000; bytes *= 10) {
		char *p = malloc(bytes);

		fill(p, 0, bytes, 3);
		errno = 0;
		CHECK(!realloc(p, huge));
		CHECK_EQ(errno, ENOMEM);
		CHECK(is_filled(p, bytes, 3));
		free(p);
	}
	check_heap();
}

TEST(calloc_is_zero_where_others_have_been)
{
	for (size_t bytes = 1; bytes < 4 * LARGE; bytes = bytes * 3 + 1) {
		char *p = kept(malloc(bytes));

		memset(kept(p), 0xaa, bytes);
		free(kept(p));
		p = kept(calloc(1, bytes));
		for (size_t i = 0; i < bytes; i++)
			CHECK_EQ(p[i], 0);
		free(p);
	}
}

TEST(realloc_keeps_the_contents_up_and_down)
{
	size_t bytes = 1, old = 0;
	char *p = NULL, *beside[64] = { NULL };

	for (int step = 0; bytes < 4 * LARGE; step++, old = bytes, bytes += bytes / 3 + 1) {
		p = realloc(p, bytes);
		CHECK(p);
		CHECK(is_filled(p, old, 9));
		fill(p, old, bytes, 9);
		if (step % 2)
			beside[step % 64] = malloc(bytes / 5 + 1);
		check_heap();
	}
	for (bytes = old; bytes; bytes /= 2) {
		p = realloc(p, bytes);
		CHECK(is_filled(p, bytes, 9));
		check_heap();
	}
	for (size_t i = 0; i < ARRAY_LEN(beside); i++)
		free(beside[i]);
	CHECK(!realloc(p, zero)); /* as glibc has it: freed */
	check_heap();
}

/* mremap() fails when a part of the mapping has other rights: it is copied then. */
TEST(realloc_of_a_mapping_that_is_in_several_areas)
{
	char *p = kept(malloc(LARGE)), *q, *page;

	fill(p, 0, LARGE, 5);
	page = (char *)(((uintptr_t)p + PAGE_SIZE) & -PAGE_SIZE);
	CHECK_OK(mprotect(page, PAGE_SIZE, PROT_READ));
	q = realloc(p, 3 * LARGE);
	CHECK(q);
	CHECK(is_filled(q, LARGE, 5));
	fill(q, 0, 3 * LARGE, 6);
	free(q);
	check_heap();
}

TEST(alignments)
{
	void *p = NULL, *q;

	for (size_t alignment = 8; alignment <= 1 << 20; alignment *= 2) {
		for (size_t bytes = 1; bytes < LARGE; bytes = bytes * 5 + 3) {
			CHECK_EQ(posix_memalign(&p, alignment, bytes), 0);
			CHECK_EQ((uintptr_t)p % alignment, 0);
			fill(p, 0, bytes, 1);
			q = aligned_alloc(alignment, bytes);
			CHECK_EQ((uintptr_t)q % alignment, 0);
			fill(q, 0, bytes, 2);
			q = realloc(q, bytes + 1000);
			CHECK(is_filled(q, bytes, 2));
			CHECK(is_filled(p, bytes, 1));
			check_heap();
			free(p);
			free(q);
		}
	}
	check_heap();
}

TEST(wrong_alignments_are_einval)
{
	void *p = &p;

	errno = 7;
	CHECK_EQ(posix_memalign(&p, 4, 8), EINVAL);
	CHECK_EQ(posix_memalign(&p, 24, 8), EINVAL);
	CHECK_EQ(posix_memalign(&p, zero, 8), EINVAL);
	CHECK_EQ(posix_memalign(&p, 64, huge), ENOMEM);
	CHECK_EQ(errno, 7);
	CHECK(p == &p);
}

TEST(free_leaves_errno_alone)
{
	char *small = kept(malloc(10)), *large = kept(malloc(LARGE)),
	     *middle = kept(malloc(100000));

	errno = 5;
	free(large);
	free(middle);
	free(small);
	free(NULL);
	CHECK_EQ(errno, 5);
}

/* What came free would go back by madvise(), which refuses pages that are locked. */
TEST(free_leaves_errno_alone_when_nothing_goes_back)
{
	char *blocks[64], *last;

	CHECK_EQ(mallopt(M_MMAP_THRESHOLD, 16 << 20), 1);
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		CHECK((blocks[i] = kept(malloc(256 * 1024))));
	last = kept(malloc(10));
	if (mlock(blocks[0], 64 * 256 * 1024) < 0)
		SKIP("no right to lock 16 MiB");
	errno = 5;
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		free(blocks[i]);
	CHECK_EQ(errno, 5);
	free(last);
	check_heap();
}

TEST(large_blocks_go_back_at_once)
{
	struct umalloc_info before, during, after;

	umalloc_info(&before);

	char *p = kept(malloc(LARGE));

	umalloc_info(&during);
	CHECK_EQ(during.mapped_blocks, before.mapped_blocks + 1);
	CHECK(during.mapped >= before.mapped + LARGE);
	free(p);
	umalloc_info(&after);
	CHECK_EQ(after.mapped, before.mapped);
	/* Who frees one will want another: the threshold has risen, the next is of the heap. */
	p = kept(malloc(LARGE));
	umalloc_info(&after);
	CHECK_EQ(after.mapped, before.mapped);
	free(p);
}

TEST(mallopt_sets_the_threshold)
{
	struct umalloc_info before, after;

	CHECK_EQ(mallopt(M_MMAP_THRESHOLD, 4096), 1);
	CHECK_EQ(mallopt(M_TOP_PAD, -1), 0);
	CHECK_EQ(mallopt(12345, 1), 0);
	umalloc_info(&before);

	char *p = kept(malloc(5000));

	umalloc_info(&after);
	CHECK_EQ(after.mapped, before.mapped + 8192);
	free(p);
}

TEST(the_heap_can_be_kept_from_shrinking)
{
	struct umalloc_info before, after;
	char *p;

	CHECK_EQ(mallopt(M_MMAP_THRESHOLD, 64 << 20), 1);
	CHECK_EQ(mallopt(M_TRIM_THRESHOLD, -1), 1);
	p = kept(malloc(32 << 20));
	umalloc_info(&before);
	free(p);
	umalloc_info(&after);
	CHECK_EQ(after.heap, before.heap);
	CHECK_EQ(malloc_trim(0), 1);
	/* More than there may be is wished for, not demanded. */
	CHECK_EQ(mallopt(M_TOP_PAD, INT32_MAX), 1);
	CHECK(kept(malloc(100000)));
	check_heap();
}

TEST(trim_keeps_what_it_is_told_to)
{
	struct umalloc_info before, after;

	mallopt(M_TRIM_THRESHOLD, -1);
	free(kept(malloc(100000)));
	umalloc_info(&before);
	CHECK(before.top >= 100000);
	for (size_t pad = all; pad > all - 3 * PAGE_SIZE; pad -= 1000) {
		CHECK_EQ(malloc_trim(pad), 0);
		check_heap();
	}
	umalloc_info(&after);
	CHECK_EQ(after.heap, before.heap);
	CHECK_EQ(malloc_trim(50000), 1);
	umalloc_info(&after);
	CHECK(after.top >= 50000 && after.top < 50000 + PAGE_SIZE);
}

TEST(trim_gives_the_end_of_the_heap_back)
{
	struct umalloc_info before, after;
	char *blocks[64];

	mallopt(M_TRIM_THRESHOLD, INT32_MAX);
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		blocks[i] = kept(malloc(100000));
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		free(blocks[i]);
	umalloc_info(&before);
	CHECK(before.top > 6000000);
	CHECK_EQ(malloc_trim(0), 1);
	umalloc_info(&after);
	CHECK(after.heap < before.heap - 6000000);
	CHECK_EQ(malloc_trim(0), 0);
	check_heap();
}

TEST(trim_gives_pages_in_the_middle_back)
{
	char *first = kept(malloc(100000)), *last = kept(malloc(100000));
	unsigned char there[32];
	char *inside = (char *)(((uintptr_t)first + 3 * PAGE_SIZE) & -PAGE_SIZE);

	memset(first, 1, 100000);
	CHECK_OK(mincore(inside, PAGE_SIZE, there));
	CHECK_EQ(there[0] & 1, 1);
	free(first);
	malloc_trim(0);
	CHECK_OK(mincore(inside, PAGE_SIZE, there));
	CHECK_EQ(there[0] & 1, 0);
	free(last);
	check_heap();
}

TEST(the_sums_of_mallinfo_are_right)
{
	char *blocks[200];

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		blocks[i] = malloc(i * 17);
	for (size_t i = 0; i < ARRAY_LEN(blocks); i += 3)
		free(blocks[i]);

	struct mallinfo2 info = mallinfo2();

	CHECK_EQ(info.uordblks + info.fordblks, info.arena - sizeof(size_t));
	CHECK(info.uordblks > 17 * 200 * 199 / 3);
}

TEST(somebody_else_moves_the_break)
{
	char *mine[40], *theirs[40];

	for (size_t i = 0; i < ARRAY_LEN(mine); i++) {
		mine[i] = malloc(3000 + i);
		fill(mine[i], 0, 3000 + i, i);
		theirs[i] = sbrk(1 + i * 100);
		CHECK(theirs[i] != (void *)-1);
		memset(theirs[i], 0x77, 1 + i * 100);
	}
	check_heap();
	for (size_t i = 0; i < ARRAY_LEN(mine); i++) {
		CHECK(is_filled(mine[i], 3000 + i, i));
		free(mine[i]);
		for (size_t at = 0; at < 1 + i * 100; at++)
			CHECK_EQ(theirs[i][at], 0x77);
	}
	check_heap();
}

TEST(without_a_heap_there_are_mappings)
{
	struct rlimit none = { 0, 0 };
	char *p = malloc(100);

	/* The break cannot move: RLIMIT_DATA counts mappings too, so only brk() is made to fail. */
	void *wall = mmap((void *)(((uintptr_t)sbrk(0) + PAGE_SIZE - 1) & -PAGE_SIZE), PAGE_SIZE,
			  PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(wall != MAP_FAILED);
	for (int i = 0; i < 300; i++) {
		char *q = malloc(100 + i * 10);

		CHECK(q);
		fill(q, 0, 100 + i * 10, i);
	}
	check_heap();
	CHECK_OK(setrlimit(RLIMIT_AS, &none));
	errno = 0;
	CHECK(!malloc(10 * LARGE));
	CHECK_EQ(errno, ENOMEM);
	free(p);
	check_heap();
}

/* A block that is to shrink is large enough: there is no reason to fail. */
TEST(shrinking_needs_no_memory)
{
	struct rlimit none = { 0, 0 };
	char *large = kept(malloc(LARGE)), *block = kept(malloc(5000)), *small[500];
	void *wall;

	for (size_t i = 0; i < ARRAY_LEN(small); i++)
		small[i] = kept(malloc(100));
	wall = mmap((void *)(((uintptr_t)sbrk(0) + PAGE_SIZE - 1) & -PAGE_SIZE), PAGE_SIZE,
		    PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(wall != MAP_FAILED);
	CHECK_OK(setrlimit(RLIMIT_AS, &none));
	fill(large, 0, LARGE, 1);
	fill(block, 0, 5000, 2);
	fill(small[499], 0, 100, 3);
	for (size_t bytes = 1 << 20; bytes; bytes /= 2)
		while (kept(malloc(bytes)))
			;
	large = realloc(large, 1000);
	block = realloc(block, 4990);
	small[499] = realloc(small[499], 10);
	CHECK(large && block && small[499]);
	CHECK(is_filled(large, 1000, 1));
	CHECK(is_filled(block, 4990, 2));
	CHECK(is_filled(small[499], 10, 3));
	check_heap();
}

/* The checker can fail: a word is changed, found out, and put right again. */
static void check_finds(size_t *word, size_t bits, const char *wrong)
{
	*word ^= bits;
	CHECK_STRING(umalloc_check(NULL) ? umalloc_check(NULL) : "fine", wrong);
	*word ^= bits;
	check_heap();
}

TEST(damage_is_found)
{
	enum { HEAD = -1, NEXT, PREV, FOOT = 200 / 8 - 1 };
	size_t *blocks[5], *free_block, *used_block;

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		CHECK((blocks[i] = (size_t *)kept(malloc(200))));
	free_block = blocks[1];
	used_block = blocks[3];
	free(kept((char *)free_block));
	check_heap();
	check_finds(&used_block[HEAD], 1 << 20, "the size of a block is impossible");
	check_finds(&used_block[HEAD], 2, "a block is mistaken about the one before it");
	check_finds(&used_block[HEAD], 4, "a block of the heap says that it is mapped");
	check_finds(&used_block[HEAD], 8, "the map of the runs is wrong");
	check_finds(&used_block[HEAD], 1, "the foot of a free block is not its size");
	check_finds(&free_block[FOOT], 64, "the foot of a free block is not its size");
	check_finds(&free_block[PREV], 64, "the links of a bin do not agree");
	check_finds(&free_block[NEXT], (size_t)1 << 60, "a bin leads out of the heap");
	/* It is cut in two, and stays in its bin: 208 bytes are 176 free ones and 32 in use. */
	free_block[HEAD] -= 32;
	free_block[FOOT - 4] = 176;
	free_block[FOOT - 3] = 32 | 1;
	blocks[2][HEAD] |= 2;
	CHECK_STRING(umalloc_check(NULL), "a block is in the bin of another size");
}

/* ---- random operations against a model */

struct model {
	char *payload;
	size_t bytes;
	unsigned char seed;
};

static size_t random_bytes(void)
{
	switch (test_random_below(8)) {
	case 0:
		return test_random_below(40000);
	case 1:
		return test_random_below(300000);
	case 2:
	case 3:
		return test_random_below(2000);
	default:
		return test_random_below(140);
	}
}

static void random_op(struct model *block)
{
	size_t bytes = random_bytes();

	if (block->payload && test_random_below(3)) {
		CHECK(is_filled(block->payload, block->bytes, block->seed));
		free(block->payload);
		block->payload = NULL;
		return;
	}
	if (block->payload) {
		size_t kept = bytes < block->bytes ? bytes : block->bytes;

		block->payload = realloc(block->payload, bytes + 1);
		CHECK(is_filled(block->payload, kept, block->seed));
	} else if (test_random_below(20) == 0) {
		block->payload = aligned_alloc(32 << test_random_below(8), bytes + 1);
	} else {
		block->payload = malloc(bytes + 1);
	}
	CHECK(block->payload);
	block->bytes = bytes + 1;
	block->seed = test_random();
	fill(block->payload, 0, block->bytes, block->seed);
}

TEST(random_operations_keep_every_invariant)
{
	static struct model blocks[1000];

	/* Many at first, so that small sizes become popular and get runs. */
	for (int op = 0; op < 8000; op++) {
		size_t range = op < 3000 ? 1000 : op < 6000 ? 200 : 1000;

		random_op(&blocks[test_random_below(range)]);
		check_heap();
		if (op % 500 == 0)
			test_progress();
	}
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		free(blocks[i].payload);
	check_heap();
}

TEST(small_sizes_are_dense)
{
	static char *blocks[20000];
	struct umalloc_info before, after;

	umalloc_info(&before);
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		blocks[i] = malloc(48);
	umalloc_info(&after);
	CHECK(after.heap - before.heap < ARRAY_LEN(blocks) * 48 * 110 / 100);
	/* Every other one goes; then all. */
	for (size_t i = 0; i < ARRAY_LEN(blocks); i += 2)
		free(blocks[i]);
	check_heap();
	for (size_t i = 1; i < ARRAY_LEN(blocks); i += 2)
		free(blocks[i]);
	check_heap();
	malloc_trim(0);
	umalloc_info(&after);
	CHECK(after.heap < before.heap + 100000);
}

TEST(fork_gives_each_its_own_heap)
{
	char *p = malloc(1000);

	fill(p, 0, 1000, 4);
	CHECK_CHILD({
		CHECK(is_filled(p, 1000, 4));
		for (int i = 0; i < 1000; i++)
			fill(malloc(i), 0, i, 5);
		free(p);
		check_heap();
	});
	CHECK(is_filled(p, 1000, 4));
	free(p);
	check_heap();
}
