/*
 * cp.c - copy files; -r directories, -p with owner, mode and times, -a all of a tree as it is.
 *
 *	-f remove what cannot be overwritten, -i ask, -n never overwrite, -v say what is done
 *	-L follow symbolic links, -H only those of the command line, -P or -d copy them as links
 *
 * Invariants: links are followed, except below -r.  Locks: none.
 */
#include <unistd.h>

#include "usr/lib/copy.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "cp [-adfHiLnPprRv] source... target";

static int copy_one(const char *from, const char *to, void *arg)
{
	return copy_path(from, to, arg);
}

static void set_option(struct copy_options *options, int option)
{
	switch (option) {
	case 'a':
		options->recursive = options->preserve = options->hard_links = true;
		break;
	case 'r':
	case 'R':
		options->recursive = true;
		break;
	case 'd':
		options->hard_links = true;
		break;
	case 'p':
		options->preserve = true;
		break;
	case 'f':
		options->force = true;
		break;
	case 'i':
	case 'n':
		options->interactive = option == 'i';
		options->keep = option == 'n';
		break;
	case 'v':
		options->verbose = true;
		break;
	}
}

int main(int argc, char **argv)
{
	struct copy_options options = { .links = COPY_FOLLOW };
	int option, links = 0;

	while ((option = getopt(argc, argv, "adfHiLnPprRv")) != -1) {
		if (option == '?')
			usage(synopsis);
		if (option == 'H' || option == 'L')
			links = option;
		else if (option == 'a' || option == 'd' || option == 'P')
			links = 'P';
		set_option(&options, option);
	}
	if (argc - optind < 2)
		usage(synopsis);
	if (links == 'P' || (links == 0 && options.recursive))
		options.links = COPY_LINKS;
	else if (links == 'H')
		options.links = COPY_FOLLOW_OPERANDS;
	return close_stdout(
		each_target(argv + optind, argc - optind - 1, argv[argc - 1], copy_one, &options));
}
