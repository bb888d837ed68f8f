/*
 * refpatterns.c - how often memory misses under a reference pattern, on the kernel that runs this:
 * refpatterns [-n pages | -m percent] [-r rounds] [-s seed] [-w n] pattern
 *
 *	write each of N pages once     (N: -n, or -m percent of the memory that is available)
 *	then N * rounds references of the pattern, each read and compared, each n-th written too
 *	then look at each page: all must still hold what was written
 *
 * Prints one line of words "key number": what the host needs to make the same trace again
 * (scripts/policies.py), the mean of the pages that were resident, and how much the counters of
 * getrusage() and /proc/vmstat grew during the references. A counter that the kernel does not have
 * is left out. Status 1: it could not be done; 3: a page held something else, which is said.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/procinfo.h"
#include "usr/lib/refpattern.h"
#include "usr/lib/tagpages.h"
#include "usr/lib/tool.h"

#define SYNOPSIS "refpatterns [-n pages | -m percent] [-r rounds] [-s seed] [-w n] pattern"
#define SAMPLES	 256 /* looks at how much is resident */

struct job {
	const char *kind;
	long long pages, percent, rounds, seed, write_each;
	struct tagged_pages memory;
	int statm;
	long long resident_before;
};

static const char *const counters[] = {
	"pgfault",
	"pgmajfault",
	"pswpin",
	"pswpout",
	"swap_ra",
	"swap_ra_hit",
	"workingset_refault_anon",
	"workingset_activate_anon",
	"pgscan_kswapd",
	"pgscan_direct",
	"pgsteal_kswapd",
	"pgsteal_direct",
};

#define NR_COUNTERS (sizeof(counters) / sizeof(counters[0]))

struct counts {
	long long vm[NR_COUNTERS]; /* -1: there is none of this name */
	long long minor, major;
	double seconds;
};

/* ---- measuring ---- */

static void read_counts(struct counts *counts)
{
	struct timespec now;
	struct rusage usage;

	read_vm_counters(counters, NR_COUNTERS, counts->vm);
	getrusage(RUSAGE_SELF, &usage);
	counts->minor = usage.ru_minflt;
	counts->major = usage.ru_majflt;
	clock_gettime(CLOCK_MONOTONIC, &now);
	counts->seconds = now.tv_sec + now.tv_nsec / 1e9;
}

/* Pages of ours that are resident and not of files. */
static long long resident(const struct job *job)
{
	long long pages = 0, of_files = 0;
	char text[128] = "";

	if (pread(job->statm, text, sizeof(text) - 1, 0) < 0 ||
	    sscanf(text, "%*d %lld %lld", &pages, &of_files) != 2)
		die_errno(STATUS_FAILED, "/proc/self/statm");
	return pages - of_files;
}

static void print_result(const struct job *job, uint64_t check, double mean,
			 const struct counts *before, const struct counts *after)
{
	printf("pattern %s pages %lld references %lld seed %lld check %#llx resident %.1f",
	       job->kind, job->pages, job->pages * job->rounds, job->seed,
	       (unsigned long long)check, mean);
	printf(" minflt %lld majflt %lld", after->minor - before->minor,
	       after->major - before->major);
	for (size_t i = 0; i < NR_COUNTERS; i++)
		if (after->vm[i] >= 0)
			printf(" %s %lld", counters[i], after->vm[i] - before->vm[i]);
	printf(" seconds %.2f\n", after->seconds - before->seconds);
}

/* ---- the work ---- */

static void refer(const struct job *job)
{
	long long total = job->pages * job->rounds, each = total / SAMPLES + 1;
	struct refpattern pattern;
	struct counts before, after;
	uint64_t check = 0;
	double sum = 0;
	int samples = 0;

	refpattern_start(&pattern, job->kind, job->pages, job->seed);
	read_counts(&before);
	for (long long i = 0; i < total; i++) {
		uint32_t page = refpattern_next(&pattern);

		check = refpattern_check(check, page);
		tagged_check(&job->memory, page);
		if (job->write_each && i % job->write_each == 0)
			tagged_write(&job->memory, page);
		if (i % each == 0) {
			sum += resident(job) - job->resident_before;
			samples++;
		}
	}
	read_counts(&after);
	print_result(job, check, sum / samples, &before, &after);
}

static void run(struct job *job)
{
	job->statm = open("/proc/self/statm", O_RDONLY);
	if (job->statm < 0)
		die_errno(STATUS_FAILED, "/proc/self/statm");
	tagged_map(&job->memory, job->pages);
	job->resident_before = resident(job);
	tagged_write_all(&job->memory);
	refer(job);
	tagged_check_all(&job->memory);
}

static long long available_pages(void)
{
	struct memory_info info;

	read_memory_info(&info);
	return info.available / 4;
}

int main(int argc, char **argv)
{
	struct job job = { .percent = 110, .rounds = 4, .seed = 1, .write_each = 4 };
	struct refpattern pattern;
	int option;

	while ((option = getopt(argc, argv, "n:m:r:s:w:")) != -1) {
		if ((option == 'n' && parse_number(optarg, 1, 1 << 24, &job.pages) == 0) ||
		    (option == 'm' && parse_number(optarg, 1, 10000, &job.percent) == 0) ||
		    (option == 'r' && parse_number(optarg, 1, 10000, &job.rounds) == 0) ||
		    (option == 's' && parse_number(optarg, 0, INT64_MAX, &job.seed) == 0) ||
		    (option == 'w' && parse_number(optarg, 0, 1 << 24, &job.write_each) == 0))
			continue;
		usage(SYNOPSIS);
	}
	if (optind != argc - 1 || !refpattern_start(&pattern, argv[optind], 1, 0))
		usage(SYNOPSIS ": loop, random, 80-20 or stack");
	job.kind = argv[optind];
	if (job.pages == 0)
		job.pages = available_pages() * job.percent / 100;
	run(&job);
	return close_stdout(0);
}
