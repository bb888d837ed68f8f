/*
 * provoke.c - mistakes made on purpose, to see that the debug kernel finds them.
 *
 * `ravel.panic=WHAT` on the kernel's command line, once the machine is up. scripts/test checks the
 * text of each report.
 */
#ifdef CONFIG_DEBUG

#include "kernel/provoke.h"

#include "lib/string.h"

static volatile unsigned long word = 1;
static volatile unsigned bits = 64;

static void undefined_shift(void)
{
	word = word << bits;
}

static const struct {
	const char *what;
	void (*fn)(void);
} provocations[] = {
	{ "ubsan", undefined_shift },
};

void debug_provoke(const char *what)
{
	for (unsigned i = 0; i < ARRAY_SIZE(provocations); i++) {
		if (strcmp(what, provocations[i].what) == 0)
			provocations[i].fn();
	}
}

#endif
