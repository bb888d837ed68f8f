/*
 * simple.c - a simple command, from its words to its status.
 *
 *   X=1 name args >file
 *    |   |    |     '--- a builtin: done, and undone after it;  a program: done in the child
 *    |   |    '--------- expanded before anything else
 *    |   '-------------- nothing, a builtin, or a program
 *    '------------------ nothing follows: for the shell;  else: for this command only
 *
 * Invariants: whatever a builtin's prefix changed is back after it (but for exec's redirections).
 * Locks: none.
 */
#include "usr/bin/sh/simple.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/expand.h"
#include "usr/bin/sh/function.h"
#include "usr/bin/sh/jobs.h"
#include "usr/bin/sh/redirect.h"
#include "usr/bin/sh/trap.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

static bool substituted;

void simple_note_substitution(void)
{
	substituted = true;
}

/* Do the assignments in order; with @saved, keep what was. Returns 0, or -1 after a message. */
static int assign(struct arena *arena, const struct word *assigns, bool export,
		  struct saved_var **saved)
{
	for (; assigns; assigns = assigns->next) {
		const char *equals = strchr(assigns->text, '=');
		size_t length = equals - assigns->text;
		const char *name = arena_copy(arena, assigns->text, length);
		const char *value = expand_string(arena, equals + 1);

		if (!value)
			return -1;
		if (!var_may_change(name))
			return -1;
		if (saved)
			var_save(arena, name, saved);
		var_set(name, value);
		if (export)
			var_export(name, length);
	}
	return 0;
}

static void trace(const struct fields *fields)
{
	if (!shell.trace || !fields->count)
		return;
	fputc('+', stderr);
	for (int i = 0; i < fields->count; i++)
		fprintf(stderr, " %s", fields->list[i]);
	fputc('\n', stderr);
}

static int run_nothing(struct arena *arena, const struct node *node)
{
	struct saved_fd *saved = NULL;
	int status = redirect_apply(arena, node->redirects, &saved) < 0;

	redirect_undo(saved);
	if (assign(arena, node->assigns, false, NULL) < 0)
		return eval_fatal(2);
	return status ? status : substituted ? params.status : 0;
}

/* A function or, without one, a builtin. */
static int run_inside(struct arena *arena, const struct node *node, struct function *function,
		      builtin_function *builtin, const struct fields *fields)
{
	bool keeps = !function && builtin == builtin_exec;
	struct saved_fd *saved_fds = NULL;
	struct saved_var *saved_vars = NULL;
	int status = 1;

	if (redirect_apply(arena, node->redirects, keeps ? NULL : &saved_fds) == 0) {
		clearerr(stdout);
		if (assign(arena, node->assigns, keeps, &saved_vars) < 0)
			status = eval_fatal(2);
		else if (function)
			status = function_call(function, fields->count, fields->list);
		else
			status = builtin(fields->count, fields->list);
		/* What is buffered by lines has been written already, and may have failed then. */
		if ((fflush(stdout) == EOF) | ferror(stdout)) {
			clearerr(stdout);
			warn_errno("%s: write error", fields->list[0]);
			status = 1;
		}
		vars_restore(saved_vars);
	} else if (keeps) {
		status = eval_fatal(2);
	}
	redirect_undo(saved_fds);
	return status;
}

/* In the process that is to become the program. */
static void __attribute__((noreturn))
become_program(struct arena *arena, const struct node *node, const struct fields *fields)
{
	if (redirect_apply(arena, node->redirects, NULL) < 0)
		exit(1);
	if (assign(arena, node->assigns, true, NULL) < 0)
		exit(2);
	exit(exec_program(fields->list, vars_environment(arena)));
}

static int run_program(struct arena *arena, const struct node *node, const struct fields *fields,
		       bool last)
{
	struct job *job;

	if (last && !traps_at_exit())
		become_program(arena, node, fields);
	job = job_new(node);
	if (job_fork(job, true) == 0)
		become_program(arena, node, fields);
	return job_wait(job);
}

/* "command NAME": drop it, functions are passed over. Returns false for "command -v". */
static bool skip_command(struct fields *fields)
{
	int words =
		strcmp(fields->list[1], "-p") == 0 || strcmp(fields->list[1], "--") == 0 ? 2 : 1;

	if (fields->count <= words || fields->list[words][0] == '-')
		return false;
	fields->list += words;
	fields->count -= words;
	return true;
}

int simple_command(const struct node *node, bool last)
{
	struct arena arena = { NULL };
	builtin_function *builtin;
	struct function *function;
	struct fields fields;
	bool plain = false;
	int status;

	substituted = false;
	if (expand_words(&arena, node->words, &fields) < 0) {
		arena_free(&arena);
		return eval_fatal(2);
	}
	trace(&fields);
	if (fields.count > 1 && strcmp(fields.list[0], "command") == 0)
		plain = skip_command(&fields);
	function = fields.count && !plain ? function_find(fields.list[0]) : NULL;
	builtin = fields.count ? builtin_find(fields.list[0]) : NULL;
	if (!fields.count)
		status = run_nothing(&arena, node);
	else if (function || builtin)
		status = run_inside(&arena, node, function, builtin, &fields);
	else
		status = run_program(&arena, node, &fields, last);
	arena_free(&arena);
	return status;
}

/* Does the file look like text, so that a shell may read it? */
static bool is_script(const char *path)
{
	char start[128];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, start, sizeof(start));

	close(fd);
	return n >= 0 && !memchr(start, '\0', n) && (n == 0 || start[0] != '\177');
}

/* execve, and a script without "#!" is given to the shell. Returns with errno. */
static void try_exec(const char *path, char **argv, char **environment)
{
	struct arena arena = { NULL };
	char **script_argv;
	int count = 0;
	int error;

	execve(path, argv, environment);
	error = errno;
	if (error != ENOEXEC || !is_script(path)) {
		errno = error;
		return;
	}
	while (argv[count])
		count++;
	script_argv = arena_alloc(&arena, (count + 2) * sizeof(*script_argv));
	script_argv[0] = "sh";
	script_argv[1] = (char *)path;
	memcpy(script_argv + 2, argv + 1, count * sizeof(*argv));
	execve("/bin/sh", script_argv, environment);
	arena_free(&arena);
}

int exec_program(char **argv, char **environment)
{
	const char *path = var_get("PATH");
	int error = ENOENT;

	if (strchr(argv[0], '/')) {
		try_exec(argv[0], argv, environment);
		error = errno;
		warn_errno("%s", argv[0]);
		return error == ENOENT || error == ENOTDIR ? 127 : 126;
	}
	if (!path)
		path = "/bin";
	while (*argv[0]) {
		int length = strcspn(path, ":");
		char *file = xmalloc(length + strlen(argv[0]) + 2);

		sprintf(file, "%.*s%s%s", length, path, length ? "/" : "", argv[0]);
		try_exec(file, argv, environment);
		free(file);
		if (errno != ENOENT && errno != ENOTDIR)
			error = errno;
		if (error != ENOENT && error != EACCES)
			break;
		path += length;
		if (!*path++)
			break;
	}
	errno = error;
	if (error == ENOENT)
		warn("%s: not found", argv[0]);
	else
		warn_errno("%s", argv[0]);
	return error == ENOENT ? 127 : 126;
}
