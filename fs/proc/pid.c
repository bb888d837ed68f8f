/*
 * pid.c - /proc/<pid>: the table of its names, and those of its files that are short.
 *
 *	exe, cwd      links to paths         cmdline   read from the process's own memory, piecewise
 *	comm, auxv    text and bytes         fail_alloc   the fault injector of the task itself
 *
 * A process that ended has no mm, files or fs: its links are ENOENT, its cmdline is empty.
 *
 * Locks: task_lock while another task's fs is found; none while its memory is copied.
 */
#include "arch/riscv/uaccess.h"
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/mm.h"
#include "mm/slab.h"

#define FAIL_TEXT_MAX 48

bool proc_may_look(const struct task *task)
{
	const struct cred *mine = &current->cred, *its = &task->cred;
	unsigned long flags;
	bool may;

	if (task == current || mine->fsuid == 0)
		return true;
	flags = spin_lock_irqsave(&task_lock);
	may = mine->fsuid == its->uid && mine->fsuid == its->euid && mine->fsuid == its->suid &&
	      mine->fsgid == its->gid && mine->fsgid == its->egid && mine->fsgid == its->sgid;
	spin_unlock_irqrestore(&task_lock, flags);
	return may;
}

/* ---- links ---- */

static int exe_readlink(struct task *task, char *buf, size_t size)
{
	struct mm *mm;
	int len = -ENOENT;

	if (!proc_may_look(task))
		return -EACCES;
	mm = task_get_mm(task);
	if (!mm)
		return len;
	if (mm->exe_file) {
		file_path(mm->exe_file, buf, size);
		len = strlen(buf);
	}
	mm_put(mm);
	return len;
}

struct fs_context *proc_get_fs(struct task *task)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct fs_context *fs = task->fs;

	if (fs)
		fs_context_share(fs);
	spin_unlock_irqrestore(&task_lock, flags);
	return fs;
}

static int cwd_readlink(struct task *task, char *buf, size_t size)
{
	struct fs_context *fs;
	struct dentry *cwd;
	int len = -ENAMETOOLONG;
	char *path;

	if (!proc_may_look(task))
		return -EACCES;
	fs = proc_get_fs(task);
	if (!fs)
		return -ENOENT;
	cwd = fs_get_cwd(fs);
	path = dentry_path(cwd, buf, size);
	if (path) {
		len = strlen(path);
		memmove(buf, path, len);
	}
	dput(cwd);
	fs_context_put(fs);
	return len;
}

/* ---- comm, auxv ---- */

static int show_comm(struct seq_buf *seq, struct task *task)
{
	seq_printf(seq, "%.*s\n", TASK_COMM_LEN - 1, task->comm);
	return 0;
}

/* The pairs as exec put them on the stack, AT_NULL (0) included. */
static int show_auxv(struct seq_buf *seq, struct task *task)
{
	struct mm *mm = task_get_mm(task);
	size_t n = 0;

	if (!mm)
		return 0;
	while (n + 2 < ARRAY_SIZE(mm->auxv) && mm->auxv[n] != 0)
		n += 2;
	seq_write(seq, mm->auxv, (n + 2) * sizeof(mm->auxv[0]));
	mm_put(mm);
	return 0;
}

/* ---- cmdline ---- */

/* Up to a page of @mm's arguments from byte @pos on to the user; @page is room for them. */
static ssize_t cmdline_piece(struct mm *mm, void *page, void *ubuf, size_t len, u64 pos)
{
	u64 size = mm->arg_end - mm->arg_start;
	size_t n, left;

	if (mm->arg_end < mm->arg_start || pos >= size)
		return 0;
	n = min((u64)min(len, (size_t)PAGE_SIZE), size - pos);
	n = mm_copy_from(mm, page, mm->arg_start + pos, n);
	left = copy_to_user(ubuf, page, n);
	return n > 0 && left == n ? -EFAULT : (ssize_t)(n - left);
}

static ssize_t cmdline_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	struct mm *mm = task_get_mm(file_task(file));
	ssize_t done = 0, n = 0;
	void *page;

	if (!mm)
		return 0;
	page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!page) {
		mm_put(mm);
		return -ENOMEM;
	}
	while ((size_t)done < len) {
		n = cmdline_piece(mm, page, (char *)ubuf + done, len - done, *pos);
		if (n <= 0)
			break;
		done += n;
		*pos += n;
	}
	kfree(page);
	mm_put(mm);
	return done ? done : n;
}

static const struct file_operations cmdline_fops = { .read = cmdline_read };

/* ---- fail_alloc: neither reading nor writing allocates, or it would spend what it arms ---- */

static ssize_t fail_alloc_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	char text[FAIL_TEXT_MAX];
	int n;

	if (file_task(file) != current)
		return -EPERM;
	n = scnprintf(text, sizeof(text), "%ld %lu\n", current->fail_alloc, current->fail_fired);
	return simple_read(ubuf, len, pos, text, n);
}

static ssize_t fail_alloc_write(struct file *file, const void *ubuf, size_t len, u64 *pos)
{
	char text[FAIL_TEXT_MAX];
	unsigned long n;

	if (file_task(file) != current)
		return -EPERM;
	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, ubuf, len))
		return -EFAULT;
	text[len] = '\0';
	if (kstrtoul(text, 10, &n) || n > LONG_MAX)
		return -EINVAL;
	*pos += len;
	current->fail_fired = 0;
	current->fail_alloc = n;
	return len;
}

static const struct file_operations fail_alloc_fops = {
	.read = fail_alloc_read,
	.write = fail_alloc_write,
};

/* ---- the table ---- */

static const struct proc_entry pid_entries[] = {
	{ .name = "stat", .mode = S_IFREG | 0444, .show = proc_show_pid_stat },
	{ .name = "status", .mode = S_IFREG | 0444, .show = proc_show_pid_status },
	{ .name = "statm", .mode = S_IFREG | 0444, .show = proc_show_pid_statm },
	{ .name = "maps", .mode = S_IFREG | 0444, .i_fop = &proc_maps_fops },
	{ .name = "smaps", .mode = S_IFREG | 0444, .i_fop = &proc_smaps_fops },
	{ .name = "smaps_rollup",
	  .mode = S_IFREG | 0444,
	  .show = proc_show_smaps_rollup,
	  .guarded = true },
	{ .name = "clear_refs", .mode = S_IFREG | 0200, .i_fop = &proc_clear_refs_fops },
	{ .name = "pagemap", .mode = S_IFREG | 0400, .i_fop = &proc_pagemap_fops },
	{ .name = "cmdline", .mode = S_IFREG | 0444, .i_fop = &cmdline_fops },
	{ .name = "comm", .mode = S_IFREG | 0444, .show = show_comm },
	{ .name = "auxv", .mode = S_IFREG | 0400, .show = show_auxv, .guarded = true },
	{ .name = "fail_alloc", .mode = S_IFREG | 0600, .i_fop = &fail_alloc_fops },
	{ .name = "oom_score", .mode = S_IFREG | 0444, .show = proc_show_oom_score },
	{ .name = "oom_score_adj", .mode = S_IFREG | 0644, .i_fop = &proc_oom_score_adj_fops },
	{ .name = "oom_adj", .mode = S_IFREG | 0644, .i_fop = &proc_oom_adj_fops },
	{ .name = "mounts", .mode = S_IFREG | 0444, .show = proc_show_mounts },
	{ .name = "mountinfo", .mode = S_IFREG | 0444, .show = proc_show_mountinfo },
	{ .name = "explain", .mode = S_IFREG | 0600, .i_fop = &proc_explain_fops },
	{ .name = "exe", .mode = S_IFLNK | 0777, .readlink = exe_readlink },
	{ .name = "cwd", .mode = S_IFLNK | 0777, .readlink = cwd_readlink },
	{ .name = "fd", .mode = S_IFDIR | 0500, .i_op = &proc_fd_iops, .i_fop = &proc_fd_fops },
};

const struct proc_dir proc_pid_dir = { pid_entries, ARRAY_SIZE(pid_entries), PROC_INO_PID + 1 };
