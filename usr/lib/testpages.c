/*
 * testpages.c - readers of /proc/<pid>/smaps and pagemap, and of the frames of the machine.
 *
 * Invariant: readers use static buffers only, one caller at a time.  Locks: none.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "usr/lib/testpages.h"
#include "usr/lib/testutil.h"

static char text[256 * 1024];

static const char *path_of(pid_t pid, const char *file)
{
	static char path[64];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	else
		snprintf(path, sizeof(path), "/proc/self/%s", file);
	return path;
}

/* ---- smaps ---- */

/* "Key:  123 kB": adds to the member of that name. */
static void add_line(const char *line, struct smaps *area)
{
	static const struct {
		const char *key;
		size_t member;
	} keys[] = {
		{ "Size", offsetof(struct smaps, size) },
		{ "Rss", offsetof(struct smaps, rss) },
		{ "Pss", offsetof(struct smaps, pss) },
		{ "Pss_Dirty", offsetof(struct smaps, pss_dirty) },
		{ "Shared_Clean", offsetof(struct smaps, shared_clean) },
		{ "Shared_Dirty", offsetof(struct smaps, shared_dirty) },
		{ "Private_Clean", offsetof(struct smaps, private_clean) },
		{ "Private_Dirty", offsetof(struct smaps, private_dirty) },
		{ "Referenced", offsetof(struct smaps, referenced) },
		{ "Anonymous", offsetof(struct smaps, anonymous) },
		{ "Swap", offsetof(struct smaps, swap) },
		{ "Locked", offsetof(struct smaps, locked) },
	};
	size_t length = strcspn(line, ":");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i].key) == length && strncmp(line, keys[i].key, length) == 0)
			*(long long *)((char *)area + keys[i].member) += atoll(line + length + 1);
	}
	if (strncmp(line, "VmFlags:", 8) == 0)
		snprintf(area->flags, sizeof(area->flags), "%s", line + 8);
}

/* Adds up the areas that touch [@start, @end). */
static int sum_areas(pid_t pid, const char *file, unsigned long start, unsigned long end,
		     struct smaps *sum)
{
	bool inside = false;
	int areas = 0;
	char *line, *save;

	memset(sum, 0, sizeof(*sum));
	CHECK(read_text(path_of(pid, file), text, sizeof(text)) > 0);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
			inside = from < end && to > start;
			areas += inside;
			if (inside)
				sum->start = from, sum->end = to;
		} else if (inside) {
			add_line(line, sum);
		}
	}
	return areas;
}

void smaps_of(pid_t pid, const void *address, struct smaps *area)
{
	unsigned long at = (unsigned long)address;

	CHECK_EQ(sum_areas(pid, "smaps", at, at + 1, area), 1);
}

void smaps_sum(pid_t pid, struct smaps *sum)
{
	CHECK(sum_areas(pid, "smaps", 0, KERNEL_ADDRESS, sum) > 1);
}

void smaps_rollup(pid_t pid, struct smaps *sum)
{
	CHECK_EQ(sum_areas(pid, "smaps_rollup", 0, ~0UL, sum), 1);
}

/* ---- pages and frames ---- */

static void read_entries(const char *path, uint64_t first, size_t count, uint64_t *entries)
{
	int fd = CHECK_OK(open(path, O_RDONLY));

	CHECK_EQ(pread(fd, entries, count * sizeof(*entries), first * sizeof(*entries)),
		 count * sizeof(*entries));
	close(fd);
}

void pagemap_read(pid_t pid, const void *address, size_t count, uint64_t *entries)
{
	read_entries(path_of(pid, "pagemap"), (unsigned long)address / PAGE_SIZE, count, entries);
}

uint64_t pagemap_entry(const void *address)
{
	uint64_t entry;

	pagemap_read(0, address, 1, &entry);
	return entry;
}

uint64_t frame_count(uint64_t pfn)
{
	uint64_t count;

	read_entries("/proc/kpagecount", pfn, 1, &count);
	return count;
}

uint64_t frame_flags(uint64_t pfn)
{
	uint64_t flags;

	read_entries("/proc/kpageflags", pfn, 1, &flags);
	return flags;
}
