/*
 * fds.c - descriptors: O_PATH, O_TMPFILE, dup3, close_range, /proc/self/fd, statx, pselect.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "usr/lib/testutil.h"

static const char *link_of(int fd)
{
	static char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

TEST(o_path_is_a_place)
{
	struct pollfd one = { .events = POLLIN };
	int fd = CHECK_OK(open(data_path("small"), O_PATH)), copy;
	struct stat st, here;
	char byte;

	CHECK_OK(fstat(fd, &st));
	CHECK_OK(stat(data_path("small"), &here));
	CHECK_EQ(st.st_ino, here.st_ino);
	CHECK_ERRNO(read(fd, &byte, 1), EBADF);
	CHECK_ERRNO(write(fd, &byte, 1), EBADF);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
	CHECK_ERRNO(fchmod(fd, 0600), EBADF);
	CHECK_ERRNO(fchown(fd, 0, 0), EBADF);
	CHECK_ERRNO(ioctl(fd, FIONREAD, &copy), EBADF);
	CHECK_ERRNO(ftruncate(fd, 0), EBADF);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EBADF);
	one.fd = fd;
	CHECK_EQ(poll(&one, 1, 0), 1);
	CHECK_EQ(one.revents, POLLNVAL);
	copy = CHECK_OK(fcntl(fd, F_DUPFD_CLOEXEC, 50));
	CHECK_EQ(copy, 50);
	CHECK_EQ(fcntl(copy, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	CHECK_ERRNO(fcntl(fd, F_SETFL, 0), EBADF);
	CHECK_OK(dup3(fd, 51, 0));
	fd = CHECK_OK(open(link_of(51), O_RDONLY)); /* the way to the file itself */
	CHECK_EQ(read(fd, &byte, 1), 1);
}

TEST(o_path_of_directories_and_links)
{
	const char *name = tmp_path("link");
	struct stat st;
	char text[16] = "";
	int dir = CHECK_OK(open("/", O_PATH | O_DIRECTORY)), fd;

	CHECK_OK(fstatat(dir, "proc", &st, 0));
	close(CHECK_OK(openat(dir, "tmp", O_RDONLY)));
	CHECK_ERRNO(open(data_path("small"), O_PATH | O_DIRECTORY), ENOTDIR);
	CHECK_OK(fchdir(dir));
	CHECK_OK(symlink("target", name));
	CHECK_ERRNO(open(name, O_PATH), ENOENT);
	CHECK_ERRNO(open(name, O_RDONLY | O_NOFOLLOW), ELOOP);
	fd = CHECK_OK(open(name, O_PATH | O_NOFOLLOW));
	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(readlinkat(fd, "", text, sizeof(text)), 6);
	CHECK_STRING(text, "target");
	CHECK_ERRNO(readlinkat(dir, "", text, sizeof(text)), ENOENT);
	CHECK_ERRNO(readlink("", text, sizeof(text)), ENOENT);
	CHECK_OK(unlink(name));
}

TEST(o_path_asks_no_permission)
{
	const char *name = tmp_path("private");

	close(CHECK_OK(open(name, O_WRONLY | O_CREAT, 0600)));
	CHECK_CHILD({
		int fd;

		CHECK_OK(setuid(1000));
		CHECK_ERRNO(open(name, O_RDONLY), EACCES);
		fd = CHECK_OK(open(name, O_PATH));
		CHECK_ERRNO(open(link_of(fd), O_RDONLY), EACCES);
	});
	CHECK_OK(unlink(name));
}

TEST(files_without_a_name)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0640), again;
	struct stat st;
	char text[8] = "";

	if (fd < 0 && errno == EOPNOTSUPP && !on_ravel())
		SKIP("this file system has none");
	CHECK_OK(fd);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(st.st_mode, S_IFREG | (0640 & ~umask(022)));
	CHECK_EQ(write(fd, "hello", 5), 5);
	CHECK_EQ(pread(fd, text, 8, 0), 5);
	CHECK_STRING(text, "hello");
	again = CHECK_OK(open(link_of(fd), O_RDONLY));
	CHECK_EQ(read(again, text, 8), 5);
	CHECK_ERRNO(open("/tmp", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	CHECK_ERRNO(open("/tmp/none", O_TMPFILE | O_RDWR, 0600), ENOENT);
	CHECK_ERRNO(open(data_path("small"), O_TMPFILE | O_RDWR, 0600), ENOTDIR);
}

TEST(proc_links_lead_to_the_file)
{
	const char *name = tmp_path("gone");
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_EXCL, 0600)), again, fds[2];
	char text[64] = "";

	CHECK_EQ(write(fd, "alive", 5), 5);
	CHECK_OK(unlink(name));
	again = CHECK_OK(open(link_of(fd), O_RDONLY));
	CHECK_EQ(read(again, text, 8), 5);
	again = CHECK_OK(open(link_of(fd), O_WRONLY | O_CREAT | O_TRUNC, 0600));
	CHECK_EQ(pread(fd, text, 8, 0), 0);
	CHECK_ERRNO(open(link_of(fd), O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_ERRNO(open(link_of(1000), O_RDONLY), ENOENT);
	fd = CHECK_OK(open("/", O_RDONLY));
	snprintf(text, sizeof(text), "%s/proc/self/stat", link_of(fd));
	close(CHECK_OK(open(text, O_RDONLY)));

	CHECK_OK(pipe(fds));
	again = CHECK_OK(open(link_of(fds[1]), O_WRONLY));
	CHECK_EQ(write(again, "x", 1), 1);
	close(fds[1]);
	close(again);
	again = CHECK_OK(open(link_of(fds[0]), O_RDONLY)); /* does not wait for a writer */
	CHECK_EQ(read(again, text, 8), 1);
	CHECK_EQ(read(again, text, 8), 0);
	CHECK(readlink(link_of(again), text, sizeof(text)) > 5);
	CHECK_EQ(strncmp(text, "pipe:[", 6), 0);
}

TEST(copies_of_descriptors)
{
	int fd = CHECK_OK(open("/", O_RDONLY));

	CHECK_EQ(dup3(fd, 40, O_CLOEXEC), 40);
	CHECK_EQ(fcntl(40, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(dup3(fd, fd, 0), EINVAL);
	CHECK_ERRNO(dup3(fd, 41, O_APPEND), EINVAL);
	CHECK_ERRNO(dup3(41, 42, 0), EBADF);
	CHECK_ERRNO(dup3(fd, -1, 0), EBADF);
	CHECK_EQ(dup2(fd, fd), fd);
	CHECK_ERRNO(dup2(41, 41), EBADF);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, -1), EINVAL);
	CHECK_ERRNO(fcntl(fd, 9999, 0), EINVAL);
	CHECK_CHILD({
		struct rlimit none = { 0, 0 };
		int fds[2];

		CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
		CHECK_ERRNO(pipe(fds), EMFILE);
		CHECK_ERRNO(dup(0), EMFILE);
		CHECK_ERRNO(dup2(0, 1), EBADF);
		CHECK_ERRNO(open("/", O_RDONLY), EMFILE);
	});
}

TEST(flags_of_open_files)
{
	const char *name = tmp_path("flags");
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_EXCL, 0600));

	CHECK_EQ(write(fd, "ab", 2), 2);
	CHECK_OK(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE),
		 O_APPEND | O_NONBLOCK | O_RDWR);
	CHECK_OK(lseek(fd, 0, SEEK_SET));
	CHECK_EQ(write(fd, "cd", 2), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
	CHECK_OK(fcntl(fd, F_SETFL, O_WRONLY)); /* the mode stays */
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_APPEND | O_ACCMODE), O_RDWR);
	CHECK_OK(unlink(name));
}

TEST(ranges_of_descriptors)
{
	for (int i = 30; i < 40; i++)
		CHECK_EQ(dup2(0, i), i);
	CHECK_EQ(raw_syscall(436, 32, 34, 0, 0, 0, 0), 0);
	CHECK_OK(fcntl(31, F_GETFD));
	CHECK_ERRNO(fcntl(32, F_GETFD), EBADF);
	CHECK_ERRNO(fcntl(34, F_GETFD), EBADF);
	CHECK_EQ(fcntl(35, F_GETFD), 0);
	CHECK_EQ(raw_syscall(436, 36, 37, 4, 0, 0, 0), 0); /* CLOSE_RANGE_CLOEXEC */
	CHECK_EQ(fcntl(35, F_GETFD), 0);
	CHECK_EQ(fcntl(36, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(38, F_GETFD), 0);
	CHECK_EQ(raw_syscall(436, 30, ~0U, 0, 0, 0, 0), 0);
	CHECK_ERRNO(fcntl(39, F_GETFD), EBADF);
	CHECK_EQ(raw_syscall(436, 5, 4, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(raw_syscall(436, 5, 6, 64, 0, 0, 0), -EINVAL);
}

TEST(statx_and_stat_agree)
{
	struct statx stx;
	struct stat st;

	CHECK_OK(stat(data_path("small"), &st));
	CHECK_OK(statx(AT_FDCWD, data_path("small"), 0, STATX_BASIC_STATS, &stx));
	CHECK_EQ(stx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
	CHECK_EQ(stx.stx_ino, st.st_ino);
	CHECK_EQ(stx.stx_size, st.st_size);
	CHECK_EQ(stx.stx_mode, st.st_mode);
	CHECK_EQ(stx.stx_mtime.tv_sec, st.st_mtim.tv_sec);
	CHECK_EQ(stx.stx_blocks, st.st_blocks);
	CHECK_OK(statx(AT_FDCWD, "/proc", 0, STATX_BASIC_STATS, &stx));
	CHECK(stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT);
	CHECK(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
	CHECK_OK(statx(AT_FDCWD, "/proc/self", 0, STATX_BASIC_STATS, &stx));
	CHECK(!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT));
	CHECK_ERRNO(statx(AT_FDCWD, "/", 0, 0x80000000U, &stx), EINVAL);
	CHECK_ERRNO(statx(AT_FDCWD, "/", 0x6000, STATX_SIZE, &stx), EINVAL);
	CHECK_ERRNO(statx(AT_FDCWD, "", 0, STATX_SIZE, &stx), ENOENT);
	CHECK_OK(statx(0, "", AT_EMPTY_PATH, STATX_SIZE, &stx));
}

static struct timespec milliseconds(long ms)
{
	return (struct timespec){ .tv_nsec = ms * 1000000 };
}

TEST(select_tells_what_is_ready)
{
	struct timespec none = { 0, 0 };
	fd_set in, out;
	int fds[2];

	CHECK_OK(pipe(fds));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fds[0], &in);
	FD_SET(fds[1], &out);
	CHECK_EQ(pselect(fds[1] + 1, &in, &out, NULL, &none, NULL), 1);
	CHECK(!FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	FD_SET(fds[0], &in);
	CHECK_EQ(pselect(fds[1] + 1, &in, &out, NULL, NULL, NULL), 2);
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	close(fds[1]);
	CHECK_EQ(pselect(fds[0] + 1, &in, NULL, NULL, NULL, NULL), 1);
	CHECK(FD_ISSET(fds[0], &in));
	FD_SET(fds[1], &in);
	CHECK_ERRNO(pselect(fds[1] + 1, &in, NULL, NULL, &none, NULL), EBADF);
	CHECK_ERRNO(pselect(-1, &in, NULL, NULL, &none, NULL), EINVAL);
	none.tv_nsec = -1;
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, &none, NULL), EINVAL);
}

TEST(select_waits)
{
	struct timespec span = milliseconds(20);
	uint64_t start = test_now();
	fd_set in;
	int fds[2];
	pid_t pid;

	CHECK_OK(pipe(fds));
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	CHECK_EQ(pselect(fds[0] + 1, &in, NULL, NULL, &span, NULL), 0);
	CHECK(!FD_ISSET(fds[0], &in));
	CHECK(test_now() - start >= 20000000);
	pid = CHECK_OK(fork());
	if (pid == 0)
		_exit(write(fds[1], "x", 1) == 1 ? 0 : 1);
	FD_SET(fds[0], &in);
	CHECK_EQ(pselect(fds[0] + 1, &in, NULL, NULL, NULL, NULL), 1);
	CHECK(FD_ISSET(fds[0], &in));
	CHECK_EXIT(pid, 0);
}

/* A blocked signal that the call lets in ends it, and ends the process by its default. */
TEST(waits_with_another_mask)
{
	for (int use_poll = 0; use_poll < 2; use_poll++) {
		pid_t pid = CHECK_OK(fork());

		if (pid == 0) {
			sigset_t blocked, none;

			sigemptyset(&none);
			sigemptyset(&blocked);
			sigaddset(&blocked, SIGTERM);
			sigprocmask(SIG_BLOCK, &blocked, NULL);
			raise(SIGTERM);
			if (use_poll)
				ppoll(NULL, 0, NULL, &none);
			else
				pselect(0, NULL, NULL, NULL, NULL, &none);
			_exit(1);
		}
		test_check_signal(__FILE__, __LINE__, pid, SIGTERM);
	}
}
