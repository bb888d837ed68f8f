/*
 * pmap.c - the areas of processes, from /proc/PID/smaps.
 *
 *	pmap PID        address, size, mode, what is mapped
 *	pmap -x PID     and what of it is in memory (RSS), and written to (Dirty)
 *	pmap -X PID     all that smaps counts, in columns
 *	-p whole paths, -q no header and no total
 *
 * Invariants: the total's columns are the sums of the lines.  Locks: none.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

#define SYNOPSIS "pmap [-x | -X] [-pq] pid..."

/* What smaps says in KiB, in the order of -X; the first ones have names below. */
enum { SIZE, RSS, PSS, PSS_DIRTY, SHARED_DIRTY, PRIVATE_DIRTY, REFERENCED, ANON, SWAP, LOCKED, NR };

static const char *const keys[NR] = {
	"Size",		 "Rss",	       "Pss",	    "Pss_Dirty", "Shared_Dirty",
	"Private_Dirty", "Referenced", "Anonymous", "Swap",	 "Locked",
};

struct area {
	unsigned long start, offset, inode;
	char mode[8], device[16];
	char name[4096];
	long long kib[NR];
};

static bool extended, all_columns, whole_paths, quiet;

/* A line of smaps that begins an area. Returns 0, or -1 when it is no such line. */
static int parse_header(const char *line, struct area *area)
{
	unsigned long end;
	int name = 0;

	if (sscanf(line, "%lx-%lx %7s %lx %15s %lu %n", &area->start, &end, area->mode,
		   &area->offset, area->device, &area->inode, &name) < 6)
		return -1;
	memset(area->kib, 0, sizeof(area->kib));
	snprintf(area->name, sizeof(area->name), "%s", line + name);
	area->name[strcspn(area->name, "\n")] = '\0';
	return 0;
}

static void parse_amount(const char *line, struct area *area)
{
	size_t length = strcspn(line, ":");

	for (int i = 0; i < NR; i++)
		if (strlen(keys[i]) == length && strncmp(line, keys[i], length) == 0)
			sscanf(line + length + 1, "%lld", &area->kib[i]);
}

/* What people read: the file's name, or "  [ stack ]", "  [ anon ]". */
static void print_name(const struct area *area)
{
	const char *slash = strrchr(area->name, '/');

	if (area->name[0] == '/')
		puts(whole_paths || !slash ? area->name : slash + 1);
	else if (strcmp(area->name, "[stack]") == 0)
		puts("  [ stack ]");
	else
		puts("  [ anon ]");
}

/* "rw-p" as pmap shows it: rw--- or rw-s-. */
static const char *mode_of(const struct area *area)
{
	static char mode[6];

	snprintf(mode, sizeof(mode), "%.3s%c-", area->mode, area->mode[3] == 's' ? 's' : '-');
	return mode;
}

static void print_all_columns(const struct area *area)
{
	printf("%16lx %4s %08lx %7s %6lu", area->start, area->mode, area->offset, area->device,
	       area->inode);
	for (int i = 0; i < NR; i++)
		printf(" %*lld", (int)strlen(keys[i]) < 6 ? 6 : (int)strlen(keys[i]), area->kib[i]);
	printf(" %s\n", whole_paths || !strrchr(area->name, '/') ? area->name :
								   strrchr(area->name, '/') + 1);
}

static void print_area(const struct area *area)
{
	if (all_columns) {
		print_all_columns(area);
		return;
	}
	printf("%016lx %6lld%s", area->start, area->kib[SIZE], extended ? "" : "K");
	if (extended)
		printf("%s %7lld %7lld", "", area->kib[RSS],
		       area->kib[SHARED_DIRTY] + area->kib[PRIVATE_DIRTY]);
	printf(" %s ", mode_of(area));
	print_name(area);
}

static void print_header(void)
{
	if (extended)
		puts("Address           Kbytes     RSS   Dirty Mode  Mapping");
	if (!all_columns)
		return;
	printf("%16s %4s %8s %7s %6s", "Address", "Perm", "Offset", "Device", "Inode");
	for (int i = 0; i < NR; i++)
		printf(" %6s", keys[i]);
	puts(" Mapping");
}

static void print_total(const struct area *sum)
{
	if (all_columns) {
		printf("%45s", "");
		for (int i = 0; i < NR; i++)
			printf(" %*lld", (int)strlen(keys[i]) < 6 ? 6 : (int)strlen(keys[i]),
			       sum->kib[i]);
		puts(" KB");
	} else if (extended) {
		puts("---------------- ------- ------- ------- ");
		printf("total kB         %7lld %7lld %7lld\n", sum->kib[SIZE], sum->kib[RSS],
		       sum->kib[SHARED_DIRTY] + sum->kib[PRIVATE_DIRTY]);
	} else {
		printf(" total %16lldK\n", sum->kib[SIZE]);
	}
}

static void end_area(const struct area *area, struct area *sum)
{
	print_area(area);
	for (int i = 0; i < NR; i++)
		sum->kib[i] += area->kib[i];
}

static void print_areas(FILE *smaps)
{
	static struct area area, sum;
	static char line[8192];
	bool any = false;

	memset(&sum, 0, sizeof(sum));
	if (!quiet)
		print_header();
	while (fgets(line, sizeof(line), smaps)) {
		struct area next;

		if (parse_header(line, &next) < 0) {
			parse_amount(line, &area);
			continue;
		}
		if (any)
			end_area(&area, &sum);
		area = next;
		any = true;
	}
	if (any)
		end_area(&area, &sum);
	if (!quiet)
		print_total(&sum);
}

/* "12:   sh -c ls". Returns 0, or -1 when there is no such process. */
static int print_title(long long pid)
{
	char path[64], text[4096];
	long length;

	snprintf(path, sizeof(path), "/proc/%lld/cmdline", pid);
	length = read_small_file(path, text, sizeof(text));
	if (length < 0)
		return -1;
	while (length > 0 && text[length - 1] == '\0')
		length--;
	if (length == 0) {
		snprintf(path, sizeof(path), "/proc/%lld/comm", pid);
		length = read_small_file(path, text, sizeof(text));
		if (length > 0)
			length--;
	}
	for (long i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ')
			text[i] = ' ';
	printf("%lld:   %.*s\n", pid, (int)(length < 0 ? 0 : length), text);
	return 0;
}

/* Returns the exit status: 42 is procps' word for a process that is not there. */
static int show(const char *word)
{
	char path[64];
	long long pid;
	FILE *smaps;

	if (parse_number(word, 1, 1 << 30, &pid) < 0)
		usage(SYNOPSIS);
	if (print_title(pid) < 0)
		return 42;
	snprintf(path, sizeof(path), "/proc/%lld/smaps", pid);
	smaps = fopen(path, "r");
	if (!smaps) {
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	print_areas(smaps);
	fclose(smaps);
	return 0;
}

int main(int argc, char **argv)
{
	int option, status = 0;

	while ((option = getopt(argc, argv, "xXpq")) != -1) {
		if (option == '?')
			usage(SYNOPSIS);
		extended |= option == 'x';
		all_columns |= option == 'X';
		whole_paths |= option == 'p';
		quiet |= option == 'q';
	}
	if (optind == argc || (extended && all_columns))
		usage(SYNOPSIS);
	for (int i = optind; i < argc; i++) {
		int failed = show(argv[i]);

		status = failed ? failed : status;
	}
	return close_stdout(status);
}
