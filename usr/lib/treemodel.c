/*
 * treemodel.c - the file system in memory of treemodel.h.
 *
 * Invariants: bytes behind the size in the last page are zero, and there are no pages behind it;
 * nlink is the number of names, of a directory 2 and its directories (0 once removed).
 * Locks: none.
 */
#include "usr/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/param.h>
#include <sys/stat.h>

#include "usr/lib/treemodel.h"

#define MAX_LINKS 40 /* followed one after the other */

static unsigned int nr_dirs, nr_pages;

static void *allocate(size_t size)
{
	void *p = calloc(1, size);

	CHECK(p != NULL);
	return p;
}

static struct tree_node *node_new(mode_t mode)
{
	struct tree_node *node = allocate(sizeof(*node));

	node->mode = mode;
	if (S_ISREG(mode))
		node->pages = allocate(TREE_MAX_PAGES * sizeof(*node->pages));
	if (S_ISDIR(mode)) {
		node->nlink = 2;
		node->parent = node;
		nr_dirs++;
	}
	return node;
}

struct tree_node *tree_new(void)
{
	return node_new(S_IFDIR | 0755);
}

unsigned int tree_nr_dirs(void)
{
	return nr_dirs;
}

unsigned int tree_nr_pages(void)
{
	return nr_pages;
}

struct tree_node *tree_get(struct tree_node *node)
{
	node->users++;
	return node;
}

/* Free a node that nobody uses and nothing names. */
static void free_unused(struct tree_node *node)
{
	if (node->users || node->nlink)
		return;
	if (S_ISREG(node->mode))
		tree_truncate(node, 0);
	nr_dirs -= S_ISDIR(node->mode);
	free(node->pages);
	free(node->target);
	free(node);
}

void tree_put(struct tree_node *node)
{
	node->users--;
	free_unused(node);
}

static struct tree_entry **find(const struct tree_place *place)
{
	struct tree_entry **entry = &place->dir->entries;

	while (*entry && strcmp((*entry)->name, place->name))
		entry = &(*entry)->next;
	return entry;
}

struct tree_node *tree_lookup(const struct tree_place *place)
{
	struct tree_entry *entry = *find(place);

	return entry ? entry->node : NULL;
}

int tree_follow(struct tree_place *place)
{
	struct tree_node *node = tree_lookup(place);

	for (int i = 0; node && S_ISLNK(node->mode); i++) {
		const char *name = node->target;

		if (i == MAX_LINKS)
			return ELOOP;
		while (!strncmp(name, "./", 2))
			name += 2;
		snprintf(place->name, sizeof(place->name), "%s", name);
		node = tree_lookup(place);
	}
	return 0;
}

/* Put the path of a directory, ending in "/", before what is in path. */
static void prepend_dir(const struct tree_node *dir, char *path)
{
	char rest[TREE_PATH_SIZE];

	while (dir->parent != dir) {
		struct tree_entry *entry = dir->parent->entries;

		while (entry->node != dir)
			entry = entry->next;
		memcpy(rest, path, strlen(path) + 1);
		CHECK(snprintf(path, TREE_PATH_SIZE, "%s/%s", entry->name, rest) < TREE_PATH_SIZE);
		dir = dir->parent;
	}
}

void tree_path(const struct tree_place *place, char *path)
{
	snprintf(path, TREE_PATH_SIZE, "%s", place->name);
	prepend_dir(place->dir, path);
}

unsigned int tree_depth(const struct tree_node *dir)
{
	unsigned int depth = 0;

	for (; dir->parent != dir; dir = dir->parent)
		depth++;
	return depth;
}

static void add_entry(const struct tree_place *place, struct tree_node *node)
{
	struct tree_entry *entry = allocate(sizeof(*entry));

	memcpy(entry->name, place->name, sizeof(entry->name));
	entry->node = node;
	entry->next = place->dir->entries;
	place->dir->entries = entry;
	if (S_ISDIR(node->mode)) {
		node->parent = place->dir;
		place->dir->nlink++;
	}
}

static void delete_entry(const struct tree_place *place)
{
	struct tree_entry **at = find(place), *entry = *at;

	*at = entry->next;
	if (S_ISDIR(entry->node->mode))
		place->dir->nlink--;
	free(entry);
}

/* The node lost a name, a directory its only one. */
static void drop(struct tree_node *node)
{
	node->nlink = S_ISDIR(node->mode) ? 0 : node->nlink - 1;
	free_unused(node);
}

int tree_create(const struct tree_place *place, mode_t mode, const char *target)
{
	struct tree_node *node;

	if (tree_lookup(place))
		return EEXIST;
	node = node_new(mode);
	if (!S_ISDIR(mode))
		node->nlink = 1;
	if (target) {
		node->size = strlen(target);
		node->target = allocate(node->size + 1);
		memcpy(node->target, target, node->size);
	}
	add_entry(place, node);
	return 0;
}

int tree_unlink(const struct tree_place *place)
{
	struct tree_node *node = tree_lookup(place);

	if (!node)
		return ENOENT;
	if (S_ISDIR(node->mode))
		return EISDIR;
	delete_entry(place);
	drop(node);
	return 0;
}

int tree_rmdir(const struct tree_place *place)
{
	struct tree_node *node = tree_lookup(place);

	if (!node)
		return ENOENT;
	if (!S_ISDIR(node->mode))
		return ENOTDIR;
	if (node->entries)
		return ENOTEMPTY;
	delete_entry(place);
	drop(node);
	return 0;
}

int tree_link(const struct tree_place *from, const struct tree_place *to)
{
	struct tree_node *node = tree_lookup(from);

	if (!node)
		return ENOENT;
	if (tree_lookup(to))
		return EEXIST;
	if (S_ISDIR(node->mode))
		return EPERM;
	add_entry(to, node);
	node->nlink++;
	return 0;
}

/* Is it this directory or one above it? */
static bool is_above(const struct tree_node *node, const struct tree_node *dir)
{
	while (dir != node && dir->parent != dir)
		dir = dir->parent;
	return dir == node;
}

int tree_rename(const struct tree_place *from, const struct tree_place *to)
{
	struct tree_node *node = tree_lookup(from), *victim = tree_lookup(to);

	if (!node)
		return ENOENT;
	if (is_above(node, to->dir))
		return EINVAL;
	if (victim && is_above(victim, from->dir))
		return ENOTEMPTY;
	if (victim == node)
		return 0;
	if (victim && S_ISDIR(node->mode) && !S_ISDIR(victim->mode))
		return ENOTDIR;
	if (victim && !S_ISDIR(node->mode) && S_ISDIR(victim->mode))
		return EISDIR;
	if (victim && victim->entries)
		return ENOTEMPTY;
	if (victim) {
		delete_entry(to);
		drop(victim);
	}
	delete_entry(from);
	add_entry(to, node);
	return 0;
}

/* Another end: behind it, and between the two, all is zeros. */
static void set_size(struct tree_node *node, off_t size)
{
	node->size = size;
	node->tail_stored = false;
}

void tree_write(struct tree_node *node, const unsigned char *bytes, size_t size, off_t offset)
{
	if (offset + (off_t)size > node->size)
		set_size(node, offset + (off_t)size);
	while (size) {
		unsigned char **page = &node->pages[offset / TREE_PAGE];
		size_t in = offset % TREE_PAGE, n = MIN(size, TREE_PAGE - in);

		if (!*page) {
			*page = allocate(TREE_PAGE);
			nr_pages++;
		}
		memcpy(*page + in, bytes, n);
		bytes += n;
		offset += n;
		size -= n;
	}
}

size_t tree_read(const struct tree_node *node, unsigned char *bytes, size_t size, off_t offset)
{
	size_t done = 0;

	if (offset >= node->size)
		return 0;
	size = MIN(size, (size_t)(node->size - offset));
	while (done < size) {
		const unsigned char *page = node->pages[offset / TREE_PAGE];
		size_t in = offset % TREE_PAGE, n = MIN(size - done, TREE_PAGE - in);

		if (page)
			memcpy(bytes + done, page + in, n);
		else
			memset(bytes + done, 0, n);
		done += n;
		offset += n;
	}
	return size;
}

void tree_punch(struct tree_node *node, off_t offset, off_t size)
{
	off_t end = MIN(offset + size, TREE_MAX_SIZE);

	while (offset < end) {
		unsigned char **page = &node->pages[offset / TREE_PAGE];
		size_t in = offset % TREE_PAGE, n = MIN(end - offset, (off_t)(TREE_PAGE - in));

		if (*page && n == TREE_PAGE) {
			free(*page);
			*page = NULL;
			nr_pages--;
		} else if (*page) {
			memset(*page + in, 0, n);
		}
		offset += n;
	}
}

void tree_truncate(struct tree_node *node, off_t size)
{
	if (size < node->size)
		tree_punch(node, size, TREE_MAX_SIZE - size);
	if (size != node->size)
		set_size(node, size);
}

static void free_entries(struct tree_node *dir)
{
	while (dir->entries) {
		struct tree_place place = { .dir = dir };
		struct tree_node *node = dir->entries->node;

		memcpy(place.name, dir->entries->name, sizeof(place.name));
		if (S_ISDIR(node->mode))
			free_entries(node);
		delete_entry(&place);
		drop(node);
	}
}

void tree_free(struct tree_node *root)
{
	free_entries(root);
	drop(root);
}
