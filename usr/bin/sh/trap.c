/*
 * trap.c - trap, and running what it was given.
 *
 *   signal -> note_signal(): pending[N] = 1      ... the command ends ...  traps_run(): the action
 *
 * Handlers are without SA_RESTART: a signal that has an action ends `wait` and `read`.
 *
 * Invariants: actions[N] is NULL for the default, "" for ignored.  Locks: none.
 */
#include "usr/bin/sh/trap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

#define NR_SIGNALS 32
#define ON_EXIT	   0

static char *actions[NR_SIGNALS];
static volatile sig_atomic_t pending[NR_SIGNALS];
static volatile sig_atomic_t any_pending;

static void note_signal(int signal)
{
	pending[signal] = 1;
	any_pending = 1;
}

/* Run a copy of @action: it may change itself. */
static void run_action(const char *action)
{
	char *copy = xstrdup(action);
	struct source src;

	source_open_string(&src, copy);
	eval_source(&src);
	free(copy);
}

void traps_run(void)
{
	int status = params.status;

	if (!any_pending)
		return;
	any_pending = 0;
	for (int i = 1; i < NR_SIGNALS; i++) {
		if (!pending[i])
			continue;
		pending[i] = 0;
		if (actions[i] && *actions[i])
			run_action(actions[i]);
	}
	if (shell.skip == SKIP_NOTHING)
		params.status = status;
}

int traps_waiting(void)
{
	for (int i = 1; any_pending && i < NR_SIGNALS; i++)
		if (pending[i] && actions[i] && *actions[i])
			return 128 + i;
	return 0;
}

void traps_run_exit(void)
{
	char *action = actions[ON_EXIT];
	int status = params.status;

	actions[ON_EXIT] = NULL;
	if (!action)
		return;
	shell.skip = SKIP_NOTHING;
	run_action(action);
	free(action);
	params.status = status;
}

bool traps_at_exit(void)
{
	return actions[ON_EXIT] != NULL;
}

void traps_in_child(void)
{
	for (int i = 0; i < NR_SIGNALS; i++) {
		if (!actions[i] || (i != ON_EXIT && !*actions[i]))
			continue;
		if (i != ON_EXIT)
			signal(i, SIG_DFL);
		free(actions[i]);
		actions[i] = NULL;
	}
}

/* Print the actions as commands that set them again. */
static void print_traps(void)
{
	for (int i = 0; i < NR_SIGNALS; i++) {
		if (!actions[i])
			continue;
		fputs("trap -- ", stdout);
		vars_print_quoted(actions[i]);
		printf(" %s\n", i == ON_EXIT ? "EXIT" : signal_name(i));
	}
}

/* The kernel's side of @action for @number. Returns 0, or -1 after a message. */
static int set_handler(const char *name, int number, const char *action)
{
	struct sigaction how = { .sa_handler = SIG_DFL };

	if (number == ON_EXIT)
		return 0;
	if (action)
		how.sa_handler = *action ? note_signal : SIG_IGN;
	if (sigaction(number, &how, NULL) == 0)
		return 0;
	warn_errno("trap: %s: the kernel refuses", name);
	return -1;
}

int builtin_trap(int argc, char **argv)
{
	int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
	const char *action = NULL;
	int result = 0;
	long long number;

	if (first >= argc) {
		print_traps();
		return 0;
	}
	/* Without an action, "trap INT" or "trap 2", the signals get their defaults. */
	if (first + 1 < argc && parse_number(argv[first], 0, NR_SIGNALS, &number) < 0)
		action = argv[first++];
	if (action && strcmp(action, "-") == 0)
		action = NULL;
	for (int i = first; i < argc; i++) {
		int signal = strcmp(argv[i], "EXIT") == 0 || strcmp(argv[i], "0") == 0 ?
				     ON_EXIT :
				     signal_number(argv[i]);

		if (signal < 0 || signal >= NR_SIGNALS) {
			warn("trap: %s: no such signal", argv[i]);
			result = 1;
		} else if (set_handler(argv[i], signal, action) < 0) {
			result = 1;
		} else {
			free(actions[signal]);
			actions[signal] = action ? xstrdup(action) : NULL;
		}
	}
	return result;
}
