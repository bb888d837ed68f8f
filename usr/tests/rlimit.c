/*
 * rlimit.c - getrlimit(), setrlimit(), prlimit(), and the limits that are enforced here.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "usr/lib/testutil.h"

static void set(int resource, rlim_t now, rlim_t most)
{
	struct rlimit limit = { now, most };

	CHECK_OK(setrlimit(resource, &limit));
}

TEST(the_stack_is_eight_mib_by_default)
{
	struct rlimit limit;

	CHECK_OK(getrlimit(RLIMIT_STACK, &limit));
	CHECK_EQ(limit.rlim_cur, 8 << 20);
}

TEST(what_is_set_is_read_back)
{
	struct rlimit limit;

	for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
		CHECK_OK(getrlimit(resource, &limit));
		CHECK(limit.rlim_cur <= limit.rlim_max);
	}
	set(RLIMIT_CORE, 1234, 5678);
	CHECK_OK(getrlimit(RLIMIT_CORE, &limit));
	CHECK_EQ(limit.rlim_cur, 1234);
	CHECK_EQ(limit.rlim_max, 5678);
}

TEST(errors)
{
	struct rlimit limit = { 10, 5 };

	CHECK_ERRNO(setrlimit(RLIMIT_CORE, &limit), EINVAL);
	CHECK_ERRNO(getrlimit(99, &limit), EINVAL);
	limit.rlim_max = 20;
	CHECK_ERRNO(setrlimit(99, &limit), EINVAL);
	CHECK_ERRNO(prlimit(4000000, RLIMIT_CORE, NULL, &limit), ESRCH);
}

TEST(open_files)
{
	int fd;

	set(RLIMIT_NOFILE, 10, 20);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		CHECK(fd < 10);
	CHECK_EQ(errno, EMFILE);
	CHECK_ERRNO(dup(0), EMFILE);
	CHECK_ERRNO(dup2(0, 10), EBADF);
	CHECK_ERRNO(fcntl(0, F_DUPFD, 10), EINVAL);
	set(RLIMIT_NOFILE, 20, 20);
	CHECK_RANGE(open("/dev/null", O_RDONLY), 10, 19);
}

TEST(a_child_inherits_and_exec_keeps)
{
	struct rlimit limit;

	set(RLIMIT_CORE, 11, 22);
	CHECK_CHILD({
		CHECK_OK(getrlimit(RLIMIT_CORE, &limit));
		CHECK_EQ(limit.rlim_cur, 11);
		set(RLIMIT_CORE, 1, 22);
	});
	CHECK_OK(getrlimit(RLIMIT_CORE, &limit));
	CHECK_EQ(limit.rlim_cur, 11);
	CHECK_EXIT(spawn_self("limit", NULL, NULL, NULL), 11);
}

CHILD(limit)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_CORE, &limit) ? 1 : (int)limit.rlim_cur;
}

/* ---- memory: RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK ---- */

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static rlim_t bytes_of(const char *key)
{
	return status_kb(getpid(), key) * 1024;
}

static void *map(size_t pages, int prot)
{
	return mmap(NULL, pages * PAGE_SIZE, prot, ANON | MAP_NORESERVE, -1, 0);
}

TEST(address_space)
{
	char *p = CHECK_OK(map(8, RW)), *end;

	CHECK_OK(munmap(p + 4 * PAGE_SIZE, 4 * PAGE_SIZE));
	set(RLIMIT_AS, bytes_of("VmSize") + 3 * PAGE_SIZE, RLIM_INFINITY);
	CHECK_ERRNO(map(4, PROT_NONE), ENOMEM);
	CHECK_ERRNO(map(4, PROT_READ), ENOMEM);
	/* What is replaced is given back. */
	CHECK_EQ(mmap(p, 4 * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), p);
	CHECK_EQ(mmap(p, 7 * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), p);
	CHECK_ERRNO(map(1, PROT_NONE), ENOMEM);
	end = sbrk(0);
	CHECK_ERRNO(sbrk(2 * PAGE_SIZE), ENOMEM);
	CHECK_EQ(sbrk(0), end);
	CHECK_OK(mprotect(p, 7 * PAGE_SIZE, PROT_READ));
	CHECK_OK(munmap(p, 3 * PAGE_SIZE));
	CHECK_OK(map(2, RW));
}

/* Writable private memory, whoever makes it; what is shared, or a stack, does not count. */
TEST(data)
{
	char *p = CHECK_OK(map(8, RW)), *end;
	char *r = CHECK_OK(map(8, PROT_READ));
	int flags = MAP_ANONYMOUS | MAP_SHARED;

	set(RLIMIT_DATA, bytes_of("VmData") + 3 * PAGE_SIZE, RLIM_INFINITY);
	CHECK_ERRNO(map(4, RW), ENOMEM);
	CHECK_ERRNO(mprotect(r, 4 * PAGE_SIZE, RW), ENOMEM);
	CHECK_ERRNO(mprotect(r, 8 * PAGE_SIZE, PROT_WRITE), ENOMEM);
	CHECK_EQ(count_maps((uintptr_t)r, (uintptr_t)r + 8 * PAGE_SIZE), 1);
	end = sbrk(0);
	CHECK_ERRNO(sbrk(64 * PAGE_SIZE), ENOMEM);
	CHECK_EQ(sbrk(0), end);
	CHECK_OK(map(64, PROT_NONE));
	CHECK_OK(map(64, PROT_READ));
	CHECK_OK(mmap(NULL, 64 * PAGE_SIZE, RW, flags, -1, 0));
	CHECK_OK(mmap(NULL, 64 * PAGE_SIZE, RW, ANON | MAP_GROWSDOWN, -1, 0));
	CHECK_OK(mprotect(r, 2 * PAGE_SIZE, RW));
	CHECK_ERRNO(mprotect(r + 2 * PAGE_SIZE, 2 * PAGE_SIZE, RW), ENOMEM);
	CHECK_OK(mprotect(p, 4 * PAGE_SIZE, PROT_READ));
	CHECK_OK(mprotect(r + 2 * PAGE_SIZE, 2 * PAGE_SIZE, RW));
}

/* brk() counts the program's own data too: with a limit of nothing it cannot even have a page. */
TEST(data_of_the_program_counts_for_brk)
{
	static char data[3 * PAGE_SIZE] = { 1 };
	char *end = sbrk(0);

	set(RLIMIT_DATA, PAGE_SIZE, RLIM_INFINITY);
	CHECK_EQ(data[0], 1);
	CHECK_ERRNO(sbrk(PAGE_SIZE), ENOMEM);
	CHECK_EQ(sbrk(0), end);
}

CHILD(fine)
{
	return 7;
}

/* A program that does not fit does not run; its caller is told, or the attempt is killed. */
TEST(a_program_larger_than_the_limit)
{
	int status;
	pid_t pid;

	set(RLIMIT_AS, bytes_of("VmSize") + 64 * PAGE_SIZE, RLIM_INFINITY);
	CHECK_EXIT(spawn_self("fine", NULL, NULL, NULL), 7);
	set(RLIMIT_AS, 4 * PAGE_SIZE, RLIM_INFINITY);
	pid = CHECK_OK(vfork());
	if (pid == 0) {
		execl(self_path(), "x", "--child=fine", NULL);
		_exit(errno == ENOMEM ? 8 : 9);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 8);
}
