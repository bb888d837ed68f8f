/*
 * names.c - what a name may be, and what each system call that edits names says to a bad one.
 *
 * Each table row is a call and the errno that Linux gives; this program passes there.
 */
#include "usr/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "usr/lib/testutil.h"

#define NOREPLACE 1
#define EXCHANGE  2
#define WHITEOUT  4
#define RENAMES	  20000

static char directory[128];

/* An empty directory, which is the current one from now on. */
static void enter(void)
{
	snprintf(directory, sizeof(directory), "%s", tmp_path("names"));
	CHECK_OK(mkdir(directory, 0755));
	CHECK_OK(chdir(directory));
}

static void leave(void)
{
	CHECK_OK(chdir("/"));
	CHECK_OK(rmdir(directory));
}

static void create(const char *name)
{
	CHECK_OK(close(CHECK_OK(open(name, O_RDWR | O_CREAT | O_EXCL, 0644))));
}

static ino_t inode_of(const char *name)
{
	struct stat st;

	CHECK_OK(lstat(name, &st));
	return st.st_ino;
}

static nlink_t links_of(const char *name)
{
	struct stat st;

	CHECK_OK(lstat(name, &st));
	return st.st_nlink;
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static int rename2(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

/* f, d/, d/sub/, full/x, link -> f, dlink -> d, dangling -> none */
static void populate(void)
{
	create("f");
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(mkdir("d/sub", 0755));
	CHECK_OK(mkdir("full", 0755));
	create("full/x");
	CHECK_OK(symlink("f", "link"));
	CHECK_OK(symlink("d", "dlink"));
	CHECK_OK(symlink("none", "dangling"));
}

static void clean(void)
{
	static const char *const files[] = { "f", "full/x", "link", "dlink", "dangling" };
	static const char *const dirs[] = { "d/sub", "d", "full" };

	for (unsigned i = 0; i < ARRAY_LEN(files); i++)
		CHECK_OK(unlink(files[i]));
	for (unsigned i = 0; i < ARRAY_LEN(dirs); i++)
		CHECK_OK(rmdir(dirs[i]));
}

static void refuse(const char *call, const char *path, int got, int error, int expected)
{
	if (got != -1 || error != expected)
		test_fail(__FILE__, __LINE__, "%s(\"%s\"): expected errno %d, got %d, errno %d",
			  call, path, expected, got, error);
}

struct row {
	const char *path;
	int expected;
};

#define REFUSE_ALL(rows, call, expr)                                                               \
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {                                           \
		const char *path = (rows)[i].path;                                                 \
		int got = (expr);                                                                  \
		refuse(call, path, got, errno, (rows)[i].expected);                                \
	}

TEST(make)
{
	static const struct row mkdirs[] = {
		{ "", ENOENT },	       { ".", EEXIST },		 { "..", EEXIST },
		{ "/", EEXIST },       { "f", EEXIST },		 { "f/", EEXIST },
		{ "f/x", ENOTDIR },    { "none/x", ENOENT },	 { "link", EEXIST },
		{ "link/", EEXIST },   { "dangling", EEXIST },	 { "dlink", EEXIST },
		{ "link/x", ENOTDIR }, { "dangling/x", ENOENT }, { "d/.", EEXIST },
		{ "none/.", ENOENT },  { "d/..", EEXIST },
	};
	static const struct row symlinks[] = {
		{ "", ENOENT },	 { ".", EEXIST },	 { "new/", ENOENT },
		{ "f", EEXIST }, { "f/", EEXIST },	 { "d/", EEXIST },
		{ "/", EEXIST }, { "dangling", EEXIST }, { "f/x", ENOTDIR },
	};
	static const struct row links[] = {
		{ "", ENOENT },	  { ".", EEXIST },  { "new/", ENOENT }, { "f", EEXIST },
		{ "f/", EEXIST }, { "d/", EEXIST }, { "/", EEXIST },	{ "f/x", ENOTDIR },
	};

	enter();
	populate();
	REFUSE_ALL(mkdirs, "mkdir", mkdir(path, 0755));
	REFUSE_ALL(symlinks, "symlink", symlink("x", path));
	REFUSE_ALL(links, "link", link("f", path));
	CHECK_ERRNO(symlink("", "new"), ENOENT);
	CHECK_ERRNO(link("d", "new"), EPERM);
	CHECK_ERRNO(link("none", "new"), ENOENT);
	CHECK_ERRNO(link("f/", "new"), ENOTDIR);
	CHECK_ERRNO(link("link/", "new"), ENOTDIR);
	CHECK_ERRNO(link("/proc/version", "new"), EXDEV);
	CHECK_ERRNO(linkat(AT_FDCWD, "f", AT_FDCWD, "new", 1), EINVAL);
	CHECK_ERRNO(linkat(AT_FDCWD, "dangling", AT_FDCWD, "new", AT_SYMLINK_FOLLOW), ENOENT);
	CHECK_ERRNO(mkdirat(-1, "new", 0755), EBADF);
	CHECK_OK(mkdir("new///", 0755));
	CHECK_OK(rmdir("new//"));
	/* link(2) takes the symbolic link itself, AT_SYMLINK_FOLLOW what it leads to. */
	CHECK_OK(link("dangling", "new"));
	CHECK_EQ(inode_of("new"), inode_of("dangling"));
	CHECK_OK(unlink("new"));
	CHECK_OK(linkat(AT_FDCWD, "link", AT_FDCWD, "new", AT_SYMLINK_FOLLOW));
	CHECK_EQ(inode_of("new"), inode_of("f"));
	CHECK_OK(unlink("new"));
	clean();
	leave();
}

TEST(remove)
{
	static const struct row unlinks[] = {
		{ "", ENOENT },	      { ".", EISDIR },	     { "..", EISDIR },
		{ "/", EISDIR },      { "d", EISDIR },	     { "d/", EISDIR },
		{ "f/", ENOTDIR },    { "f/x", ENOTDIR },    { "none", ENOENT },
		{ "none/", ENOENT },  { "d/.", EISDIR },     { "none/x", ENOENT },
		{ "link/", ENOTDIR }, { "dlink/", ENOTDIR }, { "dangling/", ENOTDIR },
	};
	static const struct row rmdirs[] = {
		{ "", ENOENT },
		{ ".", EINVAL },
		{ "..", ENOTEMPTY },
		{ "/", EBUSY },
		{ "d", ENOTEMPTY },
		{ "full", ENOTEMPTY },
		{ "f", ENOTDIR },
		{ "f/", ENOTDIR },
		{ "none", ENOENT },
		{ "dlink", ENOTDIR },
		{ "dlink/", ENOTDIR },
		{ "d/.", EINVAL },
		{ "d/sub/..", ENOTEMPTY },
	};

	enter();
	populate();
	REFUSE_ALL(unlinks, "unlink", unlink(path));
	REFUSE_ALL(rmdirs, "rmdir", rmdir(path));
	CHECK_ERRNO(unlinkat(AT_FDCWD, "f", 1), EINVAL);
	CHECK_ERRNO(unlinkat(-1, "f", 0), EBADF);
	clean();
	leave();
}

struct pair {
	const char *from, *to;
	unsigned flags;
	int expected;
};

static const struct pair bad_renames[] = {
	{ "", "x", 0, ENOENT },
	{ "f", "", 0, ENOENT },
	{ "none", "x", 0, ENOENT },
	{ "none", "f", NOREPLACE, ENOENT },
	{ "none/", "x", 0, ENOENT },
	{ ".", "x", 0, EBUSY },
	{ "..", "x", 0, EBUSY },
	{ "f", ".", 0, EBUSY },
	{ "d", "..", 0, EBUSY },
	{ "f", "d", 0, EISDIR },
	{ "f", "d/", 0, ENOTDIR },
	{ "f", "x/", 0, ENOTDIR },
	{ "f/", "x", 0, ENOTDIR },
	{ "link/", "x", 0, ENOTDIR },
	{ "dlink/", "x", 0, ENOTDIR },
	{ "d", "f", 0, ENOTDIR },
	{ "d", "link", 0, ENOTDIR },
	{ "d", "f/", 0, ENOTDIR },
	{ "d", "full", 0, ENOTEMPTY },
	{ "d", "d/sub", 0, EINVAL },
	{ "d", "d/sub/x", 0, EINVAL },
	{ "d", "d/x", 0, EINVAL },
	{ "d/sub", "d", 0, ENOTEMPTY },
	{ "full/x", "full", 0, ENOTEMPTY },
	{ "f", "full/x", NOREPLACE, EEXIST },
	{ "f", "f", NOREPLACE, EEXIST },
	{ "f", "none", EXCHANGE, ENOENT },
	{ "none", "f", EXCHANGE, ENOENT },
	{ "d", "d/sub", EXCHANGE, EINVAL },
	{ "d/sub", "d", EXCHANGE, EINVAL },
	{ "f/", "d", EXCHANGE, ENOTDIR },
	{ "d", "f/", EXCHANGE, ENOTDIR },
	{ "f", "d", EXCHANGE | NOREPLACE, EINVAL },
	{ "f", "d", EXCHANGE | WHITEOUT, EINVAL },
	{ "f", "x", 0x80, EINVAL },
	{ "f", "/proc/x", 0, EXDEV },
	{ "f", "/proc/version", EXCHANGE, EXDEV },
	{ "f/x", "y", 0, ENOTDIR },
	{ "f", "none/x", 0, ENOENT },
};

TEST(rename_refused)
{
	enter();
	populate();
	for (unsigned i = 0; i < ARRAY_LEN(bad_renames); i++) {
		const struct pair *p = &bad_renames[i];
		int got = rename2(p->from, p->to, p->flags), error = errno;

		if (got != -1 || error != p->expected)
			test_fail(__FILE__, __LINE__,
				  "rename(\"%s\", \"%s\", %u): expected errno %d, got %d, errno %d",
				  p->from, p->to, p->flags, p->expected, got, error);
	}
	CHECK_EQ(raw_syscall(SYS_renameat2, -1, (long)"f", AT_FDCWD, (long)"x", 0, 0), -EBADF);
	clean();
	leave();
}

TEST(rename_done)
{
	enter();
	populate();
	CHECK_OK(link("f", "g"));
	CHECK_OK(rename2("f", "g", 0)); /* one file: nothing happens */
	CHECK(exists("f") && exists("g"));
	CHECK_OK(rename2("f", "g", EXCHANGE));
	CHECK(exists("f") && exists("g"));
	CHECK_OK(unlink("g"));
	CHECK_OK(rename2("f", "new", NOREPLACE));
	CHECK(!exists("f"));
	CHECK_OK(rename2("new", "f", 0));
	CHECK_OK(rename2("d/", "e/", 0));
	CHECK_OK(rename2("e", "d", 0));
	CHECK_OK(rename2("d", "d", 0));
	CHECK_OK(mkdir("empty", 0755));
	CHECK_OK(rename2("d", "empty", 0));
	CHECK_OK(rename2("empty", "d", 0));
	/* A link is renamed itself. */
	CHECK_OK(rename2("dlink", "dlink2", 0));
	CHECK_OK(rename2("dlink2", "dlink", 0));
	clean();
	leave();
}

TEST(exchange)
{
	ino_t f, d, x, link;

	enter();
	populate();
	f = inode_of("f");
	d = inode_of("d");
	x = inode_of("full/x");
	link = inode_of("link");
	CHECK_EQ(links_of("full"), 2);
	CHECK_OK(rename2("f", "full/x", EXCHANGE));
	CHECK(inode_of("f") == x && inode_of("full/x") == f);
	CHECK_OK(rename2("full/x", "f", EXCHANGE));
	CHECK_OK(rename2("full/x", "d", EXCHANGE));
	CHECK(inode_of("d") == x && inode_of("full/x") == d);
	CHECK_EQ(links_of("full"), 3);
	CHECK(exists("full/x/sub") && !exists("d/sub"));
	CHECK_OK(chdir("full/x/sub"));
	CHECK_OK(chdir("../.."));
	CHECK_EQ(inode_of("."), inode_of("x/.."));
	CHECK_OK(chdir(".."));
	CHECK_OK(rename2("d", "full/x/", EXCHANGE));
	CHECK_EQ(links_of("full"), 2);
	CHECK_OK(rename2("d", "full", EXCHANGE));
	CHECK(exists("d/x") && exists("full/sub"));
	CHECK_OK(rename2("full/sub", "d/x", EXCHANGE)); /* a directory and a file */
	CHECK_OK(rename2("full/sub", "d/x", EXCHANGE));
	CHECK_OK(rename2("d", "full", EXCHANGE));
	CHECK_OK(rename2("link", "d", EXCHANGE));
	CHECK(inode_of("d") == link && inode_of("link") == d);
	CHECK_OK(rename2("link", "d", EXCHANGE));
	clean();
	leave();
}

#define ROUNDS 300

static void exchange_rounds(void)
{
	for (int i = 0; i < ROUNDS; i++)
		CHECK_OK(rename2("f", "d", EXCHANGE));
}

/* The other two meet f and d either way round: any errno will do, a deadlock will not. */
static void link_rounds(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		(void)!link("f", "d/h");
		(void)!unlink("d/h");
		(void)!unlink("f/h");
	}
}

static void rename_rounds(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		(void)!rename2("d/f2", "g", 0);
		(void)!rename2("g", "f/f2", 0);
		(void)!rename2("g", "d/f2", 0);
	}
}

/* A file is exchanged with a directory that holds other names of that file. */
TEST(exchange_side_by_side)
{
	static void (*const rounds[])(void) = { exchange_rounds, link_rounds, rename_rounds };
	static const char *const rest[] = { "d/h", "f/h", "d/f2", "f/f2", "g" };
	pid_t pids[ARRAY_LEN(rounds)];

	enter();
	create("f");
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(link("f", "d/f2"));
	for (unsigned i = 0; i < ARRAY_LEN(rounds); i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			rounds[i]();
			_exit(0);
		}
	}
	for (unsigned i = 0; i < ARRAY_LEN(rounds); i++)
		test_check_exit(__FILE__, __LINE__, pids[i], 0);
	for (unsigned i = 0; i < ARRAY_LEN(rest); i++)
		(void)!unlink(rest[i]);
	CHECK_OK(unlink("f")); /* after an even number of rounds it is the file again */
	CHECK_OK(rmdir("d"));
	leave();
}

/* Names longer than what a dentry holds in itself change places with short ones. */
static void check_called(const char *name)
{
	char here[PATH_MAX];

	CHECK(getcwd(here, sizeof(here)) != NULL);
	CHECK_STRING(strrchr(here, '/') + 1, name);
}

/* What a directory is called is seen from inside of it, whatever the lengths of the two names. */
TEST(exchange_short_and_long)
{
	char names[2][NAME_MAX + 1] = { "s" }, up[2][NAME_MAX + 4] = { "../s", "../" };

	enter();
	memset(names[1], 'n', NAME_MAX);
	memset(up[1] + 3, 'n', NAME_MAX);
	for (int i = 0; i < 2; i++) {
		const char *a = names[i], *b = names[1 - i];

		CHECK_OK(mkdir(a, 0755));
		CHECK_OK(mkdir(b, 0755));
		for (int k = 0; k < 2; k++) { /* standing in each: its own entry in memory stays */
			CHECK_OK(chdir(names[k]));
			CHECK_OK(rename2(up[i], up[1 - i], EXCHANGE));
			check_called(names[1 - k]);
			CHECK_OK(chdir(".."));
		}
		CHECK_OK(rmdir(a));
		CHECK_OK(rmdir(b));
	}
	leave();
}

TEST(exchange_long)
{
	char a[NAME_MAX + 1], b[NAME_MAX + 1];
	ino_t ino_a, ino_b, ino_c;

	enter();
	memset(a, 'a', NAME_MAX);
	memset(b, 'b', NAME_MAX);
	a[NAME_MAX] = b[NAME_MAX] = '\0';
	create(a);
	create(b);
	create("c");
	ino_a = inode_of(a);
	ino_b = inode_of(b);
	ino_c = inode_of("c");
	CHECK_OK(rename2(a, b, EXCHANGE));
	CHECK(inode_of(a) == ino_b && inode_of(b) == ino_a);
	CHECK_OK(rename2("c", a, EXCHANGE));
	CHECK(inode_of(a) == ino_c && inode_of("c") == ino_b);
	CHECK_OK(rename2(b, "c", EXCHANGE));
	CHECK(inode_of(b) == ino_b && inode_of("c") == ino_a);
	CHECK_OK(unlink(a));
	CHECK_OK(unlink(b));
	CHECK_OK(unlink("c"));
	leave();
}

TEST(name_length)
{
	char name[NAME_MAX + 3];

	enter();
	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = '\0';
	create(name);
	CHECK_OK(unlink(name));
	CHECK_OK(mkdir(name, 0755));
	CHECK_OK(rmdir(name));
	CHECK_OK(symlink(name, name));
	CHECK_OK(unlink(name));
	name[NAME_MAX] = 'n';
	name[NAME_MAX + 1] = '\0';
	CHECK_ERRNO(open(name, O_RDWR | O_CREAT, 0644), ENAMETOOLONG);
	CHECK_ERRNO(open(name, O_RDONLY), ENAMETOOLONG);
	CHECK_ERRNO(mkdir(name, 0755), ENAMETOOLONG);
	CHECK_ERRNO(symlink("x", name), ENAMETOOLONG);
	CHECK_ERRNO(unlink(name), ENAMETOOLONG);
	CHECK_ERRNO(rmdir(name), ENAMETOOLONG);
	create("f");
	CHECK_ERRNO(link("f", name), ENAMETOOLONG);
	CHECK_ERRNO(rename("f", name), ENAMETOOLONG);
	CHECK_ERRNO(rename(name, "f"), ENAMETOOLONG);
	CHECK_OK(unlink("f"));
	leave();
}

/* "./././...x" of so many bytes. */
static char *long_path(size_t length)
{
	static char path[PATH_MAX + 8];

	for (size_t i = 0; i + 1 < length; i++)
		path[i] = (length - 1 - i) % 2 ? '/' : '.';
	if (path[0] == '/')
		path[0] = '.', path[1] = '/';
	path[length - 1] = 'x';
	path[length] = '\0';
	return path;
}

TEST(path_length)
{
	char *path, target[PATH_MAX + 1];

	enter();
	create(long_path(PATH_MAX - 1));
	CHECK(exists("x"));
	CHECK_OK(unlink("x"));
	path = long_path(PATH_MAX);
	CHECK_ERRNO(open(path, O_RDWR | O_CREAT, 0644), ENAMETOOLONG);
	CHECK_ERRNO(mkdir(path, 0755), ENAMETOOLONG);
	CHECK_ERRNO(unlink(path), ENAMETOOLONG);
	CHECK_ERRNO(rename("y", path), ENAMETOOLONG);
	CHECK_ERRNO(rename(path, "y"), ENAMETOOLONG);
	memset(target, 't', sizeof(target));
	target[PATH_MAX] = '\0';
	CHECK_ERRNO(symlink(target, "x"), ENAMETOOLONG);
	leave();
}

/* Nothing can be made in a directory that was removed, and "." still leads nowhere but to it. */
TEST(removed_directory)
{
	char path[160];

	enter();
	snprintf(path, sizeof(path), "%s/gone", directory);
	create("f");
	CHECK_OK(mkdir("gone", 0755));
	CHECK_OK(chdir("gone"));
	CHECK_OK(rmdir(path));
	CHECK_ERRNO(open("x", O_RDWR | O_CREAT, 0644), ENOENT);
	CHECK_ERRNO(mkdir("x", 0755), ENOENT);
	CHECK_ERRNO(symlink("y", "x"), ENOENT);
	CHECK_ERRNO(link("../f", "x"), ENOENT);
	CHECK_ERRNO(rename("../f", "x"), ENOENT);
	CHECK_OK(chdir(directory));
	CHECK_OK(unlink("f"));
	leave();
}

#define NR_FILES 10000

/* A directory of many names: all there, all found, all gone; and in a time that one can wait. */
/* Who stands in a directory stands there while its name changes, too. */
TEST(renamed_current_directory)
{
	char path[PATH_MAX];
	int status, dir;
	pid_t pid;

	enter();
	CHECK_OK(mkdir("d", 0755));
	dir = CHECK_OK(open("d", O_RDONLY | O_DIRECTORY));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		for (int i = 0; i < RENAMES; i++) {
			CHECK_OK(rename("d", "e"));
			CHECK_OK(rename("e", "d"));
		}
		_exit(0);
	}
	CHECK_OK(fchdir(dir));
	close(dir);
	while (CHECK_OK(waitpid(pid, &status, WNOHANG)) == 0)
		CHECK(raw_syscall(SYS_getcwd, (long)path, sizeof(path), 0, 0, 0, 0) > 0);
	CHECK_EQ(status, 0);
	CHECK_OK(chdir(directory));
	CHECK_OK(rmdir("d"));
	leave();
}

TEST(ten_thousand)
{
	char name[32];
	unsigned seen = 0;
	DIR *dir;

	enter();
	for (int i = 0; i < NR_FILES; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		create(name);
	}
	dir = opendir(".");
	CHECK(dir);
	while (readdir(dir))
		seen++;
	CHECK_OK(closedir(dir));
	CHECK_EQ(seen, NR_FILES + 2);
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < NR_FILES; i++) {
			snprintf(name, sizeof(name), "file-%d", i);
			CHECK(exists(name));
		}
	}
	for (int i = NR_FILES - 1; i >= 0; i--) {
		snprintf(name, sizeof(name), "file-%d", i);
		CHECK_OK(unlink(name));
	}
	leave();
}
