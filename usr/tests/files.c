/*
 * files.c - reading the disk's ext2: open, read, seek, stat, directories, symbolic links, errno
 * values; and that it refuses writing.
 */
#include "usr/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "usr/lib/testutil.h"

/* Every line of the file "big" is its own number. */
#define LINE_LENGTH 15

static void check_line(int fd, long number)
{
	char line[LINE_LENGTH + 1] = "";

	CHECK_EQ(pread(fd, line, LINE_LENGTH, number * LINE_LENGTH), LINE_LENGTH);
	CHECK_EQ(atol(line), number * LINE_LENGTH);
}

TEST(read_in_pieces)
{
	int fd = CHECK_OK(open(data_path("small"), O_RDONLY));
	char text[256] = "";
	size_t done = 0;
	ssize_t n;

	while ((n = CHECK_OK(read(fd, text + done, 7))) > 0)
		done += n;
	CHECK_STRING(text, "Ravel reads this file by read() and by mmap().\n"
			   "Its second line is its last.\n");
	CHECK_EQ(read(fd, text, 1), 0);
}

TEST(any_place_of_a_bigger_file)
{
	int fd = CHECK_OK(open(data_path("big"), O_RDONLY));
	struct stat st;

	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_size >= 160 * 1024);
	for (int i = 0; i < 100; i++)
		check_line(fd, test_random_below(st.st_size / LINE_LENGTH));
}

TEST(seeking)
{
	int fd = CHECK_OK(open(data_path("small"), O_RDONLY));
	off_t size = CHECK_OK(lseek(fd, 0, SEEK_END));
	char byte;

	CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_EQ(byte, 'r');
	CHECK_EQ(lseek(fd, -1, SEEK_CUR), 6);
	CHECK_EQ(lseek(fd, -size, SEEK_END), 0);
	CHECK_EQ(lseek(fd, size + 100, SEEK_SET), size + 100);
	CHECK_EQ(read(fd, &byte, 1), 0);
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, 77), EINVAL);
	CHECK_ERRNO(lseek(99, 0, SEEK_SET), EBADF);
	CHECK_ERRNO(pread(fd, &byte, 1, -1), EINVAL);
}

TEST(stat_fields)
{
	struct stat st, by_fd;
	int fd;

	CHECK_OK(stat(data_path("small"), &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_size, 76);
	CHECK_EQ(st.st_nlink, 1);
	CHECK(st.st_blksize >= 512);
	CHECK(st.st_mtime > 0);
	fd = CHECK_OK(open(data_path("small"), O_RDONLY));
	CHECK_OK(fstat(fd, &by_fd));
	CHECK_EQ(st.st_ino, by_fd.st_ino);
	CHECK_EQ(st.st_dev, by_fd.st_dev);
	CHECK_OK(stat("/", &st));
	CHECK(S_ISDIR(st.st_mode));
	CHECK(st.st_nlink >= 2);
}

TEST(open_errors)
{
	static char path[5000];

	CHECK_ERRNO(open("/no such file", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/no/such/directory", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("/", O_RDWR), EISDIR);
	snprintf(path, sizeof(path), "%s/x", data_path("small"));
	CHECK_ERRNO(open(path, O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open(data_path("small"), O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open(data_path("small"), O_RDONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	memset(path, 'n', sizeof(path) - 1);
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	path[256] = 0;
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
}

TEST(descriptor_errors)
{
	char byte;
	int fd = CHECK_OK(open(data_path("small"), O_RDONLY));
	int dir = CHECK_OK(open("/", O_RDONLY));
	struct iovec iov[2] = { { &byte, 1 }, { &byte, 1 } };

	CHECK_ERRNO(read(99, &byte, 1), EBADF);
	CHECK_ERRNO(write(fd, "x", 1), EBADF);
	CHECK_ERRNO(read(dir, &byte, 1), EISDIR);
	CHECK_ERRNO(close(99), EBADF);
	CHECK_ERRNO(close(-1), EBADF);
	CHECK_ERRNO(dup(99), EBADF);
	CHECK_ERRNO(dup3(fd, fd, 0), EINVAL);
	CHECK_ERRNO(fcntl(99, F_GETFD), EBADF);
	CHECK_ERRNO(ftruncate(fd, 0), EINVAL);
	CHECK_EQ(readv(fd, iov, 2), 2);
	CHECK_EQ(byte, 'a');
}

TEST(dup_shares_the_offset)
{
	int fd = CHECK_OK(open(data_path("small"), O_RDONLY)), copy = CHECK_OK(dup(fd));
	char bytes[2];

	CHECK_EQ(read(fd, bytes, 1), 1);
	CHECK_EQ(read(copy, bytes + 1, 1), 1);
	CHECK_EQ(bytes[1], 'a');
	CHECK_EQ(dup2(fd, 50), 50);
	CHECK_EQ(dup2(fd, fd), fd);
	CHECK_OK(close(fd));
	CHECK_EQ(read(50, bytes, 1), 1);
	CHECK_EQ(bytes[0], 'v');
	CHECK_OK(fcntl(50, F_SETFD, FD_CLOEXEC));
	CHECK_EQ(fcntl(50, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(copy, F_GETFD), 0);
}

TEST(directories)
{
	char path[256];
	bool small = false, dot = false, dot_dot = false;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s", data_path("small"));
	*strrchr(path, '/') = 0;
	dir = opendir(path);
	CHECK(dir != NULL);
	while ((entry = readdir(dir))) {
		small |= !strcmp(entry->d_name, "small");
		dot |= !strcmp(entry->d_name, ".");
		dot_dot |= !strcmp(entry->d_name, "..");
		CHECK(entry->d_ino != 0);
	}
	CHECK(small && dot && dot_dot);
	rewinddir(dir);
	CHECK(readdir(dir) != NULL);
	closedir(dir);
	CHECK(opendir(data_path("small")) == NULL);
	CHECK_EQ(errno, ENOTDIR);
}

TEST(dots_and_slashes)
{
	struct stat a, b;
	char path[512], cwd[256];

	CHECK_OK(stat("/", &a));
	CHECK_OK(stat("//..///./../", &b));
	CHECK_EQ(a.st_ino, b.st_ino);
	snprintf(path, sizeof(path), "/tmp/..//tmp/./");
	CHECK_OK(chdir(path));
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	CHECK_STRING(cwd, "/tmp");
	CHECK_OK(chdir(".."));
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	CHECK_STRING(cwd, "/");
	CHECK_OK(stat("tmp", &a));
	CHECK(getcwd(cwd, 1) == NULL);
	CHECK_EQ(errno, ERANGE);
	CHECK_ERRNO(chdir("/dev/null"), ENOTDIR);
	CHECK_ERRNO(chdir("/nowhere"), ENOENT);
}

TEST(symbolic_links)
{
	const char *target = data_path("small");
	char link[256], text[64] = "";
	struct stat st;
	ssize_t n;

	snprintf(link, sizeof(link), "%s", target);
	strcpy(strrchr(link, '/'), "/link");
	n = CHECK_OK(readlink(link, text, sizeof(text) - 1));
	CHECK_EQ(n, 5);
	CHECK_STRING(text, "small");
	CHECK_OK(lstat(link, &st));
	CHECK(S_ISLNK(st.st_mode));
	CHECK_OK(stat(link, &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_size, 76);
	CHECK_ERRNO(open(link, O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERRNO(readlink(target, text, sizeof(text)), EINVAL);
	strcpy(strrchr(link, '/'), "/loop");
	CHECK_ERRNO(open(link, O_RDONLY), ELOOP);
	CHECK_ERRNO(readlink(link, text, 0), EINVAL);
}

/* A big sparse file, which the image builder makes: a hole, then data beyond direct blocks. */
TEST(holes_and_double_indirect_blocks)
{
	static char bytes[8192];
	struct stat st;
	int fd = open("/tests/data/holes", O_RDONLY);
	char *p;

	if (fd < 0)
		SKIP("the image has no /tests/data/holes");
	CHECK_OK(fstat(fd, &st));
	CHECK(st.st_size > 5 << 20);
	CHECK_EQ(pread(fd, bytes, 16, 0), 16);
	CHECK_EQ(memcmp(bytes, "start of a hole\n", 16), 0);
	CHECK_EQ(pread(fd, bytes, sizeof(bytes), 1 << 20), sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		CHECK_EQ(bytes[i], 0);
	CHECK_EQ(pread(fd, bytes, 16, st.st_size - 16), 16);
	CHECK_EQ(memcmp(bytes, "the hole's end.\n", 16), 0);
	p = CHECK_OK(mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0));
	CHECK_EQ(p[3 << 20], 0);
	CHECK_EQ(memcmp(p + st.st_size - 16, "the hole's end.\n", 16), 0);
	CHECK(st.st_blocks * 512 < st.st_size);
}

TEST(many_readers_of_one_file)
{
	pid_t pids[6];

	for (int i = 0; i < 6; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			int fd = CHECK_OK(open(data_path("big"), O_RDONLY));

			for (int n = 0; n < 60; n++)
				check_line(fd, (n * 37 + i * 1000) % 10000);
			_exit(0);
		}
	}
	for (int i = 0; i < 6; i++)
		CHECK_EXIT(pids[i], 0);
}
