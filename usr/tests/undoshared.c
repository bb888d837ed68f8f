/*
 * undoshared.c - ravel-only: each allocation of a call that is about shared areas or about signals
 * fails in turn, and is undone (usr/lib/failalloc.h).
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "usr/lib/failalloc.h"
#include "usr/lib/testdir.h"
#include "usr/lib/testmem.h"
#include "usr/lib/testsignal.h"
#include "usr/lib/testutil.h"

#define RW    (PROT_READ | PROT_WRITE)
#define PAGES 6

static int file;
static char *area;

/* A shared mapping of a file of a disk, each page written to. */
static void map_file(void)
{
	test_dir();
	file = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	CHECK_OK(ftruncate(file, PAGES * PAGE_SIZE));
	area = CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, RW, MAP_SHARED, file, 0));
	memset(area, 1, PAGES * PAGE_SIZE);
	CHECK_OK(fsync(file));
}

static void unmap_file(void)
{
	CHECK_OK(munmap(area, PAGES * PAGE_SIZE));
	CHECK_OK(close(file));
	test_dir_leave();
}

static long do_mmap(void)
{
	return raw_syscall(SYS_mmap, 0, PAGES * PAGE_SIZE, RW, MAP_SHARED, file, 0);
}

static void after_mmap(long address)
{
	CHECK_EQ(((char *)address)[PAGE_SIZE], 1);
	CHECK_OK(munmap((void *)address, PAGES * PAGE_SIZE));
}

TEST(mmap)
{
	map_file();
	fail_each("mmap(shared file)", do_mmap, after_mmap);
	unmap_file();
}

/* The middle is put back, and what was there was not lost. */
static void restore_area(long result)
{
	(void)result;
	CHECK_OK(mmap(area, PAGES * PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, file, 0));
	for (int i = 0; i < PAGES; i++)
		CHECK_EQ(area[i * PAGE_SIZE], 1);
}

static long do_mmap_fixed(void)
{
	return raw_syscall(SYS_mmap, (long)area + 2 * PAGE_SIZE, PAGE_SIZE, RW,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static long do_munmap(void)
{
	return raw_syscall(SYS_munmap, (long)area + 2 * PAGE_SIZE, PAGE_SIZE, 0, 0, 0, 0);
}

static long do_mprotect(void)
{
	return raw_syscall(SYS_mprotect, (long)area + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ, 0, 0, 0);
}

TEST(edits_in_the_middle)
{
	map_file();
	fail_each("mmap(shared, fixed)", do_mmap_fixed, restore_area);
	fail_each("munmap(shared)", do_munmap, restore_area);
	fail_each("mprotect(shared)", do_mprotect, restore_area);
	unmap_file();
}

/* The kernel writes to a page that is in no memory and has no block: a hole. */
static long do_store(void)
{
	long result = raw_syscall(SYS_getcwd, (long)area, 64, 0, 0, 0, 0);

	return result == -EFAULT ? -ENOMEM : result;
}

static void make_hole(long result)
{
	CHECK(result > 0);
	CHECK_EQ(area[0], '/');
	CHECK_OK(ftruncate(file, 0));
	CHECK_OK(ftruncate(file, PAGES * PAGE_SIZE));
	CHECK_OK(fsync(file)); /* the block is free again */
}

TEST(first_store_to_a_hole)
{
	map_file();
	fail_each("store to a hole", do_store, make_hole);
	unmap_file();
}

static int child_status;

static long do_fork(void)
{
	long pid = raw_syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);

	if (pid == 0)
		raw_syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	if (pid > 0)
		raw_syscall(SYS_wait4, pid, (long)&child_status, 0, 0, 0, 0);
	return pid;
}

static void after_fork(long pid)
{
	CHECK(pid > 0);
	CHECK_EQ(child_status, 0);
}

TEST(fork)
{
	map_file();
	for (int i = 0; i < 20; i++)
		CHECK_OK(mmap(NULL, PAGE_SIZE, i % 2 ? RW : PROT_READ, MAP_SHARED | MAP_ANONYMOUS,
			      -1, 0));
	fail_each("fork with shared areas", do_fork, after_fork);
	unmap_file();
}

/* ---- signals ---- */

static long do_sigqueue(void)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	return raw_syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, (long)&info, 0, 0, 0);
}

static void take_signal(long result)
{
	sigset_t set;

	CHECK_EQ(result, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	CHECK_EQ(sigtimedwait(&set, NULL, &(struct timespec){ 0 }), SIGRTMIN);
	CHECK(!signal_is_pending(SIGRTMIN));
}

TEST(sigqueue)
{
	signal_mask(SIG_BLOCK, SIGRTMIN);
	fail_each("sigqueue", do_sigqueue, take_signal);
	CHECK(!signal_is_pending(SIGRTMIN));
}

static void nothing(int signal)
{
	(void)signal;
}

/* A new program's first handler, the nth allocation failing: 0, or -errno with nothing changed. */
CHILD(first_handler)
{
	static char before[8192], after[8192];
	struct sigaction action = { .sa_handler = nothing };
	bool fired;
	long result;

	fail_open();
	fail_arm(0);
	CHECK(read_text("/proc/self/maps", before, sizeof(before)) > 0);
	fail_arm(argv[2][0] - '0');
	result = raw_syscall(SYS_rt_sigaction, SIGUSR1, (long)&action, 0, 8, 0, 0);
	fired = fail_fired();
	if (result == 0)
		return fired ? 1 : 0;
	CHECK(fired);
	CHECK_EQ(result, -ENOMEM);
	CHECK(read_text("/proc/self/maps", after, sizeof(after)) > 0);
	CHECK_STRING(after, before);
	CHECK_EQ(raw_syscall(SYS_rt_sigaction, SIGUSR1, 0, (long)&action, 8, 0, 0), 0);
	CHECK(action.sa_handler == SIG_DFL);
	on_signal(SIGUSR1, 0);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(signal_calls, 1);
	return 2;
}

TEST(first_handler)
{
	int status, failures = 0;

	for (char n = '0'; n <= '9'; n++) {
		CHECK_EQ(waitpid(spawn_self("first_handler", (char[2]){ n }, NULL, NULL), &status,
				 0) > 0,
			 true);
		CHECK(WIFEXITED(status));
		CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2);
		failures += WEXITSTATUS(status) == 2;
	}
	CHECK(failures > 0);
}
