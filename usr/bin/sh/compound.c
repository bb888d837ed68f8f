/*
 * compound.c - the parser's part for what has keywords or parentheses; see parser.c.
 *
 *   compound  : '(' list ')' | '{' list '}' | if | while | until | for | case
 *   case      : 'case' word 'in' { ['('] word { '|' word } ')' [list] ';;' } 'esac'
 *
 * Invariants: as in parser.c.  Locks: none.
 */
#include "usr/bin/sh/compound.h"

#include <string.h>

#include "usr/bin/sh/parser.h"

/* if LIST then LIST {elif LIST then LIST} [else LIST] fi, from the condition on. */
static struct node *parse_if(struct parser *parser)
{
	struct node *node = parser_new_node(parser, NODE_IF, NULL, NULL);

	parser_advance(parser);
	node->left = parser_list(parser, true);
	parser_expect_keyword(parser, "then");
	node->right = parser_list(parser, true);
	if (parser_at_keyword(parser, "elif")) {
		node->other = parse_if(parser);
		return node;
	}
	if (parser_at_keyword(parser, "else")) {
		parser_advance(parser);
		node->other = parser_list(parser, true);
	}
	parser_expect_keyword(parser, "fi");
	return node;
}

static struct node *parse_body(struct parser *parser)
{
	struct node *body;

	parser_expect_keyword(parser, "do");
	body = parser_list(parser, true);
	parser_expect_keyword(parser, "done");
	return body;
}

static struct node *parse_while(struct parser *parser, enum node_type type)
{
	struct node *node = parser_new_node(parser, type, NULL, NULL);

	parser_advance(parser);
	node->left = parser_list(parser, true);
	node->right = parse_body(parser);
	return node;
}

static struct node *parse_for(struct parser *parser)
{
	struct node *node = parser_new_node(parser, NODE_FOR, NULL, NULL);
	struct word **tail = &node->words;

	parser_advance(parser);
	node->name = parser->token.text;
	if (parser->token.type != TOKEN_WORD || name_length(node->name) == 0 ||
	    node->name[name_length(node->name)]) {
		parser_unexpected(parser, "a variable's name");
		return node;
	}
	parser_advance(parser);
	parser_skip_newlines(parser);
	node->over_arguments = !parser_at_keyword(parser, "in");
	if (!node->over_arguments) {
		parser_advance(parser);
		while (parser->token.type == TOKEN_WORD)
			tail = parser_take_word(parser, tail);
	}
	if (parser->token.type == TOKEN_SEMICOLON)
		parser_advance(parser);
	parser_skip_newlines(parser);
	node->right = parse_body(parser);
	return node;
}

static struct node *parse_enclosed(struct parser *parser, enum node_type type)
{
	struct node *node = parser_new_node(parser, type, NULL, NULL);

	parser_advance(parser);
	node->left = parser_list(parser, true);
	if (type == NODE_GROUP)
		parser_expect_keyword(parser, "}");
	else if (parser->token.type == TOKEN_RIGHT_PAREN)
		parser_advance(parser);
	else
		parser_unexpected(parser, ")");
	return node;
}

/* The patterns and the body of one item, without the ";;". */
static struct case_item *parse_item(struct parser *parser)
{
	struct case_item *item = arena_alloc(parser->lexer.arena, sizeof(*item));
	struct word **tail = &item->patterns;

	if (parser->token.type == TOKEN_LEFT_PAREN)
		parser_advance(parser);
	for (;;) {
		if (parser->token.type != TOKEN_WORD) {
			parser_unexpected(parser, "a pattern");
			return item;
		}
		tail = parser_take_word(parser, tail);
		if (parser->token.type != TOKEN_PIPE)
			break;
		parser_advance(parser);
	}
	if (parser->token.type != TOKEN_RIGHT_PAREN)
		parser_unexpected(parser, ")");
	parser_advance(parser);
	parser_skip_newlines(parser);
	if (parser->token.type != TOKEN_DOUBLE_SEMICOLON && !parser_at_keyword(parser, "esac"))
		item->body = parser_list(parser, true);
	return item;
}

static struct node *parse_case(struct parser *parser)
{
	struct node *node = parser_new_node(parser, NODE_CASE, NULL, NULL);
	struct case_item **tail = &node->items;

	parser_advance(parser);
	node->name = parser->token.text;
	if (parser->token.type != TOKEN_WORD) {
		parser_unexpected(parser, "a word");
		return node;
	}
	parser_advance(parser);
	parser_skip_newlines(parser);
	parser_expect_keyword(parser, "in");
	parser_skip_newlines(parser);
	while (!parser->lexer.failed && !parser_at_keyword(parser, "esac")) {
		*tail = parse_item(parser);
		tail = &(*tail)->next;
		if (parser->token.type != TOKEN_DOUBLE_SEMICOLON)
			break;
		parser_advance(parser);
		parser_skip_newlines(parser);
	}
	parser_expect_keyword(parser, "esac");
	return node;
}

struct node *parser_function(struct parser *parser, const char *name)
{
	struct node *node = parser_new_node(parser, NODE_FUNCTION, NULL, NULL);

	node->name = name;
	node->arena = parser->lexer.arena;
	parser_advance(parser);
	if (name_length(name) == 0 || name[name_length(name)])
		lexer_error(&parser->lexer, "%s: bad function name", name);
	if (parser->token.type != TOKEN_RIGHT_PAREN)
		parser_unexpected(parser, ")");
	parser_advance(parser);
	parser_skip_newlines(parser);
	node->left = parser_command(parser);
	return node;
}

/* A compound command without its redirections, or NULL when the next token starts none. */
struct node *parser_compound(struct parser *parser)
{
	if (parser->token.type == TOKEN_LEFT_PAREN)
		return parse_enclosed(parser, NODE_SUBSHELL);
	if (parser_at_keyword(parser, "{"))
		return parse_enclosed(parser, NODE_GROUP);
	if (parser_at_keyword(parser, "if"))
		return parse_if(parser);
	if (parser_at_keyword(parser, "while"))
		return parse_while(parser, NODE_WHILE);
	if (parser_at_keyword(parser, "until"))
		return parse_while(parser, NODE_UNTIL);
	if (parser_at_keyword(parser, "for"))
		return parse_for(parser);
	if (parser_at_keyword(parser, "case"))
		return parse_case(parser);
	return NULL;
}
