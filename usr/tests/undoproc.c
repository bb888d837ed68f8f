/*
 * undoproc.c - ravel-only: each allocation of a reader of /proc fails in turn. It says ENOMEM, and
 * the next read is whole again (usr/lib/failalloc.h).
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "usr/lib/failalloc.h"
#include "usr/lib/testutil.h"

static char answer[256 * 1024];
static const char *path;
static char question[24]; /* is written first; "": nothing is */
static unsigned long offset;
static long longest;

/* Open, ask, read and close: the whole use of a file. What read() said, or the first errno. */
static long use_file(void)
{
	long fd = raw_syscall(SYS_openat, AT_FDCWD, (long)path, *question ? O_RDWR : O_RDONLY, 0, 0,
			      0);
	long n = 0;

	if (fd < 0)
		return fd;
	if (*question)
		n = raw_syscall(SYS_write, fd, (long)question, strlen(question), 0, 0, 0);
	if (n >= 0)
		n = raw_syscall(SYS_pread64, fd, (long)answer, sizeof(answer), offset, 0, 0);
	raw_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
	return n;
}

/* The numbers in it may be others by now, but not many. */
static void is_whole(long n)
{
	CHECK(n > 0 && n <= (long)sizeof(answer));
	if (longest == 0)
		longest = n;
	CHECK_RANGE(n, longest - 64, longest + 64);
}

static void fail_each_of(const char *name)
{
	memset(answer, 1, sizeof(answer));
	path = name;
	longest = 0;
	fail_each(name, use_file, is_whole);
}

/* Areas of many kinds, so that the texts are long enough for their buffers to grow. */
static void map_all_kinds(void)
{
	for (int i = 0; i < 40; i++) {
		char *p = map_anon(2 * PAGE_SIZE);

		CHECK_OK(mprotect(p, PAGE_SIZE, i % 2 ? PROT_READ : PROT_NONE));
		p[PAGE_SIZE] = i;
	}
	CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

TEST(texts_of_a_process)
{
	static const char *const names[] = {
		"/proc/self/smaps", "/proc/self/smaps_rollup", "/proc/self/maps",
		"/proc/self/stat",  "/proc/self/statm",	       "/proc/self/status",
		"/proc/self/comm",  "/proc/self/cmdline",      "/proc/self/mountinfo",
	};

	map_all_kinds();
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		fail_each_of(names[i]);
}

TEST(texts_of_the_machine)
{
	static const char *const names[] = {
		"/proc/exits",	   "/proc/meminfo",	   "/proc/vmstat",
		"/proc/buddyinfo", "/proc/unusable_index", "/proc/extfrag_index",
		"/proc/slabinfo",  "/proc/stat",	   "/proc/sysvipc/shm",
	};

	CHECK_CHILD({ ; }); /* there is an exit to be told of */
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		fail_each_of(names[i]);
}

TEST(entries_of_pages_and_frames)
{
	offset = (unsigned long)answer / PAGE_SIZE * sizeof(uint64_t);
	fail_each_of("/proc/self/pagemap");
	offset = (0x80000000UL / PAGE_SIZE) * sizeof(uint64_t);
	fail_each_of("/proc/kpagecount");
	fail_each_of("/proc/kpageflags");
}

/* The answer of before is not the answer to a question that could not be worked out. */
TEST(an_explanation)
{
	snprintf(question, sizeof(question), "0x%lx", (unsigned long)answer);
	fail_each_of("/proc/self/explain");
	CHECK(strstr(answer, "\ntype anon") != NULL);
}
