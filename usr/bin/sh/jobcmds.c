/*
 * jobcmds.c - the builtins about jobs: wait, jobs, fg, bg and the part of kill that knows "%N".
 *
 * Invariants: see job.h.  Locks: none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/job.h"
#include "usr/bin/sh/jobs.h"
#include "usr/bin/sh/simple.h"
#include "usr/bin/sh/trap.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

/* The @skip-th newest job that was stopped; when there is none, of those in the background. */
static struct job *current_job(int skip)
{
	for (int pass = 0; pass < 2; pass++)
		for (struct job *job = jobs; job; job = job->next)
			if (job->background && (job_state(job) == STOPPED) == (pass == 0) &&
			    skip-- == 0)
				return job;
	return NULL;
}

/*
 * The job that "%N", "%%", "%+", "%-", "%start-of-its-text", "%?part-of-its-text" or a pid names;
 * the current one for NULL.
 */
static struct job *find_job(const char *name)
{
	bool by_number = name && *name == '%';
	long long number = 0;

	if (!name || strcmp(name, "%") == 0 || strcmp(name, "%%") == 0 || strcmp(name, "%+") == 0)
		return current_job(0);
	if (strcmp(name, "%-") == 0)
		return current_job(1);
	if (parse_number(name + by_number, 1, 1 << 30, &number) < 0 && !by_number)
		return NULL;
	for (struct job *job = jobs; job; job = job->next) {
		if (!job->background)
			continue;
		if (number	   ? (by_number ? job->number : job_pid(job)) == number :
		    name[1] == '?' ? strstr(job->text, name + 2) != NULL :
				     strncmp(job->text, name + 1, strlen(name + 1)) == 0)
			return job;
	}
	return NULL;
}

/* A trap's signal came, whose action runs next; or ^C: the line ends. */
static int wait_interrupted(void)
{
	if (traps_waiting())
		return traps_waiting();
	fputc('\n', stderr);
	shell.skip = SKIP_LINE;
	return 130;
}

int jobs_builtin_wait(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++) {
		struct job *job = find_job(argv[i]);

		status = 127;
		if (!job)
			continue;
		if (!job_await(job))
			return wait_interrupted();
		status = job_status(job);
		if (job_state(job) == ENDED)
			job_free(job);
	}
	if (argc > 1)
		return status;
	for (struct job *job = jobs, *next; job; job = next) {
		next = job->next;
		if (!job_await(job))
			return wait_interrupted();
		if (job_state(job) == ENDED && !shell.interactive)
			job_free(job);
	}
	return 0;
}

/* The jobs by number; those that ended are told of once. */
int jobs_builtin_jobs(int argc, char **argv)
{
	int highest = jobs ? jobs->number : 0;

	(void)argc;
	(void)argv;
	jobs_collect();
	for (int number = 1; number <= highest; number++) {
		struct job *job = jobs;

		while (job && job->number != number)
			job = job->next;
		if (!job || !job->background)
			continue;
		job_print(job, stdout);
		if (job_state(job) == ENDED && shell.interactive)
			job_free(job);
	}
	return 0;
}

/* The job to continue, or NULL after a message. */
static struct job *job_to_continue(int argc, char **argv)
{
	struct job *job = find_job(argc > 1 ? argv[1] : NULL);

	if (job && jobs_controlled())
		return job;
	warn("%s: %s%s%s", argv[0], argc > 1 ? argv[1] : "", argc > 1 ? ": " : "",
	     job ? "no job control" : "no such job");
	return NULL;
}

int jobs_builtin_fg(int argc, char **argv)
{
	struct job *job = job_to_continue(argc, argv);

	if (!job)
		return 1;
	puts(job->text);
	fflush(stdout);
	if (job_continue(job, true) < 0)
		warn_errno("fg");
	job->background = false;
	return job_wait(job);
}

int jobs_builtin_bg(int argc, char **argv)
{
	struct job *job = job_to_continue(argc, argv);

	if (!job)
		return 1;
	if (job_continue(job, false) < 0) {
		warn_errno("bg");
		return 1;
	}
	printf("[%d] %s &\n", job->number, job->text);
	return 0;
}

/* kill: the program of that name, but for "%N", which only the shell knows. */
int jobs_builtin_kill(int argc, char **argv)
{
	struct arena arena = { NULL };
	char **words = arena_alloc(&arena, (argc + 2) * sizeof(*words));
	struct job *child;
	int status = 0;
	int to = 0;

	for (int i = 0; i < argc; i++) {
		struct job *job = *argv[i] == '%' ? find_job(argv[i]) : NULL;
		char *number = arena_alloc(&arena, 24);

		if (*argv[i] == '%' && !job) {
			warn("kill: %s: no such job", argv[i]);
			status = 1;
			continue;
		}
		sprintf(number, "%d", job ? (int)(job->pgid ? -job->pgid : job_pid(job)) : 0);
		if (*number == '-' && to == 1)
			words[to++] = "--";
		words[to++] = job ? number : argv[i];
	}
	if (status == 0) {
		child = job_new(NULL);
		if (job_fork(child, true) == 0)
			exit(exec_program(words, vars_environment(&arena)));
		status = job_wait(child);
	}
	arena_free(&arena);
	return status;
}
