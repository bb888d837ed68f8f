/*
 * vmstat.c - event counters and gauges of memory management.
 *
 *	vmstat[hart][event]: each hart adds to its own row; a reader sums a column. A sum is exact
 *	when nothing happens meanwhile, else it lies between the values before and after.
 *
 * Locks: none.
 */
#include "mm/vmstat.h"

unsigned long vmstat[MAX_HARTS][NR_VMSTAT];

const char *const vmstat_name[NR_VMSTAT] = {
#define X(name) [VM_##name] = #name,
	VMSTAT_EVENTS(X)
#undef X
};

long vm_gauge[MAX_HARTS][NR_VM_GAUGES];

long gauge_sum(enum vm_gauge gauge)
{
	long sum = 0;

	for (unsigned i = 0; i < MAX_HARTS; i++)
		sum += READ_ONCE(vm_gauge[i][gauge]);
	return sum;
}

unsigned long vmstat_sum(enum vmstat_event event)
{
	unsigned long sum = 0;

	for (unsigned i = 0; i < MAX_HARTS; i++)
		sum += READ_ONCE(vmstat[i][event]);
	return sum;
}
