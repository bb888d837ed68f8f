/*
 * memload.c - wants memory, and says nothing: beside a test, so that it runs short of it.
 *
 *	memload KIB PERCENT     private memory of KIB, written to again and again, in a random
 *	                        order, PERCENT of the turns only read
 *
 * Ends by a signal, with its parent, or with status 1 when a page does not hold what was stored.
 * Invariants: none. Locks: none.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "usr/lib/tool.h"

#define PAGE 4096

int main(int argc, char **argv)
{
	unsigned long nr, percent;
	uint64_t *memory, x = 88172645463325252ULL;
	uint32_t *version;

	if (argc != 3)
		usage("memload KIB PERCENT");
	nr = strtoul(argv[1], NULL, 10) * 1024 / PAGE;
	percent = strtoul(argv[2], NULL, 10);
	memory = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	version = calloc(nr + 1, sizeof(*version));
	if (nr == 0 || memory == MAP_FAILED || !version)
		die_errno(STATUS_FAILED, "%s KiB", argv[1]);
	for (;;) {
		uint64_t *page;
		unsigned long n;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		n = (x >> 16) % nr;
		page = memory + n * (PAGE / sizeof(*page));
		if (version[n] && *page != n * 1000003 + version[n])
			die(STATUS_FAILED, "page %lu: expected %#lx, got %#lx", n,
			    n * 1000003 + version[n], (unsigned long)*page);
		if ((x >> 8) % 100 >= percent)
			*page = n * 1000003 + ++version[n];
	}
}
