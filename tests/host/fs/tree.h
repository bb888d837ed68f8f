/*
 * tree.h - files as an oracle has them: names, kinds and bytes, nothing of disks. tree.c reads such
 * a tree from the host's own file system. Needs no header of the kernel.
 */
#ifndef RAVEL_HOST_TREE_H
#define RAVEL_HOST_TREE_H

#include <stddef.h>

#define TREE_NAME_MAX 256

struct tree_node {
	char kind; /* 'd', 'f', 'l' */
	unsigned links;
	size_t size;		 /* of a file, or of a link's target */
	unsigned char *data;	 /* room for any size that the owner wants; NULL: a directory */
	struct tree_name *names; /* of a directory */
};

struct tree_name {
	char name[TREE_NAME_MAX];
	struct tree_node *node;
	struct tree_name *next;
};

/* A node without a name; @room: bytes that it may come to have. */
struct tree_node *tree_new(char kind, size_t room);
struct tree_node *tree_find(const struct tree_node *dir, const char *name);
void tree_add(struct tree_node *dir, const char *name, struct tree_node *node);
/* The last name frees the node, and what is below it. */
void tree_remove(struct tree_node *dir, const char *name);
void tree_free(struct tree_node *node);
/* The host's directory @path, whose files get @room. Ends the process when it cannot be read. */
struct tree_node *tree_load(const char *path, size_t room);
/* The host's file @path: as many of its bytes as @buf has room for; returns how many. */
size_t tree_read_file(const char *path, void *buf, size_t size);

#endif
