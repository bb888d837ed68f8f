/*
 * fifo.c - named pipes: who waits for whom at open, and that they are pipes after it; mknod.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "usr/lib/testutil.h"

static const char *name;

static void make(void)
{
	name = tmp_path("fifo");
	unlink(name);
	CHECK_OK(mkfifo(name, 0600));
}

static void end(void)
{
	CHECK_OK(unlink(name));
}

static int open_rw(int flags)
{
	return CHECK_OK(open(name, flags));
}

/* True while @pid sleeps. */
static bool sleeps(pid_t pid)
{
	char path[40], text[512], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	CHECK(read_text(path, text, sizeof(text)) > 0);
	p = strrchr(text, ')');
	return p && p[2] == 'S';
}

TEST(it_is_a_file_with_a_name)
{
	struct stat st;

	make();
	CHECK_OK(stat(name, &st));
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_EQ(st.st_size, 0);
	CHECK_ERRNO(mkfifo(name, 0600), EEXIST);
	CHECK_ERRNO(open(name, O_RDONLY | O_DIRECTORY), ENOTDIR);
	end();
}

TEST(a_reader_waits_for_a_writer)
{
	char text[8] = "";
	pid_t pid;

	make();
	pid = CHECK_OK(fork());
	if (pid == 0) {
		int fd = open_rw(O_RDONLY);

		CHECK_EQ(read(fd, text, sizeof(text)), 5);
		CHECK_STRING(text, "hello");
		CHECK_EQ(read(fd, text, sizeof(text)), 0);
		_exit(0);
	}
	WAIT_UNTIL(sleeps(pid));
	{
		int fd = open_rw(O_WRONLY);

		CHECK_EQ(write(fd, "hello", 5), 5);
		close(fd);
	}
	CHECK_EXIT(pid, 0);
	end();
}

TEST(a_writer_waits_for_a_reader)
{
	char text[8] = "";
	pid_t pid;
	int fd;

	make();
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(write(open_rw(O_WRONLY), "hello", 5), 5);
		_exit(0);
	}
	WAIT_UNTIL(sleeps(pid));
	fd = open_rw(O_RDONLY);
	CHECK_EQ(read(fd, text, sizeof(text)), 5);
	CHECK_STRING(text, "hello");
	CHECK_EXIT(pid, 0);
	end();
}

/* Many times: the other end may be gone again before who waited has looked. */
TEST(short_meetings_are_not_missed)
{
	make();
	for (int i = 0; i < 100; i++) {
		pid_t pid = CHECK_OK(fork());

		if (pid == 0) {
			close(open_rw(O_WRONLY));
			_exit(0);
		}
		close(open_rw(O_RDONLY));
		CHECK_EXIT(pid, 0);
	}
	end();
}

TEST(nonblocking_opens)
{
	struct pollfd poll_in = { .events = POLLIN };
	int rd, wr;
	char byte;

	make();
	CHECK_ERRNO(open(name, O_WRONLY | O_NONBLOCK), ENXIO);
	rd = open_rw(O_RDONLY | O_NONBLOCK);
	CHECK_EQ(read(rd, &byte, 1), 0); /* no writer: the end of the file */
	poll_in.fd = rd;
	CHECK_EQ(poll(&poll_in, 1, 0), 0); /* but none has hung up */
	wr = open_rw(O_WRONLY | O_NONBLOCK);
	CHECK_ERRNO(read(rd, &byte, 1), EAGAIN);
	CHECK_EQ(write(wr, "x", 1), 1);
	CHECK_EQ(poll(&poll_in, 1, -1), 1);
	CHECK_EQ(poll_in.revents, POLLIN);
	CHECK_EQ(read(rd, &byte, 1), 1);
	close(wr);
	CHECK_EQ(poll(&poll_in, 1, -1), 1);
	CHECK_EQ(poll_in.revents, POLLHUP);
	end();
}

TEST(both_ends_at_once)
{
	struct pollfd both = { .events = POLLIN | POLLOUT };
	int fd;
	char byte;

	make();
	both.fd = fd = open_rw(O_RDWR);
	CHECK_EQ(poll(&both, 1, 0), 1);
	CHECK_EQ(both.revents, POLLOUT);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(poll(&both, 1, 0), 1);
	CHECK_EQ(both.revents, POLLIN | POLLOUT);
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
	end();
}

TEST(bytes_go_with_the_last_user)
{
	int rd, wr;
	char byte;

	make();
	rd = open_rw(O_RDONLY | O_NONBLOCK);
	wr = open_rw(O_WRONLY);
	CHECK_EQ(write(wr, "xy", 2), 2);
	close(rd);
	rd = open_rw(O_RDONLY | O_NONBLOCK);
	CHECK_EQ(read(rd, &byte, 1), 1); /* the writer has kept it */
	CHECK_EQ(byte, 'x');
	close(rd);
	close(wr);
	rd = open_rw(O_RDONLY | O_NONBLOCK);
	CHECK_EQ(read(rd, &byte, 1), 0);
	end();
}

TEST(no_reader_is_epipe)
{
	int rd, wr;

	make();
	rd = open_rw(O_RDONLY | O_NONBLOCK);
	wr = open_rw(O_WRONLY);
	close(rd);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(wr, "x", 1), EPIPE);
	end();
}

TEST(a_signal_ends_the_wait)
{
	pid_t pid;

	make();
	for (int i = 0; i < 2; i++) {
		pid = CHECK_OK(fork());
		if (pid == 0)
			_exit(open(name, i ? O_RDONLY : O_WRONLY) >= 0);
		WAIT_UNTIL(sleeps(pid));
		CHECK_OK(kill(pid, SIGTERM));
		test_check_signal(__FILE__, __LINE__, pid, SIGTERM);
		/* Nothing of it is left: the other end still finds nobody. */
		CHECK_ERRNO(open(name, O_WRONLY | O_NONBLOCK), ENXIO);
	}
	end();
}

TEST(who_gave_up_waiting_is_no_reader)
{
	int reader, writer;
	pid_t pid;

	make();
	signal(SIGPIPE, SIG_IGN);
	reader = CHECK_OK(open(name, O_RDONLY | O_NONBLOCK));
	pid = CHECK_OK(fork());
	if (pid == 0)
		_exit(open(name, O_RDONLY) >= 0);
	WAIT_UNTIL(sleeps(pid));
	CHECK_OK(kill(pid, SIGTERM));
	test_check_signal(__FILE__, __LINE__, pid, SIGTERM);
	writer = CHECK_OK(open(name, O_WRONLY));
	CHECK_EQ(write(writer, "x", 1), 1);
	CHECK_OK(close(reader));
	CHECK_ERRNO(write(writer, "x", 1), EPIPE);
	CHECK_OK(close(writer));
	end();
}

TEST(it_is_not_executed)
{
	make();
	CHECK_OK(chmod(name, 0755));
	CHECK_ERRNO(execl(name, name, NULL), EACCES); /* and at once */
	end();
}

TEST(what_mknod_makes)
{
	const char *path = tmp_path("node");
	struct stat st;

	umask(022);
	CHECK_OK(mknod(path, 0666, 0));
	CHECK_OK(stat(path, &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0644);
	CHECK_OK(unlink(path));
	CHECK_OK(mknod(path, S_IFSOCK | 0666, 0));
	CHECK_OK(stat(path, &st));
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_ERRNO(open(path, O_RDWR), ENXIO);
	CHECK_OK(unlink(path));
	CHECK_ERRNO(mknod(path, S_IFDIR | 0700, 0), EPERM);
	CHECK_ERRNO(mknod(path, 0170000, 0), EINVAL);
	CHECK_ERRNO(mknod("/tmp/none/x", S_IFIFO, 0), ENOENT);
	CHECK_CHILD({
		CHECK_OK(setuid(1000));
		CHECK_ERRNO(mknod(path, S_IFCHR | 0600, makedev(1, 3)), EPERM);
		CHECK_OK(mkfifo(path, 0600));
		CHECK_OK(unlink(path));
	});
}

TEST(a_device_node_of_our_own)
{
	const char *path = tmp_path("null");
	struct stat st;
	int fd;

	if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) && !on_ravel())
		SKIP("this machine allows no device nodes");
	CHECK_OK(stat(path, &st));
	CHECK_EQ(st.st_rdev, makedev(1, 3));
	fd = open(path, O_WRONLY);
	if (fd >= 0 || on_ravel())
		CHECK_EQ(write(fd, "gone", 4), 4);
	CHECK_OK(unlink(path));
}

TEST(size_of_a_pipe)
{
	static char page[4096];
	int fds[2], file = CHECK_OK(open("/", O_RDONLY));

	CHECK_OK(pipe2(fds, O_NONBLOCK));
	CHECK_EQ(fcntl(fds[0], F_GETPIPE_SZ), 65536);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 5000), 8192);
	CHECK_EQ(write(fds[1], page, 4096), 4096);
	CHECK_EQ(write(fds[1], page, 4096), 4096);
	CHECK_ERRNO(write(fds[1], page, 1), EAGAIN);
	CHECK_ERRNO(fcntl(fds[1], F_SETPIPE_SZ, 4096), EBUSY);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 32768), 32768);
	CHECK_EQ(write(fds[1], page, 4096), 4096);
	CHECK_ERRNO(fcntl(file, F_SETPIPE_SZ, 4096), EBADF);
	CHECK_ERRNO(fcntl(file, F_GETPIPE_SZ), EBADF);
	if (on_ravel())
		CHECK_ERRNO(fcntl(fds[0], F_SETPIPE_SZ, 65537), EPERM);
}

TEST(a_bigger_pipe_wakes_its_writer)
{
	static char pages[8192];
	int fds[2];
	pid_t pid;

	CHECK_OK(pipe(fds));
	CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 4096), 4096);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(write(fds[1], pages, 8192), 8192);
		_exit(0);
	}
	WAIT_UNTIL(sleeps(pid));
	CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 8192), 8192);
	CHECK_EXIT(pid, 0);
}
