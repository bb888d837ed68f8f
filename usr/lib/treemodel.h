/*
 * treemodel.h - a file system in memory, which says what a real one must answer.
 *
 *	node (directory) --entries--> name -> node, name -> node ...
 *	node (file)      --pages--> 4 KiB each, NULL for a hole
 *	node (link)      --target--> always a name of the same directory, behind any number of "./"
 *
 * Operations return 0 or the errno that Linux gives. A node lives until it has no name and no
 * user (tree_get(), tree_put()). Locks: none.
 */
#ifndef RAVEL_USR_LIB_TREEMODEL_H
#define RAVEL_USR_LIB_TREEMODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TREE_PAGE      4096
#define TREE_MAX_PAGES 1200 /* of a file: into double-indirect blocks, also of 4 KiB */
#define TREE_MAX_SIZE  ((off_t)TREE_MAX_PAGES * TREE_PAGE)
#define TREE_NAME_SIZE 256
#define TREE_PATH_SIZE 2048

struct tree_entry;

struct tree_node {
	mode_t mode; /* with S_IFMT */
	unsigned int nlink;
	unsigned int users;
	off_t size;
	bool tail_stored;	    /* past this end of the file, through a mapping */
	unsigned char **pages;	    /* of a file: TREE_MAX_PAGES */
	char *target;		    /* of a link */
	struct tree_entry *entries; /* of a directory */
	struct tree_node *parent;
};

struct tree_entry {
	struct tree_entry *next;
	struct tree_node *node;
	char name[TREE_NAME_SIZE];
};

/* A place for a name: it may be there or not. */
struct tree_place {
	struct tree_node *dir;
	char name[TREE_NAME_SIZE];
};

/* An empty directory that is its own parent. */
struct tree_node *tree_new(void);
/* Free all of it. */
void tree_free(struct tree_node *root);
/* Directories and pages of all trees. */
unsigned int tree_nr_dirs(void);
unsigned int tree_nr_pages(void);

struct tree_node *tree_get(struct tree_node *node);
void tree_put(struct tree_node *node);

/* The node of this name, NULL: none. */
struct tree_node *tree_lookup(const struct tree_place *place);
/* Follow links: @place becomes where they end. 0 (there may be nothing there) or ELOOP. */
int tree_follow(struct tree_place *place);
/* The path relative to the root. */
void tree_path(const struct tree_place *place, char *path);
/* How many directories are above this one. */
unsigned int tree_depth(const struct tree_node *dir);

int tree_create(const struct tree_place *place, mode_t mode, const char *target);
int tree_unlink(const struct tree_place *place);
int tree_rmdir(const struct tree_place *place);
int tree_link(const struct tree_place *from, const struct tree_place *to);
int tree_rename(const struct tree_place *from, const struct tree_place *to);

/* Bytes of files; holes read as zeros. The caller keeps the end below TREE_MAX_SIZE. */
void tree_write(struct tree_node *node, const unsigned char *bytes, size_t size, off_t offset);
size_t tree_read(const struct tree_node *node, unsigned char *bytes, size_t size, off_t offset);
void tree_truncate(struct tree_node *node, off_t size);
/* Make [offset, offset + size) a hole; the file's size stays. */
void tree_punch(struct tree_node *node, off_t offset, off_t size);

#endif
