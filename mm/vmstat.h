/*
 * vmstat.h - event counters and gauges of memory management, shown in /proc/vmstat and meminfo.
 *
 * Each hart counts for itself, without locks or atomics (the kernel is not preempted); readers add
 * up. Events only grow. Of a gauge a hart's part may be negative: the sum over the harts is what
 * there is (vm_check_all() counts it afresh).
 */
#ifndef RAVEL_MM_VMSTAT_H
#define RAVEL_MM_VMSTAT_H

#include "arch/riscv/hart.h"
#include "mm/vmstat_events.h"

extern const char *const vmstat_name[NR_VMSTAT];

static inline void count_vm(enum vmstat_event event)
{
	this_hart()->events[event]++;
}

static inline void count_vm_n(enum vmstat_event event, unsigned long n)
{
	this_hart()->events[event] += n;
}

static inline void gauge_add(enum vm_gauge gauge, long n)
{
	this_hart()->gauges[gauge] += n;
}

/* The sum over the harts. */
long gauge_sum(enum vm_gauge gauge);
unsigned long vmstat_sum(enum vmstat_event event);

#endif
