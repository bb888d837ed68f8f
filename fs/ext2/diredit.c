/*
 * diredit.c - ext2: adding, changing and removing entries of directories.
 *
 *	512-byte sector   |            0            |            1            | ...
 *	entries           [ . ][ .. ][ a ][ b      ] [ c ][                  ]
 *
 * A sector is what a disk writes whole or not at all, so each edit changes the disk's meaning by
 * bytes of one sector:
 *
 *	remove    the entry before grows over it (its rec_len), or inode = 0 for a sector's first
 *	set       inode and type in one header
 *	add       into the free end of an entry: the new entry's bytes mean nothing before the old
 *	          one's rec_len shrinks to make room. Where the two headers lie in different sectors
 *	          the new bytes are put on the medium first. Blocks made here are divided at each
 *	          sector, and no entry made here crosses one, so that this is rare.
 *
 * A new block is on the medium, with its entry, before the directory has it (map.c).
 *
 * Locks: the directory's inode lock. Bytes of its pages are changed only here.
 */
#include "drivers/block.h"
#include "fs/ext2/ext2.h"
#include "fs/mpage.h"
#include "lib/err.h"
#include "lib/string.h"

#define ROOM_WORTH 24 /* bytes: blocks whose largest gap is smaller are not searched again */

static unsigned entry_len(unsigned name_len)
{
	return ALIGN_UP(EXT2_DIRENT_MIN + name_len, 4);
}

/* What of @entry is in use, bytes. */
static unsigned used_len(const struct ext2_dirent *entry)
{
	return entry->inode ? entry_len(entry->name_len) : 0;
}

static u8 file_type(const struct super_block *sb, mode_t mode)
{
	static const u8 types[16] = {
		[S_IFIFO >> 12] = 5, [S_IFCHR >> 12] = 3, [S_IFDIR >> 12] = 2,	[S_IFBLK >> 12] = 4,
		[S_IFREG >> 12] = 1, [S_IFLNK >> 12] = 7, [S_IFSOCK >> 12] = 6,
	};

	return EXT2_SB(sb)->filetype ? types[(mode & S_IFMT) >> 12] : 0;
}

/* The bytes of @page changed: the directory has been edited. */
static void edited(struct inode *dir, struct page *page)
{
	filemap_set_dirty(&dir->i_data, page);
	EXT2_I(dir)->i_flags &= ~EXT2_INDEX_FL;
	dir->i_mtime = dir->i_ctime = fs_now();
	inode_mark_dirty(dir, I_DIRTY_ATTR);
}

static void fill_entry(struct ext2_dirent *entry, unsigned rec_len, const char *name, unsigned len,
		       const struct inode *inode)
{
	entry->rec_len = rec_len;
	entry->name_len = len;
	entry->file_type = file_type(inode->i_sb, inode->i_mode);
	memcpy(entry->name, name, len);
	memset(entry->name + len, 0, entry_len(len) - EXT2_DIRENT_MIN - len);
	entry->inode = inode->i_ino;
}

/* ---- adding ---- */

#define NO_ROOM (~0u)

/*
 * Where in the free end of @entry, which begins at @offset of its block, an entry of @need bytes
 * goes: an offset in the block that lets it not cross a sector, or NO_ROOM.
 */
static unsigned room_in(const struct ext2_dirent *entry, unsigned offset, unsigned need)
{
	unsigned at = offset + used_len(entry), end = offset + entry->rec_len;

	if (at / SECTOR_SIZE != (at + need - 1) / SECTOR_SIZE)
		at = ALIGN_UP(at, SECTOR_SIZE);
	/* What is left of a free entry must still be one. */
	if (at != offset && at - offset < EXT2_DIRENT_MIN + 4)
		return NO_ROOM;
	return at + need <= end ? at : NO_ROOM;
}

/* Finds room for @need bytes in @block: place->entry has it, *at where. *gap: the largest. */
static int find_room(struct inode *dir, char *block, unsigned need, struct ext2_place *place,
		     unsigned *at, unsigned *gap)
{
	unsigned size = dir->i_sb->s_blocksize;
	struct ext2_dirent *entry;

	for (unsigned offset = 0; offset < size; offset += entry->rec_len) {
		entry = ext2_dir_entry(dir, block, offset, place->pos);
		if (IS_ERR(entry))
			return PTR_ERR(entry);
		*gap = max(*gap, (unsigned)entry->rec_len - used_len(entry));
		*at = room_in(entry, offset, need);
		if (*at != NO_ROOM) {
			place->entry = entry;
			return 0;
		}
	}
	return 0;
}

/* The bytes from @from on of place's block are on the medium afterwards, if the disk has them. */
static int write_block_now(struct inode *dir, const struct ext2_place *place)
{
	unsigned blkbits = EXT2_SB(dir->i_sb)->blkbits;
	u64 phys;
	int err = ext2_get_block(&dir->i_data, place->pos >> blkbits, &phys);

	if (err || phys == BLOCK_HOLE)
		return err ? err : -EIO;
	return ext2_write_now(dir->i_sb, place->page, offset_in_page(place->pos), phys);
}

/* Puts the new entry at @at of @block, into the free end of place->entry. */
static int put_entry(struct inode *dir, const struct ext2_place *place, char *block, unsigned at,
		     const char *name, unsigned len, const struct inode *inode)
{
	struct ext2_dirent *old = place->entry, *new = (void *)(block + at);
	unsigned offset = (char *)old - block, end = offset + old->rec_len;
	int err;

	if (new == old) { /* a free one: it becomes the new one, the rest stays its end */
		fill_entry(new, end - at, name, len, inode);
		edited(dir, place->page);
		return 0;
	}
	fill_entry(new, end - at, name, len, inode);
	if (offset / SECTOR_SIZE != at / SECTOR_SIZE) {
		err = write_block_now(dir, place);
		if (err)
			return err; /* nothing leads to the new bytes */
	}
	old->rec_len = at - offset;
	edited(dir, place->page);
	return 0;
}

/* A new block's entries: one free entry in each sector. */
static void format_block(char *block, unsigned size)
{
	memset(block, 0, size);
	for (unsigned offset = 0; offset < size; offset += SECTOR_SIZE)
		((struct ext2_dirent *)(block + offset))->rec_len = SECTOR_SIZE;
}

/* Makes the directory one block longer, with the new entry in it unless @inode is NULL. */
static int append_block(struct inode *dir, const char *name, unsigned len,
			const struct inode *inode)
{
	unsigned size = dir->i_sb->s_blocksize, from;
	struct address_space *as = &dir->i_data;
	struct page *page = NULL;
	u64 pos = as->size;
	char *block;
	int err;

	if (pos + size > dir->i_sb->s_maxbytes || pos + size > INT32_MAX)
		return -ENOSPC;
	block = ext2_dir_block(dir, pos, &page);
	if (IS_ERR(block))
		return PTR_ERR(block);
	format_block(block, size);
	if (inode)
		fill_entry((void *)block, SECTOR_SIZE, name, len, inode);
	from = offset_in_page(pos);
	err = ext2_map_page(as, page, from, from + size);
	if (err) {
		memset(block, 0, size);
	} else {
		WRITE_ONCE(as->size, pos + size);
		edited(dir, page);
	}
	page_put(page);
	return err;
}

/*
 * Adds the entry where one of the present blocks has room, or, @inode NULL, only looks for that.
 * -ENOSPC: none has.
 */
static int add_in_room(struct inode *dir, struct ext2_place *place, const char *name, unsigned len,
		       const struct inode *inode)
{
	struct ext2_inode *ei = EXT2_I(dir);
	unsigned size = dir->i_sb->s_blocksize, at = 0;

	for (place->pos = ei->dir_room_pos; place->pos < dir->i_data.size; place->pos += size) {
		char *block = ext2_dir_block(dir, place->pos, &place->page);
		unsigned gap = 0;
		int err = PTR_ERR(block);

		if (!IS_ERR(block))
			err = find_room(dir, block, entry_len(len), place, &at, &gap);
		if (err)
			return err;
		if (place->entry)
			return inode ? put_entry(dir, place, block, at, name, len, inode) : 0;
		if (gap < ROOM_WORTH && ei->dir_room_pos == place->pos)
			ei->dir_room_pos += size;
	}
	return -ENOSPC;
}

int ext2_add_entry(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	struct ext2_place place = { .pos = 0 };
	int err = add_in_room(dir, &place, name, len, inode);

	ext2_place_end(&place);
	return err == -ENOSPC ? append_block(dir, name, len, inode) : err;
}

int ext2_make_room(struct inode *dir, unsigned len)
{
	struct ext2_place place = { .pos = 0 };
	int err = add_in_room(dir, &place, NULL, len, NULL);

	ext2_place_end(&place);
	return err == -ENOSPC ? append_block(dir, NULL, 0, NULL) : err;
}

/* ---- changing and removing ---- */

int ext2_remove_entry(struct inode *dir, const char *name, unsigned len)
{
	struct ext2_inode *ei = EXT2_I(dir);
	struct ext2_place place;
	int err = ext2_find_entry(dir, name, len, &place);

	if (!err) {
		if (place.prev && offset_in_page(place.entry) % SECTOR_SIZE)
			place.prev->rec_len += place.entry->rec_len;
		else
			place.entry->inode = 0;
		ei->dir_room_pos = min(ei->dir_room_pos, place.pos);
		edited(dir, place.page);
	}
	ext2_place_end(&place);
	return err;
}

int ext2_set_entry(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	struct ext2_place place;
	int err = ext2_find_entry(dir, name, len, &place);

	if (!err) {
		place.entry->inode = inode->i_ino;
		place.entry->file_type = file_type(dir->i_sb, inode->i_mode);
		edited(dir, place.page);
	}
	ext2_place_end(&place);
	return err;
}

int ext2_set_parent(struct inode *dir, struct inode *parent)
{
	return ext2_set_entry(dir, "..", 2, parent);
}

int ext2_make_empty(struct inode *dir, struct inode *parent)
{
	unsigned size = dir->i_sb->s_blocksize, dot = entry_len(1);
	struct page *page = NULL;
	char *block = ext2_dir_block(dir, 0, &page);
	int err;

	if (IS_ERR(block))
		return PTR_ERR(block);
	format_block(block, size);
	fill_entry((void *)block, dot, ".", 1, dir);
	fill_entry((void *)(block + dot), SECTOR_SIZE - dot, "..", 2, parent);
	err = ext2_map_page(&dir->i_data, page, 0, size);
	if (err) {
		memset(block, 0, size);
	} else {
		WRITE_ONCE(dir->i_data.size, size);
		edited(dir, page);
	}
	page_put(page);
	return err;
}

static bool is_dots(const struct ext2_dirent *entry)
{
	return entry->name[0] == '.' &&
	       (entry->name_len == 1 || (entry->name_len == 2 && entry->name[1] == '.'));
}

int ext2_is_empty(struct inode *dir)
{
	unsigned size = dir->i_sb->s_blocksize;
	struct page *page = NULL;
	int ret = 1;

	for (u64 pos = 0; ret > 0 && pos < dir->i_data.size; pos += size) {
		char *block = ext2_dir_block(dir, pos, &page);
		unsigned offset = 0;

		if (IS_ERR(block))
			ret = PTR_ERR(block);
		while (ret > 0 && offset < size) {
			struct ext2_dirent *entry = ext2_dir_entry(dir, block, offset, pos);

			if (IS_ERR(entry))
				ret = PTR_ERR(entry);
			else if (entry->inode && !is_dots(entry))
				ret = 0;
			else
				offset += entry->rec_len;
		}
	}
	if (page)
		page_put(page);
	return ret;
}
