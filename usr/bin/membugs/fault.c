/*
 * fault.c - what the kernel tells a process about its fault: signal, si_code, si_addr, pc, and the
 * area in /proc/self/maps. Then the handler that was there before has its turn, as the instruction
 * is tried again: that of UMALLOC=fence, or none, and the signal ends the process. (Ravel then
 * prints a line of its own, mm/report.c.)
 *
 * The handler has a stack of its own and calls nothing that uses the heap: both may be broken.
 * Locks: none.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "usr/bin/membugs/membugs.h"
#include "usr/lib/tool.h"

static char maps[32768], message[1024];
static struct sigaction before[2]; /* of SIGSEGV, SIGBUS */

static const char *code_name(int code)
{
	switch (code) {
	case SEGV_MAPERR:
		return "SEGV_MAPERR: no area holds the address";
	case SEGV_ACCERR:
		return "SEGV_ACCERR: the area forbids it";
	case SI_KERNEL:
		return "SI_KERNEL: the processor refused the address";
	default:
		return "another si_code";
	}
}

static unsigned long pc_of(const ucontext_t *context)
{
#if defined(__riscv)
	return context->uc_mcontext.__gregs[REG_PC];
#elif defined(__x86_64__)
	return context->uc_mcontext.gregs[REG_RIP];
#else
	(void)context;
	return 0;
#endif
}

static void read_maps(void)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t have = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, maps + have, sizeof(maps) - 1 - have)) > 0)
		have += n;
	maps[have] = '\0';
}

/* Append the areas at, below and above @address to the message. */
static void tell_areas(unsigned long address)
{
	const char *below = NULL, *above = NULL, *at = NULL;
	size_t length = strlen(message);
	unsigned long start, end;

	read_maps();
	for (const char *line = maps; *line; line += strcspn(line, "\n") + 1) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2)
			break;
		if (end <= address)
			below = line;
		else if (start <= address)
			at = line;
		else if (!above)
			above = line;
	}
#define TELL(what, line)                                                                           \
	do {                                                                                       \
		if (line)                                                                          \
			length += snprintf(message + length, sizeof(message) - length,             \
					   "  %s %.*s\n", what, (int)strcspn(line, "\n"), line);   \
	} while (0)
	if (at) {
		TELL("area: ", at);
		return;
	}
	TELL("below:", below);
	TELL("above:", above);
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	snprintf(message, sizeof(message), "SIG%s at %p, from pc 0x%lx\n  %s\n",
		 signal_name(signal), info->si_addr, pc_of(context), code_name(info->si_code));
	tell_areas((unsigned long)info->si_addr);
	write_all(STDOUT_FILENO, message, strlen(message));
	sigaction(signal, &before[signal == SIGBUS], NULL);
}

void explain_faults(void)
{
	static char own_stack[64 << 10];
	const stack_t stack = { .ss_sp = own_stack, .ss_size = sizeof(own_stack) };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	if (sigaltstack(&stack, NULL) || sigaction(SIGSEGV, &action, &before[0]) ||
	    sigaction(SIGBUS, &action, &before[1]))
		die_errno(STATUS_FAILED, "sigaction");
}
