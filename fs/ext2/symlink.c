/*
 * symlink.c - ext2: symbolic links. A short target lies in the inode, where the block numbers would
 * be; a longer one in the first block.
 */
#include "fs/ext2/ext2.h"
#include "lib/string.h"

/* Copies a target of @len bytes out, up to a NUL that should not be there. */
static int copy_target(char *buf, size_t size, const char *target, size_t len)
{
	len = strnlen(target, len);
	memcpy(buf, target, min(len, size));
	return min(len, size);
}

static int ext2_readlink(struct inode *inode, char *buf, size_t size)
{
	u64 len = inode->i_data.size;
	struct page *page;
	int n;

	if (len < sizeof(EXT2_I(inode)->i_block))
		return copy_target(buf, size, (const char *)EXT2_I(inode)->i_block, len);
	if (len >= inode->i_sb->s_blocksize)
		return ext2_error(inode->i_sb, "symbolic link %lu: bad length %lu", inode->i_ino,
				  len);
	page = read_mapping_page(&inode->i_data, 0);
	if (IS_ERR(page))
		return PTR_ERR(page);
	n = copy_target(buf, size, page_address(page), len);
	page_put(page);
	return n;
}

const struct inode_operations ext2_symlink_iops = {
	.readlink = ext2_readlink,
};

/* Puts a target of @len bytes, too long for the inode, into the first block of @inode. */
static int put_long_target(struct inode *inode, const char *to, unsigned len)
{
	struct page *page = read_mapping_page(&inode->i_data, 0);
	int err;

	if (IS_ERR(page))
		return PTR_ERR(page);
	memcpy(page_address(page), to, len);
	err = ext2_map_page(&inode->i_data, page, 0, len);
	if (!err)
		WRITE_ONCE(inode->i_data.size, len);
	if (!err)
		filemap_set_dirty(&inode->i_data, page);
	page_put(page);
	return err;
}

struct inode *ext2_symlink(struct inode *dir, const char *name, unsigned len, const char *to)
{
	size_t to_len = strlen(to);
	struct inode *inode;
	int err = 0;

	if (EXT2_I(dir)->i_flags & EXT2_IMMUTABLE_FL)
		return ERR_PTR(-EPERM);
	if (to_len >= dir->i_sb->s_blocksize)
		return ERR_PTR(-ENAMETOOLONG);
	inode = ext2_new_inode(dir, S_IFLNK | 0777);
	if (IS_ERR(inode))
		return inode;
	if (to_len < sizeof(EXT2_I(inode)->i_block)) {
		memcpy(EXT2_I(inode)->i_block, to, to_len);
		WRITE_ONCE(inode->i_data.size, to_len);
	} else {
		err = put_long_target(inode, to, to_len);
	}
	if (!err)
		return ext2_name_new(dir, name, len, inode);
	inode->i_nlink = 0;
	inode_put(inode);
	return ERR_PTR(err);
}
