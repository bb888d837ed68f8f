/*
 * mallocstorm.c - malloc() used by many at once: threads that hand blocks to each other, and
 * processes that are forked in the middle of it.
 *
 * Afterwards the heap must keep every invariant, in the children too.
 */
#include "usr/lib/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "usr/lib/malloc/umalloc.h"
#include "usr/lib/testutil.h"

#define THREADS	   8
#define OPERATIONS 40000
#define SHELF	   512
#define FORKS	   60

/* Blocks that anybody may take and free: the first bytes say how long they are. */
static size_t *shelf[SHELF];
static bool stop;

static uint32_t next_random(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (*state >> 33) % below;
}

static bool is_intact(const size_t *block)
{
	const unsigned char *bytes = (const unsigned char *)(block + 1);

	for (size_t i = 0; i < block[0]; i++)
		if (bytes[i] != (unsigned char)block[0])
			return false;
	return true;
}

static size_t *new_block(uint64_t *state)
{
	size_t bytes =
		next_random(state, 16) ? next_random(state, 300) : next_random(state, 200000);
	size_t *block = malloc(sizeof(size_t) + bytes);

	if (!block)
		return NULL;
	block[0] = bytes;
	memset(block + 1, (unsigned char)bytes, bytes);
	return block;
}

/* Returns NULL, or the argument if a block was damaged. */
static void *storm(void *argument)
{
	uint64_t state = (uintptr_t)argument;

	for (int op = 0; op < OPERATIONS && !__atomic_load_n(&stop, __ATOMIC_RELAXED); op++) {
		size_t *mine = new_block(&state);
		size_t *old = __atomic_exchange_n(&shelf[next_random(&state, SHELF)], mine,
						  __ATOMIC_ACQ_REL);

		if (old && next_random(&state, 8) == 0) {
			size_t kept = old[0];

			old = realloc(old, sizeof(size_t) + kept + 100);
			if (!old || old[0] != kept)
				return argument;
		}
		if (old && !is_intact(old))
			return argument;
		free(old);
	}
	return NULL;
}

static void begin_storm(pthread_t threads[THREADS])
{
	if (on_ravel())
		SKIP("no threads yet");
	for (size_t i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, storm, (void *)(test_seed() + i + 1)),
			 0);
}

static void end_storm(pthread_t threads[THREADS])
{
	for (size_t i = 0; i < THREADS; i++) {
		void *damaged;

		CHECK_EQ(pthread_join(threads[i], &damaged), 0);
		CHECK(!damaged);
	}
	CHECK(!umalloc_check(NULL));
	for (size_t i = 0; i < SHELF; i++) {
		CHECK(!shelf[i] || is_intact(shelf[i]));
		free(shelf[i]);
	}
	CHECK(!umalloc_check(NULL));
}

TEST(threads_never_damage_a_block)
{
	pthread_t threads[THREADS];

	begin_storm(threads);
	end_storm(threads);
}

/* The child has one thread, and a heap that nobody was changing. */
static void child_of_storm(void)
{
	uint64_t state = getpid();

	if (umalloc_check(NULL))
		_exit(1);
	for (int i = 0; i < 500; i++)
		free(new_block(&state));
	_exit(umalloc_check(NULL) != NULL);
}

/* Other libraries, too, have something to do before and after a fork: they may allocate. */
static void *at_fork_block;

static void allocate_at_fork(void)
{
	free(at_fork_block);
	at_fork_block = malloc(1000);
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(allocate_at_fork, allocate_at_fork, allocate_at_fork);
}

TEST(children_forked_in_the_storm_have_a_sound_heap)
{
	pthread_t threads[THREADS];

	begin_storm(threads);
	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0)
			child_of_storm();
		CHECK_EXIT(child, 0);
		test_progress();
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	end_storm(threads);
}

/* Each child allocates on, and forks the next one: without threads, so on Ravel too. */
TEST(a_chain_of_forks)
{
	uint64_t state = test_seed();
	int generation = 0;
	pid_t child = 0;

	for (; generation < 12 && child == 0; generation++) {
		for (int i = 0; i < 300; i++) {
			size_t **place = &shelf[next_random(&state, SHELF)];

			CHECK(!*place || is_intact(*place));
			free(*place);
			*place = new_block(&state);
		}
		CHECK(!umalloc_check(NULL));
		child = fork();
		CHECK(child >= 0);
	}
	if (child)
		CHECK_EXIT(child, 0);
	CHECK(!umalloc_check(NULL));
	if (generation > 1)
		_exit(0);
}
