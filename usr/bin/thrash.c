/*
 * thrash.c - working sets that grow until they do not fit in memory, and what happens then.
 *
 *	thrash [-t seconds] [-p pattern] [percent...]
 *
 *	for each percent: write that much of the memory that is available, then refer to it for some
 *	seconds by a pattern (usr/lib/refpattern.h; all pages alike, unless told otherwise)
 *
 *	    rate |------------.                      what fits is used at full speed; a little more,
 *	         |             \                     and each page that comes drives out one that is
 *	         |              `-----------         needed as soon
 *	         +--------------|-----------> set
 *	                      memory
 *
 * A set for which memory and swap together do not suffice is left out, so nobody is killed. Each
 * page says which it is: status 3 when one came back as another.
 *
 * Invariant: it ends: a set takes the time of writing it once and that of the references, and one
 * reference at most is over time.  Locks: none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/procinfo.h"
#include "usr/lib/refpattern.h"
#include "usr/lib/tagpages.h"
#include "usr/lib/tool.h"

#define SYNOPSIS    "thrash [-t seconds] [-p loop | random | 80-20 | stack] [percent...]"
#define KIB	    (TAG_PAGE_SIZE / 1024)
#define MAX_PERCENT 100000
#define MARGIN	    4096 /* KiB of memory and swap that are left to others */
#define GLANCE	    64	 /* references between two looks at the clock */
/*
 * Of a hundred references, those that wait for a disk. One wait is as long as some hundred to a
 * thousand references: from THRASHING on the program is mostly that of the disk.
 */
#define NEARLY	  0.01
#define THRASHING 1

enum counter { SWAPPED_IN, SWAPPED_OUT, REFAULTS_ANON, REFAULTS_FILE, NR_COUNTERS };

/* Since the boot, or between two looks. */
struct figures {
	long long vm[NR_COUNTERS]; /* -1: the kernel does not count that */
	double seconds;		   /* real */
	double references, waited; /* waited: faults for which a disk was waited for */
};

static void read_figures(struct figures *now)
{
	static const char *const names[NR_COUNTERS] = {
		"pswpin",
		"pswpout",
		"workingset_refault_anon",
		"workingset_refault_file",
	};
	struct timespec time;
	struct rusage used;

	read_vm_counters(names, NR_COUNTERS, now->vm);
	getrusage(RUSAGE_SELF, &used);
	clock_gettime(CLOCK_MONOTONIC, &time);
	now->seconds = time.tv_sec + time.tv_nsec / 1e9;
	now->waited = used.ru_majflt;
	now->references = 0;
}

static double seconds_since(const struct figures *start)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9 - start->seconds;
}

/* Refers to @memory by @pattern for @seconds; what that took is in @took. */
static void refer(const struct tagged_pages *memory, struct refpattern *pattern, double seconds,
		  struct figures *took)
{
	struct figures start;
	double references = 0;

	read_figures(&start);
	while (seconds_since(&start) < seconds) {
		for (int i = 0; i < GLANCE; i++) {
			uint32_t page = refpattern_next(pattern);

			tagged_check(memory, page);
			tagged_write(memory, page);
		}
		references += GLANCE;
	}
	read_figures(took);
	for (int i = 0; i < NR_COUNTERS; i++)
		took->vm[i] -= start.vm[i] < 0 ? 0 : start.vm[i];
	took->seconds -= start.seconds;
	took->waited -= start.waited;
	took->references = references;
}

/* ---- what is said ---- */

/* A rate in eight columns; "-": not counted. */
static void print_rate(long long count, double seconds)
{
	if (count < 0)
		printf(" %8s", "-");
	else
		printf(" %8.0f", (double)count / seconds);
}

/* Both kinds of pages, or the one that is counted; -1: none is. */
static long long refaults_of(const struct figures *took)
{
	long long anon = took->vm[REFAULTS_ANON], file = took->vm[REFAULTS_FILE];

	return anon < 0 ? file : file < 0 ? anon : anon + file;
}

/* By what was counted, not by the clock: a busy host makes everything slow, but no faults. */
static void print_verdict(const struct figures *took)
{
	double waits = took->waited * 100 / took->references;
	double refaults = refaults_of(took) * 100 / took->references;

	if (took->waited == 0)
		printf("  fits\n");
	else if (waits < NEARLY)
		printf("  fits, nearly\n");
	else if (waits < THRASHING)
		printf("  pages in the background\n");
	else if (refaults < 0)
		printf("  thrashing: %.1f%% wait\n", waits);
	else
		printf("  thrashing: %.1f%% wait,\n%58s  %.1f%% refault\n", waits, "", refaults);
}

static void print_line(long long percent, const struct figures *took)
{
	char size[16];

	snprintf(size, sizeof(size), "%lld%%", percent);
	printf("%6s %12.0f", size, took->references / took->seconds);
	print_rate(took->waited, took->seconds);
	print_rate(refaults_of(took), took->seconds);
	print_rate(took->vm[SWAPPED_IN], took->seconds);
	print_rate(took->vm[SWAPPED_OUT], took->seconds);
	print_verdict(took);
	fflush(stdout);
}

/* ---- the program ---- */

/* A set of @percent of @available KiB. */
static void try_set(long long percent, long long available, const char *kind, double seconds)
{
	long long pages = available * percent / 100 / (long long)KIB;
	struct tagged_pages memory;
	struct refpattern pattern;
	struct memory_info info;
	struct figures took;

	read_memory_info(&info);
	pages = pages > 0 ? pages : 1;
	if (pages * (long long)KIB + MARGIN > info.available + info.swap_free) {
		printf("%5lld%%  left out: memory and free swap are %lld K together\n", percent,
		       info.available + info.swap_free);
		return;
	}
	refpattern_start(&pattern, kind, pages, 1);
	tagged_map(&memory, pages);
	tagged_write_all(&memory);
	refer(&memory, &pattern, seconds, &took);
	tagged_unmap(&memory);
	print_line(percent, &took);
}

int main(int argc, char **argv)
{
	static char *defaults[] = { "50", "90", "110", "150", NULL };
	long long seconds = 3, percent;
	const char *kind = "random";
	struct refpattern pattern;
	struct memory_info info;
	int option;

	while ((option = getopt(argc, argv, "t:p:")) != -1) {
		if (option == 't' && parse_number(optarg, 1, 3600, &seconds) == 0)
			continue;
		if (option != 'p' || !refpattern_start(&pattern, optarg, 1, 0))
			usage(SYNOPSIS);
		kind = optarg;
	}
	for (int i = optind; i < argc; i++)
		if (parse_number(argv[i], 1, MAX_PERCENT, &percent) != 0)
			usage(SYNOPSIS);
	argv = optind < argc ? argv + optind : defaults;
	read_memory_info(&info);
	printf("%lld K of memory are available, %lld K of swap are free\n", info.available,
	       info.swap_free);
	printf("%6s %12s %8s %8s %8s %8s  %s\n", "set", "accesses/s", "waits/s", "refaults",
	       "swap in", "swap out", "verdict");
	fflush(stdout);
	for (; *argv; argv++) {
		parse_number(*argv, 1, MAX_PERCENT, &percent);
		try_set(percent, info.available, kind, seconds);
	}
	return close_stdout(0);
}
