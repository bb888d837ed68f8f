/*
 * procinfo.h - what ps, vmstat and top read from /proc: processes, the machine's counters, its
 * memory.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_PROCINFO_H
#define RAVEL_USR_LIB_PROCINFO_H

#include <stdbool.h>
#include <stddef.h>

/* /proc/meminfo, KiB; 0: not told. */
struct memory_info {
	long long total, unused, available, buffers, cached, swap_total, swap_free;
};

/* /proc/stat and /proc/vmstat; since the boot. */
struct system_info {
	unsigned long long user, nice, system, idle, iowait, irq, softirq, steal; /* ticks */
	long long interrupts, switches, boot_time, forks, running, blocked;
	long long paged_in, paged_out;	   /* KiB */
	long long swapped_in, swapped_out; /* KiB */
};

/* Each exits with a message when the file cannot be read. */
void read_memory_info(struct memory_info *info);
void read_system_info(struct system_info *info);

/* The counters of /proc/vmstat with these @nr names, into @values; -1: the kernel has none. */
void read_vm_counters(const char *const *names, size_t nr, long long *values);

/* /proc/<pid>/stat. */
struct process_info {
	int pid, ppid;
	char state, name[64];
	long long priority, nice;
	unsigned long long ticks;    /* user and system time */
	unsigned long long vsz, rss; /* KiB */
};

/* Returns 0, or -1 when the process has ended meanwhile. */
int read_process_info(int pid, struct process_info *info);

/* Every process, by pid, in a table that the caller frees; returns how many. */
size_t list_processes(int **pids);

/* The ticks of all harts together. */
unsigned long long total_ticks(const struct system_info *info);

/*
 * What a counter of ticks grew by; 0 where it fell: the kernel estimates how busy time is divided
 * into user and system, so that one of the two may fall a little while their sum grows.
 */
unsigned long long ticks_since(unsigned long long now, unsigned long long before);

#endif
