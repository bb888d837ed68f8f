/*
 * poll.h - what ppoll (fs/poll.c) and pselect (fs/select.c) share.
 */
#ifndef RAVEL_FS_POLL_H
#define RAVEL_FS_POLL_H

#include "fs/abi.h"
#include "kernel/time.h"

/*
 * Fills revents of @nr descriptions. The number of files that are ready; 0 at @deadline (monotonic
 * ns; 0: at once); -ERESTARTNOHAND or -ENOMEM. @always: bits that are told even unasked. POLLNVAL:
 * no file.
 */
int poll_files(struct pollfd_abi *fds, unsigned nr, u64 deadline, unsigned always);

/* A call's time and signal mask. */
struct poll_call {
	u64 deadline;		  /* ns; 0: does not wait; ~0: for ever */
	struct timespec64 *uspan; /* where the user wants to know what is left, or NULL */
	bool masked;		  /* signals are blocked otherwise meanwhile; `blocked`: before */
	u64 blocked;
};

/*
 * Reads the user's span and mask (either may be NULL), and blocks signals accordingly. -EFAULT,
 * -EINVAL: nothing has changed. poll_finish() undoes it, by the delivery of a signal if @ret is
 * -ERESTARTNOHAND.
 */
int poll_start(struct poll_call *call, struct timespec64 *uspan, const u64 *umask, size_t masksize);
void poll_finish(const struct poll_call *call, int ret);

#endif
