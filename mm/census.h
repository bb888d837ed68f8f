/*
 * census.h - every frame of the machine counted by what it is, against what is counted in passing.
 */
#ifndef RAVEL_MM_CENSUS_H
#define RAVEL_MM_CENSUS_H

/*
 * The machine is stopped and every mmap_lock is held. 0, or how many of the counters that meminfo
 * and vmstat show differ from what there is, each printed.
 */
int census_check(void);

#endif
