/*
 * vmstat.c - memory, disks and processors in a line; every @delay seconds a new one.
 *
 *	vmstat             averages since the boot
 *	vmstat 2 5         five lines, two seconds apart: the first since the boot, then since the
 *	                   line before
 *	vmstat -s          the counters themselves
 *
 *	r b          tasks that want a hart; that wait for a disk or a lock
 *	free buff cache   KiB          bi bo   KiB a second from disks, to disks
 *	si so             KiB a second from swap areas, to them
 *	in cs        interrupts, switches a second       us sy id wa st   percent of the harts' time
 *
 * Invariants: the percentages add up to about 100.  Locks: none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/procinfo.h"
#include "usr/lib/tool.h"

#define SYNOPSIS "vmstat [-s] [-n] [delay [count]]"

struct sample {
	struct memory_info memory;
	struct system_info system;
	double seconds; /* since the boot */
};

static void take(struct sample *sample)
{
	struct timespec now;

	read_memory_info(&sample->memory);
	read_system_info(&sample->system);
	clock_gettime(CLOCK_BOOTTIME, &now);
	sample->seconds = now.tv_sec + now.tv_nsec / 1e9;
}

static void print_header(void)
{
	puts("procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----");
	puts(" r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st");
}

static long long rate(long long now, long long before, double seconds)
{
	return seconds > 0 ? (now - before) / seconds + 0.5 : 0;
}

static int percent(unsigned long long part, unsigned long long total)
{
	return total ? (part * 100 + total / 2) / total : 0;
}

/* What happened from @old to @new; all zeros is the boot. */
static void print_line(const struct sample *old, const struct sample *new)
{
	const struct system_info *a = &old->system, *b = &new->system;
	unsigned long long ticks = ticks_since(total_ticks(b), total_ticks(a));
	double seconds = new->seconds - old->seconds;

	printf("%2lld %2lld %6lld %6lld %6lld %6lld %4lld %4lld %5lld %5lld %4lld %4lld ",
	       b->running, b->blocked, new->memory.swap_total - new->memory.swap_free,
	       new->memory.unused, new->memory.buffers, new->memory.cached,
	       rate(b->swapped_in, a->swapped_in, seconds),
	       rate(b->swapped_out, a->swapped_out, seconds),
	       rate(b->paged_in, a->paged_in, seconds), rate(b->paged_out, a->paged_out, seconds),
	       rate(b->interrupts, a->interrupts, seconds),
	       rate(b->switches, a->switches, seconds));
	printf("%2d %2d %2d %2d %2d\n",
	       percent(ticks_since(b->user + b->nice, a->user + a->nice), ticks),
	       percent(ticks_since(b->system + b->irq + b->softirq,
				   a->system + a->irq + a->softirq),
		       ticks),
	       percent(ticks_since(b->idle, a->idle), ticks),
	       percent(ticks_since(b->iowait, a->iowait), ticks),
	       percent(ticks_since(b->steal, a->steal), ticks));
	fflush(stdout);
}

static void print_counters(void)
{
	const struct memory_info *m;
	const struct system_info *s;
	struct sample now;

	take(&now);
	m = &now.memory;
	s = &now.system;
	{
		const struct {
			long long value;
			const char *name;
		} lines[] = {
			{ m->total, "K total memory" },
			{ m->total - m->unused - m->buffers - m->cached, "K used memory" },
			{ m->unused, "K free memory" },
			{ m->buffers, "K buffer memory" },
			{ m->cached, "K page cache" },
			{ m->swap_total, "K total swap" },
			{ m->swap_total - m->swap_free, "K used swap" },
			{ m->swap_free, "K free swap" },
			{ s->user, "non-nice user cpu ticks" },
			{ s->nice, "nice user cpu ticks" },
			{ s->system, "system cpu ticks" },
			{ s->idle, "idle cpu ticks" },
			{ s->iowait, "IO-wait cpu ticks" },
			{ s->paged_in, "K paged in" },
			{ s->paged_out, "K paged out" },
			{ s->swapped_in, "K swapped in" },
			{ s->swapped_out, "K swapped out" },
			{ s->interrupts, "interrupts" },
			{ s->switches, "CPU context switches" },
			{ s->boot_time, "boot time" },
			{ s->forks, "forks" },
		};

		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			printf("%13lld %s\n", lines[i].value, lines[i].name);
	}
}

/* The screen's lines, less two: the header comes again where the last one has gone. */
static int lines_between_headers(void)
{
	struct winsize window;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_row < 6)
		return 22;
	return window.ws_row - 3;
}

static void print_lines(long long delay, long long count, bool header_once)
{
	struct sample samples[2] = {};
	int page = lines_between_headers();

	for (long long line = 0; count < 0 || line < count; line++) {
		struct sample *old = &samples[line % 2], *new = &samples[(line + 1) % 2];

		if (line > 0)
			sleep(delay);
		if (line == 0 || (!header_once && line % page == 0))
			print_header();
		take(new);
		print_line(old, new);
	}
}

int main(int argc, char **argv)
{
	long long delay = 0, count = 1;
	bool counters = false, header_once = false;
	int option;

	while ((option = getopt(argc, argv, "sn")) != -1) {
		if (option == '?')
			usage(SYNOPSIS);
		counters |= option == 's';
		header_once |= option == 'n';
	}
	if (optind < argc) {
		if (parse_number(argv[optind++], 1, 1000000, &delay) < 0)
			usage(SYNOPSIS);
		count = -1;
	}
	if (optind < argc && parse_number(argv[optind++], 1, 1LL << 40, &count) < 0)
		usage(SYNOPSIS);
	if (optind < argc)
		usage(SYNOPSIS);
	if (counters)
		print_counters();
	else
		print_lines(delay, count, header_once);
	return close_stdout(0);
}
