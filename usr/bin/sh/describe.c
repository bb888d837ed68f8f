/*
 * describe.c - what a name means as a command: command -v, type, hash.
 *
 * Invariants: names are looked up as simple.c does: function, builtin, file in PATH.  Locks: none.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/bin/sh/alias.h"
#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/function.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* The file that @name runs, in @arena, or NULL. */
static char *find_program(struct arena *arena, const char *name)
{
	const char *path = var_get("PATH");

	if (strchr(name, '/'))
		return is_program(name) ? arena_copy(arena, name, strlen(name)) : NULL;
	if (!path)
		path = "/bin";
	while (*name) {
		size_t length = strcspn(path, ":");
		struct strbuf file = strbuf_in(arena);

		strbuf_add(&file, path, length);
		if (length)
			strbuf_add_char(&file, '/');
		strbuf_add(&file, name, strlen(name));
		if (is_program(file.text))
			return file.text;
		path += length;
		if (!*path++)
			break;
	}
	return NULL;
}

/* Print what @name is, in a sentence when @verbose. Returns false when it is nothing. */
static bool describe(const char *name, bool verbose)
{
	struct arena arena = { NULL };
	const char *alias = alias_find(name);
	const char *path = NULL;

	if (alias && verbose)
		printf("%s is an alias for %s\n", name, alias);
	else if (alias)
		printf("alias %s='%s'\n", name, alias);
	else if (parser_is_keyword(name))
		printf("%s%s\n", name, verbose ? " is a shell keyword" : "");
	else if (function_find(name))
		printf("%s%s\n", name, verbose ? " is a shell function" : "");
	else if (builtin_find(name))
		printf("%s%s\n", name, verbose ? " is a shell builtin" : "");
	else if ((path = find_program(&arena, name)) != NULL && verbose)
		printf("%s is %s\n", name, path);
	else if (path)
		puts(path);
	else if (verbose)
		printf("%s: not found\n", name);
	path = alias || parser_is_keyword(name) || function_find(name) || builtin_find(name) ?
		       name :
		       path;
	arena_free(&arena);
	return path != NULL;
}

int builtin_type(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++)
		if (!describe(argv[i], true))
			status = 127;
	return status;
}

/* command -v and -V; simple.c takes "command NAME". */
int builtin_command(int argc, char **argv)
{
	bool verbose = argc > 1 && strcmp(argv[1], "-V") == 0;
	int status = 0;

	if (argc > 1 && argv[1][0] == '-' && !verbose && strcmp(argv[1], "-v") != 0) {
		warn("command: %s: bad option", argv[1]);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		if (!describe(argv[i], verbose))
			status = 127;
	return status;
}

/* The shell remembers no paths, so there is nothing to list or to forget. */
int builtin_hash(int argc, char **argv)
{
	struct arena arena = { NULL };
	int status = 0;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-' || function_find(argv[i]) || builtin_find(argv[i]) ||
		    find_program(&arena, argv[i]))
			continue;
		warn("hash: %s: not found", argv[i]);
		status = 1;
	}
	arena_free(&arena);
	return status;
}
