/*
 * badptr.c - bad pointers in every system call: EFAULT, never a crash, never a success.
 *
 * Each row of the table is a call with good arguments; every pointer of it is replaced in turn by
 * every bad address.  Raw calls are used, because glibc itself may touch an argument.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "usr/lib/testutil.h"

/* What a pointer argument is for: in is read by the kernel, out is written. */
enum kind { VALUE, IN, OUT, STRING, OPTIONAL_IN, OPTIONAL_OUT };

struct argument {
	enum kind kind;
	long value;
	long size;
};

struct call {
	const char *name;
	long nr;
	struct argument args[6];
};

static char buffer[8192] __attribute__((aligned(16)));
static char path_dir[] = "/tmp", path_none[] = "/tmp/none";
static struct timespec moment;
static struct pollfd pollfd;
/* Size 0: not tried across the edge of a mapping, because the call may be short there. */
#define V(x)                                                                                       \
	{                                                                                          \
		VALUE, (long)(x), 0                                                                \
	}
#define P(kind, size)                                                                              \
	{                                                                                          \
		kind, 0, size                                                                      \
	}
#define CWD V(AT_FDCWD)

enum { NULL_FD = 1000, ZERO_FD, PIPE_IN, PIPE_OUT, DIR_FD, TMP_FD };

static const struct call calls[] = {
	{ "read", SYS_read, { V(ZERO_FD), P(OUT, 0), V(100) } },
	{ "write", SYS_write, { V(PIPE_OUT), P(IN, 0), V(1) } },
	{ "pread64", SYS_pread64, { V(TMP_FD), P(OUT, 0), V(8), V(0) } },
	{ "pwrite64", SYS_pwrite64, { V(TMP_FD), P(IN, 0), V(1), V(0) } },
	{ "readv", SYS_readv, { V(ZERO_FD), P(IN, 16), V(1) } },
	{ "writev", SYS_writev, { V(PIPE_OUT), P(IN, 16), V(1) } },
	{ "openat", SYS_openat, { CWD, P(STRING, 5), V(O_RDONLY), V(0) } },
	{ "mkdirat", SYS_mkdirat, { CWD, P(STRING, 5), V(0755) } },
	{ "unlinkat", SYS_unlinkat, { CWD, P(STRING, 5), V(0) } },
	{ "faccessat", SYS_faccessat, { CWD, P(STRING, 5), V(0) } },
	{ "chdir", SYS_chdir, { P(STRING, 5) } },
	{ "readlinkat path", SYS_readlinkat, { CWD, P(STRING, 5), V(buffer), V(64) } },
	{ "renameat2 old", SYS_renameat2, { CWD, P(STRING, 5), CWD, V(path_none), V(0) } },
	{ "newfstatat path", SYS_newfstatat, { CWD, P(STRING, 5), V(buffer), V(0) } },
	{ "newfstatat stat", SYS_newfstatat, { CWD, V(path_dir), P(OUT, 100), V(0) } },
	{ "fstat", SYS_fstat, { V(ZERO_FD), P(OUT, 100) } },
	{ "getcwd", SYS_getcwd, { P(OUT, 0), V(64) } },
	{ "getdents64", SYS_getdents64, { V(DIR_FD), P(OUT, 24), V(4096) } },
	{ "pipe2", SYS_pipe2, { P(OUT, 8), V(0) } },
	{ "execve path", SYS_execve, { P(STRING, 5), V(0), V(0) } },
	{ "clock_gettime", SYS_clock_gettime, { V(CLOCK_MONOTONIC), P(OUT, 16) } },
	{ "clock_getres", SYS_clock_getres, { V(CLOCK_MONOTONIC), P(OPTIONAL_OUT, 16) } },
	{ "nanosleep", SYS_nanosleep, { P(IN, 16), V(0) } },
	{ "clock_nanosleep", SYS_clock_nanosleep, { V(CLOCK_MONOTONIC), V(0), P(IN, 16), V(0) } },
	{ "gettimeofday", SYS_gettimeofday, { P(OPTIONAL_OUT, 16), V(0) } },
	{ "uname", SYS_uname, { P(OUT, 390) } },
	{ "sysinfo", SYS_sysinfo, { P(OUT, 64) } },
	{ "times", SYS_times, { P(OPTIONAL_OUT, 32) } },
	{ "getrusage", SYS_getrusage, { V(RUSAGE_SELF), P(OUT, 144) } },
	{ "prlimit64 new", SYS_prlimit64, { V(0), V(RLIMIT_CORE), P(OPTIONAL_IN, 16), V(0) } },
	{ "prlimit64 old", SYS_prlimit64, { V(0), V(RLIMIT_CORE), V(0), P(OPTIONAL_OUT, 16) } },
	{ "getrlimit", SYS_getrlimit, { V(RLIMIT_CORE), P(OUT, 16) } },
	{ "setrlimit", SYS_setrlimit, { V(RLIMIT_CORE), P(IN, 16) } },
	{ "rt_sigaction new", SYS_rt_sigaction, { V(SIGUSR1), P(OPTIONAL_IN, 24), V(0), V(8) } },
	{ "rt_sigaction old", SYS_rt_sigaction, { V(SIGUSR1), V(0), P(OPTIONAL_OUT, 24), V(8) } },
	{ "rt_sigprocmask new", SYS_rt_sigprocmask, { V(0), P(OPTIONAL_IN, 8), V(0), V(8) } },
	{ "rt_sigprocmask old", SYS_rt_sigprocmask, { V(0), V(0), P(OPTIONAL_OUT, 8), V(8) } },
	{ "rt_sigpending", SYS_rt_sigpending, { P(OUT, 8), V(8) } },
	{ "ppoll fds", SYS_ppoll, { P(IN, 8), V(1), V(&moment), V(0), V(8) } },
	{ "ppoll time", SYS_ppoll, { V(&pollfd), V(0), P(OPTIONAL_IN, 16), V(0), V(8) } },
	{ "getrandom", SYS_getrandom, { P(OUT, 0), V(16), V(0) } },
	{ "sched_getaffinity", SYS_sched_getaffinity, { V(0), V(128), P(OUT, 8) } },
	{ "statx path", SYS_statx, { CWD, P(STRING, 5), V(0), V(0x7ff), V(buffer) } },
	{ "statx buffer", SYS_statx, { CWD, V(path_dir), V(0), V(0x7ff), P(OUT, 256) } },
	{ "fstatfs", SYS_fstatfs, { V(DIR_FD), P(OUT, 120) } },
	{ "statfs buffer", SYS_statfs, { V(path_dir), P(OUT, 120) } },
	{ "symlinkat target", SYS_symlinkat, { P(STRING, 5), CWD, V(path_none) } },
	{ "symlinkat path", SYS_symlinkat, { V(path_none), CWD, P(STRING, 5) } },
	{ "linkat", SYS_linkat, { CWD, P(STRING, 5), CWD, V(path_none), V(0) } },
	{ "truncate", SYS_truncate, { P(STRING, 5), V(0) } },
	{ "fchmodat", SYS_fchmodat, { CWD, P(STRING, 5), V(0644) } },
	{ "fchownat", SYS_fchownat, { CWD, P(STRING, 5), V(-1), V(-1), V(0) } },
	{ "rt_sigsuspend", SYS_rt_sigsuspend, { P(IN, 8), V(8) } },
	{ "rt_sigtimedwait", SYS_rt_sigtimedwait, { P(IN, 8), V(0), V(&moment), V(8) } },
	{ "sigaltstack new", SYS_sigaltstack, { P(OPTIONAL_IN, 24), V(0) } },
	{ "sigaltstack old", SYS_sigaltstack, { V(0), P(OPTIONAL_OUT, 24) } },
	{ "getitimer", SYS_getitimer, { V(0), P(OUT, 32) } },
	{ "prctl set name", SYS_prctl, { V(15), P(IN, 0) } },
	{ "prctl get name", SYS_prctl, { V(16), P(OUT, 16) } },
	{ "sched_setaffinity", SYS_sched_setaffinity, { V(0), V(8), P(IN, 8) } },
	{ "statfs path", SYS_statfs, { P(STRING, 5), V(buffer) } },
	{ "sendfile offset", SYS_sendfile, { V(NULL_FD), V(TMP_FD), P(OPTIONAL_OUT, 8), V(1) } },
	{ "fcntl lock", SYS_fcntl, { V(TMP_FD), V(F_SETLK), P(IN, 32) } },
	{ "fcntl get lock", SYS_fcntl, { V(TMP_FD), V(F_GETLK), P(IN, 32) } },
	{ "preadv", SYS_preadv, { V(TMP_FD), P(IN, 16), V(1), V(0) } },
	{ "pwritev", SYS_pwritev, { V(TMP_FD), P(IN, 16), V(1), V(0) } },
	{ "preadv2", SYS_preadv2, { V(TMP_FD), P(IN, 16), V(1), V(0), V(0), V(0) } },
	{ "pwritev2", SYS_pwritev2, { V(TMP_FD), P(IN, 16), V(1), V(0), V(0), V(0) } },
	{ "copy_file_range in",
	  SYS_copy_file_range,
	  { V(TMP_FD), P(OPTIONAL_IN, 8), V(TMP_FD), V(0), V(0), V(0) } },
	{ "copy_file_range out",
	  SYS_copy_file_range,
	  { V(TMP_FD), V(0), V(TMP_FD), P(OPTIONAL_IN, 8), V(0), V(0) } },
	{ "getresuid real", SYS_getresuid, { P(OUT, 4), V(buffer), V(buffer) } },
	{ "getresuid effective", SYS_getresuid, { V(buffer), P(OUT, 4), V(buffer) } },
	{ "getresgid saved", SYS_getresgid, { V(buffer), V(buffer), P(OUT, 4) } },
	{ "setgroups", SYS_setgroups, { V(1), P(IN, 4) } },
	{ "pselect6 read",
	  SYS_pselect6,
	  { V(1), P(OPTIONAL_IN, 8), V(0), V(0), V(&moment), V(0) } },
	{ "pselect6 time", SYS_pselect6, { V(0), V(0), V(0), V(0), P(OPTIONAL_IN, 16), V(0) } },
	{ "pselect6 mask",
	  SYS_pselect6,
	  { V(0), V(0), V(0), V(0), V(&moment), P(OPTIONAL_IN, 16) } },
	{ "mknodat", SYS_mknodat, { CWD, P(STRING, 5), V(S_IFIFO), V(0) } },
	{ "chroot", SYS_chroot, { P(STRING, 5) } },
};

static long descriptors[6];
static char *no_access, *unmapped, *read_only, *edge;

static void set_up(void)
{
	const char *path = tmp_path("file");
	int fds[2];
	char *p;

	write_file(path, "some bytes to read", 18);
	CHECK_OK(pipe(fds));
	descriptors[NULL_FD - NULL_FD] = CHECK_OK(open("/dev/null", O_RDWR));
	descriptors[ZERO_FD - NULL_FD] = CHECK_OK(open("/dev/zero", O_RDONLY));
	descriptors[PIPE_IN - NULL_FD] = fds[0];
	descriptors[PIPE_OUT - NULL_FD] = fds[1];
	descriptors[DIR_FD - NULL_FD] = CHECK_OK(open("/", O_RDONLY | O_DIRECTORY));
	descriptors[TMP_FD - NULL_FD] = CHECK_OK(open(path, O_RDWR));
	CHECK_OK(unlink(path));
	p = map_anon(8 * PAGE_SIZE);
	no_access = p + PAGE_SIZE;
	read_only = p + 3 * PAGE_SIZE;
	edge = p + 6 * PAGE_SIZE;
	unmapped = p + 6 * PAGE_SIZE;
	CHECK_OK(mprotect(no_access, PAGE_SIZE, PROT_NONE));
	CHECK_OK(mprotect(read_only, PAGE_SIZE, PROT_READ));
	CHECK_OK(munmap(unmapped, 2 * PAGE_SIZE));
}

/* Make the call with argument number bad replaced by address; it must be refused. */
static void try_address(const struct call *call, int bad, unsigned long address)
{
	long args[6], result;

	for (int i = 0; i < 6; i++) {
		args[i] = call->args[i].value;
		if (args[i] >= NULL_FD && args[i] <= TMP_FD)
			args[i] = descriptors[args[i] - NULL_FD];
	}
	args[bad] = address;
	result = raw_syscall(call->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (result == -ENOSYS && on_ravel())
		return;
	if (result != -EFAULT)
		test_fail(__FILE__, __LINE__, "expected -EFAULT, got %ld (%s, argument %d = 0x%lx)",
			  result, call->name, bad, address);
}

static void try_pointer(const struct call *call, int bad)
{
	const struct argument *arg = &call->args[bad];
	const unsigned long addresses[] = {
		1,    0xff8,	 0xfff8,   KERNEL_ADDRESS,	     -1UL,
		-8UL, 1UL << 63, USER_TOP, (unsigned long)no_access, (unsigned long)unmapped,
	};

	if (arg->kind != OPTIONAL_IN && arg->kind != OPTIONAL_OUT)
		try_address(call, bad, 0);
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		try_address(call, bad, addresses[i]);
	if (arg->kind == OUT || arg->kind == OPTIONAL_OUT)
		try_address(call, bad, (unsigned long)read_only);
	memcpy(edge - 4, "/tmp", 4);
	if (arg->size > 4)
		try_address(call, bad, (unsigned long)edge - 4);
}

TEST(every_pointer_of_every_call)
{
	set_up();
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		for (int bad = 0; bad < 6; bad++)
			if (calls[i].args[bad].kind != VALUE)
				try_pointer(&calls[i], bad);
}

TEST(reads_and_writes_across_the_edge_are_short_or_efault)
{
	long n;

	set_up();
	n = raw_syscall(SYS_read, descriptors[ZERO_FD - NULL_FD], (long)edge - 100, 200, 0, 0, 0);
	CHECK(n == -EFAULT || n == 100);
	n = raw_syscall(SYS_write, descriptors[PIPE_OUT - NULL_FD], (long)edge - 100, 200, 0, 0, 0);
	CHECK(n == -EFAULT || n == 100);
	n = raw_syscall(SYS_pread64, descriptors[TMP_FD - NULL_FD], (long)edge - 10, 18, 0, 0, 0);
	CHECK(n == -EFAULT || n == 10);
}

TEST(wait_statuses)
{
	const unsigned long addresses[] = { 0xfff8, KERNEL_ADDRESS, USER_TOP };

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		pid_t pid = CHECK_OK(fork());

		if (pid == 0)
			_exit(0);
		CHECK_EQ(raw_syscall(SYS_wait4, pid, addresses[i], 0, 0, 0, 0), -EFAULT);
	}
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		pid_t pid = CHECK_OK(fork());

		if (pid == 0)
			_exit(0);
		CHECK_EQ(raw_syscall(SYS_waitid, P_PID, pid, addresses[i], WEXITED, 0, 0), -EFAULT);
	}
}

TEST(vectors)
{
	struct iovec iov[2] = { { buffer, 4 }, { (void *)KERNEL_ADDRESS, 4 } };
	long n;

	set_up();
	n = raw_syscall(SYS_writev, descriptors[PIPE_OUT - NULL_FD], (long)iov, 2, 0, 0, 0);
	CHECK(n == -EFAULT || n == 4);
	iov[0].iov_base = no_access;
	iov[1].iov_base = buffer;
	n = raw_syscall(SYS_writev, descriptors[PIPE_OUT - NULL_FD], (long)iov, 2, 0, 0, 0);
	CHECK_EQ(n, -EFAULT);
	n = raw_syscall(SYS_readv, descriptors[ZERO_FD - NULL_FD], (long)iov, 1, 0, 0, 0);
	CHECK_EQ(n, -EFAULT);
	CHECK_EQ(raw_syscall(SYS_readv, descriptors[ZERO_FD - NULL_FD], (long)iov, -1, 0, 0, 0),
		 -EINVAL);
	CHECK_EQ(raw_syscall(SYS_readv, descriptors[ZERO_FD - NULL_FD], (long)iov, 1025, 0, 0, 0),
		 -EINVAL);
}

TEST(execve_vectors)
{
	char *good[] = { "x", NULL }, *bad[] = { "x", (char *)KERNEL_ADDRESS, NULL };
	const char *path = self_path();

	set_up();
	CHECK_EQ(raw_syscall(SYS_execve, (long)path, KERNEL_ADDRESS, 0, 0, 0, 0), -EFAULT);
	CHECK_EQ(raw_syscall(SYS_execve, (long)path, 0xfff8, 0, 0, 0, 0), -EFAULT);
	CHECK_EQ(raw_syscall(SYS_execve, (long)path, (long)good, (long)unmapped, 0, 0, 0), -EFAULT);
	CHECK_EQ(raw_syscall(SYS_execve, (long)path, (long)bad, 0, 0, 0, 0), -EFAULT);
	CHECK_EQ(raw_syscall(SYS_execve, (long)path, (long)good, (long)bad, 0, 0, 0), -EFAULT);
	((char **)edge)[-1] = "no end";
	CHECK_EQ(raw_syscall(SYS_execve, (long)path, (long)edge - 8, 0, 0, 0, 0), -EFAULT);
}

/* The thread ids that clone and exit store are best effort: a bad address is passed over. */
TEST(clone_and_exit_store_to_bad_addresses)
{
	const long flags =
		CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
	const long addresses[] = { 0, 0xfff8, KERNEL_ADDRESS, USER_TOP, -1 };

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		long bad = addresses[i], pid = raw_syscall(SYS_clone, flags, 0, bad, bad, bad, 0);

		if (pid == 0) {
			raw_syscall(SYS_set_tid_address, bad, 0, 0, 0, 0, 0);
			raw_syscall(SYS_exit_group, 4, 0, 0, 0, 0, 0);
		}
		CHECK(pid > 0 || pid == -EFAULT);
		if (pid > 0)
			CHECK_EXIT(pid, 4);
	}
}

/* Every number, with garbage everywhere, in a child that may end as it likes but must end. */
TEST(every_number_with_garbage)
{
	static const unsigned long garbage[] = { KERNEL_ADDRESS, 0xfff8, USER_TOP - 8 };

	if (!on_ravel())
		SKIP("the host is not to be tried with random calls");
	for (long nr = 0; nr < 460; nr++) {
		unsigned long g = garbage[nr % ARRAY_LEN(garbage)];
		uint64_t end = test_now() + 5000000000ULL;
		pid_t pid = CHECK_OK(fork());
		int status;

		if (pid == 0) {
			raw_syscall(nr, g, g, g, g, g, g);
			raw_syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0);
		}
		while (waitpid(pid, &status, WNOHANG) == 0) {
			if (test_now() > end)
				kill(pid, SIGKILL);
			test_pause(1);
		}
		test_progress();
	}
}
