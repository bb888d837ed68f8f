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
