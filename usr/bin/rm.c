/*
 * rm.c - remove files; -r directories with all that is in them, -d empty ones, -f without complaint
 * if absent, -i ask for each, -v say what was removed.
 *
 * Invariants: symbolic links are removed, never followed.  Locks: none.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/path.h"
#include "usr/lib/remove.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "rm [-dfirRv] file...";

/* What nobody means to remove: "/", and a directory by "." or "..". */
static bool is_refused(const char *path)
{
	char *base = path_base(path);
	bool refused = is_dots(base) || strcmp(base, "/") == 0;

	free(base);
	return refused;
}

int main(int argc, char **argv)
{
	struct remove_options options = { .recursive = false };
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "dfirRv")) != -1) {
		if (option == '?')
			usage(synopsis);
		options.recursive |= option == 'r' || option == 'R';
		options.directories |= option == 'd';
		options.verbose |= option == 'v';
		if (option == 'f' || option == 'i') {
			options.force = option == 'f';
			options.interactive = option == 'i';
		}
	}
	if (optind == argc && !options.force)
		usage(synopsis);
	for (; optind < argc; optind++) {
		if (is_refused(argv[optind])) {
			warn("refusing to remove '%s'", argv[optind]);
			status = STATUS_FAILED;
		} else {
			status |= remove_path(argv[optind], &options);
		}
	}
	return close_stdout(status);
}
