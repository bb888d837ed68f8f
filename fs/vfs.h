/*
 * vfs.h - what every file system and every user of files shares.
 *
 *	task -> struct files [fd] -> struct file -> struct dentry -> struct inode -> address_space
 *	        (descriptors)        (open file)    (a name)         (the file)      (its pages)
 *	        dentry -> parent dentry ... -> root of its super_block -> s_mountpoint dentry -> ...
 *
 * A super_block is mounted at most once, so a dentry alone is a place in the tree: no "mount"
 * objects and no pairs of (mount, dentry). A dentry that is held keeps its parents, so its root,
 * and a root that somebody but its super block holds is not unmounted: whoever holds a dentry (by
 * an open file, a current directory, a mount on it) may use its super block.
 *
 * Rules for implementers: those of fs/chrdev.h, and i_data.size is THE size of a file
 * (mm/filemap.h).
 *
 * Locks, outer to inner: mount_mutex, f_pos_lock -> rename_mutex -> inode->lock (a directory before
 * its entries) -> mmap_lock and all of mm -> dcache_lock -> inode_lock (the inode table).
 */
#ifndef RAVEL_FS_VFS_H
#define RAVEL_FS_VFS_H

#include "fs/abi.h"
#include "fs/chrdev.h"
#include "fs/mapping.h"
#include "kernel/lock.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "lib/atomic.h"
#include "lib/err.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "mm/filemap.h"

/* Device numbers in the form that user programs see in st_dev and st_rdev. */
#define MKDEV(ma, mi)                                                                              \
	(((dev_t)(ma)&0xfff) << 8 | ((dev_t)(mi)&0xff) | ((dev_t)(mi) & ~0xffUL) << 12)
#define MAJOR(dev) ((unsigned)((dev) >> 8 & 0xfff))
#define MINOR(dev) ((unsigned)(((dev)&0xff) | ((dev) >> 12 & ~0xffUL)))

struct block_device;
struct dentry;
struct file_lock;
struct inode;
struct pipe;
struct super_block;
struct task;
struct statfs_abi;

/* ---- super blocks and file system types (fs/mount.c) ---- */

struct super_operations {
	/* Memory for an inode; NULL: the plain struct inode. free_inode undoes it. */
	struct inode *(*alloc_inode)(struct super_block *sb);
	void (*free_inode)(struct inode *inode);
	/* The last reference went; before the pages are dropped. May sleep. */
	void (*evict_inode)(struct inode *inode);
	/* All metadata is on the medium afterwards, and all data that was written. 0 or -errno. */
	int (*sync_fs)(struct super_block *sb);
	/*
	 * The same for what @inode needs to be found and read again; @datasync: its times may be
	 * old.
	 */
	int (*sync_inode)(struct inode *inode, bool datasync);
	/*
	 * Undoes fill_super() but for the root: no inode of @sb exists any more. May sleep. NULL:
	 * nothing to undo.
	 */
	void (*put_super)(struct super_block *sb);
	/*
	 * @flags (SB_RDONLY or not) become s_flags if this is 0. To read-only: nobody writes, and
	 * all is written. NULL: with a disk -EROFS to writable, else always 0. mount_mutex held.
	 */
	int (*remount)(struct super_block *sb, unsigned flags);
	/* Fills type, block and file counts; the rest has defaults. 0 or -errno. */
	int (*statfs)(struct super_block *sb, struct statfs_abi *st);
};

/* Flags of a super block; the low ones have the values of mount(2) and of statfs(2). */
#define SB_RDONLY   0x1u
#define SB_NOSUID   0x2u
#define SB_NODEV    0x4u /* its device nodes cannot be opened */
#define SB_NOEXEC   0x8u /* its files are not executed, nor mapped executable */
#define SB_MNT_MASK (SB_RDONLY | SB_NOSUID | SB_NODEV | SB_NOEXEC)
#define SB_NOCACHE  0x10000u /* names come and go by themselves (proc): dentries are never cached */
#define SB_DYING    0x20000u /* being unmounted: unused inodes are not kept; inode_lock */

struct super_block {
	const struct fs_type *s_type;
	const struct super_operations *s_op;
	struct block_device *s_bdev; /* NULL: no disk */
	dev_t s_dev;
	unsigned s_flags;     /* SB_*; mount_mutex, but for SB_DYING */
	unsigned s_blocksize; /* bytes */
	unsigned s_id;	      /* of the mount, for mountinfo */
	atomic_t s_writers;   /* files open for writing, edits under way */
	atomic_t s_nr_roots;  /* dentries without a parent: s_root, and of nameless files */
	atomic_t s_nr_inodes; /* that exist */
	unsigned long s_magic;
	u64 s_maxbytes; /* largest file */
	struct dentry *s_root;
	ino_t s_root_ino; /* for who has an inode in hand, but nothing that holds s_root */
	struct dentry *s_mountpoint; /* in another file system; NULL: the root of all */
	void *s_fs_info;
	struct list_head link;
	unsigned s_pins;		/* by who goes through the list without mount_mutex */
	struct mutex s_sync_lock;	/* one at a time writes the data of all files */
	struct list_head s_dirty_attr;	/* inodes with I_DIRTY_ATTR or I_DIRTY_TIME; inode_lock */
	struct list_head s_dirty_pages; /* inodes with I_DIRTY_PAGES; inode_lock */
	errseq_t s_wb_err;		/* the last failed write of metadata */
};

struct fs_type {
	const char *name;
	/*
	 * Fills @sb (s_type, s_bdev, s_dev and s_flags are set; it may add flags) and sets s_root
	 * by sb_make_root(). 0 or -errno with all undone.
	 */
	int (*fill_super)(struct super_block *sb);
	bool needs_disk;
	struct fs_type *next;
};

void fs_register(struct fs_type *type);
/* Makes @inode, whose reference it takes over in any case, the root of @sb; 0 or -ENOMEM. */
int sb_make_root(struct super_block *sb, struct inode *inode);
/*
 * Mounts a new instance of file system @type, on @bdev if it wants a disk, with @flags (of
 * SB_MNT_MASK) on directory @where (kernel string; NULL: the root of all). 0, -ENODEV, -ENOTBLK,
 * -EBUSY, -EACCES, -ENOMEM, or what the walk or fill_super() gave, and then all is undone.
 */
int vfs_mount(const char *type, struct block_device *bdev, const char *where, unsigned flags);
/* Between these two no file system is mounted, unmounted or remounted. May sleep. */
void mounts_lock(void);
void mounts_unlock(void);
/*
 * The mounted file systems, oldest first; @prev NULL: the first; NULL past the last. Under
 * mounts_lock().
 */
struct super_block *sb_next(const struct super_block *prev);
/*
 * The same without mounts_lock(): the result is pinned, and @prev, which was, is no more. Who
 * unmounts waits for pins.
 */
struct super_block *sb_get_next(struct super_block *prev);
/* The file system types, in any order; they never go. NULL as above. */
const struct fs_type *fs_type_next(const struct fs_type *prev);

/*
 * Announces a change to @sb: it stays writable until sb_done_write(). -EROFS: it is read-only.
 * Never sleeps.
 */
int sb_want_write(struct super_block *sb);
void sb_done_write(struct super_block *sb);

/* ---- inodes (fs/inode.c) ---- */

struct inode_operations {
	/*
	 * The inode of @name in @dir with a reference; NULL: no such name; or ERR_PTR. dir locked.
	 */
	struct inode *(*lookup)(struct inode *dir, const char *name, unsigned len);
	/*
	 * Target of a symbolic link into kernel memory, not terminated; returns its full length,
	 * at most @size, or -errno.
	 */
	int (*readlink)(struct inode *inode, char *buf, size_t size);
	/*
	 * Where a symbolic link leads that is no text (/proc/<pid>/fd), with a reference; ERR_PTR.
	 */
	struct dentry *(*jump)(struct inode *inode);

	/*
	 * The rest is for file systems that can be written; NULL: -EPERM. Directories are locked.
	 */
	/* Makes a file or directory as S_IFMT of @mode says; returns it with a reference. */
	struct inode *(*create)(struct inode *dir, const char *name, unsigned len, mode_t mode);
	/* Makes a FIFO, socket or device node; @rdev counts for devices. As create(). */
	struct inode *(*mknod)(struct inode *dir, const char *name, unsigned len, mode_t mode,
			       dev_t rdev);
	/* A regular file without a name, i_nlink 0, that goes with its last user. */
	struct inode *(*tmpfile)(struct inode *dir, mode_t mode);
	struct inode *(*symlink)(struct inode *dir, const char *name, unsigned len, const char *to);
	int (*link)(struct inode *dir, const char *name, unsigned len, struct inode *inode);
	/* @inode is @name's and locked. */
	int (*unlink)(struct inode *dir, const char *name, unsigned len, struct inode *inode);
	int (*rmdir)(struct inode *dir, const char *name, unsigned len, struct inode *inode);
	/* @victim, if not NULL, is what @new_name names now, checked for type, and locked. */
	int (*rename)(struct inode *old_dir, const char *old_name, unsigned old_len,
		      struct inode *inode, struct inode *new_dir, const char *new_name,
		      unsigned new_len, struct inode *victim);
	/*
	 * The two names change places. Both exist, neither inode lies below the other; the
	 * directories (perhaps one) are locked, and both inodes, which differ. 0 or -errno.
	 */
	int (*exchange)(struct inode *old_dir, const char *old_name, unsigned old_len,
			struct inode *old_inode, struct inode *new_dir, const char *new_name,
			unsigned new_len, struct inode *new_inode);
	/* Sets the size; inode locked, regular file, @size within s_maxbytes. */
	int (*truncate)(struct inode *inode, u64 size);
};

#define I_NEW	  0x1u /* being read from the disk: others wait */
#define I_FREEING 0x2u /* being taken down: others wait until it is gone */
#define I_HASHED  0x4u /* found by (super block, number) */

/* What the disk does not know yet. */
#define I_DIRTY_TIME  0x8u  /* times: fdatasync() does not want them */
#define I_DIRTY_ATTR  0x10u /* anything else that the disk's inode says */
#define I_DIRTY_PAGES 0x20u /* maybe: pages of i_data */
#define I_DIRTY	      (I_DIRTY_TIME | I_DIRTY_ATTR | I_DIRTY_PAGES)

struct inode {
	struct super_block *i_sb;
	ino_t i_ino;
	mode_t i_mode;
	u32 i_nlink, i_uid, i_gid;
	dev_t i_rdev;
	struct timespec64 i_atime, i_mtime, i_ctime;
	u64 i_blocks; /* of 512 bytes */
	const struct inode_operations *i_op;
	const struct file_operations *i_fop; /* set for char and block devices by open */
	void *i_private;
	u32 i_seals;		   /* F_SEAL_*; changed with the inode locked (fs/memfd.c) */
	struct pipe *i_pipe;	   /* of an open FIFO (fs/pipe.c) */
	struct file_lock *i_locks; /* NULL: none, and close() need not ask (fs/locks.c) */
	struct mutex lock;
	atomic_t i_count;
	unsigned i_state; /* I_*; inode_lock */
	struct hlist_node i_hash;
	struct dentry *i_dir; /* a directory's one name in the cache, or NULL; dcache_lock */
	struct list_head i_lru;
	struct list_head i_dirty_attr, i_dirty_pages; /* in s_dirty_attr, s_dirty_pages */
	struct address_space i_data;		      /* its size is the file's */
};

/*
 * A new inode of @sb, number @ino (0: the next free one), one reference, one link, times now, owner
 * 0, not hashed: it dies with its last reference. NULL: no memory. For synthetic file systems.
 */
struct inode *inode_new(struct super_block *sb, ino_t ino, mode_t mode);
/* As inode_new() with operations: all that a proc file or directory needs. */
struct inode *simple_inode(struct super_block *sb, ino_t ino, mode_t mode,
			   const struct inode_operations *i_op,
			   const struct file_operations *i_fop);
/*
 * The one inode (@sb, @ino), with a reference; when I_NEW is set in i_state the caller fills it and
 * calls inode_ready(), or inode_failed() (which puts it). ERR_PTR(-ENOMEM). May sleep.
 */
struct inode *inode_find_or_new(struct super_block *sb, ino_t ino);
void inode_ready(struct inode *inode);
void inode_failed(struct inode *inode);

static inline struct inode *inode_get(struct inode *inode)
{
	atomic_inc(&inode->i_count);
	return inode;
}

/* A reference less; NULL is fine. The last one keeps a hashed inode for a while. May sleep. */
void inode_put(struct inode *inode);
/* ---- write-back (fs/writeback.c) ---- */

/* @inode's attributes (@what: I_DIRTY_TIME, I_DIRTY_ATTR) changed. Any task context. */
void inode_mark_dirty(struct inode *inode, unsigned what);
/*
 * For sync_fs(), one at a time: all inodes of @sb whose attributes changed, in the order in which
 * they did, go to @todo, and from there one by one, as clean and with a reference, to the caller,
 * who writes them. NULL: that was the last.
 */
void sb_take_dirty(struct super_block *sb, struct list_head *todo);
struct inode *next_dirty(struct list_head *todo);
/* Writes all of @sb, data first; 0 or the first -errno. */
int sync_filesystem(struct super_block *sb);
/* All file systems, as sync(2). */
void sync_all(void);
/* Before the machine goes off: every disk has everything, and says that it was left in order. */
void vfs_shutdown(void);
/*
 * The debug kernel's: unmounts every file system, the root too, up to the first that is busy. No
 * process is left. Waits for ever for an inode that is in use.
 */
void vfs_unmount_all(void);
/* @file was read at position @pos: the time of that, when it is to be kept (as relatime). */
void touch_atime(struct file *file, u64 pos);
/* fsync(2): bytes and attributes; @datasync: maybe without times. 0 or -errno, -EINVAL: no file. */
int vfs_fsync(struct file *file, bool datasync);
/* Starts the flusher: a kernel thread that writes what has been dirty for some seconds. Boot. */
void flusher_start(void);

/* The time now, for i_mtime and the like. */
struct timespec64 fs_now(void);
void inode_init(void);

/* ---- names (fs/dcache.c) ---- */

#define DNAME_INLINE 40

struct dentry {
	atomic_t d_count;	 /* 0 <-> 1 only under dcache_lock */
	unsigned d_flags;	 /* DENTRY_*; dcache_lock */
	struct dentry *d_parent; /* with a reference; itself for a root; dcache_lock */
	struct inode *d_inode;	 /* with a reference; NULL: the name does not exist (negative) */
	struct super_block *d_sb;
	struct super_block *d_mounted; /* its root hides this dentry; dcache_lock */
	char *d_name;		       /* terminated; d_iname or from kmalloc; dcache_lock */
	u32 d_hash;
	u8 d_len;
	char d_iname[DNAME_INLINE];
	struct hlist_node d_link; /* in the hash table, or unhashed: the name is gone */
	struct list_head d_lru;
};

static inline struct dentry *dget(struct dentry *dentry)
{
	atomic_inc(&dentry->d_count);
	return dentry;
}

/* NULL is fine. May sleep (the last user of an unlinked file). */
void dput(struct dentry *dentry);

/*
 * Path of @dentry as seen from the current task's root, " (deleted)" appended to unlinked names, at
 * the end of @buf; returns its start, or NULL when @size bytes are too few. What lies outside of
 * that root is seen from the root of all; with "(unreachable)" before it in the second form.
 */
char *dentry_path(struct dentry *dentry, char *buf, size_t size);
char *dentry_path_unreachable(struct dentry *dentry, char *buf, size_t size);
/* True when the name was removed from its directory. */
bool dentry_unlinked(const struct dentry *dentry);

/* ---- open files; struct file and its operations are in fs/chrdev.h ---- */

struct dir_context {
	/* False: no more room; the entry is to be given again. Copies: any lock may be held. */
	bool (*emit)(struct dir_context *ctx, const char *name, unsigned len, ino_t ino,
		     unsigned type);
	u64 pos; /* of the next entry: the file system's own numbers, 0 the first */
};

/*
 * Opens a path given in kernel memory (relative to the current directory). File or ERR_PTR; the
 * caller's is the one reference.
 */
struct file *file_open(const char *path, int flags, mode_t mode);
/* For exec: a regular file with an execute bit, else ERR_PTR(-EACCES). */
struct file *file_open_exec(const char *path);
/* @len bytes at @pos into kernel memory; fewer at the end of file; -errno. */
ssize_t file_read_kernel(struct file *file, void *buf, size_t len, u64 pos);
/* An open file on @inode (reference taken over) without a name; NULL: no memory, reference kept. */
struct file *file_alloc_anon(struct inode *inode, const struct file_operations *f_op, int flags);

/* Ready-made operations. */
s64 generic_llseek(struct file *file, s64 offset, int whence);
/* Through the page cache of file->f_inode. */
ssize_t generic_file_read(struct file *file, void *ubuf, size_t len, u64 *pos);
/* The same; honours O_APPEND, O_SYNC and s_maxbytes; sets the times. Locks the inode. */
ssize_t generic_file_write(struct file *file, const void *ubuf, size_t len, u64 *pos);
ssize_t generic_file_write_kernel(struct file *file, const void *buf, size_t len, u64 *pos);
/* A read of @size bytes that are already in kernel memory at @buf: what proc files want. */
ssize_t simple_read(void *ubuf, size_t len, u64 *pos, const void *buf, size_t size);

static inline bool dir_emit(struct dir_context *ctx, const char *name, unsigned len, ino_t ino,
			    unsigned type)
{
	return ctx->emit(ctx, name, len, ino, type);
}

/* "." and "..", which have pos 0 and 1; false when there was no room. */
bool dir_emit_dots(struct file *file, struct dir_context *ctx);

static inline unsigned mode_to_dtype(mode_t mode)
{
	return (mode & S_IFMT) >> 12;
}

/* ---- devices (fs/devfs.c) ---- */

/* The cached bytes of disk @bdev (fs/bdev.c): one mapping for ever; NULL: no memory. */
struct address_space *bdev_mapping(struct block_device *bdev);
/*
 * @bdev is the caller's alone: nobody writes to its file, /dev/NAME, or claims it until
 * bdev_release(), and what was written there is on the disk. 0, -EBUSY: somebody writes, or has
 * claimed it; -ENOMEM, -EIO. May sleep.
 */
int bdev_claim(struct block_device *bdev);
void bdev_release(struct block_device *bdev);

/* ---- descriptors (fs/file.c) ---- */

/* An empty table with one user; NULL: no memory. */
struct files *files_alloc(void);
/* fork: a copy, each file with a reference more; NULL: no memory. */
struct files *files_copy(struct files *files);
/* clone(CLONE_FILES). */
struct files *files_share(struct files *files);
/* The last user's put closes everything. NULL is fine. */
void files_put(struct files *files);
/* exec: closes what is marked so in the current task's table, which nobody else may use. */
void files_close_on_exec(struct files *files);
/* exec with a shared table: gives the current task its own. 0 or -ENOMEM. */
int files_unshare(void);
/* File @fd of another task's table with a reference, or NULL. For /proc/<pid>/fd. */
struct file *files_get_file(struct files *files, int fd);
/* The lowest used descriptor >= @fd, or -1. */
int files_next_fd(struct files *files, int fd);

/* Reserves the lowest free descriptor >= @from of the current task; -EMFILE, -ENOMEM, -EINVAL. */
int fd_alloc(int from, bool cloexec);
/* Fills a reserved descriptor; takes over the reference. Cannot fail. */
void fd_install(int fd, struct file *file);
/* Gives a reserved descriptor back. */
void fd_free(int fd);

/*
 * fd_get() for the duration of a system call, without the atomics while the table is not shared:
 * nobody else can close the file then. Undone by fd_end().
 */
struct fd {
	struct file *file; /* NULL: EBADF */
	bool put;
};

struct fd fd_begin(int fd);
/* The same with files of O_PATH, whose f_op is NULL: for calls that use the place only. */
struct fd fd_begin_any(int fd);

static inline void fd_end(struct fd fd)
{
	if (unlikely(fd.put))
		file_put(fd.file);
}

/* ---- the current directory, root and umask of tasks (fs/fs_context.c) ---- */

struct fs_context {
	atomic_t count;
	struct spinlock lock;
	struct dentry *root, *cwd;
	mode_t umask;
};

/* At the root of all (after vfs_mount_root()), umask 022; NULL: no memory. */
struct fs_context *fs_context_alloc(void);
struct fs_context *fs_context_copy(struct fs_context *fs);  /* fork; NULL: no memory */
struct fs_context *fs_context_share(struct fs_context *fs); /* clone(CLONE_FS) */
void fs_context_put(struct fs_context *fs);		    /* NULL is fine */
/* A reference on the current task's directories; the root of all for kernel threads without fs. */
struct dentry *fs_get_cwd(struct fs_context *fs);
struct dentry *fs_get_root(struct fs_context *fs);

/* ---- paths (fs/namei.c) ---- */

#define LOOKUP_FOLLOW	 0x1u /* of a symbolic link at the end */
#define LOOKUP_DIRECTORY 0x2u /* -ENOTDIR for anything else */
#define LOOKUP_EMPTY	 0x4u /* "" is @dfd itself (AT_EMPTY_PATH) */

/*
 * What @path (kernel memory), from directory descriptor @dfd, names: with a reference, or ERR_PTR.
 */
struct dentry *path_lookup(int dfd, const char *path, unsigned flags);
/* A user's path string into kernel memory; ERR_PTR: -EFAULT, -ENAMETOOLONG, -ENOMEM. */
char *path_from_user(const char *upath);
void path_free(char *path);

/* ---- boot ---- */

/* Caches and the built-in file systems (ext2, tmpfs, devfs, pipes) and /dev/null and friends. */
void vfs_init(void);
/*
 * ext2 of disk "vda" on / (read-only), devfs on /dev, proc on /proc, tmpfs on /tmp and /dev/shm. 0
 * or -errno when there is no root; for the others a message is enough. Gives the current task its
 * directories.
 */
int vfs_mount_root(void);

#endif
