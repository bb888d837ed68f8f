/*
 * expand.c - what a word means; see expand.h.
 *
 *   a"$X"*   --expand_range-->   field text as a pattern: quoted * ? [ ] and all \ get a backslash
 *            --finish_field-->   the files that match, or the text without those backslashes
 *
 * Field splitting happens while an unquoted $X is added: a separator ends the field.
 *
 * Invariants: `open` says whether there is a field, be it empty ("" makes one).  After an error
 * `failed` is set and the rest of the word has no effect that matters.  Locks: none.
 */
#include "usr/bin/sh/expand.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/expander.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

static const char *expand_dollar(struct expander *x, const char *s, const char *end, bool quoted);

void fields_add(struct arena *arena, struct fields *fields, char *text)
{
	/* The list has room for a power of two; it doubles when the count reaches one. */
	if ((fields->count & (fields->count - 1)) == 0) {
		char **old = fields->list;

		fields->list = arena_alloc(arena, (2 * fields->count + 2) * sizeof(*old));
		if (fields->count)
			memcpy(fields->list, old, fields->count * sizeof(*old));
	}
	fields->list[fields->count++] = text;
	fields->list[fields->count] = NULL;
}

static void add_char(struct expander *x, char c, bool quoted)
{
	if (c == '\\' || (quoted && strchr("*?[]!^-", c)))
		strbuf_add_char(&x->text, '\\');
	strbuf_add_char(&x->text, c);
	x->open = true;
	x->after_blank = false;
}

static void add_quoted(struct expander *x, const char *text)
{
	while (*text)
		add_char(x, *text++, true);
	x->open = true;
}

static char *without_backslashes(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\\')
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return text;
}

static void finish_field(struct expander *x)
{
	if (!x->open)
		return;
	if (shell.no_glob || !glob_is_pattern(x->text.text) ||
	    glob_paths(x->arena, x->text.text, x->fields) == 0)
		fields_add(x->arena, x->fields, without_backslashes(x->text.text));
	x->text = strbuf_in(x->arena);
	x->open = false;
}

/* Add the value of an unquoted expansion, and end a field at each separator. */
static void add_split(struct expander *x, const char *value)
{
	const char *ifs = var_get("IFS");

	if (!ifs)
		ifs = " \t\n";
	for (; *value; value++) {
		if (!x->fields || !strchr(ifs, *value)) {
			add_char(x, *value, !x->fields && !x->pattern);
		} else if (isspace((unsigned char)*value)) {
			x->after_blank = x->after_blank || x->open;
			finish_field(x);
		} else {
			x->open = x->open || !x->after_blank;
			finish_field(x);
			x->after_blank = false;
		}
	}
}

void expander_add_value(struct expander *x, const char *value, bool quoted)
{
	if (quoted)
		add_quoted(x, value);
	else
		add_split(x, value);
}

/* $* and $@: "$@" makes one field of each argument, "$*" one of all. */
void expander_add_arguments(struct expander *x, char which, bool quoted)
{
	const char *ifs = var_get("IFS");
	char joint[2] = { ifs ? *ifs : ' ', '\0' };

	if (which == '@' || !x->fields)
		joint[0] = ' ';
	for (int i = 0; i < params.count; i++) {
		if (i > 0 && x->fields && (which == '@' || !quoted))
			finish_field(x);
		else if (i > 0)
			add_quoted(x, joint);
		expander_add_value(x, params.args[i], quoted);
	}
}

/* Is a backslash before @c special between double quotes? */
static bool is_escape(const struct expander *x, char c)
{
	return strchr("$\\`", c) || (c == '"' && !x->here_document) || (c == '}' && x->in_braces);
}

/* `...`, from after the first one: the backslashes before \ $ ` (and " in "...") go away first. */
static void expand_backquotes(struct expander *x, const char *s, const char *close, bool quoted)
{
	struct strbuf command = strbuf_in(x->arena);

	for (; s < close; s++) {
		if (*s == '\\' && s + 1 < close &&
		    (strchr("\\$`", s[1]) || (quoted && s[1] == '"')))
			s++;
		strbuf_add_char(&command, *s);
	}
	expander_add_value(x, eval_output(x->arena, command.text), quoted);
}

void expander_add_range(struct expander *x, const char *s, const char *end, bool quoted)
{
	const char *close;

	while (s < end && !x->failed) {
		if (*s == '$') {
			s = expand_dollar(x, s + 1, end, quoted);
		} else if (*s == '\'' && !quoted) {
			close = memchr(s + 1, '\'', end - s - 1);
			for (s++; s < close; s++)
				add_char(x, *s, true);
			x->open = true;
			s++;
		} else if (*s == '`') {
			close = lexer_find_close(s + 1, end, CONSTRUCT_BACKQUOTES, quoted);
			expand_backquotes(x, s + 1, close, quoted);
			s = close + 1;
		} else if (*s == '"' && !x->here_document) {
			close = lexer_find_close(s + 1, end, CONSTRUCT_QUOTES, false);
			/* "$@" without arguments is no field, "" is one. */
			if (params.count || strncmp(s, "\"$@\"", 4) != 0)
				x->open = true;
			expander_add_range(x, s + 1, close, true);
			s = close + 1;
		} else if (*s == '\\' && s + 1 < end && (!quoted || is_escape(x, s[1]))) {
			add_char(x, s[1], true);
			s += 2;
		} else if (x->in_braces && !quoted) {
			add_split(x, (char[]){ *s++, '\0' });
		} else {
			add_char(x, *s++, quoted);
		}
	}
}

char *expander_string(struct arena *arena, const char *s, const char *end)
{
	struct expander x = { .arena = arena, .text = strbuf_in(arena) };

	expander_add_range(&x, s, end, false);
	return x.failed ? NULL : without_backslashes(x.text.text);
}

/* $( ) and $(( )), from after the first parenthesis up to its partner at @close. */
static void expand_parens(struct expander *x, const char *s, const char *close, bool quoted)
{
	char number[24];
	long long result;
	char *text;

	if (*s == '(' && close[-1] == ')' &&
	    lexer_find_close(s + 1, close, CONSTRUCT_ARITHMETIC, false) == close - 1) {
		text = expander_string(x->arena, s + 1, close - 1);
		if (!text || arith_evaluate(text, &result) < 0) {
			x->failed = true;
			return;
		}
		sprintf(number, "%lld", result);
		expander_add_value(x, number, quoted);
		return;
	}
	text = eval_output(x->arena, arena_copy(x->arena, s, close - s));
	expander_add_value(x, text, quoted);
}

/* Expand what follows a dollar sign at @s; returns the place after it. */
static const char *expand_dollar(struct expander *x, const char *s, const char *end, bool quoted)
{
	const char *close;
	const char *value;
	char *name;
	int length;

	if (s < end && *s == '{') {
		close = lexer_find_close(s + 1, end, CONSTRUCT_BRACES, quoted);
		expander_add_braces(x, s + 1, close, quoted);
		return close + 1;
	}
	if (s < end && *s == '(') {
		close = lexer_find_close(
			s + 1, end, s[1] == '(' ? CONSTRUCT_ARITHMETIC : CONSTRUCT_COMMAND, false);
		expand_parens(x, s + 1, close, quoted);
		return close + 1;
	}
	length = s < end ? parameter_length(s, false) : 0;
	if (length > end - s)
		length = end - s;
	name = arena_copy(x->arena, s, length);
	if (length == 0) {
		add_char(x, '$', true);
	} else if (*name == '@' || *name == '*') {
		expander_add_arguments(x, *name, quoted);
	} else {
		value = parameter_value(x, name);
		if (value)
			expander_add_value(x, value, quoted);
		else
			expander_check_set(x, name);
	}
	return s + length;
}

/* A leading ~ or ~/ is HOME; returns the place after it. */
static const char *expand_tilde(struct expander *x, const char *word)
{
	const char *home = var_get("HOME");

	if (*word != '~' || (word[1] && word[1] != '/') || !home)
		return word;
	add_quoted(x, home);
	return word + 1;
}

int expand_words(struct arena *arena, const struct word *words, struct fields *fields)
{
	*fields = (struct fields){ .list = arena_alloc(arena, sizeof(char *)) };
	for (; words; words = words->next) {
		struct expander x = { .arena = arena, .fields = fields, .text = strbuf_in(arena) };
		const char *start = expand_tilde(&x, words->text);

		expander_add_range(&x, start, start + strlen(start), false);
		finish_field(&x);
		if (x.failed)
			return -1;
	}
	return 0;
}

char *expand_string(struct arena *arena, const char *word)
{
	struct expander x = { .arena = arena, .text = strbuf_in(arena) };
	const char *start = expand_tilde(&x, word);

	expander_add_range(&x, start, start + strlen(start), false);
	return x.failed ? NULL : without_backslashes(x.text.text);
}

char *expand_pattern(struct arena *arena, const char *s, const char *end)
{
	struct expander x = { .arena = arena, .text = strbuf_in(arena) };

	x.pattern = true;
	if (*s == '~')
		s = expand_tilde(&x, s);
	expander_add_range(&x, s, end, false);
	return x.failed ? NULL : x.text.text;
}

char *expand_here_document(struct arena *arena, const char *text)
{
	struct expander x = { .arena = arena, .text = strbuf_in(arena), .here_document = true };

	expander_add_range(&x, text, text + strlen(text), true);
	return x.failed ? NULL : without_backslashes(x.text.text);
}
