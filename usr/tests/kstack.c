/*
 * kstack.c - ravel-only: kernel stacks as /proc shows them, and many processes that need them.
 *
 * With ravel.kstackpad= on the kernel's command line (scripts/kstack.py) the storm makes stacks
 * grow at every depth: in system calls, faults and interrupts, of tasks that change harts.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define KEPT	     32 /* stacks that wait for their next owner: mm/kstack.c */
#define RESERVE	     8	/* pages for each hart, likewise */
#define MOST_PAGES   4	/* of a stack */
#define NR_SLEEPERS  50
#define NR_AT_ONCE   40
#define STORM_WIDTH  8
#define STORM_ROUNDS 12
#define STORM_BYTES  10000

static long long whole_reserve(void)
{
	return RESERVE * sysconf(_SC_NPROCESSORS_ONLN);
}

TEST(each_process_has_its_own)
{
	long long before = vmstat("nr_kernel_stack");
	pid_t pids[NR_SLEEPERS];
	int ends[2];
	char byte;

	CHECK_OK(pipe(ends));
	for (int i = 0; i < NR_SLEEPERS; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			close(ends[1]);
			_exit(read(ends[0], &byte, 1));
		}
	}
	/* Also their tables. */
	CHECK_RANGE(vmstat("nr_kernel_stack") - before, NR_SLEEPERS - KEPT,
		    NR_SLEEPERS * MOST_PAGES + 1);
	close(ends[1]);
	for (int i = 0; i < NR_SLEEPERS; i++)
		CHECK_EXIT(pids[i], 0);
	CHECK_RANGE(vmstat("nr_kernel_stack") - before, -MOST_PAGES * KEPT, MOST_PAGES * KEPT);
}

TEST(meminfo_and_vmstat_agree)
{
	CHECK_RANGE(vmstat("kernel_stack_deepest"), 1, MOST_PAGES);
	CHECK_EQ(meminfo_kb("KernelStack"), vmstat("nr_kernel_stack") * 4);
	CHECK(vmstat("nr_kernel_stack") > vmstat("nr_kernel_stack_reserve"));
}

/* ---- the storm ---- */

/* Exec'd deep in the storm: arguments come through. */
CHILD(leaf)
{
	return argc == 3 && strcmp(argv[2], "argument") == 0 ? 7 : 1;
}

/* Writes a file, reads it by a mapping and removes it. */
static void use_file(const char *dir, int worker)
{
	char path[200], bytes[STORM_BYTES];
	char *map;
	int fd;

	snprintf(path, sizeof(path), "%s/storm%d", dir, worker);
	memset(bytes, 'a' + worker, sizeof(bytes));
	fd = CHECK_OK(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));
	CHECK_EQ(write(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	map = mmap(NULL, sizeof(bytes), PROT_READ, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK_EQ(memcmp(map, bytes, sizeof(bytes)), 0);
	CHECK_OK(munmap(map, sizeof(bytes)));
	CHECK_OK(fsync(fd));
	CHECK_OK(close(fd));
	CHECK_OK(unlink(path));
}

static void storm(const char *dir, int worker)
{
	char *volatile nowhere = (char *)8;

	for (int i = 0; i < STORM_ROUNDS; i++) {
		CHECK_CHILD({ use_file(dir, worker); });
		CHECK_EXIT(spawn_self("leaf", "argument", NULL, NULL), 7);
		CHECK_SIGNAL({ *nowhere = 1; }, SIGSEGV);
		test_progress();
	}
}

/* Nobody forks meanwhile: each that grows has to fill the reserve for the next. */
TEST(many_grow_at_once)
{
	const char *dir = test_dir();
	pid_t pids[NR_AT_ONCE];
	int ends[2];
	char byte;

	CHECK_OK(pipe(ends));
	for (int i = 0; i < NR_AT_ONCE; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			close(ends[1]);
			CHECK_EQ(read(ends[0], &byte, 1), 0);
			use_file(dir, i);
			_exit(0);
		}
	}
	close(ends[1]);
	for (int i = 0; i < NR_AT_ONCE; i++)
		CHECK_EXIT(pids[i], 0);
	test_dir_leave();
}

TEST(a_storm_of_processes)
{
	long long grown = vmstat("kstack_grow");
	const char *dir = test_dir();
	pid_t pids[STORM_WIDTH];

	for (int i = 0; i < STORM_WIDTH; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			storm(dir, i);
			_exit(0);
		}
	}
	for (int i = 0; i < STORM_WIDTH; i++)
		CHECK_EXIT(pids[i], 0);
	test_dir_leave();
	printf("# stacks have grown by %lld pages\n", vmstat("kstack_grow") - grown);
	WAIT_UNTIL(vmstat("nr_kernel_stack_reserve") == whole_reserve());
}
