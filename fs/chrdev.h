/*
 * chrdev.h - what a driver must know of files to be one: the open file, its operations, and how it
 * gets its name in /dev. Nothing of inodes and names: those are fs/vfs.h.
 *
 *	driver: struct file_operations --chrdev_register()--> /dev/NAME --open(2)--> struct file
 *
 * Rules for implementers
 *  - read/write/ioctl get user pointers; they may sleep and fault, and hold no spinlock at that
 *    time.
 *  - `pos` is the offset to use and to advance; the caller keeps the file's own offset right.
 */
#ifndef RAVEL_FS_CHRDEV_H
#define RAVEL_FS_CHRDEV_H

#include "fs/abi.h"
#include "kernel/lock.h"
#include "kernel/wait.h"
#include "lib/atomic.h"
#include "lib/errseq.h"
#include "lib/types.h"
#include "mm/readahead.h"

struct address_space;
struct dentry;
struct dir_context;
struct file;
struct inode;
struct poll_table; /* fs/poll.c */

struct file_operations {
	/* @file is ready but for private_data; may exchange file->f_op. 0 or -errno. */
	int (*open)(struct inode *inode, struct file *file);
	void (*release)(struct file *file); /* undoes open */
	/* @ubuf: user address. Bytes done, 0 at the end of file, or -errno. */
	ssize_t (*read)(struct file *file, void *ubuf, size_t len, u64 *pos);
	ssize_t (*write)(struct file *file, const void *ubuf, size_t len, u64 *pos);
	/* From kernel memory: sendfile's target. Optional. */
	ssize_t (*write_kernel)(struct file *file, const void *buf, size_t len, u64 *pos);
	/* New offset or -errno; NULL: generic_llseek(). Streams say no_llseek. */
	s64 (*llseek)(struct file *file, s64 offset, int whence);
	/* Emits entries from ctx->pos on, advancing it past each accepted one. Directory locked. */
	int (*iterate)(struct file *file, struct dir_context *ctx);
	/* -ENOTTY for unknown @cmd. */
	long (*ioctl)(struct file *file, unsigned cmd, unsigned long arg);
	/* The POLL* bits that hold now; registers by poll_wait() first if @pt is not NULL. */
	unsigned (*poll)(struct file *file, struct poll_table *pt);
};

struct file {
	atomic_t f_count;
	unsigned f_flags; /* O_*; F_SETFL changes some */
	unsigned f_mode;  /* FMODE_* */
	const struct file_operations *f_op;
	struct inode *f_inode;		 /* held by f_dentry, or by the file itself without one */
	struct dentry *f_dentry;	 /* NULL: a pipe */
	struct address_space *f_mapping; /* NULL: cannot be mapped */
	u64 f_pos;
	errseq_t f_wb_err, f_sb_err; /* failed writes up to here are known to who has the file */
	struct mutex f_pos_lock;
	void *private_data;
	struct readahead f_ra; /* of f_mapping */
};

#define FMODE_READ    0x1u
#define FMODE_WRITE   0x2u
#define FMODE_STREAM  0x4u   /* no offset: pipes and terminals (set by an open that knows) */
#define FMODE_PATH    0x8u   /* O_PATH: only a place; f_op is NULL */
#define FMODE_COUNTED 0x100u /* one of its super block's s_writers */

/* A file_operations.llseek for streams: -ESPIPE. */
s64 no_llseek(struct file *file, s64 offset, int whence);
/* Registers the caller's interest in @wq until the poll ends; @pt NULL: does nothing. */
void poll_wait(struct file *file, struct wait_queue *wq, struct poll_table *pt);

/*
 * Makes /dev/@name a character device with @fops (both stay valid for ever). fops->open gets an
 * inode with i_rdev set. 0, -EEXIST, -ENOMEM. Any time after slab_init(). /dev/tty is the terminal
 * driver's too: its open looks at current->tty, or returns -ENXIO.
 */
int chrdev_register(unsigned major, unsigned minor, const char *name,
		    const struct file_operations *fops);

#endif
