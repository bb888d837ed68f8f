/*
 * oom.c - memory runs out: one process dies of it, well chosen, and the others go on.
 *
 * ravel-only: it takes all memory of the machine, which nobody wants of his own. It runs where
 * there is little of it (MEM=64M: machine.oom-*), else it would take long.
 *
 * What each TEST leaves is looked at by the harness: as much free memory as before.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "usr/lib/testutil.h"

#define MB	   (1UL << 20)
#define MEMORY_MAX (128 * MB)
#define RW	   (PROT_READ | PROT_WRITE)
#define SPARE	   (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static char text[16384];

/* All memory there is, bytes. */
static size_t all_memory(void)
{
	size_t total = (size_t)meminfo_kb("MemTotal") << 10;

	if (total > MEMORY_MAX)
		SKIP("there is too much memory to use up");
	return total;
}

static void wish(int adj)
{
	int n = snprintf(text, sizeof(text), "%d", adj);

	write_file("/proc/self/oom_score_adj", text, n);
}

static void *map_spare(size_t size)
{
	return CHECK_OK(mmap(NULL, size, RW, SPARE, -1, 0));
}

/* The @n-th page of a process that calls itself @who. */
static void fill_page(uint64_t *page, uint64_t who, uint64_t n)
{
	for (size_t i = 0; i < PAGE_SIZE / sizeof(*page); i += 64)
		page[i] = who * 1000003 + n * 97 + i;
}

static bool page_is_whole(const uint64_t *page, uint64_t who, uint64_t n)
{
	for (size_t i = 0; i < PAGE_SIZE / sizeof(*page); i += 64)
		if (page[i] != who * 1000003 + n * 97 + i)
			return false;
	return true;
}

static void fill(char *p, size_t size, uint64_t who)
{
	for (size_t n = 0; n < size / PAGE_SIZE; n++)
		fill_page((uint64_t *)(p + n * PAGE_SIZE), who, n);
}

static void check_whole(const char *p, size_t size, uint64_t who)
{
	for (size_t n = 0; n < size / PAGE_SIZE; n++)
		CHECK(page_is_whole((const uint64_t *)(p + n * PAGE_SIZE), who, n));
}

/* ---- a process with memory that does as it is told by a byte, and answers with one ---- */

struct holder {
	pid_t pid;
	int tell, told;
};

static void hold(size_t size, int adj, int tell, int told)
{
	char *p = map_anon(size), order;

	wish(adj);
	fill(p, size, getpid());
	CHECK_EQ(write(told, "r", 1), 1);
	while (read(tell, &order, 1) == 1) {
		check_whole(p, size, getpid());
		CHECK_EQ(write(told, "k", 1), 1);
	}
	_exit(0);
}

static struct holder start_holder(size_t size, int adj)
{
	int down[2], up[2];
	struct holder h;
	char byte;

	CHECK_OK(pipe(down));
	CHECK_OK(pipe(up));
	h.pid = CHECK_OK(fork());
	if (h.pid == 0) {
		close(down[1]);
		close(up[0]);
		hold(size, adj, down[0], up[1]);
	}
	close(down[0]);
	close(up[1]);
	h.tell = down[1];
	h.told = up[0];
	CHECK_EQ(read(h.told, &byte, 1), 1);
	return h;
}

/* He lives, and his memory is what he wrote; then he ends. */
static void check_lives(struct holder *h)
{
	char byte;

	CHECK_EQ(write(h->tell, "?", 1), 1);
	CHECK_EQ(read(h->told, &byte, 1), 1);
	CHECK_EQ(byte, 'k');
	close(h->tell);
	CHECK_EXIT(h->pid, 0);
	close(h->told);
}

static void check_killed(struct holder *h)
{
	test_check_signal(__FILE__, __LINE__, h->pid, SIGKILL);
	close(h->tell);
	close(h->told);
}

/* Memory until there is no more; never returns. */
static void eat_all(size_t total)
{
	char *p = map_spare(2 * total);

	for (size_t at = 0; at < 2 * total; at += PAGE_SIZE)
		p[at] = 1;
	_exit(1);
}

TEST(a_hog_dies_and_who_stands_beside_it_lives)
{
	size_t total = all_memory();
	long long kills = vmstat("oom_kill");
	struct holder beside = start_holder(total / 8, 0);

	for (int i = 0; i < 3; i++)
		CHECK_SIGNAL(eat_all(total), SIGKILL);
	check_lives(&beside);
	CHECK_EQ(vmstat("oom_kill"), kills + 3);
}

/* Eats until @pid has died, then ends well. */
static void eat_until_dead(size_t total, pid_t pid)
{
	char *p = map_spare(2 * total);

	for (size_t at = 0; at < 2 * total; at += PAGE_SIZE) {
		p[at] = 1;
		if (at % (16 * PAGE_SIZE) == 0 && kill(pid, 0) < 0)
			_exit(0);
		/* A zombie still has its pid. */
		if (at % (256 * PAGE_SIZE) == 0) {
			char path[32];

			snprintf(path, sizeof(path), "/proc/%d/statm", pid);
			if (read_text(path, text, sizeof(text)) > 0 && text[0] == '0')
				_exit(0);
		}
	}
	_exit(1);
}

TEST(the_wish_is_heard)
{
	size_t total = all_memory();
	struct holder large = start_holder(total / 4, 0);
	struct holder willing = start_holder(MB, 1000);
	pid_t hog = CHECK_OK(fork());

	if (hog == 0) {
		wish(-1000);
		eat_until_dead(total, willing.pid);
	}
	CHECK_EXIT(hog, 0);
	check_killed(&willing);
	check_lives(&large);
}

TEST(who_must_not_die_does_not)
{
	size_t total = all_memory();
	struct holder spared = start_holder(total / 2, -1000);

	CHECK_SIGNAL(eat_all(total), SIGKILL);
	check_lives(&spared);
}

/* With nobody else left, who must not die cannot go on either: only his own fault fails. */
TEST(a_hog_that_must_not_die)
{
	size_t total = all_memory();
	pid_t hog = CHECK_OK(fork());

	if (hog == 0) {
		wish(1000);
		CHECK_SIGNAL(eat_all(total), SIGKILL);
		_exit(0);
	}
	CHECK_EXIT(hog, 0);
}

/* ---- a victim that cannot end ---- */

/*
 * reader: readv() of /dev/zero into fresh memory keeps the lock of the file's offset, which both
 * share, while it faults. victim: read() of the same file waits for that lock, and no signal ends
 * that. The reader needs the victim's memory, and the victim the reader's lock.
 */
#define PIECES 1000

static void read_much(int fd, size_t size)
{
	static struct iovec iov[PIECES];
	size_t piece = size / PIECES / PAGE_SIZE * PAGE_SIZE;
	char *p = map_spare(PIECES * piece);

	wish(-500);
	for (int i = 0; i < PIECES; i++)
		iov[i] = (struct iovec){ p + i * piece, piece };
	_exit(readv(fd, iov, PIECES) == (ssize_t)(PIECES * piece) ? 0 : 1);
}

static void sleep_locked(int fd, size_t size, int start, int ready)
{
	char *p = map_anon(size), byte;

	fill(p, size, 1);
	CHECK_EQ(write(ready, "r", 1), 1);
	CHECK_EQ(read(start, &byte, 1), 1);
	CHECK_EQ(read(fd, &byte, 1), 1);
	/* Back with the lock, the SIGKILL comes first. */
	_exit(1);
}

/* True when the victim was asleep as it should be, and its memory was taken all the same. */
static bool reap_a_sleeper(size_t total)
{
	int fd = CHECK_OK(open("/dev/zero", O_RDONLY)), start[2], ready[2];
	long long reaped = vmstat("oom_reaped");
	pid_t victim, reader;
	char byte;

	CHECK_OK(pipe(start));
	CHECK_OK(pipe(ready));
	victim = CHECK_OK(fork());
	if (victim == 0)
		sleep_locked(fd, total * 6 / 10, start[0], ready[1]);
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	reader = CHECK_OK(fork());
	if (reader == 0)
		read_much(fd, total / 2);
	WAIT_UNTIL(status_kb(reader, "RssAnon") > 512);
	CHECK_EQ(write(start[1], "s", 1), 1);
	CHECK_EXIT(reader, 0);
	test_check_signal(__FILE__, __LINE__, victim, SIGKILL);
	for (int i = 0; i < 2; i++) {
		close(start[i]);
		close(ready[i]);
	}
	close(fd);
	return vmstat("oom_reaped") > reaped + (long long)(total / PAGE_SIZE / 2);
}

TEST(the_memory_of_a_victim_that_cannot_end)
{
	size_t total = all_memory();

	for (int i = 0; i < 5; i++) {
		if (reap_a_sleeper(total))
			return;
		test_progress(); /* it had not come to sleep yet */
	}
	test_fail(__FILE__, __LINE__, "expected a sleeper to be reaped, got none in 5 tries");
}

/* ---- storms ---- */

static _Atomic int *stop;

#define STORM_SIZE (4 * MB)

/* Takes memory of its own, has two children, and others when they die; so has each of them. */
static void storm(void)
{
	char *p = NULL;
	int wanted = 0;

	while (!*stop) {
		if (!p) {
			p = map_spare(STORM_SIZE);
			memset(p, 1, STORM_SIZE);
			wanted = 2;
		}
		if (wanted-- > 0) {
			if (fork() != 0)
				continue;
			munmap(p, STORM_SIZE);
			p = NULL;
			continue;
		}
		test_pause(5);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			wanted = 1;
	}
	_exit(0);
}

TEST(a_storm_of_forks)
{
	long long kills = vmstat("oom_kill");
	struct holder beside;
	int alive[2];
	char byte;

	all_memory();				  /* or there is too much of it */
	beside = start_holder(STORM_SIZE / 4, 0); /* lighter than any of them */
	stop = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	CHECK_OK(pipe(alive));
	if (CHECK_OK(fork()) == 0)
		storm();
	WAIT_UNTIL((test_progress(), vmstat("oom_kill") >= kills + 10));
	*stop = 1;
	/* Its end is closed when the last of them has gone. */
	close(alive[1]);
	CHECK_EQ(read(alive[0], &byte, 1), 0);
	close(alive[0]);
	check_lives(&beside);
}

/* ---- memory that is locked, and memory that is shared ---- */

/* A system call that can say no kills nobody. */
TEST(locking_more_than_there_is_is_refused)
{
	size_t total = all_memory();
	long long kills = vmstat("oom_kill");

	CHECK_CHILD({
		char *p = map_spare(2 * total);

		CHECK_EQ(mlock(p, 2 * total), -1);
		CHECK(errno == ENOMEM || errno == EAGAIN);
		CHECK_EQ(madvise(p, 2 * total, MADV_POPULATE_WRITE), -1);
		CHECK_EQ(errno, ENOMEM);
	});
	CHECK_EQ(vmstat("oom_kill"), kills);
}

TEST(a_hog_of_locked_memory)
{
	size_t total = all_memory();
	long long kills = vmstat("oom_kill");

	CHECK_SIGNAL(
		{
			CHECK_OK(mlockall(MCL_FUTURE | MCL_ONFAULT));
			eat_all(total);
		},
		SIGKILL);
	CHECK_EQ(vmstat("oom_kill"), kills + 1);
}

/* Shared memory may take half of all; who wants more is told by SIGBUS, and nobody dies for him. */
TEST(a_hog_of_shared_memory)
{
	size_t total = all_memory();
	long long kills = vmstat("oom_kill");
	struct holder beside = start_holder(total / 16, 0);

	CHECK_SIGNAL(
		{
			memset(CHECK_OK(mmap(NULL, total, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
			       1, total);
		},
		SIGBUS);
	check_lives(&beside);
	CHECK_EQ(vmstat("oom_kill"), kills);
}

/* A file in memory grows until it is refused; nobody dies of it. */
TEST(a_file_in_memory_fills_it)
{
	size_t total = all_memory();
	long long kills = vmstat("oom_kill");
	int fd = CHECK_OK((int)syscall(SYS_memfd_create, "fill", 0));
	size_t size = 0;
	ssize_t n;

	while ((n = write(fd, text, sizeof(text))) > 0)
		size += n;
	CHECK_EQ(n, -1);
	CHECK(errno == ENOSPC || errno == ENOMEM);
	CHECK(size >= total / 4 && size <= total);
	CHECK_EQ(vmstat("oom_kill"), kills);
	/* What is in it nobody's death can free: a hog beside it dies sooner, and that is all. */
	CHECK_SIGNAL(eat_all(total), SIGKILL);
	CHECK_EQ(vmstat("oom_kill"), kills + 1);
	CHECK_EQ(lseek(fd, 0, SEEK_END), (off_t)size);
	close(fd);
}
