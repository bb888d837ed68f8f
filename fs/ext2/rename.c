/*
 * rename.c - ext2: a file gets another name, or two files change theirs.
 *
 *	            memory                              disk
 *	rename      the new entry (or the victim's      [1] new name [commit] old name goes
 *	            names us), the old one goes, ".."   [2] all in one commit
 *	exchange    the entries change inodes, ".."     [1] third name of b [commit] b's entry is
 *	                                                    a's [commit] a's is b's [commit] third
 *	                                                    name goes
 *	                                                [2] all in one commit
 *
 *	[1] files: one that the disk knows is never without a name there.
 *	[2] directories, which e2fsck wants to have one name at all times; and an exchange in one
 *	    sector, which the disk takes as a whole.
 *
 * What can fail comes first: each entry that is to change is found, and its page held, before
 * anything changes. What was done before a failure (of a new block, of a commit in the middle) is
 * undone by edits that cannot fail.
 *
 * Locks: from the VFS both directories and the victim, or both inodes of an exchange; of a file
 * that is renamed not even its own: its ".." belongs to its parents (dir.c).
 */
#include "drivers/block.h"
#include "fs/ext2/ext2.h"
#include "lib/vsnprintf.h"

/* One of the two names that this is about, and what it named at first. */
struct side {
	struct inode *dir;
	const char *name;
	unsigned len;
	struct inode *inode;	  /* NULL: nothing */
	struct ext2_place place;  /* the entry */
	struct ext2_place dotdot; /* of a directory that gets another parent */
};

static void side_end(struct side *side)
{
	ext2_place_end(&side->place);
	ext2_place_end(&side->dotdot);
}

static bool is_dir(const struct side *side)
{
	return side->inode && S_ISDIR(side->inode->i_mode);
}

/* Finds all entries that have to change when what @from names goes to @to's directory. */
static int find_side(struct side *from, const struct side *to)
{
	int err = ext2_find_name_of(from->dir, from->name, from->len, from->inode, &from->place);

	if (!err && is_dir(from) && from->dir != to->dir)
		err = ext2_find_dotdot(from->inode, &from->dotdot);
	return err;
}

/* What @from named lies in @to's directory now. */
static void arrive(struct side *from, const struct side *to)
{
	if (from->dotdot.entry) {
		ext2_set_parent(&from->dotdot, to->dir);
		ext2_drop_link(from->dir);
		ext2_add_link(to->dir);
	}
	ext2_touch_links(from->inode);
}

/* ---- renaming ---- */

/* May @side's inode give its name to another? */
static int may_replace(const struct side *side)
{
	int err = ext2_may_edit(side->dir, side->inode);

	if (!err)
		err = ext2_check_empty(side->inode);
	return err || is_dir(side) || side->inode->i_nlink <= 1 ? err : ext2_keep_name(side->inode);
}

/* @new's entry names @inode, and what it named loses that name. In a removal. */
static int replace(struct side *new, struct inode *inode)
{
	int err = ext2_lose_name(new->inode);

	if (!err)
		ext2_set_entry(&new->place, inode);
	return err;
}

/* [1]: a file. */
static int move_file(struct side *old, struct side *new)
{
	struct super_block *sb = old->dir->i_sb;
	u32 nlink = new->inode ? new->inode->i_nlink : 0;
	int err;

	if (new->inode) {
		ext2_begin_removal(sb);
		err = replace(new, old->inode);
		ext2_end_removal(sb);
	} else {
		err = ext2_add_entry(new->dir, new->name, new->len, old->inode, &new->place);
	}
	if (err)
		return err;
	ext2_named(old->inode, new->dir);
	err = ext2_keep_name(old->inode);
	if (!err) {
		ext2_remove_entry(&old->place);
		return 0;
	}
	if (new->inode) {
		ext2_regain_name(new->inode, nlink);
		ext2_set_entry(&new->place, new->inode);
		ext2_named(new->inode, new->dir);
	} else {
		ext2_remove_entry(&new->place);
	}
	return err;
}

/*
 * [2]: a directory. Room for its new name is made before, as that may take a commit. It is no newer
 * for the commits than it was: one that is under way has its old name, and what is in it.
 */
static int move_directory(struct side *old, struct side *new)
{
	struct super_block *sb = old->dir->i_sb;
	int err = new->inode ? 0 : ext2_make_room(new->dir, new->len);

	if (err)
		return err;
	ext2_begin_removal(sb);
	err = new->inode ? replace(new, old->inode) :
			   ext2_add_entry(new->dir, new->name, new->len, old->inode, &new->place);
	if (!err) {
		ext2_remove_entry(&old->place);
		arrive(old, new);
		if (new->inode)
			ext2_drop_link(new->dir);
	}
	ext2_end_removal(sb);
	return err;
}

/* Finds what rename(2) has to change and checks that it may. */
static int start_rename(struct side *old, struct side *new)
{
	bool moves_dir = is_dir(old) && old->dir != new->dir;
	int err = ext2_may_edit(old->dir, old->inode);

	if (!err)
		err = ext2_may_edit(new->dir, NULL);
	if (!err && moves_dir && !new->inode &&new->dir->i_nlink >= EXT2_LINK_MAX)
		err = -EMLINK;
	if (!err)
		err = find_side(old, new);
	if (!err && new->inode)
		err = ext2_find_name_of(new->dir, new->name, new->len, new->inode, &new->place);
	if (!err && new->inode)
		err = may_replace(new);
	/* A new directory is written after the one that it is made in: that must not change. */
	return !err && moves_dir ? ext2_commit(new->dir->i_sb) : err;
}

int ext2_rename(struct inode *old_dir, const char *old_name, unsigned old_len, struct inode *inode,
		struct inode *new_dir, const char *new_name, unsigned new_len, struct inode *victim)
{
	struct side old = { .dir = old_dir, .name = old_name, .len = old_len, .inode = inode };
	struct side new = { .dir = new_dir, .name = new_name, .len = new_len, .inode = victim };
	int err = start_rename(&old, &new);

	if (!err && S_ISDIR(inode->i_mode)) {
		err = move_directory(&old, &new);
	} else if (!err) {
		err = move_file(&old, &new);
		if (!err)
			arrive(&old, &new);
	}
	side_end(&old);
	side_end(&new);
	return err;
}

/* ---- exchanging ---- */

/* A third name, in its directory, for what @side names: at @place. A crash may leave it behind. */
static int add_third_name(const struct side *side, struct ext2_place *place)
{
	char name[48];
	unsigned len;
	int err;

	for (unsigned i = 0;; i++) {
		len = snprintf(name, sizeof(name), ".exchange-%lu-%u", side->inode->i_ino, i);
		err = ext2_find_entry(side->dir, name, len, place);
		if (err)
			break;
		ext2_place_end(place);
	}
	ext2_place_end(place);
	if (err != -ENOENT)
		return err;
	err = ext2_add_entry(side->dir, name, len, side->inode, place);
	if (!err)
		ext2_named(side->inode, side->dir);
	return err;
}

/* @side's entry names @inode, and the disk knows it; on failure it names @before, as it did. */
static int give_name(struct side *side, struct inode *inode, struct inode *before)
{
	int err;

	ext2_set_entry(&side->place, inode);
	ext2_named(inode, side->dir);
	err = ext2_keep_name(inode);
	if (err) {
		ext2_set_entry(&side->place, before);
		ext2_named(before, side->dir);
	}
	return err;
}

/* [1]: two files. */
static int exchange_files(struct side *a, struct side *b)
{
	struct ext2_place third;
	int err = add_third_name(b, &third);

	if (err)
		goto out;
	err = ext2_keep_name(b->inode);
	if (!err)
		err = give_name(b, a->inode, b->inode);
	if (!err) {
		err = give_name(a, b->inode, a->inode);
		if (err) {
			ext2_set_entry(&b->place, b->inode);
			ext2_named(b->inode, b->dir);
		}
	}
	ext2_remove_entry(&third);
out:
	ext2_place_end(&third);
	return err;
}

/* Are both entries in one sector, which the disk takes as a whole? */
static bool same_sector(const struct side *a, const struct side *b)
{
	return a->place.page == b->place.page &&
	       offset_in_page(a->place.entry) / SECTOR_SIZE ==
		       offset_in_page(b->place.entry) / SECTOR_SIZE;
}

/* [2]: with a directory, or in one sector. */
static void exchange_at_once(struct side *a, struct side *b)
{
	ext2_begin_removal(a->dir->i_sb);
	if (same_sector(a, b)) {
		ext2_swap_entries(&a->place, &b->place);
	} else {
		ext2_set_entry(&a->place, b->inode);
		ext2_set_entry(&b->place, a->inode);
	}
	arrive(a, b);
	arrive(b, a);
	ext2_end_removal(a->dir->i_sb);
	/* As in move_directory(): of a directory the commit that is under way has the old name. */
	if (!is_dir(a))
		ext2_named(a->inode, b->dir);
	if (!is_dir(b))
		ext2_named(b->inode, a->dir);
}

/* May what @from names go to @to's directory, for what @to names? */
static int may_exchange(struct side *from, const struct side *to)
{
	bool one_more = from->dir != to->dir && is_dir(from) && !is_dir(to);
	int err = ext2_may_edit(from->dir, from->inode);

	if (!err && one_more && to->dir->i_nlink >= EXT2_LINK_MAX)
		err = -EMLINK;
	return err ? err : find_side(from, to);
}

int ext2_exchange(struct inode *old_dir, const char *old_name, unsigned old_len,
		  struct inode *old_inode, struct inode *new_dir, const char *new_name,
		  unsigned new_len, struct inode *new_inode)
{
	struct side a = { .dir = old_dir, .name = old_name, .len = old_len, .inode = old_inode };
	struct side b = { .dir = new_dir, .name = new_name, .len = new_len, .inode = new_inode };
	bool with_dir = is_dir(&a) || is_dir(&b);
	int err = may_exchange(&a, &b);

	if (!err)
		err = may_exchange(&b, &a);
	/* As in start_rename(). */
	if (!err && with_dir && old_dir != new_dir)
		err = ext2_commit(new_dir->i_sb);
	if (!err && (with_dir || same_sector(&a, &b))) {
		exchange_at_once(&a, &b);
	} else if (!err) {
		err = exchange_files(&a, &b);
		if (!err) {
			arrive(&a, &b);
			arrive(&b, &a);
		}
	}
	side_end(&a);
	side_end(&b);
	return err;
}
