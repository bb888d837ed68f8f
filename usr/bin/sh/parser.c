/*
 * parser.c - recursive descent over the tokens, one token ahead.
 *
 *   line      : list NEWLINE
 *   list      : and_or { (';' | '&' | NEWLINE) and_or }         (NEWLINE only inside a compound)
 *   and_or    : pipeline { ('&&' | '||') pipeline }
 *   pipeline  : ['!'] command { '|' command }
 *   command   : compound { redirect } | { word | redirect | assignment }
 *             | name '(' ')' command
 *
 * The compounds are in compound.c.
 *
 * A function that cannot go on calls parser_unexpected() and returns; from then on every token is
 * the end of the file, and all callers return too.
 *
 * Invariants: parser->token is the next token, not yet used.  Locks: none.
 */
#include "usr/bin/sh/parser.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "usr/bin/sh/alias.h"
#include "usr/bin/sh/compound.h"

void parser_advance(struct parser *parser)
{
	parser->token = lexer_next(&parser->lexer);
	if (parser->lexer.failed)
		parser->token = (struct token){ TOKEN_EOF, "end of file" };
}

void parser_unexpected(struct parser *parser, const char *expected)
{
	if (expected)
		lexer_error(&parser->lexer, "unexpected %s (expecting %s)", parser->token.text,
			    expected);
	else
		lexer_error(&parser->lexer, "unexpected %s", parser->token.text);
	parser->token = (struct token){ TOKEN_EOF, "end of file" };
}

void parser_skip_newlines(struct parser *parser)
{
	while (parser->token.type == TOKEN_NEWLINE)
		parser_advance(parser);
}

bool parser_at_keyword(const struct parser *parser, const char *keyword)
{
	return parser->token.type == TOKEN_WORD && strcmp(parser->token.text, keyword) == 0;
}

void parser_expect_keyword(struct parser *parser, const char *keyword)
{
	if (parser_at_keyword(parser, keyword))
		parser_advance(parser);
	else
		parser_unexpected(parser, keyword);
}

/* Is the next token a word that ends a list where a command could stand? */
static bool at_closing_keyword(const struct parser *parser)
{
	static const char *const closing[] = {
		"}", "then", "elif", "else", "fi", "do", "done", "esac",
	};

	for (size_t i = 0; i < sizeof(closing) / sizeof(closing[0]); i++)
		if (parser_at_keyword(parser, closing[i]))
			return true;
	return false;
}

bool parser_is_keyword(const char *word)
{
	static const char *const keywords[] = {
		"!",	"{",  "}",   "case", "do", "done", "elif",  "else",
		"esac", "fi", "for", "if",   "in", "then", "until", "while",
	};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (strcmp(word, keywords[i]) == 0)
			return true;
	return false;
}

static bool at_command(const struct parser *parser)
{
	switch (parser->token.type) {
	case TOKEN_WORD:
		return !at_closing_keyword(parser);
	case TOKEN_IO_NUMBER:
	case TOKEN_LEFT_PAREN:
		return true;
	default:
		return parser->token.type >= TOKEN_LESS;
	}
}

struct node *parser_new_node(struct parser *parser, enum node_type type, struct node *left,
			     struct node *right)
{
	struct node *node = arena_alloc(parser->lexer.arena, sizeof(*node));

	node->type = type;
	node->left = left;
	node->right = right;
	return node;
}

int name_length(const char *text)
{
	int length = 0;

	if (isdigit((unsigned char)*text))
		return 0;
	while (isalnum((unsigned char)text[length]) || text[length] == '_')
		length++;
	return length;
}

static bool is_assignment(const char *word)
{
	int length = name_length(word);

	return length > 0 && word[length] == '=';
}

/* Append the next token, a word, to the list that ends at *@tail; returns the new end. */
struct word **parser_take_word(struct parser *parser, struct word **tail)
{
	struct word *word = arena_alloc(parser->lexer.arena, sizeof(*word));

	word->text = parser->token.text;
	*tail = word;
	parser_advance(parser);
	return &word->next;
}

static bool at_redirect(const struct parser *parser)
{
	return parser->token.type == TOKEN_IO_NUMBER || parser->token.type >= TOKEN_LESS;
}

/* The body of @redirect comes after the line: append it to those that wait. */
static void await_heredoc(struct lexer *lexer, struct redirect *redirect)
{
	struct redirect **link = &lexer->heredocs;

	while (*link)
		link = &(*link)->next_heredoc;
	*link = redirect;
}

static struct redirect **take_redirect(struct parser *parser, struct redirect **tail)
{
	struct redirect *redirect = arena_alloc(parser->lexer.arena, sizeof(*redirect));

	redirect->fd = -1;
	if (parser->token.type == TOKEN_IO_NUMBER) {
		redirect->fd = strlen(parser->token.text) < 5 ? atoi(parser->token.text) : 9999;
		parser_advance(parser);
	}
	redirect->type = parser->token.type;
	if (redirect->fd < 0)
		redirect->fd = parser->token.text[0] == '>';
	parser_advance(parser);
	redirect->target = parser->token.text;
	if (parser->token.type != TOKEN_WORD)
		parser_unexpected(parser, "a file name");
	else if (redirect->type == TOKEN_DOUBLE_LESS || redirect->type == TOKEN_DOUBLE_LESS_DASH)
		await_heredoc(&parser->lexer, redirect);
	parser_advance(parser);
	*tail = redirect;
	return &redirect->next;
}

static struct node *parse_simple(struct parser *parser)
{
	struct node *node = parser_new_node(parser, NODE_SIMPLE, NULL, NULL);
	struct redirect **redirects = &node->redirects;
	struct word **assigns = &node->assigns;
	struct word **words = &node->words;

	for (;;) {
		if (at_redirect(parser))
			redirects = take_redirect(parser, redirects);
		else if (parser->token.type != TOKEN_WORD)
			break;
		else if (!node->words && is_assignment(parser->token.text))
			assigns = parser_take_word(parser, assigns);
		else
			words = parser_take_word(parser, words);
		if (parser->token.type == TOKEN_LEFT_PAREN && node->words && !node->words->next &&
		    !node->assigns && !node->redirects)
			return parser_function(parser, node->words->text);
	}
	if (parser->token.type == TOKEN_LEFT_PAREN)
		parser_unexpected(parser, NULL);
	return node;
}

/* While an alias stands where a command begins, read its text in its place. */
static void replace_aliases(struct parser *parser)
{
	const char *used[8];
	int nr_used = 0;

	while (!parser->no_aliases && parser->token.type == TOKEN_WORD && nr_used < 8 &&
	       !parser_is_keyword(parser->token.text)) {
		const char *text = alias_find(parser->token.text);

		for (int i = 0; i < nr_used; i++)
			if (strcmp(used[i], parser->token.text) == 0)
				return;
		if (!text)
			return;
		used[nr_used++] = parser->token.text;
		source_insert(parser->lexer.src, text);
		parser_advance(parser);
	}
}

struct node *parser_command(struct parser *parser)
{
	struct redirect **tail;
	struct node *node;

	replace_aliases(parser);
	if (!at_command(parser)) {
		parser_unexpected(parser, "a command");
		return NULL;
	}
	if (++parser->lexer.depth > MAX_NESTING)
		parser_unexpected(parser, "less deep nesting");
	node = parser_compound(parser);
	parser->lexer.depth--;
	if (!node)
		return parse_simple(parser);
	tail = &node->redirects;
	while (at_redirect(parser))
		tail = take_redirect(parser, tail);
	return node;
}

static struct node *parse_pipeline(struct parser *parser)
{
	bool negated = parser_at_keyword(parser, "!");
	struct node *first;
	struct node **last = &first;

	if (negated)
		parser_advance(parser);
	*last = parser_command(parser);
	while (parser->token.type == TOKEN_PIPE) {
		parser_advance(parser);
		parser_skip_newlines(parser);
		*last = parser_new_node(parser, NODE_PIPE, *last, NULL);
		last = &(*last)->right;
		*last = parser_command(parser);
	}
	return negated ? parser_new_node(parser, NODE_NOT, first, NULL) : first;
}

static struct node *parse_and_or(struct parser *parser)
{
	struct node *first = parse_pipeline(parser);
	struct node **last = &first;

	while (parser->token.type == TOKEN_AND || parser->token.type == TOKEN_OR) {
		enum node_type type = parser->token.type == TOKEN_AND ? NODE_AND : NODE_OR;

		parser_advance(parser);
		parser_skip_newlines(parser);
		*last = parser_new_node(parser, type, *last, NULL);
		last = &(*last)->right;
		*last = parse_pipeline(parser);
	}
	return first;
}

struct node *parser_list(struct parser *parser, bool compound)
{
	struct node *first = NULL;
	struct node **last = &first;

	if (compound)
		parser_skip_newlines(parser);
	do {
		struct node *node = parse_and_or(parser);
		enum token_type separator = parser->token.type;

		if (separator == TOKEN_AMPERSAND)
			node = parser_new_node(parser, NODE_BACKGROUND, node, NULL);
		if (first) {
			*last = parser_new_node(parser, NODE_SEQUENCE, *last, node);
			last = &(*last)->right;
		} else {
			first = node;
		}
		if (separator == TOKEN_SEMICOLON || separator == TOKEN_AMPERSAND)
			parser_advance(parser);
		else if (separator != TOKEN_NEWLINE || !compound)
			break;
		if (compound)
			parser_skip_newlines(parser);
	} while (at_command(parser));
	return first;
}

void parser_skip_list(struct lexer *lexer)
{
	struct parser parser = { .lexer = *lexer, .no_aliases = true };

	parser.lexer.heredocs = NULL;
	parser_advance(&parser);
	parser_skip_newlines(&parser);
	if (parser.token.type != TOKEN_RIGHT_PAREN)
		parser_list(&parser, true);
	if (parser.token.type != TOKEN_RIGHT_PAREN)
		parser_unexpected(&parser, ")");
	lexer->failed = parser.lexer.failed;
}

enum parse_result parse_command(struct source *src, struct arena *arena, struct node **tree)
{
	struct parser parser = { .lexer = { .src = src, .arena = arena } };

	*tree = NULL;
	src->continued = false;
	parser_advance(&parser);
	if (parser.token.type != TOKEN_EOF && parser.token.type != TOKEN_NEWLINE) {
		*tree = parser_list(&parser, false);
		if (parser.token.type != TOKEN_NEWLINE && parser.token.type != TOKEN_EOF)
			parser_unexpected(&parser, NULL);
	} else if (parser.token.type == TOKEN_EOF && !parser.lexer.failed && !src->interrupted) {
		return PARSE_END;
	}
	if (!src->interrupted && !parser.lexer.failed)
		return PARSE_COMMAND;
	*tree = NULL;
	if (src->is_terminal)
		source_drop_line(src);
	if (!src->interrupted)
		return PARSE_ERROR;
	src->interrupted = false;
	return PARSE_INTERRUPTED;
}
