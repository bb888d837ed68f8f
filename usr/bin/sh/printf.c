/*
 * printf.c - printf: a format, used again until the arguments are used up.
 *
 * Invariants: a missing argument is "" or 0; a bad number is reported, and makes the status 1.
 * Locks: none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/memory.h"
#include "usr/lib/tool.h"

struct output {
	char **next;  /* the arguments that are left */
	bool stopped; /* \c was met */
	int status;
};

/* One escape after a backslash at @s; returns the place after it. @percent_b: as in %b, \0NNN. */
static const char *put_escape(struct output *out, const char *s, bool percent_b)
{
	static const char letters[] = "abfnrtv\\";
	static const char values[] = "\a\b\f\n\r\t\v\\";
	const char *letter = *s ? strchr(letters, *s) : NULL;
	int value = 0;

	if (letter) {
		putchar(values[letter - letters]);
		return s + 1;
	}
	if (*s == 'c' && percent_b) {
		out->stopped = true;
		return s + 1;
	}
	if (*s >= '0' && *s <= '7') {
		int digits = percent_b && *s == '0' ? 4 : 3;

		while (digits-- > 0 && *s >= '0' && *s <= '7')
			value = value * 8 + *s++ - '0';
		putchar(value & 255);
		return s;
	}
	putchar('\\');
	return s;
}

static const char *next_word(struct output *out)
{
	return *out->next ? *out->next++ : "";
}

static long long next_number(struct output *out)
{
	const char *word = next_word(out);
	long long value;
	char *end;

	if (*word == '\'' || *word == '"')
		return (unsigned char)word[1];
	errno = 0;
	value = strtoll(word, &end, 0);
	if (errno == ERANGE && *word != '-') {
		errno = 0;
		value = (long long)strtoull(word, &end, 0);
	}
	if (*end || errno || (*word && end == word)) {
		warn("printf: %s: %s", word, errno ? strerror(errno) : "bad number");
		out->status = 1;
	}
	return value;
}

static void put_b(struct output *out, const char *text)
{
	while (*text && !out->stopped) {
		if (*text == '\\')
			text = put_escape(out, text + 1, true);
		else
			putchar(*text++);
	}
}

/* A width or precision at @s, or a * for an argument, added to @spec. Returns the place after. */
static const char *copy_width(struct output *out, struct strbuf *spec, const char *s)
{
	char number[24];

	if (*s == '*') {
		sprintf(number, "%d", (int)next_number(out));
		strbuf_add(spec, number, strlen(number));
		return s + 1;
	}
	while (*s >= '0' && *s <= '9')
		strbuf_add_char(spec, *s++);
	return s;
}

/* The conversion after a % at @s; returns the place after it, or NULL after a message. */
static const char *convert(struct output *out, const char *s)
{
	struct arena arena = { NULL };
	struct strbuf spec = strbuf_in(&arena);
	const char *start = s;

	strbuf_add_char(&spec, '%');
	while (*s && strchr("-+ #0", *s))
		strbuf_add_char(&spec, *s++);
	s = copy_width(out, &spec, s);
	if (*s == '.') {
		strbuf_add_char(&spec, *s);
		s = copy_width(out, &spec, s + 1);
	}
	if (*s && strchr("diouxX", *s)) {
		strbuf_add(&spec, "ll", 2);
		strbuf_add_char(&spec, *s);
		printf(spec.text, next_number(out));
	} else if (*s == 's') {
		strbuf_add_char(&spec, *s);
		printf(spec.text, next_word(out));
	} else if (*s == 'c') {
		strbuf_add(&spec, "s", 1);
		printf(spec.text, (char[]){ *next_word(out), '\0' });
	} else if (*s == 'b') {
		put_b(out, next_word(out));
	} else {
		warn("printf: %%%s: bad conversion", start);
		s = NULL;
	}
	arena_free(&arena);
	return s ? s + 1 : NULL;
}

int builtin_printf(int argc, char **argv)
{
	int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
	struct output out = { .next = argv + first + 1 };
	char **before;

	if (first >= argc) {
		warn("printf: usage: printf format [argument...]");
		return 2;
	}
	do {
		before = out.next;
		for (const char *s = argv[first]; *s && !out.stopped;) {
			if (*s == '%' && s[1] != '%') {
				s = convert(&out, s + 1);
				if (!s)
					return 1;
			} else if (*s == '\\') {
				s = put_escape(&out, s + 1, false);
			} else {
				s += *s == '%';
				putchar(*s++);
			}
		}
	} while (*out.next && out.next != before && !out.stopped);
	return out.status;
}
