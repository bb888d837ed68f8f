/*
 * diskfull.c - a file system with no block and no inode left: errors undone, nothing lost.
 *
 * Where:	TEST_SMALL=directory, a small file system of its own
 *		/mnt/small, when something is mounted there
 *		Ravel: the root disk; Linux: a tmpfs of 4 MiB and 300 inodes, mounted for this TEST
 */
#include "usr/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "usr/lib/testdir.h"

#define TMPFS_MAGIC 0x01021994
#define MAX_INODES  40000 /* a disk with more free ones is not filled with them */

static unsigned char block[32768], expected[32768];
static char mounted[PATH_MAX]; /* a tmpfs of our own */

static bool is_mount_point(const char *path)
{
	char parent[PATH_MAX];
	struct stat st, above;

	snprintf(parent, sizeof(parent), "%s/..", path);
	return stat(path, &st) == 0 && stat(parent, &above) == 0 && st.st_dev != above.st_dev;
}

/* Mount a small tmpfs in a mount namespace of this process. */
static const char *mount_small(void)
{
	snprintf(mounted, sizeof(mounted), "/tmp/diskfull.XXXXXX");
	CHECK(mkdtemp(mounted) != NULL);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", mounted, "tmpfs", 0, "size=4M,nr_inodes=300")) {
		CHECK_OK(rmdir(mounted));
		SKIP("no small file system: set TEST_SMALL");
	}
	return mounted;
}

static void enter(void)
{
	const char *small = getenv("TEST_SMALL");
	struct statfs fs;

	if (!small && is_mount_point("/mnt/small"))
		small = "/mnt/small";
	if (!small && !on_ravel())
		small = mount_small();
	if (small)
		CHECK_OK(setenv("TEST_DIR", small, 1));
	test_dir();
	CHECK_OK(statfs(".", &fs));
	if (on_ravel() && fs.f_type == TMPFS_MAGIC) {
		test_dir_leave();
		SKIP("no disk that can be written");
	}
}

static void leave(void)
{
	test_dir_leave();
	if (mounted[0]) {
		CHECK_OK(umount(mounted));
		CHECK_OK(rmdir(mounted));
	}
}

static struct statfs space(void)
{
	struct statfs fs;

	CHECK_OK(statfs(".", &fs));
	return fs;
}

static bool same_space(const struct statfs *before)
{
	struct statfs now = space();

	return now.f_bfree == before->f_bfree && now.f_ffree == before->f_ffree;
}

/* Write the pattern of this key until nothing more fits; returns the file's size. */
static off_t fill(const char *name, unsigned int key)
{
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT, 0644));
	off_t size = 0;
	ssize_t n;
	struct stat st;

	for (;;) {
		fill_pattern(block, sizeof(block), key, size);
		n = write(fd, block, sizeof(block));
		if (n <= 0)
			break;
		size += n;
		if (size % (1 << 20) < n)
			test_progress();
	}
	CHECK_EQ(n, -1);
	CHECK_EQ(errno, ENOSPC);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, size);
	CHECK_OK(close(fd));
	return size;
}

/* Bytewise, so that the last block is used as well. */
static void fill_the_rest(const char *name)
{
	int fd = CHECK_OK(open(name, O_WRONLY | O_CREAT | O_APPEND, 0644));

	while (write(fd, block, 512) > 0)
		;
	CHECK_EQ(errno, ENOSPC);
	CHECK_OK(close(fd));
}

static void check_file(const char *name, unsigned int key, off_t size)
{
	int fd = CHECK_OK(open(name, O_RDONLY));
	off_t at = 0;
	ssize_t n;

	while ((n = CHECK_OK(read(fd, block, sizeof(block)))) > 0) {
		fill_pattern(expected, n, key, at);
		CHECK_EQ(memcmp(block, expected, n), 0);
		at += n;
		if (at % (1 << 20) < n)
			test_progress();
	}
	CHECK_EQ(at, size);
	CHECK_OK(close(fd));
}

static unsigned int count_names(void)
{
	unsigned int count = 0;
	DIR *dir = opendir(".");

	CHECK(dir != NULL);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

TEST(a_file_fills_the_disk)
{
	struct statfs before;
	off_t size, early = 100000;
	int fd;

	enter();
	fd = CHECK_OK(open("early", O_RDWR | O_CREAT, 0644));
	for (off_t at = 0; at < early; at += 20000) {
		fill_pattern(block, 20000, 1, at);
		CHECK_EQ(pwrite(fd, block, 20000, at), 20000);
	}
	CHECK_OK(close(CHECK_OK(open("filler", O_RDWR | O_CREAT, 0644))));
	before = space();
	size = fill("filler", 2);
	CHECK(size > 0);
	CHECK(space().f_bavail < 64);
	/* Bytes that are there can still be written over. */
	fill_pattern(block, 20000, 1, 40000);
	CHECK_EQ(pwrite(fd, block, 20000, 40000), 20000);
	fill_the_rest("filler");
	CHECK_ERRNO(pwrite(fd, "x", 1, 10 << 20), ENOSPC);
	check_file("early", 1, early);
	CHECK_OK(truncate("filler", size));
	check_file("filler", 2, size);
	CHECK_OK(truncate("filler", 0));
	WAIT_UNTIL(same_space(&before));
	fill_pattern(block, 20000, 1, early);
	CHECK_EQ(pwrite(fd, block, 20000, early), 20000);
	check_file("early", 1, early + 20000);
	CHECK_OK(close(fd));
	leave();
}

/* One attempt that makes a name. */
static int make(int kind, const char *name)
{
	static char target[300];
	int fd;

	memset(target, 't', sizeof(target) - 1);
	switch (kind) {
	case 0:
		return mkdir(name, 0755);
	case 1:
		return symlink(target, name); /* too long for the inode */
	case 2:
		return link("filler", name);
	default:
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
		return fd < 0 ? -1 : close(fd);
	}
}

/* Make names until the disk is full (false: it never was); then nothing is half made. */
static bool make_until_full(int kind)
{
	char name[32];
	struct stat before, after, st;
	unsigned int names;
	struct statfs left;

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "name%d.%d", kind, i);
		CHECK_OK(stat(".", &before));
		left = space();
		names = count_names();
		if (make(kind, name) == 0) {
			test_progress();
			continue;
		}
		CHECK_EQ(errno, ENOSPC);
		CHECK_ERRNO(lstat(name, &st), ENOENT);
		CHECK_OK(stat(".", &after));
		CHECK_EQ(after.st_nlink, before.st_nlink);
		CHECK_EQ(count_names(), names);
		CHECK(same_space(&left));
		return true;
	}
	return false;
}

TEST(names_need_space)
{
	struct statfs before;

	enter();
	CHECK_OK(mkdir("in", 0755));
	before = space();
	CHECK_OK(chdir("in"));
	fill("filler", 3);
	fill_the_rest("filler");
	for (int kind = 0; kind < 4; kind++)
		if (!make_until_full(kind))
			test_note("kind %d needs no block", kind);
	CHECK_OK(chdir(".."));
	remove_tree("in");
	CHECK_OK(mkdir("in", 0755));
	WAIT_UNTIL(same_space(&before));
	CHECK_OK(rmdir("in"));
	leave();
}

/* What a failed write took for a hole shows zeros, not what the blocks held before. */
TEST(a_hole_half_filled_when_the_disk_is_full)
{
	static unsigned char page[PAGE_SIZE], got[PAGE_SIZE], want[PAGE_SIZE];
	struct stat st;
	ssize_t n;
	int fd;

	enter();
	fd = CHECK_OK(open("hole", O_RDWR | O_CREAT, 0644));
	CHECK_OK(ftruncate(fd, PAGE_SIZE));
	fill("filler", 1);
	fill_the_rest("rest");
	sync(); /* the blocks hold something now */
	CHECK_OK(stat("filler", &st));
	CHECK_OK(truncate("filler", st.st_size - 2048));
	memset(page, 'y', sizeof(page));
	n = pwrite(fd, page, sizeof(page), 0);
	if (n > 0)
		memset(want, 'y', n);
	sync();
	drop_caches();
	CHECK_EQ(pread(fd, got, sizeof(got), 0), sizeof(got));
	CHECK_EQ(memcmp(got, want, sizeof(got)), 0);
	CHECK_OK(close(fd));
	leave();
}

/* A hole needs room when it is stored to: none is SIGBUS, and some is enough. */
TEST(a_hole_is_mapped_when_the_disk_is_full)
{
	struct stat st;
	volatile char *p;
	char byte;
	int fd;

	enter();
	fd = CHECK_OK(open("hole", O_RDWR | O_CREAT, 0644));
	CHECK_OK(ftruncate(fd, 4 * PAGE_SIZE));
	p = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	CHECK_EQ(p[PAGE_SIZE], 0); /* on tmpfs this takes a page */
	fill("filler", 1);
	fill_the_rest("rest");
	CHECK_SIGNAL({ p[2 * PAGE_SIZE] = 1; }, SIGBUS);
	CHECK_EQ(pread(fd, &byte, 1, 2 * PAGE_SIZE), 1);
	CHECK_EQ(byte, 0);
	CHECK_OK(stat("filler", &st));
	CHECK_OK(truncate("filler", st.st_size - 65536));
	p[2 * PAGE_SIZE] = 2;
	CHECK_OK(msync((void *)p, 4 * PAGE_SIZE, MS_SYNC));
	CHECK_OK(munmap((void *)p, 4 * PAGE_SIZE));
	drop_caches();
	CHECK_EQ(pread(fd, &byte, 1, 2 * PAGE_SIZE), 1);
	CHECK_EQ(byte, 2);
	CHECK_OK(close(fd));
	leave();
}

/* The disk has room for a part of it only: none of it stays. */
TEST(a_failure_gives_back_what_it_took)
{
	static unsigned char page[PAGE_SIZE];
	struct stat st;
	int fd;

	enter();
	fd = CHECK_OK(open("new", O_RDWR | O_CREAT, 0644));
	fill("filler", 1);
	fill_the_rest("rest");
	CHECK_OK(stat("filler", &st));
	CHECK_OK(truncate("filler", st.st_size - 65536));
	CHECK_EQ(fallocate(fd, 0, 0, 1 << 20), -1);
	CHECK(errno == ENOSPC || errno == EOPNOTSUPP);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 0);
	CHECK_EQ(st.st_blocks, 0);
	fill_the_rest("rest");
	CHECK_OK(stat("filler", &st));
	CHECK_OK(truncate("filler", st.st_size - 2048));
	if (pwrite(fd, page, sizeof(page), 0) < 0) {
		CHECK_OK(fstat(fd, &st));
		CHECK_EQ(st.st_size, 0);
		CHECK_EQ(st.st_blocks, 0);
	}
	CHECK_OK(close(fd));
	leave();
}

TEST(no_inode_left)
{
	struct statfs before, left;
	char name[64];
	int i;

	enter();
	before = space();
	if (before.f_ffree > MAX_INODES) {
		leave();
		SKIP("too many inodes");
	}
	for (i = 0; i <= (int)before.f_ffree; i++) {
		snprintf(name, sizeof(name), "d%d", i / 400);
		if (mkdir(name, 0755) && errno != EEXIST)
			break;
		snprintf(name, sizeof(name), "d%d/%d", i / 400, i);
		if (make(3, name))
			break;
		if (i % 64 == 0)
			test_progress();
	}
	CHECK_EQ(errno, ENOSPC);
	left = space();
	CHECK_EQ(left.f_ffree, 0);
	CHECK_ERRNO(open("one", O_WRONLY | O_CREAT, 0644), ENOSPC);
	CHECK_ERRNO(mkdir("one", 0755), ENOSPC);
	CHECK_ERRNO(symlink("to", "one"), ENOSPC);
	CHECK(same_space(&left));
	CHECK_OK(unlink("d0/0"));
	CHECK_OK(mkdir("one", 0755));
	CHECK_OK(rmdir("one"));
	for (i = 0; snprintf(name, sizeof(name), "d%d", i), access(name, F_OK) == 0; i++)
		remove_tree(name);
	/* The directory itself may have grown. */
	WAIT_UNTIL(space().f_ffree == before.f_ffree);
	CHECK(space().f_bfree + 8 >= before.f_bfree);
	leave();
}

TEST(several_writers_meet_the_end)
{
	struct statfs before;
	char name[16];
	pid_t pids[4];

	enter();
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		CHECK_OK(close(CHECK_OK(open(name, O_RDWR | O_CREAT, 0644))));
	}
	before = space();
	for (int i = 0; i < 4; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i])
			continue;
		snprintf(name, sizeof(name), "w%d", i);
		check_file(name, i, fill(name, i));
		_exit(0);
	}
	for (int i = 0; i < 4; i++)
		CHECK_EXIT(pids[i], 0);
	for (int i = 0; i < 4; i++) {
		struct stat st;

		snprintf(name, sizeof(name), "w%d", i);
		CHECK_OK(stat(name, &st));
		check_file(name, i, st.st_size);
		CHECK_OK(truncate(name, 0));
	}
	WAIT_UNTIL(same_space(&before));
	leave();
}
