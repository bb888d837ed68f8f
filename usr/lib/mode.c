/*
 * mode.c - file modes as people write them; the contracts are in mode.h.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#include "usr/lib/mode.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void format_mode(mode_t mode, char *out)
{
	static const char types[] = "?pc?d?b?-?l?s???";

	out[0] = types[(mode & S_IFMT) >> 12];
	for (int i = 0; i < 9; i++)
		out[1 + i] = mode & (0400 >> i) ? "rwx"[i % 3] : '-';
	if (mode & S_ISUID)
		out[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		out[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		out[9] = mode & S_IXOTH ? 't' : 'T';
	out[10] = '\0';
}

/* The "who" of a clause: the bits that it may change; 0 when none is named. */
static mode_t parse_who(const char **text)
{
	mode_t who = 0;

	for (;; (*text)++) {
		switch (**text) {
		case 'u':
			who |= S_ISUID | 0700;
			break;
		case 'g':
			who |= S_ISGID | 0070;
			break;
		case 'o':
			who |= S_ISVTX | 0007;
			break;
		case 'a':
			who |= 07777;
			break;
		default:
			return who;
		}
	}
}

/* The permissions after the operator, for everybody. */
static mode_t parse_permissions(const char **text, mode_t mode)
{
	mode_t bits = 0;

	if (**text == 'u' || **text == 'g' || **text == 'o') {
		int shift = **text == 'u' ? 6 : **text == 'g' ? 3 : 0;

		(*text)++;
		return ((mode >> shift) & 7) * 0111;
	}
	for (;; (*text)++) {
		switch (**text) {
		case 'r':
			bits |= 0444;
			break;
		case 'w':
			bits |= 0222;
			break;
		case 'x':
			bits |= 0111;
			break;
		case 'X':
			bits |= S_ISDIR(mode) || mode & 0111 ? 0111 : 0;
			break;
		case 's':
			bits |= S_ISUID | S_ISGID;
			break;
		case 't':
			bits |= S_ISVTX;
			break;
		default:
			return bits;
		}
	}
}

/* One clause, up to a comma or the end. Returns false when it is not one. */
static bool apply_clause(const char **text, mode_t *mode, mode_t mask)
{
	mode_t who = parse_who(text);
	mode_t reach = who ? who : 07777 & ~mask;

	if (!**text || !strchr("+-=", **text))
		return false;
	while (**text && strchr("+-=", **text)) {
		char action = *(*text)++;
		mode_t bits = parse_permissions(text, *mode) & reach;

		if (action == '=')
			*mode &= ~((who ? who : 07777) & (S_ISDIR(*mode) ? ~06000U : ~0U));
		if (action == '-')
			*mode &= ~bits;
		else
			*mode |= bits;
	}
	return **text == ',' || !**text;
}

int parse_mode(const char *text, mode_t old, mode_t mask)
{
	mode_t mode = old;

	if (*text >= '0' && *text <= '7') {
		char *end;
		long octal = strtol(text, &end, 8);

		return *end || octal > 07777 ? -1 : (int)octal;
	}
	do {
		if (!apply_clause(&text, &mode, mask))
			return -1;
	} while (*text++ == ',');
	return mode & 07777;
}

mode_t current_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}
