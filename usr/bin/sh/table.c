/*
 * table.c - the builtins by name.
 *
 * Invariants: see builtins.h.  Locks: none.
 */
#include <string.h>

#include "usr/bin/sh/alias.h"
#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/function.h"
#include "usr/bin/sh/history.h"
#include "usr/bin/sh/jobs.h"
#include "usr/lib/condition.h"

static const struct {
	const char *name;
	builtin_function *function;
} builtins[] = {
	{ ".", builtin_dot },		{ ":", builtin_true },
	{ "[", test_condition },	{ "alias", builtin_alias },
	{ "bg", jobs_builtin_bg },	{ "break", builtin_break },
	{ "cd", builtin_cd },		{ "command", builtin_command },
	{ "continue", builtin_break },	{ "eval", builtin_eval },
	{ "exec", builtin_exec },	{ "exit", builtin_exit },
	{ "export", builtin_export },	{ "false", builtin_false },
	{ "fg", jobs_builtin_fg },	{ "getopts", builtin_getopts },
	{ "hash", builtin_hash },	{ "history", history_builtin },
	{ "jobs", jobs_builtin_jobs },	{ "kill", jobs_builtin_kill },
	{ "local", builtin_local },	{ "printf", builtin_printf },
	{ "pwd", builtin_pwd },		{ "read", builtin_read },
	{ "readonly", builtin_export }, { "return", builtin_return },
	{ "set", builtin_set },		{ "shift", builtin_shift },
	{ "test", test_condition },	{ "times", builtin_times },
	{ "trap", builtin_trap },	{ "true", builtin_true },
	{ "type", builtin_type },	{ "ulimit", builtin_ulimit },
	{ "umask", builtin_umask },	{ "unalias", builtin_unalias },
	{ "unset", builtin_unset },	{ "wait", jobs_builtin_wait },
};

#define NR_BUILTINS (sizeof(builtins) / sizeof(builtins[0]))

builtin_function *builtin_find(const char *name)
{
	for (size_t i = 0; i < NR_BUILTINS; i++)
		if (strcmp(builtins[i].name, name) == 0)
			return builtins[i].function;
	return NULL;
}

void command_names(void (*visit)(const char *name, void *context), void *context)
{
	for (size_t i = 0; i < NR_BUILTINS; i++)
		visit(builtins[i].name, context);
	function_names(visit, context);
	alias_names(visit, context);
}
