/*
 * ulimit.c - the resource limits, in bash's units.
 *
 * Invariants: a limit that cannot be set is left as it was.  Locks: none.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "usr/bin/sh/builtins.h"
#include "usr/lib/tool.h"

struct limit {
	char option;
	int resource;
	rlim_t unit; /* bytes, or whatever is counted */
	const char *name;
	const char *unit_name;
};

static const struct limit limits[] = {
	{ 'c', RLIMIT_CORE, 1024, "core file size", "kbytes" },
	{ 'd', RLIMIT_DATA, 1024, "data seg size", "kbytes" },
	{ 'f', RLIMIT_FSIZE, 1024, "file size", "kbytes" },
	{ 'l', RLIMIT_MEMLOCK, 1024, "max locked memory", "kbytes" },
	{ 'm', RLIMIT_RSS, 1024, "max memory size", "kbytes" },
	{ 'n', RLIMIT_NOFILE, 1, "open files", "" },
	{ 's', RLIMIT_STACK, 1024, "stack size", "kbytes" },
	{ 't', RLIMIT_CPU, 1, "cpu time", "seconds" },
	{ 'u', RLIMIT_NPROC, 1, "max user processes", "" },
	{ 'v', RLIMIT_AS, 1024, "virtual memory", "kbytes" },
};

#define NR_LIMITS ((int)(sizeof(limits) / sizeof(limits[0])))

static int show(const struct limit *limit, bool hard, bool named)
{
	struct rlimit rlimit;
	char label[32];
	rlim_t value;

	if (getrlimit(limit->resource, &rlimit) < 0) {
		warn_errno("ulimit: -%c", limit->option);
		return 1;
	}
	value = hard ? rlimit.rlim_max : rlimit.rlim_cur;
	if (named) {
		snprintf(label, sizeof(label), "(%s%s-%c)", limit->unit_name,
			 *limit->unit_name ? ", " : "", limit->option);
		printf("%-20s %15s ", limit->name, label);
	}
	if (value == RLIM_INFINITY)
		puts("unlimited");
	else
		printf("%llu\n", (unsigned long long)(value / limit->unit));
	return 0;
}

static int change(const struct limit *limit, bool hard, bool soft, const char *text)
{
	struct rlimit rlimit;
	long long number;
	rlim_t value;

	if (getrlimit(limit->resource, &rlimit) < 0) {
		warn_errno("ulimit: -%c", limit->option);
		return 1;
	}
	if (strcmp(text, "unlimited") == 0) {
		value = RLIM_INFINITY;
	} else if (strcmp(text, "hard") == 0) {
		value = rlimit.rlim_max;
	} else if (strcmp(text, "soft") == 0) {
		value = rlimit.rlim_cur;
	} else if (parse_number(text, 0, (1LL << 62) / limit->unit, &number) == 0) {
		value = number * limit->unit;
	} else {
		warn("ulimit: %s: bad number", text);
		return 2;
	}
	if (soft)
		rlimit.rlim_cur = value;
	if (hard)
		rlimit.rlim_max = value;
	if (setrlimit(limit->resource, &rlimit) < 0) {
		warn_errno("ulimit: -%c", limit->option);
		return 1;
	}
	return 0;
}

static const struct limit *find_limit(char option)
{
	for (int i = 0; i < NR_LIMITS; i++)
		if (limits[i].option == option)
			return &limits[i];
	return NULL;
}

int builtin_ulimit(int argc, char **argv)
{
	const struct limit *limit = find_limit('f');
	bool hard = false, soft = false, all = false;
	int status = 0;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		for (const char *letter = argv[i] + 1; *letter; letter++) {
			if (*letter == 'H') {
				hard = true;
			} else if (*letter == 'S') {
				soft = true;
			} else if (*letter == 'a') {
				all = true;
			} else {
				limit = find_limit(*letter);
				if (limit)
					continue;
				warn("ulimit: -%c: bad option", *letter);
				return 2;
			}
		}
	}
	if (all) {
		for (i = 0; i < NR_LIMITS; i++)
			status |= show(&limits[i], hard && !soft, true);
		return status;
	}
	if (i == argc)
		return show(limit, hard && !soft, false);
	return change(limit, hard || !soft, soft || !hard, argv[i]);
}
