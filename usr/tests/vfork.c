/*
 * vfork.c - clone with CLONE_VM: shared memory, the waiting parent, separate everything else.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "usr/lib/testutil.h"

extern char **environ;

static volatile int shared;

TEST(the_parent_waits_for_exit)
{
	pid_t pid;

	shared = 0;
	pid = vfork();
	if (pid == 0) {
		for (volatile int i = 0; i < 100000; i++)
			;
		shared = 1;
		_exit(3);
	}
	CHECK_EQ(shared, 1);
	CHECK_EXIT(pid, 3);
}

CHILD(held)
{
	char byte;

	return read(0, &byte, 1) == 0 ? 42 : 1;
}

/* The parent goes on at exec, while the new program still runs. */
TEST(the_parent_goes_on_at_exec)
{
	const char *path = self_path();
	int fds[2], status;
	pid_t pid;

	CHECK_OK(pipe2(fds, O_CLOEXEC));
	pid = vfork();
	if (pid == 0) {
		dup2(fds[0], 0);
		execl(path, path, "--child=held", NULL);
		_exit(1);
	}
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	close(fds[1]);
	CHECK_EXIT(pid, 42);
}

static int store(void *arg)
{
	*(volatile int *)arg = 5;
	return 6;
}

TEST(memory_is_shared)
{
	int *value = map_anon(PAGE_SIZE);

	CHECK_EXIT(spawn_sharing(store, value), 6);
	CHECK_EQ(*value, 5);
}

static char *volatile mapped;

static int map_and_unmap(void *arg)
{
	mapped = (char *)raw_syscall(SYS_mmap, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*mapped = 7;
	return raw_syscall(SYS_munmap, (long)arg, PAGE_SIZE, 0, 0, 0, 0) ? 1 : 0;
}

TEST(areas_are_shared)
{
	char *p = map_anon(PAGE_SIZE);

	*p = 1;
	CHECK_EXIT(spawn_sharing(map_and_unmap, p), 0);
	CHECK_EQ(*mapped, 7);
	CHECK(range_unmapped((uintptr_t)p, (uintptr_t)p + PAGE_SIZE));
}

static int close_it(void *arg)
{
	return raw_syscall(SYS_close, *(int *)arg, 0, 0, 0, 0, 0) ? 1 : 0;
}

TEST(descriptors_are_not)
{
	int fd = CHECK_OK(open("/dev/null", O_WRONLY));

	CHECK_EXIT(spawn_sharing(close_it, &fd), 0);
	CHECK_EQ(write(fd, "x", 1), 1);
}

static int die(void *arg)
{
	*(volatile char *)arg = 1;
	return 0;
}

/* A task that dies by a fault takes only itself. */
TEST(a_death_is_not_shared)
{
	char *p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int *value = map_anon(PAGE_SIZE);

	*value = 4;
	test_check_signal(__FILE__, __LINE__, spawn_sharing(die, p), SIGSEGV);
	CHECK_EQ(*value, 4);
}

static int exec_away(void *arg)
{
	char *argv[] = { arg, "--child=none", NULL };

	raw_syscall(SYS_execve, (long)arg, (long)argv, 0, 0, 0, 0);
	return 1;
}

TEST(exec_leaves_the_shared_memory)
{
	char *p = map_anon(PAGE_SIZE);

	*p = 9;
	CHECK_EXIT(spawn_sharing(exec_away, (void *)self_path()), 125);
	CHECK_EQ(*p, 9);
	*p = 10;
}

TEST(posix_spawn_works)
{
	char *argv[] = { "x", "--child=none", NULL }, *bad[] = { "x", NULL };
	pid_t pid;

	CHECK_EQ(posix_spawn(&pid, self_path(), NULL, NULL, argv, environ), 0);
	CHECK_EXIT(pid, 125);
	CHECK_EQ(posix_spawn(&pid, "/no/such", NULL, NULL, bad, environ), ENOENT);
}

TEST(bad_flags)
{
	CHECK_EQ(raw_syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(raw_syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(raw_syscall(SYS_clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0, 0), -EINVAL);
}
