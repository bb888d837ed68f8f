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
 * A page is changed while it is locked and not being written: a disk that reads it byte by byte
 * sees it before or after the edit.
 *
 * Locks: the directory's inode lock, inside it the page lock. Bytes of its pages are changed only
 * here.
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

/* From here to edit_end() the bytes of @page may be changed. */
static void edit_begin(struct page *page)
{
	lock_page(page);
	wait_on_page_writeback(page);
}

static void edit_end(struct page *page)
{
	unlock_page(page);
}

/* The directory of @place has been edited there. */
static void edited(const struct ext2_place *place)
{
	struct inode *dir = place->dir;

	filemap_set_dirty(&dir->i_data, place->page);
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
static int find_room(struct ext2_place *place, char *block, unsigned need, unsigned *at,
		     unsigned *gap)
{
	unsigned size = place->dir->i_sb->s_blocksize;
	struct ext2_dirent *entry;

	for (unsigned offset = 0; offset < size; offset += entry->rec_len) {
		entry = ext2_dir_entry(place->dir, block, offset, place->pos);
		if (IS_ERR(entry))
			return PTR_ERR(entry);
		if (place->pos + offset == 0)
			continue; /* nothing comes between "." and ".." */
		*gap = max(*gap, (unsigned)entry->rec_len - used_len(entry));
		*at = room_in(entry, offset, need);
		if (*at != NO_ROOM) {
			place->entry = entry;
			return 0;
		}
	}
	return 0;
}

/* The block of @place is on the medium afterwards as it is now. */
static int write_block_now(const struct ext2_place *place)
{
	struct inode *dir = place->dir;
	u64 phys;
	int err = ext2_get_block(&dir->i_data, place->pos >> EXT2_SB(dir->i_sb)->blkbits, &phys);

	if (err || phys == BLOCK_HOLE)
		return err ? err : -EIO;
	return ext2_write_now(dir->i_sb, place->page, offset_in_page(place->pos), phys);
}

/* Puts the new entry at @at of @block, into the free end of place->entry; @place is it then. */
static int put_entry(struct ext2_place *place, char *block, unsigned at, const char *name,
		     unsigned len, const struct inode *inode)
{
	struct ext2_dirent *old = place->entry, *new = (void *)(block + at);
	unsigned offset = (char *)old - block, end = offset + old->rec_len;
	int err;

	edit_begin(place->page);
	fill_entry(new, end - at, name, len, inode);
	if (offset / SECTOR_SIZE != at / SECTOR_SIZE) {
		edit_end(place->page);
		err = write_block_now(place);
		if (err)
			return err; /* nothing leads to the new bytes */
		edit_begin(place->page);
	}
	if (new != old) /* else a free one became the new one, and its end stays its end */
		WRITE_ONCE(old->rec_len, at - offset);
	edit_end(place->page);
	place->entry = new;
	edited(place);
	return 0;
}

/* A new block's entries: one free entry in each sector. */
static void format_block(char *block, unsigned size)
{
	memset(block, 0, size);
	for (unsigned offset = 0; offset < size; offset += SECTOR_SIZE)
		((struct ext2_dirent *)(block + offset))->rec_len = SECTOR_SIZE;
}

/* The zeros behind the end of the directory, where its next block will be: at @place. */
static char *start_block(struct ext2_place *place)
{
	struct inode *dir = place->dir;
	unsigned size = dir->i_sb->s_blocksize;
	char *block;

	place->pos = dir->i_data.size;
	if (place->pos % size)
		return ERR_PTR(ext2_error(dir->i_sb, "directory %lu: bad size %lu", dir->i_ino,
					  place->pos));
	if (place->pos + size > dir->i_sb->s_maxbytes || place->pos + size > INT32_MAX)
		return ERR_PTR(-ENOSPC);
	block = ext2_dir_block(dir, place->pos, &place->page);
	if (IS_ERR(block))
		return block;
	edit_begin(place->page);
	format_block(block, size);
	return block;
}

/* start_block()'s block, filled, becomes part of the directory. On failure it is zeros again. */
static int finish_block(struct ext2_place *place, char *block)
{
	unsigned from = offset_in_page(place->pos), size = place->dir->i_sb->s_blocksize;
	struct address_space *as = &place->dir->i_data;
	int err;

	edit_end(place->page);
	err = ext2_map_page(as, place->page, from, from + size);
	if (!err) {
		WRITE_ONCE(as->size, place->pos + size);
		edited(place);
		return 0;
	}
	edit_begin(place->page);
	memset(block, 0, size);
	edit_end(place->page);
	return err;
}

/* Makes the directory one block longer, with the new entry in it unless @inode is NULL. */
static int append_block(struct ext2_place *place, const char *name, unsigned len,
			const struct inode *inode)
{
	char *block = start_block(place);

	if (IS_ERR(block))
		return PTR_ERR(block);
	place->entry = (void *)block;
	if (inode)
		fill_entry(place->entry, SECTOR_SIZE, name, len, inode);
	return finish_block(place, block);
}

/*
 * Adds the entry where one of the present blocks has room, or, @inode NULL, only looks for that.
 * -ENOSPC: none has.
 */
static int add_in_room(struct ext2_place *place, const char *name, unsigned len,
		       const struct inode *inode)
{
	struct inode *dir = place->dir;
	struct ext2_inode *ei = EXT2_I(dir);
	unsigned size = dir->i_sb->s_blocksize, at = 0;

	for (place->pos = ei->dir_room_pos; place->pos < dir->i_data.size; place->pos += size) {
		char *block = ext2_dir_block(dir, place->pos, &place->page);
		unsigned gap = 0;
		int err = PTR_ERR(block);

		if (!IS_ERR(block))
			err = find_room(place, block, entry_len(len), &at, &gap);
		if (err)
			return err;
		if (place->entry)
			return inode ? put_entry(place, block, at, name, len, inode) : 0;
		if (gap < ROOM_WORTH && ei->dir_room_pos == place->pos)
			ei->dir_room_pos += size;
	}
	return -ENOSPC;
}

int ext2_add_entry(struct inode *dir, const char *name, unsigned len, struct inode *inode,
		   struct ext2_place *place)
{
	int err;

	*place = (struct ext2_place){ .dir = dir };
	err = add_in_room(place, name, len, inode);
	return err == -ENOSPC ? append_block(place, name, len, inode) : err;
}

int ext2_make_room(struct inode *dir, unsigned len)
{
	struct ext2_place place = { .dir = dir };
	int err = add_in_room(&place, NULL, len, NULL);

	if (err == -ENOSPC)
		err = append_block(&place, NULL, 0, NULL);
	ext2_place_end(&place);
	return err;
}

int ext2_make_empty(struct inode *dir, struct inode *parent)
{
	struct ext2_place place = { .dir = dir };
	unsigned dot = entry_len(1);
	char *block = start_block(&place);
	int err = PTR_ERR(block);

	if (!IS_ERR(block)) {
		fill_entry((void *)block, dot, ".", 1, dir);
		fill_entry((void *)(block + dot), SECTOR_SIZE - dot, "..", 2, parent);
		err = finish_block(&place, block);
	}
	ext2_place_end(&place);
	return err;
}

/* ---- changing and removing ---- */

void ext2_remove_entry(struct ext2_place *place)
{
	struct ext2_inode *ei = EXT2_I(place->dir);
	char *block = (char *)page_address(place->page) + offset_in_page(place->pos);
	struct ext2_dirent *entry = (void *)block, *prev = NULL;

	/* From the start of the block all was checked when the entry was found. */
	for (; entry != place->entry; entry = (void *)((char *)entry + entry->rec_len))
		prev = entry;
	edit_begin(place->page);
	if (prev && offset_in_page(entry) % SECTOR_SIZE)
		prev->rec_len += entry->rec_len;
	else
		entry->inode = 0;
	edit_end(place->page);
	ei->dir_room_pos = min(ei->dir_room_pos, place->pos);
	edited(place);
}

void ext2_set_entry(struct ext2_place *place, const struct inode *inode)
{
	edit_begin(place->page);
	place->entry->inode = inode->i_ino;
	place->entry->file_type = file_type(inode->i_sb, inode->i_mode);
	edit_end(place->page);
	edited(place);
}

void ext2_set_parent(struct ext2_place *place, const struct inode *parent)
{
	edit_begin(place->page);
	WRITE_ONCE(place->entry->inode, parent->i_ino);
	edit_end(place->page);
	filemap_set_dirty(&place->dir->i_data, place->page);
}

void ext2_swap_entries(struct ext2_place *a, struct ext2_place *b)
{
	u32 inode = a->entry->inode;
	u8 type = a->entry->file_type;

	edit_begin(a->page);
	a->entry->inode = b->entry->inode;
	a->entry->file_type = b->entry->file_type;
	b->entry->inode = inode;
	b->entry->file_type = type;
	edit_end(a->page);
	edited(a);
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
