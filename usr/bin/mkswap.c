/*
 * mkswap.c - make a swap area of a disk or a file: write its first page.
 *
 *	-L LABEL and -U UUID (or random, clear) name it, -c looks for pages of a disk that cannot be
 *	read, -f lets SIZE (in KiB) be more than there is
 *
 * What is behind the first page stays as it is. The bytes are those of util-linux's mkswap.
 *
 * Invariants: nothing is written before everything was checked.  Locks: none.
 * Source: mkswap(8).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/mounts.h"
#include "usr/lib/swapheader.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "mkswap [-cf] [-L label] [-U uuid] file [size]";

struct area {
	const char *path;
	int fd;
	struct stat st;
	uint64_t bytes; /* of the disk or the file */
};

static void refuse_mounted(const char *path)
{
	struct mount_line line;

	if (mounts_find(path, &line) && strcmp(line.source, path) == 0)
		die(STATUS_FAILED, "error: %s is mounted; will not make swapspace", path);
}

/* Open what shall be the area, and learn its size. */
static void open_area(struct area *area)
{
	area->fd = open(area->path, O_RDWR | O_CLOEXEC);
	if (area->fd < 0 || fstat(area->fd, &area->st) < 0)
		die_errno(STATUS_FAILED, "cannot open %s", area->path);
	if (S_ISREG(area->st.st_mode)) {
		area->bytes = area->st.st_size;
		return;
	}
	if (!S_ISBLK(area->st.st_mode))
		die(STATUS_FAILED, "error: %s is neither a disk nor a file", area->path);
	if (ioctl(area->fd, BLKGETSIZE64, &area->bytes) < 0)
		die_errno(STATUS_FAILED, "%s: cannot get its size", area->path);
}

/* Who else may read what will be swapped out? */
static void warn_of_permissions(const struct area *area)
{
	mode_t mode = area->st.st_mode & 07777;
	mode_t bad = S_ISBLK(area->st.st_mode) ? 07007 : 07077;

	if (mode & bad)
		warn("%s: insecure permissions %04o, fix with: chmod %04o %s", area->path, mode,
		     ~bad & 0666, area->path);
	if (S_ISREG(area->st.st_mode) && area->st.st_uid != 0)
		warn("%s: insecure file owner %u, fix with: chown 0:0 %s", area->path,
		     (unsigned int)area->st.st_uid, area->path);
}

/* Swapping goes to the disk's blocks past the file system: they must be there. */
static void warn_of_holes(const struct area *area)
{
	off_t hole = S_ISREG(area->st.st_mode) ? lseek(area->fd, 0, SEEK_HOLE) : -1;

	if (hole >= 0 && (uint64_t)hole < area->bytes)
		warn("%s contains holes or other unsupported extents.\n"
		     "        This swap file can be rejected by kernel on swap activation!",
		     area->path);
}

static uint64_t pages_of(const struct area *area, const char *size, bool force)
{
	long long kib;

	if (!size)
		return area->bytes / SWAP_PAGE_SIZE;
	if (parse_number(size, 0, INT64_MAX / 1024, &kib) < 0)
		die(STATUS_FAILED, "error: %s: not a size in KiB", size);
	if (!force && (uint64_t)kib > area->bytes / 1024)
		die(STATUS_FAILED,
		    "error: size %lld KiB is larger than device size %" PRIu64 " KiB", kib,
		    area->bytes / 1024);
	return (uint64_t)kib * 1024 / SWAP_PAGE_SIZE;
}

/* Read the whole area, and note in its header what cannot be read. */
static void find_bad_pages(const struct area *area, struct swap_header *header)
{
	static char buffer[SWAP_PAGE_SIZE] __attribute__((aligned(SWAP_PAGE_SIZE)));

	for (uint64_t page = 0; page <= header->last_page; page++) {
		off_t offset = page * SWAP_PAGE_SIZE;

		if (pread(area->fd, buffer, sizeof(buffer), offset) == sizeof(buffer))
			continue;
		if (page == 0)
			die(STATUS_FAILED, "fatal: first page unreadable");
		if (swap_header_add_bad(header, page) < 0)
			die(STATUS_FAILED, "too many bad pages: more than %u", SWAP_MAX_BADPAGES);
	}
	printf("%u bad page%s\n", header->nr_badpages, header->nr_badpages == 1 ? "" : "s");
}

static void set_uuid(struct swap_header *header, const char *text)
{
	if (!text || strcmp(text, "random") == 0) {
		if (uuid_random(header->uuid) < 0)
			die_errno(STATUS_FAILED, "error: no random UUID");
	} else if (strcmp(text, "clear") != 0 && uuid_parse(text, header->uuid) < 0) {
		die(STATUS_FAILED, "error: parsing UUID failed");
	}
}

/* Bytes as "36 KiB" or "1.9 MiB", to the nearest tenth. */
static void print_size(uint64_t bytes)
{
	static const char units[] = "KMGT";
	unsigned int unit = 0;
	uint64_t scale, tenths;

	while (units[unit + 1] && bytes >> (10 * (unit + 2)))
		unit++;
	scale = 1ULL << (10 * (unit + 1));
	tenths = bytes / scale * 10 + (bytes % scale * 10 + scale / 2) / scale;
	printf("%" PRIu64, tenths / 10);
	if (tenths % 10)
		printf(".%" PRIu64, tenths % 10);
	printf(" %ciB", units[unit]);
}

static void report(const struct swap_header *header)
{
	uint64_t bytes = (uint64_t)(header->last_page - header->nr_badpages) * SWAP_PAGE_SIZE;
	char uuid[UUID_TEXT_SIZE];

	uuid_format(header->uuid, uuid);
	printf("Setting up swapspace version 1, size = ");
	print_size(bytes);
	printf(" (%" PRIu64 " bytes)\n", bytes);
	if (header->label[0])
		printf("LABEL=%s, UUID=%s\n", header->label, uuid);
	else
		printf("no label, UUID=%s\n", uuid);
}

static void write_header(const struct area *area, const struct swap_header *header)
{
	struct swap_header old;

	if (pread(area->fd, &old, sizeof(old), 0) == sizeof(old) &&
	    !swap_header_fault(&old, UINT64_MAX))
		warn("%s: warning: wiping old swap signature.", area->path);
	if (lseek(area->fd, 0, SEEK_SET) < 0 || write_all(area->fd, header, sizeof(*header)) < 0)
		die_errno(STATUS_FAILED, "%s: unable to write signature page", area->path);
	if (fsync(area->fd) < 0 || close(area->fd) < 0)
		die_errno(STATUS_FAILED, "write failed");
}

int main(int argc, char **argv)
{
	static struct swap_header header;
	const char *label = NULL, *uuid = NULL;
	bool check = false, force = false;
	struct area area;
	int option;

	while ((option = getopt(argc, argv, "cfL:U:")) != -1) {
		check |= option == 'c';
		force |= option == 'f';
		label = option == 'L' ? optarg : label;
		uuid = option == 'U' ? optarg : uuid;
		if (option == '?')
			usage(synopsis);
	}
	if (optind == argc)
		die(STATUS_FAILED, "error: Nowhere to set up swap on?");
	if (argc - optind > 2)
		usage(synopsis);
	area.path = argv[optind];
	refuse_mounted(area.path);
	open_area(&area);
	if (swap_header_make(&header, pages_of(&area, argv[optind + 1], force)) < 0)
		die(STATUS_FAILED, "error: swap area needs to be at least %u KiB",
		    SWAP_MIN_PAGES * SWAP_PAGE_SIZE / 1024);
	set_uuid(&header, uuid);
	warn_of_permissions(&area);
	if (label && swap_header_set_label(&header, label))
		warn("Label was truncated.");
	if (check && S_ISREG(area.st.st_mode))
		warn("warning: checking bad blocks from swap file is not supported: %s", area.path);
	else if (check)
		find_bad_pages(&area, &header);
	warn_of_holes(&area);
	write_header(&area, &header);
	report(&header);
	return close_stdout(0);
}
