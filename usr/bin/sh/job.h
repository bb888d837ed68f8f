/*
 * job.h - what jobs.c (groups, waiting, the terminal) and jobcmds.c (the builtins) share.
 *
 * Invariants: the list holds the newest job first, and numbers fall along it.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_JOB_H
#define RAVEL_USR_BIN_SH_JOB_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

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
	char *text; /* the command, at a terminal; else empty */
	int nr_processes;
	struct process *processes;
};

extern struct job *jobs;

/* Running while one of its processes runs, else stopped while one is. */
enum process_state job_state(const struct job *job);

/* The process that the job is known by: the last. */
pid_t job_pid(const struct job *job);

/* The exit status of that one; 128 + signal when it was killed or stopped. */
int job_status(const struct job *job);

/* Take it off the list. */
void job_free(struct job *job);

/* Note what happened to children, without waiting. */
void jobs_collect(void);

/*
 * Wait until @job does not run. Children that others took away count as ended. Returns false when
 * a signal with a trap came first (traps_waiting()), or, if the shell controls jobs, ^C.
 */
bool job_await(struct job *job);

/* Let a stopped job run on, with the terminal when @foreground. Returns 0, or -1 with errno. */
int job_continue(struct job *job, bool foreground);

/* Print "[1] 23 running   sleep 100". */
void job_print(const struct job *job, FILE *to);

#endif
