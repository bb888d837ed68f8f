/*
 * namei.c - ext2: the edits of directories, each a few steps of diredit.c.
 *
 *	create      new inode, then its entry              undone by i_nlink = 0 and a put
 *	link        i_nlink + 1, then the entry
 *	unlink      i_nlink - 1, then the entry goes       the blocks go with the last user
 *	rename      the new entry (or the victim's names us), then the old one goes, then ".."
 *
 * What a crash may leave of each is fs/ext2/commit.c's subject. Two rules of it show here: an entry
 * is removed together with the death that follows (ext2_begin_removal), and a file that keeps
 * another name loses none before the disk has that one (ext2_keep_name).
 *
 * Locks: the VFS holds the directories' inode locks, and those of inodes that lose a name.
 */
#include "fs/ext2/ext2.h"
#include "lib/err.h"

/* 0, or -EPERM: the disk says that @inode is not to be changed (chattr). */
static int may_edit(struct inode *dir, struct inode *inode)
{
	const u32 fixed = EXT2_IMMUTABLE_FL | EXT2_APPEND_FL;

	if (EXT2_I(dir)->i_flags & EXT2_IMMUTABLE_FL)
		return -EPERM;
	return inode && ((EXT2_I(inode)->i_flags | EXT2_I(dir)->i_flags) & fixed) ? -EPERM : 0;
}

/* The link count of @inode changed: so did its ctime. */
static void touch_links(struct inode *inode)
{
	inode->i_ctime = fs_now();
	inode_mark_dirty(inode, I_DIRTY_ATTR);
}

static void add_link(struct inode *inode)
{
	inode->i_nlink++;
	touch_links(inode);
}

/* A damaged count must not wrap: then the inode stays, and e2fsck has the last word. */
static void drop_link(struct inode *inode)
{
	if (inode->i_nlink > 0)
		inode->i_nlink--;
	touch_links(inode);
}

/*
 * @inode is about to lose a name, a directory its only one: counts that. If it was the last, the
 * inode table says so from now on. 0, or -EIO with nothing changed. In a removal.
 */
static int lose_name(struct inode *inode)
{
	u32 nlink = inode->i_nlink;
	int err = 0;

	inode->i_nlink = S_ISDIR(inode->i_mode) || nlink == 0 ? 0 : nlink - 1;
	if (inode->i_nlink == 0)
		err = ext2_write_death(inode);
	if (err)
		inode->i_nlink = nlink;
	else
		touch_links(inode);
	return err;
}

/* The name could not be removed: undoes lose_name(), in the table too if that spoke of death. */
static void regain_name(struct inode *inode, u32 nlink)
{
	bool died = inode->i_nlink == 0;

	inode->i_nlink = nlink;
	if (died && !READ_ONCE(EXT2_I(inode)->is_new))
		ext2_write_inode(inode);
	touch_links(inode);
}

/* ---- making ---- */

struct inode *ext2_name_new(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	int err = ext2_add_entry(dir, name, len, inode);

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
		add_link(dir);
	return inode;
}

struct inode *ext2_create(struct inode *dir, const char *name, unsigned len, mode_t mode)
{
	struct inode *inode;
	int err = may_edit(dir, NULL);

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
	int err = may_edit(dir, NULL);

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
	int err = may_edit(dir, inode);

	if (err)
		return err;
	if (inode->i_nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	add_link(inode);
	err = ext2_add_entry(dir, name, len, inode);
	if (err)
		drop_link(inode);
	else
		ext2_named(inode, dir);
	return err;
}

/* ---- removing ---- */

/* The entry @name of @dir goes, and with it a link of @inode, or the directory that it is. */
static int remove_name(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	u32 nlink = inode->i_nlink;
	int err;

	ext2_begin_removal(dir->i_sb);
	err = lose_name(inode);
	if (!err) {
		err = ext2_remove_entry(dir, name, len);
		if (err)
			regain_name(inode, nlink);
	}
	ext2_end_removal(dir->i_sb);
	return err;
}

int ext2_unlink(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	int err = may_edit(dir, inode);

	if (!err && inode->i_nlink > 1)
		err = ext2_keep_name(inode);
	if (err)
		return err;
	return remove_name(dir, name, len, inode);
}

int ext2_rmdir(struct inode *dir, const char *name, unsigned len, struct inode *inode)
{
	int err = may_edit(dir, inode);

	if (!err) {
		err = ext2_is_empty(inode);
		err = err < 0 ? err : err == 0 ? -ENOTEMPTY : 0;
	}
	if (!err)
		err = remove_name(dir, name, len, inode);
	if (!err)
		drop_link(dir);
	return err;
}

/* ---- moving ---- */

/* @victim, whose name is about to be another's: may it go? */
static int may_replace(struct inode *dir, struct inode *victim)
{
	int err = may_edit(dir, victim);

	if (!err && S_ISDIR(victim->i_mode)) {
		err = ext2_is_empty(victim);
		return err < 0 ? err : err == 0 ? -ENOTEMPTY : 0;
	}
	return err || victim->i_nlink <= 1 ? err : ext2_keep_name(victim);
}

/* The name of @victim in @dir names @inode from now on. */
static int replace(struct inode *dir, const char *name, unsigned len, struct inode *inode,
		   struct inode *victim)
{
	u32 nlink = victim->i_nlink;
	int err;

	ext2_begin_removal(dir->i_sb);
	err = lose_name(victim);
	if (!err) {
		err = ext2_set_entry(dir, name, len, inode);
		if (err)
			regain_name(victim, nlink);
	}
	ext2_end_removal(dir->i_sb);
	if (!err && S_ISDIR(victim->i_mode))
		drop_link(dir);
	return err;
}

/* As ext2_rename() checked it: the new name first, then the old one goes. */
static int move_name(struct inode *old_dir, const char *old_name, unsigned old_len,
		     struct inode *inode, struct inode *new_dir, const char *new_name,
		     unsigned new_len, struct inode *victim)
{
	int err = victim ? replace(new_dir, new_name, new_len, inode, victim) :
			   ext2_add_entry(new_dir, new_name, new_len, inode);

	if (err)
		return err;
	ext2_named(inode, new_dir);
	err = ext2_keep_name(inode);
	if (!err || victim) /* there is no way back for a victim */
		err = ext2_remove_entry(old_dir, old_name, old_len);
	if (err && victim)
		add_link(inode); /* it has both names */
	else if (err)
		ext2_remove_entry(new_dir, new_name, new_len);
	return err;
}

/*
 * The same for a directory, which must never have two names on the disk, or none: both edits are in
 * one commit, and mostly in one sector. So it is no newer for the commits than it was: one that is
 * under way has its old name, and what is in it.
 */
static int move_directory(struct inode *old_dir, const char *old_name, unsigned old_len,
			  struct inode *inode, struct inode *new_dir, const char *new_name,
			  unsigned new_len, struct inode *victim)
{
	int err = victim ? replace(new_dir, new_name, new_len, inode, victim) :
			   ext2_make_room(new_dir, new_len);

	if (err)
		return err;
	ext2_begin_removal(new_dir->i_sb);
	if (!victim)
		err = ext2_add_entry(new_dir, new_name, new_len, inode);
	if (!err)
		err = ext2_remove_entry(old_dir, old_name, old_len);
	if (err && !victim)
		ext2_remove_entry(new_dir, new_name, new_len);
	ext2_end_removal(new_dir->i_sb);
	return err;
}

/* The directory @inode moved from @old_dir to @new_dir. */
static int change_parent(struct inode *inode, struct inode *old_dir, struct inode *new_dir)
{
	int err = ext2_set_parent(inode, new_dir);

	if (err)
		return err;
	drop_link(old_dir);
	add_link(new_dir);
	return 0;
}

int ext2_rename(struct inode *old_dir, const char *old_name, unsigned old_len, struct inode *inode,
		struct inode *new_dir, const char *new_name, unsigned new_len, struct inode *victim)
{
	bool moves_dir = S_ISDIR(inode->i_mode) && old_dir != new_dir;
	int err = may_edit(old_dir, inode);

	if (!err)
		err = may_edit(new_dir, NULL);
	if (!err && victim)
		err = may_replace(new_dir, victim);
	/* A new directory is written after the one that it is made in: that must not change. */
	if (!err && moves_dir)
		err = ext2_commit(new_dir->i_sb);
	if (err)
		return err;
	if (moves_dir && !victim && new_dir->i_nlink >= EXT2_LINK_MAX)
		return -EMLINK;
	err = (S_ISDIR(inode->i_mode) ? move_directory : move_name)(
		old_dir, old_name, old_len, inode, new_dir, new_name, new_len, victim);
	if (!err && moves_dir)
		err = change_parent(inode, old_dir, new_dir);
	if (!err)
		touch_links(inode);
	return err;
}

int ext2_exchange(struct inode *old_dir, const char *old_name, unsigned old_len,
		  struct inode *old_inode, struct inode *new_dir, const char *new_name,
		  unsigned new_len, struct inode *new_inode)
{
	bool old_is_dir = S_ISDIR(old_inode->i_mode), new_is_dir = S_ISDIR(new_inode->i_mode);
	int err = may_edit(old_dir, old_inode);

	if (!err)
		err = may_edit(new_dir, new_inode);
	if (!err && old_dir != new_dir && (old_is_dir || new_is_dir))
		err = ext2_commit(new_dir->i_sb);
	if (!err)
		err = ext2_set_entry(new_dir, new_name, new_len, old_inode);
	if (err)
		return err;
	err = ext2_set_entry(old_dir, old_name, old_len, new_inode);
	if (err) {
		ext2_set_entry(new_dir, new_name, new_len, new_inode);
		return err;
	}
	/* As in move_directory(): of a directory the commit that is under way has the old name. */
	if (!old_is_dir)
		ext2_named(old_inode, new_dir);
	if (!new_is_dir)
		ext2_named(new_inode, old_dir);
	if (old_dir != new_dir && old_is_dir)
		err = change_parent(old_inode, old_dir, new_dir);
	if (!err && old_dir != new_dir && new_is_dir)
		err = change_parent(new_inode, new_dir, old_dir);
	touch_links(old_inode);
	touch_links(new_inode);
	return err;
}
