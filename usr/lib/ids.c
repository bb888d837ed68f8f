/*
 * ids.c - names of users and groups; the contracts are in ids.h.
 *
 *	"root:x:0:..." --> struct id { 0, "root" }
 *
 * Invariants: the list of a file is complete when it is not NULL.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/lib/ids.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usr/lib/tool.h"

struct id {
	struct id *next;
	unsigned int number;
	char name[];
};

struct database {
	const char *path;
	bool loaded;
	struct id *ids;
};

static struct database users = { .path = "/etc/passwd" }, groups = { .path = "/etc/group" };

static void add(struct database *database, const char *name, unsigned int number)
{
	struct id *id = xmalloc(sizeof(*id) + strlen(name) + 1);

	strcpy(id->name, name);
	id->number = number;
	id->next = database->ids;
	database->ids = id;
}

static void load(struct database *database)
{
	FILE *file = fopen(database->path, "re");
	unsigned int number;
	char *line = NULL;
	char name[64];
	size_t room = 0;

	database->loaded = true;
	if (!file)
		return;
	while (getline(&line, &room, file) > 0)
		if (sscanf(line, "%63[^:]:%*[^:]:%u:", name, &number) == 2 ||
		    sscanf(line, "%63[^:]::%u:", name, &number) == 2)
			add(database, name, number);
	free(line);
	fclose(file);
}

static const char *find_name(struct database *database, unsigned int number)
{
	char text[16];
	struct id *id;

	if (!database->loaded)
		load(database);
	for (id = database->ids; id; id = id->next)
		if (id->number == number)
			return id->name;
	snprintf(text, sizeof(text), "%u", number);
	add(database, text, number);
	return database->ids->name;
}

static long find_number(struct database *database, const char *name)
{
	long long number;
	struct id *id;

	if (!database->loaded)
		load(database);
	for (id = database->ids; id; id = id->next)
		if (strcmp(id->name, name) == 0)
			return id->number;
	return parse_number(name, 0, 0xfffffffe, &number) < 0 ? -1 : (long)number;
}

const char *user_name(unsigned int uid)
{
	return find_name(&users, uid);
}

const char *group_name(unsigned int gid)
{
	return find_name(&groups, gid);
}

long user_id(const char *name)
{
	return find_number(&users, name);
}

long group_id(const char *name)
{
	return find_number(&groups, name);
}
