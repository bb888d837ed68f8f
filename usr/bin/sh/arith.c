/*
 * arith.c - $((expression)): C's operators but ++ and --, on long long.
 *
 * Precedence climbing: parse_binary(level) takes operands of the next level, joined by operators of
 * its own. Arithmetic is done unsigned, so that overflow wraps.
 *
 * Invariants: after an error `failed` is set and the position no longer moves.  Locks: none.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/expand.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

#define MAX_DEPTH 200 /* of parentheses and signs: the stack is finite */

struct arith {
	const char *next;
	int depth;
	int skipping; /* > 0: the value does not matter, nothing is assigned */
	bool failed;
};

static const char *const levels[][5] = {
	{ "||" },
	{ "&&" },
	{ "|" },
	{ "^" },
	{ "&" },
	{ "==", "!=" },
	{ "<=", ">=", "<", ">" },
	{ "<<", ">>" },
	{ "+", "-" },
	{ "*", "/", "%" },
};

#define NR_LEVELS ((int)(sizeof(levels) / sizeof(levels[0])))

static long long parse_binary(struct arith *arith, int level);
static long long parse_assignment(struct arith *arith);

static void fail(struct arith *arith, const char *why)
{
	if (!arith->failed)
		warn("arithmetic: %s", why);
	arith->failed = true;
	arith->next = "";
}

static void skip_blanks(struct arith *arith)
{
	while (isspace((unsigned char)*arith->next))
		arith->next++;
}

static long long value_of(struct arith *arith, const char *name);

static long long variable_value(struct arith *arith)
{
	char name[128];
	int length = name_length(arith->next);

	if (length >= (int)sizeof(name)) {
		fail(arith, "name too long");
		return 0;
	}
	memcpy(name, arith->next, length);
	name[length] = '\0';
	arith->next += length;
	return value_of(arith, name);
}

static long long value_of(struct arith *arith, const char *name)
{
	const char *value = var_get(name);
	long long number;
	char *end;

	if (!value && shell.unset_is_error)
		fail(arith, "a variable is not set");
	if (!value || !*value)
		return 0;
	number = strtoll(value, &end, 0);
	if (*end)
		fail(arith, "a variable is not a number");
	return number;
}

static long long parse_operand(struct arith *arith)
{
	long long value;
	char *end;
	char c;

	skip_blanks(arith);
	c = *arith->next;
	if (arith->depth > MAX_DEPTH) {
		fail(arith, "too deeply nested");
		return 0;
	}
	if (isdigit((unsigned char)c)) {
		value = strtoll(arith->next, &end, 0);
		arith->next = end;
		return value;
	}
	if (name_length(arith->next))
		return variable_value(arith);
	if (!c || !strchr("(-+!~", c)) {
		fail(arith, "operand expected");
		return 0;
	}
	arith->next++;
	arith->depth++;
	value = c == '(' ? parse_assignment(arith) : parse_operand(arith);
	arith->depth--;
	if (c == '(') {
		skip_blanks(arith);
		if (*arith->next == ')')
			arith->next++;
		else
			fail(arith, "missing )");
	}
	return c == '-' ? (long long)-(unsigned long long)value :
	       c == '!' ? !value :
	       c == '~' ? ~value :
			  value;
}

static long long apply(struct arith *arith, const char *op, long long a, long long b)
{
	unsigned long long ua = a, ub = b;

	switch (op[0]) {
	case '+':
		return ua + ub;
	case '-':
		return ua - ub;
	case '*':
		return ua * ub;
	case '^':
		return a ^ b;
	case '!':
		return a != b;
	case '=':
		return a == b;
	case '|':
		return op[1] ? a || b : a | b;
	case '&':
		return op[1] ? a && b : a & b;
	case '<':
		return !op[1] ? a < b : op[1] == '=' ? a <= b : (long long)(ua << (ub & 63));
	case '>':
		return !op[1] ? a > b : op[1] == '=' ? a >= b : a >> (ub & 63);
	}
	if (b == 0 && arith->skipping)
		return 0;
	if (b == 0) {
		fail(arith, "division by zero");
		return 0;
	}
	if (b == -1)
		return op[0] == '/' ? (long long)-ua : 0;
	return op[0] == '/' ? a / b : a % b;
}

/* The operator of @level at the next place, or NULL: "|" is not the start of "||", and so on. */
static const char *match_operator(struct arith *arith, int level)
{
	const char *s = arith->next;

	for (int i = 0; i < 5 && levels[level][i]; i++) {
		const char *op = levels[level][i];

		if (strncmp(s, op, strlen(op)) != 0)
			continue;
		if (!op[1] && strchr("|&<>", *op) && s[1] == *op)
			continue;
		if (strchr("+-*/%&|^", *op) && !op[1] && s[1] == '=')
			continue;
		return op;
	}
	return NULL;
}

/* The right side of @op, without effects when the left one's @value decides && or || already. */
static long long parse_right(struct arith *arith, const char *op, long long value, int level)
{
	bool decided = (strcmp(op, "&&") == 0 && !value) || (strcmp(op, "||") == 0 && value);
	long long right;

	arith->skipping += decided;
	right = parse_binary(arith, level);
	arith->skipping -= decided;
	return right;
}

static long long parse_binary(struct arith *arith, int level)
{
	long long value;
	const char *op;

	if (level == NR_LEVELS)
		return parse_operand(arith);
	value = parse_binary(arith, level + 1);
	for (;;) {
		skip_blanks(arith);
		op = match_operator(arith, level);
		if (!op)
			return value;
		arith->next += strlen(op);
		value = apply(arith, op, value, parse_right(arith, op, value, level + 1));
	}
}

/* condition ? value : value */
static long long parse_conditional(struct arith *arith)
{
	long long value = parse_binary(arith, 0);
	long long other;
	bool holds = value;

	skip_blanks(arith);
	if (*arith->next != '?')
		return value;
	if (++arith->depth > MAX_DEPTH) {
		fail(arith, "too deeply nested");
		return 0;
	}
	arith->next++;
	arith->skipping += !holds;
	value = parse_assignment(arith);
	arith->skipping += holds - !holds;
	skip_blanks(arith);
	if (*arith->next == ':')
		arith->next++;
	else
		fail(arith, "missing :");
	other = parse_conditional(arith);
	arith->skipping -= holds;
	arith->depth--;
	return holds ? value : other;
}

/* The assignment operator after the name at the next place ("+=": '+', "<<=": '<'), or NUL. */
static const char *match_assignment(struct arith *arith, int length)
{
	static const char *const operators[] = { "=",  "+=", "-=", "*=",  "/=", "%=",
						 "&=", "|=", "^=", "<<=", ">>=" };
	const char *s = arith->next + length;

	while (isspace((unsigned char)*s))
		s++;
	for (size_t i = 0; length && i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (strncmp(s, operators[i], strlen(operators[i])) != 0 || (i == 0 && s[1] == '='))
			continue;
		arith->next = s + strlen(operators[i]);
		return operators[i];
	}
	return NULL;
}

static long long parse_assignment(struct arith *arith)
{
	const char *name, *op;
	long long value = 0;
	char text[128];
	int length;

	skip_blanks(arith);
	name = arith->next;
	length = name_length(name);
	op = match_assignment(arith, length);
	if (!op)
		return parse_conditional(arith);
	if (++arith->depth > MAX_DEPTH || length >= (int)sizeof(text)) {
		fail(arith, "too deeply nested");
		return 0;
	}
	memcpy(text, name, length);
	text[length] = '\0';
	if (op[1])
		value = value_of(arith, text);
	value = op[1] ? apply(arith, op[2] ? (*op == '<' ? "<<" : ">>") : (char[]){ *op, '\0' },
			      value, parse_assignment(arith)) :
			parse_assignment(arith);
	arith->depth--;
	if (!arith->failed && !arith->skipping) {
		char number[24];

		if (!var_may_change(text)) {
			fail(arith, "a variable is read only");
			return 0;
		}
		sprintf(number, "%lld", value);
		var_set(text, number);
	}
	return value;
}

int arith_evaluate(const char *expression, long long *value)
{
	struct arith arith = { .next = expression };

	skip_blanks(&arith);
	*value = *arith.next ? parse_assignment(&arith) : 0;
	skip_blanks(&arith);
	if (*arith.next)
		fail(&arith, "unexpected characters at the end");
	return arith.failed ? -1 : 0;
}
