/*
 * uname.c - what the kernel calls itself.
 *
 * Invariants: the fields come in one order, whatever the order of the options.  Locks: none.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "usr/lib/tool.h"

int main(int argc, char **argv)
{
	static const char letters[] = "snrvm";
	struct utsname names;
	const char *fields[] = {
		names.sysname, names.nodename, names.release, names.version, names.machine,
	};
	const char *separator = "";
	unsigned int wanted = 0;
	int option;

	while ((option = getopt(argc, argv, "asnrvm")) != -1) {
		if (option == '?')
			usage("uname [-asnrvm]");
		wanted |= option == 'a' ? 31 : 1u << (strchr(letters, option) - letters);
	}
	if (optind < argc)
		usage("uname [-asnrvm]");
	if (uname(&names) < 0)
		die_errno(STATUS_FAILED, "uname");
	for (int i = 0; i < 5; i++) {
		if (!((wanted ? wanted : 1) & 1u << i))
			continue;
		printf("%s%s", separator, fields[i]);
		separator = " ";
	}
	putchar('\n');
	return close_stdout(0);
}
