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

static void scan_nested(struct lexer *lexer, struct strbuf *word, int c, bool quoted);

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
	else if (lexer->src->is_terminal)
		warn("syntax error: %s", message);
	else
		warn("line %d: syntax error: %s", lexer->src->line, message);
}

int lexer_next_char(struct lexer *lexer)
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
	int c = lexer_next_char(lexer);

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

/* The rest of what ends with @close, in which @open (SOURCE_EOF: nothing) may nest. */
static void scan_until(struct lexer *lexer, struct strbuf *word, int open, int close,
		       const char *what)
{
	bool quoted = close != ')';
	int depth = 1;
	int c;

	while (!lexer->failed) {
		c = lexer_next_char(lexer);
		if (c == SOURCE_EOF) {
			if (close != SOURCE_EOF)
				lexer_error(lexer, "unterminated %s (expecting %c)", what, close);
			return;
		}
		strbuf_add_char(word, c);
		if (c == close && --depth == 0)
			break;
		if (c == open)
			depth++;
		else if (c != '"' || close != SOURCE_EOF)
			scan_nested(lexer, word, c, quoted);
	}
}

/* Is @text, what follows "${", a parameter and then % or #: does a pattern follow? */
static bool is_trim(const char *text)
{
	size_t length =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	if (length == 0 && *text)
		length = 1;
	return text[length] == '%' || text[length] == '#';
}

static void scan_braces(struct lexer *lexer, struct strbuf *word, bool quoted)
{
	size_t start = word->length;
	int c;

	while (!lexer->failed) {
		bool trims = is_trim(word->text + start);

		c = lexer_next_char(lexer);
		if (c == SOURCE_EOF) {
			lexer_error(lexer, "unterminated ${ } (expecting })");
			return;
		}
		strbuf_add_char(word, c);
		if (c == '}')
			break;
		scan_nested(lexer, word, c, quoted && !trims);
	}
}

static void scan_backquotes(struct lexer *lexer, struct strbuf *word)
{
	int c;

	do {
		c = source_next(lexer->src);
		if (c == SOURCE_EOF) {
			lexer_error(lexer, "unterminated backquotes (expecting `)");
			return;
		}
		strbuf_add_char(word, c);
		if (c == '\\')
			scan_backslash(lexer, word);
	} while (c != '`');
}

/* $( ): only the parser can tell where it ends, since a pattern of case has a parenthesis too. */
static void scan_command(struct lexer *lexer, struct strbuf *word)
{
	struct source *src = lexer->src;
	struct strbuf *outer = src->record;
	struct strbuf own = strbuf_in(lexer->arena);
	size_t start;

	if (!outer)
		src->record = &own;
	start = src->record->length;
	parser_skip_list(lexer);
	strbuf_add(word, src->record->text + start, src->record->length - start);
	src->record = outer;
}

static void scan_construct(struct lexer *lexer, struct strbuf *word, enum construct construct,
			   bool quoted)
{
	if (++lexer->depth > MAX_NESTING)
		lexer_error(lexer, "nested too deeply");
	else if (construct == CONSTRUCT_QUOTES)
		scan_until(lexer, word, SOURCE_EOF, '"', "quoted string");
	else if (construct == CONSTRUCT_ARITHMETIC)
		scan_until(lexer, word, '(', ')', "$(( ))");
	else if (construct == CONSTRUCT_HERE_DOCUMENT)
		scan_until(lexer, word, SOURCE_EOF, SOURCE_EOF, "here-document");
	else if (construct == CONSTRUCT_BRACES)
		scan_braces(lexer, word, quoted);
	else if (construct == CONSTRUCT_COMMAND)
		scan_command(lexer, word);
	else
		scan_backquotes(lexer, word);
	lexer->depth--;
}

/* A dollar sign was added to @word. */
static void scan_dollar(struct lexer *lexer, struct strbuf *word, bool quoted)
{
	int c = peek_char(lexer);

	if (c != '{' && c != '(')
		return;
	strbuf_add_char(word, lexer_next_char(lexer));
	if (c == '{')
		scan_construct(lexer, word, CONSTRUCT_BRACES, quoted);
	else if (peek_char(lexer) == '(')
		scan_construct(lexer, word, CONSTRUCT_ARITHMETIC, false);
	else
		scan_construct(lexer, word, CONSTRUCT_COMMAND, false);
}

/* @c was added to @word: when it opens a construct, take the rest of that too. */
static void scan_nested(struct lexer *lexer, struct strbuf *word, int c, bool quoted)
{
	if (c == '\\')
		scan_backslash(lexer, word);
	else if (c == '\'' && !quoted)
		scan_single_quotes(lexer, word);
	else if (c == '"')
		scan_construct(lexer, word, CONSTRUCT_QUOTES, false);
	else if (c == '`')
		scan_construct(lexer, word, CONSTRUCT_BACKQUOTES, false);
	else if (c == '$')
		scan_dollar(lexer, word, quoted);
}

const char *lexer_find_close(const char *s, const char *end, enum construct construct, bool quoted)
{
	struct arena arena = { NULL };
	struct strbuf word;
	struct source src;
	struct lexer lexer = { .src = &src, .arena = &arena };
	const char *close = end;

	if (s >= end)
		return end;
	word = strbuf_in(&arena);
	source_open_string(&src, s);
	src.length = end - s;
	scan_construct(&lexer, &word, construct, quoted);
	if (!lexer.failed)
		close = s + src.next - src.nr_pushed - (construct != CONSTRUCT_HERE_DOCUMENT);
	arena_free(&arena);
	return close;
}

static struct token scan_word(struct lexer *lexer)
{
	struct strbuf word = strbuf_in(lexer->arena);
	struct token token = { .type = TOKEN_WORD };
	int c = SOURCE_EOF;

	while (!lexer->failed) {
		c = lexer_next_char(lexer);
		if (c == SOURCE_EOF || strchr(" \t\n;&|<>()", c)) {
			source_push(lexer->src, c);
			break;
		}
		strbuf_add_char(&word, c);
		scan_nested(lexer, &word, c, false);
	}
	if ((c == '<' || c == '>') && word.length && strspn(word.text, "0123456789") == word.length)
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
		{ TOKEN_CLOBBER, ">|" },
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
		lexer_next_char(lexer);
	if (op->type == TOKEN_DOUBLE_LESS && peek_char(lexer) == '-') {
		lexer_next_char(lexer);
		return (struct token){ TOKEN_DOUBLE_LESS_DASH, "<<-" };
	}
	return *op;
}

struct token lexer_next(struct lexer *lexer)
{
	int c;

	do {
		c = lexer_next_char(lexer);
	} while (c == ' ' || c == '\t');
	if (c == '#') {
		do {
			c = source_next(lexer->src);
		} while (c != '\n' && c != SOURCE_EOF);
	}
	if (c == SOURCE_EOF || lexer->failed)
		return (struct token){ TOKEN_EOF, "end of file" };
	if (c == '\n')
		heredoc_read_all(lexer);
	if (c == '\n')
		return (struct token){ TOKEN_NEWLINE, "newline" };
	if (strchr(";&|<>()", c))
		return scan_operator(lexer, c);
	source_push(lexer->src, c);
	return scan_word(lexer);
}
