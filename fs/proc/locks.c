/*
 * locks.c - /proc/locks: who has which bytes of which file, and who waits.
 *
 *	1: POSIX  ADVISORY  WRITE 17 00:05:9 0 99
 *	1: -> POSIX  ADVISORY  READ 18 00:05:9 0 EOF
 *
 * The locks are copied first, so that no text is made with a spinlock held.
 */
#include "fs/locks.h"
#include "fs/proc/proc.h"
#include "mm/slab.h"

#define ROOM_MORE 8 /* locks that may come between counting and copying */

static void put_line(struct seq_buf *seq, const struct lock_view *view)
{
	static const char *const kinds[] = {
		[LOCK_POSIX] = "POSIX ", [LOCK_OFD] = "OFDLCK", [LOCK_FLOCK] = "FLOCK "
	};

	seq_printf(seq, "%u: %s%s ADVISORY  %s %d %02x:%02x:%lu %lu ", view->number,
		   view->waiting ? "-> " : "", kinds[view->kind],
		   view->type == F_WRLCK ? "WRITE" : "READ", view->pid, MAJOR(view->dev),
		   MINOR(view->dev), (unsigned long)view->ino, (unsigned long)view->start);
	if (view->end == LOCK_MAX_OFFSET)
		seq_printf(seq, "EOF\n");
	else
		seq_printf(seq, "%lu\n", (unsigned long)view->end);
}

int proc_show_locks(struct seq_buf *seq, struct task *task __maybe_unused)
{
	unsigned max = locks_view(NULL, 0) + ROOM_MORE, nr;
	struct lock_view *views = kmalloc(max * sizeof(*views), GFP_KERNEL);

	if (!views)
		return -ENOMEM;
	nr = min(locks_view(views, max), max);
	for (unsigned i = 0; i < nr; i++)
		put_line(seq, &views[i]);
	kfree(views);
	return 0;
}
