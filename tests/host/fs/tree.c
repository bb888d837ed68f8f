/*
 * tree.c - files as an oracle has them (tree.h).
 */
#include "tests/host/fs/tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree_node *tree_new(char kind, size_t room)
{
	struct tree_node *node = calloc(1, sizeof(*node));

	node->kind = kind;
	node->data = kind == 'd' ? NULL : calloc(1, room);
	return node;
}

static struct tree_name **find_link(struct tree_name **link, const char *name)
{
	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	return link;
}

struct tree_node *tree_find(const struct tree_node *dir, const char *name)
{
	struct tree_name *names = dir->names;
	struct tree_name *found = *find_link(&names, name);

	return found ? found->node : NULL;
}

void tree_add(struct tree_node *dir, const char *name, struct tree_node *node)
{
	struct tree_name *entry = calloc(1, sizeof(*entry));

	snprintf(entry->name, sizeof(entry->name), "%s", name);
	entry->node = node;
	entry->next = dir->names;
	dir->names = entry;
	node->links++;
}

static void drop_name(struct tree_name **link)
{
	struct tree_name *entry = *link;

	*link = entry->next;
	if (--entry->node->links == 0)
		tree_free(entry->node);
	free(entry);
}

void tree_remove(struct tree_node *dir, const char *name)
{
	drop_name(find_link(&dir->names, name));
}

void tree_free(struct tree_node *node)
{
	while (node->names)
		drop_name(&node->names);
	free(node->data);
	free(node);
}

static void fail(const char *path)
{
	perror(path);
	exit(2);
}

size_t tree_read_file(const char *path, void *buf, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t n;

	if (!file)
		fail(path);
	n = fread(buf, 1, size, file);
	fclose(file);
	return n;
}

static struct tree_node *load_one(const char *path, size_t room)
{
	struct tree_node *node;
	struct stat st;

	if (lstat(path, &st) != 0)
		fail(path);
	if (S_ISDIR(st.st_mode))
		return tree_load(path, room);
	node = tree_new(S_ISLNK(st.st_mode) ? 'l' : 'f', room);
	if (node->kind == 'l')
		node->size = readlink(path, (char *)node->data, room);
	else
		node->size = tree_read_file(path, node->data, room);
	return node;
}

struct tree_node *tree_load(const char *path, size_t room)
{
	struct tree_node *dir = tree_new('d', 0);
	struct dirent *entry;
	DIR *handle = opendir(path);

	if (!handle)
		fail(path);
	while ((entry = readdir(handle))) {
		char below[4096];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		tree_add(dir, entry->d_name, load_one(below, room));
	}
	closedir(handle);
	return dir;
}
