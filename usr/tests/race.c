/*
 * race.c - two tasks and more of one mm, on several harts, edit and fault the same pages.
 *
 * Tasks are made by clone(CLONE_VM | SIGCHLD).  One that touches memory which another takes away
 * does so through the kernel (read() and write() of a pipe, which give EFAULT) or is a child that
 * may die by SIGSEGV.  They share a thread pointer, so they use raw system calls, never errno.
 * The seed chooses sizes and orders; repeat a failure with it.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "usr/lib/testutil.h"

#define PAGES 64
#define TASKS 4
/*
 * Where QEMU has fewer cores than harts each remote TLB fence takes milliseconds; a page that is
 * read and then written, or copied, needs one. ROUNDS counts system calls of one task,
 * FAULT_ROUNDS goes over all pages.
 */
#define ROUNDS	     600
#define FAULT_ROUNDS 6
#define RW	     (PROT_READ | PROT_WRITE)
#define ANON	     (MAP_PRIVATE | MAP_ANONYMOUS)

struct worker {
	int id;
	int (*fn)(void *);
	uint64_t random;
	int fds[2];
	long done;
	long refused;
};

static char *volatile pages;
static volatile int go, stop, failed_line;
static struct worker workers[TASKS];
static int counters[TASKS * 16];

/* Every task has random numbers of its own. */
static uint64_t worker_random(struct worker *w, uint64_t limit)
{
	w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (w->random >> 33) % limit;
}

/* A check inside a task: remember the line; the parent reports it. */
#define TASK_CHECK(cond)                                                                           \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			failed_line = __LINE__;                                                    \
			stop = 1;                                                                  \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static void prepare(void)
{
	go = stop = failed_line = 0;
	pages = map_anon(PAGES * PAGE_SIZE);
	for (int i = 0; i < TASKS; i++) {
		workers[i] = (struct worker){ .id = i, .random = test_random() };
		CHECK_OK(pipe(workers[i].fds));
	}
}

static void close_pipes(void)
{
	for (int i = 0; i < TASKS; i++) {
		CHECK_OK(close(workers[i].fds[0]));
		CHECK_OK(close(workers[i].fds[1]));
	}
}

static void finish(void)
{
	CHECK_OK(munmap(pages, PAGES * PAGE_SIZE));
	close_pipes();
}

static int start_together(void *arg)
{
	struct worker *w = arg;

	while (!go)
		raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	return w->fn(w);
}

/*
 * All start at once, when the last one's stack is mapped: a stack must not come to lie in a hole
 * that the first one makes.
 */
static void run_tasks(int (*const fns[])(void *), int n)
{
	pid_t pids[TASKS];

	for (int i = 0; i < n; i++) {
		workers[i].fn = fns[i];
		pids[i] = spawn_sharing(start_together, &workers[i]);
	}
	go = 1;
	test_progress();
	for (int i = 0; i < n; i++) {
		int status;

		CHECK_EQ(waitpid(pids[i], &status, 0), pids[i]);
		if (failed_line)
			test_fail(__FILE__, failed_line,
				  "expected every task to succeed, got a "
				  "failure in a task");
		CHECK_EQ(status, 0);
	}
}

/* Each task owns one byte of each page: all must survive the others' faults on the same pages. */
static int fault_together(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < PAGES; i++) {
		int page = (i * 7 + w->id * 3) % PAGES;
		volatile char *p = pages + page * PAGE_SIZE + w->id;

		TASK_CHECK(*p == 0);
		*p = w->id + 1;
	}
	return 0;
}

TEST(faults_on_the_same_fresh_pages)
{
	static int (*const fns[])(void *) = { fault_together, fault_together, fault_together,
					      fault_together };

	for (int round = 0; round < FAULT_ROUNDS; round++) {
		prepare();
		run_tasks(fns, TASKS);
		for (int i = 0; i < PAGES; i++)
			for (int t = 0; t < TASKS; t++)
				CHECK_EQ(pages[i * PAGE_SIZE + t], t + 1);
		finish();
	}
}

/* The same, on pages which a child of fork shares: each is copied once, no write is lost. */
static int write_shared(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < PAGES; i++) {
		volatile char *p = pages + ((i + w->id) % PAGES) * PAGE_SIZE + w->id;

		TASK_CHECK(*p == 9);
		*p = w->id + 1;
	}
	return 0;
}

TEST(copy_on_write_of_the_same_pages)
{
	static int (*const fns[])(void *) = { write_shared, write_shared, write_shared,
					      write_shared };

	for (int round = 0; round < FAULT_ROUNDS; round++) {
		int go[2];
		char byte;
		pid_t pid;

		prepare();
		for (int i = 0; i < PAGES; i++)
			memset(pages + i * PAGE_SIZE, 9, 16);
		CHECK_OK(pipe(go));
		pid = CHECK_OK(fork());
		if (pid == 0) {
			close(go[1]);
			CHECK_EQ(read(go[0], &byte, 1), 0);
			for (int i = 0; i < PAGES; i++)
				CHECK_EQ(pages[i * PAGE_SIZE + i % TASKS], 9);
			_exit(0);
		}
		run_tasks(fns, TASKS);
		close(go[0]);
		close(go[1]);
		CHECK_EXIT(pid, 0);
		for (int i = 0; i < PAGES; i++)
			for (int t = 0; t < TASKS; t++)
				CHECK_EQ(pages[i * PAGE_SIZE + t], t + 1);
		finish();
	}
}

/* Read one byte from the pipe into a page that may be taken away: 1 or EFAULT, nothing else. */
static int kernel_writer(void *arg)
{
	struct worker *w = arg;
	char letter = 'a' + w->id;

	while (!stop) {
		char *p = pages + worker_random(w, PAGES) * PAGE_SIZE + w->id;
		long n;

		TASK_CHECK(raw_syscall(SYS_write, w->fds[1], (long)&letter, 1, 0, 0, 0) == 1);
		n = raw_syscall(SYS_read, w->fds[0], (long)p, 1, 0, 0, 0);
		TASK_CHECK(n == 1 || n == -EFAULT);
		if (n == 1) {
			w->done++;
			continue;
		}
		w->refused++;
		TASK_CHECK(raw_syscall(SYS_read, w->fds[0], (long)&letter, 1, 0, 0, 0) == 1);
		TASK_CHECK(letter == 'a' + w->id);
	}
	return 0;
}

static int protector(void *arg)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW };
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS && !stop; i++) {
		int first = worker_random(w, PAGES), count = 1 + worker_random(w, PAGES - first);

		TASK_CHECK(raw_syscall(SYS_mprotect, (long)(pages + first * PAGE_SIZE),
				       count * PAGE_SIZE, prots[worker_random(w, 3)], 0, 0,
				       0) == 0);
	}
	stop = 1;
	return 0;
}

TEST(protecting_under_kernel_writes)
{
	static int (*const fns[])(void *) = { protector, kernel_writer, kernel_writer,
					      kernel_writer };

	prepare();
	run_tasks(fns, TASKS);
	CHECK_OK(mprotect(pages, PAGES * PAGE_SIZE, RW));
	CHECK_EQ(count_maps((uintptr_t)pages, (uintptr_t)pages + PAGES * PAGE_SIZE), 1);
	for (int i = 0; i < PAGES; i++)
		for (int t = 1; t < TASKS; t++)
			CHECK(pages[i * PAGE_SIZE + t] == 0 || pages[i * PAGE_SIZE + t] == 'a' + t);
}

/* Unmap and map again, never leaving a hole that somebody else's mmap could fall into. */
static int remapper(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS && !stop; i++) {
		int first = worker_random(w, PAGES), count = 1 + worker_random(w, PAGES - first);
		char *p = pages + first * PAGE_SIZE;

		if (worker_random(w, 2))
			TASK_CHECK(raw_syscall(SYS_munmap, (long)p, count * PAGE_SIZE, 0, 0, 0,
					       0) == 0);
		TASK_CHECK(raw_syscall(SYS_mmap, (long)p, count * PAGE_SIZE, RW, ANON | MAP_FIXED,
				       -1, 0) == (long)p);
	}
	stop = 1;
	return 0;
}

TEST(unmapping_under_kernel_writes)
{
	static int (*const fns[])(void *) = { remapper, kernel_writer, kernel_writer,
					      kernel_writer };

	prepare();
	run_tasks(fns, TASKS);
	for (int i = 0; i < PAGES; i++)
		for (int t = 1; t < TASKS; t++)
			CHECK(pages[i * PAGE_SIZE + t] == 0 || pages[i * PAGE_SIZE + t] == 'a' + t);
}

static int discarder(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS && !stop; i++) {
		int first = worker_random(w, PAGES), count = 1 + worker_random(w, PAGES - first);

		TASK_CHECK(raw_syscall(SYS_madvise, (long)(pages + first * PAGE_SIZE),
				       count * PAGE_SIZE, MADV_DONTNEED, 0, 0, 0) == 0);
	}
	stop = 1;
	return 0;
}

/* Discarded pages are zero or freshly written; never another page's bytes: each has its own. */
static int user_writer(void *arg)
{
	struct worker *w = arg;

	while (!stop) {
		int page = worker_random(w, PAGES);
		volatile char *p = pages + page * PAGE_SIZE + w->id;
		char seen = *p;

		TASK_CHECK(seen == 0 || seen == page + 1);
		*p = page + 1;
		w->done++;
	}
	return 0;
}

TEST(discarding_under_user_writes)
{
	static int (*const fns[])(void *) = { discarder, user_writer, user_writer, user_writer };

	prepare();
	run_tasks(fns, TASKS);
}

static volatile int written;

/* Has read every page before it is written; then reads what the first task wrote. */
static int reader_of_copies(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < PAGES; i++)
		TASK_CHECK(*(volatile char *)(pages + i * PAGE_SIZE) == 0);
	__atomic_fetch_add(&counters[0], 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < PAGES && !stop; i++) {
		while (__atomic_load_n(&written, __ATOMIC_SEQ_CST) <= i && !stop)
			;
		TASK_CHECK(stop || *(volatile char *)(pages + i * PAGE_SIZE) == i + 1);
		w->done++;
	}
	return 0;
}

static int writer_of_copies(void *arg)
{
	(void)arg;
	while (__atomic_load_n(&counters[0], __ATOMIC_SEQ_CST) < TASKS - 1 && !stop)
		raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	for (int i = 0; i < PAGES && !stop; i++) {
		*(volatile char *)(pages + i * PAGE_SIZE) = i + 1;
		__atomic_store_n(&written, i + 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

/* The zero page, and a page shared with a child: once replaced, no hart reads the old one. */
TEST(copies_are_seen_on_every_hart)
{
	static int (*const fns[])(void *) = { writer_of_copies, reader_of_copies, reader_of_copies,
					      reader_of_copies };

	for (int round = 0; round < 4; round++) {
		pid_t holder = 0;
		int hold[2];
		char byte;

		prepare();
		counters[0] = written = 0;
		CHECK_OK(pipe(hold));
		if (round % 2) {
			memset(pages, 0, PAGES * PAGE_SIZE);
			holder = CHECK_OK(fork());
		}
		if (round % 2 && holder == 0) {
			close(hold[1]);
			_exit(read(hold[0], &byte, 1) != 0);
		}
		run_tasks(fns, TASKS);
		close(hold[0]);
		close(hold[1]);
		if (holder)
			CHECK_EXIT(holder, 0);
		finish();
	}
}

/* A page that was unmapped must be gone from every hart's TLB when munmap returns. */
static int reader_until_death(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		volatile char *p = pages + worker_random(w, PAGES) * PAGE_SIZE;

		if (*p != 'm')
			return 1;
		counters[w->id * 16]++;
	}
}

TEST(unmapped_pages_are_gone_on_every_hart)
{
	for (int round = 0; round < 10; round++) {
		pid_t pids[TASKS - 1];
		char *other = map_anon(PAGES * PAGE_SIZE);

		prepare();
		memset(pages, 'm', PAGES * PAGE_SIZE);
		memset(counters, 0, sizeof(counters));
		for (int i = 0; i < TASKS - 1; i++)
			pids[i] = spawn_sharing(reader_until_death, &workers[i]);
		for (int i = 0; i < TASKS - 1; i++)
			WAIT_UNTIL(*(volatile int *)&counters[i * 16] > 100);
		CHECK_OK(munmap(pages, PAGES * PAGE_SIZE));
		/* Other memory takes the frames at once; a stale TLB entry would show its bytes. */
		memset(other, 'x', PAGES * PAGE_SIZE);
		for (int i = 0; i < TASKS - 1; i++)
			test_check_signal(__FILE__, __LINE__, pids[i], SIGSEGV);
		CHECK_OK(munmap(other, PAGES * PAGE_SIZE));
		close_pipes();
	}
}

/* After mprotect(PROT_READ) returns, no hart writes any more. */
static int writer_until_death(void *arg)
{
	struct worker *w = arg;

	for (;;)
		++*(volatile int *)(pages + w->id * PAGE_SIZE);
	return 0;
}

TEST(protected_pages_stand_still_on_every_hart)
{
	for (int round = 0; round < 10; round++) {
		pid_t pids[TASKS - 1];
		int seen[TASKS - 1];

		prepare();
		for (int i = 0; i < TASKS - 1; i++)
			pids[i] = spawn_sharing(writer_until_death, &workers[i]);
		for (int i = 0; i < TASKS - 1; i++)
			WAIT_UNTIL(*(volatile int *)(pages + i * PAGE_SIZE) > 100);
		CHECK_OK(mprotect(pages, PAGES * PAGE_SIZE, PROT_READ));
		for (int i = 0; i < TASKS - 1; i++)
			seen[i] = *(volatile int *)(pages + i * PAGE_SIZE);
		for (int i = 0; i < TASKS - 1; i++)
			test_check_signal(__FILE__, __LINE__, pids[i], SIGSEGV);
		for (int i = 0; i < TASKS - 1; i++)
			CHECK_EQ(*(volatile int *)(pages + i * PAGE_SIZE), seen[i]);
		finish();
	}
}

/* Map, fill, check and unmap: every task its own areas, one list. */
static int private_mapper(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS / 10; i++) {
		long size = (1 + worker_random(w, 8)) * PAGE_SIZE;
		long p = raw_syscall(SYS_mmap, 0, size, RW, ANON, -1, 0);

		TASK_CHECK(p > 0);
		for (long at = 0; at < size; at += PAGE_SIZE) {
			TASK_CHECK(*(volatile char *)(p + at) == 0);
			*(volatile char *)(p + at) = w->id + 1;
		}
		for (long at = 0; at < size; at += PAGE_SIZE)
			TASK_CHECK(*(volatile char *)(p + at) == w->id + 1);
		TASK_CHECK(raw_syscall(SYS_munmap, p, size, 0, 0, 0, 0) == 0);
	}
	return 0;
}

TEST(mapping_side_by_side)
{
	static int (*const fns[])(void *) = { private_mapper, private_mapper, private_mapper,
					      private_mapper };

	prepare();
	run_tasks(fns, TASKS);
}

/* fork while another task of the mm writes: the child's copy is of one moment, page by page. */
static int pair_writer(void *arg)
{
	struct worker *w = arg;

	while (!stop) {
		int i = worker_random(w, PAGES);
		volatile long *p = (volatile long *)(pages + i * PAGE_SIZE);

		p[0]++;
		__sync_synchronize();
		p[1]++;
	}
	return 0;
}

TEST(fork_under_writes)
{
	pid_t writer;

	prepare();
	writer = spawn_sharing(pair_writer, &workers[0]);
	for (int round = 0; round < 20; round++)
		CHECK_CHILD({
			long before[PAGES];

			for (int i = 0; i < PAGES; i++) {
				volatile long *p = (volatile long *)(pages + i * PAGE_SIZE);

				CHECK(p[0] == p[1] || p[0] == p[1] + 1);
				before[i] = p[0];
			}
			for (int i = 0; i < PAGES; i++)
				CHECK_EQ(*(volatile long *)(pages + i * PAGE_SIZE), before[i]);
		});
	stop = 1;
	CHECK_EXIT(writer, 0);
}
