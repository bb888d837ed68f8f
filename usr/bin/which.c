/*
 * which.c - where the commands of these names are, by PATH; -a all of them.
 *
 * Invariants: none.  Locks: none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/path.h"
#include "usr/lib/tool.h"

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool which(const char *name, bool all)
{
	const char *path = getenv("PATH");
	bool found = false;

	if (strchr(name, '/')) {
		if (is_program(name))
			puts(name);
		return is_program(name);
	}
	for (path = path ? path : "/bin"; path && (all || !found);) {
		size_t length = strcspn(path, ":");
		char *directory = length ? xstrndup(path, length) : xstrdup(".");
		char *candidate = path_join(directory, name);

		if (is_program(candidate)) {
			puts(candidate);
			found = true;
		}
		free(directory);
		free(candidate);
		path = path[length] ? path + length + 1 : NULL;
	}
	return found;
}

int main(int argc, char **argv)
{
	bool all = false;
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "a")) != -1) {
		if (option == '?')
			usage("which [-a] name...");
		all = true;
	}
	if (optind == argc)
		usage("which [-a] name...");
	for (; optind < argc; optind++)
		if (!which(argv[optind], all))
			status = STATUS_FAILED;
	return close_stdout(status);
}
