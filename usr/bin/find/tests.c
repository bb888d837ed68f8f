/*
 * tests.c - the tests and actions of find; each is true or false for one file.
 *
 * Invariants: an action that fails says so and makes find's status 1.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "usr/bin/find/find.h"
#include "usr/lib/path.h"
#include "usr/lib/run.h"
#include "usr/lib/tool.h"

#define MAX_GATHERED 1024 /* arguments for one command of -exec + */

bool eval_and(struct node *node, const struct walk_entry *entry)
{
	return node->left->evaluate(node->left, entry) && node->right->evaluate(node->right, entry);
}

bool eval_or(struct node *node, const struct walk_entry *entry)
{
	return node->left->evaluate(node->left, entry) || node->right->evaluate(node->right, entry);
}

bool eval_not(struct node *node, const struct walk_entry *entry)
{
	return !node->left->evaluate(node->left, entry);
}

bool eval_true(struct node *node, const struct walk_entry *entry)
{
	(void)node, (void)entry;
	return true;
}

bool eval_false(struct node *node, const struct walk_entry *entry)
{
	(void)node, (void)entry;
	return false;
}

static bool name_matches(const struct node *node, const struct walk_entry *entry, int flags)
{
	char *base = path_base(entry->name);
	bool matches = fnmatch(node->text, base, flags) == 0;

	free(base);
	return matches;
}

bool eval_name(struct node *node, const struct walk_entry *entry)
{
	return name_matches(node, entry, 0);
}

bool eval_iname(struct node *node, const struct walk_entry *entry)
{
	return name_matches(node, entry, FNM_CASEFOLD);
}

bool eval_path(struct node *node, const struct walk_entry *entry)
{
	return fnmatch(node->text, entry->path, 0) == 0;
}

bool eval_type(struct node *node, const struct walk_entry *entry)
{
	static const char letters[] = "?pc?d?b?f?l?s???";

	return strchr(node->text, letters[(entry->st->st_mode & S_IFMT) >> 12]) != NULL;
}

static bool compare(const struct node *node, long long value)
{
	return node->sign < 0 ? value < node->number :
	       node->sign     ? value > node->number :
				value == node->number;
}

bool eval_size(struct node *node, const struct walk_entry *entry)
{
	long long unit = atoll(node->text);

	return compare(node, (entry->st->st_size + unit - 1) / unit);
}

bool eval_newer(struct node *node, const struct walk_entry *entry)
{
	const struct timespec *a = &entry->st->st_mtim;
	const struct timespec *b = &((const struct stat *)node->text)->st_mtim;

	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

bool eval_mtime(struct node *node, const struct walk_entry *entry)
{
	return compare(node, (time(NULL) - entry->st->st_mtime) / (24 * 3600));
}

bool eval_mmin(struct node *node, const struct walk_entry *entry)
{
	long long seconds = time(NULL) - entry->st->st_mtime;

	/* "-1" is less than a minute; a minute that has begun counts. */
	return compare(node, (seconds + 59) / 60);
}

bool eval_perm(struct node *node, const struct walk_entry *entry)
{
	long long mode = entry->st->st_mode & 07777;

	if (node->sign > 0)
		return (mode & node->number) == node->number;
	if (node->sign < 0)
		return !node->number || mode & node->number;
	return mode == node->number;
}

bool eval_empty(struct node *node, const struct walk_entry *entry)
{
	struct names names;
	bool empty;

	(void)node;
	if (!S_ISDIR(entry->st->st_mode))
		return S_ISREG(entry->st->st_mode) && entry->st->st_size == 0;
	if (names_read(&names, entry->path) < 0)
		return false;
	empty = names.count == 0;
	names_free(&names);
	return empty;
}

bool eval_links(struct node *node, const struct walk_entry *entry)
{
	return compare(node, entry->st->st_nlink);
}

bool eval_inum(struct node *node, const struct walk_entry *entry)
{
	return compare(node, entry->st->st_ino);
}

bool eval_user(struct node *node, const struct walk_entry *entry)
{
	return entry->st->st_uid == node->number;
}

bool eval_group(struct node *node, const struct walk_entry *entry)
{
	return entry->st->st_gid == node->number;
}

bool eval_print(struct node *node, const struct walk_entry *entry)
{
	(void)node;
	puts(entry->path);
	return true;
}

bool eval_print0(struct node *node, const struct walk_entry *entry)
{
	(void)node;
	fwrite(entry->path, 1, strlen(entry->path) + 1, stdout);
	return true;
}

bool eval_prune(struct node *node, const struct walk_entry *entry)
{
	(void)node, (void)entry;
	settings.prune = true;
	return true;
}

bool eval_delete(struct node *node, const struct walk_entry *entry)
{
	(void)node;
	if (strcmp(entry->path, ".") == 0)
		return true;
	if ((S_ISDIR(entry->st->st_mode) ? rmdir : unlink)(entry->path) == 0)
		return true;
	warn_errno("%s", entry->path);
	settings.status = STATUS_FAILED;
	return false;
}

/* @word with every {} replaced by @path. */
static char *replace(const char *word, const char *path)
{
	size_t path_length = strlen(path), size = strlen(word) + 1;
	char *result, *out;

	for (const char *at = word; (at = strstr(at, "{}")) != NULL; at += 2)
		size += path_length;
	result = out = xmalloc(size);
	while (*word) {
		if (word[0] == '{' && word[1] == '}') {
			out = stpcpy(out, path);
			word += 2;
		} else {
			*out++ = *word++;
		}
	}
	*out = '\0';
	return result;
}

bool eval_exec(struct node *node, const struct walk_entry *entry)
{
	char **argv = xmalloc((node->argc + 1) * sizeof(*argv));
	int status;

	for (size_t i = 0; i < node->argc; i++)
		argv[i] = replace(node->argv[i], entry->path);
	argv[node->argc] = NULL;
	status = run(argv);
	for (size_t i = 0; i < node->argc; i++)
		free(argv[i]);
	free(argv);
	return status == 0;
}

void flush_exec(struct node *node)
{
	if (node->gathered == 0)
		return;
	node->argv[node->argc + node->gathered] = NULL;
	if (run(node->argv) != 0)
		settings.status = STATUS_FAILED;
	while (node->gathered)
		free(node->argv[node->argc + --node->gathered]);
}

bool eval_exec_plus(struct node *node, const struct walk_entry *entry)
{
	/* The first file moves the command to where there is room; {} was its last word. */
	if (!node->text) {
		char **argv = xmalloc((node->argc + MAX_GATHERED + 1) * sizeof(*argv));

		memcpy(argv, node->argv, --node->argc * sizeof(*argv));
		node->argv = argv;
		node->text = "moved";
	}
	node->argv[node->argc + node->gathered++] = xstrdup(entry->path);
	if (node->gathered == MAX_GATHERED)
		flush_exec(node);
	return true;
}
