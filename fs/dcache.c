/*
 * dcache.c - the names that path walks met lately: (parent, name) -> inode, or "no such name".
 *
 *	hash[parent, name] -> dentry -> dentry
 *	dentry: d_parent --> dentry --> ... --> root (its own parent)      each link is a reference
 *	lru: dentries that nobody used when they were put there; oldest first
 *
 * A look-up only counts a reference and marks the dentry as referenced; it leaves the LRU alone.
 * When there are more than max_lru, the oldest that are still unused go; referenced ones get a
 * second chance. An unhashed dentry was unlinked (or belongs to a file system whose names are
 * never cached) and dies with its last reference.
 *
 * Invariants: d_count goes from 0 to 1 and back only under dcache_lock; a dentry with d_count 0 is
 * hashed and on the LRU; d_inode never changes once it is set; a directory's inode lock keeps a
 * name from being cached twice. Mounts: a root's first reference from outside of its file system is
 * taken by d_cross(), under dcache_lock and only while d_mounted leads to it; d_unmount() clears
 * d_mounted in the same section in which it sees that there is no such reference. So nobody enters
 * a file system that is being taken down, and walks that meet no mount point take no lock for it.
 * Locks: dcache_lock (hash, LRU, d_parent, d_name, d_flags). Freeing sleeps and holds none.
 */
#include "fs/internal.h"
#include "kernel/panic.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/slab.h"

#define HASH_SIZE      4096
#define MIN_UNUSED     512
#define MAX_UNUSED     8192
#define PAGES_FOR_EACH 16 /* pages of memory for each unused dentry, which may hold an inode */

#define DENTRY_LRU	  0x1u
#define DENTRY_REFERENCED 0x2u

static struct hlist_head dentry_hash[HASH_SIZE];
static struct spinlock dcache_lock = SPINLOCK_INIT;
static LIST_HEAD(dentry_lru);
static unsigned nr_lru, max_lru;
static struct kmem_cache *dentry_cache;

void dcache_init(void)
{
	max_lru = clamp(nr_managed_pages() / PAGES_FOR_EACH, MIN_UNUSED, MAX_UNUSED);
	dentry_cache = kmem_cache_create("dentry", sizeof(struct dentry), 0);
}

u32 d_name_hash(const char *name, unsigned len)
{
	u32 hash = len;

	for (unsigned i = 0; i < len; i++)
		hash = hash * 31 + (u8)name[i];
	return hash ^ hash >> 15;
}

static struct hlist_head *hash_head(const struct dentry *parent, u32 hash)
{
	return &dentry_hash[(hash ^ (unsigned long)parent >> 6) % HASH_SIZE];
}

static bool d_matches(const struct dentry *dentry, const struct dentry *parent, const char *name,
		      unsigned len, u32 hash)
{
	return dentry->d_hash == hash && dentry->d_parent == parent && dentry->d_len == len &&
	       memcmp(dentry->d_name, name, len) == 0;
}

struct dentry *d_lookup(struct dentry *parent, const char *name, unsigned len, u32 hash)
{
	struct dentry *dentry;

	spin_lock(&dcache_lock);
	hlist_for_each_entry(dentry, hash_head(parent, hash), d_link) {
		if (!d_matches(dentry, parent, name, len, hash))
			continue;
		dentry->d_flags |= DENTRY_REFERENCED;
		dget(dentry);
		break;
	}
	spin_unlock(&dcache_lock);
	return dentry;
}

/* ---- making ---- */

static bool set_name(struct dentry *dentry, const char *name, unsigned len)
{
	dentry->d_name = len < DNAME_INLINE ? dentry->d_iname : kmalloc(len + 1, GFP_KERNEL);
	if (!dentry->d_name)
		return false;
	memcpy(dentry->d_name, name, len);
	dentry->d_name[len] = '\0';
	dentry->d_len = len;
	return true;
}

static void free_dentry(struct dentry *dentry)
{
	if (dentry->d_name != dentry->d_iname)
		kfree(dentry->d_name);
	kmem_cache_free(dentry_cache, dentry);
}

static struct dentry *new_dentry(struct super_block *sb, const char *name, unsigned len)
{
	struct dentry *dentry = kmem_cache_alloc(dentry_cache, GFP_KERNEL | GFP_ZERO);

	if (!dentry)
		return NULL;
	if (!set_name(dentry, name, len)) {
		kmem_cache_free(dentry_cache, dentry);
		return NULL;
	}
	atomic_set(&dentry->d_count, 1);
	dentry->d_sb = sb;
	return dentry;
}

/*
 * @dentry is about to name @inode: a directory may have one cached name only, for locks and walks
 * upward rely on the tree being one. False: it has another, which only a damaged disk can mean.
 * dcache_lock held.
 */
static bool claim_directory(struct dentry *dentry, struct inode *inode)
{
	if (!inode || !S_ISDIR(inode->i_mode))
		return true;
	if (inode->i_dir)
		return false;
	inode->i_dir = dentry;
	return true;
}

/* @dentry leaves the cache. dcache_lock held. */
static void disclaim_directory(struct dentry *dentry)
{
	if (dentry->d_inode && dentry->d_inode->i_dir == dentry)
		dentry->d_inode->i_dir = NULL;
}

struct dentry *d_alloc(struct dentry *parent, const char *name, unsigned len, u32 hash,
		       struct inode *inode)
{
	struct dentry *dentry = new_dentry(parent->d_sb, name, len);

	bool is_only = true;

	if (!dentry)
		return ERR_PTR(-ENOMEM);
	dentry->d_parent = parent;
	dentry->d_inode = inode;
	dentry->d_hash = hash;
	if (!(parent->d_sb->s_flags & SB_NOCACHE)) {
		spin_lock(&dcache_lock);
		is_only = claim_directory(dentry, inode);
		if (is_only)
			hlist_add_head(&dentry->d_link, hash_head(parent, hash));
		spin_unlock(&dcache_lock);
	}
	if (!is_only) {
		free_dentry(dentry);
		return ERR_PTR(-EIO);
	}
	dget(parent);
	return dentry;
}

struct dentry *d_alloc_root(struct super_block *sb, struct inode *inode)
{
	struct dentry *dentry = new_dentry(sb, "/", 1);

	if (!dentry)
		return NULL;
	atomic_inc(&sb->s_nr_roots);
	dentry->d_parent = dentry;
	dentry->d_inode = inode;
	if (S_ISDIR(inode->i_mode))
		inode->i_dir = dentry;
	return dentry;
}

void d_instantiate(struct dentry *dentry, struct inode *inode)
{
	BUG_ON(dentry->d_inode);
	spin_lock(&dcache_lock);
	BUG_ON(!claim_directory(dentry, inode)); /* it is new */
	spin_unlock(&dcache_lock);
	smp_store_release(&dentry->d_inode, inode);
}

/* ---- going ---- */

/* dcache_lock held; @dentry has no user. Off all lists, so that it is the caller's alone. */
static void detach(struct dentry *dentry)
{
	disclaim_directory(dentry);
	hlist_del_init(&dentry->d_link);
	if (dentry->d_flags & DENTRY_LRU) {
		list_del(&dentry->d_lru);
		dentry->d_flags &= ~DENTRY_LRU;
		nr_lru--;
	}
}

/*
 * Frees detached @dentry; returns its parent, whose reference is now the caller's to drop, NULL for
 * a root. @put is inode_put() or, in reclaim, inode_put_nowait().
 */
static struct dentry *destroy(struct dentry *dentry, void (*put)(struct inode *inode))
{
	struct dentry *parent = d_is_root(dentry) ? NULL : dentry->d_parent;
	struct super_block *sb = dentry->d_sb;

	put(dentry->d_inode);
	free_dentry(dentry);
	if (!parent)
		atomic_dec(&sb->s_nr_roots);
	return parent;
}

/* The oldest unused dentry, detached; NULL: none. dcache_lock held. */
static struct dentry *take_oldest(void)
{
	while (!list_empty(&dentry_lru)) {
		struct dentry *dentry = list_first_entry(&dentry_lru, struct dentry, d_lru);

		if (atomic_read(&dentry->d_count) > 0) {
			list_del(&dentry->d_lru);
			dentry->d_flags &= ~DENTRY_LRU;
			nr_lru--;
		} else if (dentry->d_flags & DENTRY_REFERENCED) {
			dentry->d_flags &= ~DENTRY_REFERENCED;
			list_move_tail(&dentry->d_lru, &dentry_lru);
		} else {
			detach(dentry);
			return dentry;
		}
	}
	return NULL;
}

/* A reference less; returns a dentry that is to be destroyed, detached, or NULL. */
static struct dentry *put_one(struct dentry *dentry)
{
	struct dentry *victim = NULL;

	if (atomic_dec_unless_one(&dentry->d_count))
		return NULL;
	spin_lock(&dcache_lock);
	if (!atomic_dec_and_test(&dentry->d_count)) {
		spin_unlock(&dcache_lock);
		return NULL;
	}
	if (hlist_unhashed(&dentry->d_link)) {
		detach(dentry);
		victim = dentry;
	} else if (!(dentry->d_flags & DENTRY_LRU)) {
		dentry->d_flags |= DENTRY_LRU;
		list_add_tail(&dentry->d_lru, &dentry_lru);
		if (++nr_lru > max_lru)
			victim = take_oldest();
	}
	spin_unlock(&dcache_lock);
	return victim;
}

/* Drops references up the tree for as long as they are the last ones. */
static void put_chain(struct dentry *dentry, void (*put)(struct inode *inode))
{
	while (dentry) {
		dentry = put_one(dentry);
		if (dentry)
			dentry = destroy(dentry, put);
	}
}

void dput(struct dentry *dentry)
{
	put_chain(dentry, inode_put);
}

unsigned long dcache_shrink(unsigned long nr)
{
	unsigned long freed = 0;

	while (freed < nr) {
		struct dentry *dentry;

		spin_lock(&dcache_lock);
		dentry = take_oldest();
		spin_unlock(&dcache_lock);
		if (!dentry)
			break;
		put_chain(destroy(dentry, inode_put_nowait), inode_put_nowait);
		freed++;
	}
	return freed;
}

void d_drop(struct dentry *dentry)
{
	spin_lock(&dcache_lock);
	disclaim_directory(dentry);
	hlist_del_init(&dentry->d_link);
	spin_unlock(&dcache_lock);
}

/* The next unused child of @dir, detached, or NULL. */
static struct dentry *take_child(struct dentry *dir)
{
	struct dentry *dentry, *found = NULL;

	spin_lock(&dcache_lock);
	list_for_each_entry(dentry, &dentry_lru, d_lru) {
		if (dentry->d_parent == dir && atomic_read(&dentry->d_count) == 0) {
			found = dentry;
			detach(dentry);
			break;
		}
	}
	spin_unlock(&dcache_lock);
	return found;
}

void d_forget_children(struct dentry *dir)
{
	struct dentry *child;

	/* A child holds its parent: one reference, the caller's, says that there is none. */
	while (atomic_read(&dir->d_count) > 1 && (child = take_child(dir)))
		dput(destroy(child, inode_put));
}

unsigned d_forget_sb(struct super_block *sb)
{
	struct dentry *dentry, *next;
	LIST_HEAD(victims);
	unsigned freed = 0;

	spin_lock(&dcache_lock);
	list_for_each_entry_safe(dentry, next, &dentry_lru, d_lru) {
		if (dentry->d_sb != sb || atomic_read(&dentry->d_count) > 0)
			continue;
		detach(dentry);
		list_add_tail(&dentry->d_lru, &victims);
	}
	spin_unlock(&dcache_lock);
	while (!list_empty(&victims)) {
		dentry = list_first_entry(&victims, struct dentry, d_lru);
		list_del(&dentry->d_lru);
		dput(destroy(dentry, inode_put));
		freed++;
	}
	return freed;
}

/* ---- mount points: d_mounted is set and cleared under dcache_lock ---- */

struct dentry *d_cross(struct dentry *dentry)
{
	struct super_block *sb;
	struct dentry *root;

	spin_lock(&dcache_lock);
	sb = dentry->d_mounted;
	root = sb ? dget(sb->s_root) : dentry;
	spin_unlock(&dcache_lock);
	if (sb)
		dput(dentry);
	return root;
}

int d_mount(struct dentry *where, struct super_block *sb)
{
	int err = 0;

	spin_lock(&dcache_lock);
	if (where->d_mounted || d_is_root(where)) {
		err = -EBUSY;
	} else if (hlist_unhashed(&where->d_link)) {
		err = -ENOENT;
	} else {
		sb->s_mountpoint = where;
		smp_store_release(&where->d_mounted, sb);
	}
	spin_unlock(&dcache_lock);
	return err;
}

/*
 * Two references of the root: the super block's and the caller's. Files without a name are reached
 * from no root: those that are open for writing are counted, and so are dentries of their own.
 */
bool d_unmount(struct super_block *sb)
{
	bool idle;

	spin_lock(&dcache_lock);
	idle = atomic_read(&sb->s_root->d_count) == 2;
	smp_mb(); /* who dropped the root had counted himself before */
	idle = idle && atomic_read(&sb->s_nr_roots) == 1 && atomic_read(&sb->s_writers) == 0;
	if (idle && sb->s_mountpoint) /* the root of all has none */
		sb->s_mountpoint->d_mounted = NULL;
	spin_unlock(&dcache_lock);
	return idle;
}

/* ---- moving and looking up the tree ---- */

/*
 * The two exchange names and parents: so no memory is needed, and both stay well-formed. Both leave
 * the hash table. dcache_lock held.
 */
static void swap_names(struct dentry *a, struct dentry *b)
{
	hlist_del_init(&a->d_link);
	hlist_del_init(&b->d_link);
	if (a->d_name == a->d_iname && b->d_name == b->d_iname) {
		for (unsigned i = 0; i < DNAME_INLINE; i++)
			swap(a->d_iname[i], b->d_iname[i]);
	} else {
		char *name = a->d_name == a->d_iname ? b->d_iname : a->d_name;
		char *b_name = b->d_name == b->d_iname ? a->d_iname : b->d_name;

		if (name == b->d_iname)
			memcpy(name, a->d_iname, DNAME_INLINE);
		if (b_name == a->d_iname)
			memcpy(b_name, b->d_iname, DNAME_INLINE);
		a->d_name = b_name;
		b->d_name = name;
	}
	swap(a->d_len, b->d_len);
	swap(a->d_hash, b->d_hash);
	swap(a->d_parent, b->d_parent);
}

static void rehash(struct dentry *dentry)
{
	hlist_add_head(&dentry->d_link, hash_head(dentry->d_parent, dentry->d_hash));
}

void d_move(struct dentry *dentry, struct dentry *target)
{
	spin_lock(&dcache_lock);
	swap_names(dentry, target);
	rehash(dentry);
	spin_unlock(&dcache_lock);
}

void d_exchange(struct dentry *a, struct dentry *b)
{
	spin_lock(&dcache_lock);
	swap_names(a, b);
	rehash(a);
	rehash(b);
	spin_unlock(&dcache_lock);
}

struct dentry *d_get_parent(struct dentry *dentry)
{
	struct dentry *parent;

	spin_lock(&dcache_lock);
	parent = dget(dentry->d_parent);
	spin_unlock(&dcache_lock);
	return parent;
}

bool d_is_below(struct dentry *dentry, struct dentry *ancestor)
{
	bool below;

	spin_lock(&dcache_lock);
	while (dentry != ancestor && !d_is_root(dentry))
		dentry = dentry->d_parent;
	below = dentry == ancestor;
	spin_unlock(&dcache_lock);
	return below;
}

/* dcache_lock held. */
static bool is_unlinked(const struct dentry *dentry)
{
	return !d_is_root(dentry) && !(dentry->d_sb->s_flags & SB_NOCACHE) &&
	       hlist_unhashed(&dentry->d_link);
}

/* The lock, because a rename takes a dentry out of the table for a moment. */
bool dentry_unlinked(const struct dentry *dentry)
{
	bool unlinked;

	spin_lock(&dcache_lock);
	unlinked = is_unlinked(dentry);
	spin_unlock(&dcache_lock);
	return unlinked;
}

/* Puts @len bytes of @s before *p; false when they do not fit above @buf. */
static bool prepend(char **p, const char *buf, const char *s, size_t len)
{
	if ((size_t)(*p - buf) < len)
		return false;
	*p -= len;
	memcpy(*p, s, len);
	return true;
}

/* dentry_path() as seen from @root; *@outside: @root was not met. */
static char *path_from(struct dentry *root, struct dentry *dentry, char *buf, size_t size,
		       bool *outside)
{
	static const char deleted[] = " (deleted)";
	char *p = buf + size;
	bool ok = prepend(&p, buf, "", 1);

	spin_lock(&dcache_lock);
	if (is_unlinked(dentry))
		ok = ok && prepend(&p, buf, deleted, sizeof(deleted) - 1);
	while (ok && dentry != root) {
		if (!d_is_root(dentry)) {
			ok = prepend(&p, buf, dentry->d_name, dentry->d_len) &&
			     prepend(&p, buf, "/", 1);
			dentry = dentry->d_parent;
		} else if (dentry->d_sb->s_mountpoint) {
			dentry = dentry->d_sb->s_mountpoint;
		} else {
			break;
		}
	}
	*outside = dentry != root;
	spin_unlock(&dcache_lock);
	/* Nothing but the end, or a root with " (deleted)" on it. */
	if (ok && *p != '/')
		ok = prepend(&p, buf, "/", 1);
	return ok ? p : NULL;
}

char *dentry_path(struct dentry *dentry, char *buf, size_t size)
{
	struct dentry *root = fs_get_root(current->fs);
	bool outside;
	char *p = path_from(root, dentry, buf, size, &outside);

	dput(root);
	return p;
}

char *dentry_path_unreachable(struct dentry *dentry, char *buf, size_t size)
{
	static const char mark[] = "(unreachable)";
	struct dentry *root = fs_get_root(current->fs);
	bool outside;
	char *p = path_from(root, dentry, buf, size, &outside);

	dput(root);
	if (p && outside && !prepend(&p, buf, mark, sizeof(mark) - 1))
		p = NULL;
	return p;
}
