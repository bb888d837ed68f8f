/*
 * rwv.c - reads and writes of vectors, at offsets and with flags; sendfile, copy_file_range.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "usr/lib/testutil.h"

#define RECORD	   600
#define PIECES	   512
#define SLOW_BYTES 30000

#define PIPE_CAPACITY 65536

/* A new file with these bytes, open and without a name. */
static int file_with(const char *text)
{
	const char *name = tmp_path("rwv");
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_EXCL, 0644));

	CHECK_OK(unlink(name));
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_OK(lseek(fd, 0, SEEK_SET));
	return fd;
}

static void check_contents(int fd, const char *expected)
{
	char text[128] = "";

	CHECK_OK(pread(fd, text, sizeof(text) - 1, 0));
	CHECK_STRING(text, expected);
}

static off_t offset_of(int fd)
{
	return lseek(fd, 0, SEEK_CUR);
}

TEST(vectors_at_an_offset)
{
	char a[4] = "", b[4] = "";
	struct iovec in[2] = { { a, 3 }, { b, 2 } };
	struct iovec out[3] = { { "AB", 2 }, { "", 0 }, { "C", 1 } };
	int fd = file_with("0123456789");

	CHECK_EQ(preadv(fd, in, 2, 4), 5);
	CHECK_STRING(a, "456");
	CHECK_STRING(b, "78");
	CHECK_EQ(pwritev(fd, out, 3, 8), 3);
	CHECK_EQ(offset_of(fd), 0);
	check_contents(fd, "01234567ABC");
	CHECK_EQ(preadv(fd, in, 2, 9), 2);
	CHECK_EQ(preadv(fd, in, 2, 100), 0);
	CHECK_EQ(preadv(fd, in, 0, 0), 0);
}

TEST(offset_minus_one_is_the_files)
{
	char a[4] = "";
	struct iovec in = { a, 3 }, out = { "xy", 2 };
	int fd = file_with("0123456789");

	CHECK_EQ(preadv2(fd, &in, 1, -1, 0), 3);
	CHECK_EQ(offset_of(fd), 3);
	CHECK_EQ(pwritev2(fd, &out, 1, -1, 0), 2);
	CHECK_EQ(offset_of(fd), 5);
	CHECK_EQ(preadv2(fd, &in, 1, 6, RWF_HIPRI), 3);
	CHECK_STRING(a, "678");
	CHECK_EQ(offset_of(fd), 5);
	check_contents(fd, "012xy56789");
	CHECK_ERRNO(preadv2(fd, &in, 1, -2, 0), EINVAL);
	CHECK_ERRNO(preadv(fd, &in, 1, -1), EINVAL);
	CHECK_ERRNO(pwritev(fd, &out, 1, -1), EINVAL);
}

TEST(flags_of_one_call)
{
	struct iovec out = { "xy", 2 };
	int fd = file_with("0123");

	CHECK_EQ(pwritev2(fd, &out, 1, 0, RWF_APPEND), 2);
	CHECK_EQ(offset_of(fd), 0);
	CHECK_EQ(pwritev2(fd, &out, 1, -1, RWF_APPEND), 2);
	CHECK_EQ(offset_of(fd), 8);
	check_contents(fd, "0123xyxy");
	CHECK_EQ(pwritev2(fd, &out, 1, 0, RWF_DSYNC), 2);
	CHECK_EQ(pwritev2(fd, &out, 1, 2, RWF_SYNC), 2);
	check_contents(fd, "xyxyxyxy");
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_APPEND | O_SYNC), 0);
	CHECK_ERRNO(pwritev2(fd, &out, 1, 0, 0x40000000), EOPNOTSUPP);
	CHECK_ERRNO(preadv2(fd, &out, 1, 0, 0x10000), EOPNOTSUPP);
}

TEST(vectors_and_pipes)
{
	char byte;
	struct iovec one = { &byte, 1 };
	int fds[2];

	CHECK_OK(pipe(fds));
	CHECK_ERRNO(preadv(fds[0], &one, 1, 0), ESPIPE);
	CHECK_ERRNO(pwritev(fds[1], &one, 1, 0), ESPIPE);
	CHECK_ERRNO(preadv2(fds[0], &one, 1, 0, 0), ESPIPE);
	CHECK_ERRNO(preadv2(fds[0], &one, 1, -1, RWF_NOWAIT), EAGAIN);
	CHECK_EQ(pwritev2(fds[1], &one, 1, -1, 0), 1);
	CHECK_EQ(preadv2(fds[0], &one, 1, -1, 0), 1);
	CHECK_ERRNO(readv(fds[1], &one, 1), EBADF);
	CHECK_ERRNO(writev(fds[0], &one, 1), EBADF);
}

/* While bytes come one by one, no piece is left out for a later one. */
TEST(vectors_of_a_slow_pipe_have_no_gaps)
{
	static unsigned char bytes[PIECES];
	static struct iovec iov[PIECES];
	unsigned char next = 0;
	int fds[2];
	pid_t pid;
	ssize_t n;

	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		for (int i = 0; i < SLOW_BYTES; i++) {
			unsigned char byte = i % 255;

			CHECK_EQ(write(fds[1], &byte, 1), 1);
		}
		_exit(0);
	}
	CHECK_OK(close(fds[1]));
	for (int i = 0; i < PIECES; i++)
		iov[i] = (struct iovec){ &bytes[i], 1 };
	for (;;) {
		memset(bytes, 255, sizeof(bytes));
		n = CHECK_OK(readv(fds[0], iov, PIECES));
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n; i++) {
			CHECK_EQ(bytes[i], next);
			next = (next + 1) % 255;
		}
	}
	CHECK_EQ(next, SLOW_BYTES % 255);
	CHECK_OK(close(fds[0]));
	test_check_exit(__FILE__, __LINE__, pid, 0);
}

TEST(bad_vectors)
{
	static struct iovec many[1025];
	char buf[8];
	struct iovec iov[2] = { { buf, 4 }, { (void *)8, 4 } };
	struct iovec *volatile nowhere = (void *)8;
	volatile int minus = -1;
	int fd = file_with("0123456789");

	CHECK_ERRNO(readv(fd, iov, minus), EINVAL);
	CHECK_ERRNO(readv(fd, many, 1025), EINVAL);
	CHECK_EQ(readv(fd, many, 1024), 0);
	CHECK_ERRNO(readv(fd, nowhere, 1), EFAULT);
	CHECK_ERRNO(readv(-1, iov, 1), EBADF);
	/* The first piece is good: what it took is told. */
	CHECK_EQ(readv(fd, iov, 2), 4);
	CHECK_ERRNO(readv(fd, &iov[1], 1), EFAULT);
	iov[1].iov_len = -1;
	CHECK_ERRNO(readv(fd, iov, 2), EINVAL);
	CHECK_ERRNO(writev(fd, iov, 2), EINVAL);
	CHECK_EQ(offset_of(fd), 4);
}

/* Vectors of several processes, up to PIPE_BUF bytes each, do not mix in a pipe. */
TEST(small_vectors_are_atomic)
{
	char record[RECORD];
	int fds[2], counts[3] = { 0 };
	pid_t pids[3];

	CHECK_OK(pipe(fds));
	for (int w = 0; w < 3; w++) {
		pids[w] = CHECK_OK(fork());
		if (pids[w] == 0) {
			struct iovec iov[3] = { { record, 100 },
						{ record + 100, 1 },
						{ record + 101, RECORD - 101 } };

			memset(record, 'a' + w, sizeof(record));
			for (int i = 0; i < 60; i++)
				CHECK_EQ(writev(fds[1], iov, 3), RECORD);
			_exit(0);
		}
	}
	close(fds[1]);
	for (;;) {
		size_t have = 0;
		ssize_t n;

		while (have < RECORD && (n = CHECK_OK(read(fds[0], record + have, RECORD - have))))
			have += n;
		if (!have)
			break;
		CHECK_EQ(have, RECORD);
		for (size_t i = 1; i < RECORD; i++)
			CHECK_EQ(record[i], record[0]);
		counts[record[0] - 'a']++;
	}
	for (int w = 0; w < 3; w++) {
		CHECK_EQ(counts[w], 60);
		CHECK_EXIT(pids[w], 0);
	}
}

TEST(a_big_vector_fills_a_pipe)
{
	static char out[3][30000], in[90000];
	struct iovec iov[3] = { { out[0], 30000 }, { out[1], 30000 }, { out[2], 30000 } };
	int fds[2];
	size_t done = 0;
	pid_t pid;

	CHECK_OK(pipe(fds));
	for (int i = 0; i < 3; i++)
		memset(out[i], '1' + i, sizeof(out[i]));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(writev(fds[1], iov, 3), 90000);
		_exit(0);
	}
	close(fds[1]);
	while (done < sizeof(in))
		done += CHECK_OK(read(fds[0], in + done, sizeof(in) - done));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(memcmp(in + 30000 * i, out[i], 30000), 0);
	CHECK_EXIT(pid, 0);
}

/* Two processes with one open file: none of their lines is lost or torn. */
TEST(a_shared_offset_is_kept_right)
{
	int fd = file_with("");
	struct stat st;
	char line[5];
	pid_t pid;

	pid = CHECK_OK(fork());
	for (int i = 0; i < 200; i++) {
		struct iovec iov[2] = { { pid ? "aa" : "bb", 2 }, { pid ? "a\n" : "b\n", 2 } };

		CHECK_EQ(writev(fd, iov, 2), 4);
	}
	if (pid == 0)
		_exit(0);
	CHECK_EXIT(pid, 0);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 1600);
	for (int i = 0; i < 400; i++) {
		CHECK_EQ(pread(fd, line, 4, 4 * i), 4);
		CHECK(memcmp(line, "aaa\n", 4) == 0 || memcmp(line, "bbb\n", 4) == 0);
	}
}

TEST(sendfile_into_a_file)
{
	int in = file_with("0123456789"), out = file_with("abcdefghij");
	off_t at = 7;

	CHECK_OK(lseek(out, 2, SEEK_SET));
	CHECK_EQ(sendfile(out, in, &at, 2), 2);
	CHECK_EQ(at, 9);
	CHECK_EQ(offset_of(in), 0);
	CHECK_EQ(offset_of(out), 4);
	CHECK_EQ(sendfile(out, in, NULL, 3), 3);
	CHECK_EQ(offset_of(in), 3);
	CHECK_EQ(sendfile(out, in, &at, 100), 1);
	CHECK_EQ(sendfile(out, in, &at, 100), 0);
	check_contents(out, "ab780129ij");
}

TEST(sendfile_of_many_pages)
{
	static char block[5000], back[5000];
	int in = file_with(""), out = file_with("");

	for (int i = 0; i < 20; i++) {
		memset(block, i, sizeof(block));
		CHECK_EQ(write(in, block, sizeof(block)), sizeof(block));
	}
	CHECK_OK(lseek(in, 0, SEEK_SET));
	CHECK_EQ(sendfile(out, in, NULL, 1 << 20), 100000);
	for (int i = 0; i < 20; i++) {
		memset(block, i, sizeof(block));
		CHECK_EQ(pread(out, back, sizeof(back), i * sizeof(back)), sizeof(back));
		CHECK_EQ(memcmp(block, back, sizeof(block)), 0);
	}
}

static bool sleeps(pid_t pid)
{
	char path[32], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	CHECK(read_text(path, text, sizeof(text)) > 0);
	return strstr(text, ") S ");
}

/* Whoever waits for a pipe to be read does not make others wait for the file. */
TEST(sendfile_that_waits_keeps_no_offset)
{
	static char block[PIPE_CAPACITY];
	int in = file_with("0123456789"), fds[2];
	pid_t pid;

	CHECK_OK(pipe(fds));
	CHECK_EQ(write(fds[1], block, sizeof(block)), sizeof(block));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(sendfile(fds[1], in, NULL, 10), 10);
		_exit(0);
	}
	WAIT_UNTIL(sleeps(pid));
	CHECK_EQ(offset_of(in), 0);
	for (size_t left = sizeof(block); left;)
		left -= CHECK_OK(read(fds[0], block, left));
	test_check_exit(__FILE__, __LINE__, pid, 0);
	CHECK_EQ(offset_of(in), 10);
	CHECK_EQ(read(fds[0], block, sizeof(block)), 10);
	CHECK_EQ(memcmp(block, "0123456789", 10), 0);
}

TEST(sendfile_errors)
{
	int in = file_with("0123456789"), out = file_with(""), fds[2];
	off_t at = -1;

	CHECK_OK(pipe(fds));
	CHECK_ERRNO(sendfile(out, in, &at, 1), EINVAL);
	CHECK_ERRNO(sendfile(-1, in, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(out, -1, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(out, fds[1], NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(fds[0], in, NULL, 1), EBADF);
	at = 0;
	CHECK_ERRNO(sendfile(out, fds[0], &at, 1), ESPIPE);
	CHECK_OK(fcntl(out, F_SETFL, O_APPEND));
	CHECK_ERRNO(sendfile(out, in, NULL, 1), EINVAL);
	CHECK_EQ(offset_of(in), 0);
}

TEST(copy_file_range_copies)
{
	int in = file_with("0123456789"), out = file_with("abcdefghij");
	off64_t from = 5, to = 1;

	CHECK_EQ(copy_file_range(in, &from, out, &to, 3, 0), 3);
	CHECK_EQ(from, 8);
	CHECK_EQ(to, 4);
	CHECK_EQ(copy_file_range(in, NULL, out, NULL, 1, 0), 1);
	CHECK_EQ(offset_of(in), 1);
	CHECK_EQ(offset_of(out), 1);
	check_contents(out, "0567efghij");
	CHECK_EQ(copy_file_range(in, &from, out, &to, 100, 0), 2);
	CHECK_EQ(copy_file_range(in, &from, out, &to, 100, 0), 0);
	CHECK_EQ(copy_file_range(in, NULL, out, NULL, 0, 0), 0);
	/* "All that is left", from somewhere in the file. */
	from = 8;
	to = 4;
	CHECK_EQ(copy_file_range(in, &from, out, &to, LONG_MAX, 0), 2);
	from = LONG_MAX;
	CHECK_EQ(copy_file_range(in, &from, out, &to, 0, 0), 0);
	from = 10;
	check_contents(out, "056789ghij");
	from = 0;
	to = 4;
	CHECK_EQ(copy_file_range(out, &from, out, &to, 3, 0), 3);
	check_contents(out, "0567056hij");
	from = 2;
	CHECK_ERRNO(copy_file_range(out, &from, out, &to, 6, 0), EINVAL);
}

TEST(copy_file_range_errors)
{
	int in = file_with("0123456789"), out = file_with(""), fds[2];
	int rd = CHECK_OK(open(data_path("small"), O_RDONLY)), dir = CHECK_OK(open("/", O_RDONLY));
	off64_t at = -10;

	CHECK_OK(pipe(fds));
	CHECK_ERRNO(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL);
	CHECK_ERRNO(copy_file_range(in, NULL, -1, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(in, NULL, rd, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(dir, NULL, out, NULL, 1, 0), EISDIR);
	CHECK_ERRNO(copy_file_range(fds[0], NULL, out, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(copy_file_range(in, &at, out, NULL, 1, 0), EINVAL);
	CHECK_OK(fcntl(out, F_SETFL, O_APPEND));
	CHECK_ERRNO(copy_file_range(in, NULL, out, NULL, 1, 0), EBADF);
}
