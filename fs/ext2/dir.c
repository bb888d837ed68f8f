/*
 * dir.c - ext2: directories are lists of names in the blocks of a file.
 *
 *	block: [ino rec_len name_len type name...pad][ino rec_len ...] ... to the end of the block
 *
 *	An entry's rec_len leads to the next; ino 0 is a free entry. Entries do not cross blocks.
 *	(An index of hashed names, if there is one, looks like free entries: it is skipped.)
 *
 * Each entry is checked before it is used: a bad one ends the search with -EIO, and as rec_len is
 * never less than the shortest entry, no list is endless.
 *
 * Locks: the directory's inode lock, from the caller.
 */
#include "fs/ext2/ext2.h"
#include "kernel/task.h"
#include "lib/err.h"
#include "lib/string.h"

/* A place in a directory: its page is held. */
struct cursor {
	struct inode *dir;
	u64 pos; /* bytes */
	struct page *page;
	unsigned long index; /* of the page */
};

static void cursor_end(struct cursor *c)
{
	if (c->page)
		page_put(c->page);
	c->page = NULL;
}

/* The entry at c->pos, checked; NULL at the end, or ERR_PTR. */
static struct ext2_dirent *cursor_entry(struct cursor *c)
{
	struct super_block *sb = c->dir->i_sb;
	unsigned blksize = sb->s_blocksize;
	unsigned room = blksize - (c->pos & (blksize - 1));
	struct ext2_dirent *entry;

	if (c->pos >= c->dir->i_data.size)
		return NULL;
	if (!c->page || c->index != c->pos >> PAGE_SHIFT) {
		cursor_end(c);
		c->index = c->pos >> PAGE_SHIFT;
		c->page = read_mapping_page(&c->dir->i_data, c->index);
		if (IS_ERR(c->page)) {
			entry = (void *)c->page;
			c->page = NULL;
			return entry;
		}
		cond_resched();
		if (signal_ends_sleep(TASK_KILLABLE)) /* a damaged one may be very long */
			return ERR_PTR(-EINTR);
	}
	entry = (void *)((char *)page_address(c->page) + offset_in_page(c->pos));
	if (room < EXT2_DIRENT_MIN || entry->rec_len < EXT2_DIRENT_MIN + 4 || entry->rec_len % 4 ||
	    entry->rec_len > room || EXT2_DIRENT_MIN + entry->name_len > entry->rec_len ||
	    entry->inode > EXT2_SB(sb)->inodes_count)
		return ERR_PTR(ext2_error(sb, "directory %lu: bad entry at byte %lu", c->dir->i_ino,
					  c->pos));
	return entry;
}

static bool name_is(const struct ext2_dirent *entry, const char *name, unsigned len)
{
	return entry->inode != 0 && entry->name_len == len && memcmp(entry->name, name, len) == 0;
}

static struct inode *ext2_lookup(struct inode *dir, const char *name, unsigned len)
{
	struct cursor c = { .dir = dir };
	struct ext2_dirent *entry;
	u32 ino = 0;

	while (!IS_ERR_OR_NULL(entry = cursor_entry(&c))) {
		if (name_is(entry, name, len)) {
			ino = entry->inode;
			break;
		}
		c.pos += entry->rec_len;
	}
	cursor_end(&c);
	if (IS_ERR(entry))
		return (void *)entry;
	if (ino == dir->i_ino)
		return ERR_PTR(ext2_error(dir->i_sb, "directory %lu contains itself", dir->i_ino));
	return entry ? ext2_iget(dir->i_sb, ino) : NULL;
}

static unsigned entry_type(const struct super_block *sb, const struct ext2_dirent *entry)
{
	static const u8 types[] = { DT_UNKNOWN, DT_REG,	 DT_DIR,  DT_CHR,
				    DT_BLK,	DT_FIFO, DT_SOCK, DT_LNK };

	if (!EXT2_SB(sb)->filetype || entry->file_type >= ARRAY_SIZE(types))
		return DT_UNKNOWN;
	return types[entry->file_type];
}

/*
 * An offset from the user may point into the middle of an entry: goes through its block from the
 * start, to the first entry at or after it.
 */
static int cursor_sync(struct cursor *c)
{
	u64 want = c->pos;
	struct ext2_dirent *entry;

	c->pos = ALIGN_DOWN(want, (u64)c->dir->i_sb->s_blocksize);
	while (c->pos < want) {
		entry = cursor_entry(c);
		if (IS_ERR(entry))
			return PTR_ERR(entry);
		if (!entry)
			return 0;
		c->pos += entry->rec_len;
	}
	return 0;
}

static int ext2_iterate(struct file *file, struct dir_context *ctx)
{
	struct cursor c = { .dir = file->f_inode, .pos = ctx->pos };
	struct ext2_dirent *entry;
	int err;

	if (c.pos >= c.dir->i_data.size)
		return 0;
	err = cursor_sync(&c);
	while (!err) {
		entry = cursor_entry(&c);
		if (!entry)
			break;
		if (IS_ERR(entry)) {
			err = PTR_ERR(entry);
			break;
		}
		ctx->pos = c.pos;
		if (entry->inode && !dir_emit(ctx, entry->name, entry->name_len, entry->inode,
					      entry_type(c.dir->i_sb, entry)))
			break;
		c.pos += entry->rec_len;
		ctx->pos = c.pos;
	}
	cursor_end(&c);
	return err;
}

const struct inode_operations ext2_dir_iops = {
	.lookup = ext2_lookup,
};

const struct file_operations ext2_dir_fops = {
	.iterate = ext2_iterate,
};
