/*
 * mount.c - mount(2) and umount2(2): what is refused, what is busy, and that nothing stays behind.
 *
 * On the host each test runs in a mount namespace of its own, and is skipped where that is not
 * allowed. A disk is used only on Ravel, if there is a second one (make test
 * TEST=machine.second-disk).
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "usr/lib/testutil.h"

#define CYCLES	1000
#define WARM_UP 20
#define SLACK	50 /* objects: what other tasks and the caches of names need */

static char place[128]; /* an empty directory, where this test mounts */

static void enter(void)
{
	if (!on_ravel() &&
	    (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)))
		test_skip("no mount namespace of our own");
	snprintf(place, sizeof(place), "%s", tmp_path("mnt"));
	CHECK_OK(mkdir(place, 0755));
}

static void leave(void)
{
	CHECK_OK(rmdir(place));
}

static void mount_tmpfs(unsigned long flags)
{
	CHECK_OK(mount("none", place, "tmpfs", flags, NULL));
}

static const char *in_place(const char *name)
{
	static char path[2][256];
	static unsigned turn;
	char *p = path[turn++ % 2];

	snprintf(p, sizeof(path[0]), "%s/%s", place, name);
	return p;
}

static void touch_file(const char *path)
{
	CHECK_OK(close(CHECK_OK(open(path, O_RDWR | O_CREAT, 0644))));
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Does a line of this file have " <place> <type>" in it? */
static bool listed(const char *file, const char *words)
{
	static char text[32768];

	CHECK(read_text(file, text, sizeof(text)) > 0);
	return strstr(text, words);
}

TEST(hides_and_shows)
{
	struct stat before, in, after;
	struct statfs fs;
	char words[256];

	enter();
	touch_file(in_place("under"));
	CHECK_OK(stat(place, &before));
	mount_tmpfs(0);
	CHECK_OK(stat(place, &in));
	CHECK(in.st_dev != before.st_dev);
	CHECK(!exists(in_place("under")));
	touch_file(in_place("over"));
	CHECK_OK(statfs(place, &fs));
	CHECK_EQ(fs.f_type, 0x01021994);
	snprintf(words, sizeof(words), " %s tmpfs ", place);
	CHECK(listed("/proc/mounts", words));
	CHECK(listed("/proc/self/mounts", words));
	snprintf(words, sizeof(words), " %s rw", place);
	CHECK(listed("/proc/self/mountinfo", words));
	CHECK_OK(umount(place));
	CHECK(!listed("/proc/mounts", words));
	CHECK_OK(stat(place, &after));
	CHECK_EQ(after.st_ino, before.st_ino);
	CHECK(exists(in_place("under")) && !exists(in_place("over")));
	CHECK_OK(unlink(in_place("under")));
	leave();
}

TEST(types)
{
	CHECK(listed("/proc/filesystems", "nodev\ttmpfs\n"));
	CHECK(listed("/proc/filesystems", "nodev\tproc\n"));
	CHECK(listed("/proc/filesystems", "\text2\n") || !on_ravel());
}

TEST(refused)
{
	enter();
	touch_file(in_place("file"));
	CHECK_ERRNO(mount("none", place, "nosuchfs", 0, NULL), ENODEV);
	CHECK_ERRNO(mount("none", in_place("none"), "tmpfs", 0, NULL), ENOENT);
	CHECK_ERRNO(mount("none", in_place("file"), "tmpfs", 0, NULL), ENOTDIR);
	CHECK_ERRNO(mount("none", in_place("file/x"), "tmpfs", 0, NULL), ENOTDIR);
	CHECK_ERRNO(mount("none", place, NULL, 0, NULL), EINVAL);
	CHECK_ERRNO(mount("none", (char *)KERNEL_ADDRESS, "tmpfs", 0, NULL), EFAULT);
	CHECK_ERRNO(mount("none", place, (char *)KERNEL_ADDRESS, 0, NULL), EFAULT);
	CHECK_ERRNO(mount("none", place, "tmpfs", 0, (char *)KERNEL_ADDRESS), EFAULT);
	CHECK_ERRNO(mount("none", place, "tmpfs", MS_REMOUNT, NULL), EINVAL);
	CHECK_ERRNO(mount("none", place, "tmpfs", 0, "nonsense=1"), EINVAL);
	CHECK_OK(mkdir(in_place("gone"), 0755));
	CHECK_OK(chdir(in_place("gone")));
	CHECK_OK(rmdir(in_place("gone")));
	CHECK_ERRNO(mount("none", ".", "tmpfs", 0, NULL), ENOENT);
	CHECK_OK(chdir("/"));
	CHECK_ERRNO(umount(place), EINVAL);
	CHECK_ERRNO(umount(in_place("file")), EINVAL);
	CHECK_ERRNO(umount(in_place("none")), ENOENT);
	CHECK_ERRNO(umount2(place, 0x40000000), EINVAL);
	CHECK_OK(unlink(in_place("file")));
	leave();
}

TEST(refused_on_ravel)
{
	if (!on_ravel())
		test_skip("Linux knows these");
	enter();
	CHECK_ERRNO(mount("/tmp", place, NULL, MS_BIND, NULL), EINVAL);
	CHECK_ERRNO(mount("/tmp", place, NULL, MS_MOVE, NULL), EINVAL);
	CHECK_ERRNO(mount("none", place, "tmpfs", MS_SYNCHRONOUS, NULL), EINVAL);
	CHECK_ERRNO(mount("/dev/vda", place, "ext2", 0, NULL), EBUSY);
	CHECK_ERRNO(mount("/dev/null", place, "ext2", 0, NULL), ENOTBLK);
	CHECK_ERRNO(mount("/dev/none", place, "ext2", 0, NULL), ENOENT);
	CHECK_ERRNO(umount("/"), EBUSY);
	CHECK_OK(chdir(place));
	CHECK_ERRNO(umount("/tmp"), EBUSY);
	CHECK_OK(chdir("/"));
	mount_tmpfs(0);
	CHECK_ERRNO(mount("none", place, "tmpfs", 0, NULL), EBUSY);
	CHECK_ERRNO(umount2(place, MNT_DETACH), EINVAL);
	CHECK_ERRNO(umount2(place, MNT_FORCE), EINVAL);
	CHECK_OK(umount(place));
	leave();
}

TEST(busy)
{
	void *map;
	int fd;

	enter();
	mount_tmpfs(0);
	fd = CHECK_OK(open(in_place("file"), O_RDWR | O_CREAT, 0644));
	CHECK_ERRNO(umount(place), EBUSY);
	CHECK_OK(unlink(in_place("file")));
	CHECK_ERRNO(umount(place), EBUSY);
	CHECK_OK(ftruncate(fd, PAGE_SIZE));
	map = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK_OK(close(fd));
	CHECK_ERRNO(umount(place), EBUSY);
	CHECK_OK(munmap(map, PAGE_SIZE));
	CHECK_OK(mkdir(in_place("dir"), 0755));
	CHECK_OK(chdir(in_place("dir")));
	CHECK_ERRNO(umount(place), EBUSY);
	CHECK_OK(chdir("/"));
	CHECK_OK(mount("none", in_place("dir"), "tmpfs", 0, NULL));
	CHECK_ERRNO(umount(place), EBUSY);
	CHECK_ERRNO(rmdir(in_place("dir")), EBUSY);
	CHECK_ERRNO(rename(in_place("dir"), in_place("other")), EBUSY);
	CHECK_OK(chdir(in_place("dir")));
	CHECK_OK(chdir("../.."));
	CHECK_OK(umount(in_place("dir")));
	CHECK_OK(chdir("/"));
	CHECK_OK(umount(place));
	leave();
}

TEST(nofollow)
{
	char *link;

	enter();
	mount_tmpfs(0);
	link = strdup(tmp_path("link"));
	CHECK_OK(symlink(place, link));
	CHECK_ERRNO(umount2(link, UMOUNT_NOFOLLOW), EINVAL);
	CHECK_OK(umount2(link, 0));
	CHECK_OK(unlink(link));
	free(link);
	leave();
}

TEST(read_only)
{
	struct statfs fs;
	int fd;

	enter();
	mount_tmpfs(MS_RDONLY);
	CHECK_ERRNO(open(in_place("file"), O_RDWR | O_CREAT, 0644), EROFS);
	CHECK_ERRNO(mkdir(in_place("dir"), 0755), EROFS);
	CHECK_OK(statfs(place, &fs));
	CHECK(fs.f_flags & MS_RDONLY);
	CHECK_OK(mount("none", place, "tmpfs", MS_REMOUNT, NULL));
	fd = CHECK_OK(open(in_place("file"), O_RDWR | O_CREAT, 0644));
	CHECK_ERRNO(mount("none", place, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_OK(close(fd));
	CHECK_OK(mount("none", place, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL));
	CHECK_ERRNO(open(in_place("file"), O_RDWR), EROFS);
	CHECK_ERRNO(truncate(in_place("file"), 0), EROFS);
	CHECK_ERRNO(chmod(in_place("file"), 0600), EROFS);
	CHECK_ERRNO(unlink(in_place("file")), EROFS);
	CHECK_ERRNO(unlink(in_place("none")), EROFS);
	CHECK_ERRNO(rename(in_place("file"), in_place("b")), EROFS);
	CHECK_ERRNO(link(in_place("file"), in_place("b")), EROFS);
	CHECK_ERRNO(link(in_place("file"), in_place("file")), EEXIST);
	CHECK_OK(close(CHECK_OK(open(in_place("file"), O_RDONLY | O_CREAT, 0644))));
	CHECK_OK(umount(place));
	leave();
}

TEST(noexec_nodev)
{
	char *no_args[] = { NULL };
	struct statfs fs;
	void *map;
	int fd;

	enter();
	mount_tmpfs(MS_NOEXEC | MS_NODEV | MS_NOSUID);
	CHECK_OK(statfs(place, &fs));
	CHECK_EQ(fs.f_flags & 0xe, MS_NOEXEC | MS_NODEV | MS_NOSUID);
	write_file(in_place("script"), "#!/bin/sh\n", 10);
	CHECK_OK(chmod(in_place("script"), 0755));
	CHECK_OK(access(in_place("script"), R_OK | W_OK));
	CHECK_ERRNO(access(in_place("script"), X_OK), EACCES);
	CHECK_OK(access(place, X_OK));
	CHECK_ERRNO(execve(in_place("script"), no_args, no_args), EACCES);
	fd = CHECK_OK(open(in_place("script"), O_RDONLY));
	CHECK(mmap(NULL, PAGE_SIZE, PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EPERM);
	map = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK_ERRNO(mprotect(map, PAGE_SIZE, PROT_READ | PROT_EXEC), EACCES);
	CHECK_OK(munmap(map, PAGE_SIZE));
	CHECK_OK(close(fd));
	CHECK_OK(umount(place));
	leave();
}

#define OTHER 2000

CHILD(is_root)
{
	(void)argc;
	(void)argv;
	exit(geteuid() == 0 ? 0 : 1);
}

/* This program at @path, with the set-user-id bit of user OTHER. */
static void copy_self(const char *path)
{
	int in = CHECK_OK(open(self_path(), O_RDONLY));
	int out = CHECK_OK(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));

	while (CHECK_OK(sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	CHECK_OK(fchown(out, OTHER, OTHER));
	CHECK_OK(fchmod(out, 04755));
	close(in);
	close(out);
}

static pid_t spawn_as_child(const char *path)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		execl(path, path, "--child=is_root", NULL);
		_exit(2);
	}
	return pid;
}

TEST(nosuid)
{
	enter();
	mount_tmpfs(MS_NOSUID);
	copy_self(in_place("p"));
	CHECK_EXIT(spawn_as_child(in_place("p")), 0);
	CHECK_OK(umount(place));
	mount_tmpfs(0);
	copy_self(in_place("p"));
	CHECK_EXIT(spawn_as_child(in_place("p")), 1);
	CHECK_OK(umount(place));
	leave();
}

/* A tree of some depth, with links, goes as a whole. */
static void fill(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s", place);
	for (int i = 0; i < 6; i++) {
		strcat(path, "/directory");
		CHECK_OK(mkdir(path, 0755));
		write_file(in_place("a"), "some bytes", 10);
		CHECK_OK(unlink(in_place("a")));
	}
	write_file(in_place("a"), "some bytes", 10);
	CHECK_OK(link(in_place("a"), in_place("directory/b")));
	CHECK_OK(symlink("a", in_place("directory/link")));
	CHECK(!exists(in_place("directory/none")));
}

static void cycle(const char *type)
{
	CHECK_OK(mount("none", place, type, 0, NULL));
	if (strcmp(type, "tmpfs") == 0)
		fill();
	if (strcmp(type, "proc") == 0)
		CHECK(exists(in_place("self/status")));
	if (strcmp(type, "devfs") == 0)
		CHECK(exists(in_place("null")));
	CHECK_OK(umount(place));
}

/* What is lost at each mount would be there a thousand times. */
TEST(leaves_nothing)
{
	static const char *const types[] = { "tmpfs", "proc", "devfs" };
	long long before = 0;

	enter();
	for (int i = 0; i < CYCLES; i++) {
		if (i == WARM_UP)
			before = slab_objects();
		cycle(on_ravel() ? types[i % 3] : types[i % 2]);
	}
	if (on_ravel())
		CHECK_RANGE(slab_objects(), before - SLACK, before + SLACK);
	leave();
}

/* Tasks walk in and out while it is mounted and unmounted: each sees all or nothing. */
/* Goes to the place, mounted or not, in one of three ways; an errno that it must not meet, or 0. */
static int visit(unsigned way, const char *path)
{
	struct statx stx;
	struct stat st;
	int fd;

	if (way == 0)
		return stat(path, &st) && errno != ENOENT ? errno : 0;
	if (way == 1)
		return statx(AT_FDCWD, place, 0, STATX_BASIC_STATS, &stx) ? errno : 0;
	fd = open(place, O_TMPFILE | O_RDWR, 0600);
	if (fd < 0)
		return errno == EOPNOTSUPP ? 0 : errno;
	return close(fd) ? errno : 0;
}

TEST(walks_meet_unmounts)
{
	pid_t walkers[3];
	char path[256];

	enter();
	snprintf(path, sizeof(path), "%s", in_place("d/../d/file"));
	for (unsigned i = 0; i < ARRAY_LEN(walkers); i++) {
		walkers[i] = CHECK_OK(fork());
		while (walkers[i] == 0) {
			int error = visit(i, path);

			if (error)
				_exit(error);
		}
	}
	for (int i = 0; i < 100; i++) {
		mount_tmpfs(0);
		CHECK_OK(mkdir(in_place("d"), 0755));
		touch_file(in_place("d/file"));
		sched_yield();
		while (umount(place)) {
			CHECK_EQ(errno, EBUSY);
			sched_yield();
		}
	}
	for (unsigned i = 0; i < ARRAY_LEN(walkers); i++) {
		CHECK_OK(kill(walkers[i], SIGKILL));
		test_check_signal(__FILE__, __LINE__, walkers[i], SIGKILL);
	}
	leave();
}

/* The second disk, as scripts/test makes it: ext2 with blocks of 1 KiB. */
/* A file without a name goes with its last user, which is a change: not yet read-only. */
static void check_removed_keeps_writable(void)
{
	const unsigned read_only = MS_REMOUNT | MS_RDONLY;
	int fd;

	CHECK_OK(mount("/dev/vdb", place, "ext2", 0, NULL));
	CHECK_OK(close(CHECK_OK(open(in_place("gone"), O_WRONLY | O_CREAT | O_EXCL, 0644))));
	fd = CHECK_OK(open(in_place("gone"), O_RDONLY));
	CHECK_OK(unlink(in_place("gone")));
	CHECK_ERRNO(mount("/dev/vdb", place, "ext2", read_only, NULL), EBUSY);
	CHECK_OK(close(fd));
	CHECK_OK(mount("/dev/vdb", place, "ext2", read_only, NULL));
	CHECK_OK(umount(place));
}

TEST(second_disk)
{
	char text[64] = "", words[256];
	long long before = 0;
	struct statfs fs;

	if (!on_ravel() || !exists("/dev/vdb"))
		test_skip("there is no second disk");
	enter();
	if (mount("/dev/vdb", place, "ext2", MS_RDONLY, NULL) < 0 && errno == EINVAL) {
		leave();
		test_skip("the second disk has no file system");
	}
	CHECK_OK(umount(place));
	for (int i = 0; i < CYCLES; i++) {
		if (i == WARM_UP)
			before = slab_objects();
		CHECK_OK(mount("/dev/vdb", place, "ext2", MS_RDONLY, NULL));
		CHECK(read_text(in_place("dir/hello"), text, sizeof(text)) > 0);
		CHECK_STRING(text, "from the second disk\n");
		CHECK_OK(statfs(place, &fs));
		CHECK_EQ(fs.f_bsize, 1024);
		CHECK_ERRNO(mount("/dev/vdb", place, "ext2", MS_RDONLY, NULL), EBUSY);
		CHECK_ERRNO(mount("/dev/vdb", "/dev", "ext2", MS_RDONLY, NULL), EBUSY);
		snprintf(words, sizeof(words), "/dev/vdb %s ext2 ro", place);
		CHECK(listed("/proc/mounts", words));
		CHECK_OK(umount(place));
	}
	CHECK_RANGE(slab_objects(), before - SLACK, before + SLACK);
	check_removed_keeps_writable();
	leave();
}
