/*
 * fsync.c - what sync calls, open flags and times promise, and files that live without a name.
 *
 * Whether bytes reached the disk is seen by cutting the power, which the host does; here it is
 * what the calls say. Times are compared in seconds, as ext2 keeps them.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define LONG_AGO 1000000 /* seconds since 1970 */

static int create(const char *name, const char *text)
{
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_EXCL, 0644));

	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static struct stat stat_of(const char *name)
{
	struct stat st;

	CHECK_OK(lstat(name, &st));
	return st;
}

static void check_text(int fd, const char *text)
{
	char got[64] = "";

	CHECK_EQ(pread(fd, got, sizeof(got) - 1, 0), strlen(text));
	CHECK_STRING(got, text);
}

/* ---- sync calls ---- */

TEST(fsync_and_fdatasync_of_files_and_directories)
{
	int fd, dir;

	test_dir();
	fd = create("f", "bytes");
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(fdatasync(fd), 0);
	check_text(fd, "bytes");
	close(fd);
	fd = CHECK_OK(open("f", O_RDONLY));
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(fdatasync(fd), 0);
	dir = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
	CHECK_EQ(fsync(dir), 0);
	CHECK_EQ(fdatasync(dir), 0);
	CHECK_OK(unlink("f"));
	CHECK_EQ(fsync(fd), 0);
	test_dir_leave();
}

TEST(fsync_of_what_has_no_disk)
{
	int fds[2], path;

	test_dir();
	CHECK_ERRNO(fsync(-1), EBADF);
	CHECK_ERRNO(fdatasync(-1), EBADF);
	CHECK_ERRNO(fsync(999), EBADF);
	CHECK_OK(pipe(fds));
	CHECK_ERRNO(fsync(fds[0]), EINVAL);
	CHECK_ERRNO(fsync(fds[1]), EINVAL);
	CHECK_ERRNO(fdatasync(fds[1]), EINVAL);
	path = open(".", O_PATH);
	if (path >= 0)
		CHECK_ERRNO(fsync(path), EBADF);
	test_dir_leave();
}

TEST(syncfs_takes_any_descriptor_of_the_file_system)
{
	int fd, dir;

	test_dir();
	fd = create("f", "bytes");
	CHECK_ERRNO(syncfs(-1), EBADF);
	if (on_ravel()) { /* not the whole disk of the host */
		CHECK_EQ(syncfs(fd), 0);
		dir = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
		CHECK_EQ(syncfs(dir), 0);
		sync();
	}
	check_text(fd, "bytes");
	test_dir_leave();
}

TEST(sync_file_range_checks_its_arguments)
{
	int fd, fds[2];

	test_dir();
	fd = create("f", "bytes");
	CHECK_EQ(sync_file_range(fd, 0, 0, 0), 0);
	CHECK_EQ(sync_file_range(fd, 0, 0,
				 SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
					 SYNC_FILE_RANGE_WAIT_AFTER),
		 0);
	CHECK_EQ(sync_file_range(fd, 2, 1, SYNC_FILE_RANGE_WRITE), 0);
	CHECK_EQ(sync_file_range(fd, 1 << 20, 1 << 20, SYNC_FILE_RANGE_WRITE), 0);
	CHECK_ERRNO(sync_file_range(fd, 0, 0, 8), EINVAL);
	CHECK_ERRNO(sync_file_range(fd, -1, 0, 0), EINVAL);
	CHECK_ERRNO(sync_file_range(fd, 0, -1, 0), EINVAL);
	CHECK_ERRNO(sync_file_range(-1, 0, 0, 0), EBADF);
	CHECK_OK(pipe(fds));
	CHECK_ERRNO(sync_file_range(fds[1], 0, 0, 0), ESPIPE);
	test_dir_leave();
}

TEST(synchronous_writes)
{
	static const int flags[] = { O_SYNC, O_DSYNC };

	test_dir();
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		int fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_TRUNC | flags[i], 0644));

		CHECK_EQ(fcntl(fd, F_GETFL) & O_SYNC, flags[i]);
		CHECK_EQ(write(fd, "abc", 3), 3);
		CHECK_EQ(pwrite(fd, "d", 1, 3), 1);
		check_text(fd, "abcd");
		CHECK_OK(close(fd));
	}
	test_dir_leave();
}

/* ---- open flags ---- */

TEST(append_and_truncate)
{
	int fd, other;

	test_dir();
	fd = create("f", "12345");
	other = CHECK_OK(open("f", O_RDWR | O_APPEND));
	CHECK_EQ(lseek(other, 0, SEEK_CUR), 0);
	CHECK_EQ(write(other, "6", 1), 1);
	CHECK_EQ(lseek(other, 0, SEEK_CUR), 6);
	check_text(fd, "123456");
	CHECK_OK(close(CHECK_OK(open("f", O_WRONLY | O_TRUNC))));
	check_text(fd, "");
	CHECK_EQ(write(other, "x", 1), 1);
	check_text(fd, "x");
	CHECK_EQ(write(fd, "end", 3), 3); /* at 5, where its own offset is */
	CHECK_EQ(stat_of("f").st_size, 8);
	test_dir_leave();
}

TEST(open_flags_and_their_errors)
{
	test_dir();
	close(create("f", "text"));
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(symlink("f", "l"));
	CHECK_OK(symlink("d", "ld"));
	CHECK_OK(symlink("loop", "loop"));
	CHECK_ERRNO(open("f", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_ERRNO(open("d", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_ERRNO(open("l", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_ERRNO(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("l", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERRNO(open("ld", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERRNO(open("loop", O_RDONLY), ELOOP);
	CHECK_ERRNO(open("d", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("d", O_RDONLY | O_CREAT, 0644), EISDIR);
	CHECK_ERRNO(open("f/x", O_RDWR | O_CREAT, 0644), ENOTDIR);
	CHECK_ERRNO(open("none/x", O_RDWR | O_CREAT, 0644), ENOENT);
	CHECK_OK(close(CHECK_OK(open("ld", O_RDONLY | O_DIRECTORY))));
	CHECK_EQ(stat_of("f").st_size, 4);
	test_dir_leave();
}

/* ---- files without a name ---- */

TEST(removed_while_open_and_mapped)
{
	struct stat st;
	char *p;
	int fd;

	test_dir();
	fd = create("f", "still here");
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));
	CHECK_OK(unlink("f"));
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(st.st_size, 10);
	CHECK_EQ(pwrite(fd, "S", 1, 0), 1);
	check_text(fd, "Still here");
	CHECK_EQ(pwrite(fd, "x", 1, 300000), 1);
	CHECK_OK(ftruncate(fd, 10));
	CHECK_OK(close(fd));
	CHECK_EQ(memcmp(p + 1, "till here", 9), 0);
	CHECK_OK(munmap(p, PAGE_SIZE));
	test_dir_leave();
}

TEST(rename_over_an_open_file)
{
	struct stat st;
	int old, new;

	test_dir();
	old = create("f", "old");
	new = create("g", "new");
	CHECK_OK(rename("g", "f"));
	CHECK_OK(fstat(old, &st));
	CHECK_EQ(st.st_nlink, 0);
	CHECK_OK(fstat(new, &st));
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(st.st_ino, stat_of("f").st_ino);
	check_text(old, "old");
	CHECK_EQ(write(old, "er", 2), 2);
	check_text(old, "older");
	check_text(CHECK_OK(open("f", O_RDONLY)), "new");
	test_dir_leave();
}

TEST(hard_links_are_counted)
{
	int fd;

	test_dir();
	fd = create("a", "one file");
	CHECK_OK(link("a", "b"));
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(link("b", "d/c"));
	CHECK_EQ(stat_of("a").st_nlink, 3);
	CHECK_EQ(stat_of("a").st_ino, stat_of("d/c").st_ino);
	CHECK_OK(rename("a", "b")); /* two names of one file: nothing happens */
	CHECK_EQ(stat_of("a").st_nlink, 3);
	CHECK_OK(unlink("a"));
	CHECK_EQ(stat_of("b").st_nlink, 2);
	CHECK_ERRNO(link("d", "e"), EPERM);
	CHECK_ERRNO(link("none", "e"), ENOENT);
	CHECK_ERRNO(link("b", "d/c"), EEXIST);
	CHECK_OK(unlink("b"));
	check_text(CHECK_OK(open("d/c", O_RDONLY)), "one file");
	CHECK_OK(close(fd));
	test_dir_leave();
}

/* ---- times ---- */

static void age(const char *name)
{
	struct timespec old[2] = { { .tv_sec = LONG_AGO }, { .tv_sec = LONG_AGO } };

	CHECK_OK(utimensat(AT_FDCWD, name, old, AT_SYMLINK_NOFOLLOW));
	CHECK_EQ(stat_of(name).st_mtim.tv_sec, LONG_AGO);
}

/* The call makes the file's mtime new (true) or leaves it alone. Both are old before it. */
#define CHECK_MTIME(name, changes, call)                                                           \
	do {                                                                                       \
		age(name);                                                                         \
		CHECK_OK(call);                                                                    \
		CHECK_EQ(stat_of(name).st_mtim.tv_sec != LONG_AGO, (changes));                     \
	} while (0)

TEST(what_changes_the_time_of_a_file)
{
	char byte;
	int fd;

	test_dir();
	fd = create("f", "some bytes");
	CHECK_MTIME("f", true, pwrite(fd, "x", 1, 0));
	CHECK_MTIME("f", false, pwrite(fd, "x", 0, 0));
	CHECK_MTIME("f", false, pread(fd, &byte, 1, 0));
	CHECK_MTIME("f", true, ftruncate(fd, 5));
	CHECK_MTIME("f", true, ftruncate(fd, 50));
	CHECK_MTIME("f", true, truncate("f", 20));
	CHECK_MTIME("f", true, close(CHECK_OK(open("f", O_WRONLY | O_TRUNC))));
	CHECK_MTIME("f", false, close(CHECK_OK(open("f", O_RDWR | O_CREAT, 0644))));
	CHECK_MTIME("f", false, chmod("f", 0600));
	CHECK_MTIME("f", false, link("f", "g"));
	CHECK_MTIME("f", false, unlink("g"));
	CHECK_MTIME("f", false, rename("f", "h") ? -1 : rename("h", "f"));
	test_dir_leave();
}

TEST(what_changes_the_time_of_a_directory)
{
	test_dir();
	CHECK_OK(mkdir("d", 0755));
	CHECK_MTIME("d", true, close(create("d/f", "text")));
	CHECK_MTIME("d", false, chmod("d/f", 0600));
	CHECK_MTIME("d", false, truncate("d/f", 1));
	CHECK_MTIME("d", true, link("d/f", "d/g"));
	CHECK_MTIME("d", true, rename("d/g", "d/h"));
	CHECK_MTIME("d", true, unlink("d/h"));
	CHECK_MTIME("d", true, symlink("to", "d/l"));
	CHECK_MTIME("d", true, mkdir("d/sub", 0755));
	CHECK_MTIME("d", true, rename("d/sub", "sub"));
	CHECK_MTIME("d", true, rename("sub", "d/sub"));
	CHECK_MTIME("d", true, rmdir("d/sub"));
	CHECK_MTIME("d", false, access("d/f", F_OK));
	test_dir_leave();
}

TEST(new_files_have_the_time_of_now)
{
	time_t start = time(NULL) - 1;
	struct stat st;

	test_dir();
	close(create("f", "text"));
	st = stat_of("f");
	CHECK_RANGE(st.st_mtim.tv_sec, start, time(NULL) + 1);
	CHECK_RANGE(st.st_atim.tv_sec, start, time(NULL) + 1);
	CHECK_RANGE(st.st_ctim.tv_sec, start, time(NULL) + 1);
	age("f");
	CHECK_RANGE(stat_of("f").st_ctim.tv_sec, start, time(NULL) + 1);
	test_dir_leave();
}

TEST(utimensat_now_and_omit)
{
	struct timespec omit[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 77 } };
	struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } };
	struct timespec wrong[2] = { { .tv_nsec = 1000000000 }, { .tv_sec = 1 } };

	test_dir();
	close(create("f", "text"));
	age("f");
	CHECK_OK(utimensat(AT_FDCWD, "f", omit, 0));
	CHECK_EQ(stat_of("f").st_atim.tv_sec, LONG_AGO);
	CHECK_EQ(stat_of("f").st_mtim.tv_sec, 77);
	CHECK_OK(utimensat(AT_FDCWD, "f", now, 0));
	CHECK(stat_of("f").st_atim.tv_sec > LONG_AGO);
	CHECK_EQ(stat_of("f").st_mtim.tv_sec, 77);
	CHECK_ERRNO(utimensat(AT_FDCWD, "f", wrong, 0), EINVAL);
	CHECK_ERRNO(utimensat(AT_FDCWD, "none", now, 0), ENOENT);
	CHECK_OK(utimensat(AT_FDCWD, "f", NULL, 0));
	CHECK(stat_of("f").st_mtim.tv_sec > LONG_AGO);
	test_dir_leave();
}

/* ---- space ---- */

TEST(fallocate_and_its_modes)
{
	int fd, fds[2];

	test_dir();
	fd = create("f", "text");
	if (fallocate(fd, 0, 0, 4)) {
		CHECK(errno == EOPNOTSUPP && !on_ravel());
		test_dir_leave();
		SKIP("this file system has no fallocate");
	}
	CHECK_ERRNO(fallocate(-1, 0, 0, 1), EBADF);
	CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
	CHECK_ERRNO(fallocate(fd, 0, -1, 1), EINVAL);
	CHECK_ERRNO(fallocate(CHECK_OK(open("f", O_RDONLY)), 0, 0, 1), EBADF);
	CHECK_OK(pipe(fds));
	CHECK_ERRNO(fallocate(fds[1], 0, 0, 1), ESPIPE);
	if (fallocate(fd, 0, 0, 10000) == 0) {
		CHECK_EQ(stat_of("f").st_size, 10000);
		CHECK(stat_of("f").st_blocks >= 16);
		CHECK_OK(ftruncate(fd, 4));
	} else {
		CHECK_EQ(errno, EOPNOTSUPP);
	}
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10000))
		CHECK_EQ(errno, EOPNOTSUPP);
	CHECK_EQ(stat_of("f").st_size, 4);
	check_text(fd, "text");
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1, 2)) {
		CHECK_EQ(errno, EOPNOTSUPP);
	} else {
		char got[4];

		CHECK_EQ(pread(fd, got, 4, 0), 4);
		CHECK_EQ(memcmp(got, "t\0\0t", 4), 0);
	}
	test_dir_leave();
}

TEST(blocks_follow_the_bytes)
{
	static unsigned char block[50000];
	int fd;

	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0644));
	CHECK_EQ(stat_of("f").st_blocks, 0);
	fill_pattern(block, sizeof(block), 1, 0);
	CHECK_EQ(write(fd, block, sizeof(block)), sizeof(block));
	fsync(fd); /* some file systems count only then */
	CHECK_RANGE(stat_of("f").st_blocks, 50000 / 512, 65536 / 512);
	CHECK_OK(ftruncate(fd, 0));
	CHECK_EQ(stat_of("f").st_blocks, 0);
	CHECK_OK(ftruncate(fd, 1 << 20));
	CHECK_EQ(stat_of("f").st_blocks, 0);
	test_dir_leave();
}

/* So far into the file that two pointer blocks and more lead to the bytes. */
TEST(blocks_far_into_a_file_are_counted_and_given_back)
{
	static unsigned char bytes[100 * 4096];
	const off_t at = (12 + 1024) * 4096;
	int fd;

	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0644));
	fill_pattern(bytes, sizeof(bytes), 1, 0);
	CHECK_EQ(pwrite(fd, bytes, sizeof(bytes), at), sizeof(bytes));
	fsync(fd); /* some file systems count only then */
	/* ext2 counts the blocks of pointers, too. */
	CHECK_RANGE(stat_of("f").st_blocks, sizeof(bytes) / 512 + on_ravel(), 900);
	CHECK_OK(ftruncate(fd, at + sizeof(bytes) / 2));
	fsync(fd);
	CHECK_RANGE(stat_of("f").st_blocks, sizeof(bytes) / 2 / 512, 500);
	CHECK_OK(ftruncate(fd, 0));
	CHECK_EQ(stat_of("f").st_blocks, 0);
	test_dir_leave();
}

/* A page of a new file gets its block before its bytes come: when none come it is given back. */
TEST(a_write_that_fails_keeps_no_blocks)
{
	char *buf = map_anon(2 * PAGE_SIZE);
	int fd;

	if (!on_ravel())
		SKIP("others may keep what they set aside");
	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0644));
	memset(buf, 'x', PAGE_SIZE);
	CHECK_OK(munmap(buf + PAGE_SIZE, PAGE_SIZE));
	CHECK_ERRNO(write(fd, buf + PAGE_SIZE, PAGE_SIZE), EFAULT);
	CHECK_EQ(stat_of("f").st_blocks, 0);
	CHECK_EQ(stat_of("f").st_size, 0);
	CHECK_EQ(write(fd, buf, 2 * PAGE_SIZE), PAGE_SIZE);
	CHECK_RANGE(stat_of("f").st_blocks, 1, PAGE_SIZE / 512);
	test_dir_leave();
}

/* A page that is on its way to the disk may not go before it got there. */
TEST(truncated_while_it_is_written)
{
	static char bytes[16 * PAGE_SIZE];
	char got = 0;
	int fd;

	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0644));
	memset(bytes, 'x', sizeof(bytes));
	for (int i = 0; i < 50; i++) {
		CHECK_EQ(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
		CHECK_OK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
		CHECK_OK(ftruncate(fd, i % 2 ? 0 : 100));
		CHECK_OK(ftruncate(fd, sizeof(bytes)));
		CHECK_EQ(pread(fd, &got, 1, 100), 1);
		CHECK_EQ(got, 0);
	}
	test_dir_leave();
}

/* Blocks of a page that a truncation gave back are made anew by the next write there. */
TEST(written_again_behind_a_truncation)
{
	static char got[PAGE_SIZE], want[PAGE_SIZE];
	int fd;

	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0644));
	memset(got, 'x', sizeof(got));
	CHECK_EQ(write(fd, got, sizeof(got)), sizeof(got));
	CHECK_OK(fsync(fd));
	CHECK_OK(ftruncate(fd, 100));
	memset(want, 'x', 100);
	memset(want + 3000, 'y', sizeof(want) - 3000);
	CHECK_EQ(pwrite(fd, want + 3000, sizeof(want) - 3000, 3000), sizeof(want) - 3000);
	CHECK_OK(fsync(fd));
	drop_caches();
	CHECK_EQ(pread(fd, got, sizeof(got), 0), sizeof(got));
	CHECK_EQ(memcmp(got, want, sizeof(got)), 0);
	test_dir_leave();
}

/* ---- what is left when the caches are gone ---- */

TEST(bytes_that_were_cut_off_do_not_come_back)
{
	char got[8192], zeros[8192] = { 0 };
	int fd;

	test_dir();
	memset(got, 'x', sizeof(got));
	fd = create("f", "");
	CHECK_EQ(write(fd, got, sizeof(got)), sizeof(got));
	CHECK_OK(fsync(fd));
	CHECK_OK(ftruncate(fd, 100));
	CHECK_OK(fsync(fd));
	drop_caches();
	CHECK_OK(ftruncate(fd, sizeof(got)));
	CHECK_EQ(pread(fd, got, sizeof(got), 0), sizeof(got));
	CHECK_EQ(memcmp(got + 100, zeros, sizeof(got) - 100), 0);
	CHECK_EQ(got[99], 'x');
	close(fd);
	test_dir_leave();
}

/* Short ones lie in the inode, longer ones in a block: where is the border? */
TEST(links_of_many_lengths_are_read_back)
{
	char target[301] = "", got[301], name[16];

	test_dir();
	for (int len = 1; len <= 300; len += len < 50 || len > 70 ? 9 : 1) {
		memset(target, 'a' + len % 26, len);
		snprintf(name, sizeof(name), "l%d", len);
		CHECK_OK(symlink(target, name));
	}
	sync();
	drop_caches();
	memset(target, 0, sizeof(target));
	for (int len = 1; len <= 300; len += len < 50 || len > 70 ? 9 : 1) {
		memset(target, 'a' + len % 26, len);
		snprintf(name, sizeof(name), "l%d", len);
		memset(got, 0, sizeof(got));
		CHECK_EQ(readlink(name, got, sizeof(got) - 1), len);
		CHECK_STRING(got, target);
	}
	test_dir_leave();
}

TEST(size_times_and_owners_are_read_back)
{
	struct timespec times[2] = { { LONG_AGO, 123456789 }, { 5000000000, 987654321 } };
	const off_t size = ((off_t)5 << 30) + 3;
	struct stat st;

	test_dir();
	close(create("f", ""));
	CHECK_OK(truncate("f", size));
	CHECK_OK(chown("f", 70000, 80000));
	CHECK_OK(chmod("f", 04751));
	CHECK_OK(utimensat(AT_FDCWD, "f", times, 0));
	sync();
	drop_caches();
	st = stat_of("f");
	CHECK_EQ(st.st_atim.tv_sec, LONG_AGO);
	CHECK_EQ(st.st_atim.tv_nsec, 123456789);
	CHECK_EQ(st.st_mtim.tv_sec, 5000000000); /* past 2038 */
	CHECK_EQ(st.st_mtim.tv_nsec, 987654321);
	CHECK_EQ(st.st_size, size); /* both halves */
	CHECK_EQ(st.st_uid, 70000);
	CHECK_EQ(st.st_gid, 80000);
	CHECK_EQ(st.st_mode, S_IFREG | 04751);
	test_dir_leave();
}

/* ---- the end of a process ---- */

static unsigned long free_blocks(void)
{
	struct statvfs st;

	sync(); /* what was removed is free on every file system then */
	CHECK_OK(statvfs(".", &st));
	return st.f_bfree;
}

/* A task that was killed still has to read from the disk what it needs to give a file back. */
TEST(a_killed_process_gives_its_removed_file_back)
{
	unsigned long before;
	char text[4096];
	pid_t child;
	int fd;

	if (!on_ravel())
		SKIP("others use the host's disk");
	test_dir();
	memset(text, 'x', sizeof(text));
	CHECK_OK(close(create("f", ""))); /* the directory keeps the block that holds the name */
	CHECK_OK(unlink("f"));
	before = free_blocks();
	fd = create("f", "");
	for (int i = 0; i < 64; i++) /* so many that it has a block of pointers */
		CHECK_EQ(pwrite(fd, text, sizeof(text), (off_t)i * 16 * 4096), sizeof(text));
	child = fork();
	CHECK_OK(child);
	if (child == 0) {
		for (;;)
			pause();
	}
	CHECK_OK(unlink("f"));
	close(fd);
	CHECK(free_blocks() < before);
	drop_caches();
	CHECK_OK(kill(child, SIGKILL));
	CHECK_OK(waitpid(child, NULL, 0));
	WAIT_UNTIL(free_blocks() == before);
	test_dir_leave();
}

/* Writes small files and syncs each until it is killed. */
static void sync_for_ever(void)
{
	for (int i = 0;; i = (i + 1) % 8) {
		char name[16];
		int fd;

		sprintf(name, "k%d", i);
		fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
		if (fd < 0 || write(fd, name, sizeof(name)) < 0)
			_exit(1);
		fsync(fd);
		close(fd);
	}
}

/* A commit that a killed task had begun is no failed write, and nobody is told of one. */
TEST(killed_in_the_middle_of_a_sync)
{
	int fd, status;

	test_dir();
	fd = create("mine", "");
	for (int i = 0; i < 40; i++) {
		pid_t child = fork();

		CHECK_OK(child);
		if (child == 0)
			sync_for_ever();
		for (unsigned n = 1 + test_random() % 4; n > 0; n--) {
			test_pause(1);
			drop_caches(); /* so that it has to read its metadata again */
		}
		CHECK_OK(kill(child, SIGKILL));
		CHECK_OK(waitpid(child, &status, 0));
		CHECK(WIFSIGNALED(status));
		test_progress();
	}
	CHECK_OK(fsync(fd));
	CHECK_OK(syncfs(fd));
	close(fd);
	test_dir_leave();
}

/* ---- writes that fail half way ---- */

/* What a failed write at the end of a file took back must not be missed by the next one there. */
TEST(a_write_after_one_with_a_bad_pointer)
{
	char got[8192], want[8192];
	char *page = map_anon(2 * PAGE_SIZE);
	int fd;

	test_dir();
	memset(want, 'x', sizeof(want));
	memset(page, 'x', PAGE_SIZE);
	CHECK_OK(munmap(page + PAGE_SIZE, PAGE_SIZE));
	fd = create("f", "");
	CHECK_ERRNO(write(fd, page + PAGE_SIZE, PAGE_SIZE), EFAULT);
	/* 100 bytes of a page: blocks that are smaller go again. */
	CHECK_EQ(write(fd, page + PAGE_SIZE - 100, PAGE_SIZE), 100);
	CHECK_EQ(write(fd, page, PAGE_SIZE - 100), PAGE_SIZE - 100);
	CHECK_ERRNO(write(fd, page + PAGE_SIZE, 1), EFAULT);
	CHECK_EQ(write(fd, page, PAGE_SIZE), PAGE_SIZE);
	CHECK_OK(fsync(fd));
	drop_caches();
	CHECK_EQ(pread(fd, got, sizeof(got), 0), sizeof(got));
	CHECK_EQ(memcmp(got, want, sizeof(got)), 0);
	close(fd);
	test_dir_leave();
}

static void grow_past_limit(int fd)
{
	struct rlimit limit = { PAGE_SIZE, PAGE_SIZE };

	CHECK_OK(setrlimit(RLIMIT_FSIZE, &limit));
	CHECK_OK(ftruncate(fd, PAGE_SIZE + 1));
}

TEST(no_file_grows_past_the_limit_of_sizes)
{
	int fd;

	test_dir();
	fd = create("f", "bytes");
	CHECK_CHILD({
		struct rlimit limit;

		limit.rlim_cur = limit.rlim_max = PAGE_SIZE;
		signal(SIGXFSZ, SIG_IGN);
		CHECK_OK(ftruncate(fd, 2 * PAGE_SIZE));
		CHECK_OK(setrlimit(RLIMIT_FSIZE, &limit));
		CHECK_ERRNO(ftruncate(fd, 2 * PAGE_SIZE + 1), EFBIG);
		CHECK_ERRNO(truncate("f", 3 * PAGE_SIZE), EFBIG);
		CHECK_ERRNO(pwrite(fd, "x", 1, PAGE_SIZE), EFBIG);
		CHECK_EQ(pwrite(fd, "crosses", 7, PAGE_SIZE - 4), 4);
		CHECK_OK(ftruncate(fd, PAGE_SIZE + 1)); /* it was longer */
		CHECK_OK(ftruncate(fd, PAGE_SIZE));
		if (fallocate(fd, 0, 0, PAGE_SIZE) == 0)
			CHECK_ERRNO(fallocate(fd, 0, 0, PAGE_SIZE + 1), EFBIG);
	});
	CHECK_SIGNAL({ grow_past_limit(fd); }, SIGXFSZ);
	close(fd);
	test_dir_leave();
}
