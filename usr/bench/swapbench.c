/*
 * swapbench.c - how fast pages go to a swap area and come back: swapbench [-d DISK] [-m MIB]
 *
 *	swap_out           MIB (32) of anonymous memory, each page its own, by MADV_PAGEOUT
 *	swap_in            read again from the first page to the last
 *	swap_in_random     the same in an order that nobody can foretell
 *
 * Prints name<TAB>nanoseconds per page, by a real clock, and name_requests<TAB>requests of the disk
 * DISK (vdb), the swap area's, per page; n/a where nothing went to it. Each page is looked at when
 * it comes back: status 3 when it is another one.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/procinfo.h"
#include "usr/lib/tagpages.h"
#include "usr/lib/tool.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define STRIDE 7919 /* a prime: no number of MiB in pages is a multiple of it */

struct figures {
	double ns;
	long long requests; /* of the disk: reads and writes */
	long long pages[2]; /* read from swap areas and written to them */
};

static void take(const char *disk, struct figures *now)
{
	static const char *const names[] = { "pswpin", "pswpout" };
	char text[8192], *line, name[32];
	long long reads = 0, writes = 0;
	struct timespec time;

	if (read_small_file("/proc/diskstats", text, sizeof(text)) < 0)
		die_errno(STATUS_FAILED, "/proc/diskstats");
	now->requests = 0;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, "%*d %*d %31s %lld %*d %*d %*d %lld", name, &reads, &writes) ==
			    3 &&
		    strcmp(name, disk) == 0)
			now->requests = reads + writes;
	read_vm_counters(names, 2, now->pages);
	clock_gettime(CLOCK_MONOTONIC, &time);
	now->ns = time.tv_sec * 1e9 + time.tv_nsec;
}

/* What was done since @before to @pages pages, if @moved says that it was done. */
static void report(const char *name, const struct figures *before, const struct figures *now,
		   size_t pages, int moved)
{
	long long done = now->pages[moved] - before->pages[moved];

	if (now->pages[moved] < 0 || done < (long long)pages / 2) {
		printf("%s\tn/a\n%s_requests\tn/a\n", name, name);
		return;
	}
	printf("%s\t%.1f\n", name, (now->ns - before->ns) / pages);
	printf("%s_requests\t%.3f\n", name, (double)(now->requests - before->requests) / pages);
	fflush(stdout);
}

static void page_out(const struct tagged_pages *memory)
{
	if (madvise((void *)memory->words, memory->pages * TAG_PAGE_SIZE, MADV_PAGEOUT) < 0)
		die_errno(STATUS_FAILED, "MADV_PAGEOUT");
}

/* Everything goes out, and is read by steps of @stride pages. */
static void bench(const char *disk, const struct tagged_pages *memory, const char *out,
		  const char *in, size_t stride)
{
	struct figures before, between, after;

	tagged_write_all(memory);
	take(disk, &before);
	page_out(memory);
	take(disk, &between);
	if (out)
		report(out, &before, &between, memory->pages, 1);
	for (size_t i = 0, page = 0; i < memory->pages; i++) {
		tagged_check(memory, page);
		page = (page + stride) % memory->pages;
	}
	take(disk, &after);
	report(in, &between, &after, memory->pages, 0);
}

int main(int argc, char **argv)
{
	const char *disk = "vdb";
	struct tagged_pages memory;
	long long mib = 32;
	int option;

	while ((option = getopt(argc, argv, "d:m:")) != -1) {
		if (option == 'd')
			disk = optarg;
		else if (option != 'm' || parse_number(optarg, 1, 4096, &mib) != 0)
			usage("swapbench [-d disk] [-m MiB]");
	}
	tagged_map(&memory, mib << 8);
	bench(disk, &memory, "swap_out", "swap_in", 1);
	bench(disk, &memory, NULL, "swap_in_random", STRIDE);
	return close_stdout(0);
}
