/*
 * reboot.c - start the machine again; as halt, stop it. Files are written to their disks first.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/reboot.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static long command(unsigned int what)
{
	/* The fourth argument is Ravel's own: the machine's exit status. */
	return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, what, 0L);
}

int main(int argc, char **argv)
{
	bool halt = strcmp(program_invocation_short_name, "halt") == 0;

	(void)argv;
	if (argc > 1)
		usage(halt ? "halt" : "reboot");
	sync();
	/* Ravel has no state "halted": there, halt is poweroff. */
	if (command(halt ? LINUX_REBOOT_CMD_HALT : LINUX_REBOOT_CMD_RESTART) < 0 && halt)
		command(LINUX_REBOOT_CMD_POWER_OFF);
	die_errno(STATUS_FAILED, "cannot %s", program_invocation_short_name);
}
