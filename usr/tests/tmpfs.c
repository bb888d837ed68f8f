/*
 * tmpfs.c - /tmp: create, write, extend, truncate, unlink, rename, directories.
 */
#include "usr/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "usr/lib/testutil.h"

/* A new empty directory, which is the current one from now on. */
static char directory[128];

static void enter(void)
{
	snprintf(directory, sizeof(directory), "%s", tmp_path("dir"));
	CHECK_OK(mkdir(directory, 0755));
	CHECK_OK(chdir(directory));
}

static void leave(void)
{
	CHECK_OK(chdir("/"));
	CHECK_OK(rmdir(directory));
}

static int create(const char *name)
{
	return CHECK_OK(open(name, O_RDWR | O_CREAT | O_EXCL, 0644));
}

static off_t size_of(const char *name)
{
	struct stat st;

	CHECK_OK(stat(name, &st));
	return st.st_size;
}

TEST(write_and_read_back)
{
	char text[32] = "";
	int fd;

	enter();
	fd = create("f");
	CHECK_EQ(write(fd, "hello", 5), 5);
	CHECK_EQ(write(fd, " world", 6), 6);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, text, sizeof(text)), 11);
	CHECK_STRING(text, "hello world");
	CHECK_EQ(size_of("f"), 11);
	CHECK_OK(unlink("f"));
	leave();
}

TEST(a_megabyte)
{
	static unsigned char block[10000];
	int fd;

	enter();
	fd = create("big");
	for (int n = 0; n < 100; n++) {
		memset(block, n, sizeof(block));
		CHECK_EQ(write(fd, block, sizeof(block)), sizeof(block));
	}
	CHECK_EQ(size_of("big"), 1000000);
	for (int n = 99; n >= 0; n--) {
		CHECK_EQ(pread(fd, block, sizeof(block), n * 10000), sizeof(block));
		CHECK(block[0] == n && block[9999] == n);
	}
	CHECK_OK(unlink("big"));
	leave();
}

TEST(holes_are_zero)
{
	char byte = 'x';
	int fd;

	enter();
	fd = create("f");
	CHECK_EQ(pwrite(fd, "end", 3, 100000), 3);
	CHECK_EQ(size_of("f"), 100003);
	CHECK_EQ(pread(fd, &byte, 1, 50000), 1);
	CHECK_EQ(byte, 0);
	CHECK_OK(unlink("f"));
	leave();
}

TEST(truncate_shortens_and_extends)
{
	char text[8] = "";
	int fd;

	enter();
	fd = create("f");
	CHECK_EQ(write(fd, "abcdef", 6), 6);
	CHECK_OK(ftruncate(fd, 3));
	CHECK_EQ(size_of("f"), 3);
	CHECK_OK(ftruncate(fd, 6));
	CHECK_EQ(pread(fd, text, 6, 0), 6);
	CHECK_EQ(memcmp(text, "abc\0\0\0", 6), 0);
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	close(CHECK_OK(open("f", O_WRONLY | O_TRUNC)));
	CHECK_EQ(size_of("f"), 0);
	CHECK_OK(unlink("f"));
	leave();
}

TEST(append)
{
	int fd;

	enter();
	close(create("f"));
	fd = CHECK_OK(open("f", O_WRONLY | O_APPEND));
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(write(fd, "def", 3), 3);
	CHECK_EQ(size_of("f"), 6);
	CHECK_OK(unlink("f"));
	leave();
}

TEST(unlinked_but_open)
{
	char text[8] = "";
	int fd;

	enter();
	fd = create("f");
	CHECK_EQ(write(fd, "alive", 5), 5);
	CHECK_OK(unlink("f"));
	CHECK_ERRNO(open("f", O_RDONLY), ENOENT);
	CHECK_EQ(pread(fd, text, 5, 0), 5);
	CHECK_STRING(text, "alive");
	CHECK_EQ(write(fd, "more", 4), 4);
	leave();
}

TEST(unlinked_but_mapped)
{
	char *p;
	int fd;

	enter();
	fd = create("f");
	CHECK_EQ(write(fd, "mapped", 6), 6);
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));
	CHECK_OK(unlink("f"));
	CHECK_OK(close(fd));
	CHECK_EQ(memcmp(p, "mapped", 6), 0);
	leave();
}

TEST(errors)
{
	enter();
	close(create("f"));
	CHECK_ERRNO(open("f", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_ERRNO(open("none", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("f/x", O_WRONLY | O_CREAT, 0644), ENOTDIR);
	CHECK_ERRNO(open("no/x", O_WRONLY | O_CREAT, 0644), ENOENT);
	CHECK_ERRNO(unlink("none"), ENOENT);
	CHECK_ERRNO(mkdir("f", 0755), EEXIST);
	CHECK_ERRNO(rmdir("f"), ENOTDIR);
	CHECK_ERRNO(rmdir("none"), ENOENT);
	CHECK_ERRNO(rmdir("."), EINVAL);
	CHECK_OK(mkdir("d", 0755));
	CHECK_ERRNO(unlink("d"), EISDIR);
	CHECK_ERRNO(mkdir("d", 0755), EEXIST);
	close(create("d/f"));
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_OK(unlink("d/f"));
	CHECK_OK(rmdir("d"));
	CHECK_OK(unlink("f"));
	leave();
}

TEST(rename_moves_and_replaces)
{
	char text[8] = "";
	int fd, old;

	enter();
	fd = create("a");
	CHECK_EQ(write(fd, "AAA", 3), 3);
	CHECK_OK(rename("a", "b"));
	CHECK_ERRNO(access("a", F_OK), ENOENT);
	old = create("a");
	CHECK_EQ(write(old, "old", 3), 3);
	CHECK_OK(rename("b", "a"));
	CHECK_EQ(pread(old, text, 3, 0), 3);
	CHECK_STRING(text, "old");
	fd = CHECK_OK(open("a", O_RDONLY));
	CHECK_EQ(read(fd, text, 3), 3);
	CHECK_STRING(text, "AAA");
	CHECK_OK(rename("a", "a"));
	CHECK_OK(unlink("a"));
	leave();
}

TEST(rename_of_directories)
{
	enter();
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(mkdir("e", 0755));
	close(create("d/f"));
	CHECK_ERRNO(rename("d", "d/sub"), EINVAL);
	CHECK_ERRNO(rename("e", "d"), ENOTEMPTY);
	CHECK_ERRNO(rename("d/f", "e"), EISDIR);
	CHECK_ERRNO(rename("e", "d/f"), ENOTDIR);
	CHECK_ERRNO(rename("none", "x"), ENOENT);
	CHECK_OK(rename("d", "e"));
	CHECK_OK(access("e/f", F_OK));
	CHECK_OK(rename("e/f", "f"));
	CHECK_OK(rmdir("e"));
	CHECK_OK(unlink("f"));
	leave();
}

TEST(rename_to_another_file_system_is_exdev)
{
	enter();
	close(create("f"));
	if (on_ravel())
		CHECK(rename("f", "/dev/f") == -1 && (errno == EXDEV || errno == EROFS));
	CHECK_OK(unlink("f"));
	leave();
}

TEST(a_directory_lists_what_it_holds)
{
	char name[16];
	bool seen[40] = { false };
	struct dirent *entry;
	DIR *dir;
	int count = 0;

	enter();
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		close(create(name));
	}
	dir = opendir(".");
	CHECK(dir != NULL);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] == 'f') {
			int i = atoi(entry->d_name + 1);

			CHECK(!seen[i]);
			seen[i] = true;
			count++;
		}
	closedir(dir);
	CHECK_EQ(count, 40);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		CHECK_OK(unlink(name));
	}
	leave();
}

TEST(link_counts_of_directories)
{
	struct stat st;

	enter();
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(stat("d", &st));
	CHECK(S_ISDIR(st.st_mode));
	CHECK_EQ(st.st_mode & 0777, 0755);
	CHECK_OK(stat("d/..", &st));
	CHECK(st.st_ino != 0);
	CHECK_OK(rmdir("d"));
	leave();
}

/* A write() whose source is a map of the very page it writes must not deadlock. */
TEST(write_from_a_map_of_the_same_page)
{
	char *p, text[8] = "";
	int fd;

	enter();
	fd = create("f");
	CHECK_EQ(write(fd, "abcd", 4), 4);
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));
	CHECK_EQ(pwrite(fd, p, 2, 2), 2);
	CHECK_EQ(pread(fd, text, 4, 0), 4);
	CHECK_STRING(text, "abab");
	CHECK_OK(unlink("f"));
	leave();
}

TEST(appending_processes_lose_nothing)
{
	pid_t pids[4];
	int fd;

	enter();
	close(create("log"));
	for (int i = 0; i < 4; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			fd = CHECK_OK(open("log", O_WRONLY | O_APPEND));
			for (int n = 0; n < 100; n++)
				CHECK_EQ(write(fd, "0123456789", 10), 10);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		CHECK_EXIT(pids[i], 0);
	CHECK_EQ(size_of("log"), 4000);
	CHECK_OK(unlink("log"));
	leave();
}
