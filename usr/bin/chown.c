/*
 * chown.c - change the owners of files: USER, USER:GROUP or :GROUP, names or numbers; -R all below
 * directories, -h symbolic links themselves.
 *
 * Invariants: below -R symbolic links are changed themselves, never followed.  Locks: none.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/ids.h"
#include "usr/lib/tool.h"
#include "usr/lib/walk.h"

static const char synopsis[] = "chown [-hR] [user][:group] file...";

struct change {
	long user, group; /* -1: stays */
	bool recursive, links;
	int status;
};

static void parse_owner(char *text, struct change *change)
{
	char *colon = strchr(text, ':');

	change->user = change->group = -1;
	if (colon)
		*colon++ = '\0';
	if (*text && (change->user = user_id(text)) < 0)
		die(STATUS_FAILED, "%s: no such user", text);
	if (colon && *colon && (change->group = group_id(colon)) < 0)
		die(STATUS_FAILED, "%s: no such group", colon);
}

static bool visit(const struct walk_entry *entry, void *arg)
{
	struct change *change = arg;
	bool link = change->links || S_ISLNK(entry->st->st_mode);

	if (entry->when == WALK_AFTER)
		return true;
	if ((link ? lchown : chown)(entry->path, change->user, change->group) < 0) {
		warn_errno("%s", entry->path);
		change->status = STATUS_FAILED;
	}
	return change->recursive;
}

int main(int argc, char **argv)
{
	struct change change = { .recursive = false };
	int option;

	while ((option = getopt(argc, argv, "hR")) != -1) {
		if (option == '?')
			usage(synopsis);
		change.recursive |= option == 'R';
		change.links |= option == 'h';
	}
	if (argc - optind < 2)
		usage(synopsis);
	parse_owner(argv[optind++], &change);
	for (; optind < argc; optind++)
		change.status |= walk(argv[optind],
				      change.links || change.recursive ? 0 : WALK_FOLLOW_OPERAND,
				      visit, &change);
	return close_stdout(change.status);
}
