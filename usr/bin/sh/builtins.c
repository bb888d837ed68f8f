/*
 * builtins.c - the commands that change the shell itself.
 *
 * Invariants: see builtins.h.  Locks: none.
 */
#include "usr/bin/sh/builtins.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/times.h>
#include <unistd.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/function.h"
#include "usr/bin/sh/jobs.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/condition.h"
#include "usr/lib/tool.h"

int builtin_true(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int builtin_false(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 1;
}

/* The number argv[1], @fallback without one, -1 after a message when it is none. */
static int number_argument(int argc, char **argv, int min, int fallback)
{
	long long number;

	if (argc < 2)
		return fallback;
	if (parse_number(argv[1], min, INT_MAX, &number) == 0)
		return number;
	warn("%s: %s: bad number", argv[0], argv[1]);
	return -1;
}

int builtin_cd(int argc, char **argv)
{
	/* PWD is always the physical directory, so -L and -P say the same. */
	bool option = argc > 1 && (strcmp(argv[1], "-P") == 0 || strcmp(argv[1], "-L") == 0);
	const char *directory = argc > 1 + option ? argv[1 + option] : var_get("HOME");
	const char *old = var_get("PWD");
	bool back = directory && strcmp(directory, "-") == 0;
	char *cwd;

	if (back)
		directory = var_get("OLDPWD");
	if (!directory || argc > 2 + option) {
		warn("cd: %s", argc > 2 + option ? "too many arguments" :
			       back		 ? "OLDPWD is not set" :
						   "HOME is not set");
		return 2;
	}
	if (chdir(directory) < 0) {
		warn_errno("cd: %s", directory);
		return 1;
	}
	if (back)
		puts(directory);
	if (old)
		var_set("OLDPWD", old);
	cwd = getcwd(NULL, 0);
	if (cwd)
		var_set("PWD", cwd);
	else
		var_unset("PWD");
	free(cwd);
	return 0;
}

int builtin_exit(int argc, char **argv)
{
	int status = number_argument(argc, argv, 0, params.status);

	eval_exit(status < 0 ? 2 : status);
}

int builtin_exec(int argc, char **argv)
{
	struct arena arena = { NULL };
	int status;

	if (argc < 2)
		return 0;
	status = exec_program(argv + 1, vars_environment(&arena));
	arena_free(&arena);
	return eval_fatal(status);
}

/* export and readonly */
int builtin_export(int argc, char **argv)
{
	bool exports = argv[0][0] == 'e';

	if (argc < 2 || strcmp(argv[1], "-p") == 0)
		vars_print(argv[0]);
	for (int i = 1; i < argc && argv[1][0] != '-'; i++) {
		int length = name_length(argv[i]);
		char *value = argv[i] + length + 1;

		if (length == 0 || (argv[i][length] && argv[i][length] != '=')) {
			warn("%s: %s: bad variable name", argv[0], argv[i]);
			return eval_fatal(2);
		}
		if (argv[i][length]) {
			argv[i][length] = '\0';
			if (!var_may_change(argv[i]))
				return eval_fatal(2);
			var_set(argv[i], value);
		}
		if (exports)
			var_export(argv[i], length);
		else
			var_make_readonly(argv[i], length);
	}
	return 0;
}

int builtin_unset(int argc, char **argv)
{
	bool functions = argc > 1 && strcmp(argv[1], "-f") == 0;
	bool variables = argc > 1 && strcmp(argv[1], "-v") == 0;

	for (int i = 1 + (functions || variables); i < argc; i++) {
		if (functions) {
			function_unset(argv[i]);
			continue;
		}
		if (!var_may_change(argv[i]))
			return eval_fatal(2);
		var_unset(argv[i]);
	}
	return 0;
}

int builtin_shift(int argc, char **argv)
{
	int count = number_argument(argc, argv, 0, 1);

	if (count < 0 || count > params.count) {
		if (count > 0)
			warn("shift: only %d arguments", params.count);
		return count < 0 ? 2 : 1;
	}
	params_shift(count);
	return 0;
}

int builtin_dot(int argc, char **argv)
{
	struct source src;
	int fd;

	if (argc < 2) {
		warn(".: which file?");
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		warn_errno(".: %s", argv[1]);
		return eval_fatal(2);
	}
	/* A script may close or reopen any small descriptor; ours stays out of its way. */
	if (fd < 10) {
		int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);

		close(fd);
		fd = high;
	}
	source_open_fd(&src, fd, argv[1], false);
	params.status = 0;
	shell.dot_depth++;
	eval_source(&src);
	shell.dot_depth--;
	close(fd);
	if (shell.skip == SKIP_RETURN)
		shell.skip = SKIP_NOTHING;
	return params.status;
}

int builtin_eval(int argc, char **argv)
{
	struct arena arena = { NULL };
	struct strbuf text = strbuf_in(&arena);
	struct source src;
	int status;

	for (int i = 1; i < argc; i++) {
		if (i > 1)
			strbuf_add_char(&text, ' ');
		strbuf_add(&text, argv[i], strlen(argv[i]));
	}
	source_open_string(&src, text.text);
	params.status = 0;
	status = eval_source(&src);
	arena_free(&arena);
	return status;
}

int builtin_return(int argc, char **argv)
{
	int status = number_argument(argc, argv, 0, params.status);

	if (shell.dot_depth == 0 && shell.function_depth == 0) {
		warn("return: only in a function or a file that . reads");
		return 2;
	}
	shell.skip = SKIP_RETURN;
	params.status = status < 0 ? 2 : status & 255;
	return params.status;
}

/* break and continue */
int builtin_break(int argc, char **argv)
{
	int loops = number_argument(argc, argv, 1, 1);

	if (loops < 0)
		return 2;
	if (shell.loop_depth == 0)
		return 0;
	shell.skip_loops = loops < shell.loop_depth ? loops : shell.loop_depth;
	shell.skip = argv[0][0] == 'b' ? SKIP_BREAK : SKIP_CONTINUE;
	return 0;
}

int builtin_pwd(int argc, char **argv)
{
	const char *logical = var_get("PWD");
	char *cwd = getcwd(NULL, 0);

	if (!cwd) {
		warn_errno("pwd");
		return 1;
	}
	puts(logical && *logical == '/' && !(argc > 1 && strcmp(argv[1], "-P") == 0) ? logical :
										       cwd);
	free(cwd);
	return 0;
}

int builtin_times(int argc, char **argv)
{
	struct tms now;
	long ticks = sysconf(_SC_CLK_TCK);
	clock_t spent[4];

	(void)argc;
	(void)argv;
	if (times(&now) == (clock_t)-1) {
		warn_errno("times");
		return 1;
	}
	memcpy(spent, (clock_t[]){ now.tms_utime, now.tms_stime, now.tms_cutime, now.tms_cstime },
	       sizeof(spent));
	for (int i = 0; i < 4; i++)
		printf("%ldm%ld.%02lds%c", spent[i] / ticks / 60, spent[i] / ticks % 60,
		       spent[i] % ticks * 100 / ticks, i % 2 ? '\n' : ' ');
	return 0;
}
