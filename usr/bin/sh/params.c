/*
 * params.c - parameters and what braces make of them: ${X:-word} ${X%pattern} ${#X}.
 *
 * Invariants: as in expand.c.  Locks: none.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/expander.h"
#include "usr/bin/sh/options.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

/* "$*" as a value to trim or to compare with nothing. */
static char *joined_arguments(struct arena *arena)
{
	struct strbuf text = strbuf_in(arena);

	for (int i = 0; i < params.count; i++) {
		if (i > 0)
			strbuf_add_char(&text, ' ');
		strbuf_add(&text, params.args[i], strlen(params.args[i]));
	}
	return text.text;
}

/* The value of the parameter @name ("X", "1", "?"), or NULL when it is not set. */
const char *parameter_value(struct expander *x, const char *name)
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
		return options_letters(x->arena);
	case '@':
	case '*':
		return params.count ? joined_arguments(x->arena) : NULL;
	}
	return var_get(name);
}

/* The bytes of the parameter's name at @s (in braces, numbers may be long); 0 if none is there. */
int parameter_length(const char *s, bool braces)
{
	int length = name_length(s);

	if (length)
		return length;
	if (isdigit((unsigned char)*s))
		return braces ? strspn(s, "0123456789") : 1;
	return *s && strchr("?$!#@*-", *s) ? 1 : 0;
}

void expander_check_set(struct expander *x, const char *name)
{
	if (!shell.unset_is_error || *name == '@' || *name == '*')
		return;
	warn("%s: parameter not set", name);
	x->failed = true;
}

/*
 * ${NAME%word} and its like: @value without the shortest (@longest: the longest) piece at its
 * start (#) or end (%) that matches the pattern @word..@end.
 */
static void expand_trim(struct expander *x, const char *value, const char *word, const char *end,
			bool quoted)
{
	char op = *word++;
	bool longest = word < end && *word == op;
	size_t length = strlen(value);
	char *pattern = expand_pattern(x->arena, word + longest, end);
	char *copy = arena_copy(x->arena, value, length);

	if (!pattern) {
		x->failed = true;
		return;
	}
	for (size_t i = 0; i <= length; i++) {
		size_t cut = (op == '#') == longest ? length - i : i;
		char kept = copy[cut];

		if (op == '#')
			copy[cut] = '\0';
		if (fnmatch(pattern, op == '#' ? copy : copy + cut, 0) == 0) {
			copy[cut] = op == '#' ? kept : '\0';
			expander_add_value(x, op == '#' ? copy + cut : copy, quoted);
			return;
		}
		copy[cut] = kept;
	}
	expander_add_value(x, value, quoted);
}

/* ${NAME op word}: what @op (- = ? +) makes of @value; @word..@end as written. */
static void expand_conditional(struct expander *x, const char *name, const char *value, char op,
			       const char *word, const char *end, bool quoted)
{
	char *text;

	bool outer = x->in_braces;

	if (value && op != '+') {
		if (*name == '@' || *name == '*')
			expander_add_arguments(x, *name, quoted);
		else
			expander_add_value(x, value, quoted);
		return;
	}
	if (op == '-' || op == '+') {
		x->in_braces = true;
		if (op == '-' || value)
			expander_add_range(x, word, end, quoted);
		x->in_braces = outer;
		return;
	}
	text = expander_string(x->arena, word, end);
	if (!text) {
		x->failed = true;
	} else if (op == '=' && name_length(name)) {
		var_set(name, text);
		expander_add_value(x, text, quoted);
	} else {
		warn("%s: %s", name,
		     op == '=' ? "cannot be assigned to" :
		     *text     ? text :
				 "parameter not set");
		x->failed = true;
	}
}

/* What is between the braces of ${...}. */
void expander_add_braces(struct expander *x, const char *s, const char *end, bool quoted)
{
	bool want_length = *s == '#' && end - s > 1 && parameter_length(s + 1, true) == end - s - 1;
	int length = parameter_length(s + want_length, true);
	const char *next = s + want_length + length;
	char *name = arena_copy(x->arena, s + want_length, length);
	const char *value = parameter_value(x, name);
	char number[24];
	bool colon;

	if (length == 0 || next > end || (want_length && next != end)) {
		warn("${%.*s}: bad substitution", (int)(end - s), s);
		x->failed = true;
	} else if (!value && (next == end || *next == '%' || *next == '#') &&
		   shell.unset_is_error && *name != '@' && *name != '*') {
		expander_check_set(x, name);
	} else if (want_length) {
		sprintf(number, "%zu", value ? strlen(value) : 0);
		expander_add_value(x, number, quoted);
	} else if (next == end) {
		if (*name == '@' || *name == '*')
			expander_add_arguments(x, *name, quoted);
		else if (value)
			expander_add_value(x, value, quoted);
	} else {
		colon = *next == ':';
		if (colon && value && !*value)
			value = NULL;
		next += colon;
		if (next < end && strchr("-=?+", *next)) {
			expand_conditional(x, name, value, *next, next + 1, end, quoted);
			return;
		}
		if (!colon && (*next == '%' || *next == '#')) {
			expand_trim(x, value ? value : "", next, end, quoted);
			return;
		}
		warn("${%.*s}: bad substitution", (int)(end - s), s);
		x->failed = true;
	}
}
