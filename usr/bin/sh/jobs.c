/*
 * jobs.c - process groups, waiting, the terminal's foreground; see jobs.h.
 *
 * Invariants: only collect() calls waitpid(), so that no status is lost, whichever job it is of.
 * Locks: none.
 */
#include "usr/bin/sh/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/trap.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

enum process_state { RUNNING, STOPPED, ENDED };

struct process {
	pid_t pid;
	enum process_state state;
	int status; /* as waitpid() gave it */
};

struct job {
	struct job *next;
	int number;
	pid_t pgid; /* 0: no process yet, or no job control */
	bool background;
	int nr_processes;
	struct process *processes;
};

static const int shell_ignores[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };
#define NR_SHELL_IGNORES (sizeof(shell_ignores) / sizeof(shell_ignores[0]))

static struct job *jobs;
static int terminal = -1; /* >= 0: job control */
static pid_t shell_pgid;

bool jobs_controlled(void)
{
	return terminal >= 0;
}

/*
 * ^C while the shell itself works, as in a loop of builtins: SIGINT is ignored, but blocked as
 * well, and a blocked signal stays pending. So jobs_interrupted() can see it, without a handler.
 */
static void block_interrupt(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(how, &set, NULL);
}

bool jobs_interrupted(void)
{
	static const struct timespec at_once = { 0, 0 };
	sigset_t set;

	if (!jobs_controlled() || sigpending(&set) < 0 || !sigismember(&set, SIGINT))
		return false;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	return sigtimedwait(&set, NULL, &at_once) == SIGINT;
}

void jobs_init_interactive(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);

	if (fd < 0 || tcgetpgrp(fd) < 0) {
		close(fd);
		for (size_t i = 0; i < 2; i++)
			signal(shell_ignores[i], SIG_IGN);
		return;
	}
	for (size_t i = 0; i < NR_SHELL_IGNORES; i++)
		signal(shell_ignores[i], SIG_IGN);
	block_interrupt(SIG_BLOCK);
	/* A session leader is its own group already, and then this fails. */
	setpgid(0, 0);
	shell_pgid = getpgrp();
	tcsetpgrp(fd, shell_pgid);
	terminal = fd;
	terminal_init(fd);
}

struct job *job_new(void)
{
	struct job *job = xmalloc(sizeof(*job));

	memset(job, 0, sizeof(*job));
	job->number = jobs ? jobs->number + 1 : 1;
	job->next = jobs;
	jobs = job;
	return job;
}

static void job_free(struct job *job)
{
	struct job **link = &jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	free(job->processes);
	free(job);
}

static enum process_state job_state(const struct job *job)
{
	enum process_state state = ENDED;

	for (int i = 0; i < job->nr_processes; i++)
		if (job->processes[i].state < state)
			state = job->processes[i].state;
	return state;
}

static void ignore_in_background(void)
{
	int fd = open("/dev/null", O_RDONLY);

	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (fd > 0) {
		dup2(fd, STDIN_FILENO);
		close(fd);
	}
}

/* In a new child: join the job's group, take the terminal, be an ordinary process. */
static void become_child(const struct job *job, bool foreground)
{
	pid_t pgid = job->pgid ? job->pgid : getpid();

	if (jobs_controlled()) {
		/* The parent does the same: whoever comes first, it is done before it matters. */
		setpgid(0, pgid);
		if (foreground)
			tcsetpgrp(terminal, pgid);
		for (size_t i = 0; i < NR_SHELL_IGNORES; i++)
			signal(shell_ignores[i], SIG_DFL);
		block_interrupt(SIG_UNBLOCK);
		close(terminal);
		terminal = -1;
		terminal_init(-1);
	} else if (shell.interactive) {
		for (size_t i = 0; i < 2; i++)
			signal(shell_ignores[i], SIG_DFL);
	} else if (!foreground) {
		ignore_in_background();
	}
	traps_in_child();
	shell.interactive = false;
	while (jobs)
		job_free(jobs);
}

pid_t job_fork(struct job *job, bool foreground)
{
	struct process *process;
	pid_t pid;

	job->processes = xrealloc(job->processes, (job->nr_processes + 1) * sizeof(*process));
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		warn_errno("fork");
		return -1;
	}
	if (pid == 0) {
		become_child(job, foreground);
		return 0;
	}
	if (jobs_controlled()) {
		if (!job->pgid)
			job->pgid = pid;
		setpgid(pid, job->pgid);
		if (foreground)
			tcsetpgrp(terminal, job->pgid);
	}
	process = &job->processes[job->nr_processes++];
	*process = (struct process){ .pid = pid, .state = RUNNING };
	return pid;
}

/* Note what happened to one child. Returns false when there was nothing to note. */
static bool collect(int flags)
{
	int status;
	pid_t pid;

	do {
		pid = waitpid(-1, &status, flags | (jobs_controlled() ? WUNTRACED : 0));
	} while (pid < 0 && errno == EINTR);
	if (pid <= 0)
		return false;
	for (struct job *job = jobs; job; job = job->next) {
		for (int i = 0; i < job->nr_processes; i++) {
			if (job->processes[i].pid != pid)
				continue;
			job->processes[i].status = status;
			job->processes[i].state = WIFSTOPPED(status) ? STOPPED : ENDED;
		}
	}
	return true;
}

static int exit_status(int status)
{
	if (WIFSTOPPED(status))
		return 128 + WSTOPSIG(status);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void report_deaths(const struct job *job)
{
	bool interrupted = false;

	for (int i = 0; i < job->nr_processes; i++) {
		int status = job->processes[i].status;

		if (job->processes[i].state != ENDED || !WIFSIGNALED(status))
			continue;
		if (WTERMSIG(status) == SIGINT)
			interrupted = true;
		else if (WTERMSIG(status) != SIGPIPE)
			fprintf(stderr, "%s\n", strsignal(WTERMSIG(status)));
	}
	if (interrupted && shell.interactive) {
		fputc('\n', stderr);
		shell.skip = SKIP_LINE;
	}
}

/* Wait until the job does not run. Children that others took away count as ended. */
static void wait_until_done(struct job *job)
{
	while (job_state(job) == RUNNING)
		if (!collect(0))
			for (int i = 0; i < job->nr_processes; i++)
				job->processes[i].state = ENDED;
}

int job_wait(struct job *job)
{
	int status = 2;

	wait_until_done(job);
	if (jobs_controlled())
		tcsetpgrp(terminal, shell_pgid);
	if (job->nr_processes)
		status = exit_status(job->processes[job->nr_processes - 1].status);
	for (int i = job->nr_processes - 1; shell.pipefail && !status && i >= 0; i--)
		status = exit_status(job->processes[i].status);
	report_deaths(job);
	if (job_state(job) == STOPPED) {
		job->background = true;
		fprintf(stderr, "\n[%d] %d stopped\n", job->number, (int)job->pgid);
	} else {
		job_free(job);
	}
	return status;
}

void job_leave(struct job *job)
{
	if (job->nr_processes == 0) {
		job_free(job);
		return;
	}
	job->background = true;
	params.last_background = job->processes[job->nr_processes - 1].pid;
	if (shell.interactive)
		fprintf(stderr, "[%d] %d\n", job->number, (int)params.last_background);
}

static pid_t job_pid(const struct job *job)
{
	return job->processes[job->nr_processes - 1].pid;
}

void jobs_notify(void)
{
	struct job *next;

	while (collect(WNOHANG))
		;
	for (struct job *job = jobs; job; job = next) {
		next = job->next;
		if (job_state(job) != ENDED || !job->background)
			continue;
		fprintf(stderr, "[%d] %d done (%d)\n", job->number, (int)job_pid(job),
			exit_status(job->processes[job->nr_processes - 1].status));
		job_free(job);
	}
}

/* The job that "%N" or a pid names; the newest background job for NULL. */
static struct job *find_job(const char *name)
{
	bool by_number = name && *name == '%';
	long long number = 0;

	if (name && parse_number(name + by_number, 1, 1 << 30, &number) < 0)
		return NULL;
	for (struct job *job = jobs; job; job = job->next) {
		if (!job->background)
			continue;
		if (!name || (by_number ? job->number == number : job_pid(job) == number))
			return job;
	}
	return NULL;
}

int jobs_builtin_wait(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++) {
		struct job *job = find_job(argv[i]);

		status = 127;
		if (!job)
			continue;
		wait_until_done(job);
		status = exit_status(job->processes[job->nr_processes - 1].status);
		if (job_state(job) == ENDED)
			job_free(job);
	}
	if (argc > 1)
		return status;
	for (struct job *job = jobs, *next; job; job = next) {
		next = job->next;
		wait_until_done(job);
		if (job_state(job) == ENDED && !shell.interactive)
			job_free(job);
	}
	return 0;
}

int jobs_builtin_jobs(int argc, char **argv)
{
	static const char *const words[] = { "running", "stopped", "done" };

	(void)argc;
	(void)argv;
	while (collect(WNOHANG))
		;
	for (struct job *job = jobs; job; job = job->next)
		if (job->background)
			printf("[%d] %d %s\n", job->number, (int)job_pid(job),
			       words[job_state(job)]);
	return 0;
}

/* Continue a stopped job. Returns it, or NULL after a message. */
static struct job *continue_job(int argc, char **argv, bool foreground)
{
	struct job *job = find_job(argc > 1 ? argv[1] : NULL);

	if (!job || !jobs_controlled()) {
		warn("%s: %s", argv[0], job ? "no job control" : "no such job");
		return NULL;
	}
	if (foreground)
		tcsetpgrp(terminal, job->pgid);
	for (int i = 0; i < job->nr_processes; i++)
		if (job->processes[i].state == STOPPED)
			job->processes[i].state = RUNNING;
	if (kill(-job->pgid, SIGCONT) < 0 && errno != ESRCH)
		warn_errno("%s", argv[0]);
	return job;
}

int jobs_builtin_fg(int argc, char **argv)
{
	struct job *job = continue_job(argc, argv, true);

	if (!job)
		return 1;
	job->background = false;
	return job_wait(job);
}

int jobs_builtin_bg(int argc, char **argv)
{
	return continue_job(argc, argv, false) ? 0 : 1;
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
		child = job_new();
		if (job_fork(child, true) == 0)
			exit(exec_program(words, vars_environment(&arena)));
		status = job_wait(child);
	}
	arena_free(&arena);
	return status;
}
