/*
 * beside.c - ravel-only: a writer that dirties a file as fast as he can, and who works beside him.
 * What is dirty or being written stays below the limit at each look, readers of cached files and
 * faults on new memory go on, and all that was written is on the disk.
 *
 *	writer    file of 4 times the limit --.      they share a page of counters, and stop when
 *	reader    cached file, over and over   |     the parent has seen enough of each
 *	toucher   maps, touches, unmaps        |
 *	parent    looks at /proc/vmstat <------'
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define RATIO_FILE "/proc/sys/vm/dirty_ratio"
#define CHUNK	   (16 * PAGE_SIZE)
#define CACHED	   (64 * PAGE_SIZE) /* the file that is read */
#define TOUCHED	   (64 * PAGE_SIZE) /* memory of one round */
#define LIMIT	   5		    /* of memory is the limit, per cent: the disk is small */
#define TIMES	   4		    /* so many limits has the file that is written */
#define SLACK	   64		    /* pages that he may be ahead of the look at the limit */

enum who { WRITER, READER, TOUCHER, NR_WORKERS };

/* What each must have done before the test ends: chunks, rounds, rounds. */
static const int enough[NR_WORKERS] = { [READER] = 40, [TOUCHER] = 40 };

static struct shared {
	volatile int done[NR_WORKERS], stop;
} * shared;

static unsigned char bytes[CHUNK], got[CHUNK];
static long limit, chunks;
static long long ratio; /* before */

/* A line of a /proc file; @name NULL: the number that is all of it. */
static long long number_in(const char *path, const char *name)
{
	static char text[16384];

	CHECK(read_text(path, text, sizeof(text)) > 0);
	return name ? text_number(text, name) : strtoll(text, NULL, 10);
}

static void set_ratio(long long percent)
{
	int fd = CHECK_OK(open(RATIO_FILE, O_WRONLY));

	CHECK(dprintf(fd, "%lld\n", percent) > 0);
	CHECK_OK(close(fd));
}

/* Dirties the file again and again, each time with other bytes, and ends at its end. */
static void write_on(void)
{
	int fd = CHECK_OK(open("written", O_RDWR));

	for (int n = 0; !shared->stop || n % chunks; n++) {
		off_t at = (off_t)(n % chunks) * CHUNK;

		fill_pattern(bytes, CHUNK, n / chunks, at);
		CHECK_EQ(pwrite(fd, bytes, CHUNK, at), CHUNK);
		shared->done[WRITER] = n + 1;
	}
	_exit(0);
}

static void read_on(void)
{
	int fd = CHECK_OK(open("cached", O_RDONLY));

	while (!shared->stop) {
		for (off_t at = 0; at < (off_t)CACHED; at += CHUNK) {
			fill_pattern(bytes, CHUNK, 1, at);
			CHECK_EQ(pread(fd, got, CHUNK, at), CHUNK);
			CHECK(memcmp(bytes, got, CHUNK) == 0);
		}
		shared->done[READER]++;
	}
	_exit(0);
}

static void touch_on(void)
{
	while (!shared->stop) {
		unsigned char *p = map_anon(TOUCHED);

		for (size_t at = 0; at < TOUCHED; at += PAGE_SIZE)
			p[at] = at / PAGE_SIZE;
		for (size_t at = 0; at < TOUCHED; at += PAGE_SIZE)
			CHECK_EQ(p[at], at / PAGE_SIZE);
		CHECK_OK(munmap(p, TOUCHED));
		shared->done[TOUCHER]++;
	}
	_exit(0);
}

static void make_file(const char *name, off_t size, unsigned key)
{
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));

	for (off_t at = 0; at < size; at += CHUNK) {
		fill_pattern(bytes, CHUNK, key, at);
		CHECK_EQ(pwrite(fd, bytes, CHUNK, at), CHUNK);
		test_progress();
	}
	CHECK_OK(close(fd));
}

static void start(void)
{
	long long pages = meminfo_kb("MemTotal") * 1024 / PAGE_SIZE;

	test_dir();
	shared = CHECK_OK(
		mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	ratio = number_in(RATIO_FILE, NULL);
	set_ratio(LIMIT);
	limit = pages * LIMIT / 100;
	chunks = TIMES * limit * PAGE_SIZE / CHUNK;
	make_file("cached", CACHED, 1);
	make_file("written", 0, 0);
	sync();
}

/* Both numbers of one look: a page goes from one to the other. Returns their sum. */
static long long look(void)
{
	static char text[16384];
	long long now;

	CHECK(read_text("/proc/vmstat", text, sizeof(text)) > 0);
	now = text_number(text, "nr_dirty") + text_number(text, "nr_writeback");
	CHECK_RANGE(now, 0, limit + SLACK);
	return now;
}

static bool all_have_enough(void)
{
	for (int who = 0; who < NR_WORKERS; who++)
		if (shared->done[who] < (who == WRITER ? 2 * chunks : enough[who]))
			return false;
	return true;
}

/*
 * While the writer writes his file twice, eight times what may be dirty, and longer where the
 * others are slow. They get on: what he does before each has enough is bounded.
 */
TEST(the_others_get_on)
{
	static void (*const work[NR_WORKERS])(void) = { write_on, read_on, touch_on };
	long long most = 0, now;
	pid_t pids[NR_WORKERS];
	unsigned last;
	int fd;

	start();
	for (int who = 0; who < NR_WORKERS; who++) {
		pids[who] = CHECK_OK(fork());
		if (pids[who] == 0)
			work[who]();
	}
	while (!all_have_enough()) {
		now = look();
		most = now > most ? now : most;
		CHECK(shared->done[WRITER] < 100 * chunks); /* are the others at a standstill? */
		CHECK_EQ(waitpid(-1, NULL, WNOHANG), 0);    /* has one failed? */
		test_pause(1);
		test_progress();
	}
	test_note("reader %d, toucher %d rounds; at most %lld of %ld pages dirty",
		  shared->done[READER], shared->done[TOUCHER], most, limit);
	CHECK(most > limit / 4); /* there was something to hold back */
	shared->stop = 1;
	for (int who = 0; who < NR_WORKERS; who++)
		CHECK_EXIT(pids[who], 0);
	last = shared->done[WRITER] / chunks - 1;
	sync();
	CHECK_RANGE(number_in("/proc/vmstat", "nr_dirty"), 0, SLACK);
	drop_caches();
	fd = CHECK_OK(open("written", O_RDONLY));
	for (off_t at = 0; at < chunks * (off_t)CHUNK; at += CHUNK) {
		fill_pattern(bytes, CHUNK, last, at);
		CHECK_EQ(pread(fd, got, CHUNK, at), CHUNK);
		CHECK(memcmp(bytes, got, CHUNK) == 0);
		test_progress();
	}
	CHECK_OK(close(fd));
	CHECK_OK(munmap(shared, PAGE_SIZE));
	set_ratio(ratio);
	test_dir_leave();
}
