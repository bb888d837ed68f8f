/*
 * pipe.c - pipes: order, capacity, atomicity, ends of file, EPIPE, non-blocking, big transfers.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "usr/lib/testutil.h"

#define CAPACITY 65536
#define ATOMIC	 4096

TEST(bytes_come_out_in_order)
{
	char buffer[16] = "";
	int fds[2];

	CHECK_OK(pipe(fds));
	CHECK_EQ(write(fds[1], "hello ", 6), 6);
	CHECK_EQ(write(fds[1], "world", 5), 5);
	CHECK_EQ(read(fds[0], buffer, 3), 3);
	CHECK_EQ(read(fds[0], buffer + 3, 13), 8);
	CHECK_STRING(buffer, "hello world");
}

TEST(end_of_file_when_all_writers_are_gone)
{
	int fds[2], copy;
	char byte;

	CHECK_OK(pipe(fds));
	copy = CHECK_OK(dup(fds[1]));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	close(fds[1]);
	close(copy);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

TEST(a_blocked_reader_wakes_at_end_of_file)
{
	int fds[2];
	char byte;
	pid_t pid;

	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 0 ? 0 : 1);
	}
	test_pause(2);
	close(fds[1]);
	CHECK_EXIT(pid, 0);
}

TEST(epipe_and_sigpipe)
{
	int fds[2];

	CHECK_OK(pipe(fds));
	close(fds[0]);
	CHECK_SIGNAL({ CHECK_EQ(write(fds[1], "x", 1), -1); }, SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
	CHECK_EQ(write(fds[1], "", 0), 0);
}

TEST(a_blocked_writer_wakes_with_epipe)
{
	static char big[2 * CAPACITY];
	int fds[2], held = 0;
	pid_t pid;

	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(fds[0]);
		signal(SIGPIPE, SIG_IGN);
		CHECK_EQ(write(fds[1], big, CAPACITY), CAPACITY);
		CHECK_ERRNO(write(fds[1], big, 1), EPIPE);
		_exit(0);
	}
	WAIT_UNTIL(ioctl(fds[0], FIONREAD, &held) == 0 && held == CAPACITY);
	test_pause(2);
	close(fds[0]);
	close(fds[1]);
	CHECK_EXIT(pid, 0);
}

TEST(capacity)
{
	static char big[CAPACITY];
	int fds[2], held;

	CHECK_OK(pipe2(fds, O_NONBLOCK));
	CHECK_EQ(write(fds[1], big, CAPACITY), CAPACITY);
	CHECK_ERRNO(write(fds[1], big, 1), EAGAIN);
	CHECK_OK(ioctl(fds[0], FIONREAD, &held));
	CHECK_EQ(held, CAPACITY);
	CHECK_EQ(read(fds[0], big, ATOMIC), ATOMIC);
	CHECK_EQ(write(fds[1], big, ATOMIC), ATOMIC);
}

TEST(nonblocking)
{
	static char big[2 * CAPACITY];
	int fds[2];
	char byte;

	CHECK_OK(pipe2(fds, O_NONBLOCK));
	CHECK_ERRNO(read(fds[0], &byte, 1), EAGAIN);
	CHECK_EQ(write(fds[1], big, sizeof(big)), CAPACITY);
	CHECK_EQ(read(fds[0], big, 100), 100);
	/* A small write is all or nothing: 100 bytes are free, perhaps, but not a whole page. */
	CHECK_ERRNO(write(fds[1], big, ATOMIC), EAGAIN);
	CHECK_OK(fcntl(fds[0], F_SETFL, 0));
	CHECK_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	CHECK_EQ(fcntl(fds[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

/* Writes of up to PIPE_BUF bytes from several processes do not mix. */
TEST(small_writes_are_atomic)
{
	char record[512];
	int fds[2], counts[3] = { 0 };
	pid_t pids[3];

	CHECK_OK(pipe(fds));
	for (int w = 0; w < 3; w++) {
		pids[w] = CHECK_OK(fork());
		if (pids[w] == 0) {
			memset(record, 'a' + w, sizeof(record));
			for (int i = 0; i < 60; i++)
				CHECK_EQ(write(fds[1], record, sizeof(record)), sizeof(record));
			_exit(0);
		}
	}
	close(fds[1]);
	for (;;) {
		size_t have = 0;
		ssize_t n;

		while (have < sizeof(record) &&
		       (n = CHECK_OK(read(fds[0], record + have, sizeof(record) - have))) > 0)
			have += n;
		if (!have)
			break;
		CHECK_EQ(have, sizeof(record));
		for (size_t i = 1; i < sizeof(record); i++)
			CHECK_EQ(record[i], record[0]);
		counts[record[0] - 'a']++;
	}
	for (int w = 0; w < 3; w++) {
		CHECK_EQ(counts[w], 60);
		CHECK_EXIT(pids[w], 0);
	}
}

/* Two megabytes in one write, read in odd pieces. */
TEST(a_big_transfer)
{
	static unsigned char in[3001];
	size_t size = 2 << 20, done = 0;
	int fds[2];
	pid_t pid;

	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		unsigned char *out = map_anon(size);

		for (size_t i = 0; i < size; i++)
			out[i] = i % 251;
		close(fds[0]);
		CHECK_EQ(write(fds[1], out, size), size);
		_exit(0);
	}
	close(fds[1]);
	while (done < size) {
		ssize_t n = CHECK_OK(read(fds[0], in, sizeof(in)));

		CHECK(n > 0);
		for (ssize_t i = 0; i < n; i++)
			if (in[i] != (done + i) % 251)
				CHECK_EQ(in[i], (done + i) % 251);
		done += n;
	}
	CHECK_EQ(read(fds[0], in, 1), 0);
	CHECK_EXIT(pid, 0);
}

TEST(ping_pong)
{
	int there[2], back[2];
	char byte = 0;
	pid_t pid;

	CHECK_OK(pipe(there));
	CHECK_OK(pipe(back));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1) {
			byte++;
			CHECK_EQ(write(back[1], &byte, 1), 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 300; i++) {
		char sent = i;

		CHECK_EQ(write(there[1], &sent, 1), 1);
		CHECK_EQ(read(back[0], &byte, 1), 1);
		CHECK_EQ(byte, (char)(sent + 1));
	}
	close(there[1]);
	CHECK_EXIT(pid, 0);
}

TEST(wrong_ends_and_no_seeking)
{
	int fds[2];
	char byte;
	struct stat st;

	CHECK_OK(pipe(fds));
	CHECK_ERRNO(read(fds[1], &byte, 1), EBADF);
	CHECK_ERRNO(write(fds[0], "x", 1), EBADF);
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(pread(fds[0], &byte, 1, 0), ESPIPE);
	CHECK_OK(fstat(fds[0], &st));
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_ERRNO(pipe2(fds, 0x10), EINVAL);
}

TEST(poll_tells_what_is_ready)
{
	struct pollfd polls[2];
	int fds[2];

	CHECK_OK(pipe(fds));
	polls[0] = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	polls[1] = (struct pollfd){ .fd = fds[1], .events = POLLOUT };
	CHECK_EQ(poll(polls, 2, 0), 1);
	CHECK_EQ(polls[0].revents, 0);
	CHECK_EQ(polls[1].revents, POLLOUT);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(poll(polls, 1, -1), 1);
	CHECK_EQ(polls[0].revents, POLLIN);
	close(fds[1]);
	CHECK_EQ(poll(polls, 1, -1), 1);
	CHECK_EQ(polls[0].revents, POLLIN | POLLHUP);
}

TEST(a_filled_pipe_that_nobody_reads_is_freed)
{
	static char big[CAPACITY];

	for (int i = 0; i < 8; i++) {
		int fds[2];

		CHECK_OK(pipe(fds));
		CHECK_EQ(write(fds[1], big, CAPACITY), CAPACITY);
		close(fds[0]);
		close(fds[1]);
	}
}
