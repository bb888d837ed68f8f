/*
 * complete.c - Tab: what may follow what is typed.
 *
 *	ls | sort -r "My D       scan(): the word begins at the quote, which is open; no command
 *	             ^word       split(): nothing before the last '/', names begin with `My D`
 *	                         look: names of the directory; quote(): "My Documents" and a space
 *
 * The scan knows quotes, backslashes, operators, `$(` and the words that a command follows; that
 * is enough to tell a command from its arguments on every line that people type.
 *
 * Invariants: nothing is executed or assigned.  Locks: none.
 */
#include "usr/bin/sh/complete.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/line.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"

/* What the cursor is in. Offsets are into the line. */
struct context {
	struct arena *arena;
	const char *line;
	size_t cursor;
	size_t word;   /* where the word begins */
	size_t opened; /* where `quote` is */
	char quote;    /* ' or " when one is open, or NUL */
	bool command;  /* the word is a command's name */
	size_t dollar; /* of the $ or ${ that the cursor is in the name of; else SIZE_MAX */
};

/* ---- where are we? */

/* Does a command's name follow after this word? */
static bool is_prefix_word(const char *word, size_t length)
{
	static const char *const words[] = { "if", "then", "else", "elif", "while", "until",
					     "do", "!",	   "time", "{",	   "exec" };
	size_t name = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == length && memcmp(words[i], word, length) == 0)
			return true;
	name = name_length(word);
	return name && name < length && word[name] == '=';
}

static void next_word(struct context *at, size_t start, bool command)
{
	at->word = start;
	at->command = command;
	at->quote = '\0';
}

/* An unquoted blank or operator at @i ends the word before it. */
static void end_word(struct context *at, size_t i)
{
	char c = at->line[i];
	bool empty = at->word == i;

	if (c == ' ' || c == '\t') {
		bool follows = empty || is_prefix_word(at->line + at->word, i - at->word);

		next_word(at, i + 1, at->command && follows);
	} else if (c == '<' || c == '>') {
		next_word(at, i + 1, false);
	} else {
		/* The & of >& and <& belongs to a redirection. */
		next_word(at, i + 1, c != '&' || !i || !strchr("<>", at->line[i - 1]));
	}
}

/* $NAME or ${NAME up to the cursor? */
static void note_dollar(struct context *at, size_t i)
{
	size_t name = i + 1 + (at->line[i + 1] == '{');

	if (name > at->cursor)
		return;
	while (name < at->cursor && (at->line[name] == '_' || name_length(at->line + name)))
		name += name_length(at->line + name);
	if (name == at->cursor)
		at->dollar = i;
}

static void scan(struct context *at)
{
	next_word(at, 0, true);
	at->dollar = SIZE_MAX;
	for (size_t i = 0; i < at->cursor; i++) {
		char c = at->line[i];

		if (at->quote == '\'') {
			if (c == '\'')
				at->quote = '\0';
		} else if (c == '\\') {
			i++;
		} else if (c == '$' && at->line[i + 1] == '(' && i + 1 < at->cursor) {
			next_word(at, ++i + 1, true);
		} else if (c == '$') {
			note_dollar(at, i);
		} else if (at->quote) {
			if (c == at->quote)
				at->quote = '\0';
		} else if (c == '"' || c == '\'') {
			at->quote = c;
			at->opened = i;
		} else if (strchr(" \t;&|()<>", c)) {
			end_word(at, i);
		}
	}
}

/* ---- words as written, and as meant */

/* What [@from, @to) means: without quotes, with variables' values. */
static char *unquote(const struct context *at, size_t from, size_t to, char quote)
{
	struct strbuf text = strbuf_in(at->arena);

	for (size_t i = from; i < to; i++) {
		char c = at->line[i];
		size_t name = c == '$' && quote != '\'' ? name_length(at->line + i + 1) : 0;

		if (c == '\\' && quote != '\'' && i + 1 < to) {
			strbuf_add_char(&text, at->line[++i]);
		} else if (name && i + name < to) {
			const char *value = var_get(arena_copy(at->arena, at->line + i + 1, name));

			strbuf_add(&text, value ? value : "", value ? strlen(value) : 0);
			i += name;
		} else if ((c == '"' || c == '\'') && (!quote || quote == c)) {
			quote = quote ? '\0' : c;
		} else {
			strbuf_add_char(&text, c);
		}
	}
	return text.text;
}

/* Add @name as it has to be written inside @quote. */
static void add_quoted(struct strbuf *text, const char *name, char quote)
{
	const char *special = quote == '"'  ? "\"$\\`" :
			      quote == '\'' ? "" :
					      " \t!\"#$&'()*;<>?[\\]^`{|}~";

	for (; *name; name++) {
		if (quote == '\'' && *name == '\'') {
			strbuf_add(text, "'\\''", 4);
			continue;
		}
		if (strchr(special, *name))
			strbuf_add_char(text, '\\');
		strbuf_add_char(text, *name);
	}
}

/* ---- candidates */

static bool starts_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static void add_candidate(struct arena *arena, struct fields *found, const char *name)
{
	fields_add(arena, found, arena_copy(arena, name, strlen(name)));
}

/* The names that begin with @prefix, of all that are visited. */
struct names {
	struct arena *arena;
	struct fields *found;
	const char *prefix;
};

static void visit_name(const char *name, void *context)
{
	struct names *names = context;

	if (starts_with(name, names->prefix))
		add_candidate(names->arena, names->found, name);
}

static char *path_of(struct arena *arena, const char *directory, const char *name)
{
	struct strbuf path = strbuf_in(arena);

	strbuf_add(&path, directory, strlen(directory));
	if (path.length && path.text[path.length - 1] != '/')
		strbuf_add_char(&path, '/');
	strbuf_add(&path, name, strlen(name));
	return path.text;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_program(const char *path)
{
	return access(path, X_OK) == 0 && !is_directory(path);
}

/*
 * Names in @directory ("" is the working one) that begin with @prefix; hidden ones only when it
 * does. With @programs only those; else directories end with '/'. A name with a newline cannot be
 * typed on a line.
 */
static void add_files(struct context *at, struct fields *found, const char *directory,
		      const char *prefix, bool programs)
{
	DIR *dir = opendir(*directory ? directory : ".");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL) {
		struct arena scratch = { NULL };
		const char *name = entry->d_name;
		const char *path;

		if (!starts_with(name, prefix) || (name[0] == '.' && prefix[0] != '.') ||
		    strchr(name, '\n') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		path = path_of(&scratch, directory, name);
		if (programs ? is_program(path) : !is_directory(path))
			add_candidate(at->arena, found, name);
		else if (!programs)
			fields_add(at->arena, found, path_of(at->arena, name, ""));
		arena_free(&scratch);
	}
	closedir(dir);
}

static void add_commands(struct context *at, struct fields *found, const char *prefix)
{
	struct names names = { at->arena, found, prefix };
	const char *path = var_get("PATH");

	command_names(visit_name, &names);
	for (path = path ? path : "/bin"; path; path = strchr(path, ':')) {
		path += *path == ':';
		add_files(at, found, arena_copy(at->arena, path, strcspn(path, ":")), prefix, true);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_and_unite(struct fields *found)
{
	int kept = 0;

	if (!found->count)
		return;
	qsort(found->list, found->count, sizeof(char *), compare);
	for (int i = 1; i < found->count; i++)
		if (strcmp(found->list[i], found->list[kept]) != 0)
			found->list[++kept] = found->list[i];
	found->count = kept + 1;
}

/* What all candidates begin with, in whole characters. */
static char *common_prefix(struct arena *arena, const struct fields *found)
{
	struct line first = { .text = found->list[0], .length = strlen(found->list[0]) };
	size_t same = first.length;
	size_t whole = 0;

	for (int i = 1; i < found->count; i++)
		while (strncmp(first.text, found->list[i], same) != 0)
			same--;
	while (whole < same && line_after(&first, whole) <= same)
		whole = line_after(&first, whole);
	return arena_copy(arena, first.text, whole);
}

/* ---- the two kinds of completion */

static struct completion complete_variable(struct context *at)
{
	bool braces = at->line[at->dollar + 1] == '{';
	struct completion result = { .start = at->dollar + 1 + braces };
	const char *prefix =
		arena_copy(at->arena, at->line + result.start, at->cursor - result.start);
	struct names names = { at->arena, &result.others, prefix };
	struct strbuf text = strbuf_in(at->arena);
	const char *common;

	vars_names(visit_name, &names);
	if (!result.others.count)
		return result;
	common = common_prefix(at->arena, &result.others);
	strbuf_add(&text, common, strlen(common));
	if (result.others.count == 1 && braces)
		strbuf_add_char(&text, '}');
	else if (result.others.count == 1 && is_directory(var_get(common)))
		strbuf_add_char(&text, '/');
	else if (result.others.count == 1 && !at->quote)
		strbuf_add_char(&text, ' ');
	result.text = text.text;
	return result;
}

/* Where the part of the word begins that is a file's name: after NAME= and after the last '/'. */
static size_t name_start(const struct context *at, size_t *path)
{
	size_t start = at->word;
	size_t name = name_length(at->line + start);

	if (name && start + name < at->cursor && at->line[start + name] == '=')
		start += name + 1;
	*path = start;
	for (size_t i = start; i < at->cursor; i++)
		if (at->line[i] == '/')
			start = i + 1;
	return start;
}

/* The directory that [@path, @start) means, with ~ at its front replaced. */
static const char *directory_of(const struct context *at, size_t path, size_t start)
{
	const char *home = var_get("HOME");
	const char *directory = unquote(at, path, start, '\0');

	if (at->line[path] == '~' && start == path + strcspn(at->line + path, "/") + 1 && home)
		return home;
	if (at->line[path] == '~' && at->line[path + 1] == '/' && start > path + 1 && home)
		return path_of(at->arena, home, directory + 2);
	return directory;
}

static struct completion complete_name(struct context *at)
{
	size_t path;
	struct completion result = { .start = name_start(at, &path) };
	bool opened_here = at->quote && at->opened >= result.start;
	const char *prefix = unquote(at, result.start, at->cursor, opened_here ? '\0' : at->quote);
	struct strbuf text = strbuf_in(at->arena);
	const char *common;
	size_t length;

	if (at->command && result.start == at->word)
		add_commands(at, &result.others, prefix);
	else
		add_files(at, &result.others, directory_of(at, path, result.start), prefix, false);
	sort_and_unite(&result.others);
	if (!result.others.count)
		return result;
	common = common_prefix(at->arena, &result.others);
	length = strlen(common);
	if (result.others.count > 1 && length == strlen(prefix)) {
		/* Nothing is certain: leave what is there as it was written. */
		result.text =
			arena_copy(at->arena, at->line + result.start, at->cursor - result.start);
		return result;
	}
	if (opened_here)
		strbuf_add_char(&text, at->quote);
	add_quoted(&text, common, at->quote);
	if (result.others.count == 1 && common[length - 1] != '/') {
		if (at->quote)
			strbuf_add_char(&text, at->quote);
		strbuf_add_char(&text, ' ');
	}
	result.text = text.text;
	return result;
}

struct completion complete(struct arena *arena, const char *line, size_t cursor)
{
	struct context at = { .arena = arena,
			      .line = arena_copy(arena, line, cursor),
			      .cursor = cursor };

	scan(&at);
	return at.dollar == SIZE_MAX ? complete_name(&at) : complete_variable(&at);
}
