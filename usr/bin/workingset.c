/*
 * workingset.c - how much memory a program uses, over time, as a chart of text.
 *
 *	workingset -i 100 make        runs it, looking every 100 ms until it ends
 *	workingset -n 50 1234         50 looks at process 1234
 *
 *	forget what was used (/proc/PID/clear_refs) -> wait -> Referenced in /proc/PID/smaps_rollup
 *	         ^-------------------------------------------------------'
 *
 *	 160K |         ::::::          # used within the interval: the working set
 *	      |    ###  ######          : resident, but not used
 *	  80K |##########:::##
 *	      |###############
 *	      +---------------
 *	       0s            3s
 *
 * The column of a chart is the largest of the samples that share it. Only the process itself is
 * looked at, not its children. ^C ends the looking; a command that was started gets it as well.
 *
 * Invariant: the exit status is that of the command, if there is one.  Locks: none.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/tool.h"

#define SYNOPSIS    "workingset [-i milliseconds] [-n samples] pid | command [argument...]"
#define COLUMNS	    70
#define ROWS	    16
#define MAX_DELAY   (3600 * 1000)
#define MAX_SAMPLES 1000000

struct sample {
	long long used, resident, swapped; /* KiB */
};

/* Who is looked at, and what was seen. */
struct watch {
	pid_t pid;
	long long delay, limit; /* ms; samples */
	bool is_mine, has_ended;
	int status; /* of the command, once it has ended */
	struct sample *samples;
	size_t nr, room;
	double seconds;
	long long minor, major; /* faults in that time */
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* ---- looking ---- */

/* Opens /proc/PID/@name; -1 with errno. */
static int open_file(const struct watch *watch, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)watch->pid, name);
	return open(path, flags);
}

/* All of the text of /proc/PID/@name; false with errno: the process has gone, or is not ours. */
static bool read_file(const struct watch *watch, const char *name, char *text, size_t size)
{
	int fd = open_file(watch, name, O_RDONLY), error;
	ssize_t length;

	if (fd < 0)
		return false;
	length = read(fd, text, size - 1);
	error = length == 0 ? ESRCH : errno;
	close(fd);
	errno = error;
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

static bool forget(const struct watch *watch)
{
	int fd = open_file(watch, "clear_refs", O_WRONLY), error;
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, "1", 1) == 1;
	error = errno;
	close(fd);
	errno = error;
	return done;
}

/* Faults of the process so far: fields 10 and 12 of stat, counted behind the name. */
static bool read_faults(const struct watch *watch, long long *minor, long long *major)
{
	char text[1024], *end;

	if (!read_file(watch, "stat", text, sizeof(text)))
		return false;
	end = strrchr(text, ')');
	return end &&
	       sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %lld %*d %lld", minor, major) == 2;
}

static bool look(const struct watch *watch, struct sample *sample)
{
	char text[4096];

	if (!read_file(watch, "smaps_rollup", text, sizeof(text)))
		return false;
	sample->used = field_of(text, "Referenced");
	sample->resident = field_of(text, "Rss");
	sample->swapped = field_of(text, "Swap");
	return sample->used >= 0 && sample->resident >= 0;
}

static void add_sample(struct watch *watch, const struct sample *sample)
{
	if (watch->nr == watch->room) {
		watch->room = watch->room ? watch->room * 2 : 256;
		watch->samples = xrealloc(watch->samples, watch->room * sizeof(watch->samples[0]));
	}
	watch->samples[watch->nr++] = *sample;
}

/* Waits for the end of the interval, of the command, or of our patience; false: no more of it. */
static bool wait_interval(struct watch *watch, const sigset_t *signals)
{
	struct timespec delay = { watch->delay / 1000, watch->delay % 1000 * 1000000 };
	int signal = sigtimedwait(signals, NULL, &delay);

	if (signal == SIGINT)
		return false;
	if (!watch->is_mine || waitpid(watch->pid, &watch->status, WNOHANG) == 0)
		return true;
	watch->has_ended = true;
	return false;
}

static void watch_it(struct watch *watch, const sigset_t *signals)
{
	long long minor = 0, major = 0;
	double start = now();
	struct sample sample;

	if (!forget(watch) || !look(watch, &sample) || !read_faults(watch, &minor, &major)) {
		if (watch->is_mine)
			return; /* over already */
		errno = errno == ENOENT ? ESRCH : errno;
		die_errno(STATUS_FAILED, "%d", (int)watch->pid);
	}
	watch->minor = minor;
	watch->major = major;
	while ((watch->limit == 0 || (long long)watch->nr < watch->limit) &&
	       wait_interval(watch, signals) && look(watch, &sample)) {
		add_sample(watch, &sample);
		read_faults(watch, &minor, &major);
		if (!forget(watch))
			break;
	}
	watch->minor = minor - watch->minor;
	watch->major = major - watch->major;
	watch->seconds = now() - start;
}

/* ---- the chart ---- */

/* KiB of a row: 4 to 8 times a power of two, and ROWS of them are at least @max. */
static long long row_height(long long max)
{
	long long height = 4;

	while (height * ROWS < max)
		height += 1LL << (61 - __builtin_clzll(height));
	return height;
}

/* The largest of each of the samples that column @column of @columns stands for. */
static struct sample column_of(const struct watch *watch, size_t column, size_t columns)
{
	size_t first = column * watch->nr / columns, end = (column + 1) * watch->nr / columns;
	struct sample top = {};

	for (size_t i = first; i < end; i++) {
		const struct sample *sample = &watch->samples[i];

		top.used = sample->used > top.used ? sample->used : top.used;
		top.resident = sample->resident > top.resident ? sample->resident : top.resident;
	}
	return top;
}

/* How many rows @amount reaches into; what is there at all is seen. */
static int height_of(long long amount, long long row)
{
	return (amount + row - 1) / row;
}

static void print_chart(const struct watch *watch)
{
	size_t columns = watch->nr < COLUMNS ? watch->nr : COLUMNS;
	struct sample column[COLUMNS];
	long long max = 1, row;
	char label[16], end[16];

	for (size_t i = 0; i < columns; i++) {
		column[i] = column_of(watch, i, columns);
		max = column[i].resident > max ? column[i].resident : max;
	}
	row = row_height(max);
	for (int level = ROWS; level > 0; level--) {
		format_human(level * row * 1024, label);
		printf("%6s |", level % 4 == 0 ? label : "");
		for (size_t i = 0; i < columns; i++)
			putchar(height_of(column[i].used, row) >= level	    ? '#' :
				height_of(column[i].resident, row) >= level ? ':' :
									      ' ');
		putchar('\n');
	}
	printf("%6s +", "");
	for (size_t i = 0; i < columns; i++)
		putchar('-');
	snprintf(end, sizeof(end), "%.1fs", watch->seconds);
	printf("\n%6s  0s%*s\n", "", columns > 8 ? (int)columns - 2 : 8, end);
}

static void print_totals(const struct watch *watch)
{
	struct sample most = {}, sum = {};
	long long least = watch->samples[0].used;

	for (size_t i = 0; i < watch->nr; i++) {
		const struct sample *sample = &watch->samples[i];

		sum.used += sample->used;
		sum.resident += sample->resident;
		least = sample->used < least ? sample->used : least;
		most.used = sample->used > most.used ? sample->used : most.used;
		most.resident = sample->resident > most.resident ? sample->resident : most.resident;
		most.swapped = sample->swapped > most.swapped ? sample->swapped : most.swapped;
	}
	printf("#  used within %lld ms: %lld K on average, %lld K at least, %lld K at most\n",
	       watch->delay, sum.used / (long long)watch->nr, least, most.used);
	printf(":  resident:  %lld K on average, %lld K at most; swapped out: %lld K at most\n",
	       sum.resident / (long long)watch->nr, most.resident, most.swapped);
	printf("%zu samples in %.1f s; %lld faults, %lld of them waited for a disk\n", watch->nr,
	       watch->seconds, watch->minor + watch->major, watch->major);
}

/* ---- the program ---- */

/* Starts @argv; returns when it runs. Exits when it cannot be executed. */
static pid_t start(char **argv, const sigset_t *old_mask)
{
	int fds[2], error = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		die_errno(STATUS_FAILED, "pipe");
	pid = fork();
	if (pid < 0)
		die_errno(STATUS_FAILED, "fork");
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, old_mask, NULL);
		execvp(argv[0], argv);
		error = errno;
		(void)!write(fds[1], &error, sizeof(error));
		_exit(127);
	}
	close(fds[1]);
	if (read(fds[0], &error, sizeof(error)) == sizeof(error)) {
		waitpid(pid, NULL, 0);
		errno = error;
		die_errno(error == ENOENT ? 127 : 126, "%s", argv[0]);
	}
	close(fds[0]);
	return pid;
}

static int status_of(struct watch *watch)
{
	if (!watch->is_mine)
		return 0;
	while (!watch->has_ended && waitpid(watch->pid, &watch->status, 0) < 0)
		if (errno != EINTR)
			die_errno(STATUS_FAILED, "wait");
	return WIFSIGNALED(watch->status) ? 128 + WTERMSIG(watch->status) :
					    WEXITSTATUS(watch->status);
}

static void read_options(int argc, char **argv, struct watch *watch)
{
	int option;

	while ((option = getopt(argc, argv, "+i:n:")) != -1) {
		if (option == 'i' && parse_number(optarg, 1, MAX_DELAY, &watch->delay) == 0)
			continue;
		if (option == 'n' && parse_number(optarg, 1, MAX_SAMPLES, &watch->limit) == 0)
			continue;
		usage(SYNOPSIS);
	}
	if (optind == argc)
		usage(SYNOPSIS);
}

int main(int argc, char **argv)
{
	struct watch watch = { .delay = 100 };
	sigset_t signals, old_mask;
	long long pid;

	read_options(argc, argv, &watch);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, &old_mask);
	if (optind + 1 == argc && isdigit((unsigned char)argv[optind][0]) &&
	    parse_number(argv[optind], 1, 1 << 30, &pid) == 0) {
		watch.pid = pid;
	} else {
		watch.is_mine = true;
		watch.pid = start(argv + optind, &old_mask);
	}
	watch_it(&watch, &signals);
	if (watch.nr > 0) {
		print_chart(&watch);
		print_totals(&watch);
	} else {
		warn("it ended within the first %lld ms", watch.delay);
	}
	fflush(stdout);
	return close_stdout(status_of(&watch));
}
