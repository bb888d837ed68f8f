/*
 * swapfile.c - reads /proc/swaps: one line for each area, under a line of titles.
 *
 *	Filename   Type   Size   Used   Priority
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#include "usr/lib/swapfile.h"

#include <stdio.h>

#include "usr/lib/path.h"

int swap_each(bool (*fn)(const struct swap_line *line, void *arg), void *arg)
{
	FILE *file = fopen("/proc/swaps", "r");
	struct swap_line line;
	char text[512];

	if (!file)
		return -1;
	while (fgets(text, sizeof(text), file)) {
		if (sscanf(text, "%255s %15s %lu %lu %d", line.name, line.type, &line.size,
			   &line.used, &line.priority) != 5)
			continue;
		path_unescape(line.name);
		if (!fn(&line, arg))
			break;
	}
	fclose(file);
	return 0;
}
