/*
 * parser.c - recursive descent over the tokens, one token ahead.
 *
 *   line      : list NEWLINE
 *   list      : and_or { (';' | '&' | NEWLINE) and_or }         (NEWLINE only inside a compound)
 *   and_or    : pipeline { ('&&' | '||') pipeline }
 *   pipeline  : ['!'] command { '|' command }
 *   command   : compound { redirect } | { word | redirect | assignment }
 *   compound  : '(' list ')' | '{' list '}' | if | while | until | for
 *
 * A function that cannot go on calls unexpected() and returns; from then on every token is the end
 * of the file, and all callers return too.
 *
 * Invariants: parser->token is the next token, not yet used.  Locks: none.
 */
#include "usr/bin/sh/parser.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct lexer lexer;
	struct token token;
};

static struct node *parse_list(struct parser *parser, bool compound);

static void advance(struct parser *parser)
{
	parser->token = lexer_next(&parser->lexer);
	if (parser->lexer.failed)
		parser->token = (struct token){ TOKEN_EOF, "end of file" };
}

static void unexpected(struct parser *parser, const char *expected)
{
	if (expected)
		lexer_error(&parser->lexer, "unexpected %s (expecting %s)", parser->token.text,
			    expected);
	else
		lexer_error(&parser->lexer, "unexpected %s", parser->token.text);
	parser->token = (struct token){ TOKEN_EOF, "end of file" };
}

static void skip_newlines(struct parser *parser)
{
	while (parser->token.type == TOKEN_NEWLINE)
		advance(parser);
}

static bool at_keyword(const struct parser *parser, const char *keyword)
{
	return parser->token.type == TOKEN_WORD && strcmp(parser->token.text, keyword) == 0;
}

static void expect_keyword(struct parser *parser, const char *keyword)
{
	if (at_keyword(parser, keyword))
		advance(parser);
	else
		unexpected(parser, keyword);
}

/* Is the next token a word that ends a list where a command could stand? */
static bool at_closing_keyword(const struct parser *parser)
{
	static const char *const closing[] = {
		"}", "then", "elif", "else", "fi", "do", "done", "case", "esac", "in",
	};

	for (size_t i = 0; i < sizeof(closing) / sizeof(closing[0]); i++)
		if (at_keyword(parser, closing[i]))
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

static struct node *new_node(struct parser *parser, enum node_type type, struct node *left,
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
static struct word **take_word(struct parser *parser, struct word **tail)
{
	struct word *word = arena_alloc(parser->lexer.arena, sizeof(*word));

	word->text = parser->token.text;
	*tail = word;
	advance(parser);
	return &word->next;
}

static bool at_redirect(const struct parser *parser)
{
	return parser->token.type == TOKEN_IO_NUMBER || parser->token.type >= TOKEN_LESS;
}

static struct redirect **take_redirect(struct parser *parser, struct redirect **tail)
{
	struct redirect *redirect = arena_alloc(parser->lexer.arena, sizeof(*redirect));

	redirect->fd = -1;
	if (parser->token.type == TOKEN_IO_NUMBER) {
		redirect->fd = strlen(parser->token.text) < 5 ? atoi(parser->token.text) : 9999;
		advance(parser);
	}
	redirect->type = parser->token.type;
	if (redirect->type == TOKEN_DOUBLE_LESS)
		lexer_error(&parser->lexer, "here-documents are not supported");
	if (redirect->fd < 0)
		redirect->fd = redirect->type == TOKEN_LESS || redirect->type == TOKEN_LESS_AND ||
					       redirect->type == TOKEN_LESS_GREAT ?
				       0 :
				       1;
	advance(parser);
	redirect->target = parser->token.text;
	if (parser->token.type != TOKEN_WORD)
		unexpected(parser, "a file name");
	else
		advance(parser);
	*tail = redirect;
	return &redirect->next;
}

static struct node *parse_simple(struct parser *parser)
{
	struct node *node = new_node(parser, NODE_SIMPLE, NULL, NULL);
	struct redirect **redirects = &node->redirects;
	struct word **assigns = &node->assigns;
	struct word **words = &node->words;

	for (;;) {
		if (at_redirect(parser))
			redirects = take_redirect(parser, redirects);
		else if (parser->token.type != TOKEN_WORD)
			break;
		else if (!node->words && is_assignment(parser->token.text))
			assigns = take_word(parser, assigns);
		else
			words = take_word(parser, words);
	}
	if (parser->token.type == TOKEN_LEFT_PAREN)
		unexpected(parser, NULL);
	return node;
}

/* if LIST then LIST {elif LIST then LIST} [else LIST] fi, from the condition on. */
static struct node *parse_if(struct parser *parser)
{
	struct node *node = new_node(parser, NODE_IF, NULL, NULL);

	advance(parser);
	node->left = parse_list(parser, true);
	expect_keyword(parser, "then");
	node->right = parse_list(parser, true);
	if (at_keyword(parser, "elif")) {
		node->other = parse_if(parser);
		return node;
	}
	if (at_keyword(parser, "else")) {
		advance(parser);
		node->other = parse_list(parser, true);
	}
	expect_keyword(parser, "fi");
	return node;
}

static struct node *parse_body(struct parser *parser)
{
	struct node *body;

	expect_keyword(parser, "do");
	body = parse_list(parser, true);
	expect_keyword(parser, "done");
	return body;
}

static struct node *parse_while(struct parser *parser, enum node_type type)
{
	struct node *node = new_node(parser, type, NULL, NULL);

	advance(parser);
	node->left = parse_list(parser, true);
	node->right = parse_body(parser);
	return node;
}

static struct node *parse_for(struct parser *parser)
{
	struct node *node = new_node(parser, NODE_FOR, NULL, NULL);
	struct word **tail = &node->words;

	advance(parser);
	node->name = parser->token.text;
	if (parser->token.type != TOKEN_WORD || name_length(node->name) == 0 ||
	    node->name[name_length(node->name)]) {
		unexpected(parser, "a variable's name");
		return node;
	}
	advance(parser);
	skip_newlines(parser);
	node->over_arguments = !at_keyword(parser, "in");
	if (!node->over_arguments) {
		advance(parser);
		while (parser->token.type == TOKEN_WORD)
			tail = take_word(parser, tail);
	}
	if (parser->token.type == TOKEN_SEMICOLON)
		advance(parser);
	skip_newlines(parser);
	node->right = parse_body(parser);
	return node;
}

static struct node *parse_enclosed(struct parser *parser, enum node_type type)
{
	struct node *node = new_node(parser, type, NULL, NULL);

	advance(parser);
	node->left = parse_list(parser, true);
	if (type == NODE_GROUP)
		expect_keyword(parser, "}");
	else if (parser->token.type == TOKEN_RIGHT_PAREN)
		advance(parser);
	else
		unexpected(parser, ")");
	return node;
}

/* A compound command without its redirections, or NULL when the next token starts none. */
static struct node *parse_compound(struct parser *parser)
{
	if (parser->token.type == TOKEN_LEFT_PAREN)
		return parse_enclosed(parser, NODE_SUBSHELL);
	if (at_keyword(parser, "{"))
		return parse_enclosed(parser, NODE_GROUP);
	if (at_keyword(parser, "if"))
		return parse_if(parser);
	if (at_keyword(parser, "while"))
		return parse_while(parser, NODE_WHILE);
	if (at_keyword(parser, "until"))
		return parse_while(parser, NODE_UNTIL);
	if (at_keyword(parser, "for"))
		return parse_for(parser);
	return NULL;
}

static struct node *parse_one(struct parser *parser)
{
	struct redirect **tail;
	struct node *node;

	if (!at_command(parser)) {
		unexpected(parser, "a command");
		return NULL;
	}
	if (++parser->lexer.depth > MAX_NESTING)
		unexpected(parser, "less deep nesting");
	node = parse_compound(parser);
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
	bool negated = at_keyword(parser, "!");
	struct node *first;
	struct node **last = &first;

	if (negated)
		advance(parser);
	*last = parse_one(parser);
	while (parser->token.type == TOKEN_PIPE) {
		advance(parser);
		skip_newlines(parser);
		*last = new_node(parser, NODE_PIPE, *last, NULL);
		last = &(*last)->right;
		*last = parse_one(parser);
	}
	return negated ? new_node(parser, NODE_NOT, first, NULL) : first;
}

static struct node *parse_and_or(struct parser *parser)
{
	struct node *first = parse_pipeline(parser);
	struct node **last = &first;

	while (parser->token.type == TOKEN_AND || parser->token.type == TOKEN_OR) {
		enum node_type type = parser->token.type == TOKEN_AND ? NODE_AND : NODE_OR;

		advance(parser);
		skip_newlines(parser);
		*last = new_node(parser, type, *last, NULL);
		last = &(*last)->right;
		*last = parse_pipeline(parser);
	}
	return first;
}

static struct node *parse_list(struct parser *parser, bool compound)
{
	struct node *first = NULL;
	struct node **last = &first;

	if (compound)
		skip_newlines(parser);
	do {
		struct node *node = parse_and_or(parser);
		enum token_type separator = parser->token.type;

		if (separator == TOKEN_AMPERSAND)
			node = new_node(parser, NODE_BACKGROUND, node, NULL);
		if (first) {
			*last = new_node(parser, NODE_SEQUENCE, *last, node);
			last = &(*last)->right;
		} else {
			first = node;
		}
		if (separator == TOKEN_SEMICOLON || separator == TOKEN_AMPERSAND)
			advance(parser);
		else if (separator != TOKEN_NEWLINE || !compound)
			break;
		if (compound)
			skip_newlines(parser);
	} while (at_command(parser));
	return first;
}

enum parse_result parse_command(struct source *src, struct arena *arena, struct node **tree)
{
	struct parser parser = { .lexer = { .src = src, .arena = arena } };

	*tree = NULL;
	src->continued = false;
	advance(&parser);
	if (parser.token.type != TOKEN_EOF && parser.token.type != TOKEN_NEWLINE) {
		*tree = parse_list(&parser, false);
		if (parser.token.type != TOKEN_NEWLINE && parser.token.type != TOKEN_EOF)
			unexpected(&parser, NULL);
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
