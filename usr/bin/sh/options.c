/*
 * options.c - set, and the table of the shell's options.
 *
 * Invariants: see options.h.  Locks: none.
 */
#include "usr/bin/sh/options.h"

#include <stdio.h>
#include <string.h>

#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

static const struct option {
	char letter; /* NUL: it has only a name */
	const char *name;
	bool *value;
} options[] = {
	{ 'e', "errexit", &shell.exit_on_error }, { 'f', "noglob", &shell.no_glob },
	{ 'n', "noexec", &shell.no_exec },	  { 'u', "nounset", &shell.unset_is_error },
	{ 'x', "xtrace", &shell.trace },	  { 'a', "allexport", &shell.export_all },
	{ 'C', "noclobber", &shell.no_clobber },  { '\0', "pipefail", &shell.pipefail },
};

#define NR_OPTIONS (sizeof(options) / sizeof(options[0]))

bool option_set_letter(char letter, bool on)
{
	for (size_t i = 0; i < NR_OPTIONS; i++) {
		if (options[i].letter != letter)
			continue;
		*options[i].value = on;
		return true;
	}
	return false;
}

bool option_set_name(const char *name, bool on)
{
	for (size_t i = 0; i < NR_OPTIONS; i++) {
		if (strcmp(options[i].name, name) != 0)
			continue;
		*options[i].value = on;
		return true;
	}
	return false;
}

char *options_letters(struct arena *arena)
{
	struct strbuf letters = strbuf_in(arena);

	for (size_t i = 0; i < NR_OPTIONS; i++)
		if (options[i].letter && *options[i].value)
			strbuf_add_char(&letters, options[i].letter);
	if (shell.interactive)
		strbuf_add_char(&letters, 'i');
	return letters.text;
}

/* set -o (a table for people) and set +o (commands). */
static void print_options(bool as_commands)
{
	for (size_t i = 0; i < NR_OPTIONS; i++) {
		bool on = *options[i].value;

		if (as_commands)
			printf("set %co %s\n", on ? '-' : '+', options[i].name);
		else
			printf("%-16s%s\n", options[i].name, on ? "on" : "off");
	}
}

/* The letters of @word, as "-eu"; "-o" takes its name from @name. Returns the words used, or -1. */
static int set_word(const char *word, const char *name)
{
	bool on = *word == '-';
	int used = 1;

	for (const char *letter = word + 1; *letter; letter++) {
		if (*letter == 'o' && !name) {
			print_options(!on);
		} else if (*letter == 'o' ? !option_set_name(name, on) :
					    !option_set_letter(*letter, on)) {
			warn("set: %s: bad option", *letter == 'o' ? name : word);
			return -1;
		} else if (*letter == 'o') {
			used = 2;
		}
	}
	return used;
}

int builtin_set(int argc, char **argv)
{
	int i = 1;

	if (argc < 2)
		vars_print("");
	while (i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1]) {
		int used;

		if (strcmp(argv[i], "--") == 0) {
			params_set(argv + i + 1, argc - i - 1);
			return 0;
		}
		used = set_word(argv[i], argv[i + 1]);
		if (used < 0)
			return eval_fatal(2);
		i += used;
	}
	if (i < argc)
		params_set(argv + i, argc - i);
	return 0;
}
