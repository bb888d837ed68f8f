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
