/*
 * fswalk.c - does to a damaged disk what people do to disks; scripts/mutate.py starts it.
 *
 *	fswalk DEVICE...     for each: mount it on /mnt, look at everything, change it, unmount
 *
 * Errors are expected, and counted; what is not is that this program or the kernel stops.  For each
 * disk it prints one line, `DEVICE: N names, N errors; N of N changes refused`, or why the disk
 * cannot be mounted.
 *
 * Invariants: bounded, whatever the disk claims: so many names, levels, bytes of a file.
 * Locks: none.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/tool.h"

#define MOUNT_POINT "/mnt"
#define MAX_NAMES   1500
#define MAX_LEVELS  12
#define MAX_READ    (512 * 1024)
#define CHANGES	    120 /* of the names found, so many are changed */

struct counts {
	int names, errors, changes, refused;
};

static struct counts counts;
static char *found[MAX_NAMES];

static void expect(long result)
{
	counts.errors += result < 0;
}

static void try(long result)
{
	counts.changes++;
	counts.refused += result < 0;
}

/* The first bytes and the last ones: a size may be a lie of terabytes. */
static void read_file(const char *path, off_t size)
{
	static char buffer[65536];
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	ssize_t length = 1;
	void *map;

	expect(fd);
	if (fd < 0)
		return;
	for (int total = 0; length > 0 && total < MAX_READ; total += length)
		length = read(fd, buffer, sizeof(buffer));
	expect(length);
	expect(pread(fd, buffer, sizeof(buffer), size > 4096 ? size - 4096 : 0));
	lseek(fd, 0, SEEK_HOLE);
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map != MAP_FAILED) {
		int null = open("/dev/null", O_WRONLY);

		expect(write(null, map, 1)); /* EFAULT where a load would be SIGBUS */
		close(null);
		munmap(map, 4096);
	}
	close(fd);
}

static void look_at(const char *path, int level);

static void list(const char *path, int level)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir) {
		counts.errors++;
		return;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		char *child = NULL;

		if (counts.names == MAX_NAMES)
			break;
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&child, "%s/%s", path, entry->d_name) < 0)
			die(STATUS_FAILED, "out of memory");
		found[counts.names++] = child;
		look_at(child, level + 1);
	}
	counts.errors += errno != 0;
	closedir(dir);
}

static void look_at(const char *path, int level)
{
	char target[4096];
	struct stat st;

	if (lstat(path, &st) < 0) {
		counts.errors++;
		return;
	}
	if (S_ISDIR(st.st_mode) && level < MAX_LEVELS)
		list(path, level);
	else if (S_ISREG(st.st_mode))
		read_file(path, st.st_size);
	else if (S_ISLNK(st.st_mode))
		expect(readlink(path, target, sizeof(target)));
	if (S_ISLNK(st.st_mode))
		expect(stat(path, &st));
}

/* Write into the file, behind it, and far behind it; cut it. */
static void change_file(const char *path, off_t size)
{
	static const char data[6000] = "changed";
	int fd = open(path, O_RDWR);

	try(fd);
	if (fd < 0)
		return;
	try(write(fd, data, sizeof(data)));
	try(pwrite(fd, data, sizeof(data), size));
	try(pwrite(fd, data, sizeof(data), 400 * 1024));
	try(fsync(fd));
	try(ftruncate(fd, rand() % 20000));
	close(fd);
}

static void change(const char *path)
{
	char other[PATH_MAX];
	struct stat st;

	snprintf(other, sizeof(other), "%s.new", path);
	if (lstat(path, &st) < 0)
		return;
	switch (rand() % 6) {
	case 0:
		try(rename(path, other));
		break;
	case 1:
		try(S_ISDIR(st.st_mode) ? rmdir(path) : unlink(path));
		break;
	case 2:
		try(link(path, other));
		break;
	case 3:
		try(chmod(path, 0700));
		try(symlink(path, other));
		break;
	default:
		if (S_ISREG(st.st_mode))
			change_file(path, st.st_size);
	}
	if (S_ISDIR(st.st_mode)) {
		snprintf(other, sizeof(other), "%s/made", path);
		try(mkdir(other, 0755));
		snprintf(other, sizeof(other), "%s/made/file", path);
		try(mknod(other, S_IFREG | 0644, 0));
		change_file(other, 0);
	}
}

static void use(const char *device)
{
	counts = (struct counts){ 0 };
	if (mount(device, MOUNT_POINT, "ext2", 0, NULL) < 0) {
		printf("%s: not mounted: %s\n", device, strerror(errno));
		return;
	}
	list(MOUNT_POINT, 0);
	change(MOUNT_POINT);
	for (int i = 0; i < CHANGES && counts.names > 0; i++)
		change(found[rand() % counts.names]);
	sync();
	for (int i = 0; i < counts.names; i++)
		free(found[i]);
	if (umount(MOUNT_POINT) < 0)
		die_errno(STATUS_FAILED, "%s: cannot be unmounted", device);
	printf("%s: %d names, %d errors; %d of %d changes refused\n", device, counts.names,
	       counts.errors, counts.refused, counts.changes);
}

int main(int argc, char **argv)
{
	srand(1);
	for (int i = 1; i < argc; i++) {
		use(argv[i]);
		fflush(stdout);
	}
	return close_stdout(0);
}
