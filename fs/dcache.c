/*
 * dcache.c - the names that path walks met lately: (parent, name) -> inode, or "no such name".
 *
 *	hash[parent, name] -> dentry -> dentry
 *	dentry: d_parent --> dentry --> ... --> root (its own parent)      each link is a reference
 *	lru: dentries that nobody used when they were put there; oldest first
 *
 * A look-up only counts a reference and marks the dentry as referenced; it leaves the LRU alone.
 * When there are more than MAX_UNUSED, the oldest that are still unused go; referenced ones get a
 * second chance. An unhashed dentry was unlinked (or belongs to a file system whose names are
 * never cached) and dies with its last reference.
 *
 * Invariants: d_count goes from 0 to 1 and back only under dcache_lock; a dentry with d_count 0 is
 * hashed and on the LRU; d_inode never changes once it is set; a directory's inode lock keeps a
 * name from being cached twice.
 * Locks: dcache_lock (hash, LRU, d_parent, d_name, d_flags). Freeing sleeps and holds none.
 */
#include "fs/internal.h"
#include "kernel/panic.h"
#include "lib/string.h"
#include "mm/slab.h"

#define HASH_SIZE  1024
#define MAX_UNUSED 512

#define DENTRY_LRU	  0x1u
#define DENTRY_REFERENCED 0x2u

static struct hlist_head dentry_hash[HASH_SIZE];
static struct spinlock dcache_lock = SPINLOCK_INIT;
static LIST_HEAD(dentry_lru);
static unsigned nr_lru;
static struct kmem_cache *dentry_cache;

void dcache_init(void)
{
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

struct dentry *d_alloc(struct dentry *parent, const char *name, unsigned len, u32 hash,
		       struct inode *inode)
{
	struct dentry *dentry = new_dentry(parent->d_sb, name, len);

	if (!dentry)
		return NULL;
	dentry->d_parent = dget(parent);
	dentry->d_inode = inode;
	dentry->d_hash = hash;
	if (parent->d_sb->s_flags & SB_NOCACHE)
		return dentry;
	spin_lock(&dcache_lock);
	hlist_add_head(&dentry->d_link, hash_head(parent, hash));
	spin_unlock(&dcache_lock);
	return dentry;
}

struct dentry *d_alloc_root(struct super_block *sb, struct inode *inode)
{
	struct dentry *dentry = new_dentry(sb, "/", 1);

	if (!dentry)
		return NULL;
	dentry->d_parent = dentry;
	dentry->d_inode = inode;
	return dentry;
}

void d_instantiate(struct dentry *dentry, struct inode *inode)
{
	BUG_ON(dentry->d_inode);
	smp_store_release(&dentry->d_inode, inode);
}

/* ---- going ---- */

/* dcache_lock held; @dentry has no user. Off all lists, so that it is the caller's alone. */
static void detach(struct dentry *dentry)
{
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

	put(dentry->d_inode);
	free_dentry(dentry);
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
		if (++nr_lru > MAX_UNUSED)
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

	while ((child = take_child(dir)))
		dput(destroy(child, inode_put));
}

/* ---- moving and looking up the tree ---- */

void d_move(struct dentry *dentry, struct dentry *target)
{
	struct dentry *old_parent;

	spin_lock(&dcache_lock);
	old_parent = dentry->d_parent;
	hlist_del_init(&target->d_link);
	hlist_del_init(&dentry->d_link);
	/* The two exchange names and parents: so no memory is needed, and both stay well-formed. */
	if (dentry->d_name == dentry->d_iname && target->d_name == target->d_iname) {
		for (unsigned i = 0; i < DNAME_INLINE; i++)
			swap(dentry->d_iname[i], target->d_iname[i]);
	} else {
		char *name = dentry->d_name == dentry->d_iname ? target->d_iname : dentry->d_name;
		char *target_name =
			target->d_name == target->d_iname ? dentry->d_iname : target->d_name;

		if (name == target->d_iname)
			memcpy(name, dentry->d_iname, DNAME_INLINE);
		if (target_name == dentry->d_iname)
			memcpy(target_name, target->d_iname, DNAME_INLINE);
		dentry->d_name = target_name;
		target->d_name = name;
	}
	swap(dentry->d_len, target->d_len);
	swap(dentry->d_hash, target->d_hash);
	dentry->d_parent = target->d_parent;
	target->d_parent = old_parent;
	hlist_add_head(&dentry->d_link, hash_head(dentry->d_parent, dentry->d_hash));
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

bool dentry_unlinked(const struct dentry *dentry)
{
	return !d_is_root(dentry) && !(dentry->d_sb->s_flags & SB_NOCACHE) &&
	       hlist_unhashed(&dentry->d_link);
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
	if (dentry_unlinked(dentry))
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
