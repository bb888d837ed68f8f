/*
 * writeback.c - what the disks do not know yet, by inode, and the flusher that tells them.
 *
 *	super_block  s_dirty_attr  -> [inode] [inode]     size, links, times ... changed
 *	             s_dirty_pages -> [inode] [inode]     pages may be dirty (mm/writeback.c);
 *	                                                  regular files only
 *
 *	sync_filesystem()   1. start writing the pages of every file on s_dirty_pages
 *	                    2. wait for them
 *	                    3. sync_fs(): the file system's own metadata, and the disk's cache
 *	flusher             the same, every dirty_writeback_centisecs or when much is dirty
 *
 * An inode that is on a list is not on the LRU of unused inodes, and reclaim cannot take it. The
 * lists hold no references: a file that was removed must go with its last user, not with the next
 * sync. Whoever works on a listed inode takes one.
 *
 * Invariants: an inode is on s_dirty_attr (or in what sb_take_dirty() took) exactly when
 * I_DIRTY_ATTR or I_DIRTY_TIME is set, on s_dirty_pages exactly when I_DIRTY_PAGES is; a regular
 * file whose pages are dirty has I_DIRTY_PAGES, but for the moment until mm has told us.
 * Locks: inode_lock for lists and flags; s_sync_lock while the data of a file system is written.
 * Nothing here takes an inode's own lock, so that a sync may be asked for with locked directories.
 */
#include "fs/internal.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/task.h"
#include "kernel/time.h"

#define FILES_AT_ONCE 16

static struct wait_queue flusher_queue = WAIT_QUEUE_INIT(flusher_queue);
static struct wait_queue flushed_queue = WAIT_QUEUE_INIT(flushed_queue);
static bool flusher_asked;
unsigned long dirty_writeback_centisecs = 500;
static unsigned long passes_begun, passes_done;

/* ---- marking ---- */

void inode_mark_dirty(struct inode *inode, unsigned what)
{
	struct super_block *sb = inode->i_sb;

	smp_mb(); /* what changed before the look at the flags: pairs with take_dirty() */
	if ((READ_ONCE(inode->i_state) & what) == what || !sb->s_op || !sb->s_op->sync_fs)
		return;
	spin_lock(&inode_lock);
	if (!(inode->i_state & I_FREEING)) {
		if (!(inode->i_state & (I_DIRTY_ATTR | I_DIRTY_TIME)))
			list_add_tail(&inode->i_dirty_attr, &sb->s_dirty_attr);
		inode->i_state |= what;
	}
	spin_unlock(&inode_lock);
}

/* What directories and links say is metadata: sync_fs() writes it, when it is its turn. */
bool mapping_is_data(const struct address_space *as)
{
	return as->host && S_ISREG(as->host->i_mode);
}

void mapping_dirtied(struct address_space *as)
{
	struct inode *inode = as->host;

	if (!mapping_is_data(as))
		return;
	spin_lock(&inode_lock);
	if (!(inode->i_state & (I_DIRTY_PAGES | I_FREEING))) {
		inode->i_state |= I_DIRTY_PAGES;
		list_add_tail(&inode->i_dirty_pages, &inode->i_sb->s_dirty_pages);
	}
	spin_unlock(&inode_lock);
}

void inode_forget_dirty(struct inode *inode)
{
	inode->i_state &= ~I_DIRTY;
	list_del_init(&inode->i_dirty_attr);
	list_del_init(&inode->i_dirty_pages);
}

/* ---- inode by inode ---- */

/*
 * Moves the first inode off @list, as clean and with a reference; NULL: the list is empty. It is
 * the caller's to write what its flags stood for: @attr, or else its pages.
 */
static struct inode *take_dirty(struct list_head *list, bool attr)
{
	struct inode *inode = NULL;

	spin_lock(&inode_lock);
	if (!list_empty(list)) {
		inode = attr ? list_first_entry(list, struct inode, i_dirty_attr) :
			       list_first_entry(list, struct inode, i_dirty_pages);
		list_del_init(attr ? &inode->i_dirty_attr : &inode->i_dirty_pages);
		inode->i_state &= attr ? ~(I_DIRTY_ATTR | I_DIRTY_TIME) : ~I_DIRTY_PAGES;
		inode_get_locked(inode);
	}
	spin_unlock(&inode_lock);
	smp_mb(); /* the flags are clear before the inode is read: pairs with inode_mark_dirty() */
	return inode;
}

/* All that is on @from now goes to @to: what is marked from now on is not in it. */
static void take_list(struct list_head *from, struct list_head *to)
{
	spin_lock(&inode_lock);
	list_splice_tail_init(from, to);
	spin_unlock(&inode_lock);
}

void sb_take_dirty(struct super_block *sb, struct list_head *todo)
{
	take_list(&sb->s_dirty_attr, todo);
}

struct inode *next_dirty(struct list_head *todo)
{
	return take_dirty(todo, true);
}

/* Starts writing the pages of up to @max files of @todo; returns how many, with references. */
static unsigned start_some(struct list_head *todo, struct inode **inodes, unsigned max)
{
	unsigned nr = 0;

	while (nr < max && (inodes[nr] = take_dirty(todo, false))) {
		filemap_start_write(&inodes[nr]->i_data, 0, ~0UL);
		nr++;
	}
	return nr;
}

/* Writes the pages of every file of @sb that has dirty ones, several files at a time, and waits. */
static void write_data(struct super_block *sb)
{
	struct inode *inodes[FILES_AT_ONCE];
	LIST_HEAD(todo);
	unsigned nr;

	/* Who comes while another has the list waits for what that one writes. */
	mutex_lock(&sb->s_sync_lock);
	take_list(&sb->s_dirty_pages, &todo);
	while ((nr = start_some(&todo, inodes, FILES_AT_ONCE)) > 0) {
		for (unsigned i = 0; i < nr; i++) {
			filemap_wait_write(&inodes[i]->i_data, 0, ~0UL);
			inode_put(inodes[i]);
		}
	}
	mutex_unlock(&sb->s_sync_lock);
}

int sync_filesystem(struct super_block *sb)
{
	if (!sb->s_op || !sb->s_op->sync_fs)
		return 0;
	write_data(sb);
	return sb->s_op->sync_fs(sb);
}

void sync_all(void)
{
	struct super_block *sb = NULL;

	while ((sb = sb_get_next(sb)))
		sync_filesystem(sb);
	bdev_sync_all();
}

/* ---- the flusher ---- */

void flusher_wake(void)
{
	if (smp_load_acquire(&flusher_asked))
		return;
	smp_store_release(&flusher_asked, true);
	wake_up_all(&flusher_queue);
}

void flusher_wait(void)
{
	/* A pass that has begun may be past what is dirty now: the one after it is not. */
	unsigned long want = READ_ONCE(passes_begun) + 1;

	flusher_wake();
	wait_event(&flushed_queue, (long)(smp_load_acquire(&passes_done) - want) >= 0);
}

/* When the flusher looks without being asked; 0 centiseconds: never. */
static u64 next_pass(void)
{
	u64 period = READ_ONCE(dirty_writeback_centisecs);

	return period ? ktime_ns() + period * (NSEC_PER_SEC / 100) : LONG_MAX;
}

/* Sleeps until somebody asks, or it is time. */
static void wait_for_work(void)
{
	u64 deadline = next_pass();
	struct wait_entry entry = WAIT_ENTRY_INIT;

	do {
		prepare_to_wait(&flusher_queue, &entry, TASK_IDLE);
	} while (!smp_load_acquire(&flusher_asked) && !schedule_until(deadline));
	finish_wait(&flusher_queue, &entry);
}

static void flusher(void *arg __maybe_unused)
{
	for (;;) {
		wait_for_work();
		smp_store_release(&flusher_asked, false);
		passes_begun++;
		smp_mb(); /* begun before the lists are looked at: pairs with flusher_wait() */
		sync_all();
		smp_store_release(&passes_done, passes_begun);
		wake_up_all(&flushed_queue);
	}
}

void flusher_start(void)
{
	if (!kernel_thread(flusher, NULL, "flusher"))
		panic("no memory for the flusher");
}
