/*
 * swapfile.h - the swap areas in use, and calls of swapon(2) and swapoff(2), for the two tools.
 */
#ifndef RAVEL_USR_LIB_SWAPFILE_H
#define RAVEL_USR_LIB_SWAPFILE_H

#include <stdbool.h>

/* A line of /proc/swaps. Sizes in KiB. */
struct swap_line {
	char name[256], type[16];
	unsigned long size, used;
	int priority;
};

/* Calls @fn for each area in use until it returns false. Returns 0, or -1 with errno. */
int swap_each(bool (*fn)(const struct swap_line *line, void *arg), void *arg);

#endif
