/*
 * enosys.c - system calls that do not exist: -ENOSYS, and on Ravel they are counted.
 */
#include "usr/lib/test.h"

#include "usr/lib/testutil.h"

static const long unknown[] = { 1000, 4096, 100000, 0x7fffffff, -1, -2 };

TEST(unknown_numbers)
{
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		CHECK_EQ(raw_syscall(unknown[i], 0, 0, 0, 0, 0, 0), -ENOSYS);
	if (on_ravel())
		CHECK_EQ(raw_syscall(1L << 62, 0, 0, 0, 0, 0, 0), -ENOSYS);
}

TEST(they_are_counted)
{
	long long before = vmstat("syscall_unknown");

	if (!on_ravel())
		SKIP("Linux does not count them");
	CHECK(before >= 0);
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		raw_syscall(unknown[i], 0, 0, 0, 0, 0, 0);
	CHECK(vmstat("syscall_unknown") - before >= (long long)ARRAY_LEN(unknown));
}
