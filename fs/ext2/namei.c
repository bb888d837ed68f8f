/*
 * namei.c - ext2: files get names and lose them, each in a few steps of diredit.c.
 *
 *	create      new inode, then its entry              undone by i_nlink = 0 and a put
 *	link        i_nlink + 1, then the entry
 *	unlink      i_nlink - 1, then the entry goes       the blocks go with the last user
 *
 * What a crash may leave of each is fs/ext2/commit.c's subject. Two rules of it show here: an entry
 * is removed together with the death that follows (ext2_begin_removal), and a file that keeps
 * another name loses none before the disk has that one (ext2_keep_name).
 *
 * Locks: the VFS holds the directories' inode locks, and those of inodes that lose a name.
 */
#include "fs/ext2/ext2.h"
#include "lib/err.h"

int ext2_may_edit(struct inode *dir, struct inode *inode)
{
	const u32 fixed = EXT2_IMMUTABLE_FL | EXT2_APPEND_FL;

	if (EXT2_I(dir)->i_flags & EXT2_IMMUTABLE_FL)
		return -EPERM;
	return inode && ((EXT2_I(inode)->i_flags | EXT2_I(dir)->i_flags) & fixed) ? -EPERM : 0;
}

void ext2_touch_links(struct inode *inode)
{
	inode->i_ctime = fs_now();
	inode_mark_dirty(inode, I_DIRTY_ATTR);
}

void ext2_add_link(struct inode *inode)
{
	inode->i_nlink++;
	ext2_touch_links(inode);
}

void ext2_drop_link(struct inode *inode)
{
	if (inode->i_nlink > 0)
		inode->i_nlink--;
	ext2_touch_links(inode);
}

int ext2_lose_name(struct inode *inode)
{
	u32 nlink = inode->i_nlink;
	int err = 0;

	inode->i_nlink = S_ISDIR(inode->i_mode) || nlink == 0 ? 0 : nlink - 1;
	if (inode->i_nlink == 0)
		err = ext2_write_death(inode);
	if (err)
		inode->i_nlink = nlink;
	else
		ext2_touch_links(inode);
	return err;
}

/* The name could not be removed: undoes ext2_lose_name(), also in the table if that told of it. */
void ext2_regain_name(struct inode *inode, u32 nlink)
{
	bool died = inode->i_nlink == 0;

	inode->i_nlink = nlink;
	if (died && !READ_ONCE(EXT2_I(inode)->is_new))
		ext2_write_inode(inode);
	ext2_touch_links(inode);
}

/* ---- making ---- */

struct inode *ext2_name_new(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	struct ext2_place place;
	int err = ext2_add_entry(dir, name, len, inode, &place);

	ext2_place_end(&place);
	if (!err) {
		ext2_named(inode, dir);
		return inode;
	}
	inode->i_nlink = 0;
	inode_put(inode);
	return ERR_PTR(err);
}

static struct inode *make_directory(struct inode *dir, const char *name, unsigned len, mode_t mode)
{
	struct inode *inode;
	int err;

	if (dir->i_nlink >= EXT2_LINK_MAX)
		return ERR_PTR(-EMLINK);
	if (EXT2_I(dir)->is_new && EXT2_I(dir)->level >= EXT2_MAX_LEVEL) {
		err = ext2_commit(dir->i_sb);
		if (err)
			return ERR_PTR(err);
	}
	inode = ext2_new_inode(dir, mode);
	if (IS_ERR(inode))
		return inode;
	inode->i_nlink = 2;
	err = ext2_make_empty(inode, dir);
	if (err) {
		inode->i_nlink = 0;
		inode_put(inode);
		return ERR_PTR(err);
	}
	inode = ext2_name_new(dir, name, len, inode);
	if (!IS_ERR(inode))
		ext2_add_link(dir);
	return inode;
}

struct inode *ext2_create(struct inode *dir, const char *name, unsigned len, mode_t mode)
{
	struct inode *inode;
	int err = ext2_may_edit(dir, NULL);

	if (err)
		return ERR_PTR(err);
	if (S_ISDIR(mode))
		return make_directory(dir, name, len, mode);
	inode = ext2_new_inode(dir, mode);
	return IS_ERR(inode) ? inode : ext2_name_new(dir, name, len, inode);
}

struct inode *ext2_mknod(struct inode *dir, const char *name, unsigned len, mode_t mode, dev_t rdev)
{
	struct inode *inode;
	int err = ext2_may_edit(dir, NULL);

	if (err)
		return ERR_PTR(err);
	inode = ext2_new_inode(dir, mode);
	if (IS_ERR(inode))
		return inode;
	inode->i_rdev = rdev;
	/* Small numbers in the old encoding, which every system reads. */
	if (MAJOR(rdev) < 256 && MINOR(rdev) < 256)
		EXT2_I(inode)->i_block[0] = MAJOR(rdev) << 8 | MINOR(rdev);
	else
		EXT2_I(inode)->i_block[1] = rdev;
	return ext2_name_new(dir, name, len, inode);
}

/* A file without a name: the disk never hears of its inode, only its bitmaps do for a while. */
struct inode *ext2_tmpfile(struct inode *dir, mode_t mode)
{
	struct inode *inode = ext2_new_inode(dir, mode);

	if (!IS_ERR(inode))
		inode->i_nlink = 0;
	return inode;
}

int ext2_link(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	int err = ext2_may_edit(dir, inode);
	struct ext2_place place;

	if (err)
		return err;
	if (inode->i_nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	ext2_add_link(inode);
	err = ext2_add_entry(dir, name, len, inode, &place);
	ext2_place_end(&place);
	if (err)
		ext2_drop_link(inode);
	else
		ext2_named(inode, dir);
	return err;
}

/* ---- removing ---- */

int ext2_find_name_of(struct inode *dir, const char *name, unsigned len, const struct inode *inode,
		      struct ext2_place *place)
{
	int err = ext2_find_entry(dir, name, len, place);

	if (!err && place->entry->inode != inode->i_ino)
		err = ext2_error(dir->i_sb, "directory %lu: an entry is not inode %lu's any more",
				 dir->i_ino, inode->i_ino);
	return err;
}

/* The entry @name of @dir goes, and with it a link of @inode, or the directory that it is. */
static int remove_name(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	struct ext2_place place;
	int err = ext2_find_name_of(dir, name, len, inode, &place);

	if (!err) {
		ext2_begin_removal(dir->i_sb);
		err = ext2_lose_name(inode);
		if (!err)
			ext2_remove_entry(&place);
		ext2_end_removal(dir->i_sb);
	}
	ext2_place_end(&place);
	return err;
}

int ext2_unlink(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	int err = ext2_may_edit(dir, inode);

	if (!err && inode->i_nlink > 1)
		err = ext2_keep_name(inode);
	return err ? err : remove_name(dir, name, len, inode);
}

int ext2_check_empty(struct inode *inode)
{
	int ret = S_ISDIR(inode->i_mode) ? ext2_is_empty(inode) : 1;

	return ret == 0 ? -ENOTEMPTY : min(ret, 0);
}

int ext2_rmdir(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	int err = ext2_may_edit(dir, inode);

	if (!err)
		err = ext2_check_empty(inode);
	if (!err)
		err = remove_name(dir, name, len, inode);
	if (!err)
		ext2_drop_link(dir);
	return err;
}
