/*
 * jobs.h - processes, their groups, and whose the terminal is.
 *
 *   jobs -> job 2 -> job 1          one job per pipeline
 *           pgid                    its process group, when the shell controls jobs
 *           pid, pid, pid           its processes, the last one's status is the job's
 *
 * With job control (an interactive shell on a terminal) each job is a process group of its own, and
 * the terminal belongs either to the shell or to the foreground job: ^C reaches that one only.
 * Without it everything stays in the shell's group.
 *
 * Invariants: the shell ignores SIGINT, SIGQUIT, SIGTSTP, SIGTTIN and SIGTTOU exactly while it
 * controls jobs; its children have the defaults back.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_JOBS_H
#define RAVEL_USR_BIN_SH_JOBS_H

#include <stdbool.h>
#include <sys/types.h>

struct job;
struct node;

/* Begin to control jobs on the terminal that is standard input, if it is one. */
void jobs_init_interactive(void);
/* Did ^C come while the shell itself was busy? Says so once. */
bool jobs_interrupted(void);

bool jobs_controlled(void);

/* An empty job, owned by the list of jobs, that is to run @node (NULL: nothing worth a name). */
struct job *job_new(const struct node *node);

/*
 * Fork a process of @job. Returns its pid; 0 in the child, where there are no jobs and no job
 * control; -1 after a message when fork failed.
 */
pid_t job_fork(struct job *job, bool foreground);

/*
 * Wait until @job ends or stops, take the terminal back, report a death by signal. Returns the
 * exit status of its last process, 128 + signal when it was killed or stopped. The job is gone
 * unless it stopped.
 */
int job_wait(struct job *job);

/* Let @job run on; an interactive shell prints its number. Sets $!. */
void job_leave(struct job *job);

/* Collect what has ended, without waiting; tell about it before a prompt. */
void jobs_notify(void);

/* The builtins that need the list: the status that they end with. */
int jobs_builtin_wait(int argc, char **argv);
int jobs_builtin_jobs(int argc, char **argv);
int jobs_builtin_kill(int argc, char **argv);
int jobs_builtin_fg(int argc, char **argv);
int jobs_builtin_bg(int argc, char **argv);

/*
 * The terminal's modes: at the prompt ^C ends the line, as a character (there are no signal
 * handlers to notice it by); a command finds the modes as they were. terminal.c
 */
void terminal_init(int fd);
void terminal_to_prompt(void);
void terminal_to_command(void);

/* For the line editor: every key as it is typed. Returns false when there is no such terminal. */
bool terminal_to_edit(void);

/* The next byte that is typed, or one of these. terminal_to_edit() comes before. */
#define TERMINAL_GONE  (-1)
#define TERMINAL_WOKEN (-2) /* what is drawn may be gone, or the terminal of another size */
int terminal_read(void);

#endif
