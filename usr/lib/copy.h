/*
 * copy.h - copy files and trees of them, for cp and mv.
 *
 * Invariants: a file is never copied onto itself, nor a directory into itself.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_COPY_H
#define RAVEL_USR_LIB_COPY_H

#include <stdbool.h>

enum copy_links {
	COPY_FOLLOW,	      /* copy what symbolic links point to */
	COPY_FOLLOW_OPERANDS, /* only for the operands */
	COPY_LINKS,	      /* copy the links themselves */
};

struct copy_options {
	bool recursive;
	bool preserve;	  /* owner, mode and times */
	bool hard_links;  /* names of one file become names of one copy */
	bool force;	  /* remove a destination that cannot be opened */
	bool interactive; /* ask before overwriting */
	bool keep;	  /* never overwrite */
	bool verbose;	  /* print 'from' -> 'to' */
	enum copy_links links;
};

/*
 * Copy @from to the name @to. Holes stay holes.
 * Returns 0, or STATUS_FAILED after messages; of a tree it copies all that it can.
 */
int copy_path(const char *from, const char *to, const struct copy_options *options);

/*
 * The destinations of `cp a b c dir` and the like: call @one(source, path, arg) for every source,
 * with @target/base(source) if @target is a directory and @target itself otherwise.
 * Returns the or of what @one returned, or STATUS_FAILED after a message.
 */
typedef int each_target_fn(const char *from, const char *to, void *arg);
int each_target(char **sources, int count, const char *target, each_target_fn *one, void *arg);

/* Is the existing directory @directory the one of @st, or below it? */
struct stat;
bool is_below(const char *directory, const struct stat *st);

#endif
