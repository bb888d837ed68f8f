/*
 * alias.c - alias and unalias; the parser replaces the names.
 *
 * Invariants: no name twice.  Locks: none.
 */
#include "usr/bin/sh/alias.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

struct alias {
	struct alias *next;
	char *name;
	char *text;
};

static struct alias *aliases;

static struct alias **find_link(const char *name, size_t length)
{
	struct alias **link = &aliases;

	while (*link && (strncmp((*link)->name, name, length) != 0 || (*link)->name[length]))
		link = &(*link)->next;
	return link;
}

const char *alias_find(const char *name)
{
	struct alias *alias = *find_link(name, strlen(name));

	return alias ? alias->text : NULL;
}

static void alias_remove(struct alias **link)
{
	struct alias *alias = *link;

	*link = alias->next;
	free(alias->name);
	free(alias->text);
	free(alias);
}

static void print_alias(const struct alias *alias)
{
	printf("%s=", alias->name);
	vars_print_quoted(alias->text);
	putchar('\n');
}

int builtin_alias(int argc, char **argv)
{
	int status = 0;

	for (struct alias *alias = aliases; argc < 2 && alias; alias = alias->next)
		print_alias(alias);
	for (int i = 1; i < argc; i++) {
		size_t length = strcspn(argv[i], "=");
		struct alias **link = find_link(argv[i], length);
		struct alias *alias;

		if (!argv[i][length] || length == 0) {
			if (*link) {
				print_alias(*link);
				continue;
			}
			warn("alias: %s: not found", argv[i]);
			status = 1;
			continue;
		}
		if (*link)
			alias_remove(link);
		alias = xmalloc(sizeof(*alias));
		alias->text = xstrdup(argv[i] + length + 1);
		argv[i][length] = '\0';
		alias->name = xstrdup(argv[i]);
		alias->next = aliases;
		aliases = alias;
	}
	return status;
}

int builtin_unalias(int argc, char **argv)
{
	int status = 0;

	while (argc > 1 && strcmp(argv[1], "-a") == 0 && aliases)
		alias_remove(&aliases);
	for (int i = 1; i < argc; i++) {
		struct alias **link = find_link(argv[i], strlen(argv[i]));

		if (*link)
			alias_remove(link);
		else if (strcmp(argv[i], "-a") != 0)
			status = 1;
	}
	return status;
}

void alias_names(void (*visit)(const char *name, void *context), void *context)
{
	for (struct alias *alias = aliases; alias; alias = alias->next)
		visit(alias->name, context);
}
