/*
 * execstack.h - the first contents of a program's stack. kernel/execstack.c has the drawing.
 */
#ifndef RAVEL_KERNEL_EXECSTACK_H
#define RAVEL_KERNEL_EXECSTACK_H

#include "lib/types.h"

struct cred;
struct elf_info;
struct mm;

#define SCRIPT_DEPTH_MAX 4
#define ARG_PREFIX_MAX	 (2 * SCRIPT_DEPTH_MAX + 1)

/* The strings of an execve(): user memory of the current mm, or kernel memory. */
struct exec_strings {
	bool kernel;		 /* where argv, envp and their strings lie */
	const char *const *argv; /* NULL: empty */
	const char *const *envp;
	const char *path; /* kernel memory: what AT_EXECFN points at */
	/* Scripts: these kernel strings, the first last, replace argv[0]. */
	const char *prefix[ARG_PREFIX_MAX];
	unsigned nr_prefix;

	/* Filled by exec_count_strings(). */
	unsigned argc, envc; /* strings on the new stack */
	size_t bytes;	     /* of all strings with their NULs, and of path */
};

/*
 * Counts and measures the strings. 0; -EFAULT; -E2BIG: a string over 128 KiB, or all of them, with
 * their pointers, over a quarter of RLIMIT_STACK or 6 MiB.
 */
int exec_count_strings(struct exec_strings *strings);

/*
 * Makes the stack area of @mm; before anything else is mapped. 0 or -ENOMEM.
 */
int exec_make_stack(struct mm *mm, const struct exec_strings *strings);

/*
 * Writes strings, pointers and auxiliary vector, which tells the ids of @cred, to the stack of @mm,
 * and sets arg_start .. env_end and auxv of @mm. *@sp becomes the program's stack pointer. 0,
 * -EFAULT, -E2BIG, -ENOMEM.
 */
int exec_fill_stack(struct mm *mm, const struct exec_strings *strings, const struct elf_info *info,
		    const struct cred *cred, unsigned long *sp);

#endif
