/*
 * tmpfs.c - files that live in memory only, until the machine stops.
 *
 *	directory inode --entries--> [entry "a" #2] -> [entry "b" #5] -> ...    by cookie, growing
 *	entry_hash[directory, name] -> [entry] -> [entry]                      for look-ups
 *	entry --reference--> inode;  a file's bytes are its page cache (mm/shmem.c)
 *
 *	An inode is kept by the entries that name it and by whoever has it open or mapped; with
 *	the last of them it goes, and its pages with it. A cookie is a place for readdir: it is
 *	given once, so a directory can be read on while entries come and go.
 *
 * Invariants: each entry holds one reference of its inode and is one of its i_nlink; a directory
 * has i_nlink 2 and one more for each directory in it, or 0 once it is removed, and then no
 * entries. `used` of a file system is what its inodes, long link targets and further hard links
 * are charged for.
 * Locks: the VFS's inode locks (directories; a file while it is written); inside them tmpfs_lock
 * for all entries, link counts and charges.
 */
#include "fs/internal.h"
#include "fs/tmpfs.h"
#include "kernel/panic.h"
#include "kernel/task.h"
#include "lib/string.h"
#include "mm/shmem.h"
#include "mm/slab.h"

#define TMPFS_MAGIC  0x01021994
#define HASH_SIZE    1024
#define TARGET_UNIT  512 /* bytes of a link's target that are charged like one inode */
#define FIRST_COOKIE 2	 /* 0 and 1 are "." and ".." */

struct tmpfs_sb {
	unsigned long used, max; /* charges */
};

struct tmpfs_inode {
	struct inode inode;
	struct list_head entries; /* of a directory */
	u64 next_cookie;
	char *target; /* of a symbolic link, i_data.size bytes; of a nameless file, for people */
};

struct tmpfs_entry {
	struct hlist_node hash;
	struct list_head link;
	u64 cookie;
	struct inode *dir;
	struct inode *inode; /* a reference */
	u8 len;
	char name[];
};

static struct spinlock tmpfs_lock = SPINLOCK_INIT;
static struct hlist_head entry_hash[HASH_SIZE];
static struct kmem_cache *tmpfs_inode_cache;

static inline struct tmpfs_inode *tmpfs_i(struct inode *inode)
{
	return container_of(inode, struct tmpfs_inode, inode);
}

/* ---- charges ---- */

static int charge(struct super_block *sb, unsigned long n)
{
	struct tmpfs_sb *ts = sb->s_fs_info;
	int err = -ENOSPC;

	spin_lock(&tmpfs_lock);
	if (n <= ts->max - ts->used) {
		ts->used += n;
		err = 0;
	}
	spin_unlock(&tmpfs_lock);
	return err;
}

static void uncharge(struct super_block *sb, unsigned long n)
{
	struct tmpfs_sb *ts = sb->s_fs_info;

	spin_lock(&tmpfs_lock);
	ts->used -= n;
	spin_unlock(&tmpfs_lock);
}

/* What an inode costs, by the length of its link target (0: no link). */
static unsigned long inode_cost(size_t target_len)
{
	return 1 + target_len / TARGET_UNIT;
}

/* ---- entries; directories are locked ---- */

static struct hlist_head *hash_head(const struct inode *dir, const char *name, unsigned len)
{
	return &entry_hash[(d_name_hash(name, len) ^ (unsigned long)dir >> 6) % HASH_SIZE];
}

/* tmpfs_lock held. */
static struct tmpfs_entry *find_locked(const struct inode *dir, const char *name, unsigned len)
{
	struct tmpfs_entry *entry;

	hlist_for_each_entry(entry, hash_head(dir, name, len), hash) {
		if (entry->dir == dir && entry->len == len && memcmp(entry->name, name, len) == 0)
			return entry;
	}
	return NULL;
}

static struct tmpfs_entry *entry_alloc(const char *name, unsigned len)
{
	struct tmpfs_entry *entry = kmalloc(sizeof(*entry) + len, GFP_KERNEL);

	if (!entry)
		return NULL;
	entry->len = len;
	memcpy(entry->name, name, len);
	return entry;
}

/* Makes @entry the last of @dir, naming @inode, whose reference it takes. tmpfs_lock held. */
static void entry_add(struct tmpfs_entry *entry, struct inode *dir, struct inode *inode)
{
	struct tmpfs_inode *ti = tmpfs_i(dir);

	entry->dir = dir;
	entry->inode = inode;
	entry->cookie = ti->next_cookie++;
	list_add_tail(&entry->link, &ti->entries);
	entry->hash = (struct hlist_node){ NULL, NULL };
	hlist_add_head(&entry->hash, hash_head(dir, entry->name, entry->len));
}

/* Takes @entry out; memory and reference are the caller's then. tmpfs_lock held. */
static void entry_del(struct tmpfs_entry *entry)
{
	hlist_del(&entry->hash);
	list_del(&entry->link);
}

/* An edit of @dir, and of what @inode is called, happened now. */
static void touch(struct inode *dir, struct inode *inode)
{
	struct timespec64 now = fs_now();

	dir->i_mtime = dir->i_ctime = now;
	inode->i_ctime = now;
}

static struct inode *tmpfs_lookup(struct inode *dir, const char *name, unsigned len)
{
	struct tmpfs_entry *entry;
	struct inode *inode = NULL;

	spin_lock(&tmpfs_lock);
	entry = find_locked(dir, name, len);
	if (entry)
		inode = inode_get(entry->inode);
	spin_unlock(&tmpfs_lock);
	return inode;
}

static int tmpfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct tmpfs_inode *ti = tmpfs_i(file->f_inode);
	struct tmpfs_entry *entry;

	if (!dir_emit_dots(file, ctx))
		return 0;
	spin_lock(&tmpfs_lock);
	list_for_each_entry(entry, &ti->entries, link) {
		if (entry->cookie < ctx->pos)
			continue;
		ctx->pos = entry->cookie;
		if (!dir_emit(ctx, entry->name, entry->len, entry->inode->i_ino,
			      mode_to_dtype(entry->inode->i_mode)))
			break;
		ctx->pos++;
	}
	spin_unlock(&tmpfs_lock);
	return 0;
}

/* ---- making ---- */

static const struct inode_operations tmpfs_dir_iops, tmpfs_file_iops, tmpfs_link_iops,
	tmpfs_node_iops;
static const struct file_operations tmpfs_dir_fops, tmpfs_file_fops;

/* A new inode of type S_IFMT of @mode, without a name; or ERR_PTR: -ENOSPC, -ENOMEM. */
static struct inode *make_inode(struct super_block *sb, mode_t mode, const char *target)
{
	size_t len = target ? strlen(target) : 0;
	struct inode *inode;

	if (charge(sb, inode_cost(len)))
		return ERR_PTR(-ENOSPC);
	inode = inode_new(sb, 0, mode);
	if (!inode) {
		uncharge(sb, inode_cost(len));
		return ERR_PTR(-ENOMEM);
	}
	inode->i_data.size = len; /* from now on tmpfs_evict() knows the charge */
	switch (mode & S_IFMT) {
	case S_IFDIR:
		inode->i_op = &tmpfs_dir_iops;
		inode->i_fop = &tmpfs_dir_fops;
		inode->i_nlink = 2;
		return inode;
	case S_IFREG:
		inode->i_op = &tmpfs_file_iops;
		inode->i_fop = &tmpfs_file_fops;
		inode->i_data.ops = &shmem_aops;
		inode->i_seals = F_SEAL_SEAL;
		return inode;
	case S_IFLNK:
		inode->i_op = &tmpfs_link_iops;
		tmpfs_i(inode)->target = kmalloc(len, GFP_KERNEL);
		if (tmpfs_i(inode)->target) {
			memcpy(tmpfs_i(inode)->target, target, len);
			return inode;
		}
		inode_put(inode);
		return ERR_PTR(-ENOMEM);
	default:
		inode->i_op = &tmpfs_node_iops;
		return inode;
	}
}

/* A new inode with its name in @dir; one reference is the name's, one the caller's. */
static struct inode *make_named(struct inode *dir, const char *name, unsigned len, mode_t mode,
				const char *target)
{
	struct tmpfs_entry *entry = entry_alloc(name, len);
	struct inode *inode;

	if (!entry)
		return ERR_PTR(-ENOMEM);
	inode = make_inode(dir->i_sb, mode, target);
	if (IS_ERR(inode)) {
		kfree(entry);
		return inode;
	}
	inode_init_owner(inode, dir);
	spin_lock(&tmpfs_lock);
	entry_add(entry, dir, inode_get(inode));
	if (S_ISDIR(mode))
		dir->i_nlink++;
	spin_unlock(&tmpfs_lock);
	touch(dir, inode);
	return inode;
}

static struct inode *tmpfs_create(struct inode *dir, const char *name, unsigned len, mode_t mode)
{
	return make_named(dir, name, len, mode, NULL);
}

static struct inode *tmpfs_mknod(struct inode *dir, const char *name, unsigned len, mode_t mode,
				 dev_t rdev)
{
	struct inode *inode = make_named(dir, name, len, mode, NULL);

	if (!IS_ERR(inode))
		inode->i_rdev = rdev;
	return inode;
}

static struct inode *tmpfs_tmpfile(struct inode *dir, mode_t mode)
{
	struct inode *inode = make_inode(dir->i_sb, mode, NULL);

	if (IS_ERR(inode))
		return inode;
	inode_init_owner(inode, dir);
	inode->i_nlink = 0;
	return inode;
}

static struct inode *tmpfs_symlink(struct inode *dir, const char *name, unsigned len,
				   const char *to)
{
	return make_named(dir, name, len, S_IFLNK | 0777, to);
}

static int tmpfs_link(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	struct tmpfs_entry *entry = entry_alloc(name, len);
	int err;

	if (!entry)
		return -ENOMEM;
	err = charge(dir->i_sb, 1);
	if (err) {
		kfree(entry);
		return err;
	}
	spin_lock(&tmpfs_lock);
	entry_add(entry, dir, inode_get(inode));
	inode->i_nlink++;
	spin_unlock(&tmpfs_lock);
	touch(dir, inode);
	return 0;
}

static int tmpfs_readlink(struct inode *inode, char *buf, size_t size)
{
	size_t len = min((size_t)inode->i_data.size, size);

	memcpy(buf, tmpfs_i(inode)->target, len);
	return len;
}

/* ---- removing ---- */

/*
 * @inode lost a name in @dir: the counts of both, and the charge of a hard link. tmpfs_lock
 * held.
 */
static void drop_link(struct inode *dir, struct inode *inode)
{
	if (S_ISDIR(inode->i_mode)) {
		dir->i_nlink--;
		inode->i_nlink = 0;
	} else if (--inode->i_nlink > 0) {
		struct tmpfs_sb *ts = inode->i_sb->s_fs_info;

		ts->used--;
	}
}

static int tmpfs_unlink(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	struct tmpfs_entry *entry;

	spin_lock(&tmpfs_lock);
	entry = find_locked(dir, name, len);
	if (!entry) {
		spin_unlock(&tmpfs_lock);
		return -ENOENT;
	}
	entry_del(entry);
	drop_link(dir, inode);
	spin_unlock(&tmpfs_lock);
	touch(dir, inode);
	kfree(entry);
	inode_put(inode); /* the entry's; the VFS has its own */
	return 0;
}

static int tmpfs_rmdir(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	if (!list_empty(&tmpfs_i(inode)->entries))
		return -ENOTEMPTY;
	return tmpfs_unlink(dir, name, len, inode);
}

/*
 * With a victim its entry is what stays, naming @inode then, so that nothing can fail and the
 * new name exists at all times; without one a new entry is made.
 */
static int tmpfs_rename(struct inode *old_dir, const char *old_name, unsigned old_len,
			struct inode *inode, struct inode *new_dir, const char *new_name,
			unsigned new_len, struct inode *victim)
{
	struct tmpfs_entry *old, *new = NULL;

	if (victim && S_ISDIR(victim->i_mode) && !list_empty(&tmpfs_i(victim)->entries))
		return -ENOTEMPTY;
	if (!victim) {
		new = entry_alloc(new_name, new_len);
		if (!new)
			return -ENOMEM;
	}
	spin_lock(&tmpfs_lock);
	old = find_locked(old_dir, old_name, old_len);
	if (victim) {
		find_locked(new_dir, new_name, new_len)->inode = inode;
		drop_link(new_dir, victim);
	} else {
		entry_add(new, new_dir, inode);
	}
	entry_del(old);
	if (S_ISDIR(inode->i_mode) && old_dir != new_dir) {
		old_dir->i_nlink--;
		new_dir->i_nlink++;
	}
	spin_unlock(&tmpfs_lock);
	kfree(old);
	touch(old_dir, inode);
	touch(new_dir, victim ? victim : inode);
	inode_put(victim);
	return 0;
}

/* The entries stay and name each other's inode. */
static int tmpfs_exchange(struct inode *old_dir, const char *old_name, unsigned old_len,
			  struct inode *old_inode, struct inode *new_dir, const char *new_name,
			  unsigned new_len, struct inode *new_inode)
{
	int moved = S_ISDIR(old_inode->i_mode) - S_ISDIR(new_inode->i_mode);

	spin_lock(&tmpfs_lock);
	find_locked(old_dir, old_name, old_len)->inode = new_inode;
	find_locked(new_dir, new_name, new_len)->inode = old_inode;
	if (old_dir != new_dir) {
		old_dir->i_nlink -= moved;
		new_dir->i_nlink += moved;
	}
	spin_unlock(&tmpfs_lock);
	touch(old_dir, old_inode);
	touch(new_dir, new_inode);
	return 0;
}

/* ---- contents ---- */

static int tmpfs_truncate(struct inode *inode, u64 size)
{
	struct address_space *as = &inode->i_data;
	int err = seals_allow_size(inode, size);
	struct page *tail = NULL;

	if (err)
		return err;
	if (size < as->size)
		tail = shmem_hold_part(as, size); /* in memory, for its end to be zeroed */
	if (IS_ERR(tail))
		return PTR_ERR(tail);
	filemap_truncate(as, size);
	if (tail)
		page_put(tail);
	inode->i_mtime = inode->i_ctime = fs_now();
	return 0;
}

/* ---- the whole ---- */

static struct inode *tmpfs_alloc_inode(struct super_block *sb __maybe_unused)
{
	struct tmpfs_inode *ti = kmem_cache_alloc(tmpfs_inode_cache, GFP_KERNEL | GFP_ZERO);

	if (!ti)
		return NULL;
	INIT_LIST_HEAD(&ti->entries);
	ti->next_cookie = FIRST_COOKIE;
	return &ti->inode;
}

static void tmpfs_free_inode(struct inode *inode)
{
	kfree(tmpfs_i(inode)->target);
	kmem_cache_free(tmpfs_inode_cache, tmpfs_i(inode));
}

/*
 * Drops all that is in @dir: a root that is being unmounted. What is in a directory in it goes to
 * the front of @dir's own list, before that directory: so there is no recursion. Nobody else sees
 * the tree, but its entries are found by nobody only as long as their directories exist.
 */
static void drop_tree(struct inode *dir)
{
	struct list_head *entries = &tmpfs_i(dir)->entries;

	while (!list_empty(entries)) {
		struct tmpfs_entry *entry = list_first_entry(entries, struct tmpfs_entry, link);

		if (!list_empty(&tmpfs_i(entry->inode)->entries)) {
			list_splice_init(&tmpfs_i(entry->inode)->entries, entries);
			continue;
		}
		spin_lock(&tmpfs_lock);
		entry_del(entry);
		drop_link(dir, entry->inode);
		spin_unlock(&tmpfs_lock);
		inode_put(entry->inode);
		kfree(entry);
	}
}

static void tmpfs_evict(struct inode *inode)
{
	drop_tree(inode);
	uncharge(inode->i_sb, inode_cost(S_ISLNK(inode->i_mode) ? inode->i_data.size : 0));
}

static int tmpfs_statfs(struct super_block *sb, struct statfs_abi *st)
{
	struct tmpfs_sb *ts = sb->s_fs_info;
	unsigned long used = shmem_nr_used();

	st->f_blocks = shmem_max_pages();
	st->f_bfree = st->f_bavail = used < st->f_blocks ? st->f_blocks - used : 0;
	st->f_files = ts->max;
	st->f_ffree = ts->max - READ_ONCE(ts->used);
	return 0;
}

static const struct inode_operations tmpfs_dir_iops = {
	.lookup = tmpfs_lookup,
	.create = tmpfs_create,
	.mknod = tmpfs_mknod,
	.tmpfile = tmpfs_tmpfile,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.exchange = tmpfs_exchange,
};

static const struct inode_operations tmpfs_file_iops = { .truncate = tmpfs_truncate };
static const struct inode_operations tmpfs_node_iops;
static const struct inode_operations tmpfs_link_iops = { .readlink = tmpfs_readlink };

static const struct file_operations tmpfs_dir_fops = { .iterate = tmpfs_iterate };
static const struct file_operations tmpfs_file_fops = {
	.read = generic_file_read,
	.write = generic_file_write,
	.write_kernel = generic_file_write_kernel,
};

static void tmpfs_put_super(struct super_block *sb)
{
	kfree(sb->s_fs_info);
}

static const struct super_operations tmpfs_sops = {
	.put_super = tmpfs_put_super,
	.alloc_inode = tmpfs_alloc_inode,
	.free_inode = tmpfs_free_inode,
	.evict_inode = tmpfs_evict,
	.statfs = tmpfs_statfs,
};

static int tmpfs_fill_super(struct super_block *sb)
{
	struct tmpfs_sb *ts = kzalloc(sizeof(*ts), GFP_KERNEL);
	struct inode *root;
	int err;

	if (!ts)
		return -ENOMEM;
	ts->max = shmem_max_pages();
	sb->s_op = &tmpfs_sops;
	sb->s_fs_info = ts;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_magic = TMPFS_MAGIC;
	root = make_inode(sb, S_IFDIR | 01777, NULL);
	err = IS_ERR(root) ? PTR_ERR(root) : sb_make_root(sb, root);
	if (err)
		kfree(ts);
	return err;
}

/* ---- files without a name ---- */

/* Never mounted: for shared memory. */
static struct super_block *nameless_sb;

struct inode *tmpfs_nameless_inode(const char *name, mode_t mode, u64 size)
{
	struct inode *inode = make_inode(nameless_sb, S_IFREG | mode, NULL);
	char *copy = kmalloc(strlen(name) + 1, GFP_KERNEL);

	if (IS_ERR(inode) || !copy) {
		kfree(copy);
		if (!IS_ERR(inode))
			inode_put(inode);
		return IS_ERR(inode) ? inode : ERR_PTR(-ENOMEM);
	}
	memcpy(copy, name, strlen(name) + 1);
	tmpfs_i(inode)->target = copy;
	inode->i_uid = current->cred.fsuid;
	inode->i_gid = current->cred.fsgid;
	inode->i_nlink = 0;
	inode->i_data.size = size;
	return inode;
}

struct file *tmpfs_nameless_open(struct inode *inode, int flags)
{
	struct file *file = file_alloc_anon(inode, &tmpfs_file_fops, flags);

	if (file)
		file->f_mapping = &inode->i_data;
	return file;
}

struct file *tmpfs_nameless_file(const char *name, mode_t mode, u64 size)
{
	struct inode *inode = tmpfs_nameless_inode(name, mode, size);
	struct file *file;

	if (IS_ERR(inode))
		return (void *)inode;
	file = tmpfs_nameless_open(inode, O_RDWR);
	if (file)
		return file;
	inode_put(inode);
	return ERR_PTR(-ENOMEM);
}

struct file *shared_memory_file(u64 bytes)
{
	return tmpfs_nameless_file("/dev/zero", 0777, bytes);
}

const char *tmpfs_nameless_name(const struct inode *inode)
{
	return inode->i_sb == nameless_sb ?
		       container_of(inode, const struct tmpfs_inode, inode)->target :
		       NULL;
}

void tmpfs_init(void)
{
	static struct fs_type tmpfs_type = { .name = "tmpfs", .fill_super = tmpfs_fill_super };

	tmpfs_inode_cache = kmem_cache_create("tmpfs_inode", sizeof(struct tmpfs_inode), 0);
	fs_register(&tmpfs_type);
	nameless_sb = sb_new(&tmpfs_type, NULL);
	BUG_ON(!nameless_sb || tmpfs_fill_super(nameless_sb));
}
