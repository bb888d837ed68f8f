/*
 * locks.c - advisory locks: fcntl's of processes and of open files, flock, /proc/locks.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "usr/lib/testutil.h"

#define BYTES 40 /* of the file that models are compared on */

static struct flock region(int type, off_t start, off_t len)
{
	return (struct flock){ .l_type = type, .l_start = start, .l_len = len };
}

static int set(int fd, int type, off_t start, off_t len)
{
	struct flock lock = region(type, start, len);

	return fcntl(fd, F_SETLK, &lock);
}

static int ofd_set(int fd, int type, off_t start, off_t len)
{
	struct flock lock = region(type, start, len);

	return fcntl(fd, F_OFD_SETLK, &lock);
}

/* A new file that is open and has no name. */
static const char *file_name;

static int open_again(void)
{
	return CHECK_OK(open(file_name, O_RDWR));
}

static int new_file(void)
{
	file_name = tmp_path("locked");
	unlink(file_name);
	return CHECK_OK(open(file_name, O_RDWR | O_CREAT | O_EXCL, 0644));
}

static void end_file(void)
{
	CHECK_OK(unlink(file_name));
}

/* For each byte what another process sees there: 'r', 'w' or '-'. */
static void look(int fd, char *map, int nr)
{
	int fds[2];
	pid_t pid;

	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		for (int i = 0; i < nr; i++) {
			struct flock lock = region(F_WRLCK, i, 1);

			CHECK_OK(fcntl(fd, F_GETLK, &lock));
			map[i] = lock.l_type == F_UNLCK ? '-' : lock.l_type == F_RDLCK ? 'r' : 'w';
		}
		_exit(write(fds[1], map, nr) == nr ? 0 : 1);
	}
	close(fds[1]); /* a child that has failed is the end of the pipe, not a wait for ever */
	CHECK_EQ(read(fds[0], map, nr), nr);
	map[nr] = 0;
	CHECK_EXIT(pid, 0);
	close(fds[0]);
}

static void check_map(int fd, const char *expected)
{
	char map[BYTES + 1];

	look(fd, map, strlen(expected));
	CHECK_STRING(map, expected);
}

TEST(a_lock_keeps_other_processes_out)
{
	int fd = new_file();

	CHECK_OK(set(fd, F_WRLCK, 10, 5));
	CHECK_OK(set(fd, F_WRLCK, 12, 1)); /* our own is never in the way */
	CHECK_CHILD({
		struct flock lock = region(F_RDLCK, 0, 0);

		CHECK_ERRNO(set(fd, F_WRLCK, 14, 1), EAGAIN);
		CHECK_ERRNO(set(fd, F_RDLCK, 14, 1), EAGAIN);
		CHECK_OK(set(fd, F_WRLCK, 15, 1));
		CHECK_OK(set(fd, F_WRLCK, 0, 10));
		CHECK_OK(fcntl(fd, F_GETLK, &lock));
		CHECK_EQ(lock.l_type, F_WRLCK);
		CHECK_EQ(lock.l_start, 10);
		CHECK_EQ(lock.l_len, 5);
		CHECK_EQ(lock.l_whence, SEEK_SET);
		CHECK_EQ(lock.l_pid, getppid());
	});
	end_file();
}

TEST(readers_share)
{
	int fd = new_file();

	CHECK_OK(set(fd, F_RDLCK, 0, 0));
	CHECK_CHILD({
		CHECK_OK(set(fd, F_RDLCK, 5, 5));
		CHECK_ERRNO(set(fd, F_WRLCK, 100, 1), EAGAIN);
	});
	end_file();
}

TEST(locks_split_merge_and_change)
{
	int fd = new_file();

	CHECK_OK(set(fd, F_WRLCK, 2, 10));
	check_map(fd, "--wwwwwwwwww--");
	CHECK_OK(set(fd, F_UNLCK, 5, 2));
	check_map(fd, "--www--wwwww--");
	CHECK_OK(set(fd, F_RDLCK, 8, 2));
	check_map(fd, "--www--wrrww--");
	CHECK_OK(set(fd, F_WRLCK, 3, 6));
	check_map(fd, "--wwwwwwwrww--");
	CHECK_OK(set(fd, F_RDLCK, 0, 0));
	check_map(fd, "rrrrrrrrrrrrrr");
	CHECK_OK(set(fd, F_UNLCK, 1, 0));
	check_map(fd, "r-------------");
	CHECK_OK(set(fd, F_UNLCK, 0, 0));
	check_map(fd, "--------------");
	end_file();
}

TEST(ranges_are_read_as_fcntl_says)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 2, .l_len = 2 };
	int fd = new_file();

	CHECK_OK(ftruncate(fd, 10));
	CHECK_OK(lseek(fd, 1, SEEK_SET));
	CHECK_OK(fcntl(fd, F_SETLK, &lock));
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -1 };
	CHECK_OK(fcntl(fd, F_SETLK, &lock));
	check_map(fd, "---ww----www");
	CHECK_OK(set(fd, F_UNLCK, 0, 0));
	CHECK_OK(set(fd, F_WRLCK, 5, -3));
	check_map(fd, "--www---");
	CHECK_ERRNO(set(fd, F_WRLCK, 2, -3), EINVAL);
	CHECK_ERRNO(set(fd, F_WRLCK, -1, 1), EINVAL);
	CHECK_OK(set(fd, F_WRLCK, 0x7fffffffffffffff, 1));
	CHECK_ERRNO(set(fd, F_WRLCK, 0x7fffffffffffffff, 2), EOVERFLOW);
	CHECK_ERRNO(set(fd, 3, 0, 1), EINVAL);
	lock.l_whence = 3;
	CHECK_ERRNO(fcntl(fd, F_SETLK, &lock), EINVAL);
	lock = region(F_UNLCK, 0, 0);
	CHECK_ERRNO(fcntl(fd, F_GETLK, &lock), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_SETLK, (void *)8), EFAULT);
	CHECK_ERRNO(set(-1, F_WRLCK, 0, 1), EBADF);
	end_file();
}

TEST(the_descriptor_must_allow_it)
{
	int rd, wr;

	close(new_file());
	rd = CHECK_OK(open(file_name, O_RDONLY));
	wr = CHECK_OK(open(file_name, O_WRONLY));
	CHECK_ERRNO(set(rd, F_WRLCK, 0, 1), EBADF);
	CHECK_ERRNO(set(wr, F_RDLCK, 0, 1), EBADF);
	CHECK_OK(set(rd, F_RDLCK, 0, 1));
	CHECK_OK(set(wr, F_WRLCK, 0, 1));
	CHECK_OK(flock(rd, LOCK_EX));
	end_file();
}

TEST(touching_locks_become_one)
{
	int fd = new_file();

	CHECK_OK(set(fd, F_WRLCK, 0, 10));
	CHECK_OK(set(fd, F_WRLCK, 20, 10));
	CHECK_OK(set(fd, F_WRLCK, 10, 10));
	CHECK_CHILD({
		struct flock lock = region(F_RDLCK, 0, 0);

		CHECK_OK(fcntl(fd, F_GETLK, &lock));
		CHECK_EQ(lock.l_start, 0);
		CHECK_EQ(lock.l_len, 30);
	});
	end_file();
}

TEST(any_close_releases_a_process_lock)
{
	int fd = new_file(), other = open_again();

	CHECK_OK(set(fd, F_WRLCK, 0, 5));
	check_map(fd, "wwwww-");
	close(other);
	check_map(fd, "------");
	CHECK_OK(set(fd, F_WRLCK, 0, 5));
	other = open_again();
	CHECK_OK(dup2(0, other));
	check_map(fd, "------");
	end_file();
}

TEST(the_end_of_the_process_releases_it)
{
	int fd = new_file();

	CHECK_CHILD({ CHECK_OK(set(fd, F_WRLCK, 0, 5)); });
	check_map(fd, "------");
	end_file();
}

TEST(fork_does_not_inherit_process_locks)
{
	int fd = new_file();

	CHECK_OK(set(fd, F_WRLCK, 0, 5));
	CHECK_CHILD({
		CHECK_ERRNO(set(fd, F_WRLCK, 0, 1), EAGAIN);
		CHECK_OK(set(fd, F_UNLCK, 0, 0)); /* nothing of ours: fine */
		close(fd);
	});
	check_map(fd, "wwwww-");
	end_file();
}

CHILD(locked_still)
{
	int fd = atoi(argv[2]);

	check_map(fd, "www-");
	exit(0);
}

TEST(exec_keeps_process_locks)
{
	char number[16];
	int fd = new_file();

	snprintf(number, sizeof(number), "%d", fd);
	CHECK_CHILD({
		CHECK_OK(set(fd, F_WRLCK, 0, 3));
		execl(self_path(), self_path(), "--child=locked_still", number, NULL);
		CHECK(false);
	});
	end_file();
}

/* True while @pid sleeps; one that has ended is a failure. */
static bool sleeps(pid_t pid)
{
	char path[40], text[512], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	CHECK(read_text(path, text, sizeof(text)) > 0);
	p = strrchr(text, ')');
	CHECK(p && p[2] != 'Z');
	return p[2] == 'S';
}

/* Runs @what in a process that shares our descriptors, but not our memory. */
static void with_same_table(void (*what)(int fd), int fd)
{
	long pid = raw_syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0, 0);

	CHECK(pid >= 0);
	if (pid == 0) {
		what(fd);
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
}

static void change_first_byte(int fd)
{
	CHECK_OK(set(fd, F_RDLCK, 0, 1));
}

static void close_it(int fd)
{
	CHECK_OK(close(fd));
}

TEST(who_shares_the_table_shares_its_locks)
{
	int fd = new_file(), other = open_again();

	CHECK_OK(set(fd, F_WRLCK, 0, 5));
	with_same_table(change_first_byte, fd);
	check_map(fd, "rwwww-"); /* the end of one of two users releases nothing */
	with_same_table(close_it, other);
	check_map(fd, "------");
	end_file();
}

/* The children tell by a pipe that they have their lock. */
static void tell(int fd)
{
	CHECK_EQ(write(fd, "x", 1), 1);
}

/* Both ends of the pipe are closed: the child's end without a word is the end of the wait. */
static void hear(int *fds)
{
	char byte;

	close(fds[1]);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	close(fds[0]);
}

TEST(a_longer_circle_is_edeadlk)
{
	int fd = new_file(), fds[2];
	pid_t pids[3];

	CHECK_OK(set(fd, F_WRLCK, 0, 1));
	for (int i = 1; i <= 3; i++) {
		CHECK_OK(pipe(fds));
		pids[i - 1] = CHECK_OK(fork());
		if (pids[i - 1] == 0) {
			struct flock next = region(F_WRLCK, i - 1, 1);

			CHECK_OK(set(fd, F_WRLCK, i, 1));
			tell(fds[1]);
			CHECK_OK(fcntl(fd, F_SETLKW, &next));
			_exit(0);
		}
		hear(fds);
		WAIT_UNTIL(sleeps(pids[i - 1]));
	}
	{
		struct flock last = region(F_WRLCK, 3, 1);

		CHECK_ERRNO(fcntl(fd, F_SETLKW, &last), EDEADLK);
	}
	CHECK_OK(set(fd, F_UNLCK, 0, 0));
	for (int i = 0; i < 3; i++)
		CHECK_EXIT(pids[i], 0);
	end_file();
}

/* True once somebody waits for a lock on @fd's file. */
static bool has_waiter(int fd)
{
	char text[8192], inode[32], *line;
	struct stat st;

	CHECK_OK(fstat(fd, &st));
	snprintf(inode, sizeof(inode), ":%lu ", (unsigned long)st.st_ino);
	CHECK(read_text("/proc/locks", text, sizeof(text)) >= 0);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "-> ") && strstr(line, inode))
			return true;
	return false;
}

TEST(a_wait_ends_when_the_holder_closes_the_file)
{
	struct flock lock = region(F_WRLCK, 0, 1);
	int fd = new_file(), other = open_again();
	pid_t pid;

	CHECK_OK(set(fd, F_WRLCK, 0, 5));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(fcntl(fd, F_SETLKW, &lock));
		_exit(0);
	}
	WAIT_UNTIL(has_waiter(fd));
	CHECK_OK(close(other));
	CHECK_EXIT(pid, 0);
	end_file();
}

TEST(a_wait_ends_when_the_lock_goes)
{
	struct flock lock = region(F_WRLCK, 0, 1);
	int fd = new_file(), fds[2];
	pid_t pid;

	CHECK_OK(pipe(fds));
	CHECK_OK(set(fd, F_WRLCK, 0, 5));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(fcntl(fd, F_SETLKW, &lock));
		tell(fds[1]);
		_exit(0);
	}
	WAIT_UNTIL(has_waiter(fd));
	CHECK_OK(set(fd, F_UNLCK, 3, 2)); /* not enough */
	WAIT_UNTIL(has_waiter(fd));
	CHECK_OK(set(fd, F_UNLCK, 0, 1));
	hear(fds);
	CHECK_EXIT(pid, 0);
	end_file();
}

/* A signal that kills: Ravel runs no handlers yet. */
TEST(a_signal_ends_the_wait)
{
	struct flock lock = region(F_WRLCK, 0, 0);
	int fd = new_file();
	pid_t pid;

	CHECK_OK(set(fd, F_WRLCK, 0, 5));
	for (int use_flock = 0; use_flock < 2; use_flock++) {
		CHECK_OK(flock(fd, LOCK_EX));
		pid = CHECK_OK(fork());
		if (pid == 0) {
			if (use_flock)
				flock(open_again(), LOCK_SH);
			else
				fcntl(fd, F_SETLKW, &lock);
			_exit(1);
		}
		WAIT_UNTIL(has_waiter(fd));
		CHECK_OK(kill(pid, SIGTERM));
		test_check_signal(__FILE__, __LINE__, pid, SIGTERM);
		CHECK(!has_waiter(fd));
	}
	end_file();
}

TEST(a_circle_of_waits_is_edeadlk)
{
	struct flock lock = region(F_WRLCK, 0, 1);
	int fd = new_file(), fds[2];
	pid_t pid;

	CHECK_OK(pipe(fds));
	CHECK_OK(set(fd, F_WRLCK, 0, 1));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(set(fd, F_WRLCK, 1, 1));
		tell(fds[1]);
		CHECK_OK(fcntl(fd, F_SETLKW, &lock));
		_exit(0);
	}
	hear(fds);
	WAIT_UNTIL(has_waiter(fd));
	lock.l_start = 1;
	CHECK_ERRNO(fcntl(fd, F_SETLKW, &lock), EDEADLK);
	CHECK_OK(set(fd, F_UNLCK, 0, 1));
	CHECK_EXIT(pid, 0);
	end_file();
}

TEST(locks_of_open_files)
{
	int fd = new_file(), other = open_again(), copy = CHECK_OK(dup(fd));
	struct flock lock = region(F_RDLCK, 0, 0);

	CHECK_OK(ofd_set(fd, F_WRLCK, 0, 5));
	CHECK_ERRNO(ofd_set(other, F_RDLCK, 4, 1), EAGAIN);
	CHECK_ERRNO(set(other, F_RDLCK, 4, 1), EAGAIN);
	CHECK_OK(ofd_set(copy, F_WRLCK, 4, 1));
	CHECK_OK(fcntl(other, F_OFD_GETLK, &lock));
	CHECK_EQ(lock.l_type, F_WRLCK);
	CHECK_EQ(lock.l_pid, -1);
	lock = region(F_RDLCK, 0, 0);
	lock.l_pid = 1;
	CHECK_ERRNO(fcntl(other, F_OFD_SETLK, &lock), EINVAL);
	close(copy);
	CHECK_ERRNO(ofd_set(other, F_RDLCK, 4, 1), EAGAIN);
	CHECK_CHILD({ CHECK_OK(ofd_set(fd, F_WRLCK, 7, 1)); }); /* fork shares the open file */
	CHECK_ERRNO(ofd_set(other, F_RDLCK, 7, 1), EAGAIN);
	close(fd);
	CHECK_OK(ofd_set(other, F_RDLCK, 0, 0));
	end_file();
}

TEST(flock_shares_and_excludes)
{
	int a = new_file(), b = open_again(), c = CHECK_OK(dup(a));

	CHECK_OK(flock(a, LOCK_SH));
	CHECK_OK(flock(b, LOCK_SH | LOCK_NB));
	CHECK_ERRNO(flock(a, LOCK_EX | LOCK_NB), EAGAIN);
	/* The try has cost a its own lock: so b is alone now. */
	CHECK_OK(flock(b, LOCK_EX | LOCK_NB));
	CHECK_ERRNO(flock(a, LOCK_SH | LOCK_NB), EAGAIN);
	CHECK_OK(flock(b, LOCK_UN));
	CHECK_OK(flock(c, LOCK_EX | LOCK_NB));
	CHECK_OK(flock(a, LOCK_SH | LOCK_NB)); /* the same open file: changed */
	CHECK_OK(flock(b, LOCK_SH | LOCK_NB));
	CHECK_ERRNO(flock(a, 0), EINVAL);
	CHECK_ERRNO(flock(a, LOCK_SH | LOCK_EX), EINVAL);
	CHECK_ERRNO(flock(-1, LOCK_SH), EBADF);
	end_file();
}

TEST(flock_goes_with_the_open_file)
{
	int a = new_file(), b = open_again(), c = CHECK_OK(dup(a));

	CHECK_OK(flock(a, LOCK_EX));
	close(open_again());
	CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
	close(a);
	CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EAGAIN);
	CHECK_CHILD({ CHECK_OK(flock(c, LOCK_UN)); });
	CHECK_OK(flock(b, LOCK_EX | LOCK_NB));
	close(b);
	b = open_again();
	CHECK_OK(flock(b, LOCK_EX | LOCK_NB));
	end_file();
}

TEST(flock_and_fcntl_do_not_meet)
{
	int a = new_file(), b = open_again();

	CHECK_OK(flock(a, LOCK_EX));
	CHECK_OK(ofd_set(b, F_WRLCK, 0, 0));
	CHECK_OK(ofd_set(b, F_UNLCK, 0, 0));
	CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EAGAIN);
	end_file();
}

TEST(flock_waits_in_line)
{
	int a = new_file();
	pid_t pids[4];

	for (int i = 0; i < 4; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			int fd = open_again();

			for (int n = 0; n < 50; n++) {
				char old = 0, byte;

				CHECK_OK(flock(fd, LOCK_EX));
				CHECK_OK(pread(fd, &old, 1, 0));
				byte = old + 1;
				CHECK_EQ(pwrite(fd, &byte, 1, 0), 1);
				CHECK_OK(flock(fd, LOCK_UN));
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		CHECK_EXIT(pids[i], 0);
	{
		unsigned char byte;

		CHECK_EQ(pread(a, &byte, 1, 0), 1);
		CHECK_EQ(byte, 200);
	}
	end_file();
}

TEST(proc_locks_tells)
{
	char text[8192], expected[128];
	int fd = new_file();
	struct stat st;

	CHECK_OK(fstat(fd, &st));
	CHECK_OK(set(fd, F_WRLCK, 3, 4));
	CHECK_OK(flock(fd, LOCK_SH));
	CHECK(read_text("/proc/locks", text, sizeof(text)) > 0);
	snprintf(expected, sizeof(expected), ": POSIX  ADVISORY  WRITE %d ", getpid());
	CHECK(strstr(text, expected));
	snprintf(expected, sizeof(expected), ":%lu 3 6\n", (unsigned long)st.st_ino);
	CHECK(strstr(text, expected));
	snprintf(expected, sizeof(expected), ": FLOCK  ADVISORY  READ %d ", getpid());
	CHECK(strstr(text, expected));
	snprintf(expected, sizeof(expected), ":%lu 0 EOF\n", (unsigned long)st.st_ino);
	CHECK(strstr(text, expected));
	end_file();
}

/* ---- against a model: what each of three open files has of each byte ---- */

#define OWNERS 3

static char model[OWNERS][BYTES];

static bool model_refuses(int owner, int type, int start, int end)
{
	for (int other = 0; other < OWNERS; other++)
		for (int i = start; i < end && other != owner; i++)
			if (model[other][i] == 'w' || (type == F_WRLCK && model[other][i] == 'r'))
				return true;
	return false;
}

static void model_look(int fd)
{
	for (int i = 0; i < BYTES; i++) {
		struct flock write = region(F_WRLCK, i, 1), read = region(F_RDLCK, i, 1);
		bool any = false, excl = false;

		for (int owner = 0; owner < OWNERS; owner++) {
			any |= model[owner][i] != 0;
			excl |= model[owner][i] == 'w';
		}
		CHECK_OK(fcntl(fd, F_OFD_GETLK, &write));
		CHECK_OK(fcntl(fd, F_OFD_GETLK, &read));
		CHECK_EQ(write.l_type != F_UNLCK, any);
		CHECK_EQ(read.l_type != F_UNLCK, excl);
	}
}

TEST(random_locks_against_a_model)
{
	int fds[OWNERS], looker = new_file();

	memset(model, 0, sizeof(model));
	for (int owner = 0; owner < OWNERS; owner++)
		fds[owner] = open_again();
	for (int n = 0; n < 1500; n++) {
		int owner = test_random_below(OWNERS), type = test_random_below(3);
		int start = test_random_below(BYTES);
		int end = start + 1 + test_random_below(BYTES - start);
		bool refused = type != F_UNLCK && model_refuses(owner, type, start, end);
		int ret = ofd_set(fds[owner], type, start, end - start);

		CHECK_EQ(ret, refused ? -1 : 0);
		if (!refused)
			memset(&model[owner][start],
			       type == F_UNLCK ? 0 :
			       type == F_RDLCK ? 'r' :
						 'w',
			       end - start);
		if (n % 50 == 0)
			model_look(looker);
	}
	model_look(looker);
	end_file();
}
