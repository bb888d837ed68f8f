/*
 * path.h - names of files: joining and splitting them, reading directories and symbolic links.
 *
 * Invariants: what is returned by pointer is allocated and the caller's to free().  Locks: none.
 */
#ifndef RAVEL_USR_LIB_PATH_H
#define RAVEL_USR_LIB_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* "@directory/@name", with one slash between them; an empty directory gives @name. */
char *path_join(const char *directory, const char *name);

/* The last component without slashes at the end: "b" of "/a/b/", "/" of "/". */
char *path_base(const char *path);

/* All but the last component: "/a" of "/a/b/", "." of "b". */
char *path_parent(const char *path);

/* Is @name "." or ".."? */
bool is_dots(const char *name);

/* Do two stats tell of one file? */
bool same_file(const struct stat *a, const struct stat *b);

/* The target of the symbolic link @path, or NULL with errno. */
char *read_link(const char *path);

/* The names of a directory, sorted, without "." and "..". */
struct names {
	char **names;
	size_t count;
};

/*
 * Read the directory @path into @names. It is closed again before this returns, so that a walk
 * needs no descriptor per level and may remove what it visits.
 * Returns 0, or -1 with errno; then @names is empty.
 */
int names_read(struct names *names, const char *path);
void names_free(struct names *names);

/*
 * In place: blanks, newlines and backslashes of names, which the tables of /proc write as \ and
 * three octal digits.
 */
void path_unescape(char *text);

#endif
