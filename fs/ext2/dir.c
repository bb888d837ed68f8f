/*
 * dir.c - ext2: directories are lists of names in the blocks of a file. Finding and listing.
 *
 *	block: [ino rec_len name_len type name...pad][ino rec_len ...] ... to the end of the block
 *
 *	An entry's rec_len leads to the next; ino 0 is a free entry. Entries do not cross blocks.
 *	(An index of hashed names, if there is one, looks like free entries: it is skipped.)
 *
 * Each entry is checked before it is used: a bad one ends the search with -EIO, and as rec_len is
 * never less than the shortest entry, no list is endless.
 *
 * A directory is only entered from the one that its ".." names. So directories are a tree, whatever
 * a damaged disk says, and locks that are taken from parent to child do not go in circles.
 *
 * Invariant: "." and ".." are the first two entries, and stay where they are.
 * Locks: the directory's inode lock, from the caller. For its ".." that of its parent is enough:
 * only a rename changes it, and holds the locks of the old and the new parent.
 */
#include "fs/ext2/ext2.h"
#include "kernel/task.h"
#include "lib/err.h"
#include "lib/string.h"

char *ext2_dir_block(struct inode *dir, u64 pos, struct page **page)
{
	unsigned long index = pos >> PAGE_SHIFT;

	if (!*page || (*page)->index != index) {
		if (*page)
			page_put(*page);
		*page = read_mapping_page(&dir->i_data, index);
		if (IS_ERR(*page)) {
			char *err = (char *)*page;

			*page = NULL;
			return err;
		}
		cond_resched();
	}
	return (char *)page_address(*page) + offset_in_page(pos);
}

struct ext2_dirent *ext2_dir_entry(struct inode *dir, char *block, unsigned offset, u64 block_pos)
{
	struct super_block *sb = dir->i_sb;
	struct ext2_dirent *entry = (void *)(block + offset);
	unsigned room = sb->s_blocksize - offset;

	if (unlikely(room < EXT2_DIRENT_MIN || entry->rec_len < EXT2_DIRENT_MIN + 4 ||
		     entry->rec_len % 4 || entry->rec_len > room ||
		     EXT2_DIRENT_MIN + entry->name_len > entry->rec_len ||
		     entry->inode > EXT2_SB(sb)->inodes_count))
		return ERR_PTR(ext2_error(sb, "directory %lu: bad entry at byte %lu", dir->i_ino,
					  block_pos + offset));
	return entry;
}

static bool name_is(const struct ext2_dirent *entry, const char *name, unsigned len)
{
	return entry->inode != 0 && entry->name_len == len && memcmp(entry->name, name, len) == 0;
}

/* Looks for @name in the block at place->pos. 0: place->entry is it, or NULL; -EIO. */
static int find_in_block(struct inode *dir, char *block, const char *name, unsigned len,
			 struct ext2_place *place)
{
	unsigned size = dir->i_sb->s_blocksize;
	struct ext2_dirent *entry;

	for (unsigned offset = 0; offset < size; offset += entry->rec_len) {
		entry = ext2_dir_entry(dir, block, offset, place->pos);
		if (IS_ERR(entry))
			return PTR_ERR(entry);
		if (name_is(entry, name, len)) {
			place->entry = entry;
			return 0;
		}
	}
	return 0;
}

int ext2_find_entry(struct inode *dir, const char *name, unsigned len, struct ext2_place *place)
{
	unsigned size = dir->i_sb->s_blocksize;
	char *block;
	int err;

	*place = (struct ext2_place){ .dir = dir };
	for (; place->pos < dir->i_data.size; place->pos += size) {
		block = ext2_dir_block(dir, place->pos, &place->page);
		err = IS_ERR(block) ? PTR_ERR(block) : find_in_block(dir, block, name, len, place);
		if (err || place->entry)
			return err;
	}
	return -ENOENT;
}

int ext2_find_dotdot(struct inode *dir, struct ext2_place *place)
{
	struct ext2_dirent *entry;
	char *block;

	*place = (struct ext2_place){ .dir = dir };
	block = ext2_dir_block(dir, 0, &place->page);
	if (IS_ERR(block))
		return PTR_ERR(block);
	entry = ext2_dir_entry(dir, block, 0, 0);
	if (!IS_ERR(entry) && entry->rec_len < dir->i_sb->s_blocksize)
		entry = ext2_dir_entry(dir, block, entry->rec_len, 0);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	if (!name_is(entry, "..", 2))
		return ext2_error(dir->i_sb, "directory %lu: '..' is not the second entry",
				  dir->i_ino);
	place->entry = entry;
	return 0;
}

static struct inode *ext2_lookup(struct inode *dir, const char *name, unsigned len)
{
	struct ext2_place place;
	int err = ext2_find_entry(dir, name, len, &place);
	u32 ino = err ? 0 : place.entry->inode;

	ext2_place_end(&place);
	if (err)
		return err == -ENOENT ? NULL : ERR_PTR(err);
	if (ino == dir->i_ino)
		return ERR_PTR(ext2_error(dir->i_sb, "directory %lu contains itself", dir->i_ino));
	return ext2_iget(dir->i_sb, ino);
}

/* ---- listing ---- */

static unsigned entry_type(const struct super_block *sb, const struct ext2_dirent *entry)
{
	static const u8 types[] = { DT_UNKNOWN, DT_REG,	 DT_DIR,  DT_CHR,
				    DT_BLK,	DT_FIFO, DT_SOCK, DT_LNK };

	if (!EXT2_SB(sb)->filetype || entry->file_type >= ARRAY_SIZE(types))
		return DT_UNKNOWN;
	return types[entry->file_type];
}

/*
 * Emits the entries of the block at @pos, from ctx->pos on. The position may come from the user, or
 * from before an edit, and point into the middle of an entry: entries before it are walked over.
 * 0: go on; 1: no more room; -errno.
 */
static int emit_block(struct inode *dir, char *block, u64 pos, struct dir_context *ctx)
{
	unsigned size = dir->i_sb->s_blocksize;
	struct ext2_dirent *entry;

	for (unsigned offset = 0; offset < size; offset += entry->rec_len) {
		entry = ext2_dir_entry(dir, block, offset, pos);
		if (IS_ERR(entry))
			return PTR_ERR(entry);
		if (pos + offset < ctx->pos)
			continue;
		ctx->pos = pos + offset;
		if (entry->inode && !dir_emit(ctx, entry->name, entry->name_len, entry->inode,
					      entry_type(dir->i_sb, entry)))
			return 1;
		ctx->pos = pos + offset + entry->rec_len; /* the next one may be damaged */
	}
	return 0;
}

static int ext2_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file->f_inode;
	struct page *page = NULL;
	int ret = 0;

	while (!ret && ctx->pos < dir->i_data.size) {
		u64 pos = ALIGN_DOWN(ctx->pos, (u64)dir->i_sb->s_blocksize);
		char *block = ext2_dir_block(dir, pos, &page);

		ret = IS_ERR(block) ? PTR_ERR(block) : emit_block(dir, block, pos, ctx);
		if (!ret && signal_ends_sleep(TASK_KILLABLE)) /* a damaged one may be very long */
			ret = -EINTR;
	}
	if (page)
		page_put(page);
	return min(ret, 0);
}

const struct file_operations ext2_dir_fops = {
	.iterate = ext2_iterate,
};

const struct inode_operations ext2_dir_iops = {
	.lookup = ext2_lookup,
	.create = ext2_create,
	.symlink = ext2_symlink,
	.link = ext2_link,
	.unlink = ext2_unlink,
	.rmdir = ext2_rmdir,
	.rename = ext2_rename,
	.exchange = ext2_exchange,
	.mknod = ext2_mknod,
	.tmpfile = ext2_tmpfile,
};
