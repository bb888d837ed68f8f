/*
 * getopts.c - the options of a script or a function, one at each call.
 *
 * Invariants: `place` is the character inside the word OPTIND - 1 that comes next; 0 or 1: at a
 * word's start.  Locks: none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

static size_t place;
static int last_index = 1;

static int finish(int index, const char *name, const char *value)
{
	char number[24];

	last_index = index;
	sprintf(number, "%d", index);
	var_set("OPTIND", number);
	var_set(name, value);
	return 0;
}

/* The option @letter is unknown (@what "?") or lacks its argument (":"). */
static int complain(int index, const char *name, char letter, bool silent, const char *what)
{
	char text[2] = { letter, '\0' };

	if (silent) {
		var_set("OPTARG", text);
		return finish(index, name, what);
	}
	var_unset("OPTARG");
	if (*what == '?')
		warn("Illegal option -%c", letter);
	else
		warn("No arg for -%c option", letter);
	return finish(index, name, "?");
}

static int end_of_options(int index, const char *name)
{
	place = 0;
	var_unset("OPTARG");
	finish(index, name, "?");
	return 1;
}

int builtin_getopts(int argc, char **argv)
{
	char **words = argc > 3 ? argv + 3 : params.args;
	int count = argc > 3 ? argc - 3 : params.count;
	const char *given = var_get("OPTIND");
	int index = given ? atoi(given) : 1;
	const char *known;
	char letter[2] = "";
	char *word;
	bool silent;

	if (argc < 3 || !name_length(argv[2]) || argv[2][name_length(argv[2])]) {
		warn("getopts: usage: getopts options name [argument...]");
		return 2;
	}
	silent = argv[1][0] == ':';
	if (index != last_index || index < 1)
		place = 0;
	if (index < 1)
		index = 1;
	word = index <= count ? words[index - 1] : NULL;
	if (!word || (place && place >= strlen(word)) || (!place && (*word != '-' || !word[1])))
		return end_of_options(index, argv[2]);
	if (!place && strcmp(word, "--") == 0)
		return end_of_options(index + 1, argv[2]);
	if (!place)
		place = 1;
	letter[0] = word[place++];
	known = *letter == ':' ? NULL : strchr(argv[1], *letter);
	if (!word[place]) {
		place = 0;
		index++;
	}
	if (!known)
		return complain(index, argv[2], *letter, silent, "?");
	if (known[1] != ':') {
		var_unset("OPTARG");
		return finish(index, argv[2], letter);
	}
	if (place) {
		var_set("OPTARG", word + place);
		index++;
	} else if (index <= count) {
		var_set("OPTARG", words[index++ - 1]);
	} else {
		return complain(index, argv[2], *letter, silent, ":");
	}
	place = 0;
	return finish(index, argv[2], letter);
}
