/*
 * proc.h - what the files of fs/proc/ share: tables of names, their inodes, and the text buffer.
 *
 *	struct proc_dir --> entries[] { name, mode, show | readlink | i_fop | dir }
 *	                                     |
 *	struct proc_inode  (inode, entry, task, fd)    made by each look-up, gone with its last user
 *
 * Names are tables; only /proc/<pid> and fd/<n> are made up when they are asked for.
 *
 * Invariant: a proc_inode below /proc/<pid> holds a reference of its task, so a pid that is used
 * again never shows another process through an old descriptor.
 */
#ifndef RAVEL_FS_PROC_PROC_H
#define RAVEL_FS_PROC_PROC_H

#include "fs/vfs.h"
#include "kernel/task.h"

struct vm_area;

/* ---- text (fs/proc/seq.c) ---- */

/* Text that grows in kernel memory. All zeros is an empty one. */
struct seq_buf {
	char *buf;
	size_t size, used; /* bytes */
	int err;	   /* -ENOMEM once it could not grow; what comes after is dropped */
};

/* Appends; no spinlock may be held, for both allocate. */
void seq_printf(struct seq_buf *seq, const char *fmt, ...) __printf(2, 3);
void seq_write(struct seq_buf *seq, const void *data, size_t len);
/* @path with blanks and backslashes as octal numbers, for they would end the field; its length. */
unsigned seq_path(struct seq_buf *seq, const char *path);

/* The operations of an entry with show(): made at the first read and by each read at offset 0. */
extern const struct file_operations proc_text_fops;

/* ---- names (fs/proc/root.c) ---- */

struct proc_dir;

struct proc_entry {
	const char *name;
	mode_t mode;
	/* Regular files: the text, of @task below /proc/<pid> (else NULL). 0 or -errno. */
	int (*show)(struct seq_buf *seq, struct task *task);
	bool guarded; /* ... only for who proc_may_look(), else EACCES */
	/* Symbolic links: as inode_operations.readlink. */
	int (*readlink)(struct task *task, char *buf, size_t size);
	/* Directories: a table; without one, i_op and i_fop. */
	const struct proc_dir *dir;
	const struct inode_operations *i_op;
	const struct file_operations *i_fop; /* also regular files that are more than text */
};

struct proc_dir {
	const struct proc_entry *entries;
	unsigned nr;
	ino_t first_ino; /* of entries[0], within its process */
};

struct proc_inode {
	struct inode inode;
	const struct proc_entry *entry;
	struct task *task; /* with a reference; NULL outside of /proc/<pid> */
	int fd;		   /* of links in fd/ */
};

static inline struct proc_inode *proc_i(struct inode *inode)
{
	return container_of(inode, struct proc_inode, inode);
}

static inline struct task *file_task(const struct file *file)
{
	return proc_i(file->f_inode)->task;
}

/* Numbers: 16 bits for what is inside of a process (0 outside of all), the pid above. */
static inline ino_t proc_ino(const struct task *task, ino_t local)
{
	return (task ? (ino_t)task->pid << 16 : 0) | local;
}

#define PROC_INO_ROOT  1
#define PROC_INO_FILES 0x10  /* entries of /proc */
#define PROC_INO_SYS   0x80  /* of /proc/sys and below */
#define PROC_INO_PID   0x100 /* /proc/<pid> itself, then its entries */
#define PROC_INO_FD    0x1000

/* A new inode for @entry, of @task or NULL (a reference is taken). ERR_PTR(-ENOMEM). */
struct inode *proc_inode_new(struct super_block *sb, const struct proc_entry *entry,
			     struct task *task, ino_t local);
/* The entry @name of table @dir as an inode, NULL: none, or ERR_PTR. */
struct inode *proc_dir_lookup(struct inode *inode, const struct proc_dir *dir, const char *name,
			      unsigned len);
/* Emits table @dir at the positions from 2 on; false when there was no room. */
bool proc_dir_emit(struct dir_context *ctx, const struct proc_dir *dir, const struct task *task);
/* @name as a decimal number without leading zeros, at most @max; or -1. */
int proc_parse_number(const char *name, unsigned len, int max);
/* False once @task was waited for: its files and names are gone. */
bool proc_task_exists(const struct task *task);
/*
 * May the current task see what @task works with: its open files, its places, the map of its
 * memory? As ptrace(2) has it: root, and whoever has all its ids.
 */
bool proc_may_look(const struct task *task);
void proc_init(void);

/* ---- the parts ---- */

extern const struct proc_dir proc_pid_dir;	   /* pid.c */
extern const struct inode_operations proc_fd_iops; /* fd.c */
extern const struct file_operations proc_fd_fops;
extern const struct file_operations proc_maps_fops, proc_smaps_fops; /* maps.c */
extern const struct file_operations proc_clear_refs_fops;	     /* clear_refs.c */
extern const struct file_operations proc_pagemap_fops;		     /* pagemap.c */
extern const struct file_operations proc_kpagecount_fops, proc_kpageflags_fops;
extern const struct file_operations proc_check_all_fops, proc_drop_caches_fops, proc_policy_fops;
extern const struct file_operations proc_number_fops;
extern const struct file_operations proc_kmsg_fops; /* machine.c */

int proc_show_pid_stat(struct seq_buf *seq, struct task *task); /* status.c */
int proc_show_pid_status(struct seq_buf *seq, struct task *task);
int proc_show_pid_statm(struct seq_buf *seq, struct task *task);

struct vm_area;
#define NAME_COLUMN 73	 /* of maps: where the name of an area begins */
#define SMAPS_MAX   1024 /* bytes of what smaps_put_area() puts */
/* Puts the lines of smaps that follow that of maps at @buf; their length. mmap_lock held. */
size_t smaps_put_area(const struct vm_area *vma, char *buf); /* smaps.c */
int proc_show_smaps_rollup(struct seq_buf *seq, struct task *task);

int proc_show_oom_score(struct seq_buf *seq, struct task *task); /* oom.c */
extern const struct file_operations proc_oom_score_adj_fops, proc_oom_adj_fops;

int proc_show_shm(struct seq_buf *seq, struct task *task); /* shm.c */
int proc_show_shmmax(struct seq_buf *seq, struct task *task);
int proc_show_shmall(struct seq_buf *seq, struct task *task);
int proc_show_shmmni(struct seq_buf *seq, struct task *task);

/* The number that a user writes, blanks around it, at most @max. 0, -EINVAL or -EFAULT. */
int number_from_user(const void *ubuf, size_t len, unsigned long max, unsigned long *value);
int proc_show_ostype(struct seq_buf *seq, struct task *task); /* sysctl.c */
int proc_show_osrelease(struct seq_buf *seq, struct task *task);
int proc_show_uts_version(struct seq_buf *seq, struct task *task);
int proc_show_hostname(struct seq_buf *seq, struct task *task);
int proc_show_pid_max(struct seq_buf *seq, struct task *task);

int proc_show_meminfo(struct seq_buf *seq, struct task *task); /* mem.c */
int proc_show_vmstat(struct seq_buf *seq, struct task *task);
int proc_show_buddyinfo(struct seq_buf *seq, struct task *task);
int proc_show_unusable_index(struct seq_buf *seq, struct task *task);
int proc_show_extfrag_index(struct seq_buf *seq, struct task *task);
int proc_show_slabinfo(struct seq_buf *seq, struct task *task);

int proc_show_swaps(struct seq_buf *seq, struct task *task); /* fs/swap.c */

int proc_show_stat(struct seq_buf *seq, struct task *task); /* machine.c */
int proc_show_exits(struct seq_buf *seq, struct task *task);
int proc_show_uptime(struct seq_buf *seq, struct task *task);
int proc_show_version(struct seq_buf *seq, struct task *task);
int proc_show_cpuinfo(struct seq_buf *seq, struct task *task);
int proc_show_cmdline(struct seq_buf *seq, struct task *task);
int proc_show_loadavg(struct seq_buf *seq, struct task *task);
int proc_show_diskstats(struct seq_buf *seq, struct task *task);
int proc_show_lockdep(struct seq_buf *seq, struct task *task); /* debug kernel only */
int proc_show_locks(struct seq_buf *seq, struct task *task);   /* locks.c */

int proc_show_mounts(struct seq_buf *seq, struct task *task); /* mounts.c */
int proc_show_mountinfo(struct seq_buf *seq, struct task *task);
int proc_show_filesystems(struct seq_buf *seq, struct task *task);

/* The descriptors of @task with a user more (files_put() them), or NULL: exited. In fd.c. */
struct files *proc_get_files(struct task *task);
/* Appends the line of maps for @vma, whose mmap_lock is held for reading. In maps.c. */
void proc_seq_area(struct seq_buf *seq, const struct vm_area *vma);
extern const struct file_operations proc_explain_fops; /* explain.c */
/* The directories and umask of @task likewise (fs_context_put()), or NULL. In pid.c. */
struct fs_context *proc_get_fs(struct task *task);

#endif
