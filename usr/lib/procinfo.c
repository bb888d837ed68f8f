/*
 * procinfo.c - what ps, vmstat and top read from /proc; the contracts are in procinfo.h.
 *
 * Invariants: nothing here keeps state, but for the buffer.  Locks: none.
 */
#include "usr/lib/procinfo.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

#define PAGE_KIB 4

static char text[64 * 1024];

static void read_whole(const char *path)
{
	if (read_small_file(path, text, sizeof(text)) < 0)
		die_errno(STATUS_FAILED, "%s", path);
}

/* The number of "@key: N" in meminfo; 0: there is no such line. */
static long long amount(const char *key)
{
	long long kib = field_of(text, key);

	return kib < 0 ? 0 : kib;
}

void read_memory_info(struct memory_info *info)
{
	read_whole("/proc/meminfo");
	info->total = amount("MemTotal");
	info->unused = amount("MemFree");
	info->available = amount("MemAvailable");
	info->buffers = amount("Buffers");
	info->cached = amount("Cached") + amount("SReclaimable");
	info->swap_total = amount("SwapTotal");
	info->swap_free = amount("SwapFree");
}

/* The first number of the line that begins with the word @key; @absent: there is none. */
static long long number_or(const char *key, long long absent)
{
	size_t length = strlen(key);
	long long number = absent;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0 && line[length] == ' ') {
			sscanf(line + length, "%lld", &number);
			break;
		}
	}
	return number;
}

static long long number_of(const char *key)
{
	return number_or(key, 0);
}

void read_vm_counters(const char *const *names, size_t nr, long long *values)
{
	read_whole("/proc/vmstat");
	for (size_t i = 0; i < nr; i++)
		values[i] = number_or(names[i], -1);
}

void read_system_info(struct system_info *info)
{
	memset(info, 0, sizeof(*info));
	read_whole("/proc/stat");
	sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &info->user, &info->nice,
	       &info->system, &info->idle, &info->iowait, &info->irq, &info->softirq, &info->steal);
	info->interrupts = number_of("intr");
	info->switches = number_of("ctxt");
	info->boot_time = number_of("btime");
	info->forks = number_of("processes");
	info->running = number_of("procs_running");
	info->blocked = number_of("procs_blocked");
	read_whole("/proc/vmstat");
	info->paged_in = number_of("pgpgin");
	info->paged_out = number_of("pgpgout");
	info->swapped_in = number_of("pswpin") * PAGE_KIB;
	info->swapped_out = number_of("pswpout") * PAGE_KIB;
}

unsigned long long total_ticks(const struct system_info *info)
{
	return info->user + info->nice + info->system + info->idle + info->iowait + info->irq +
	       info->softirq + info->steal;
}

unsigned long long ticks_since(unsigned long long now, unsigned long long before)
{
	return now > before ? now - before : 0;
}

/* ---- processes ---- */

/* The name in parentheses may hold anything, so what follows is looked for from its end. */
int read_process_info(int pid, struct process_info *info)
{
	char path[64], line[4096], *open, *close;
	unsigned long long user, system, vsize;
	long long rss;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_small_file(path, line, sizeof(line)) < 0)
		return -1;
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close || close < open)
		return -1;
	if (sscanf(close + 1,
		   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %lld %lld"
		   " %*d %*d %*u %llu %lld",
		   &info->state, &info->ppid, &user, &system, &info->priority, &info->nice, &vsize,
		   &rss) != 8)
		return -1;
	info->pid = pid;
	info->ticks = user + system;
	info->vsz = vsize / 1024;
	info->rss = rss < 0 ? 0 : rss * (sysconf(_SC_PAGESIZE) / 1024);
	snprintf(info->name, sizeof(info->name), "%.*s", (int)(close - open - 1), open + 1);
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

size_t list_processes(int **pids)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t count = 0, room = 0;

	if (!dir)
		die_errno(STATUS_FAILED, "/proc");
	*pids = NULL;
	while ((entry = readdir(dir)) != NULL) {
		long long pid;

		if (parse_number(entry->d_name, 1, 1 << 30, &pid) < 0)
			continue;
		if (count == room) {
			room = room ? room * 2 : 32;
			*pids = xrealloc(*pids, room * sizeof(**pids));
		}
		(*pids)[count++] = pid;
	}
	closedir(dir);
	if (count)
		qsort(*pids, count, sizeof(**pids), compare_pids);
	return count;
}
