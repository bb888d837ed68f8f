/*
 * prompt.c - PS1 and PS2; see prompt.h.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/bin/sh/prompt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/sh/vars.h"

static void add_text(struct strbuf *prompt, const char *text)
{
	strbuf_add(prompt, text, strlen(text));
}

static void add_directory(struct strbuf *prompt, bool last_part)
{
	const char *directory = var_get("PWD");
	const char *home = var_get("HOME");
	size_t length = home ? strlen(home) : 0;
	const char *slash;

	if (!directory)
		directory = "?";
	if (length > 1 && strncmp(directory, home, length) == 0 &&
	    (directory[length] == '/' || !directory[length])) {
		if (!last_part || !directory[length])
			strbuf_add_char(prompt, '~');
		directory += length;
	}
	slash = strrchr(directory, '/');
	add_text(prompt, last_part && slash && slash[1] ? slash + 1 : directory);
}

static void add_user(struct strbuf *prompt)
{
	const char *user = var_get("USER");
	char number[16];

	if (!user && geteuid() != 0) {
		snprintf(number, sizeof(number), "%u", (unsigned int)geteuid());
		user = number;
	}
	add_text(prompt, user ? user : "root");
}

static void add_host(struct strbuf *prompt)
{
	char name[65] = "";

	gethostname(name, sizeof(name) - 1);
	strbuf_add(prompt, name, strcspn(name, "."));
}

char *prompt_text(struct arena *arena, bool continued)
{
	struct strbuf prompt = strbuf_in(arena);
	const char *from = var_get(continued ? "PS2" : "PS1");

	if (!from)
		from = continued ? "> " : "ravel# ";
	for (; *from; from++) {
		if (*from != '\\' || !from[1]) {
			strbuf_add_char(&prompt, *from);
			continue;
		}
		switch (*++from) {
		case 'w':
		case 'W':
			add_directory(&prompt, *from == 'W');
			break;
		case 'u':
			add_user(&prompt);
			break;
		case 'h':
			add_host(&prompt);
			break;
		case '$':
			strbuf_add_char(&prompt, geteuid() == 0 ? '#' : '$');
			break;
		case 'n':
			strbuf_add_char(&prompt, '\n');
			break;
		case 'e':
			strbuf_add_char(&prompt, '\033');
			break;
		case '[':
		case ']':
			break;
		default:
			strbuf_add_char(&prompt, *from);
		}
	}
	return prompt.text;
}
