/*
 * main.c - sh: how the shell is called.
 *
 *	sh                     commands from standard input; with prompts when that is a terminal
 *	sh -c LINE [NAME ARG...]
 *	sh FILE [ARG...]
 *	sh -s [ARG...]         commands from standard input, with arguments
 *	options: -i interactive, and those of set
 *
 * The other files, in reading order: source (characters), lexer (tokens), parser and tree.h,
 * eval (lists and compounds), simple (commands), expand + glob + arith (words), redirect, jobs +
 * jobcmds + unparse + terminal, vars, builtins + test + ulimit; memory below all. At a terminal
 * also prompt and edit, which has keys, line, screen, history, search and complete.
 *
 * Invariants: one thread, no signal handlers but the editor's (terminal.c).  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/jobs.h"
#include "usr/bin/sh/options.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "sh [-aefinuxC] [-c line | -s | file] [argument...]";

/* The options; returns the index of the first argument after them. */
static int parse_options(int argc, char **argv, bool *from_line, bool *from_input)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strcmp(argv[i], "--") == 0)
			return i + 1;
		for (const char *letter = argv[i] + 1; *letter; letter++) {
			if (*letter == 'c')
				*from_line = true;
			else if (*letter == 'i')
				shell.interactive = true;
			else if (*letter == 's')
				*from_input = true;
			else if (!option_set_letter(*letter, true))
				usage_status(STATUS_TROUBLE, synopsis);
		}
	}
	return i;
}

/* Open a script at a descriptor that its commands will not meet. */
static int open_script(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int high;

	if (fd < 0)
		die_errno(errno == ENOENT ? 127 : 126, "%s", path);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	if (high < 0)
		return fd;
	close(fd);
	return high;
}

static void set_pwd(void)
{
	char *cwd = getcwd(NULL, 0);

	if (cwd)
		var_set("PWD", cwd);
	free(cwd);
}

static int run_interactive(struct source *src)
{
	int status;

	jobs_init_interactive();
	source_open_fd(src, STDIN_FILENO, NULL, true);
	status = eval_source(src);
	fputc('\n', stderr);
	return status;
}

int main(int argc, char **argv)
{
	static struct source src;
	bool from_line = false, from_input = false;
	int first = parse_options(argc, argv, &from_line, &from_input);
	const char *line = NULL;

	program_invocation_short_name = "sh";
	params.shell_pid = getpid();
	params.name = argv[0];
	vars_init();
	set_pwd();
	if (from_line) {
		if (first == argc)
			usage_status(STATUS_TROUBLE, synopsis);
		line = argv[first++];
	}
	if (first < argc && !from_input)
		params.name = argv[first++];
	params_set(argv + first, first <= argc ? argc - first : 0);
	if (line) {
		source_open_string(&src, line);
	} else if (params.name != argv[0]) {
		source_open_fd(&src, open_script(params.name), params.name, false);
	} else {
		if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO))
			shell.interactive = true;
		if (shell.interactive)
			eval_exit(run_interactive(&src));
		source_open_fd(&src, STDIN_FILENO, NULL, false);
	}
	eval_exit(eval_source(&src));
}
