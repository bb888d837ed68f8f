/*
 * testsignal.h - what tests of signals share: a handler that counts and remembers, and masks.
 *
 * Locks: none; the variables belong to the process that handles the signals.
 */
#ifndef RAVEL_USR_LIB_TESTSIGNAL_H
#define RAVEL_USR_LIB_TESTSIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* How often the handler of on_signal() ran, and what it was told last. */
extern volatile sig_atomic_t signal_calls;
extern volatile siginfo_t signal_last;
/* Where the handler had its variables. */
extern void *volatile signal_stack;

/* Handle this signal by counting, with these SA_ flags (SA_SIGINFO is added); the count is 0. */
void on_signal(int signal, int flags);

/* sigprocmask() of one signal. */
void signal_mask(int how, int signal);
bool signal_is_blocked(int signal);
bool signal_is_pending(int signal);

/* sigqueue() of a number. */
int send_value(pid_t pid, int signal, int value);

/* Wait until this process sleeps in the kernel, as /proc/<pid>/stat says. */
void wait_until_asleep(pid_t pid);

#endif
