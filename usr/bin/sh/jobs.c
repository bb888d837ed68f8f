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
#include "usr/bin/sh/job.h"
#include "usr/bin/sh/trap.h"
#include "usr/bin/sh/unparse.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

static const int shell_ignores[] = { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };
#define NR_SHELL_IGNORES (sizeof(shell_ignores) / sizeof(shell_ignores[0]))

struct job *jobs;
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
static void change_mask(int how, int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
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
	change_mask(SIG_BLOCK, SIGINT);
	/* A session leader is its own group already, and then this fails. */
	setpgid(0, 0);
	shell_pgid = getpgrp();
	tcsetpgrp(fd, shell_pgid);
	terminal = fd;
	terminal_init(fd);
}

/* The name of a job for the list; only at a terminal does anybody read it. */
static char *name_of(const struct node *node)
{
	struct arena arena = { NULL };
	char *text = xstrdup(node && shell.interactive ? unparse(&arena, node) : "");

	arena_free(&arena);
	return text;
}

struct job *job_new(const struct node *node)
{
	struct job *job = xmalloc(sizeof(*job));

	memset(job, 0, sizeof(*job));
	job->number = jobs ? jobs->number + 1 : 1;
	job->text = name_of(node);
	job->next = jobs;
	jobs = job;
	return job;
}

void job_free(struct job *job)
{
	struct job **link = &jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	free(job->processes);
	free(job->text);
	free(job);
}

enum process_state job_state(const struct job *job)
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
		change_mask(SIG_UNBLOCK, SIGINT);
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
		pid = waitpid(-1, &status,
			      flags | (jobs_controlled() ? WUNTRACED | WCONTINUED : 0));
	} while (pid < 0 && errno == EINTR);
	if (pid <= 0)
		return false;
	for (struct job *job = jobs; job; job = job->next) {
		for (int i = 0; i < job->nr_processes; i++) {
			if (job->processes[i].pid != pid)
				continue;
			job->processes[i].status = status;
			job->processes[i].state = WIFSTOPPED(status)   ? STOPPED :
						  WIFCONTINUED(status) ? RUNNING :
									 ENDED;
		}
	}
	return true;
}

void jobs_collect(void)
{
	while (collect(WNOHANG))
		;
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

pid_t job_pid(const struct job *job)
{
	return job->processes[job->nr_processes - 1].pid;
}

int job_status(const struct job *job)
{
	return exit_status(job->processes[job->nr_processes - 1].status);
}

static void count_as_ended(struct job *job)
{
	for (int i = 0; i < job->nr_processes; i++)
		job->processes[i].state = ENDED;
}

/* As job_await(), but ^C is for the job, which is in the foreground. */
static void wait_until_done(struct job *job)
{
	while (job_state(job) == RUNNING)
		if (!collect(0))
			count_as_ended(job);
}

static void do_nothing(int signal __attribute__((unused)))
{
}

/*
 * Without job control: until @job does not run, or a signal came that has a trap. All signals are
 * blocked but in sigsuspend(), so that none comes between the look and the sleep.
 */
static bool await_or_trap(struct job *job)
{
	struct sigaction wake = { .sa_handler = do_nothing }, before;
	sigset_t all, old;

	sigaction(SIGCHLD, NULL, &before);
	if (before.sa_handler == SIG_DFL)
		sigaction(SIGCHLD, &wake, NULL);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	for (;;) {
		errno = 0;
		jobs_collect();
		if (errno == ECHILD)
			count_as_ended(job);
		if (job_state(job) != RUNNING || traps_waiting())
			break;
		sigsuspend(&old);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGCHLD, &before, NULL);
	return job_state(job) != RUNNING;
}

/*
 * The shell has no handler for SIGINT that could end waitpid(). But both it and SIGCHLD can be
 * blocked, and then waited for: what came between collect() and sigwaitinfo() is pending, and not
 * lost.
 */
bool job_await(struct job *job)
{
	bool interrupted = false;
	sigset_t set;

	if (!jobs_controlled())
		return await_or_trap(job);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	change_mask(SIG_BLOCK, SIGCHLD);
	jobs_collect();
	while (job_state(job) == RUNNING && !interrupted) {
		interrupted = sigwaitinfo(&set, NULL) == SIGINT || traps_waiting();
		jobs_collect();
	}
	change_mask(SIG_UNBLOCK, SIGCHLD);
	return !interrupted;
}

int job_continue(struct job *job, bool foreground)
{
	if (foreground)
		tcsetpgrp(terminal, job->pgid);
	for (int i = 0; i < job->nr_processes; i++)
		if (job->processes[i].state == STOPPED)
			job->processes[i].state = RUNNING;
	return kill(-job->pgid, SIGCONT) < 0 && errno != ESRCH ? -1 : 0;
}

void job_print(const struct job *job, FILE *to)
{
	static const char *const words[] = { "running", "stopped", "done" };
	int status = job->processes[job->nr_processes - 1].status;
	enum process_state state = job_state(job);
	char text[32];

	if (state == ENDED && WIFSIGNALED(status))
		snprintf(text, sizeof(text), "%s", strsignal(WTERMSIG(status)));
	else if (state == ENDED && WEXITSTATUS(status))
		snprintf(text, sizeof(text), "exit %d", WEXITSTATUS(status));
	else
		snprintf(text, sizeof(text), "%s", words[state]);
	fprintf(to, "[%d] %d %-10s %s\n", job->number, (int)job_pid(job), text, job->text);
}

int job_wait(struct job *job)
{
	int status = 2;

	wait_until_done(job);
	if (jobs_controlled())
		tcsetpgrp(terminal, shell_pgid);
	if (job->nr_processes)
		status = job_status(job);
	for (int i = job->nr_processes - 1; shell.pipefail && !status && i >= 0; i--)
		status = exit_status(job->processes[i].status);
	report_deaths(job);
	if (job_state(job) == STOPPED) {
		job->background = true;
		fputc('\n', stderr);
		job_print(job, stderr);
		/* As in bash: a loop must not go on without the command that was stopped in it. */
		shell.skip = SKIP_LINE;
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

void jobs_notify(void)
{
	struct job *next;

	jobs_collect();
	for (struct job *job = jobs; job; job = next) {
		next = job->next;
		if (job_state(job) != ENDED || !job->background)
			continue;
		job_print(job, stderr);
		job_free(job);
	}
}
