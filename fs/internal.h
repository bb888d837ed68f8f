/*
 * internal.h - what the files of fs/ share among themselves and nobody else needs.
 */
#ifndef RAVEL_FS_INTERNAL_H
#define RAVEL_FS_INTERNAL_H

#include "fs/permission.h"
#include "fs/vfs.h"

/* Takes one off @v unless it is the last; false: it is, and the caller must lock and look again. */
static inline bool atomic_dec_unless_one(atomic_t *v)
{
	int old = atomic_read(v);

	do {
		if (old == 1)
			return false;
	} while (!__atomic_compare_exchange_n(&v->counter, &old, old - 1, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	return true;
}

/* ---- dcache.c ---- */

static inline bool d_is_root(const struct dentry *dentry)
{
	return dentry->d_parent == dentry;
}

/* The dentry that d_alloc_root() made for an inode without a name (fs/proc/fd.c). */
static inline bool d_is_anon(const struct dentry *dentry)
{
	return d_is_root(dentry) && dentry->d_sb->s_root != dentry;
}

u32 d_name_hash(const char *name, unsigned len);
/* The cached dentry of @name in @parent with a reference (it may be negative), or NULL. */
struct dentry *d_lookup(struct dentry *parent, const char *name, unsigned len, u32 hash);
/*
 * A new dentry, with a reference; @inode's (NULL: negative) is taken over. The parent's inode is
 * locked, so that no name is cached twice. ERR_PTR, and the caller keeps the inode: -ENOMEM; -EIO
 * when it is a directory that has another name.
 */
struct dentry *d_alloc(struct dentry *parent, const char *name, unsigned len, u32 hash,
		       struct inode *inode);
struct dentry *d_alloc_root(struct super_block *sb, struct inode *inode);
/* A negative dentry becomes @inode's name; takes the reference over. Parent locked. */
void d_instantiate(struct dentry *dentry, struct inode *inode);
/* The name is gone: nobody finds @dentry any more. Parent locked. */
void d_drop(struct dentry *dentry);
/* Forgets the unused dentries below a directory that was removed. */
void d_forget_children(struct dentry *dir);
/* @dentry becomes @target's name (same file system); @target is forgotten. Both parents locked. */
void d_move(struct dentry *dentry, struct dentry *target);
/* The names change places (same file system, neither below the other). Both parents locked. */
void d_exchange(struct dentry *a, struct dentry *b);
struct dentry *d_get_parent(struct dentry *dentry);
/*
 * What is to be seen at @dentry, whose reference is taken over: the root mounted there, or itself.
 */
struct dentry *d_cross(struct dentry *dentry);
/*
 * @sb's root hides @where from now on: -EBUSY when something else does or @where is a root, -ENOENT
 * when its name is gone. The inode of @where is locked.
 */
int d_mount(struct dentry *where, struct super_block *sb);
/* Undoes d_mount() unless somebody but the caller, with one reference, uses @sb: false. */
bool d_unmount(struct super_block *sb);
/* Frees the unused dentries of @sb; returns how many. */
unsigned d_forget_sb(struct super_block *sb);
/* True when @dentry is @ancestor or lies below it in the same file system. */
bool d_is_below(struct dentry *dentry, struct dentry *ancestor);
/* Frees about @nr unused dentries; returns how many. Never waits. */
unsigned long dcache_shrink(unsigned long nr);
void dcache_init(void);

/* ---- namei.c ---- */

#define WALK_PARENT 0x100u /* stop before the last name */

enum last_type { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

/* A path being walked. */
struct walk {
	struct dentry *dentry; /* where we are; a reference */
	const char *rest;      /* what is still to be walked */
	const char *last;      /* the name at hand, not terminated */
	unsigned last_len;
	enum last_type last_type;
	bool final; /* nothing but slashes follows the name at hand */
	bool slash; /* a slash follows it */
	char *link; /* owned memory behind rest after a symbolic link */
	unsigned nr_links;
	bool jumped; /* the last link led to a file, not to a path */
};

/* 0 or -errno; in any case walk_end() undoes it. */
int walk_start(struct walk *w, int dfd, const char *path);
int walk_run(struct walk *w, unsigned flags);
/* Goes on at the target of symbolic link @link, whose reference is taken over. */
int walk_follow(struct walk *w, struct dentry *link);
/* Steps to @child (reference taken over), and into what is mounted there. */
void walk_to(struct walk *w, struct dentry *child);
void walk_end(struct walk *w);
/*
 * What the name at hand of @w is, maybe negative, with a reference; or ERR_PTR. Locks the
 * directory.
 */
struct dentry *walk_lookup_last(struct walk *w);
/* The same with the directory already locked. */
struct dentry *walk_lookup_last_locked(struct walk *w);
struct dentry *lookup_name_locked(struct dentry *dir, const char *name, unsigned len, u32 hash);

/* ---- dirops.c ---- */

/* A new regular file named by the negative @child of locked @dir. 0 or -errno. */
int vfs_create(struct dentry *dir, struct dentry *child, mode_t mode);
/* @mode of a new file without what the task's umask takes. */
mode_t apply_umask(mode_t mode);

/* ---- inode.c ---- */

extern struct spinlock inode_lock;
/* A reference more, inode_lock held; i_count may be 0. */
void inode_get_locked(struct inode *inode);
/* writeback.c: @inode is nowhere listed as dirty any more; its pages may be. inode_lock held. */
void inode_forget_dirty(struct inode *inode);

/* Frees every unused inode of @sb, which could not be mounted. */
void inode_forget(const struct super_block *sb);
/* True when a hashed inode of @sb lost its last name and is still in use: its end is a write. */
bool inode_any_removed(const struct super_block *sb);
/*
 * The end of all inodes of @sb, which nobody can find any more: waits for those that somebody still
 * has in hand.
 */
void inode_drain(struct super_block *sb);
/* As inode_put(), for reclaim: never waits. For inodes that some other cache kept. */
void inode_put_nowait(struct inode *inode);

/* ---- read_write.c ---- */

/* The most bytes that one call moves, as on Linux. */
#define MAX_RW_COUNT 0x7ffff000UL

/* What read(2) and write(2) do, at *@pos; the caller sees to it that *@pos is its own. */
static inline ssize_t file_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	if (unlikely(!(file->f_mode & FMODE_READ)))
		return -EBADF;
	if (unlikely(!file->f_op->read))
		return S_ISDIR(file->f_inode->i_mode) ? -EISDIR : -EINVAL;
	return file->f_op->read(file, ubuf, min(len, MAX_RW_COUNT), pos);
}

static inline ssize_t file_write(struct file *file, const void *ubuf, size_t len, u64 *pos)
{
	if (unlikely(!(file->f_mode & FMODE_WRITE)))
		return -EBADF;
	if (unlikely(!file->f_op->write))
		return -EINVAL;
	if (unlikely(!is_fs_root()) && len)
		drop_setid(file->f_inode);
	return file->f_op->write(file, ubuf, min(len, MAX_RW_COUNT), pos);
}

/*
 * Before and after a use of the offset of @fd's file: others who may use it at the same time are
 * kept out. Streams have no offset, and nobody must wait behind who sleeps for their bytes.
 */
static inline bool pos_begin(struct fd fd)
{
	if (likely((fd.file->f_mode & FMODE_STREAM) ||
		   !(fd.put || atomic_read(&fd.file->f_count) > 1)))
		return false;
	mutex_lock(&fd.file->f_pos_lock);
	return true;
}

static inline void pos_end(struct fd fd, bool locked)
{
	if (unlikely(locked))
		mutex_unlock(&fd.file->f_pos_lock);
}

/* ---- file_write.c ---- */

/* filemap_write() and its twin for kernel memory. */
typedef ssize_t (*filemap_write_fn)(struct address_space *as, const void *buf, size_t len, u64 pos);
/*
 * The end of a write to @file that gave @n: with O_SYNC or O_DSYNC what was written is on the disk
 * when this returns. @n, or -errno of that.
 */
ssize_t sync_written(struct file *file, ssize_t n);

/* ---- pipe.c ---- */

#define PIPE_PAGES 16
#define PIPE_SIZE  (PIPE_PAGES * (unsigned)PAGE_SIZE) /* bytes that a pipe holds at most */

extern const struct file_operations fifo_fops;
/* F_GETPIPE_SZ and F_SETPIPE_SZ: bytes; -EBADF: no pipe; -EBUSY: holds more; -EPERM, -EINVAL. */
long pipe_get_size(const struct file *file);
long pipe_set_size(struct file *file, unsigned long size);

/* ---- others ---- */

/* truncate(2) on an inode: -EISDIR, -EINVAL, -EROFS, -EFBIG. Locks the inode. */
int vfs_truncate(struct inode *inode, s64 size);
/*
 * May a file become @size bytes long? 0, or -EFBIG when it would grow past what its file system can
 * hold or the caller's RLIMIT_FSIZE, then with SIGXFSZ. setrlimit(2), ftruncate(2).
 */
int inode_check_size(const struct inode *inode, u64 size);
/* An open file without inode and operations; NULL: no memory. Undone by file_put(). */
struct file *file_alloc(unsigned flags);
void file_init(void);

/* Takes the file out of @fd, with its reference; NULL: EBADF. file_close() it. */
struct file *fd_take(int fd);
/* A descriptor of @files is gone: so are the locks that its process had, and a reference. */
void file_close(struct files *files, struct file *file);
/*
 * Puts @file, with one more reference, at @fd, closing what was there; @fd, -EBADF, -ENOMEM,
 * -EBUSY.
 */
int fd_replace(int fd, struct file *file, bool cloexec);
/* The close-on-exec mark: 0, 1, -EBADF. */
int fd_get_cloexec(int fd);
int fd_set_cloexec(int fd, bool cloexec);

/* The operations of character device @dev, or NULL. */
const struct file_operations *chrdev_find(dev_t dev);
/* The directory of devices: entry @i (0..); false past the last. */
struct dev_entry {
	const char *name;
	mode_t type; /* S_IFCHR or S_IFBLK */
	dev_t dev;
};
bool dev_get_entry(unsigned i, struct dev_entry *entry);
extern const struct file_operations bdev_fops;
extern const struct file_operations zero_fops;
struct block_device *bdev_find(dev_t dev);
/* fsync() of an open disk: 0 or -errno of the writes since the call. */
int bdev_fsync(struct file *file);
/* sync(): what was written to disks as files. */
void bdev_sync_all(void);

void devfs_init(void);
void mem_dev_init(void);
void pipe_init(void);
void tmpfs_init(void);
void ext2_init(void);
void mpage_init(void);

/*
 * A blank super block for fill_super() or for a file system without a place (pipes); NULL: no
 * memory.
 */
struct super_block *sb_new(const struct fs_type *type, struct block_device *bdev);
/*
 * The end of @sb, filled and not (or no longer) mounted: root, dentries, inodes, itself. May sleep.
 */
void sb_kill(struct super_block *sb);
/*
 * @flags (of SB_MNT_MASK) instead of those it has: -EBUSY when somebody writes, or what the file
 * system says. mount_mutex held.
 */
int sb_remount(struct super_block *sb, unsigned flags);
/* The root of all, or NULL before vfs_mount_root(). */
extern struct super_block *root_sb;

#endif
