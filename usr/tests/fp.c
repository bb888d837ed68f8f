/*
 * fp.c - floating-point registers belong to a task: across switches, fork and exec.
 */
#include "usr/lib/test.h"

#include <sched.h>

#include "usr/lib/testutil.h"

#define TERMS 40000

/* A sum whose every term stays in registers; each start gives its own result. */
static __attribute__((noinline)) double series(double start, int yield)
{
	double sum = start, sign = 1, third = start / 3, product = 1;

	for (int i = 0; i < TERMS; i++) {
		sum += sign / (2 * i + 1);
		sign = -sign;
		product = product * 0.999 + third;
		if (yield && i % 4000 == 0)
			sched_yield();
	}
	return sum * 4 + product;
}

TEST(processes_computing_at_the_same_time)
{
	pid_t pids[6];
	double expected[6];

	for (int i = 0; i < 6; i++)
		expected[i] = series(i, 0);
	for (int i = 0; i < 6; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			for (int round = 0; round < 4; round++)
				if (series(i, round & 1) != expected[i])
					_exit(1);
			_exit(0);
		}
	}
	for (int i = 0; i < 6; i++)
		CHECK_EXIT(pids[i], 0);
}

static __attribute__((noinline)) double mix(int sleep)
{
	volatile double seed = 1.25;
	double a = seed, b = seed * 2, c = seed * 3, d = seed * 4;

	for (int i = 0; i < 10; i++) {
		if (sleep)
			test_pause(1);
		a += b;
		b += c;
		c += d;
		d += 0.5;
	}
	return a + 1000 * b + 1000000 * c + 1e9 * d;
}

/* Values held in registers over a system call that sleeps, while another process uses its own. */
TEST(registers_survive_sleeping)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(series(7, 1) > 0 ? 0 : 1);
	CHECK(mix(1) == mix(0));
	CHECK_EXIT(pid, 0);
}

TEST(fork_copies_registers)
{
	volatile double seed = 0.1;
	double x = seed, y = seed * 7;

	for (int i = 0; i < 10; i++)
		x = x * 1.5 + y;
	CHECK_CHILD({
		volatile double again = 0.1;
		double u = again, v = again * 7;

		for (int i = 0; i < 10; i++)
			u = u * 1.5 + v;
		CHECK(u == x);
	});
}

#if defined(__riscv)
/* Put known bits into all 32 registers, yield to others, and look at them again. */
TEST(all_registers_and_fcsr)
{
	static uint64_t in[32], out[32];
	unsigned long mode = 0;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(series(3, 1) > 0 ? 0 : 1);
	for (int i = 0; i < 32; i++)
		in[i] = 0x4000000000000000ULL + i * 0x0001000100010001ULL;
	__asm__ volatile("fscsr %0" : : "r"(2UL << 5));
	__asm__ volatile(
		".altmacro\n"
		".macro each op, base\n"
		"	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
		"25,26,27,28,29,30,31\n"
		"	\\op f\\n, 8*\\n(\\base)\n"
		"	.endr\n"
		".endm\n"
		"	each fld, %0\n"
		"	li s2, 20\n"
		"1:	li a7, 124\n"
		"	ecall\n"
		"	addi s2, s2, -1\n"
		"	bnez s2, 1b\n"
		"	each fsd, %1\n"
		".purgem each\n"
		:
		: "r"(in), "r"(out)
		: "a0", "a7", "s2", "memory", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8",
		  "f9", "f10", "f11", "f12", "f13", "f14", "f15", "f16", "f17", "f18", "f19", "f20",
		  "f21", "f22", "f23", "f24", "f25", "f26", "f27", "f28", "f29", "f30", "f31");
	__asm__ volatile("frcsr %0" : "=r"(mode));
	__asm__ volatile("fscsr zero");
	CHECK_EQ(mode >> 5, 2);
	for (int i = 0; i < 32; i++)
		CHECK_EQ(out[i], in[i]);
	CHECK_EXIT(pid, 0);
}

CHILD(clean)
{
	unsigned long mode;

	__asm__ volatile("frcsr %0" : "=r"(mode));
	return mode >> 5 ? 1 : 42;
}

TEST(exec_starts_with_a_clean_state)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		__asm__ volatile("fscsr %0" : : "r"(3UL << 5));
		execl(self_path(), "x", "--child=clean", NULL);
	}
	CHECK_EXIT(pid, 42);
}
#endif
