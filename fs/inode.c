/*
 * inode.c - files in memory: one struct inode for each file that somebody uses or used lately.
 *
 *	inode_hash[sb, ino] -> inode -> inode      disk file systems: found again by number
 *	inode_lru: oldest ... newest               hashed, i_count 0: kept for their page cache
 *
 *	I_NEW -> (inode_ready) -> in use <-> unused, on the LRU -> I_FREEING -> gone
 *
 * A program's pages survive between two runs because its inode does. Inodes of synthetic file
 * systems are not hashed and die with their last reference.
 *
 * Invariants: i_count goes from 0 to 1 and back only under inode_lock; an inode is on the LRU
 * exactly when it is hashed, has links, i_count is 0 and nothing of it is dirty (fs/writeback.c
 * keeps the lists of those that are; written, they come to the LRU from there).
 * Locks: inode_lock (hash, LRU, dirty lists, i_state); taking down sleeps and holds none.
 */
#include "fs/internal.h"
#include "kernel/panic.h"
#include "mm/slab.h"

#define HASH_SIZE  1024 /* dentries hold up to a few thousand inodes (fs/dcache.c) */
#define MAX_UNUSED 256

static struct hlist_head inode_hash[HASH_SIZE];
struct spinlock inode_lock = SPINLOCK_INIT;
static LIST_HEAD(inode_lru);
static unsigned nr_unused;
/* Those who want an inode that is being read or taken down. */
static struct wait_queue inode_wait = WAIT_QUEUE_INIT(inode_wait);
static struct kmem_cache *inode_cache;
static u64 last_ino = 1;

void inode_init(void)
{
	inode_cache = kmem_cache_create("inode", sizeof(struct inode), 0);
}

struct timespec64 fs_now(void)
{
	u64 ns = ktime_real_ns();

	return (struct timespec64){ ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
}

static struct inode *alloc_inode(struct super_block *sb)
{
	struct inode *inode;

	if (sb->s_op && sb->s_op->alloc_inode)
		inode = sb->s_op->alloc_inode(sb);
	else
		inode = kmem_cache_alloc(inode_cache, GFP_KERNEL | GFP_ZERO);
	if (!inode)
		return NULL;
	atomic_inc(&sb->s_nr_inodes);
	inode->i_sb = sb;
	inode->i_nlink = 1;
	atomic_set(&inode->i_count, 1);
	INIT_LIST_HEAD(&inode->i_lru);
	INIT_LIST_HEAD(&inode->i_dirty_attr);
	INIT_LIST_HEAD(&inode->i_dirty_pages);
	mutex_init(&inode->lock);
	mapping_init(&inode->i_data, inode, NULL);
	return inode;
}

static void free_inode(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	if (sb->s_op && sb->s_op->free_inode)
		sb->s_op->free_inode(inode);
	else
		kmem_cache_free(inode_cache, inode);
	/* After the last one inode_drain() lets the super block go: it is not touched any more. */
	if (atomic_dec_and_test(&sb->s_nr_inodes))
		wake_up_all(&inode_wait);
}

struct inode *inode_new(struct super_block *sb, ino_t ino, mode_t mode)
{
	struct inode *inode = alloc_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = ino ? ino : __atomic_add_fetch(&last_ino, 1, __ATOMIC_RELAXED);
	inode->i_mode = mode;
	inode->i_atime = inode->i_mtime = inode->i_ctime = fs_now();
	return inode;
}

struct inode *simple_inode(struct super_block *sb, ino_t ino, mode_t mode,
			   const struct inode_operations *i_op, const struct file_operations *i_fop)
{
	struct inode *inode = inode_new(sb, ino, mode);

	if (!inode)
		return NULL;
	inode->i_op = i_op;
	inode->i_fop = i_fop;
	return inode;
}

/* ---- the table ---- */

static struct hlist_head *hash_head(const struct super_block *sb, ino_t ino)
{
	return &inode_hash[(ino ^ ino >> 8 ^ (unsigned long)sb >> 7) % HASH_SIZE];
}

static struct inode *find_locked(const struct super_block *sb, ino_t ino)
{
	struct inode *inode;

	hlist_for_each_entry(inode, hash_head(sb, ino), i_hash) {
		if (inode->i_ino == ino && inode->i_sb == sb)
			return inode;
	}
	return NULL;
}

void inode_get_locked(struct inode *inode)
{
	if (!list_empty(&inode->i_lru)) {
		list_del_init(&inode->i_lru);
		nr_unused--;
	}
	inode_get(inode);
}

/* True while (@sb, @ino) is being read in or taken down. */
static bool inode_busy(const struct super_block *sb, ino_t ino)
{
	struct inode *inode;
	bool busy;

	spin_lock(&inode_lock);
	inode = find_locked(sb, ino);
	busy = inode && (inode->i_state & (I_NEW | I_FREEING));
	spin_unlock(&inode_lock);
	return busy;
}

/*
 * @spare goes into the table unless (@sb, @ino) is there; returns what is there now, or NULL:
 * busy.
 */
static struct inode *find_or_insert(struct super_block *sb, ino_t ino, struct inode *spare)
{
	struct inode *inode;

	spin_lock(&inode_lock);
	inode = find_locked(sb, ino);
	if (!inode && spare) {
		spare->i_ino = ino;
		spare->i_state = I_NEW | I_HASHED;
		hlist_add_head(&spare->i_hash, hash_head(sb, ino));
		inode = spare;
	} else if (inode && (inode->i_state & (I_NEW | I_FREEING))) {
		inode = NULL;
	} else if (inode) {
		inode_get_locked(inode);
	}
	spin_unlock(&inode_lock);
	return inode;
}

struct inode *inode_find_or_new(struct super_block *sb, ino_t ino)
{
	struct inode *inode = find_or_insert(sb, ino, NULL), *spare;

	if (inode)
		return inode;
	spare = alloc_inode(sb);
	if (!spare)
		return ERR_PTR(-ENOMEM);
	while (!(inode = find_or_insert(sb, ino, spare)))
		wait_event(&inode_wait, !inode_busy(sb, ino));
	if (inode != spare)
		free_inode(spare);
	return inode;
}

void inode_ready(struct inode *inode)
{
	spin_lock(&inode_lock);
	inode->i_state &= ~I_NEW;
	spin_unlock(&inode_lock);
	wake_up_all(&inode_wait);
}

void inode_failed(struct inode *inode)
{
	spin_lock(&inode_lock);
	hlist_del_init(&inode->i_hash);
	inode->i_state = 0;
	spin_unlock(&inode_lock);
	wake_up_all(&inode_wait);
	inode_put(inode);
}

/* ---- going ---- */

/* Takes down @inode, which is I_FREEING and off the LRU. */
static void evict(struct inode *inode)
{
	const struct super_operations *s_op = inode->i_sb->s_op;

	BUG_ON(atomic_read(&inode->i_count) != 0);
	if (s_op && s_op->evict_inode)
		s_op->evict_inode(inode);
	if (inode->i_data.ops)
		mapping_destroy(&inode->i_data);
	if (inode->i_state & I_HASHED) {
		spin_lock(&inode_lock);
		hlist_del_init(&inode->i_hash);
		spin_unlock(&inode_lock);
		wake_up_all(&inode_wait);
	}
	free_inode(inode);
}

/* @inode, which is unused, leaves the LRU and is I_FREEING then. inode_lock held. */
static struct inode *take_unused(struct inode *inode)
{
	list_del_init(&inode->i_lru);
	nr_unused--;
	inode->i_state |= I_FREEING;
	return inode;
}

/* The oldest unused inode without pages, now I_FREEING; NULL: none. inode_lock held. */
static struct inode *take_oldest_empty(void)
{
	struct inode *inode;

	list_for_each_entry(inode, &inode_lru, i_lru) {
		if (READ_ONCE(inode->i_data.nr_pages) == 0)
			return take_unused(inode);
	}
	return NULL;
}

/* A reference less. @wait false: no inode is taken down whose pages may be under I/O. */
static void put(struct inode *inode, bool wait)
{
	struct inode *victim = NULL;

	if (!inode || atomic_dec_unless_one(&inode->i_count))
		return;
	spin_lock(&inode_lock);
	if (!atomic_dec_and_test(&inode->i_count)) {
		spin_unlock(&inode_lock);
		return;
	}
	if (!(inode->i_state & I_HASHED) || inode->i_nlink == 0 ||
	    ((inode->i_sb->s_flags & SB_DYING) && !(inode->i_state & I_DIRTY))) {
		inode_forget_dirty(inode);
		inode->i_state |= I_FREEING;
		victim = inode;
	} else if (!(inode->i_state & I_DIRTY)) {
		list_add_tail(&inode->i_lru, &inode_lru);
		if (++nr_unused > MAX_UNUSED && wait)
			victim = take_unused(list_first_entry(&inode_lru, struct inode, i_lru));
	}
	spin_unlock(&inode_lock);
	if (victim)
		evict(victim);
}

void inode_put(struct inode *inode)
{
	put(inode, true);
}

void inode_put_nowait(struct inode *inode)
{
	put(inode, false);
}

/*
 * Names first: they hold the inodes. Unused inodes that have pages stay: shrink_page_cache() takes
 * those pages, and only an inode without any is taken down without waiting for a page lock.
 */
unsigned long fs_shrink(unsigned long nr)
{
	unsigned long freed = dcache_shrink(nr);

	while (freed < nr) {
		struct inode *inode;

		spin_lock(&inode_lock);
		inode = take_oldest_empty();
		spin_unlock(&inode_lock);
		if (!inode)
			break;
		evict(inode);
		freed++;
	}
	return freed;
}

/* An unused inode of @sb, now I_FREEING; NULL: none. */
static struct inode *take_unused_of(const struct super_block *sb)
{
	struct inode *inode, *found = NULL;

	spin_lock(&inode_lock);
	list_for_each_entry(inode, &inode_lru, i_lru) {
		if (inode->i_sb == sb) {
			found = take_unused(inode);
			break;
		}
	}
	spin_unlock(&inode_lock);
	return found;
}

void inode_forget(const struct super_block *sb)
{
	struct inode *inode;

	while ((inode = take_unused_of(sb)))
		evict(inode);
}

bool inode_any_removed(const struct super_block *sb)
{
	struct inode *inode;
	bool found = false;

	spin_lock(&inode_lock);
	for (unsigned i = 0; i < HASH_SIZE && !found; i++) {
		hlist_for_each_entry(inode, &inode_hash[i], i_hash) {
			if (inode->i_sb == sb && !(inode->i_state & I_NEW) && inode->i_nlink == 0)
				found = true;
		}
	}
	spin_unlock(&inode_lock);
	return found;
}

void inode_drain(struct super_block *sb)
{
	spin_lock(&inode_lock);
	sb->s_flags |= SB_DYING;
	spin_unlock(&inode_lock);
	inode_forget(sb);
	wait_event(&inode_wait, atomic_read(&sb->s_nr_inodes) == 0);
}
