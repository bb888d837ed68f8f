/*
 * parse.c - from words to the tree of an expression.
 *
 *   or  : and { -o and }    and : not { [-a] not }    not : ! not | ( or ) | test | action
 *
 * Invariants: `next` never passes the NULL at the end.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "usr/bin/find/find.h"
#include "usr/lib/ids.h"
#include "usr/lib/mode.h"
#include "usr/lib/tool.h"

enum argument { NOTHING, TEXT, NUMBER, SIZE, FILE_TIME, MODE, USER, GROUP, COMMAND };

static const struct primary {
	const char *name;
	evaluate_fn *evaluate;
	enum argument argument;
	bool action;
} primaries[] = {
	{ "-name", eval_name, TEXT, false },	   { "-iname", eval_iname, TEXT, false },
	{ "-path", eval_path, TEXT, false },	   { "-type", eval_type, TEXT, false },
	{ "-size", eval_size, SIZE, false },	   { "-newer", eval_newer, FILE_TIME, false },
	{ "-mtime", eval_mtime, NUMBER, false },   { "-mmin", eval_mmin, NUMBER, false },
	{ "-perm", eval_perm, MODE, false },	   { "-empty", eval_empty, NOTHING, false },
	{ "-links", eval_links, NUMBER, false },   { "-inum", eval_inum, NUMBER, false },
	{ "-user", eval_user, USER, false },	   { "-group", eval_group, GROUP, false },
	{ "-true", eval_true, NOTHING, false },	   { "-false", eval_false, NOTHING, false },
	{ "-prune", eval_prune, NOTHING, false },  { "-print", eval_print, NOTHING, true },
	{ "-print0", eval_print0, NOTHING, true }, { "-delete", eval_delete, NOTHING, true },
	{ "-exec", eval_exec, COMMAND, true },
};

static char **next;

static struct node *parse_or(void);

static struct node *make(evaluate_fn *evaluate, struct node *left, struct node *right)
{
	struct node *node = xmalloc(sizeof(*node));

	memset(node, 0, sizeof(*node));
	node->evaluate = evaluate;
	node->left = left;
	node->right = right;
	return node;
}

static bool take(const char *word)
{
	if (!*next || strcmp(*next, word) != 0)
		return false;
	next++;
	return true;
}

static char *argument_of(const char *name)
{
	if (!*next)
		die(STATUS_FAILED, "%s: what?", name);
	return *next++;
}

/* "+5", "-5" or "5", and the suffix if there may be one. */
static void parse_signed(struct node *node, const char *text, const char *what)
{
	node->sign = *text == '+' ? 1 : *text == '-' ? -1 : 0;
	if (parse_number(text + (node->sign != 0), 0, 1LL << 60, &node->number) < 0)
		die(STATUS_FAILED, "%s: not a %s", text, what);
}

/* -size: in blocks of 512 bytes, or of what the letter says; `text` keeps the unit. */
static void parse_size_test(struct node *node, char *text)
{
	static const char *const units[] = {
		"c1", "w2", "b512", "k1024", "M1048576", "G1073741824"
	};
	size_t length = strlen(text);

	node->text = "512";
	for (size_t i = 0; length && i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[length - 1] != units[i][0])
			continue;
		node->text = units[i] + 1;
		text[length - 1] = '\0';
		break;
	}
	parse_signed(node, text, "size");
}

/* -perm MODE all the same, -MODE all of these, /MODE one of these. */
static void parse_perm(struct node *node, const char *text)
{
	node->sign = *text == '-' ? 1 : *text == '/' ? -1 : 0;
	node->number = parse_mode(text + (node->sign != 0), 0, 0);
	if (node->number < 0)
		die(STATUS_FAILED, "%s: not a mode", text);
}

static void parse_file_time(struct node *node, const char *path)
{
	struct stat *st = xmalloc(sizeof(*st));

	if (stat(path, st) < 0)
		die_errno(STATUS_FAILED, "%s", path);
	node->text = (const char *)st;
}

/* The words up to ; or to {} +. */
static void parse_command(struct node *node)
{
	node->argv = next;
	for (; *next; next++) {
		bool plus =
			strcmp(*next, "+") == 0 && next > node->argv && strcmp(next[-1], "{}") == 0;

		if (!plus && strcmp(*next, ";") != 0)
			continue;
		node->argc = next - node->argv;
		if (node->argc == 0 || (plus && node->argc == 1))
			break;
		if (plus) {
			node->evaluate = eval_exec_plus;
			node->next_exec = settings.execs;
			settings.execs = node;
		}
		next++;
		return;
	}
	die(STATUS_FAILED, "-exec: no command, or no ; or {} + behind it");
}

static void parse_id(struct node *node, const char *text, bool group)
{
	node->number = group ? group_id(text) : user_id(text);
	if (node->number < 0)
		die(STATUS_FAILED, "%s: no such %s", text, group ? "group" : "user");
}

static void parse_argument(struct node *node, const struct primary *primary)
{
	char *text;

	if (primary->argument == NOTHING)
		return;
	if (primary->argument == COMMAND) {
		parse_command(node);
		return;
	}
	text = argument_of(primary->name);
	node->text = text;
	if (primary->argument == NUMBER)
		parse_signed(node, text, "number");
	else if (primary->argument == SIZE)
		parse_size_test(node, text);
	else if (primary->argument == FILE_TIME)
		parse_file_time(node, text);
	else if (primary->argument == MODE)
		parse_perm(node, text);
	else if (primary->argument != TEXT)
		parse_id(node, text, primary->argument == GROUP);
	if (primary->evaluate == eval_type && (!*text || text[strspn(text, "fdlcbps,")]))
		die(STATUS_FAILED, "%s: not a type", text);
}

/* What is true for all of the expression, wherever it stands. */
static bool parse_setting(const char *word)
{
	long long *depth = NULL;

	if (strcmp(word, "-maxdepth") == 0)
		depth = &settings.max_depth;
	else if (strcmp(word, "-mindepth") == 0)
		depth = &settings.min_depth;
	else if (strcmp(word, "-depth") == 0)
		settings.depth = true;
	else if (strcmp(word, "-xdev") == 0 || strcmp(word, "-mount") == 0)
		settings.one_device = true;
	else
		return false;
	if (depth && parse_number(argument_of(word), 0, 1 << 30, depth) < 0)
		die(STATUS_FAILED, "%s: not a number", next[-1]);
	return true;
}

static struct node *parse_primary(void)
{
	const char *word = *next++;

	if (parse_setting(word))
		return make(eval_true, NULL, NULL);
	for (size_t i = 0; i < sizeof(primaries) / sizeof(primaries[0]); i++) {
		struct node *node;

		if (strcmp(word, primaries[i].name) != 0)
			continue;
		node = make(primaries[i].evaluate, NULL, NULL);
		parse_argument(node, &primaries[i]);
		settings.has_action |= primaries[i].action;
		settings.depth |= primaries[i].evaluate == eval_delete;
		return node;
	}
	die(STATUS_FAILED, "%s: no such test or action", word);
}

static struct node *parse_not(void)
{
	struct node *node;

	if (!*next)
		die(STATUS_FAILED, "the expression ends too early");
	if (take("!") || take("-not"))
		return make(eval_not, parse_not(), NULL);
	if (!take("("))
		return parse_primary();
	node = parse_or();
	if (!take(")"))
		die(STATUS_FAILED, "a ) is missing");
	return node;
}

static struct node *parse_and(void)
{
	struct node *node = parse_not();

	while (*next && strcmp(*next, ")") != 0 && strcmp(*next, "-o") != 0 &&
	       strcmp(*next, "-or") != 0) {
		if (!take("-a"))
			take("-and");
		node = make(eval_and, node, parse_not());
	}
	return node;
}

static struct node *parse_or(void)
{
	struct node *node = parse_and();

	while (take("-o") || take("-or"))
		node = make(eval_or, node, parse_and());
	return node;
}

struct node *parse_expression(char **words)
{
	struct node *node;

	next = words;
	if (!*next)
		return make(eval_true, NULL, NULL);
	node = parse_or();
	if (*next)
		die(STATUS_FAILED, "%s: unexpected", *next);
	return node;
}
