/*
 * memory.h - the shell's two ways to hold memory.
 *
 *   arena:   chunk <- chunk <- chunk     many small things that die together: a command's tree, the
 *            [used......|free..]         arguments of one simple command
 *   strbuf:  a string that grows, itself in an arena
 *
 * Invariants: what comes from an arena is never freed alone; strbuf text always ends with a NUL.
 * Locks: none (the shell is one thread).
 */
#ifndef RAVEL_USR_BIN_SH_MEMORY_H
#define RAVEL_USR_BIN_SH_MEMORY_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *newest;
	int users; /* of one made by arena_new() */
};

struct strbuf {
	struct arena *arena;
	char *text;
	size_t length; /* without the NUL */
	size_t size;   /* bytes allocated */
};

/* Memory for @bytes, zeroed and aligned for anything, until arena_free(). Never NULL. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* A copy of the first @length bytes of @text, with a NUL added. */
char *arena_copy(struct arena *arena, const char *text, size_t length);

/* Free everything; the arena is empty and may be used again. */
void arena_free(struct arena *arena);

/*
 * An arena of its own with one user. arena_put() frees it with the last: the trees of functions
 * outlive the command that defines them.
 */
struct arena *arena_new(void);
struct arena *arena_get(struct arena *arena);
void arena_put(struct arena *arena);

/* An empty string in @arena. */
struct strbuf strbuf_in(struct arena *arena);

void strbuf_add_char(struct strbuf *buf, char c);
void strbuf_add(struct strbuf *buf, const char *text, size_t length);

#endif
