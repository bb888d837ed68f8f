/*
 * poweroff.c - switch the machine off, with an exit status if one is given.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <linux/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "usr/lib/tool.h"

int main(int argc, char **argv)
{
	long long status = 0;

	if (argc > 2 || (argc == 2 && parse_number(argv[1], 0, 255, &status) < 0))
		usage("poweroff [status]");
	/* The fourth argument is Ravel's own: what the machine's exit status is to be. */
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF,
		(long)status);
	die_errno(STATUS_FAILED, "power off");
}
