/*
 * vars.c - shell variables: a sorted list, which for the handful a script has is as good as a hash.
 *
 * Invariants: sorted by name, no name twice.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/bin/sh/vars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/parser.h"
#include "usr/lib/tool.h"

struct variable {
	struct variable *next;
	char *name;
	char *value; /* NULL: exported but not set */
	bool exported;
	bool readonly;
};

struct parameters params;
static struct variable *variables;

/* The place where @name is linked, or would have to be. */
static struct variable **find_link(const char *name, size_t length, bool *found)
{
	struct variable **link = &variables;

	for (; *link; link = &(*link)->next) {
		int order = strncmp((*link)->name, name, length);

		if (order == 0 && (*link)->name[length])
			order = 1;
		*found = order == 0;
		if (order >= 0)
			return link;
	}
	*found = false;
	return link;
}

static struct variable *find_or_add(const char *name, size_t length)
{
	bool found;
	struct variable **link = find_link(name, length, &found);
	struct variable *var;

	if (found)
		return *link;
	var = xmalloc(sizeof(*var));
	var->name = xmalloc(length + 1);
	memcpy(var->name, name, length);
	var->name[length] = '\0';
	var->value = NULL;
	var->exported = false;
	var->readonly = false;
	var->next = *link;
	*link = var;
	return var;
}

void vars_init(void)
{
	char parent[16];

	for (char **entry = environ; *entry; entry++) {
		int length = name_length(*entry);

		if (length == 0 || (*entry)[length] != '=')
			continue;
		var_set_n(*entry, length, *entry + length + 1);
		var_export(*entry, length);
	}
	if (!var_get("IFS"))
		var_set("IFS", " \t\n");
	snprintf(parent, sizeof(parent), "%d", (int)getppid());
	var_set("PPID", parent);
}

const char *var_get(const char *name)
{
	bool found;
	struct variable **link = find_link(name, strlen(name), &found);

	return found ? (*link)->value : NULL;
}

bool var_is_exported(const char *name)
{
	bool found;
	struct variable **link = find_link(name, strlen(name), &found);

	return found && (*link)->exported;
}

void var_set_n(const char *name, size_t length, const char *value)
{
	struct variable *var = find_or_add(name, length);
	char *copy = xstrdup(value);

	free(var->value);
	var->value = copy;
	if (shell.export_all)
		var->exported = true;
}

void var_set(const char *name, const char *value)
{
	var_set_n(name, strlen(name), value);
}

void var_export(const char *name, size_t length)
{
	find_or_add(name, length)->exported = true;
}

void var_unset(const char *name)
{
	bool found;
	struct variable **link = find_link(name, strlen(name), &found);
	struct variable *var = *link;

	if (!found)
		return;
	*link = var->next;
	free(var->name);
	free(var->value);
	free(var);
}

char **vars_environment(struct arena *arena)
{
	size_t count = 0;
	char **table;

	for (struct variable *var = variables; var; var = var->next)
		count++;
	table = arena_alloc(arena, (count + 1) * sizeof(*table));
	count = 0;
	for (struct variable *var = variables; var; var = var->next) {
		struct strbuf entry;

		if (!var->exported || !var->value)
			continue;
		entry = strbuf_in(arena);
		strbuf_add(&entry, var->name, strlen(var->name));
		strbuf_add_char(&entry, '=');
		strbuf_add(&entry, var->value, strlen(var->value));
		table[count++] = entry.text;
	}
	return table;
}

void vars_names(void (*visit)(const char *name, void *context), void *context)
{
	for (struct variable *var = variables; var; var = var->next)
		if (var->value)
			visit(var->name, context);
}

void vars_print_quoted(const char *value)
{
	putchar('\'');
	for (; *value; value++) {
		if (*value == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*value);
	}
	putchar('\'');
}

void vars_print(const char *command)
{
	for (struct variable *var = variables; var; var = var->next) {
		bool marked = *command == 'e' ? var->exported : var->readonly;

		if (*command ? !marked : !var->value)
			continue;
		printf("%s%s%s", command, *command ? " " : "", var->name);
		if (var->value) {
			putchar('=');
			vars_print_quoted(var->value);
		}
		putchar('\n');
	}
}

void var_make_readonly(const char *name, size_t length)
{
	find_or_add(name, length)->readonly = true;
}

bool var_may_change(const char *name)
{
	bool found;
	struct variable **link = find_link(name, strlen(name), &found);

	if (!found || !(*link)->readonly)
		return true;
	warn("%s: is read only", name);
	return false;
}

void var_save(struct arena *arena, const char *name, struct saved_var **saved)
{
	struct saved_var *entry = arena_alloc(arena, sizeof(*entry));
	const char *old = var_get(name);

	entry->name = name;
	entry->value = old ? arena_copy(arena, old, strlen(old)) : NULL;
	entry->exported = var_is_exported(name);
	entry->next = *saved;
	*saved = entry;
}

void vars_restore(const struct saved_var *saved)
{
	for (; saved; saved = saved->next) {
		var_unset(saved->name);
		if (saved->value)
			var_set(saved->name, saved->value);
		if (saved->exported)
			var_export(saved->name, strlen(saved->name));
	}
}

struct parameters params_enter(char *const *args, int count)
{
	struct parameters outer = params;

	params.args = NULL;
	params.count = 0;
	params_set(args, count);
	return outer;
}

void params_leave(const struct parameters *outer)
{
	params_shift(params.count);
	free(params.args);
	params.args = outer->args;
	params.count = outer->count;
}

void params_set(char *const *args, int count)
{
	char **copies = xmalloc((count + 1) * sizeof(*copies));

	for (int i = 0; i < count; i++)
		copies[i] = xstrdup(args[i]);
	params_shift(params.count);
	free(params.args);
	params.args = copies;
	params.count = count;
}

void params_shift(int count)
{
	for (int i = 0; i < count; i++)
		free(params.args[i]);
	params.count -= count;
	if (params.count)
		memmove(params.args, params.args + count, params.count * sizeof(*params.args));
}
