/*
 * cred.c - users and groups: who may change ids, and what permissions allow to whom.
 *
 * TESTs run as root; what others may do is tried in children that gave root up.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "usr/lib/testutil.h"

#define USER  1000
#define OTHER 2000
#define GROUP 100

/* A directory that everybody may search, and nobody but root may write; the current one then. */
static char directory[128];

static void enter(void)
{
	umask(0);
	snprintf(directory, sizeof(directory), "%s", tmp_path("cred"));
	CHECK_OK(mkdir(directory, 0755));
	CHECK_OK(chdir(directory));
}

static void leave(void)
{
	CHECK_OK(chdir("/"));
	CHECK_OK(rmdir(directory));
}

static void make_file(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	int fd = CHECK_OK(open(name, O_WRONLY | O_CREAT | O_EXCL, 0600));

	CHECK_EQ(write(fd, "text", 4), 4);
	CHECK_OK(fchown(fd, uid, gid));
	CHECK_OK(fchmod(fd, mode));
	close(fd);
}

static void make_dir(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	CHECK_OK(mkdir(name, 0700));
	CHECK_OK(chown(name, uid, gid));
	CHECK_OK(chmod(name, mode));
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	CHECK_OK(lstat(name, &st));
	return st.st_mode & 07777;
}

static void become(uid_t uid, gid_t gid)
{
	CHECK_OK(setgroups(0, NULL));
	CHECK_OK(setresgid(gid, gid, gid));
	CHECK_OK(setresuid(uid, uid, uid));
}

/* CHECK_CHILD() as another user. */
#define AS(uid, gid, ...)                                                                          \
	CHECK_CHILD({                                                                              \
		become(uid, gid);                                                                  \
		__VA_ARGS__;                                                                       \
	})

static void check_uids(uid_t real, uid_t effective, uid_t saved)
{
	uid_t r, e, s;

	CHECK_OK(getresuid(&r, &e, &s));
	CHECK_EQ(r, real);
	CHECK_EQ(e, effective);
	CHECK_EQ(s, saved);
	CHECK_EQ(getuid(), real);
	CHECK_EQ(geteuid(), effective);
}

TEST(setuid_of_root_is_for_good)
{
	CHECK_CHILD({
		CHECK_OK(setgid(GROUP));
		CHECK_OK(setuid(USER));
		check_uids(USER, USER, USER);
		CHECK_EQ(getgid(), GROUP);
		CHECK_EQ(getegid(), GROUP);
		CHECK_ERRNO(setuid(0), EPERM);
		CHECK_ERRNO(setgid(0), EPERM);
		CHECK_ERRNO(seteuid(OTHER), EPERM);
		CHECK_OK(setuid(USER));
		CHECK_ERRNO(setgroups(0, NULL), EPERM);
	});
	check_uids(0, 0, 0);
}

TEST(effective_ids_come_and_go)
{
	CHECK_CHILD({
		CHECK_OK(seteuid(USER));
		check_uids(0, USER, 0);
		CHECK_OK(seteuid(0));
		CHECK_OK(setreuid(USER, 0));
		check_uids(USER, 0, 0);
		CHECK_OK(setresuid(USER, OTHER, 0));
		check_uids(USER, OTHER, 0);
		CHECK_ERRNO(setresuid(-1, USER + 1, -1), EPERM);
		CHECK_OK(setresuid(-1, USER, -1));
		CHECK_OK(setreuid(-1, 0));
		check_uids(USER, 0, 0);
		CHECK_OK(setreuid(OTHER, USER));
		check_uids(OTHER, USER, USER);
		CHECK_OK(setreuid(USER, OTHER)); /* exchanged */
		check_uids(USER, OTHER, OTHER);
		CHECK_ERRNO(setreuid(0, -1), EPERM);
		CHECK_ERRNO(setuid(-1), EINVAL);
	});
}

TEST(fs_ids_are_for_files)
{
	CHECK_CHILD({
		CHECK_EQ(setfsuid(USER), 0);
		CHECK_EQ(setfsuid(-1), USER);
		CHECK_EQ(setfsuid(0), USER);
		CHECK_EQ(setfsgid(GROUP), 0);
		CHECK_EQ(setfsgid(-1), GROUP);
		CHECK_OK(seteuid(USER));
		CHECK_EQ(setfsuid(-1), USER); /* it follows */
		CHECK_EQ(setfsuid(OTHER), USER);
		CHECK_EQ(setfsuid(-1), USER);
	});
}

TEST(groups)
{
	static gid_t many[33];
	gid_t in[3] = { 30, 10, 20 }, out[3];
	volatile int minus = -1;

	CHECK_CHILD({
		CHECK_OK(setgroups(3, in));
		CHECK_EQ(getgroups(0, NULL), 3);
		CHECK_EQ(getgroups(3, out), 3);
		CHECK(out[0] == 10 && out[1] == 20 && out[2] == 30);
		CHECK_ERRNO(getgroups(2, out), EINVAL);
		CHECK_ERRNO(getgroups(minus, out), EINVAL);
		CHECK_ERRNO(setgroups(65537, many), EINVAL);
		if (on_ravel())
			CHECK_ERRNO(setgroups(33, many), EINVAL);
		CHECK_CHILD({ CHECK_EQ(getgroups(0, NULL), 3); });
	});
}

TEST(proc_status_tells)
{
	static char text[8192];

	CHECK_CHILD({
		gid_t list[2] = { 7, 5 };

		CHECK_OK(setgroups(2, list));
		CHECK_OK(setresgid(GROUP, GROUP + 1, GROUP + 2));
		CHECK_OK(setresuid(USER, USER + 1, USER + 2));
		CHECK(read_text("/proc/self/status", text, sizeof(text)) > 0);
		CHECK(strstr(text, "\nUid:\t1000\t1001\t1002\t1001\n"));
		CHECK(strstr(text, "\nGid:\t100\t101\t102\t101\n"));
		CHECK(strstr(text, "\nGroups:\t5 7 \n"));
	});
}

TEST(mode_bits_say_who_reads_and_writes)
{
	enter();
	make_file("f", 0640, USER, GROUP);
	AS(USER, OTHER, {
		close(CHECK_OK(open("f", O_RDWR)));
		CHECK_ERRNO(access("f", X_OK), EACCES);
	});
	AS(OTHER, GROUP, {
		close(CHECK_OK(open("f", O_RDONLY)));
		CHECK_ERRNO(open("f", O_WRONLY), EACCES);
		CHECK_ERRNO(open("f", O_RDONLY | O_TRUNC), EACCES);
		CHECK_ERRNO(truncate("f", 0), EACCES);
	});
	AS(OTHER, OTHER, { CHECK_ERRNO(open("f", O_RDONLY), EACCES); });
	CHECK_OK(chmod("f", 0070));
	AS(USER, GROUP, { CHECK_ERRNO(open("f", O_RDONLY), EACCES); }); /* the first that fits */
	CHECK_CHILD({
		gid_t list[1] = { GROUP };

		CHECK_OK(setgroups(1, list));
		CHECK_OK(setresuid(OTHER, OTHER, OTHER));
		close(CHECK_OK(open("f", O_RDWR)));
	});
	CHECK_OK(chmod("f", 0));
	close(CHECK_OK(open("f", O_RDWR)));
	CHECK_ERRNO(access("f", X_OK), EACCES);
	CHECK_OK(unlink("f"));
	leave();
}

TEST(directories_want_search_and_write)
{
	enter();
	make_dir("d", 0700, USER, GROUP);
	make_file("d/f", 0666, OTHER, OTHER);
	AS(OTHER, OTHER, {
		CHECK_ERRNO(open("d/f", O_RDONLY), EACCES);
		CHECK_ERRNO(access("d/none", F_OK), EACCES);
		CHECK_ERRNO(chdir("d"), EACCES);
		CHECK_ERRNO(open("d", O_RDONLY), EACCES);
	});
	CHECK_OK(chmod("d", 0711));
	AS(OTHER, OTHER, {
		close(CHECK_OK(open("d/f", O_RDONLY)));
		CHECK_OK(chdir("d"));
		CHECK_ERRNO(open(".", O_RDONLY), EACCES);
		CHECK_ERRNO(open("new", O_WRONLY | O_CREAT, 0600), EACCES);
		CHECK_ERRNO(mkdir("new", 0700), EACCES);
		CHECK_ERRNO(symlink("x", "new"), EACCES);
		CHECK_ERRNO(unlink("f"), EACCES);
		CHECK_ERRNO(rename("f", "g"), EACCES);
		CHECK_ERRNO(mkdir("f", 0700), EEXIST);
	});
	AS(USER, GROUP, {
		struct stat st;

		CHECK_OK(unlink("d/f")); /* its owner does not matter */
		close(CHECK_OK(open("d/new", O_WRONLY | O_CREAT, 0600)));
		CHECK_OK(stat("d/new", &st));
		CHECK_EQ(st.st_uid, USER);
		CHECK_EQ(st.st_gid, GROUP);
		CHECK_OK(rename("d/new", "d/other"));
		CHECK_OK(unlink("d/other"));
	});
	CHECK_OK(rmdir("d"));
	leave();
}

TEST(sticky_directories_protect_owners)
{
	enter();
	make_dir("d", 01777, USER, GROUP);
	make_file("d/f", 0666, OTHER, OTHER);
	make_dir("d/sub", 0777, OTHER, OTHER);
	make_file("d/mine", 0666, USER + 1, OTHER);
	AS(USER + 1, OTHER, {
		CHECK_ERRNO(unlink("d/f"), EPERM);
		CHECK_ERRNO(rmdir("d/sub"), EPERM);
		CHECK_ERRNO(rename("d/f", "d/g"), EPERM);
		CHECK_ERRNO(rename("d/mine", "d/f"), EPERM);
		CHECK_OK(rename("d/mine", "d/yours"));
		CHECK_OK(unlink("d/yours"));
	});
	AS(USER, GROUP, { CHECK_OK(rmdir("d/sub")); }); /* the directory's owner */
	AS(OTHER, OTHER, { CHECK_OK(unlink("d/f")); });
	CHECK_OK(rmdir("d"));
	leave();
}

TEST(a_moved_directory_must_be_writable)
{
	enter();
	make_dir("a", 0777, USER, GROUP);
	make_dir("b", 0777, USER, GROUP);
	make_dir("a/d", 0755, OTHER, GROUP);
	AS(USER, GROUP, {
		CHECK_ERRNO(rename("a/d", "b/d"), EACCES);
		CHECK_OK(rename("a/d", "a/e"));
	});
	AS(OTHER, GROUP, { CHECK_OK(rename("a/e", "b/d")); });
	/* So must one that moves because it changes places with a file. */
	make_file("a/f", 0644, USER, GROUP);
	AS(USER, GROUP,
	   { CHECK_ERRNO(renameat2(AT_FDCWD, "a/f", AT_FDCWD, "b/d", RENAME_EXCHANGE), EACCES); });
	AS(OTHER, GROUP,
	   { CHECK_OK(renameat2(AT_FDCWD, "a/f", AT_FDCWD, "b/d", RENAME_EXCHANGE)); });
	CHECK_OK(unlink("b/d"));
	CHECK_OK(rmdir("a/f"));
	/* Who may not, is told so before anything else is said of the two. */
	make_file("f", 0644, USER, GROUP);
	AS(USER, GROUP, { CHECK_ERRNO(rename("a", "f"), EACCES); });
	AS(USER, GROUP, { CHECK_ERRNO(rename("f", "a"), EACCES); });
	CHECK_OK(unlink("f"));
	CHECK_OK(rmdir("a"));
	CHECK_OK(rmdir("b"));
	leave();
}

TEST(who_may_chmod_and_chown)
{
	struct stat st;

	enter();
	make_file("f", 0644, USER, GROUP);
	AS(OTHER, OTHER, {
		CHECK_ERRNO(chmod("f", 0666), EPERM);
		CHECK_ERRNO(chown("f", OTHER, -1), EPERM);
		CHECK_ERRNO(chown("f", -1, OTHER), EPERM);
	});
	AS(USER, OTHER, {
		CHECK_OK(chmod("f", 02755)); /* not in GROUP: the bit is not given */
		CHECK_EQ(mode_of("f"), 0755);
		CHECK_ERRNO(chown("f", OTHER, -1), EPERM);
		CHECK_ERRNO(chown("f", -1, OTHER + 1), EPERM);
		CHECK_OK(chown("f", USER, GROUP));
		CHECK_OK(chown("f", -1, OTHER));
		CHECK_OK(chmod("f", 06755));
		CHECK_EQ(mode_of("f"), 06755);
	});
	CHECK_OK(stat("f", &st));
	CHECK_EQ(st.st_uid, USER);
	CHECK_EQ(st.st_gid, OTHER);
	CHECK_OK(chown("f", -1, -1));
	CHECK_EQ(mode_of("f"), 0755);
	CHECK_OK(chmod("f", 04755));
	AS(OTHER, OTHER + 1, { CHECK_ERRNO(chown("f", -1, -1), EPERM); });
	CHECK_EQ(mode_of("f"), 04755);
	CHECK_OK(chmod("f", 02755));
	AS(OTHER, OTHER + 1, { CHECK_ERRNO(chown("f", -1, -1), EPERM); });
	CHECK_EQ(mode_of("f"), 02755);
	CHECK_OK(chmod("f", 0755));
	AS(OTHER, OTHER + 1, { CHECK_OK(chown("f", -1, -1)); });
	CHECK_OK(chmod("f", 02644));
	CHECK_OK(chown("f", USER, -1));
	CHECK_EQ(mode_of("f"), 02644);
	CHECK_OK(symlink("f", "l"));
	CHECK_OK(lchown("l", OTHER, OTHER));
	CHECK_OK(lstat("l", &st));
	CHECK_EQ(st.st_uid, OTHER);
	CHECK_OK(unlink("l"));
	CHECK_OK(unlink("f"));
	leave();
}

TEST(set_id_bits_go_when_bytes_change)
{
	int fd, in;

	enter();
	make_file("f", 06777, USER, GROUP);
	make_file("in", 0644, 0, 0);
	in = CHECK_OK(open("in", O_RDONLY));
	fd = CHECK_OK(open("f", O_WRONLY));
	CHECK_EQ(write(fd, "x", 1), 1); /* root may */
	CHECK_EQ(mode_of("f"), 06777);
	AS(OTHER, OTHER, { CHECK_EQ(write(fd, "x", 1), 1); });
	CHECK_EQ(mode_of("f"), 0777);
	CHECK_OK(chmod("f", 06777));
	AS(OTHER, OTHER, { CHECK_OK(ftruncate(fd, 2)); });
	CHECK_EQ(mode_of("f"), 0777);
	CHECK_OK(chmod("f", 06777));
	AS(OTHER, OTHER, { CHECK_EQ(sendfile(fd, in, NULL, 1), 1); });
	CHECK_EQ(mode_of("f"), 0777);
	CHECK_OK(unlink("f"));
	CHECK_OK(unlink("in"));
	leave();
}

TEST(set_group_id_directories)
{
	struct stat st;

	enter();
	make_dir("d", 02777, 0, GROUP);
	AS(USER, OTHER, {
		close(CHECK_OK(open("d/f", O_WRONLY | O_CREAT, 0644)));
		CHECK_OK(mkdir("d/sub", 0755));
	});
	CHECK_OK(stat("d/f", &st));
	CHECK_EQ(st.st_uid, USER);
	CHECK_EQ(st.st_gid, GROUP);
	CHECK_OK(stat("d/sub", &st));
	CHECK_EQ(st.st_gid, GROUP);
	CHECK_EQ(mode_of("d/sub"), 02755);
	CHECK_OK(unlink("d/f"));
	CHECK_OK(rmdir("d/sub"));
	CHECK_OK(rmdir("d"));
	leave();
}

TEST(times)
{
	struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } }, then[2] = { { 1, 0 } };
	struct timespec omit[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
	struct timespec half[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };

	enter();
	make_file("f", 0646, USER, GROUP);
	AS(OTHER, OTHER, {
		CHECK_OK(utimensat(AT_FDCWD, "f", NULL, 0));
		CHECK_OK(utimensat(AT_FDCWD, "f", now, 0));
		CHECK_OK(utimensat(AT_FDCWD, "f", omit, 0));
		CHECK_ERRNO(utimensat(AT_FDCWD, "f", then, 0), EPERM);
		CHECK_ERRNO(utimensat(AT_FDCWD, "f", half, 0), EPERM);
	});
	AS(OTHER, GROUP, { CHECK_ERRNO(utimensat(AT_FDCWD, "f", NULL, 0), EACCES); });
	AS(USER, OTHER, { CHECK_OK(utimensat(AT_FDCWD, "f", then, 0)); });
	/* No path is a descriptor's file: but AT_FDCWD is none. */
	CHECK_EQ(raw_syscall(SYS_utimensat, AT_FDCWD, 0, 0, 0, 0, 0), -EFAULT);
	CHECK_OK(unlink("f"));
	leave();
}

TEST(access_asks_for_the_real_user)
{
	enter();
	make_file("f", 0600, USER, GROUP);
	make_dir("d", 0700, 0, 0);
	make_file("d/f", 0666, 0, 0);
	CHECK_CHILD({
		CHECK_OK(setresuid(USER, 0, 0));
		CHECK_OK(access("f", R_OK | W_OK));
		CHECK_ERRNO(access("d/f", R_OK), EACCES);
		CHECK_OK(faccessat(AT_FDCWD, "d/f", R_OK, AT_EACCESS));
		CHECK_OK(setresuid(0, USER, 0));
		CHECK_OK(access("d/f", R_OK));
		CHECK_ERRNO(faccessat(AT_FDCWD, "d/f", R_OK, AT_EACCESS), EACCES);
		CHECK_ERRNO(open("d/f", O_RDONLY), EACCES);
	});
	CHECK_EQ(raw_syscall(SYS_faccessat2, AT_FDCWD, (long)"f", 8, 0, 0, 0), -EINVAL);
	CHECK_EQ(raw_syscall(SYS_faccessat2, AT_FDCWD, (long)"f", 0, 0x4000, 0, 0), -EINVAL);
	CHECK_OK(unlink("d/f"));
	CHECK_OK(rmdir("d"));
	CHECK_OK(unlink("f"));
	leave();
}

TEST(kill_needs_the_same_user)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		become(USER, GROUP);
		for (;;)
			pause();
	}
	WAIT_UNTIL(({
		char name[40], text[4096];

		snprintf(name, sizeof(name), "/proc/%d/status", pid);
		read_text(name, text, sizeof(text)) > 0 && strstr(text, "\nUid:\t1000\t1000\t1000");
	}));
	AS(OTHER, GROUP, {
		CHECK_ERRNO(kill(pid, 0), EPERM);
		CHECK_ERRNO(kill(pid, SIGTERM), EPERM);
		CHECK_EQ(raw_syscall(SYS_tgkill, pid, pid, SIGTERM, 0, 0, 0), -EPERM);
		CHECK_OK(kill(pid, SIGCONT)); /* the same session */
		CHECK_ERRNO(kill(1, 0), EPERM);
		CHECK_OK(kill(0, 0));
	});
	AS(USER, OTHER, { CHECK_OK(kill(pid, 0)); });
	CHECK_CHILD({
		CHECK_OK(setresuid(USER, OTHER, OTHER));
		CHECK_OK(kill(pid, SIGTERM));
	});
	test_check_signal(__FILE__, __LINE__, pid, SIGTERM);
}

TEST(limits_may_only_sink)
{
	struct rlimit limit;

	CHECK_CHILD({
		CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
		limit.rlim_max = limit.rlim_cur = 100;
		CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
		become(USER, GROUP);
		limit.rlim_max = 101;
		CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
		CHECK_ERRNO(prlimit(1, RLIMIT_NOFILE, NULL, &limit), EPERM);
	});
}

/* What a process works with is its own affair, and root's. */
TEST(proc_keeps_secrets)
{
	static const char *const links[] = { "cwd", "exe", "fd/0" };
	char path[64], target[64];
	pid_t pid = getpid();
	int fd_dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fd_dir = CHECK_OK(open(path, O_RDONLY | O_DIRECTORY));
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, links[i]);
		CHECK(readlink(path, target, sizeof(target)) > 0);
		AS(USER, GROUP, { CHECK_ERRNO(readlink(path, target, sizeof(target)), EACCES); });
	}
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	CHECK_OK(close(CHECK_OK(open(path, O_RDONLY))));
	AS(USER, GROUP, {
		CHECK_ERRNO(open(path, O_RDONLY), EACCES);
		CHECK(readlink("/proc/self/cwd", target, sizeof(target)) > 0);
		CHECK_OK(close(CHECK_OK(open("/proc/self/maps", O_RDONLY))));
		CHECK_ERRNO(openat(fd_dir, "0", O_RDONLY), EACCES);
	});
	CHECK_OK(close(fd_dir));
}

/* Copies this program; what it says when it runs is its ids. */
static void copy_self(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	static char block[65536];
	int in = CHECK_OK(open(self_path(), O_RDONLY)), out;
	ssize_t n;

	out = CHECK_OK(open(name, O_WRONLY | O_CREAT | O_EXCL, 0600));
	while ((n = CHECK_OK(read(in, block, sizeof(block)))) > 0)
		CHECK_EQ(write(out, block, n), n);
	CHECK_OK(fchown(out, uid, gid));
	CHECK_OK(fchmod(out, mode));
	close(in);
	close(out);
}

/* Exit status 0 if the ids are what the arguments say: real, effective, group, effective group. */
CHILD(ids)
{
	uid_t r, e, s;

	CHECK_EQ(argc, 6);
	CHECK_OK(getresuid(&r, &e, &s));
	CHECK_EQ(r, (uid_t)atoi(argv[2]));
	CHECK_EQ(e, (uid_t)atoi(argv[3]));
	CHECK_EQ(s, e);
	CHECK_EQ(getgid(), (gid_t)atoi(argv[4]));
	CHECK_EQ(getegid(), (gid_t)atoi(argv[5]));
	CHECK_EQ(getauxval(AT_UID), r);
	CHECK_EQ(getauxval(AT_EUID), e);
	CHECK_EQ(getauxval(AT_EGID), getegid());
	CHECK_EQ(getauxval(AT_SECURE), r != e || getgid() != getegid());
	exit(0);
}

TEST(programs_that_set_ids)
{
	enter();
	copy_self("p", 04755, OTHER, 0);
	AS(USER, GROUP, { execl("p", "p", "--child=ids", "1000", "2000", "100", "100", NULL); });
	CHECK_OK(chmod("p", 02755));
	CHECK_OK(chown("p", OTHER, OTHER));
	CHECK_OK(chmod("p", 06755));
	AS(USER, GROUP, { execl("p", "p", "--child=ids", "1000", "2000", "100", "2000", NULL); });
	CHECK_OK(chmod("p", 0755));
	CHECK_CHILD({
		CHECK_OK(setresuid(USER, OTHER, 0));
		execl("p", "p", "--child=ids", "1000", "2000", "0", "0", NULL);
		CHECK(false);
	});
	CHECK_OK(chmod("p", 0711));
	AS(USER, GROUP, {
		CHECK_ERRNO(open("p", O_RDONLY), EACCES); /* running is not reading */
		execl("p", "p", "--child=ids", "1000", "1000", "100", "100", NULL);
		CHECK(false);
	});
	CHECK_OK(chmod("p", 0766));
	AS(USER, GROUP, { CHECK_ERRNO(execl("p", "p", NULL), EACCES); });
	CHECK_OK(chmod("p", 0666));
	CHECK_CHILD({ CHECK_ERRNO(execl("p", "p", NULL), EACCES); });
	CHECK_OK(unlink("p"));
	leave();
}

TEST(chroot_is_a_new_root)
{
	char text[256];

	enter();
	make_dir("jail", 0755, 0, 0);
	make_dir("jail/in", 0755, 0, 0);
	make_file("jail/f", 0644, 0, 0);
	CHECK_ERRNO(chroot("jail/f"), ENOTDIR);
	CHECK_ERRNO(chroot("none"), ENOENT);
	CHECK_CHILD({
		CHECK_OK(chroot("jail"));
		close(CHECK_OK(open("/f", O_RDONLY)));
		CHECK_ERRNO(open("/tmp", O_RDONLY), ENOENT);
		CHECK(raw_syscall(SYS_getcwd, (long)text, sizeof(text), 0, 0, 0, 0) > 0);
		CHECK_EQ(strncmp(text, "(unreachable)/", 14), 0);
		CHECK_OK(chdir("/in"));
		CHECK(raw_syscall(SYS_getcwd, (long)text, sizeof(text), 0, 0, 0, 0) > 0);
		CHECK_STRING(text, "/in");
		CHECK_OK(chdir("../../.."));
		CHECK_OK(access("f", F_OK));
		CHECK(getcwd(text, sizeof(text)) != NULL);
		CHECK_STRING(text, "/");
		become(USER, GROUP);
		CHECK_ERRNO(chroot("/in"), EPERM);
	});
	CHECK_OK(unlink("jail/f"));
	CHECK_OK(rmdir("jail/in"));
	CHECK_OK(rmdir("jail"));
	leave();
}

TEST(fchmodat2_and_links)
{
	enter();
	make_file("f", 0644, 0, 0);
	CHECK_OK(symlink("f", "l"));
	CHECK_EQ(raw_syscall(452, AT_FDCWD, (long)"l", 0600, 0, 0, 0), 0);
	CHECK_EQ(mode_of("f"), 0600);
	CHECK_EQ(raw_syscall(452, AT_FDCWD, (long)"l", 0640, AT_SYMLINK_NOFOLLOW, 0, 0),
		 -EOPNOTSUPP);
	CHECK_EQ(raw_syscall(452, AT_FDCWD, (long)"f", 0640, AT_SYMLINK_NOFOLLOW, 0, 0), 0);
	CHECK_EQ(mode_of("f"), 0640);
	CHECK_EQ(raw_syscall(452, AT_FDCWD, (long)"f", 0640, 0x1, 0, 0), -EINVAL);
	CHECK_OK(unlink("l"));
	CHECK_OK(unlink("f"));
	leave();
}

TEST(signals_and_children_tell_their_user)
{
	sigset_t set;
	siginfo_t info;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(setresuid(USER, 0, 0));
		CHECK_OK(kill(getppid(), SIGUSR1));
		_exit(3);
	}
	memset(&info, 0, sizeof(info));
	CHECK_OK(waitid(P_PID, pid, &info, WEXITED));
	CHECK_EQ(info.si_uid, USER);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
	CHECK_EQ(info.si_uid, USER);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGCHLD);
	CHECK_EQ(info.si_uid, USER);
}
