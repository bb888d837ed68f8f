/*
 * vmstat.c - event counters and gauges of memory management.
 *
 *	harts[i].events[event]: each hart adds to its own; a reader sums those of all. A sum is
 *	exact when nothing happens meanwhile, else it lies between the values before and after.
 *
 * Locks: none.
 */
#include "mm/vmstat.h"

const char *const vmstat_name[NR_VMSTAT] = {
#define X(name) [VM_##name] = #name,
	VMSTAT_EVENTS(X)
#undef X
};

long gauge_sum(enum vm_gauge gauge)
{
	long sum = 0;

	for (unsigned i = 0; i < MAX_HARTS; i++)
		sum += READ_ONCE(harts[i].gauges[gauge]);
	return sum;
}

unsigned long vmstat_sum(enum vmstat_event event)
{
	unsigned long sum = 0;

	for (unsigned i = 0; i < MAX_HARTS; i++)
		sum += READ_ONCE(harts[i].events[event]);
	return sum;
}
