/*
 * umdebug.c - the debugging modes of libumalloc: each mistake is made in a child with UMALLOC set,
 * and what is said about it is compared: which mistake, which byte of which block, whose calls.
 *
 * The address of each call site must lie in the function that made the call.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "usr/lib/malloc/umalloc.h"
#include "usr/lib/testutil.h"

#define SIZE	  100
#define CODE_SIZE 96 /* bytes: more than any of the functions below has in front of its call */

static char output[32768];
static int status;

/* ---- what children do: their call sites are in these functions ---- */

__attribute__((noipa)) static volatile char *get(size_t size)
{
	volatile char *block = malloc(size);

	__asm__ volatile("" ::: "memory"); /* no jump: a call, from here */
	return block;
}

__attribute__((noipa)) static void give(volatile void *block)
{
	free((void *)block);
	__asm__ volatile("" ::: "memory");
}

__attribute__((noipa)) static void give_again(volatile void *block)
{
	free((void *)block);
	__asm__ volatile("" ::: "memory");
}

__attribute__((noipa)) static void *resize(volatile void *block, size_t size)
{
	void *other = realloc((void *)block, size);

	__asm__ volatile("" ::: "memory");
	return other;
}

__attribute__((noipa)) static size_t ask(volatile void *block)
{
	size_t bytes = malloc_usable_size((void *)block);

	__asm__ volatile("" ::: "memory");
	return bytes;
}

/* First of all a child tells where its functions are. */
static void tell_functions(void)
{
	char line[256];
	int length = snprintf(line, sizeof(line), "get %p give %p again %p resize %p ask %p\n",
			      (void *)get, (void *)give, (void *)give_again, (void *)resize,
			      (void *)ask);

	CHECK_EQ(write(STDERR_FILENO, line, length), length);
}

CHILD(double_free)
{
	volatile char *block = get(SIZE);

	tell_functions();
	give(block);
	give_again(block);
	return 0;
}

CHILD(free_of_a_variable)
{
	volatile long variable = 7;

	tell_functions();
	get(SIZE);
	give_again(&variable);
	return 0;
}

CHILD(free_inside)
{
	tell_functions();
	give_again(get(SIZE) + 8);
	return 0;
}

CHILD(store_behind)
{
	volatile char *block = get(SIZE);

	tell_functions();
	block[SIZE] = 1;
	give_again(block);
	return 0;
}

CHILD(store_before)
{
	volatile char *block = get(SIZE);

	tell_functions();
	block[-1] = 1;
	give_again(block);
	return 0;
}

/* Over the end of one block, over all of the next, which is then freed. */
CHILD(store_far_behind)
{
	volatile char *one = get(SIZE), *other = get(SIZE);
	volatile char *low = one < other ? one : other, *high = one < other ? other : one;
	char line[64];
	int length = snprintf(line, sizeof(line), "low 0x%lx\n", (unsigned long)low);

	CHECK_EQ(write(STDERR_FILENO, line, length), length);
	for (volatile char *at = low + SIZE; at < high + SIZE + 4; at++)
		*at = 1;
	give_again(high);
	return 0;
}

CHILD(store_after_free)
{
	volatile char *block = get(SIZE);

	tell_functions();
	give(block);
	block[42] = 1;
	return 0;
}

CHILD(store_after_free_is_found_later)
{
	volatile char *block = get(SIZE);

	tell_functions();
	give(block);
	block[42] = 1;
	for (int i = 0; i < 3000; i++)
		give(get(10));
	_exit(0);
}

CHILD(realloc_of_a_freed_block)
{
	volatile char *block = get(SIZE);

	tell_functions();
	give(block);
	CHECK(resize(block, 2 * SIZE));
	return 0;
}

CHILD(free_by_realloc)
{
	volatile char *block = get(SIZE);

	tell_functions();
	CHECK(!resize(block, 0));
	give_again(block);
	return 0;
}

CHILD(size_of_a_freed_block)
{
	volatile char *block = get(SIZE);

	tell_functions();
	give(block);
	CHECK(ask(block));
	return 0;
}

CHILD(load_behind)
{
	volatile char *block = get(104);

	tell_functions();
	return block[104];
}

CHILD(load_after_free)
{
	volatile char *block = get(104);

	tell_functions();
	give(block);
	return block[3];
}

CHILD(leak)
{
	tell_functions();
	for (int i = 0; i < 20; i++)
		CHECK(get(1000 + i));
	give(get(100000));
	return 0;
}

CHILD(heapcheck)
{
	volatile char *block = get(SIZE);

	tell_functions();
	block[SIZE] = 1;
	get(1);
	return 0;
}

/* A child has no test_random(). */
static uint64_t below(uint64_t *state, uint64_t limit)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 16) % limit;
}

/* Nothing wrong: random sizes and calls, contents compared. */
CHILD(fine)
{
	static unsigned char *blocks[200];
	static size_t sizes[200];
	uint64_t state = strtoull(argv[2], NULL, 10) | 1;
	int resized = 0;

	for (int i = 0; i < 20000; i++) {
		int at = below(&state, 200);
		size_t size = below(&state, below(&state, 20) ? 300 : 30000);
		const void *where;

		for (size_t j = 0; j < sizes[at]; j += 37)
			CHECK_EQ(blocks[at][j], (unsigned char)at);
		if (below(&state, 3) == 0) {
			free(blocks[at]);
			blocks[at] =
				below(&state, 2) ? memalign(64 << size % 7, size) : calloc(1, size);
		} else {
			blocks[at] = realloc(blocks[at], size);
			resized += sizes[at] > 0 && size > 0;
			for (size_t j = 0; blocks[at] && j < size && j < sizes[at]; j++)
				CHECK_EQ(blocks[at][j], (unsigned char)at);
		}
		CHECK(blocks[at] || size == 0);
		sizes[at] = blocks[at] ? size : 0;
		CHECK(malloc_usable_size(blocks[at]) >= sizes[at]);
		memset(blocks[at], at, sizes[at]);
		if (i % 1000 == 0)
			CHECK_EQ(umalloc_check(&where), NULL);
	}
	for (int i = 0; i < 200; i++)
		free(blocks[i]);
	CHECK(resized > 1000);
	return 0;
}

CHILD(limits)
{
	volatile size_t huge = SIZE_MAX - 10, half = (size_t)1 << 63;
	char *block = calloc(2, 4096);

	for (int i = 0; i < 8192; i++)
		CHECK_EQ(block[i], 0);
	free(block);
	block = calloc(10, 10);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(block[i], 0);
	CHECK_EQ(malloc(huge), NULL);
	CHECK_EQ(errno, ENOMEM);
	CHECK_EQ(calloc(huge, 2), NULL);
	CHECK_EQ(memalign(4096, huge), NULL);
	CHECK_EQ(memalign((size_t)1 << 63, half + 100), NULL); /* their sum is 100 */
	CHECK_EQ(malloc_usable_size(block), 100);
	block = realloc(block, 50);
	CHECK_EQ(malloc_usable_size(block), 50);
	free(block);
	free(NULL);
	block = malloc(0);
	CHECK(block && block != malloc(0));
	return 0;
}

/* ---- the parent ---- */

/* Run CHILD(@child) with UMALLOC=@mode; its status and what it wrote to standard error. */
static void run(const char *mode, const char *child)
{
	char seed[32];
	size_t length = 0;
	ssize_t n;
	int fds[2], saved = CHECK_OK(dup(STDERR_FILENO));
	pid_t pid;

	CHECK_OK(pipe2(fds, O_CLOEXEC));
	CHECK_OK(dup2(fds[1], STDERR_FILENO));
	setenv("UMALLOC", mode, 1);
	snprintf(seed, sizeof(seed), "%lu", (unsigned long)test_random());
	pid = spawn_self(child, seed, NULL, NULL);
	unsetenv("UMALLOC");
	CHECK_OK(dup2(saved, STDERR_FILENO));
	close(saved);
	close(fds[1]);
	while ((n = read(fds[0], output + length, sizeof(output) - 1 - length)) > 0)
		length += n;
	output[length] = '\0';
	close(fds[0]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	test_progress();
}

static void must_say(const char *text)
{
	if (!strstr(output, text))
		test_fail(__FILE__, __LINE__, "expected \"%s\" in:\n%s", text, output);
}

static void must_abort(void)
{
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGABRT);
}

static unsigned long address_behind(const char *text)
{
	unsigned long address;

	must_say(text);
	CHECK_EQ(sscanf(strstr(output, text) + strlen(text), "%lx", &address), 1);
	return address;
}

/* The call site behind @text must be in @function. */
static void check_site(const char *text, const char *function)
{
	unsigned long start = address_behind(function);

	CHECK_RANGE(address_behind(text), start, start + CODE_SIZE);
}

TEST(double_free)
{
	static const char *const modes[] = { "check", "fence", "leaks", "heapcheck,fence" };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		run(modes[i], "double_free");
		must_say("umalloc: free() of a block that is free: 0x");
		must_say(", 100 bytes\n");
		check_site("allocated at ", "get ");
		check_site("freed at ", " give ");
		check_site("found by the call at ", " again ");
		must_abort();
	}
}

TEST(free_of_what_is_no_block)
{
	run("check", "free_of_a_variable");
	must_say(", which malloc() never returned\n");
	check_site("found by the call at ", " again ");
	must_abort();
	run("check", "free_inside");
	must_say(", which malloc() never returned\n");
	must_say(" is byte 8 of the block 0x");
	check_site("allocated at ", "get ");
	check_site("found by the call at ", " again ");
	must_abort();
}

TEST(stores_around_a_block)
{
	run("check", "store_behind");
	must_say("umalloc: a store behind the end of a block: 0x01\n");
	must_say(" is 0 bytes behind the end of the block 0x");
	check_site("allocated at ", "get ");
	check_site("found by the call at ", " again ");
	must_abort();
	run("check", "store_before");
	must_say("umalloc: a store before the beginning of a block: 0x01\n");
	must_say(" is 1 bytes before the block 0x");
	must_abort();
	run("check", "store_far_behind");
	must_say(" is 0 bytes behind the end of the block 0x");
	CHECK_EQ(address_behind("behind the end of the block "), address_behind("low "));
	must_abort();
	/* 100 is no multiple of 8: four bytes lie between the block and the fence. */
	run("fence", "store_behind");
	must_say("umalloc: a store behind the end of a block: 0x01\n");
	must_abort();
	run("fence", "store_before");
	must_say("umalloc: a store before the beginning of a block: 0x01\n");
	must_abort();
}

TEST(stores_into_a_freed_block)
{
	static const char *const children[] = { "store_after_free",
						"store_after_free_is_found_later" };

	for (int i = 0; i < 2; i++) {
		run("check", children[i]);
		must_say("umalloc: a store into a block that is free: 0x01\n");
		must_say(" is byte 42 of the block 0x");
		check_site("allocated at ", "get ");
		check_site("freed at ", " give ");
		must_abort();
	}
	run("check", "realloc_of_a_freed_block");
	must_say("umalloc: realloc() of a block that is free");
	check_site("found by the call at ", " resize ");
	must_abort();
}

TEST(the_other_calls_are_told_apart)
{
	run("check", "free_by_realloc");
	must_say("umalloc: free() of a block that is free");
	check_site("freed at ", " resize ");
	check_site("found by the call at ", " again ");
	must_abort();
	run("check", "size_of_a_freed_block");
	must_say("umalloc: malloc_usable_size() of a block that is free");
	check_site("found by the call at ", " ask ");
	must_abort();
}

TEST(the_fence_faults_at_once)
{
	run("fence", "load_behind");
	must_say("umalloc: access behind the end of a block\n");
	must_say(" is 0 bytes behind the end of the block 0x");
	check_site("allocated at ", "get ");
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGSEGV);
	run("fence", "load_after_free");
	must_say("umalloc: use of a block that is free\n");
	must_say(" is byte 3 of the block 0x");
	check_site("freed at ", " give ");
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGSEGV);
	run("fence", "store_after_free");
	CHECK_EQ(WTERMSIG(status), SIGSEGV);
}

TEST(leaks_by_site)
{
	run("leaks", "leak");
	must_say(" are still in use\n");
	must_say("  20190 bytes in 20 blocks allocated at ");
	check_site("20 blocks allocated at ", "get ");
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	run("check", "leak");
	CHECK(!strstr(output, "still in use"));
}

TEST(heapcheck_finds_it_at_the_next_call)
{
	run("heapcheck", "heapcheck");
	must_say("umalloc: a store behind the end of a block: 0x01\n");
	check_site("found by the call at ", "get ");
	must_abort();
	/* Without, at the end. */
	run("check", "heapcheck");
	must_say("umalloc: a store behind the end of a block: 0x01\n");
	CHECK(!strstr(output, "found by the call"));
	must_abort();
}

TEST(nothing_is_found_where_nothing_is_wrong)
{
	static const char *const modes[] = { "check", "fence", "", "nonsense" };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		run(modes[i], "fine");
		CHECK_STRING(output, *modes[i] == 'n' ? "umalloc: UMALLOC=nonsense: check, fence, "
							"leaks, heapcheck are known\n" :
							"");
		CHECK_EQ(status, 0);
	}
}

TEST(limits_in_the_modes)
{
	run("check", "limits");
	CHECK_STRING(output, "");
	CHECK_EQ(status, 0);
	run("fence", "limits");
	CHECK_STRING(output, "");
	CHECK_EQ(status, 0);
	run("heapcheck,leaks", "limits");
	must_say(" blocks are still in use\n"); /* two of ours, some of the C library */
	CHECK_EQ(status, 0);
}
