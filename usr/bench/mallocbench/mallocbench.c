/*
 * mallocbench - how much memory and time allocators need for traces of allocations.
 *
 *	mallocbench [-a NAME,NAME...] [TRACE...]	tables; NAME: umalloc, glibc, a textbook
 *							allocator, or all
 *	mallocbench -g SHAPE				print a shape as a trace
 *	mallocbench -t NAME TRACE			payload and heap over time, for a plot
 *	mallocbench -m NAME TRACE			one measurement (measure.h)
 *	mallocbench -l					the names of allocators and shapes
 *
 * A TRACE is a shape's name or a file; without one, all shapes and every .rep file of traces/
 * beside the program are taken.  Each measurement is a process of its own.  glibc's malloc() is
 * measured by mallocbench-glibc: the same program, linked without libumalloc.
 *
 * The traces' names go to the standard error while they are replayed, the tables come at the end.
 * With umalloc and glibc measured, on every trace, the last line is "mean umalloc UTILISATION
 * RATIO": the mean of payload over heap, and of glibc's cost over umalloc's.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usr/bench/mallocbench/measure.h"
#include "usr/lib/malloc/textbook/allocator.h"

#define MAX_ALLOCATORS 32
#define MAX_TRACES     64
#define TIMELINE       500

struct result {
	size_t payload, heap, operations;
	unsigned long cost;
	long faults;
};

struct row {
	const char *trace;
	struct result results[MAX_ALLOCATORS];
};

static const char *allocators[MAX_ALLOCATORS + 1];
static size_t allocator_count;
static struct row rows[MAX_TRACES];
static size_t row_count;
static char directory[PATH_MAX];

static void add_allocator(const char *name)
{
	if (allocator_count == MAX_ALLOCATORS)
		bench_fail(name, "too many allocators");
	allocators[allocator_count++] = name;
}

static void add_trace(const char *name)
{
	if (row_count == MAX_TRACES)
		bench_fail(name, "too many traces");
	rows[row_count++].trace = name;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->trace, ((const struct row *)b)->trace);
}

static void add_usual_traces(void)
{
	char *path;
	size_t shapes;

	for (const char *const *shape = trace_shapes; *shape; shape++)
		add_trace(*shape);
	shapes = row_count;
	if (asprintf(&path, "%s/traces", directory) < 0)
		bench_fail("traces", "no memory");

	DIR *dir = opendir(path);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		const char *end = strrchr(entry->d_name, '.');
		char *name;

		if (!end || strcmp(end, ".rep") != 0)
			continue;
		if (asprintf(&name, "%s/%s", path, entry->d_name) < 0)
			bench_fail(path, "no memory");
		add_trace(name);
	}
	if (dir)
		closedir(dir);
	free(path);
	qsort(rows + shapes, row_count - shapes, sizeof(rows[0]), by_name);
}

/* What a measurement in a process of its own prints becomes a result. */
static void run_one(const char *allocator, const char *trace, struct result *result)
{
	char program[PATH_MAX + 32], line[128] = "";
	int ends[2], status;

	snprintf(program, sizeof(program), "%s/mallocbench%s", directory,
		 strcmp(allocator, "glibc") == 0 ? "-glibc" : "");
	if (pipe(ends) < 0)
		bench_fail("pipe", "refused");

	pid_t child = fork();

	if (child < 0)
		bench_fail("fork", "no process");
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		execl(program, program, "-m", allocator, trace, NULL);
		bench_fail(program, "cannot be executed");
	}
	close(ends[1]);
	for (size_t length = 0; length < sizeof(line) - 1;) {
		ssize_t got = read(ends[0], line + length, sizeof(line) - 1 - length);

		if (got <= 0)
			break;
		length += got;
	}
	close(ends[0]);
	if (waitpid(child, &status, 0) != child || status != 0 ||
	    sscanf(line, "%zu %zu %lu %zu %ld", &result->payload, &result->heap, &result->cost,
		   &result->operations, &result->faults) != 5)
		*result = (struct result){ 0 };
}

static double utilisation(const struct result *result)
{
	return result->heap ? (double)result->payload / result->heap : 0;
}

static double cost(const struct result *result)
{
	return result->operations ? (double)result->cost / result->operations : 0;
}

static double faults(const struct result *result)
{
	return result->faults;
}

/* A name as it is in a table: without directories and without .rep. */
static const char *short_name(const char *trace)
{
	static char name[32];
	const char *slash = strrchr(trace, '/');

	snprintf(name, sizeof(name), "%s", slash ? slash + 1 : trace);
	char *end = strstr(name, ".rep");

	if (end)
		*end = 0;
	return name;
}

static void print_table(const char *title, double (*value)(const struct result *), int digits)
{
	double sums[MAX_ALLOCATORS] = { 0 };

	printf("\n%-14s", title);
	for (size_t a = 0; a < allocator_count; a++)
		printf(" %*s", (int)strlen(allocators[a]) > 8 ? (int)strlen(allocators[a]) : 8,
		       allocators[a]);
	for (size_t r = 0; r <= row_count; r++) {
		printf("\n%-14s", r < row_count ? short_name(rows[r].trace) : "mean");
		for (size_t a = 0; a < allocator_count; a++) {
			int width = strlen(allocators[a]) > 8 ? strlen(allocators[a]) : 8;
			double mean = row_count ? sums[a] / row_count : 0;

			if (r == row_count) {
				printf(" %*.*f", width, digits, mean);
			} else if (!rows[r].results[a].operations) {
				printf(" %*s", width, "fails");
			} else {
				double number = value(&rows[r].results[a]);

				sums[a] += number;
				printf(" %*.*f", width, digits, number);
			}
		}
	}
	printf("\n");
}

static size_t index_of(const char *allocator)
{
	size_t a = 0;

	while (a < allocator_count && strcmp(allocators[a], allocator) != 0)
		a++;
	return a;
}

static void print_mean(void)
{
	size_t ours = index_of("umalloc"), theirs = index_of("glibc");
	double sum = 0, ratios = 0;

	if (ours == allocator_count || theirs == allocator_count || !row_count)
		return;
	for (size_t r = 0; r < row_count; r++) {
		double us = cost(&rows[r].results[ours]), them = cost(&rows[r].results[theirs]);

		if (!us || !them)
			return; /* a trace failed: there is no mean of all */
		sum += utilisation(&rows[r].results[ours]);
		ratios += them / us;
	}
	printf("\nmean umalloc %.3f %.3f\n", sum / row_count, ratios / row_count);
}

/* Status 1 if an allocator that is no textbook's failed at a trace. */
static int run_all(void)
{
	int status = 0;

	for (size_t r = 0; r < row_count; r++) {
		fprintf(stderr, "# %s\n", rows[r].trace);
		for (size_t a = 0; a < allocator_count; a++) {
			run_one(allocators[a], rows[r].trace, &rows[r].results[a]);
			if (!rows[r].results[a].operations && !textbook_find(allocators[a]))
				status = 1;
		}
	}
	print_table("utilisation", utilisation, 3);
	print_table("cost per op", cost, 1);
	print_table("page faults", faults, 0);
	print_mean();
	return status;
}

static void choose_allocators(char *names)
{
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		if (strcmp(name, "all") != 0) {
			add_allocator(name);
			continue;
		}
		add_allocator("umalloc");
		add_allocator("glibc");
		for (const struct allocator *const *each = textbook_allocators; *each; each++)
			add_allocator((*each)->name);
	}
}

static int print_shape(const char *shape)
{
	struct trace trace;
	const char *const *each = trace_shapes;

	while (*each && strcmp(*each, shape) != 0)
		each++;
	if (!*each)
		bench_fail(shape, "no such shape");
	trace_generate(&trace, shape);
	printf("%zu\n%zu\n", trace.ids, trace.count);
	for (size_t i = 0; i < trace.count; i++) {
		if (trace.ops[i].kind == 'f')
			printf("f %u\n", trace.ops[i].id);
		else
			printf("%c %u %u\n", trace.ops[i].kind, trace.ops[i].id,
			       trace.ops[i].bytes);
	}
	return 0;
}

static int print_names(void)
{
	puts("allocators: umalloc glibc");
	for (const struct allocator *const *each = textbook_allocators; *each; each++)
		printf("  %s\n", (*each)->name);
	puts("shapes:");
	for (const char *const *shape = trace_shapes; *shape; shape++)
		printf("  %s\n", *shape);
	return 0;
}

/* -m and -t: nothing here may allocate before the replay does. */
static int one_trace(int option, const char *allocator, const char *name)
{
	struct trace trace;
	const char *wrong = name ? trace_load(&trace, name) : "no trace is named";

	if (wrong)
		bench_fail(name ? name : "-m, -t", wrong);
	if (option == 'm')
		measure(&trace, allocator);
	else
		timeline(&trace, allocator, TIMELINE);
	return 0;
}

int main(int argc, char **argv)
{
	int option;
	ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);

	if (length < 0)
		bench_fail("/proc/self/exe", "cannot be read");
	dirname(directory);
	while ((option = getopt(argc, argv, "a:g:lm:t:")) != -1) {
		if (option == 'm' || option == 't')
			return one_trace(option, optarg, argv[optind]);
		if (option == 'g')
			return print_shape(optarg);
		if (option == 'l')
			return print_names();
		if (option != 'a')
			return 2;
		choose_allocators(optarg);
	}
	if (!allocator_count) {
		add_allocator("umalloc");
		add_allocator("glibc");
	}
	for (; optind < argc; optind++)
		add_trace(argv[optind]);
	if (!row_count)
		add_usual_traces();
	return run_all();
}
