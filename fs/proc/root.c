/*
 * root.c - the file system "proc": its tables of names, the processes among them, its inodes.
 *
 *	/proc   positions 2 ..         the table below, then
 *	        POS_PID + pid          one for each process, in order of pid
 *
 * Nothing is cached (SB_NOCACHE): each look-up makes an inode, which dies with its last user.
 *
 * Locks: none of its own; task_lock inside find_task_get() and task_next_get().
 */
#include "fs/internal.h"
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/slab.h"

#define PROC_SUPER_MAGIC 0x9fa0
#define POS_TABLE	 2
#define POS_PID		 0x10000UL

static int self_readlink(struct task *task __maybe_unused, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d", current->pid);
}

#define NUMBER(NAME)                                                                               \
	{                                                                                          \
		.name = #NAME, .mode = S_IFREG | 0644, .i_fop = &proc_number_fops                  \
	}

static const struct proc_entry vm_entries[] = {
	NUMBER(overcommit_memory),
	NUMBER(overcommit_ratio),
	NUMBER(swappiness),
	{ .name = "page-cluster", .mode = S_IFREG | 0644, .i_fop = &proc_number_fops },
	NUMBER(min_free_kbytes),
	NUMBER(max_map_count),
	NUMBER(fail_page_alloc),
	NUMBER(dirty_ratio),
	NUMBER(dirty_background_ratio),
	NUMBER(readahead_pages),
	NUMBER(dirty_writeback_centisecs),
	{ .name = "policy", .mode = S_IFREG | 0644, .i_fop = &proc_policy_fops },
	{ .name = "check_all", .mode = S_IFREG | 0200, .i_fop = &proc_check_all_fops },
	{ .name = "drop_caches", .mode = S_IFREG | 0200, .i_fop = &proc_drop_caches_fops },
};
static const struct proc_dir vm_dir = { vm_entries, ARRAY_SIZE(vm_entries), PROC_INO_SYS + 8 };

#define TEXT(NAME)                                                                                 \
	{                                                                                          \
		.name = #NAME, .mode = S_IFREG | 0444, .show = proc_show_##NAME                    \
	}

static const struct proc_entry kernel_entries[] = {
	TEXT(shmmax),
	TEXT(shmall),
	TEXT(shmmni),
	TEXT(ostype),
	TEXT(osrelease),
	TEXT(hostname),
	TEXT(pid_max),
	{ .name = "version", .mode = S_IFREG | 0444, .show = proc_show_uts_version },
};
static const struct proc_dir kernel_dir = { kernel_entries, ARRAY_SIZE(kernel_entries),
					    PROC_INO_SYS + 32 };

static const struct proc_entry sysvipc_entries[] = { TEXT(shm) };
static const struct proc_dir sysvipc_dir = { sysvipc_entries, ARRAY_SIZE(sysvipc_entries),
					     PROC_INO_SYS + 48 };

static const struct proc_entry sys_entries[] = {
	{ .name = "vm", .mode = S_IFDIR | 0555, .dir = &vm_dir },
	{ .name = "kernel", .mode = S_IFDIR | 0555, .dir = &kernel_dir },
};
static const struct proc_dir sys_dir = { sys_entries, ARRAY_SIZE(sys_entries), PROC_INO_SYS };

static const struct proc_entry root_entries[] = {
	{ .name = "self", .mode = S_IFLNK | 0777, .readlink = self_readlink },
	TEXT(meminfo),
	TEXT(vmstat),
	TEXT(swaps),
	TEXT(buddyinfo),
	TEXT(unusable_index),
	TEXT(extfrag_index),
	TEXT(slabinfo),
	TEXT(stat),
	TEXT(uptime),
	TEXT(version),
	TEXT(cpuinfo),
	TEXT(cmdline),
	TEXT(mounts),
	TEXT(filesystems),
	TEXT(loadavg),
	TEXT(locks),
	TEXT(exits),
	TEXT(diskstats),
#ifdef CONFIG_DEBUG
	TEXT(lockdep),
#endif
	{ .name = "kpagecount", .mode = S_IFREG | 0400, .i_fop = &proc_kpagecount_fops },
	{ .name = "kpageflags", .mode = S_IFREG | 0400, .i_fop = &proc_kpageflags_fops },
	{ .name = "kmsg", .mode = S_IFREG | 0400, .i_fop = &proc_kmsg_fops },
	{ .name = "sys", .mode = S_IFDIR | 0555, .dir = &sys_dir },
	{ .name = "sysvipc", .mode = S_IFDIR | 0555, .dir = &sysvipc_dir },
};
static const struct proc_dir root_dir = { root_entries, ARRAY_SIZE(root_entries), PROC_INO_FILES };

static const struct proc_entry pid_entry = { .mode = S_IFDIR | 0555, .dir = &proc_pid_dir };

/* ---- inodes ---- */

static struct inode *proc_alloc_inode(struct super_block *sb __maybe_unused)
{
	struct proc_inode *pi = kzalloc(sizeof(*pi), GFP_KERNEL);

	return pi ? &pi->inode : NULL;
}

static void proc_free_inode(struct inode *inode)
{
	kfree(proc_i(inode));
}

static void proc_evict_inode(struct inode *inode)
{
	if (proc_i(inode)->task)
		task_put(proc_i(inode)->task);
}

static const struct super_operations proc_sops = {
	.alloc_inode = proc_alloc_inode,
	.free_inode = proc_free_inode,
	.evict_inode = proc_evict_inode,
};

bool proc_task_exists(const struct task *task)
{
	struct task *found = find_task_get(task->pid);

	if (found)
		task_put(found);
	return found == task;
}

/* ---- tables ---- */

static struct inode *table_lookup(struct inode *inode, const char *name, unsigned len)
{
	return proc_dir_lookup(inode, proc_i(inode)->entry->dir, name, len);
}

static int table_iterate(struct file *file, struct dir_context *ctx)
{
	const struct proc_inode *pi = proc_i(file->f_inode);

	if (pi->task && !proc_task_exists(pi->task))
		return -ENOENT;
	if (dir_emit_dots(file, ctx))
		proc_dir_emit(ctx, pi->entry->dir, pi->task);
	return 0;
}

static int entry_readlink(struct inode *inode, char *buf, size_t size)
{
	const struct proc_inode *pi = proc_i(inode);

	return pi->entry->readlink(pi->task, buf, size);
}

static const struct inode_operations table_iops = { .lookup = table_lookup };
static const struct inode_operations link_iops = { .readlink = entry_readlink };
static const struct file_operations table_fops = { .iterate = table_iterate };

struct inode *proc_inode_new(struct super_block *sb, const struct proc_entry *entry,
			     struct task *task, ino_t local)
{
	const struct inode_operations *i_op = entry->i_op;
	const struct file_operations *i_fop = entry->i_fop;
	struct inode *inode;

	if (entry->dir) {
		i_op = &table_iops;
		i_fop = &table_fops;
	} else if (entry->readlink) {
		i_op = &link_iops;
	} else if (entry->show) {
		i_fop = &proc_text_fops;
	}
	inode = simple_inode(sb, proc_ino(task, local), entry->mode, i_op, i_fop);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (S_ISDIR(entry->mode))
		inode->i_nlink = 2;
	proc_i(inode)->entry = entry;
	proc_i(inode)->task = task;
	if (task) {
		task_get(task);
		inode->i_uid = READ_ONCE(task->cred.euid);
		inode->i_gid = READ_ONCE(task->cred.egid);
	}
	return inode;
}

struct inode *proc_dir_lookup(struct inode *inode, const struct proc_dir *dir, const char *name,
			      unsigned len)
{
	struct task *task = proc_i(inode)->task;

	if (task && !proc_task_exists(task))
		return NULL;
	for (unsigned i = 0; i < dir->nr; i++) {
		const struct proc_entry *entry = &dir->entries[i];

		if (strlen(entry->name) == len && memcmp(entry->name, name, len) == 0)
			return proc_inode_new(inode->i_sb, entry, task, dir->first_ino + i);
	}
	return NULL;
}

bool proc_dir_emit(struct dir_context *ctx, const struct proc_dir *dir, const struct task *task)
{
	while (ctx->pos >= POS_TABLE && ctx->pos < POS_TABLE + dir->nr) {
		unsigned i = ctx->pos - POS_TABLE;
		const struct proc_entry *entry = &dir->entries[i];

		if (!dir_emit(ctx, entry->name, strlen(entry->name),
			      proc_ino(task, dir->first_ino + i), mode_to_dtype(entry->mode)))
			return false;
		ctx->pos++;
	}
	return true;
}

int proc_parse_number(const char *name, unsigned len, int max)
{
	int n = 0;

	if (len == 0 || len > 9 || (name[0] == '0' && len > 1))
		return -1;
	for (unsigned i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		n = n * 10 + name[i] - '0';
	}
	return n <= max ? n : -1;
}

/* ---- /proc ---- */

static struct inode *root_lookup(struct inode *dir, const char *name, unsigned len)
{
	int pid = proc_parse_number(name, len, PID_MAX);
	struct inode *inode;
	struct task *task;

	if (pid < 0)
		return proc_dir_lookup(dir, &root_dir, name, len);
	task = find_task_get(pid);
	if (!task)
		return NULL;
	inode = proc_inode_new(dir->i_sb, &pid_entry, task, PROC_INO_PID);
	task_put(task);
	return inode;
}

static int root_iterate(struct file *file, struct dir_context *ctx)
{
	struct task *task;

	if (!dir_emit_dots(file, ctx) || !proc_dir_emit(ctx, &root_dir, NULL))
		return 0;
	if (ctx->pos < POS_PID)
		ctx->pos = POS_PID;
	while (ctx->pos <= POS_PID + PID_MAX && (task = task_next_get(ctx->pos - POS_PID))) {
		char name[12];
		int len = scnprintf(name, sizeof(name), "%d", task->pid);
		bool ok;

		ctx->pos = POS_PID + task->pid;
		ok = dir_emit(ctx, name, len, proc_ino(task, PROC_INO_PID), DT_DIR);
		task_put(task);
		if (!ok)
			return 0;
		ctx->pos++;
	}
	return 0;
}

static const struct inode_operations root_iops = { .lookup = root_lookup };
static const struct file_operations root_fops = { .iterate = root_iterate };
static const struct proc_entry root_entry = {
	.mode = S_IFDIR | 0555,
	.i_op = &root_iops,
	.i_fop = &root_fops,
};

static int proc_fill_super(struct super_block *sb)
{
	struct inode *inode;

	sb->s_op = &proc_sops;
	sb->s_flags |= SB_NOCACHE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_magic = PROC_SUPER_MAGIC;
	inode = proc_inode_new(sb, &root_entry, NULL, PROC_INO_ROOT);
	return IS_ERR(inode) ? PTR_ERR(inode) : sb_make_root(sb, inode);
}

static struct fs_type proc_type = { .name = "proc", .fill_super = proc_fill_super };

/* Makes the file system known; boot, from vfs_init(). */
void proc_init(void)
{
	fs_register(&proc_type);
}
