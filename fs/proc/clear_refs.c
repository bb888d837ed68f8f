/*
 * clear_refs.c - /proc/<pid>/clear_refs: a number is written, and what was is forgotten.
 *
 *	1   that pages were used: of all areas     then Referenced in smaps counts what is used
 *	2   ... of those without a file            from now on
 *	3   ... of those of files
 *	4   soft-dirty bits, of which there are none here: EINVAL
 *	5   the peak of resident memory, VmHWM
 *
 * Anything else is EINVAL. A process that was waited for is ESRCH; one that has only ended has
 * nothing to forget. The file is its owner's and root's, and cannot be read.
 *
 * Locks: those of mm/clear_refs.c.
 * Source: proc_pid_clear_refs(5).
 */
#include "fs/proc/proc.h"
#include "mm/walk.h"

enum clear_refs {
	CLEAR_REFS_ALL = 1,
	CLEAR_REFS_ANON,
	CLEAR_REFS_MAPPED,
	CLEAR_REFS_SOFT_DIRTY,
	CLEAR_REFS_MM_HIWATER_RSS,
};

static void forget(struct mm *mm, enum clear_refs what)
{
	static const enum refs_of areas[] = {
		[CLEAR_REFS_ALL] = REFS_ALL,
		[CLEAR_REFS_ANON] = REFS_ANON,
		[CLEAR_REFS_MAPPED] = REFS_FILE,
	};

	if (what == CLEAR_REFS_MM_HIWATER_RSS)
		mm_reset_peak(mm);
	else
		mm_clear_refs(mm, areas[what]);
}

static ssize_t clear_refs_write(struct file *file, const void *ubuf, size_t len, u64 *pos)
{
	struct task *task = file_task(file);
	unsigned long what = 0;
	struct mm *mm;
	int err;

	err = number_from_user(ubuf, len, CLEAR_REFS_MM_HIWATER_RSS, &what);
	if (err)
		return err;
	if (what < CLEAR_REFS_ALL || what == CLEAR_REFS_SOFT_DIRTY)
		return -EINVAL;
	/* Since the file was opened the task may have become somebody else, by exec. */
	if (!proc_may_look(task))
		return -EACCES;
	if (!proc_task_exists(task))
		return -ESRCH;
	mm = task_get_mm(task);
	if (mm) {
		forget(mm, what);
		mm_put(mm);
	}
	*pos += len;
	return len;
}

const struct file_operations proc_clear_refs_fops = { .write = clear_refs_write };
