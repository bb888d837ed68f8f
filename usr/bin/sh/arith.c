/*
 * arith.c - $((expression)): C's operators without assignment, on long long.
 *
 * Precedence climbing: parse_binary(level) takes operands of the next level, joined by operators of
 * its own. Arithmetic is done unsigned, so that overflow wraps.
 *
 * Invariants: after an error `failed` is set and the position no longer moves.  Locks: none.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "usr/bin/sh/expand.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

#define MAX_DEPTH 200 /* of parentheses and signs: the stack is finite */

struct arith {
	const char *next;
	int depth;
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

static long long variable_value(struct arith *arith)
{
	char name[128];
	int length = name_length(arith->next);
	const char *value;
	char *end;
	long long number;

	if (length >= (int)sizeof(name)) {
		fail(arith, "name too long");
		return 0;
	}
	memcpy(name, arith->next, length);
	name[length] = '\0';
	arith->next += length;
	value = var_get(name);
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
	value = c == '(' ? parse_binary(arith, 0) : parse_operand(arith);
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
		return op;
	}
	return NULL;
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
		value = apply(arith, op, value, parse_binary(arith, level + 1));
	}
}

int arith_evaluate(const char *expression, long long *value)
{
	struct arith arith = { .next = expression };

	skip_blanks(&arith);
	*value = *arith.next ? parse_binary(&arith, 0) : 0;
	skip_blanks(&arith);
	if (*arith.next)
		fail(&arith, "unexpected characters at the end");
	return arith.failed ? -1 : 0;
}
