/*
 * ialloc.c - ext2: which inodes are free, and making new ones.
 *
 *	a file         goes to its directory's group, or the next with a free inode
 *	a directory    goes to the group with the most free blocks that has more free inodes than
 *	               the average, so that trees spread over the disk and each stays together
 *
 * As with blocks, a number that is freed is not given out before the commit that forgets the file
 * which had it: after a crash an old name must not lead to a new file.
 *
 * Locks: sbi->lock for bits and counts.
 */
#include "fs/ext2/ext2.h"
#include "fs/permission.h"
#include "lib/bitmap.h"
#include "mm/buddy.h"

/* Where the search for a new directory's inode begins. */
static u32 best_group(const struct ext2_sb_info *sbi)
{
	u32 average = sbi->free_inodes / sbi->nr_groups, best = 0;
	unsigned most = 0;

	for (u32 i = 0; i < sbi->nr_groups; i++) {
		const struct ext2_group *group = &sbi->groups[i];

		if (group->free_inodes > 0 && group->free_inodes >= average &&
		    group->free_blocks > most) {
			most = group->free_blocks;
			best = i;
		}
	}
	return best;
}

/* The first inode bit of @group, in @bits, that is free and not freed lately; as many: none. */
static u32 find_free(const struct ext2_sb_info *sbi, const unsigned long *bits, u32 group)
{
	u32 size = sbi->inodes_per_group, base = group * size;

	for (u32 bit = 0; (bit = find_next_zero_bit(bits, size, bit)) < size; bit++) {
		if (base + bit + 1 >= sbi->first_ino &&
		    !test_bit(base + bit, sbi->freed[0].inodes) &&
		    !test_bit(base + bit, sbi->freed[1].inodes))
			return bit;
	}
	return size;
}

/* Takes a free inode of @group: *ino, or 0; -EIO. */
static int take_in_group(struct super_block *sb, u32 group, bool is_dir, u32 *ino)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	struct ext2_group *g = &sbi->groups[group];
	struct page *page;
	u32 bit;

	*ino = 0;
	if (READ_ONCE(g->free_inodes) == 0)
		return 0;
	page = ext2_meta_read(sb, g->inode_bitmap);
	if (IS_ERR(page))
		return PTR_ERR(page);
	spin_lock(&sbi->lock);
	bit = find_free(sbi, page_address(page), group);
	if (bit < sbi->inodes_per_group) {
		set_bit(bit, page_address(page));
		g->free_inodes -= g->free_inodes > 0;
		sbi->free_inodes -= sbi->free_inodes > 0;
		g->used_dirs += is_dir;
		*ino = group * sbi->inodes_per_group + bit + 1;
	}
	spin_unlock(&sbi->lock);
	if (*ino)
		ext2_meta_dirty(sb, page);
	page_put(page);
	return 0;
}

/* A free number near @dir. -EIO; -EAGAIN: there is none, but after a commit there may be. */
static int take_ino(struct inode *dir, bool is_dir, u32 *ino)
{
	struct super_block *sb = dir->i_sb;
	const struct ext2_sb_info *sbi = EXT2_SB(sb);
	u32 start = is_dir ? best_group(sbi) : (dir->i_ino - 1) / sbi->inodes_per_group;
	int ret = -ENOSPC;

	for (u32 i = 0; i < sbi->nr_groups; i++) {
		int err = take_in_group(sb, (start + i) % sbi->nr_groups, is_dir, ino);

		if (*ino)
			return 0;
		if (err && err != -EIO)
			return err;
		if (err)
			ret = -EIO;
	}
	return ret == -ENOSPC ? -EAGAIN : ret;
}

void ext2_free_ino(struct super_block *sb, u32 ino, bool is_dir)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	u32 group = (ino - 1) / sbi->inodes_per_group, bit = (ino - 1) % sbi->inodes_per_group;
	bool was_used, before = memory_must_begin();
	struct page *page = ext2_meta_read(sb, sbi->groups[group].inode_bitmap);

	memory_must_end(before);
	if (IS_ERR(page)) {
		ext2_error(sb, "inode %u is lost: the bitmap cannot be read", ino);
		return;
	}
	spin_lock(&sbi->lock);
	was_used = test_bit(bit, page_address(page));
	if (was_used) {
		clear_bit(bit, page_address(page));
		set_bit(ino - 1, sbi->freed[sbi->freed_now].inodes);
		sbi->groups[group].free_inodes++;
		sbi->groups[group].used_dirs -= is_dir && sbi->groups[group].used_dirs > 0;
		sbi->free_inodes++;
	}
	spin_unlock(&sbi->lock);
	ext2_meta_dirty(sb, page);
	page_put(page);
	if (!was_used)
		ext2_error(sb, "inode %u was free already", ino);
}

/* Number @ino, just taken, as an inode in memory. On failure the number is free again. */
static struct inode *make_inode(struct inode *dir, u32 ino, mode_t mode)
{
	struct super_block *sb = dir->i_sb;
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	struct inode *inode = inode_find_or_new(sb, ino);
	struct ext2_inode *ei;
	int err = PTR_ERR(inode);

	if (IS_ERR(inode))
		goto free_ino;
	if (!(inode->i_state & I_NEW)) {
		/* Somebody uses it: the bitmap lies, and the number stays taken. */
		inode_put(inode);
		return ERR_PTR(ext2_error(sb, "inode %u is in use and was marked free", ino));
	}
	ei = EXT2_I(inode);
	inode->i_mode = mode;
	inode_init_owner(inode, dir);
	inode->i_atime = inode->i_mtime = inode->i_ctime = fs_now();
	ei->i_generation = __atomic_add_fetch(&sbi->generation, 1, __ATOMIC_RELAXED);
	ei->is_new = true;
	ei->born_seq = READ_ONCE(sbi->commit_seq);
	ei->name_seq = ~0UL;
	err = ext2_set_operations(inode);
	if (err)
		goto drop;
	inode_ready(inode);
	inode_mark_dirty(inode, I_DIRTY_ATTR);
	return inode;
drop:
	inode_failed(inode);
free_ino:
	ext2_free_ino(sb, ino, S_ISDIR(mode));
	return ERR_PTR(err);
}

struct inode *ext2_new_inode(struct inode *dir, mode_t mode)
{
	u32 ino;
	int err = take_ino(dir, S_ISDIR(mode), &ino);

	if (err == -EAGAIN) {
		err = ext2_commit(dir->i_sb);
		if (!err)
			err = take_ino(dir, S_ISDIR(mode), &ino);
	}
	if (err)
		return ERR_PTR(err == -EAGAIN ? -ENOSPC : err);
	return make_inode(dir, ino, mode);
}
