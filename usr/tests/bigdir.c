/*
 * bigdir.c - ten thousand names in one directory, names of all lengths, and many links.
 */
#include "usr/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "usr/lib/testdir.h"

#define NR_ENTRIES  10000
#define MAX_LINKS   66000 /* more than ext2 (32000) and ext4 (65000) allow */
#define EXT2_LINKS  32000
#define PER_DIR	    500
#define TMPFS_MAGIC 0x01021994

static unsigned char seen[NR_ENTRIES];

static const char *name_of(int i)
{
	static char name[64];

	/* Of all lengths from 5 to 36, so that entries do not fill blocks evenly. */
	snprintf(name, sizeof(name), "f%04d%.*s", i, i % 32, "abcdefghijklmnopqrstuvwxyz012345");
	return name;
}

static void tick(int i)
{
	if (i % 64 == 0)
		test_progress();
}

static void create_all(int count)
{
	for (int i = 0; i < count; i++) {
		CHECK_OK(close(CHECK_OK(open(name_of(i), O_WRONLY | O_CREAT | O_EXCL, 0644))));
		tick(i);
	}
}

/* Note a name that readdir gave; -1 for the dots. */
static int note(const char *name)
{
	int i;

	if (name[0] == '.')
		return -1;
	i = atoi(name + 1);
	CHECK_RANGE(i, 0, NR_ENTRIES - 1);
	CHECK_STRING(name, name_of(i));
	CHECK_EQ(seen[i], 0);
	seen[i] = 1;
	return i;
}

/* List the directory; of what comes, remove the names whose number remove_every divides. */
static void list(int remove_every)
{
	struct dirent *entry;
	DIR *dir = opendir(".");

	CHECK(dir != NULL);
	memset(seen, 0, sizeof(seen));
	while ((entry = readdir(dir))) {
		int i = note(entry->d_name);

		if (i >= 0 && remove_every && i % remove_every == 0)
			CHECK_OK(unlink(name_of(i)));
		if (i >= 0)
			tick(i);
	}
	closedir(dir);
}

TEST(ten_thousand_names)
{
	struct stat st;

	test_dir();
	create_all(NR_ENTRIES);
	list(0);
	for (int i = 0; i < NR_ENTRIES; i++) {
		CHECK_EQ(seen[i], 1);
		CHECK_OK(stat(name_of(i), &st));
		CHECK(S_ISREG(st.st_mode));
		tick(i);
	}
	CHECK_ERRNO(stat("f10000", &st), ENOENT);
	for (int i = 0; i < NR_ENTRIES; i += 100) {
		CHECK_OK(rename(name_of(i), "other"));
		CHECK_ERRNO(stat(name_of(i), &st), ENOENT);
		CHECK_OK(rename("other", name_of(i)));
	}
	list(2);
	for (int i = 0; i < NR_ENTRIES; i++)
		CHECK_EQ(seen[i], 1);
	list(1);
	for (int i = 0; i < NR_ENTRIES; i++)
		CHECK_EQ(seen[i], i % 2);
	list(0);
	for (int i = 0; i < NR_ENTRIES; i++)
		CHECK_EQ(seen[i], 0);
	test_dir_leave();
}

/* What is neither made nor removed while a directory is read comes exactly once. */
TEST(others_come_and_go_during_readdir)
{
	const int count = 1000;
	struct dirent *entry;
	int removed = 999;
	char name[64];
	DIR *dir;

	test_dir();
	create_all(count);
	memset(seen, 0, sizeof(seen));
	dir = opendir(".");
	CHECK(dir != NULL);
	for (int n = 0; (entry = readdir(dir)); n++) {
		if (entry->d_name[0] != 'f')
			continue;
		note(entry->d_name);
		if (removed > 500)
			CHECK_OK(unlink(name_of(removed--)));
		snprintf(name, sizeof(name), "new%d", n);
		if (n < 300)
			close(CHECK_OK(open(name, O_WRONLY | O_CREAT, 0644)));
		tick(n);
	}
	closedir(dir);
	for (int i = 0; i <= 500; i++)
		CHECK_EQ(seen[i], 1);
	test_dir_leave();
}

TEST(room_of_removed_names_is_used_again)
{
	struct stat full, again;

	test_dir();
	create_all(1000);
	CHECK_OK(stat(".", &full));
	for (int i = 0; i < 1000; i++)
		CHECK_OK(unlink(name_of(i)));
	create_all(1000);
	CHECK_OK(stat(".", &again));
	CHECK_EQ(again.st_size, full.st_size);
	test_dir_leave();
}

TEST(rewinddir_starts_again)
{
	struct dirent *entry;
	DIR *dir;
	int count = 0;

	test_dir();
	create_all(200);
	dir = opendir(".");
	CHECK(dir != NULL);
	for (int i = 0; i < 100; i++)
		CHECK(readdir(dir) != NULL);
	for (int i = 0; i < 200; i++)
		CHECK_OK(unlink(name_of(i)));
	close(CHECK_OK(open("late", O_WRONLY | O_CREAT, 0644)));
	rewinddir(dir);
	while ((entry = readdir(dir)))
		count++;
	CHECK_EQ(count, 3);
	closedir(dir);
	test_dir_leave();
}

TEST(names_of_every_length)
{
	char name[257], other[257];
	struct stat st;

	test_dir();
	for (int length = 1; length <= 255; length++) {
		memset(name, 'n', length);
		name[length] = 0;
		close(CHECK_OK(open(name, O_WRONLY | O_CREAT | O_EXCL, 0644)));
	}
	for (int length = 255; length >= 1; length--) {
		memset(name, 'n', length);
		name[length] = 0;
		CHECK_OK(stat(name, &st));
		memcpy(other, name, length + 1);
		other[0] = 'm';
		CHECK_OK(rename(name, other));
		CHECK_OK(unlink(other));
	}
	memset(name, 'n', 256);
	name[256] = 0;
	CHECK_ERRNO(open(name, O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
	CHECK_ERRNO(mkdir(name, 0755), ENAMETOOLONG);
	CHECK_ERRNO(symlink("x", name), ENAMETOOLONG);
	CHECK_ERRNO(stat(name, &st), ENAMETOOLONG);
	CHECK_ERRNO(unlink(name), ENAMETOOLONG);
	close(CHECK_OK(open("f", O_WRONLY | O_CREAT, 0644)));
	CHECK_ERRNO(rename("f", name), ENAMETOOLONG);
	CHECK_ERRNO(link("f", name), ENAMETOOLONG);
	test_dir_leave();
}

/* The inode number that the entry @name of directory @path has. */
static ino_t number_in(const char *path, const char *name)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	ino_t ino = 0;

	CHECK(dir != NULL);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, name))
			ino = entry->d_ino;
	}
	CHECK_OK(closedir(dir));
	return ino;
}

TEST(subdirectories_are_links)
{
	char name[16];
	struct stat st;

	test_dir();
	CHECK_OK(mkdir("sub", 0755));
	CHECK_OK(stat(".", &st));
	if (st.st_nlink != 3) {
		CHECK(!on_ravel());
		test_dir_leave();
		SKIP("directories do not count links here");
	}
	CHECK_OK(rmdir("sub"));
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		CHECK_OK(mkdir(name, 0755));
		CHECK_OK(stat(".", &st));
		CHECK_EQ(st.st_nlink, 3 + i);
	}
	CHECK_OK(stat("d0", &st));
	CHECK_EQ(st.st_nlink, 2);
	CHECK_OK(rename("d1", "d0/d1"));
	CHECK_OK(stat("d0", &st));
	CHECK_EQ(st.st_nlink, 3);
	CHECK_EQ(number_in("d0/d1", ".."), st.st_ino);
	CHECK_OK(stat(".", &st));
	CHECK_EQ(st.st_nlink, 301);
	CHECK_OK(rename("d2", "d3")); /* over an empty one */
	CHECK_OK(stat(".", &st));
	CHECK_EQ(st.st_nlink, 300);
	test_dir_leave();
}

TEST(links_have_a_limit)
{
	char name[32];
	struct statfs fs;
	struct stat st;
	int n;

	test_dir();
	CHECK_OK(statfs(".", &fs));
	if (fs.f_type == TMPFS_MAGIC) {
		test_dir_leave();
		SKIP("tmpfs knows no limit");
	}
	close(CHECK_OK(open("file", O_WRONLY | O_CREAT, 0644)));
	for (n = 1; n < MAX_LINKS; n++) {
		snprintf(name, sizeof(name), "d%d", n / PER_DIR);
		if (mkdir(name, 0755))
			CHECK_EQ(errno, EEXIST);
		snprintf(name, sizeof(name), "d%d/%d", n / PER_DIR, n % PER_DIR);
		if (link("file", name))
			break;
		tick(n);
	}
	if (n == MAX_LINKS && !on_ravel()) {
		test_dir_leave();
		SKIP("no limit here");
	}
	CHECK_EQ(errno, EMLINK);
	if (on_ravel())
		CHECK_EQ(n, EXT2_LINKS);
	CHECK_ERRNO(stat(name, &st), ENOENT);
	CHECK_OK(stat("file", &st));
	CHECK_EQ(st.st_nlink, n);
	CHECK_OK(unlink("d0/1"));
	CHECK_OK(link("file", name));
	CHECK_ERRNO(link("file", "d0/1"), EMLINK);
	test_dir_leave();
}
