/*
 * fd.c - /proc/<pid>/fd: a symbolic link for each open descriptor.
 *
 *	0 -> /dev/tty    3 -> /etc/passwd    4 -> pipe:[17]
 *
 * Locks: task_lock while another task's table is found; the table's own lock inside files_*().
 */
#include "fs/internal.h"
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"

#define POS_FD 2
#define MAX_FD 0xffff /* more than any table holds */

struct files *proc_get_files(struct task *task)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct files *files = task->files;

	if (files)
		files_share(files);
	spin_unlock_irqrestore(&task_lock, flags);
	return files;
}

/*
 * The open file that link @inode of fd/ stands for, with a reference; or ERR_PTR: -ENOENT (closed),
 * -EACCES (the task became somebody else since fd/ was opened).
 */
static struct file *link_file(struct inode *inode)
{
	struct task *task = proc_i(inode)->task;
	struct files *files;
	struct file *file;

	if (!proc_may_look(task))
		return ERR_PTR(-EACCES);
	files = proc_get_files(task);
	file = files ? files_get_file(files, proc_i(inode)->fd) : NULL;
	files_put(files);
	return file ? file : ERR_PTR(-ENOENT);
}

/* To the very file, wherever its name is now: also pipes and files without names. */
static struct dentry *fd_jump(struct inode *inode)
{
	struct file *file = link_file(inode);
	struct dentry *dentry;

	if (IS_ERR(file))
		return (void *)file;
	if (file->f_dentry) {
		dentry = dget(file->f_dentry);
	} else {
		dentry = d_alloc_root(file->f_inode->i_sb, inode_get(file->f_inode));
		if (!dentry)
			inode_put(file->f_inode);
	}
	file_put(file);
	return dentry ? dentry : ERR_PTR(-ENOMEM);
}

/* The path, without its NUL; the file may be closed by the time it is looked at. */
static int fd_readlink(struct inode *inode, char *buf, size_t size)
{
	struct file *file = link_file(inode);

	if (IS_ERR(file))
		return PTR_ERR(file);
	file_path(file, buf, size);
	file_put(file);
	return strlen(buf);
}

static const struct inode_operations fd_link_iops = { .readlink = fd_readlink, .jump = fd_jump };
static const struct proc_entry fd_link_entry = { .mode = S_IFLNK | 0700, .i_op = &fd_link_iops };

static struct inode *fd_lookup(struct inode *dir, const char *name, unsigned len)
{
	struct task *task = proc_i(dir)->task;
	int fd = proc_parse_number(name, len, MAX_FD);
	struct files *files;
	struct inode *inode;
	struct file *file;

	if (!proc_may_look(task))
		return ERR_PTR(-EACCES);
	files = fd < 0 ? NULL : proc_get_files(task);
	if (!files)
		return NULL;
	file = files_get_file(files, fd);
	files_put(files);
	if (!file)
		return NULL;
	file_put(file);
	inode = proc_inode_new(dir->i_sb, &fd_link_entry, task, PROC_INO_FD + fd);
	if (!IS_ERR(inode))
		proc_i(inode)->fd = fd;
	return inode;
}

static int fd_iterate(struct file *dir, struct dir_context *ctx)
{
	struct task *task = file_task(dir);
	struct files *files;
	int fd;

	if (!dir_emit_dots(dir, ctx))
		return 0;
	files = proc_get_files(task);
	if (!files)
		return 0;
	while (ctx->pos <= POS_FD + MAX_FD && (fd = files_next_fd(files, ctx->pos - POS_FD)) >= 0) {
		char name[12];
		int len = scnprintf(name, sizeof(name), "%d", fd);

		ctx->pos = POS_FD + fd;
		if (!dir_emit(ctx, name, len, proc_ino(task, PROC_INO_FD + fd), DT_LNK))
			break;
		ctx->pos++;
	}
	files_put(files);
	return 0;
}

const struct inode_operations proc_fd_iops = { .lookup = fd_lookup };
const struct file_operations proc_fd_fops = { .iterate = fd_iterate };
