/*
 * console.h - what the kernel prints while a test runs something.
 */
#ifndef RAVEL_HOST_UNIT_CONSOLE_H
#define RAVEL_HOST_UNIT_CONSOLE_H

#include <stdlib.h>

#include "tests/host/test.h"

static inline void console_start(char **text)
{
	static size_t size;

	host_console = open_memstream(text, &size);
	CHECK(host_console != NULL);
}

static inline void console_end(void)
{
	fclose(host_console);
	host_console = NULL;
}

/* The statement prints something that contains @words. */
#define CHECK_PRINTS(statement, words)                                                             \
	do {                                                                                       \
		char *text_;                                                                       \
		console_start(&text_);                                                             \
		statement;                                                                         \
		console_end();                                                                     \
		if (!__builtin_strstr(text_, words))                                               \
			host_test_fail(__FILE__, __LINE__,                                         \
				       "expected \"%s\" on the console, "                          \
				       "got \"%s\"",                                               \
				       words, text_);                                              \
		free(text_);                                                                       \
	} while (0)

#endif
