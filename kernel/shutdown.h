/*
 * shutdown.h - the debug kernel's way to power-off: everything is taken down, and counted.
 */
#ifndef RAVEL_KERNEL_SHUTDOWN_H
#define RAVEL_KERNEL_SHUTDOWN_H

#include "lib/types.h"

#ifdef CONFIG_DEBUG

/*
 * Ends every process, the caller's and init among them, unmounts every file system, reports what is
 * left in use, and reboots or powers off with exit status @status. True: that is under way, and the
 * caller, too, has been killed; false: there is no memory for it.
 */
bool debug_shutdown(bool reboot, int status);

#else

static inline bool debug_shutdown(bool reboot __maybe_unused, int status __maybe_unused)
{
	return false;
}

#endif
#endif
