/*
 * oom.c - /proc/<pid>: whom the OOM killer takes first, and how to have a say in it.
 *
 *	oom_score       0 (never) to 1333, by what killing would free; 666 is a small process
 *	oom_score_adj   -1000 (never) to 1000: thousandths of all memory that count on top of that
 *	oom_adj         the same, older: -17 (never) to 15
 *
 * Reading tells the value; writing it is for the owner of the process and root, who alone may lower
 * it below what root set last (EACCES). Not a number, or out of the range: EINVAL. Children inherit
 * it, exec keeps it, and tasks that share memory have it in common.
 *
 * Locks: task_lock, in mm/oom.c.
 * Source: proc_pid_oom_score_adj(5), proc_pid_oom_adj(5).
 */
#include "arch/riscv/uaccess.h"
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/oom.h"

#define TEXT_MAX 16

#define OOM_DISABLE    (-17) /* of oom_adj */
#define OOM_ADJUST_MAX 15

int proc_show_oom_score(struct seq_buf *seq, struct task *task)
{
	seq_printf(seq, "%u\n", oom_score(task));
	return 0;
}

/* The number that a user writes, with blanks around it and perhaps a sign; -EINVAL, -EFAULT. */
static int signed_from_user(const void *ubuf, size_t len, long *value)
{
	char text[TEXT_MAX], *start = text, *end;
	unsigned long n;
	bool minus;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, ubuf, len))
		return -EFAULT;
	text[len] = '\0';
	while (*start == ' ' || *start == '\t')
		start++;
	end = start + strlen(start);
	while (end > start && strchr(" \t\n", end[-1]))
		*--end = '\0';
	minus = *start == '-';
	if (kstrtoul(start + (minus || *start == '+'), 0, &n) || n > INT_MAX)
		return -EINVAL;
	*value = minus ? -(long)n : (long)n;
	return 0;
}

static ssize_t show_number(struct file *file, void *ubuf, size_t len, u64 *pos, int value)
{
	char text[TEXT_MAX];

	if (!proc_task_exists(file_task(file)))
		return -ESRCH;
	return simple_read(ubuf, len, pos, text, scnprintf(text, sizeof(text), "%d\n", value));
}

static ssize_t set_number(struct file *file, size_t len, u64 *pos, long adj, bool legacy)
{
	int err;

	if (!proc_task_exists(file_task(file)))
		return -ESRCH;
	err = oom_set_score_adj(file_task(file), adj, legacy);
	if (err)
		return err;
	*pos += len;
	return len;
}

/* ---- oom_score_adj ---- */

static ssize_t score_adj_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	return show_number(file, ubuf, len, pos, READ_ONCE(file_task(file)->oom_score_adj));
}

static ssize_t score_adj_write(struct file *file, const void *ubuf, size_t len, u64 *pos)
{
	long adj = 0;
	int err = signed_from_user(ubuf, len, &adj);

	return err ? err : set_number(file, len, pos, adj, false);
}

const struct file_operations proc_oom_score_adj_fops = {
	.read = score_adj_read,
	.write = score_adj_write,
};

/* ---- oom_adj ---- */

static ssize_t adj_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	int adj = READ_ONCE(file_task(file)->oom_score_adj);

	if (adj == OOM_SCORE_ADJ_MAX)
		adj = OOM_ADJUST_MAX;
	else
		adj = min(adj * -OOM_DISABLE / OOM_SCORE_ADJ_MAX, OOM_ADJUST_MAX);
	return show_number(file, ubuf, len, pos, adj);
}

static ssize_t adj_write(struct file *file, const void *ubuf, size_t len, u64 *pos)
{
	long adj = 0;
	int err = signed_from_user(ubuf, len, &adj);

	if (err)
		return err;
	if (adj < OOM_DISABLE || adj > OOM_ADJUST_MAX)
		return -EINVAL;
	if (adj == OOM_ADJUST_MAX)
		adj = OOM_SCORE_ADJ_MAX;
	else
		adj = adj * OOM_SCORE_ADJ_MAX / -OOM_DISABLE;
	return set_number(file, len, pos, adj, true);
}

const struct file_operations proc_oom_adj_fops = { .read = adj_read, .write = adj_write };
