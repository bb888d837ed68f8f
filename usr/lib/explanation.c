/*
 * explanation.c - asking the kernel about an address; the contracts are in explanation.h.
 *
 * Invariants: nothing here keeps state but the buffers of entry_bits() and answer_rows().
 * Locks: none.
 */
#define _GNU_SOURCE
#include "usr/lib/explanation.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int ask_address(const char *pid, unsigned long addr, struct answer *answer)
{
	char path[64], number[24];
	size_t used = 0;
	ssize_t n;
	int fd, length;

	answer->text[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%s/explain", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	length = snprintf(number, sizeof(number), "0x%lx", addr);
	n = write(fd, number, length);
	while (n > 0 && used < ANSWER_SIZE - 1) {
		n = read(fd, answer->text + used, ANSWER_SIZE - 1 - used);
		if (n > 0)
			used += n;
	}
	answer->text[used] = '\0';
	if (n < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	close(fd);
	return 0;
}

bool answer_next(const struct answer *answer, const char **at, const char *key, char *value,
		 size_t size)
{
	const char *line = *at ? *at : answer->text;
	size_t length = strlen(key);

	while (*line) {
		const char *end = strchrnul(line, '\n');
		const char *next = *end ? end + 1 : end;

		if (strncmp(line, key, length) == 0 && line[length] == ' ') {
			snprintf(value, size, "%.*s", (int)(end - line - length - 1),
				 line + length + 1);
			*at = next;
			return true;
		}
		line = next;
	}
	return false;
}

bool answer_value(const struct answer *answer, const char *key, char *value, size_t size)
{
	const char *at = NULL;

	return answer_next(answer, &at, key, value, size);
}

bool answer_number(const struct answer *answer, const char *key, unsigned long *value)
{
	char text[128], *end;

	if (!answer_value(answer, key, text, sizeof(text)))
		return false;
	*value = strtoul(text, &end, 0);
	return end != text;
}

bool answer_entry(const struct answer *answer, int level, struct answer_entry *entry)
{
	char key[8], text[128];

	snprintf(key, sizeof(key), "pte%d", level);
	return answer_value(answer, key, text, sizeof(text)) &&
	       sscanf(text, "%lu %lx %lx", &entry->index, &entry->at, &entry->value) == 3;
}

const char *answer_rows(const struct answer *answer, const char *kind)
{
	static char rows[256];
	char value[256], *save, *word;
	size_t length;

	rows[0] = '\0';
	if (!answer_value(answer, kind, value, sizeof(value)))
		return rows;
	/* The result has a colon of its own; the rows have one before their counter. */
	word = strtok_r(value, " ", &save);
	length = snprintf(rows, sizeof(rows), "%s", word);
	while ((word = strtok_r(NULL, " ", &save)) != NULL)
		length += snprintf(rows + length, sizeof(rows) - length, " %.*s",
				   (int)strcspn(word, ":"), word);
	return rows;
}

const char *entry_bits(unsigned long value)
{
	static char text[sizeof(ENTRY_BITS_TITLE) + 1];
	char *out = text;

	/* RSW is two bits in one column, three wide. */
	out += sprintf(out, " %lu%lu", value >> 9 & 1, value >> 8 & 1);
	for (int bit = 7; bit >= 0; bit--)
		out += sprintf(out, " %lu", value >> bit & 1);
	return text;
}

int parse_address(const char *text, unsigned long *addr)
{
	char *end;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	if (!isxdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	*addr = strtoul(text, &end, 16);
	return *end || errno ? -1 : 0;
}
