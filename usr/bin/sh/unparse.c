/*
 * unparse.c - a tree back to text, for the list of jobs; see unparse.h.
 *
 * Invariants: what was printed ends a branch's turn: no function recurses to the right without
 * having added to the text, so that the limit of the text limits the depth too.  Locks: none.
 */
#include "usr/bin/sh/unparse.h"

#include <string.h>

static void add_node(struct strbuf *out, const struct node *node);

static bool is_full(const struct strbuf *out)
{
	return out->length >= UNPARSE_LENGTH;
}

static void add(struct strbuf *out, const char *text)
{
	if (!is_full(out))
		strbuf_add(out, text, strlen(text));
}

static void add_words(struct strbuf *out, const struct word *words)
{
	for (; words && !is_full(out); words = words->next) {
		if (out->length && !strchr(" (", out->text[out->length - 1]))
			add(out, " ");
		add(out, words->text);
	}
}

static void add_redirects(struct strbuf *out, const struct redirect *redirect)
{
	static const char *const operators[] = {
		[TOKEN_LESS] = "<",	     [TOKEN_GREAT] = ">",
		[TOKEN_DOUBLE_GREAT] = ">>", [TOKEN_DOUBLE_LESS] = "<<",
		[TOKEN_LESS_GREAT] = "<>",   [TOKEN_DOUBLE_LESS_DASH] = "<<-",
		[TOKEN_LESS_AND] = "<&",     [TOKEN_GREAT_AND] = ">&",
		[TOKEN_CLOBBER] = ">|",
	};

	for (; redirect && !is_full(out); redirect = redirect->next) {
		const char *operator= operators[redirect->type];

		add(out, " ");
		if (redirect->fd != (*operator== '>') && redirect->fd < 10)
			strbuf_add_char(out, '0' + redirect->fd);
		add(out, operator);
		add(out, redirect->target);
	}
}

/* @left, a word between, @right */
static void add_two(struct strbuf *out, const struct node *node, const char *between)
{
	add_node(out, node->left);
	add(out, between);
	add_node(out, node->right);
}

/* A keyword, the first list, a keyword, the second, a keyword. */
static void add_compound(struct strbuf *out, const struct node *node, const char *first,
			 const char *second, const char *last)
{
	add(out, first);
	add_two(out, node, second);
	if (node->other) {
		add(out, "; else ");
		add_node(out, node->other);
	}
	add(out, last);
}

static void add_named(struct strbuf *out, const struct node *node)
{
	add(out, node->type == NODE_CASE ? "case " : node->type == NODE_FOR ? "for " : "");
	add(out, node->name);
	if (node->type == NODE_CASE) {
		add(out, " in ... esac");
	} else if (node->type == NODE_FUNCTION) {
		add(out, "() ...");
	} else {
		add(out, node->over_arguments ? "" : " in");
		add_words(out, node->words);
		add(out, "; do ");
		add_node(out, node->right);
		add(out, "; done");
	}
}

static void add_node(struct strbuf *out, const struct node *node)
{
	if (!node || is_full(out))
		return;
	switch (node->type) {
	case NODE_SIMPLE:
		add_words(out, node->assigns);
		add_words(out, node->words);
		break;
	case NODE_PIPE:
		add_two(out, node, " | ");
		break;
	case NODE_AND:
	case NODE_OR:
		add_two(out, node, node->type == NODE_AND ? " && " : " || ");
		break;
	case NODE_SEQUENCE:
		add_two(out, node, node->left->type == NODE_BACKGROUND ? " " : "; ");
		break;
	case NODE_NOT:
		add(out, "! ");
		add_node(out, node->left);
		break;
	case NODE_BACKGROUND:
		add_two(out, node, " &");
		break;
	case NODE_SUBSHELL:
		add_compound(out, node, "(", "", ")");
		break;
	case NODE_GROUP:
		add_compound(out, node, "{ ", "", "; }");
		break;
	case NODE_IF:
		add_compound(out, node, "if ", "; then ", "; fi");
		break;
	case NODE_WHILE:
	case NODE_UNTIL:
		add_compound(out, node, node->type == NODE_WHILE ? "while " : "until ", "; do ",
			     "; done");
		break;
	default:
		add_named(out, node);
	}
	add_redirects(out, node->redirects);
}

const char *unparse(struct arena *arena, const struct node *node)
{
	struct strbuf out = strbuf_in(arena);

	add_node(&out, node);
	for (char *c = out.text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '\177')
			*c = ' ';
	if (is_full(&out))
		strcpy(out.text + UNPARSE_LENGTH - 3, "...");
	return out.text;
}
