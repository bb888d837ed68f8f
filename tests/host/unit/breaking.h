/*
 * breaking.h - a promise is broken by hand, once, and the checkers must miss it.
 *
 *	BREAK(page->index, 7, ALL_SAYS, "words");
 */
#ifndef RAVEL_HOST_UNIT_BREAKING_H
#define RAVEL_HOST_UNIT_BREAKING_H

#include "mm/mm.h"
#include "tests/host/unit/console.h"

/* The check of all of memory finds something and says @words. */
#define ALL_SAYS(words) CHECK_PRINTS(CHECK(vm_check_all() > 0), words)

/* The statement breaks something, the checker says @words, and the value is as before again. */
#define BREAK(lvalue, value, SAYS, words)                                                          \
	do {                                                                                       \
		__typeof__(lvalue) before_ = (lvalue);                                             \
		(lvalue) = (value);                                                                \
		SAYS(words);                                                                       \
		(lvalue) = before_;                                                                \
	} while (0)

#endif
