/*
 * malloctext.c - the textbook allocators: random operations, each followed by the checker.
 *
 * The contents of all blocks are compared as well: a block that overlaps another shows.
 */
#include "usr/lib/test.h"

#include "usr/lib/malloc/textbook/allocator.h"
#include "usr/lib/malloc/textbook/memlib.h"

#define BLOCKS	   200
#define OPERATIONS 3000

struct model {
	unsigned char *payload;
	size_t bytes;
};

static struct model blocks[BLOCKS];

static bool holds(const unsigned char *payload, size_t bytes, unsigned char value)
{
	for (size_t i = 0; i < bytes; i++)
		if (payload[i] != value)
			return false;
	return true;
}

static size_t random_bytes(void)
{
	size_t limit = test_random_below(10) ? 200 : 20000;

	return 1 + test_random_below(limit);
}

static void random_op(const struct allocator *allocator, size_t which)
{
	struct model *block = &blocks[which];
	size_t bytes = random_bytes(), old = block->bytes;
	unsigned char value = which + 1;

	if (block->payload)
		CHECK(holds(block->payload, old, value));
	if (block->payload && test_random_below(3)) {
		allocator->free(block->payload);
		*block = (struct model){ NULL, 0 };
		return;
	}
	block->payload = block->payload ? textbook_realloc(allocator, block->payload, bytes) :
					  allocator->malloc(bytes);
	CHECK(block->payload);
	CHECK_EQ((uintptr_t)block->payload % 16, 0);
	CHECK((char *)block->payload >= mem_lo() &&
	      (char *)block->payload + bytes <= mem_lo() + mem_size());
	CHECK(allocator->usable(block->payload) >= bytes);
	CHECK(holds(block->payload, old < bytes ? old : bytes, value));
	memset(block->payload, value, bytes);
	block->bytes = bytes;
}

static void check(const struct allocator *allocator)
{
	const char *wrong = allocator->check();

	if (wrong)
		test_fail(__FILE__, __LINE__, "%s: %s", allocator->name, wrong);
}

static void try_allocator(const char *name)
{
	const struct allocator *allocator = textbook_find(name);

	CHECK(allocator);
	CHECK(mem_init());
	CHECK(allocator->init());
	check(allocator);
	for (int op = 0; op < OPERATIONS; op++) {
		random_op(allocator, test_random_below(BLOCKS));
		check(allocator);
		if (op % 200 == 0)
			test_progress();
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		if (blocks[i].payload) {
			allocator->free(blocks[i].payload);
			check(allocator);
		}
	}
	/* What no heap can hold is refused, and changes nothing. */
	CHECK(!allocator->malloc(2 * MEM_MAX));
	CHECK(!allocator->malloc(SIZE_MAX - 7));
	check(allocator);
	while (allocator->malloc(MEM_MAX / 100))
		;
	check(allocator);
}

#define TRY(id, name)                                                                              \
	TEST(id)                                                                                   \
	{                                                                                          \
		try_allocator(name);                                                               \
	}

TRY(bump, "bump")
TRY(kernighan_and_ritchie, "kr")
TRY(the_exercise, "mm")
TRY(implicit_first_fit, "implicit-first")
TRY(implicit_next_fit, "implicit-next")
TRY(implicit_best_fit, "implicit-best")
TRY(implicit_deferred, "implicit-deferred")
TRY(implicit_next_fit_deferred, "implicit-next-deferred")
TRY(implicit_best_fit_deferred, "implicit-best-deferred")
TRY(explicit_lifo, "explicit-lifo")
TRY(explicit_by_address, "explicit-addr")
TRY(segregated_storage, "storage")
TRY(segregated_fits, "segfit")
TRY(buddies, "buddy")

/* A heap with a block of 100 bytes, and one freed behind it, whose checker is content. */
static char *fresh_block(const struct allocator *allocator)
{
	char *payload, *behind;

	CHECK(mem_init());
	CHECK(allocator->init());
	payload = allocator->malloc(100);
	behind = allocator->malloc(100);
	CHECK(payload && behind);
	allocator->free(behind);
	check(allocator);
	return payload;
}

static void must_complain(const struct allocator *allocator)
{
	if (!allocator->check())
		test_fail(__FILE__, __LINE__, "%s: its checker sees nothing", allocator->name);
}

/* The checkers can fail: a word behind a block is overwritten. */
TEST(an_overrun_is_found)
{
	static const char *const tagged[] = {
		"mm",
		"implicit-first",
		"implicit-next",
		"implicit-best",
		"implicit-deferred",
		"implicit-next-deferred",
		"implicit-best-deferred",
		"explicit-lifo",
		"explicit-addr",
		"segfit",
	};

	for (size_t i = 0; i < ARRAY_LEN(tagged); i++) {
		const struct allocator *allocator = textbook_find(tagged[i]);
		size_t *payload = (size_t *)fresh_block(allocator);

		payload[allocator->usable(payload) / sizeof(size_t)] ^= 0x70;
		must_complain(allocator);
	}
}

/* Those without footers: a field in front of a used block. */
TEST(a_damaged_field_is_found)
{
	static const struct {
		const char *name;
		int at;	      /* of the payload of a used block, in bytes */
		uint8_t bits; /* which are flipped */
	} fields[] = {
		{ "bump", -16, 0x08 }, /* the size is no multiple of 16 */
		{ "kr", -8, 0x01 },    /* the size, in units: the next block is not where it says */
		{ "buddy", -16, 0x40 }, /* the order */
		{ "buddy", -12, 0x01 }, /* not used, and on no list */
	};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct allocator *allocator = textbook_find(fields[i].name);

		fresh_block(allocator)[fields[i].at] ^= fields[i].bits;
		must_complain(allocator);
	}
}

/* All is free again, and the first free block links to what is not the heap's. */
TEST(a_damaged_link_is_found)
{
	static const struct {
		const char *name;
		size_t at; /* of the heap, in bytes */
	} links[] = { { "storage", 0 }, { "kr", 0 }, { "buddy", 16 } };

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		const struct allocator *allocator = textbook_find(links[i].name);
		char *next;

		allocator->free(fresh_block(allocator));
		check(allocator);
		next = mem_lo() + mem_size();
		memcpy(mem_lo() + links[i].at, &next, sizeof(next));
		must_complain(allocator);
	}
}
