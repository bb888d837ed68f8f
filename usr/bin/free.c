/*
 * free.c - the machine's memory, from /proc/meminfo.
 *
 *	total = used + free + buff/cache;  -k KiB (the default), -m MiB, -b bytes, -h readable
 *
 * Invariants: the three columns add up to the total.  Locks: none.
 */
#include <stdio.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static int unit = 'k';

static void print_amount(long long kib)
{
	char text[32];

	if (unit == 'h')
		format_human(kib * 1024ULL, text);
	else
		sprintf(text, "%lld", unit == 'b' ? kib * 1024 : unit == 'm' ? kib / 1024 : kib);
	printf(" %11s", text);
}

/* The amount of @key, in KiB; 0 where the kernel does not tell. */
static long long amount(const char *meminfo, const char *key)
{
	long long kib = field_of(meminfo, key);

	return kib < 0 ? 0 : kib;
}

int main(int argc, char **argv)
{
	static char meminfo[16384];
	long long total, unused, cache, available;
	int option;

	while ((option = getopt(argc, argv, "bkmh")) != -1) {
		if (option == '?')
			usage("free [-b | -k | -m | -h]");
		unit = option;
	}
	if (optind < argc)
		usage("free [-b | -k | -m | -h]");
	if (read_small_file("/proc/meminfo", meminfo, sizeof(meminfo)) < 0)
		die_errno(STATUS_FAILED, "/proc/meminfo");
	total = amount(meminfo, "MemTotal");
	unused = amount(meminfo, "MemFree");
	cache = amount(meminfo, "Cached") + amount(meminfo, "Buffers") +
		amount(meminfo, "SReclaimable");
	available = field_of(meminfo, "MemAvailable");
	printf("       %11s %11s %11s %11s %11s %11s\n", "total", "used", "free", "shared",
	       "buff/cache", "available");
	fputs("Mem:   ", stdout);
	print_amount(total);
	print_amount(total - unused - cache);
	print_amount(unused);
	print_amount(amount(meminfo, "Shmem"));
	print_amount(cache);
	print_amount(available < 0 ? unused + cache : available);
	fputs("\nSwap:  ", stdout);
	print_amount(amount(meminfo, "SwapTotal"));
	print_amount(amount(meminfo, "SwapTotal") - amount(meminfo, "SwapFree"));
	print_amount(amount(meminfo, "SwapFree"));
	putchar('\n');
	return close_stdout(0);
}
