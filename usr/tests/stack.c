/*
 * stack.c - stack growth: on demand, down to RLIMIT_STACK, with a guard gap; seen in /proc.
 */
#include "usr/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "usr/lib/testutil.h"

#define MIB (1UL << 20)

/* Use about size bytes of stack in frames of 1 KiB. Returns a number that forbids tail calls. */
static __attribute__((noinline)) long recurse(long size)
{
	volatile char frame[1024];

	frame[0] = size;
	frame[1023] = 1;
	if (size <= 0)
		return frame[0];
	return recurse(size - 1024) + frame[1023];
}

static unsigned long stack_pointer(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

TEST(six_mib_deep)
{
	CHECK(recurse(6 * MIB) >= 6 * 1024 - 256);
}

CHILD(deep)
{
	long mib = atol(argv[2]);

	recurse(mib * MIB);
	return status_kb(getpid(), "VmStk") >= mib * 1024 ? 42 : 1;
}

TEST(fifteen_mib_after_setrlimit_and_exec)
{
	struct rlimit limit = { 16 * MIB, RLIM_INFINITY };

	CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
	CHECK_EXIT(spawn_self("deep", "15", NULL, NULL), 42);
}

TEST(below_the_limit_is_sigsegv)
{
	CHECK_SIGNAL({ recurse(20 * MIB); }, SIGSEGV);
}

TEST(a_lower_limit_holds_at_once)
{
	struct rlimit limit = { 1 * MIB, 1 * MIB };

	CHECK_SIGNAL(
		{
			CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
			recurse(2 * MIB);
		},
		SIGSEGV);
}

TEST(vmstk_grows)
{
	long long before = status_kb(getpid(), "VmStk");

	CHECK(before > 0);
	recurse(4 * MIB);
	CHECK_RANGE(status_kb(getpid(), "VmStk"), 4096, 8192);
	CHECK(status_kb(getpid(), "VmStk") > before);
}

/* Another process's stack is seen from outside, while it is deep and after it has gone. */
TEST(seen_from_outside_and_given_back)
{
	int ready[2], go[2];
	char path[64], byte;
	pid_t pid;

	CHECK_OK(pipe(ready));
	CHECK_OK(pipe(go));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		recurse(5 * MIB);
		CHECK_EQ(write(ready[1], "", 1), 1);
		CHECK_EQ(read(go[0], &byte, 1), 1);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	CHECK(status_kb(pid, "VmStk") >= 5 * 1024);
	CHECK(status_kb(pid, "VmRSS") >= 5 * 1024);
	CHECK_EQ(write(go[1], "", 1), 1);
	CHECK_EXIT(pid, 0);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	CHECK_ERRNO(access(path, F_OK), ENOENT);
}

TEST(the_area_is_named_stack)
{
	struct map_line line;

	CHECK(find_map(stack_pointer(), &line));
	CHECK_STRING(line.name, "[stack]");
	CHECK_STRING(line.prot, "rw-p");
}

/* Growth leaves a gap to the area below: a stack may not run into somebody else's memory. */
TEST(guard_gap)
{
	struct map_line line;
	char *below;

	CHECK(find_map(stack_pointer(), &line));
	below = (char *)line.start - MIB;
	CHECK_EQ(mmap(below, PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
		 below);
	*below = 1;
	CHECK_SIGNAL({ recurse(2 * MIB); }, SIGSEGV);
	CHECK_SIGNAL({ *(volatile char *)(below + PAGE_SIZE) = 1; }, SIGSEGV);
	CHECK_EQ(*below, 1);
	CHECK(line.start - (uintptr_t)below > 64 * PAGE_SIZE);
}

/* A fork copies the stack; the child's growth is its own. */
TEST(fork_grows_separately)
{
	struct map_line before, after;

	CHECK(find_map(stack_pointer(), &before));
	CHECK_CHILD({ recurse(3 * MIB); });
	CHECK(find_map(stack_pointer(), &after));
	CHECK_EQ(after.start, before.start);
}

/* The kernel's copy to a deep, never touched part of the stack grows it as a store would. */
TEST(the_kernel_grows_it_too)
{
	char *deep = (char *)(stack_pointer() - 3 * MIB);
	int fds[2];

	CHECK_OK(pipe(fds));
	CHECK_EQ(write(fds[1], "k", 1), 1);
	CHECK_EQ(read(fds[0], deep, 1), 1);
	CHECK_EQ(*deep, 'k');
	CHECK_ERRNO(write(fds[1], (char *)(stack_pointer() - 64 * MIB), 1), EFAULT);
}

TEST(the_stack_is_not_executable)
{
#if defined(__riscv)
	uint32_t code[2] = { 0x00008067, 0 };
#else
	unsigned char code[2] = { 0xc3, 0 };
#endif
	volatile uintptr_t target = (uintptr_t)code;

	__asm__ volatile("" : : "r"(code) : "memory");
	CHECK_SIGNAL({ ((void (*)(void))target)(); }, SIGSEGV);
}
