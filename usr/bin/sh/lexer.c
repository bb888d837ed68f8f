/*
 * lexer.c - characters to tokens; see lexer.h.
 *
 * The scan_ functions each take one construct whole into the word: '...' "..." $(...) ${...} \c,
 * one inside the other as deep as they come.
 *
 * Invariants: each scan_ function is entered after its opening character and ends after its
 * closing one, or with an error.  Locks: none.
 */
#include "usr/bin/sh/lexer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "usr/lib/tool.h"

static void scan_nested(struct lexer *lexer, struct strbuf *word, int c);

void lexer_error(struct lexer *lexer, const char *format, ...)
{
	char message[256];
	va_list args;

	if (lexer->failed)
		return;
	lexer->failed = true;
	if (lexer->src->interrupted)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (lexer->src->name)
		warn("%s: line %d: syntax error: %s", lexer->src->name, lexer->src->line, message);
	else
		warn("syntax error: %s", message);
}

/* The next character with every backslash-newline removed. */
static int next_char(struct lexer *lexer)
{
	for (;;) {
		int c = source_next(lexer->src);
		int following;

		if (c != '\\')
			return c;
		following = source_next(lexer->src);
		if (following != '\n') {
			source_push(lexer->src, following);
			return c;
		}
	}
}

static int peek_char(struct lexer *lexer)
{
	int c = next_char(lexer);

	source_push(lexer->src, c);
	return c;
}

static void scan_single_quotes(struct lexer *lexer, struct strbuf *word)
{
	int c;

	while ((c = source_next(lexer->src)) != '\'') {
		if (c == SOURCE_EOF) {
			lexer_error(lexer, "unterminated quoted string (expecting ')");
			return;
		}
		strbuf_add_char(word, c);
	}
	strbuf_add_char(word, c);
}

static void scan_backslash(struct lexer *lexer, struct strbuf *word)
{
	int c = source_next(lexer->src);

	if (c != SOURCE_EOF)
		strbuf_add_char(word, c);
}

/* The rest of a construct that ends with @close; @what names it in messages. */
static void scan_until(struct lexer *lexer, struct strbuf *word, int open, int close,
		       const char *what)
{
	int depth = 1;
	int c;

	if (++lexer->depth > MAX_NESTING)
		lexer_error(lexer, "nested too deeply");
	while (!lexer->failed) {
		c = next_char(lexer);
		if (c == SOURCE_EOF) {
			lexer_error(lexer, "unterminated %s (expecting %c)", what, close);
			return;
		}
		strbuf_add_char(word, c);
		if (c == close && --depth == 0)
			break;
		if (c == open)
			depth++;
		else if (close == '"' && c == '\'')
			continue; /* an ordinary character between double quotes */
		else
			scan_nested(lexer, word, c);
	}
	lexer->depth--;
}

/* @c was added to @word: when it opens a construct, take the rest of that too. */
static void scan_nested(struct lexer *lexer, struct strbuf *word, int c)
{
	switch (c) {
	case '\\':
		scan_backslash(lexer, word);
		break;
	case '\'':
		scan_single_quotes(lexer, word);
		break;
	case '"':
		scan_until(lexer, word, SOURCE_EOF, '"', "quoted string");
		break;
	case '`':
		lexer_error(lexer, "backquotes are not supported: write $(command)");
		break;
	case '$':
		c = peek_char(lexer);
		if (c == '{' || c == '(') {
			strbuf_add_char(word, next_char(lexer));
			if (c == '{')
				scan_until(lexer, word, SOURCE_EOF, '}', "${ }");
			else
				scan_until(lexer, word, '(', ')', "$( )");
		}
		break;
	}
}

static struct token scan_word(struct lexer *lexer)
{
	struct strbuf word = strbuf_in(lexer->arena);
	struct token token = { .type = TOKEN_WORD };
	int c = SOURCE_EOF;

	while (!lexer->failed) {
		c = next_char(lexer);
		if (c == SOURCE_EOF || strchr(" \t\n;&|<>()", c)) {
			source_push(lexer->src, c);
			break;
		}
		strbuf_add_char(&word, c);
		scan_nested(lexer, &word, c);
	}
	if ((c == '<' || c == '>') && strspn(word.text, "0123456789") == word.length)
		token.type = TOKEN_IO_NUMBER;
	if (lexer->failed)
		token.type = TOKEN_EOF;
	token.text = word.text;
	return token;
}

/* An operator of one character, or of two: the longest that is one. */
static struct token scan_operator(struct lexer *lexer, int c)
{
	static const struct token operators[] = {
		{ TOKEN_DOUBLE_SEMICOLON, ";;" },
		{ TOKEN_AND, "&&" },
		{ TOKEN_OR, "||" },
		{ TOKEN_DOUBLE_GREAT, ">>" },
		{ TOKEN_DOUBLE_LESS, "<<" },
		{ TOKEN_LESS_GREAT, "<>" },
		{ TOKEN_LESS_AND, "<&" },
		{ TOKEN_GREAT_AND, ">&" },
		{ TOKEN_SEMICOLON, ";" },
		{ TOKEN_AMPERSAND, "&" },
		{ TOKEN_PIPE, "|" },
		{ TOKEN_LEFT_PAREN, "(" },
		{ TOKEN_RIGHT_PAREN, ")" },
		{ TOKEN_LESS, "<" },
		{ TOKEN_GREAT, ">" },
	};
	int following = peek_char(lexer);
	const struct token *op = operators;

	while (op->text[0] != c || (op->text[1] && op->text[1] != following))
		op++;
	if (op->text[1])
		next_char(lexer);
	return *op;
}

struct token lexer_next(struct lexer *lexer)
{
	int c;

	do {
		c = next_char(lexer);
	} while (c == ' ' || c == '\t');
	if (c == '#') {
		do {
			c = source_next(lexer->src);
		} while (c != '\n' && c != SOURCE_EOF);
	}
	if (c == SOURCE_EOF || lexer->failed)
		return (struct token){ TOKEN_EOF, "end of file" };
	if (c == '\n')
		return (struct token){ TOKEN_NEWLINE, "newline" };
	if (strchr(";&|<>()", c))
		return scan_operator(lexer, c);
	source_push(lexer->src, c);
	return scan_word(lexer);
}
