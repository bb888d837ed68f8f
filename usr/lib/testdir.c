/*
 * testdir.c - a fresh directory for a TEST, its removal, and bytes to fill files with.
 *
 * Locks: none.
 */
#include "usr/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "usr/lib/testdir.h"

static char directory[PATH_MAX];

/* Try to make the directory below this one. False when this place cannot be written. */
static bool make_below(const char *place)
{
	snprintf(directory, sizeof(directory), "%s/%s.%d", place, program_invocation_short_name,
		 getpid());
	if (mkdir(directory, 0755) == 0)
		return true;
	if (errno != EROFS && errno != ENOENT && errno != EACCES)
		test_fail(__FILE__, __LINE__, "expected a new directory, got errno %d %s (%s)",
			  errno, strerrorname_np(errno), directory);
	return false;
}

const char *test_dir(void)
{
	const char *asked = getenv("TEST_DIR"), *tmp = getenv("TMPDIR");
	const char *places[] = { "/root", "/var/tmp", "/tmp" };
	bool made = false;

	umask(022);
	if (asked)
		made = make_below(asked);
	else if (!on_ravel())
		made = make_below(tmp ? tmp : "/tmp");
	else
		for (size_t i = 0; i < ARRAY_LEN(places) && !made; i++)
			made = make_below(places[i]);
	CHECK(made);
	CHECK_OK(chdir(directory));
	return directory;
}

/* Remove what is in directory @fd, which is closed. */
static void remove_below(int fd)
{
	struct dirent *entry;
	DIR *dir = fdopendir(fd);

	CHECK(dir != NULL);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0)
			continue;
		CHECK(errno == EISDIR || errno == EPERM);
		remove_below(CHECK_OK(openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY)));
		CHECK_OK(unlinkat(fd, entry->d_name, AT_REMOVEDIR));
	}
	closedir(dir);
}

void remove_tree(const char *path)
{
	remove_below(CHECK_OK(open(path, O_RDONLY | O_DIRECTORY)));
	CHECK_OK(rmdir(path));
}

void test_dir_leave(void)
{
	CHECK_OK(chdir("/"));
	remove_tree(directory);
}

bool drop_caches(void)
{
	int fd = on_ravel() ? open("/proc/sys/vm/drop_caches", O_WRONLY) : -1;

	if (fd < 0)
		return false;
	CHECK_EQ(write(fd, "3", 1), 1);
	CHECK_OK(close(fd));
	return true;
}

void fill_pattern(unsigned char *buffer, size_t size, unsigned int key, off_t offset)
{
	for (size_t i = 0; i < size; i++) {
		uint64_t at = offset + i;

		buffer[i] = (at * 31 + (at >> 8) * 7 + key * 131 + 1) & 0xff;
	}
}

unsigned int crc32_update(unsigned int crc, const void *bytes, size_t size)
{
	static unsigned int table[256];
	const unsigned char *p = bytes;

	for (unsigned int i = 0; i < 256 && !table[255]; i++) {
		unsigned int value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320U : 0);
		table[i] = value;
	}
	crc = ~crc;
	while (size--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}
