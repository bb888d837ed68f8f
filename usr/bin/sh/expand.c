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
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

struct expander {
	struct arena *arena;
	struct fields *fields; /* NULL: one string, no splitting */
	struct strbuf text;    /* the field that is being made */
	bool open;
	bool after_blank; /* the last field was ended by a blank of IFS */
	bool failed;
};

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
	if (!glob_is_pattern(x->text.text) || glob_paths(x->arena, x->text.text, x->fields) == 0)
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
			add_char(x, *value, !x->fields);
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

static void add_value(struct expander *x, const char *value, bool quoted)
{
	if (quoted)
		add_quoted(x, value);
	else
		add_split(x, value);
}

/* $* and $@: "$@" makes one field of each argument, "$*" one of all. */
static void add_arguments(struct expander *x, char which, bool quoted)
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
		add_value(x, params.args[i], quoted);
	}
}

/* The closing character of a construct that starts before @s; the lexer made sure there is one. */
static const char *find_close(const char *s, const char *end, char open, char close)
{
	int depth = 1;

	for (; s < end; s++) {
		if (*s == '\\') {
			s++;
		} else if (*s == close && --depth == 0) {
			return s;
		} else if (*s == open && open != close) {
			depth++;
		} else if (*s == '\'' && close != '"') {
			s = memchr(s + 1, '\'', end - s - 1);
		} else if (*s == '"' && close != '"') {
			s = find_close(s + 1, end, '"', '"');
		} else if (*s == '$' && s[1] == '{') {
			s = find_close(s + 2, end, '\0', '}');
		} else if (*s == '$' && s[1] == '(') {
			s = find_close(s + 2, end, '(', ')');
		}
		if (!s)
			break;
	}
	return end;
}

static void expand_range(struct expander *x, const char *s, const char *end, bool quoted)
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
		} else if (*s == '"') {
			close = find_close(s + 1, end, '"', '"');
			/* "$@" without arguments is no field, "" is one. */
			if (params.count || strncmp(s, "\"$@\"", 4) != 0)
				x->open = true;
			expand_range(x, s + 1, close, true);
			s = close + 1;
		} else if (*s == '\\' && s + 1 < end && (!quoted || strchr("$\"\\`}", s[1]))) {
			add_char(x, s[1], true);
			s += 2;
		} else {
			add_char(x, *s++, quoted);
		}
	}
}

static char *expand_part(struct arena *arena, const char *s, const char *end)
{
	struct expander x = { .arena = arena, .text = strbuf_in(arena) };

	expand_range(&x, s, end, false);
	return x.failed ? NULL : without_backslashes(x.text.text);
}

/* The value of the parameter @name ("X", "1", "?"), or NULL when it is not set. */
static const char *parameter(struct expander *x, const char *name)
{
	char *number = arena_alloc(x->arena, 24);
	long long index;

	if (isdigit((unsigned char)*name)) {
		if (parse_number(name, 0, params.count, &index) < 0)
			return NULL;
		return index ? params.args[index - 1] : params.name;
	}
	switch (*name) {
	case '?':
		sprintf(number, "%d", params.status);
		return number;
	case '$':
		sprintf(number, "%d", (int)params.shell_pid);
		return number;
	case '#':
		sprintf(number, "%d", params.count);
		return number;
	case '!':
		sprintf(number, "%d", (int)params.last_background);
		return params.last_background ? number : NULL;
	case '-':
		return "";
	}
	return var_get(name);
}

/* The bytes of the parameter's name at @s (in braces, numbers may be long); 0 if none is there. */
static int parameter_length(const char *s, bool braces)
{
	int length = name_length(s);

	if (length)
		return length;
	if (isdigit((unsigned char)*s))
		return braces ? strspn(s, "0123456789") : 1;
	return *s && strchr("?$!#@*-", *s) ? 1 : 0;
}

/* ${NAME op word}: what @op (- = ? +) makes of @value; @word..@end as written. */
static void expand_conditional(struct expander *x, const char *name, const char *value, char op,
			       const char *word, const char *end, bool quoted)
{
	char *text;

	if (op == '+') {
		if (value)
			expand_range(x, word, end, quoted);
		return;
	}
	if (value) {
		add_value(x, value, quoted);
		return;
	}
	if (op == '-') {
		expand_range(x, word, end, quoted);
		return;
	}
	text = expand_part(x->arena, word, end);
	if (!text) {
		x->failed = true;
	} else if (op == '=' && name_length(name)) {
		var_set(name, text);
		add_value(x, text, quoted);
	} else {
		warn("%s: %s", name,
		     op == '=' ? "cannot be assigned to" :
		     *text     ? text :
				 "parameter not set");
		x->failed = true;
	}
}

/* What is between the braces of ${...}. */
static void expand_braces(struct expander *x, const char *s, const char *end, bool quoted)
{
	bool want_length = *s == '#' && end - s > 1;
	int length = parameter_length(s + want_length, true);
	const char *next = s + want_length + length;
	char *name = arena_copy(x->arena, s + want_length, length);
	const char *value = parameter(x, name);
	char number[24];
	bool colon;

	if (length == 0 || next > end || (want_length && next != end)) {
		warn("${%.*s}: bad substitution", (int)(end - s), s);
		x->failed = true;
	} else if (want_length) {
		sprintf(number, "%zu", value ? strlen(value) : 0);
		add_value(x, number, quoted);
	} else if (next == end) {
		if (*name == '@' || *name == '*')
			add_arguments(x, *name, quoted);
		else if (value)
			add_value(x, value, quoted);
	} else {
		colon = *next == ':';
		if (colon && value && !*value)
			value = NULL;
		next += colon;
		if (next < end && strchr("-=?+", *next)) {
			expand_conditional(x, name, value, *next, next + 1, end, quoted);
			return;
		}
		warn("${%.*s}: bad substitution", (int)(end - s), s);
		x->failed = true;
	}
}

/* $( ) and $(( )), from after the first parenthesis up to its partner at @close. */
static void expand_parens(struct expander *x, const char *s, const char *close, bool quoted)
{
	char number[24];
	long long result;
	char *text;

	if (*s == '(' && close[-1] == ')' && find_close(s + 1, close, '(', ')') == close - 1) {
		text = expand_part(x->arena, s + 1, close - 1);
		if (!text || arith_evaluate(text, &result) < 0) {
			x->failed = true;
			return;
		}
		sprintf(number, "%lld", result);
		add_value(x, number, quoted);
		return;
	}
	text = eval_output(x->arena, arena_copy(x->arena, s, close - s));
	add_value(x, text, quoted);
}

/* Expand what follows a dollar sign at @s; returns the place after it. */
static const char *expand_dollar(struct expander *x, const char *s, const char *end, bool quoted)
{
	const char *close;
	const char *value;
	char *name;
	int length;

	if (s < end && *s == '{') {
		close = find_close(s + 1, end, '\0', '}');
		expand_braces(x, s + 1, close, quoted);
		return close + 1;
	}
	if (s < end && *s == '(') {
		close = find_close(s + 1, end, '(', ')');
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
		add_arguments(x, *name, quoted);
	} else {
		value = parameter(x, name);
		if (value)
			add_value(x, value, quoted);
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

		expand_range(&x, start, start + strlen(start), false);
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

	expand_range(&x, start, start + strlen(start), false);
	return x.failed ? NULL : without_backslashes(x.text.text);
}
