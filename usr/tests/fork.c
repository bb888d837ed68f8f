/*
 * fork.c - fork(): what the child inherits, deep trees, and a thousand children.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "usr/lib/testutil.h"

TEST(returns_zero_to_the_child_and_its_pid_to_the_parent)
{
	pid_t parent = getpid(), pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(getppid() == parent && getpid() != parent ? 9 : 1);
	CHECK(pid > 0);
	CHECK_EXIT(pid, 9);
}

/* Each generation waits for the next; the deepest one's answer comes back through all of them. */
static int tree(int depth)
{
	int status;
	pid_t pid;

	if (!depth)
		return 42;
	pid = fork();
	if (pid == 0)
		_exit(tree(depth - 1));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}

TEST(a_tree_fifty_deep)
{
	CHECK_EQ(tree(50), 42);
}

TEST(a_wide_tree)
{
	pid_t pids[50];

	for (int i = 0; i < 50; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0)
			_exit(i);
	}
	for (int i = 0; i < 50; i++)
		CHECK_EXIT(pids[i], i);
}

TEST(a_thousand_children)
{
	for (int i = 0; i < 1000; i++) {
		pid_t pid = CHECK_OK(fork());

		if (pid == 0)
			_exit(i & 0x7f);
		CHECK_EXIT(pid, i & 0x7f);
		if (i % 100 == 0)
			test_progress();
	}
}

TEST(descriptors_are_shared)
{
	const char *path = tmp_path("offset");
	char byte;
	int fd;

	write_file(path, "abc", 3);
	fd = CHECK_OK(open(path, O_RDONLY));
	CHECK_OK(unlink(path));
	CHECK_CHILD({
		CHECK_EQ(read(fd, &byte, 1), 1);
		close(fd);
	});
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_EQ(byte, 'b');
}

TEST(areas_are_inherited)
{
	char *p = map_anon(3 * PAGE_SIZE);

	p[0] = 1;
	CHECK_OK(mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_NONE));
	CHECK_CHILD({
		CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 3 * PAGE_SIZE), 3);
		CHECK_EQ(p[0], 1);
		CHECK_SIGNAL({ p[PAGE_SIZE] = 1; }, SIGSEGV);
		CHECK_OK(munmap(p, 3 * PAGE_SIZE));
	});
	p[2 * PAGE_SIZE] = 1;
}

TEST(cwd_umask_and_limits_are_inherited)
{
	struct rlimit limit = { 77, 99 };

	CHECK_OK(chdir("/tmp"));
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_CHILD({
		char cwd[64];
		struct rlimit seen;

		CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
		CHECK_STRING(cwd, "/tmp");
		CHECK_OK(getrlimit(RLIMIT_NOFILE, &seen));
		CHECK_EQ(seen.rlim_cur, 77);
		CHECK_EQ(seen.rlim_max, 99);
		CHECK_OK(chdir("/"));
	});
}

TEST(stdio_and_malloc_work_in_the_child)
{
	CHECK_CHILD({
		char *text = malloc(100000);

		CHECK(text != NULL);
		snprintf(text, 100000, "%d %s %.3f", 12, "words", 1.5);
		CHECK_STRING(text, "12 words 1.500");
		free(text);
	});
}

/* A child dirties much memory and is gone: the parent's next child can have as much. */
TEST(memory_of_the_dead_is_reused)
{
	for (int i = 0; i < 12; i++)
		CHECK_CHILD({ memset(map_anon(8 << 20), 1, 8 << 20); });
}
