/*
 * lexer.h - characters to tokens.
 *
 * A word token keeps its text as written, quotes and all: `a"$b c"\*` is one word, nine bytes long.
 * The lexer only finds where it ends; expand.c gives it its meaning when it is used.
 *
 * Invariants: after an error (which is printed once) every token is TOKEN_EOF, so that the parser
 * unwinds by itself.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_LEXER_H
#define RAVEL_USR_BIN_SH_LEXER_H

#include <stdbool.h>

#include "usr/bin/sh/memory.h"
#include "usr/bin/sh/source.h"

enum token_type {
	TOKEN_EOF,
	TOKEN_NEWLINE,
	TOKEN_WORD,
	TOKEN_IO_NUMBER, /* the 2 of 2>file */
	TOKEN_SEMICOLON,
	TOKEN_DOUBLE_SEMICOLON,
	TOKEN_AMPERSAND,
	TOKEN_AND,
	TOKEN_PIPE,
	TOKEN_OR,
	TOKEN_LEFT_PAREN,
	TOKEN_RIGHT_PAREN,
	TOKEN_LESS,
	TOKEN_GREAT,
	TOKEN_DOUBLE_GREAT,
	TOKEN_DOUBLE_LESS,
	TOKEN_DOUBLE_LESS_DASH,
	TOKEN_LESS_GREAT,
	TOKEN_LESS_AND,
	TOKEN_GREAT_AND,
	TOKEN_CLOBBER,
};

struct token {
	enum token_type type;
	const char *text; /* words, numbers and operators as written */
};

/* Deeper nesting is refused: the functions that read and evaluate it recurse. */
#define MAX_NESTING 1000

struct redirect;

struct lexer {
	struct source *src;
	struct arena *arena; /* holds the tokens' text */
	int depth;	     /* of constructs inside words and of compound commands */
	bool failed;
	struct redirect *heredocs; /* their bodies begin after the next newline */
};

/* The next token. Blanks, comments and continued lines are skipped. */
struct token lexer_next(struct lexer *lexer);

/* The next character with every backslash-newline removed. */
int lexer_next_char(struct lexer *lexer);

/* Constructs inside words that have a closing character. */
enum construct {
	CONSTRUCT_QUOTES,     /* "..." */
	CONSTRUCT_BRACES,     /* ${...} */
	CONSTRUCT_COMMAND,    /* $(...) */
	CONSTRUCT_ARITHMETIC, /* $((...)): what follows the first parenthesis, up to its partner */
	CONSTRUCT_BACKQUOTES, /* `...` */
	CONSTRUCT_HERE_DOCUMENT, /* a whole body */
};

/*
 * The closing character of the @construct whose inside starts at @s; @end, after a message, when
 * there is none before that. @quoted: it is itself between double quotes.
 */
const char *lexer_find_close(const char *s, const char *end, enum construct construct, bool quoted);

/* heredoc.c: read the bodies of all here-documents that wait for theirs. */
void heredoc_read_all(struct lexer *lexer);

/* parser.c: read the list of commands inside $( ) and the parenthesis that ends it. */
void parser_skip_list(struct lexer *lexer);

/* Print "sh: [name: line N: ]syntax error: message" unless an error was printed before. */
void lexer_error(struct lexer *lexer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
