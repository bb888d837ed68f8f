/*
 * select.c - pselect6(2): poll, spoken in sets of bits.
 *
 *	three sets of nfds bits -> one pollfd for each descriptor in any of them -> poll_files()
 *	-> three sets again
 *
 * Locks: none.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "fs/poll.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/slab.h"

#define NR_SETS	  3
#define MAX_FDS	  4096 /* no table is larger */
#define SET_LONGS (MAX_FDS / BITS_PER_LONG)

/* What a descriptor in each of the sets waits for. */
static const u16 set_events[NR_SETS] = {
	POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
	POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
	POLLPRI,
};

struct select {
	unsigned long sets[NR_SETS][SET_LONGS];
	unsigned nr; /* descriptors that are in a set */
	struct pollfd_abi fds[];
};

/* Bytes of a set of @nfds bits. */
static size_t set_bytes(unsigned nfds)
{
	return ALIGN_UP(nfds, BITS_PER_LONG) / 8;
}

static int get_sets(struct select *sel, unsigned nfds, unsigned long *const usets[NR_SETS])
{
	for (unsigned i = 0; i < NR_SETS; i++) {
		if (usets[i] && copy_from_user(sel->sets[i], usets[i], set_bytes(nfds)))
			return -EFAULT;
		for (unsigned fd = nfds; fd % BITS_PER_LONG; fd++)
			clear_bit(fd, sel->sets[i]);
	}
	for (unsigned fd = 0; fd < nfds; fd++) {
		u16 events = 0;

		for (unsigned i = 0; i < NR_SETS; i++) {
			if (test_bit(fd, sel->sets[i]))
				events |= set_events[i];
		}
		if (events)
			sel->fds[sel->nr++] = (struct pollfd_abi){ .fd = fd, .events = events };
	}
	return 0;
}

/* Leaves in the sets what is ready; the number of bits, or -EBADF: one was no descriptor. */
static int find_ready(struct select *sel)
{
	int ready = 0;

	for (unsigned n = 0; n < sel->nr; n++) {
		const struct pollfd_abi *pfd = &sel->fds[n];

		if (pfd->revents & POLLNVAL)
			return -EBADF;
		for (unsigned i = 0; i < NR_SETS; i++) {
			if (!test_bit(pfd->fd, sel->sets[i]))
				continue;
			if (pfd->revents & set_events[i])
				ready++;
			else
				clear_bit(pfd->fd, sel->sets[i]);
		}
	}
	return ready;
}

static int do_select(struct select *sel, unsigned nfds, unsigned long *const usets[NR_SETS],
		     u64 deadline)
{
	int ret = get_sets(sel, nfds, usets);

	if (!ret)
		ret = poll_files(sel->fds, sel->nr, deadline, POLLNVAL);
	if (ret >= 0)
		ret = find_ready(sel);
	for (unsigned i = 0; i < NR_SETS && ret >= 0; i++) {
		if (usets[i] && copy_to_user(usets[i], sel->sets[i], set_bytes(nfds)))
			ret = -EFAULT;
	}
	return ret;
}

/* The last argument of pselect6, as six registers do not hold seven. */
struct sigmask_arg {
	const u64 *mask;
	size_t size;
};

SYSCALL_DEFINE6(pselect6, int, nfds, unsigned long *, uread, unsigned long *, uwrite,
		unsigned long *, uexcept, struct timespec64 *, uspan, const struct sigmask_arg *,
		uarg)
{
	unsigned long *const usets[NR_SETS] = { uread, uwrite, uexcept };
	struct sigmask_arg arg = { NULL, 0 };
	struct poll_call call;
	struct select *sel;
	int ret;

	if (nfds < 0)
		return -EINVAL;
	nfds = min(nfds, MAX_FDS);
	if (uarg && copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	sel = kzalloc(sizeof(*sel) + nfds * sizeof(sel->fds[0]), GFP_KERNEL);
	if (!sel)
		return -ENOMEM;
	ret = poll_start(&call, uspan, arg.mask, arg.size);
	if (!ret) {
		ret = do_select(sel, nfds, usets, call.deadline);
		poll_finish(&call, ret);
	}
	kfree(sel);
	return ret;
}
