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
#include <sys/stat.h>
#include <unistd.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/history.h"
#include "usr/bin/sh/jobs.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

static int builtin_true(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static int builtin_false(int argc, char **argv)
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

static int builtin_cd(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : var_get("HOME");
	const char *old = var_get("PWD");
	bool back = directory && strcmp(directory, "-") == 0;
	char *cwd;

	if (back)
		directory = var_get("OLDPWD");
	if (!directory || argc > 2) {
		warn("cd: %s", argc > 2 ? "too many arguments" :
			       back	? "OLDPWD is not set" :
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

static int builtin_exit(int argc, char **argv)
{
	int status = number_argument(argc, argv, 0, params.status);

	fflush(stdout);
	exit(status < 0 ? 2 : status & 255);
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

static int builtin_export(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "-p") == 0)
		vars_print(true);
	for (int i = 1; i < argc && argv[1][0] != '-'; i++) {
		int length = name_length(argv[i]);

		if (length == 0 || (argv[i][length] && argv[i][length] != '=')) {
			warn("export: %s: bad variable name", argv[i]);
			return 2;
		}
		if (argv[i][length])
			var_set_n(argv[i], length, argv[i] + length + 1);
		var_export(argv[i], length);
	}
	return 0;
}

static int builtin_unset(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (i > 1 || strcmp(argv[i], "-v") != 0)
			var_unset(argv[i]);
	return 0;
}

static int builtin_set(int argc, char **argv)
{
	int i;

	if (argc < 2)
		vars_print(false);
	for (i = 1; i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1]; i++) {
		bool on = argv[i][0] == '-';

		if (strcmp(argv[i], "--") == 0) {
			params_set(argv + i + 1, argc - i - 1);
			return 0;
		}
		for (const char *letter = argv[i] + 1; *letter; letter++) {
			if (*letter == 'e') {
				shell.exit_on_error = on;
			} else if (*letter == 'x') {
				shell.trace = on;
			} else {
				warn("set: %s: bad option", argv[i]);
				return 2;
			}
		}
	}
	if (i < argc)
		params_set(argv + i, argc - i);
	return 0;
}

static int builtin_shift(int argc, char **argv)
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

static int builtin_umask(int argc, char **argv)
{
	mode_t mask;
	char *end;
	long value;

	if (argc < 2) {
		mask = umask(0);
		umask(mask);
		printf("%04o\n", (unsigned int)mask);
		return 0;
	}
	value = strtol(argv[1], &end, 8);
	if (end == argv[1] || *end || value < 0 || value > 0777) {
		warn("umask: %s: bad mask", argv[1]);
		return 2;
	}
	umask(value);
	return 0;
}

static int builtin_dot(int argc, char **argv)
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

static int builtin_eval(int argc, char **argv)
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

static int builtin_return(int argc, char **argv)
{
	int status = number_argument(argc, argv, 0, params.status);

	if (shell.dot_depth == 0) {
		warn("return: only in a file that . reads");
		return 2;
	}
	shell.skip = SKIP_RETURN;
	return status < 0 ? 2 : status & 255;
}

/* break and continue */
static int builtin_break(int argc, char **argv)
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

/* Read one line, byte by byte, since what follows is for others. Returns false at the end. */
static bool read_line(struct strbuf *line, bool raw)
{
	bool escaped = false;
	ssize_t n;
	char c;

	for (;;) {
		n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		if (escaped) {
			escaped = false;
			if (c != '\n')
				strbuf_add_char(line, c);
		} else if (c == '\\' && !raw) {
			escaped = true;
		} else if (c == '\n') {
			return true;
		} else {
			strbuf_add_char(line, c);
		}
	}
}

/* Split @line by IFS into the variables @names; the last takes all that is left. */
static void assign_fields(char *line, char **names)
{
	const char *ifs = var_get("IFS");
	char blanks[4] = "";
	int nr_blanks = 0;
	size_t end;

	if (!ifs)
		ifs = " \t\n";
	for (const char *c = " \t\n"; *c; c++)
		if (strchr(ifs, *c))
			blanks[nr_blanks++] = *c;
	line += strspn(line, blanks);
	for (; *names; names++) {
		size_t length = names[1] ? strcspn(line, ifs) : strlen(line);
		char *value = line;

		line += length;
		if (*line) {
			line += strspn(line, blanks);
			if (*line && strchr(ifs, *line) && !strchr(blanks, *line))
				line += 1 + strspn(line + 1, blanks);
		}
		end = length;
		while (!names[1] && end && strchr(blanks, value[end - 1]))
			end--;
		value = strndup(value, end);
		if (!value)
			die(1, "out of memory");
		var_set(*names, value);
		free(value);
	}
}

static int builtin_read(int argc, char **argv)
{
	static char *reply[] = { "REPLY", NULL };
	bool raw = argc > 1 && strcmp(argv[1], "-r") == 0;
	char **names = argc > 1 + raw ? argv + 1 + raw : reply;
	struct arena arena = { NULL };
	struct strbuf line = strbuf_in(&arena);
	bool complete;

	for (char **name = names; *name; name++) {
		if (name_length(*name) && !(*name)[name_length(*name)])
			continue;
		warn("read: %s: bad variable name", *name);
		arena_free(&arena);
		return 2;
	}
	complete = read_line(&line, raw);
	assign_fields(line.text, names);
	arena_free(&arena);
	return !complete;
}

static const struct {
	const char *name;
	builtin_function *function;
} builtins[] = {
	{ ":", builtin_true },		{ "true", builtin_true },     { "false", builtin_false },
	{ "cd", builtin_cd },		{ "exit", builtin_exit },     { "exec", builtin_exec },
	{ "export", builtin_export },	{ "unset", builtin_unset },   { "set", builtin_set },
	{ "shift", builtin_shift },	{ "umask", builtin_umask },   { ".", builtin_dot },
	{ "eval", builtin_eval },	{ "return", builtin_return }, { "break", builtin_break },
	{ "continue", builtin_break },	{ "read", builtin_read },     { "ulimit", builtin_ulimit },
	{ "test", builtin_test },	{ "[", builtin_test },	      { "wait", jobs_builtin_wait },
	{ "jobs", jobs_builtin_jobs },	{ "fg", jobs_builtin_fg },    { "bg", jobs_builtin_bg },
	{ "history", history_builtin },
};

void command_names(void (*visit)(const char *name, void *context), void *context)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		visit(builtins[i].name, context);
}

builtin_function *builtin_find(const char *name)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (strcmp(builtins[i].name, name) == 0)
			return builtins[i].function;
	return NULL;
}
