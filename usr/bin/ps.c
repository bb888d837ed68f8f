/*
 * ps.c - every process and its memory, then where the machine's memory is.
 *
 *   /proc/<pid>/stat, status, cmdline  -->  one row a process
 *   /proc/meminfo                      -->  the kernel's row and the machine's total:
 *
 *   total = processes (anonymous pages) + page cache + kernel (all that is left) + free
 *
 * A process's RSS counts its file pages too, which the machine's total counts once, as page cache;
 * %MEM is RSS by the total. Amounts are in KiB. A line ends where the terminal does, unless -w.
 *
 * Invariants: the four parts and their percentages add up to the total and to 100.0.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "usr/lib/procinfo.h"
#include "usr/lib/tool.h"

#define NUMBERS_WIDTH 63 /* of the columns before COMMAND */

struct process {
	struct process_info info;
	long long anon, file, stack, ptes; /* KiB, -1: not told */
	char command[256];
};

struct machine {
	long long total, anon, cache, kernel, unused; /* KiB */
	long long reserved, slab, tables, stacks;     /* parts of kernel; 0, -1: not told */
};

/* The arguments with blanks between them instead of NULs; no arguments leave [name]. */
static void read_command(struct process *process)
{
	char path[64], text[sizeof(process->command)];
	long length;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", process->info.pid);
	length = read_small_file(path, text, sizeof(text));
	while (length > 0 && text[length - 1] == '\0')
		length--;
	if (length <= 0)
		return;
	for (long i = 0; i < length; i++)
		process->command[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
	process->command[length] = '\0';
}

/* Returns 0, or -1 when the process has ended meanwhile. */
static int read_process(int pid, struct process *process)
{
	char path[64], text[4096];

	if (read_process_info(pid, &process->info) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_small_file(path, text, sizeof(text)) < 0)
		return -1;
	process->anon = field_of(text, "RssAnon");
	process->file = field_of(text, "RssFile");
	process->stack = field_of(text, "VmStk");
	process->ptes = field_of(text, "VmPTE");
	snprintf(process->command, sizeof(process->command), "[%s]", process->info.name);
	read_command(process);
	return 0;
}

static void print_kib(int width, long long kib)
{
	if (kib < 0)
		printf("%*s ", width, "-");
	else
		printf("%*lld ", width, kib);
}

static void print_percent(long long tenths)
{
	printf("%3lld.%lld ", tenths / 10, tenths % 10);
}

static long long share(long long part, long long total)
{
	return total > 0 ? (part * 1000 + total / 2) / total : 0;
}

/* The columns that the commands may take: what the terminal has behind the numbers. */
static int command_width(bool wide)
{
	struct winsize window;

	if (wide || !isatty(STDOUT_FILENO))
		return sizeof(((struct process *)0)->command);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col == 0)
		window.ws_col = 80;
	return window.ws_col > NUMBERS_WIDTH + 8 ? window.ws_col - NUMBERS_WIDTH : 8;
}

static void print_process(const struct process *process, const struct machine *machine, int width)
{
	unsigned long long seconds = process->info.ticks / sysconf(_SC_CLK_TCK);

	printf("%4d %4d %c %3llu:%02llu ", process->info.pid, process->info.ppid,
	       process->info.state, seconds / 60, seconds % 60);
	print_kib(6, process->info.vsz);
	print_kib(6, process->info.rss);
	print_percent(share(process->info.rss, machine->total));
	print_kib(6, process->anon);
	print_kib(5, process->file);
	print_kib(5, process->stack);
	print_kib(4, process->ptes);
	printf("%.*s\n", width, process->command);
}

static long long positive(long long kib)
{
	return kib < 0 ? 0 : kib;
}

static void read_machine(struct machine *machine)
{
	static char text[16384];

	if (read_small_file("/proc/meminfo", text, sizeof(text)) < 0)
		die_errno(STATUS_FAILED, "/proc/meminfo");
	machine->reserved =
		positive(field_of(text, "KernelImage")) + positive(field_of(text, "KernelTables")) +
		positive(field_of(text, "PageArray")) + positive(field_of(text, "Firmware"));
	machine->slab = field_of(text, "Slab");
	machine->tables = field_of(text, "PageTables");
	machine->stacks = field_of(text, "KernelStack");
	machine->total = positive(field_of(text, "MemTotal")) + machine->reserved;
	machine->unused = positive(field_of(text, "MemFree"));
	machine->cache = positive(field_of(text, "Cached")) + positive(field_of(text, "Buffers"));
	machine->anon = field_of(text, "AnonPages");
}

static void print_kernel_row(const struct machine *machine)
{
	printf("%4s %4s %s %6s %6s ", "-", "-", "-", "-", "-");
	print_kib(6, machine->kernel);
	print_percent(share(machine->kernel, machine->total));
	printf("%6s %5s %5s %4s [kernel]\n", "-", "-", "-", "-");
}

/* The parts of the kernel that /proc/meminfo tells, with their names. */
static void print_kernel_parts(const struct machine *machine)
{
	if (machine->reserved == 0)
		return;
	printf("  of it    image and page array %lld, slab %lld, page tables %lld, stacks %lld\n",
	       machine->reserved, machine->slab, machine->tables, machine->stacks);
}

/* The last part gets what is left of 100.0, so that rounding does not show. */
static void print_total(const struct machine *machine)
{
	const struct {
		const char *name;
		long long kib;
	} parts[] = {
		{ "processes", machine->anon },
		{ "page cache", machine->cache },
		{ "kernel", machine->kernel },
		{ "free", machine->unused },
	};
	long long left = 1000;

	printf("\nmachine  %9lld KiB 100.0%%\n", machine->total);
	for (int i = 0; i < 4; i++) {
		long long tenths = i < 3 ? share(parts[i].kib, machine->total) : left;

		if (tenths > left)
			tenths = left;
		left -= tenths;
		printf("%-10s %7lld KiB ", parts[i].name, parts[i].kib);
		print_percent(tenths);
		puts("%");
		if (i == 2)
			print_kernel_parts(machine);
	}
}

/* All processes, by pid; the caller frees the table. */
static struct process *read_processes(size_t *count)
{
	int *pids;
	size_t listed = list_processes(&pids);
	struct process *table = xmalloc((listed + 1) * sizeof(*table));

	*count = 0;
	for (size_t i = 0; i < listed; i++)
		if (read_process(pids[i], &table[*count]) == 0)
			(*count)++;
	free(pids);
	return table;
}

int main(int argc, char **argv)
{
	struct machine machine;
	struct process *table;
	long long anon = 0;
	bool wide = false;
	size_t count;
	int option;

	while ((option = getopt(argc, argv, "w")) != -1) {
		if (option == '?')
			usage("ps [-w]");
		wide |= option == 'w';
	}
	if (optind < argc)
		usage("ps [-w]");
	table = read_processes(&count);
	read_machine(&machine);
	for (size_t i = 0; i < count; i++)
		anon += positive(table[i].anon);
	if (machine.anon < 0)
		machine.anon = anon;
	machine.kernel = positive(machine.total - machine.unused - machine.cache - machine.anon);
	printf("%4s %4s %s %6s %6s %6s %5s %6s %5s %5s %4s %s\n", "PID", "PPID", "S", "TIME", "VSZ",
	       "RSS", "%MEM", "ANON", "FILE", "STACK", "PTES", "COMMAND");
	for (size_t i = 0; i < count; i++)
		print_process(&table[i], &machine, command_width(wide));
	print_kernel_row(&machine);
	print_total(&machine);
	free(table);
	return close_stdout(0);
}
