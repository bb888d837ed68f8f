/*
 * inode.c - ext2: inodes between the disk's tables and memory, from birth to death.
 *
 *	iget()         table -> struct inode       everything that is read is checked
 *	write_inode()  struct inode -> table       only by a commit (commit.c)
 *	evict()        no name and no user left: first the table says "deleted", then what the inode
 *	               had is given back
 *
 * Inodes of 256 bytes keep nanoseconds and times past 2038 behind the old 128 bytes.
 *
 * Locks: none of its own; fields are copied to the table while their owners may change them: each
 * is one word, and who changes one marks the inode dirty afterwards, so that the next commit has
 * it.
 */
#include "arch/riscv/uaccess.h"
#include "fs/ext2/ext2.h"
#include "fs/mpage.h"
#include "kernel/cred.h"
#include "lib/string.h"
#include "mm/buddy.h"

/* ---- pages ---- */

static struct mpage_layout file_layout(const struct super_block *sb)
{
	return (struct mpage_layout){
		.bdev = sb->s_bdev,
		.blkbits = EXT2_SB(sb)->blkbits,
		.per_page = PAGE_SIZE >> EXT2_SB(sb)->blkbits,
		.get_block = ext2_get_block,
	};
}

static void ext2_read_pages(struct address_space *as, struct page **pages, unsigned nr)
{
	struct mpage_layout layout = file_layout(as->host->i_sb);

	mpage_read(as, pages, nr, &layout);
}

static void ext2_write_pages(struct address_space *as, struct page **pages, unsigned nr)
{
	struct mpage_layout layout = file_layout(as->host->i_sb);

	mpage_write(as, pages, nr, &layout);
}

static void ext2_write_failed(struct address_space *as)
{
	ext2_truncate_blocks(as->host, as->size);
}

const struct address_space_ops ext2_aops = {
	.read_pages = ext2_read_pages,
	.map_page = ext2_map_page,
	.map_locked_page = ext2_map_locked_page,
	.make_room = ext2_free_room,
	.write_failed = ext2_write_failed,
	.write_pages = ext2_write_pages,
	.seek = ext2_seek,
};

#define FIBMAP 1

/* FIBMAP, for root: the disk's block of the file's block *arg, 0 for a hole. ioctl_list(2). */
static long ext2_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
	struct inode *inode = file->f_inode;
	u64 phys;
	int block, err;

	if (cmd != FIBMAP)
		return -ENOTTY;
	if (!is_privileged())
		return -EPERM;
	if (get_user(block, (int *)arg))
		return -EFAULT;
	if (block < 0)
		return -EINVAL;
	err = ext2_get_block(&inode->i_data, block, &phys);
	if (err)
		return err;
	return put_user(phys == BLOCK_HOLE ? 0 : (int)phys, (int *)arg);
}

const struct file_operations ext2_file_fops = {
	.ioctl = ext2_ioctl,
	.read = generic_file_read,
	.write = generic_file_write,
	.write_kernel = generic_file_write_kernel,
};

/* truncate(2). The last page comes in first: its tail is zeroed in memory and on the disk. */
static int ext2_set_size(struct inode *inode, u64 size)
{
	struct page *tail = NULL;

	if (EXT2_I(inode)->i_flags & (EXT2_IMMUTABLE_FL | EXT2_APPEND_FL))
		return -EPERM;
	if (size < inode->i_data.size && size % PAGE_SIZE) {
		tail = read_mapping_page(&inode->i_data, size >> PAGE_SHIFT);
		if (IS_ERR(tail))
			return PTR_ERR(tail);
	}
	filemap_truncate(&inode->i_data, size);
	if (tail)
		page_put(tail);
	ext2_truncate_blocks(inode, size);
	inode->i_mtime = inode->i_ctime = fs_now();
	inode_mark_dirty(inode, I_DIRTY_ATTR);
	return 0;
}

const struct inode_operations ext2_file_iops = {
	.truncate = ext2_set_size,
};

/* ---- the table ---- */

/* The disk's inode @ino: its page with a reference, or ERR_PTR. */
static struct page *find_disk_inode(struct super_block *sb, u32 ino, struct ext2_disk_inode **raw)
{
	const struct ext2_sb_info *sbi = EXT2_SB(sb);
	const struct ext2_group *group = &sbi->groups[(ino - 1) / sbi->inodes_per_group];
	u64 offset = (u64)((ino - 1) % sbi->inodes_per_group) * sbi->inode_size;
	struct page *page = ext2_meta_read(sb, group->inode_table + (offset >> sbi->blkbits));

	if (!IS_ERR(page))
		*raw = (void *)((char *)page_address(page) + (offset & (sb->s_blocksize - 1)));
	return page;
}

/* The finer times of @raw, or NULL when it has none. */
static struct ext2_inode_extra *raw_extra(const struct super_block *sb, struct ext2_disk_inode *raw)
{
	struct ext2_inode_extra *extra = (void *)(raw + 1);

	if (EXT2_SB(sb)->inode_size < sizeof(*raw) + sizeof(*extra) ||
	    extra->i_extra_isize < sizeof(*extra))
		return NULL;
	return extra;
}

/* A time is 32 bits of seconds, and 2 more of them below 30 of nanoseconds. */
static struct timespec64 time_from_disk(u32 seconds, u32 more)
{
	return (struct timespec64){ (s32)seconds + ((s64)(more & 3) << 32), more >> 2 };
}

static u32 more_of_time(const struct timespec64 *t)
{
	return (u32)t->tv_nsec << 2 | ((t->tv_sec - (s32)t->tv_sec) >> 32 & 3);
}

static void read_times(struct inode *inode, struct ext2_disk_inode *raw)
{
	const struct ext2_inode_extra *extra = raw_extra(inode->i_sb, raw);

	inode->i_atime = time_from_disk(raw->i_atime, extra ? extra->i_atime_extra : 0);
	inode->i_mtime = time_from_disk(raw->i_mtime, extra ? extra->i_mtime_extra : 0);
	inode->i_ctime = time_from_disk(raw->i_ctime, extra ? extra->i_ctime_extra : 0);
}

static void write_times(const struct inode *inode, struct ext2_disk_inode *raw)
{
	struct ext2_inode_extra *extra = raw_extra(inode->i_sb, raw);

	raw->i_atime = inode->i_atime.tv_sec;
	raw->i_mtime = inode->i_mtime.tv_sec;
	raw->i_ctime = inode->i_ctime.tv_sec;
	if (!extra)
		return;
	extra->i_atime_extra = more_of_time(&inode->i_atime);
	extra->i_mtime_extra = more_of_time(&inode->i_mtime);
	extra->i_ctime_extra = more_of_time(&inode->i_ctime);
}

/* ---- reading ---- */

static void set_device(struct inode *inode, const u32 i_block[])
{
	/* The old encoding has 8 bits for each half, the new one is that of user programs. */
	if (i_block[0])
		inode->i_rdev = MKDEV(i_block[0] >> 8 & 0xff, i_block[0] & 0xff);
	else
		inode->i_rdev = i_block[1];
}

int ext2_set_operations(struct inode *inode)
{
	inode->i_data.ops = &ext2_aops;
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &ext2_file_iops;
		inode->i_fop = &ext2_file_fops;
		return 0;
	case S_IFDIR:
		inode->i_op = &ext2_dir_iops;
		inode->i_fop = &ext2_dir_fops;
		return 0;
	case S_IFLNK:
		inode->i_op = &ext2_symlink_iops;
		return 0;
	case S_IFCHR:
	case S_IFBLK:
		set_device(inode, EXT2_I(inode)->i_block);
		return 0;
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	}
	return ext2_error(inode->i_sb, "inode %lu: bad mode 0%o", inode->i_ino, inode->i_mode);
}

/* Takes over what @raw says, as far as it can be believed. */
static int fill_inode(struct inode *inode, struct ext2_disk_inode *raw)
{
	struct ext2_inode *ei = EXT2_I(inode);
	u64 size = raw->i_size;

	if (raw->i_links_count == 0)
		return ext2_error(inode->i_sb, "inode %lu is named but not in use", inode->i_ino);
	inode->i_mode = raw->i_mode;
	inode->i_nlink = raw->i_links_count;
	inode->i_uid = raw->i_uid | (u32)raw->l_uid_high << 16;
	inode->i_gid = raw->i_gid | (u32)raw->l_gid_high << 16;
	inode->i_blocks = raw->i_blocks;
	read_times(inode, raw);
	ei->i_flags = raw->i_flags;
	ei->i_generation = raw->i_generation;
	ei->i_file_acl = raw->i_file_acl;
	memcpy(ei->i_block, raw->i_block, sizeof(raw->i_block));
	if (S_ISREG(inode->i_mode))
		size |= (u64)raw->i_size_high << 32;
	/* Directories have no holes: one larger than its disk would take ages to read through. */
	if (size > inode->i_sb->s_maxbytes ||
	    (S_ISDIR(inode->i_mode) &&
	     size > (u64)EXT2_SB(inode->i_sb)->blocks_count * inode->i_sb->s_blocksize))
		return ext2_error(inode->i_sb, "inode %lu: bad size %lu", inode->i_ino, size);
	inode->i_data.size = size;
	return ext2_set_operations(inode);
}

struct inode *ext2_iget(struct super_block *sb, u32 ino)
{
	const struct ext2_sb_info *sbi = EXT2_SB(sb);
	struct ext2_disk_inode *raw = NULL;
	struct inode *inode;
	struct page *page;
	int err;

	if ((ino < sbi->first_ino && ino != EXT2_ROOT_INO) || ino > sbi->inodes_count)
		return ERR_PTR(ext2_error(sb, "bad inode number %u", ino));
	inode = inode_find_or_new(sb, ino);
	if (IS_ERR(inode) || !(inode->i_state & I_NEW))
		return inode;
	page = find_disk_inode(sb, ino, &raw);
	err = IS_ERR(page) ? PTR_ERR(page) : fill_inode(inode, raw);
	if (!IS_ERR(page))
		page_put(page);
	if (err) {
		inode_failed(inode);
		return ERR_PTR(err);
	}
	inode_ready(inode);
	return inode;
}

/* ---- writing ---- */

static void fill_raw(const struct inode *inode, struct ext2_disk_inode *raw)
{
	const struct ext2_inode *ei = container_of(inode, const struct ext2_inode, vfs);
	u64 size = READ_ONCE(inode->i_data.size);

	raw->i_mode = inode->i_mode;
	raw->i_links_count = inode->i_nlink;
	raw->i_uid = inode->i_uid;
	raw->l_uid_high = inode->i_uid >> 16;
	raw->i_gid = inode->i_gid;
	raw->l_gid_high = inode->i_gid >> 16;
	raw->i_size = size;
	if (S_ISREG(inode->i_mode))
		raw->i_size_high = size >> 32;
	raw->i_blocks = inode->i_blocks;
	raw->i_flags = ei->i_flags;
	raw->i_generation = ei->i_generation;
	raw->i_file_acl = ei->i_file_acl;
	raw->i_dtime = 0;
	memcpy(raw->i_block, ei->i_block, sizeof(raw->i_block));
	write_times(inode, raw);
}

/* An inode that this mount made: nothing of who had the slot before may stay. */
static void clear_slot(const struct super_block *sb, struct ext2_disk_inode *raw)
{
	const struct ext2_sb_info *sbi = EXT2_SB(sb);
	struct ext2_inode_extra *extra = (void *)(raw + 1);

	memset(raw, 0, sbi->inode_size);
	if (sbi->inode_size >= sizeof(*raw) + sizeof(*extra))
		extra->i_extra_isize = sizeof(*extra) + sizeof(u32) * 2; /* as mke2fs: 32 */
}

int ext2_write_inode(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	struct ext2_disk_inode *raw;
	struct page *page = find_disk_inode(sb, inode->i_ino, &raw);

	if (IS_ERR(page))
		return PTR_ERR(page);
	/* Two who write one inode: the later one must not have looked earlier. */
	spin_lock(&EXT2_SB(sb)->lock);
	if (EXT2_I(inode)->is_new)
		clear_slot(sb, raw);
	WRITE_ONCE(EXT2_I(inode)->is_new, false);
	fill_raw(inode, raw);
	spin_unlock(&EXT2_SB(sb)->lock);
	ext2_meta_dirty(sb, page);
	page_put(page);
	return 0;
}

int ext2_write_death(struct inode *inode)
{
	struct ext2_sb_info *sbi = EXT2_SB(inode->i_sb);
	bool is_new;
	int err;

	/* A commit that brings it to the disk right now writes the count of 0, or has done it. */
	spin_lock(&sbi->lock);
	is_new = EXT2_I(inode)->is_new;
	spin_unlock(&sbi->lock);
	if (is_new) /* the disk does not know that it lived */
		return 0;
	err = ext2_write_inode(inode);
	if (!err)
		__atomic_store_n(&sbi->has_deaths, 1, __ATOMIC_RELEASE);
	return err;
}

/* ---- the end ---- */

/* The table says that the inode is no more: 0 or -EIO. */
static int mark_deleted(struct inode *inode)
{
	struct ext2_disk_inode *raw;
	struct page *page = find_disk_inode(inode->i_sb, inode->i_ino, &raw);

	if (IS_ERR(page))
		return PTR_ERR(page);
	raw->i_links_count = 0;
	raw->i_dtime = max((s64)1, fs_now().tv_sec);
	ext2_meta_dirty(inode->i_sb, page);
	page_put(page);
	return 0;
}

/* Do the words of i_block point to blocks? In short symbolic links and devices they do not. */
static bool has_block_map(const struct inode *inode)
{
	return S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode) ||
	       (S_ISLNK(inode->i_mode) && inode->i_data.size >= EXT2_NR_BLOCKS * sizeof(u32));
}

#define XATTR_MAGIC 0xea020000

/* A block of extended attributes, which others may share: one user less. */
static void put_attributes(struct inode *inode)
{
	u32 block = EXT2_I(inode)->i_file_acl, *header;
	struct super_block *sb = inode->i_sb;
	struct page *page;

	if (!block)
		return;
	if (!ext2_block_valid(EXT2_SB(sb), block)) {
		ext2_error(sb, "inode %lu: bad attribute block %u", inode->i_ino, block);
		return;
	}
	page = ext2_meta_read(sb, block);
	if (IS_ERR(page))
		return;
	header = page_address(page); /* magic, users, ... */
	if (header[0] == XATTR_MAGIC && header[1] > 1) {
		header[1]--;
		ext2_meta_dirty(sb, page);
		page_put(page);
		return;
	}
	page_put(page);
	ext2_meta_forget(sb, block);
	ext2_free_blocks(sb, block, 1);
}

static void delete_inode(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	bool has_blocks = has_block_map(inode); /* the size, soon 0, tells of a link */

	filemap_truncate(&inode->i_data, 0);
	if (mark_deleted(inode)) {
		ext2_error(sb, "inode %lu: cannot be deleted", inode->i_ino);
		return;
	}
	if (has_blocks)
		ext2_truncate_blocks(inode, 0);
	put_attributes(inode);
	ext2_free_ino(sb, inode->i_ino, S_ISDIR(inode->i_mode));
}

void ext2_evict_inode(struct inode *inode)
{
	bool before;

	if (inode->i_nlink > 0 || !READ_ONCE(EXT2_SB(inode->i_sb)->writing))
		return;
	before = memory_must_begin(); /* who could be told that it failed? */
	delete_inode(inode);
	memory_must_end(before);
}
