/*
 * top.c - who uses the harts and the memory: a screen that is drawn anew every few seconds.
 *
 *	top                     on a terminal: q quits, P sorts by %CPU, M by memory, N by pid,
 *	                        space looks again at once
 *	top -b -n 2 -d 1        text, twice, a second apart; without -n for ever
 *
 *	two looks at /proc --> %CPU: a process's ticks between them, of the ticks of one hart
 *
 * At the first look the other one is the start of the process and of the machine.
 *
 * A new screen is written over the old one, line by line: cleared first, it would flicker.
 *
 * Invariants: no line is longer than the screen, and the last one is left alone, so that nothing
 * scrolls.  Locks: none.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/ids.h"
#include "usr/lib/procinfo.h"
#include "usr/lib/terminal.h"
#include "usr/lib/tool.h"

#define SYNOPSIS "top [-b] [-n count] [-d seconds] [-o %CPU | -o %MEM | -o PID]"

#define HOME	   "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"
#define REVERSE	   "\033[7m"
#define PLAIN	   "\033[m"

struct row {
	struct process_info info;
	long long shared; /* KiB */
	unsigned uid;
	double cpu; /* percent of one hart */
};

/* One look at the machine. */
struct look {
	struct memory_info memory;
	struct system_info system;
	double seconds; /* since the boot */
	struct row *rows;
	size_t count;
};

static char order = 'P';
static bool batch;
static int columns = 512, lines = 1 << 20; /* of the screen */
static int lines_left;			   /* for put() */

/* ---- looking ---- */

static long long shared_kib(int pid)
{
	char path[64], text[256];
	long long shared = 0;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (read_small_file(path, text, sizeof(text)) > 0)
		sscanf(text, "%*d %*d %lld", &shared);
	return shared * (sysconf(_SC_PAGESIZE) / 1024);
}

static unsigned owner_of(int pid)
{
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return stat(path, &status) == 0 ? status.st_uid : 0;
}

/* The ticks that process @pid had at look @old: 0 if it was not there. */
static unsigned long long ticks_before(const struct look *old, int pid)
{
	for (size_t i = 0; i < old->count; i++)
		if (old->rows[i].info.pid == pid)
			return old->rows[i].info.ticks;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (order == 'P' && x->cpu != y->cpu)
		return x->cpu < y->cpu ? 1 : -1;
	if (order != 'N' && x->info.rss != y->info.rss)
		return x->info.rss < y->info.rss ? 1 : -1;
	return x->info.pid - y->info.pid;
}

/* A new look; @old may be all zeros. */
static void take(struct look *look, const struct look *old)
{
	struct timespec now;
	double passed;
	size_t listed;
	int *pids;

	read_memory_info(&look->memory);
	read_system_info(&look->system);
	clock_gettime(CLOCK_BOOTTIME, &now);
	look->seconds = now.tv_sec + now.tv_nsec / 1e9;
	passed = (look->seconds - old->seconds) * sysconf(_SC_CLK_TCK);
	listed = list_processes(&pids);
	look->rows = xmalloc((listed + 1) * sizeof(*look->rows));
	look->count = 0;
	for (size_t i = 0; i < listed; i++) {
		struct row *row = &look->rows[look->count];

		if (read_process_info(pids[i], &row->info) < 0)
			continue;
		row->shared = shared_kib(pids[i]);
		row->uid = owner_of(pids[i]);
		row->cpu = passed > 0 ?
				   (row->info.ticks - ticks_before(old, pids[i])) * 100.0 / passed :
				   0;
		look->count++;
	}
	free(pids);
	qsort(look->rows, look->count, sizeof(*look->rows), compare);
}

/* ---- drawing ---- */

/* A line of the screen, cut at its edge; nothing below the screen. */
static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...)
{
	char line[512];
	va_list args;

	if (lines_left-- <= 0)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	printf("%s%.*s\n", batch ? "" : CLEAR_LINE, columns, line);
}

static void put_uptime(const struct look *look)
{
	char load[64] = "", clock[16];
	time_t now = time(NULL);
	long minutes = look->seconds / 60;
	char days[32] = "";

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
	read_small_file("/proc/loadavg", load, sizeof(load));
	for (int i = 0, blanks = 0; load[i]; i++) {
		blanks += load[i] == ' ';
		if (blanks == 3)
			load[i] = '\0';
	}
	if (minutes >= 1440)
		snprintf(days, sizeof(days), "%ld day%s, ", minutes / 1440,
			 minutes >= 2880 ? "s" : "");
	put("top - %s up %s%2ld:%02ld,  load average: %s", clock, days, minutes / 60 % 24,
	    minutes % 60, load);
}

static void put_tasks(const struct look *look)
{
	unsigned running = 0, sleeping = 0, stopped = 0, zombie = 0;

	for (size_t i = 0; i < look->count; i++) {
		char state = look->rows[i].info.state;

		running += state == 'R';
		stopped += state == 'T' || state == 't';
		zombie += state == 'Z';
		sleeping += strchr("RTtZ", state) == NULL;
	}
	put("Tasks: %3zu total, %3u running, %3u sleeping, %3u stopped, %3u zombie", look->count,
	    running, sleeping, stopped, zombie);
}

static void put_harts(const struct look *look, const struct look *old)
{
	const struct system_info *a = &old->system, *b = &look->system;
	double ticks = ticks_since(total_ticks(b), total_ticks(a));
	double scale = ticks > 0 ? 100 / ticks : 0;

	put("%%Cpu(s):%5.1f us,%5.1f sy,%5.1f ni,%5.1f id,%5.1f wa,%5.1f hi,%5.1f si,%5.1f st",
	    ticks_since(b->user, a->user) * scale, ticks_since(b->system, a->system) * scale,
	    ticks_since(b->nice, a->nice) * scale, ticks_since(b->idle, a->idle) * scale,
	    ticks_since(b->iowait, a->iowait) * scale, ticks_since(b->irq, a->irq) * scale,
	    ticks_since(b->softirq, a->softirq) * scale, ticks_since(b->steal, a->steal) * scale);
}

static void put_memory(const struct look *look)
{
	const struct memory_info *m = &look->memory;
	double cache = m->buffers + m->cached;

	put("MiB Mem :%9.1f total,%9.1f free,%9.1f used,%9.1f buff/cache", m->total / 1024.0,
	    m->unused / 1024.0, (m->total - m->unused - cache) / 1024.0, cache / 1024.0);
	put("MiB Swap:%9.1f total,%9.1f free,%9.1f used.%9.1f avail Mem", m->swap_total / 1024.0,
	    m->swap_free / 1024.0, (m->swap_total - m->swap_free) / 1024.0, m->available / 1024.0);
}

static void put_row(const struct row *row, long long total)
{
	const struct process_info *info = &row->info;
	unsigned long long hundredths = info->ticks * 100 / sysconf(_SC_CLK_TCK);

	put("%5d %-8.8s %3lld %3lld %7llu %6llu %6lld %c %5.1f %5.1f %3llu:%02llu.%02llu %s",
	    info->pid, user_name(row->uid), info->priority, info->nice, info->vsz, info->rss,
	    row->shared, info->state, row->cpu, total ? info->rss * 100.0 / total : 0,
	    hundredths / 6000, hundredths / 100 % 60, hundredths % 100, info->name);
}

static void draw(const struct look *look, const struct look *old)
{
	if (!batch) {
		terminal_size(&lines, &columns);
		fputs(HOME, stdout);
	}
	lines_left = lines - 1;
	put_uptime(look);
	put_tasks(look);
	put_harts(look, old);
	put_memory(look);
	put("%s", "");
	fputs(batch ? "" : REVERSE, stdout);
	put("%5s %-8s %3s %3s %7s %6s %6s %c %5s %5s %9s %-20s", "PID", "USER", "PR", "NI", "VIRT",
	    "RES", "SHR", 'S', "%CPU", "%MEM", "TIME+", "COMMAND");
	fputs(batch ? "" : PLAIN, stdout);
	for (size_t i = 0; i < look->count && lines_left > 0; i++)
		put_row(&look->rows[i], look->memory.total);
	fputs(batch ? "" : CLEAR_REST, stdout);
	fflush(stdout);
}

/* ---- the loop ---- */

/* Sleeps @seconds, or until a key says otherwise. False: q was typed, or the keys have ended. */
static bool wait_for_key(double seconds)
{
	struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
	int key;

	if (batch) {
		usleep(seconds * 1e6);
		return true;
	}
	if (poll(&keys, 1, seconds * 1000) <= 0)
		return true;
	key = terminal_key();
	if (key == 'q' || key == CTRL('C') || key < 0)
		return false;
	if (key == 'P' || key == 'M' || key == 'N')
		order = key;
	return true;
}

static void run(long long count, double delay)
{
	struct look looks[2] = {};
	bool more = true;

	for (long long i = 0; more && (count < 0 || i < count); i++) {
		struct look *old = &looks[i % 2], *new = &looks[(i + 1) % 2];

		if (i > 0)
			more = wait_for_key(delay);
		free(new->rows);
		new->rows = NULL;
		if (!more)
			break;
		if (batch && i > 0)
			putchar('\n');
		take(new, old);
		draw(new, old);
	}
	free(looks[0].rows);
	free(looks[1].rows);
}

static char order_named(const char *name)
{
	if (strcmp(name, "%CPU") == 0)
		return 'P';
	if (strcmp(name, "%MEM") == 0 || strcmp(name, "RES") == 0)
		return 'M';
	if (strcmp(name, "PID") == 0)
		return 'N';
	usage(SYNOPSIS);
}

int main(int argc, char **argv)
{
	static char screen[16384];
	long long count = -1;
	double delay = 3;
	int option;
	char *end;

	while ((option = getopt(argc, argv, "bn:d:o:")) != -1) {
		if (option == 'b') {
			batch = true;
		} else if (option == 'n') {
			if (parse_number(optarg, 1, 1 << 30, &count) < 0)
				usage(SYNOPSIS);
		} else if (option == 'd') {
			delay = strtod(optarg, &end);
			if (*end || end == optarg || delay < 0 || delay > 1e6)
				usage(SYNOPSIS);
		} else if (option == 'o') {
			order = order_named(optarg);
		} else {
			usage(SYNOPSIS);
		}
	}
	if (optind < argc)
		usage(SYNOPSIS);
	if (!batch && terminal_raw(STDIN_FILENO) < 0)
		die(STATUS_FAILED, "no terminal (use -b)");
	setvbuf(stdout, screen, _IOFBF, sizeof(screen));
	run(count, delay);
	return close_stdout(0);
}
