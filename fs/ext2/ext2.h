/*
 * ext2.h - the second extended file system: what lies on the disk, and what we keep in memory.
 *
 *	block group: [super][group table][block bitmap][inode bitmap][inode table][data ...]
 *	inode:       i_block[0..11] direct, [12] indirect, [13] double, [14] triple
 *
 * Everything on the disk is little endian, as RISC-V is, and hostile until checked.
 * Source: "The Second Extended File System - Internal Layout", D. Poirier.
 */
#ifndef RAVEL_FS_EXT2_EXT2_H
#define RAVEL_FS_EXT2_EXT2_H

#include "fs/internal.h"

#define EXT2_MAGIC		 0xef53
#define EXT2_SUPER_OFFSET	 1024 /* bytes from the start of the disk */
#define EXT2_ROOT_INO		 2
#define EXT2_GOOD_OLD_FIRST_INO	 11
#define EXT2_GOOD_OLD_INODE_SIZE 128

#define EXT2_NR_DIRECT 12
#define EXT2_NR_BLOCKS 15

#define EXT2_INCOMPAT_FILETYPE 0x2

struct ext2_super {
	u32 s_inodes_count, s_blocks_count, s_r_blocks_count;
	u32 s_free_blocks_count, s_free_inodes_count;
	u32 s_first_data_block, s_log_block_size, s_log_frag_size;
	u32 s_blocks_per_group, s_frags_per_group, s_inodes_per_group;
	u32 s_mtime, s_wtime;
	u16 s_mnt_count, s_max_mnt_count, s_magic, s_state, s_errors, s_minor_rev_level;
	u32 s_lastcheck, s_checkinterval, s_creator_os, s_rev_level;
	u16 s_def_resuid, s_def_resgid;
	/* From here on only revision 1. */
	u32 s_first_ino;
	u16 s_inode_size, s_block_group_nr;
	u32 s_feature_compat, s_feature_incompat, s_feature_ro_compat;
};

struct ext2_group_desc {
	u32 bg_block_bitmap, bg_inode_bitmap, bg_inode_table;
	u16 bg_free_blocks_count, bg_free_inodes_count, bg_used_dirs_count, bg_pad;
	u32 bg_reserved[3];
};

struct ext2_disk_inode {
	u16 i_mode, i_uid;
	u32 i_size;
	u32 i_atime, i_ctime, i_mtime, i_dtime;
	u16 i_gid, i_links_count;
	u32 i_blocks, i_flags, i_osd1;
	u32 i_block[EXT2_NR_BLOCKS];
	u32 i_generation, i_file_acl, i_size_high, i_faddr;
	u8 l_frag, l_fsize;
	u16 l_pad, l_uid_high, l_gid_high;
	u32 l_reserved;
};

struct ext2_dirent {
	u32 inode;
	u16 rec_len;
	u8 name_len, file_type;
	char name[];
};

#define EXT2_DIRENT_MIN 8 /* bytes before the name */

struct ext2_sb_info {
	struct address_space *disk; /* the metadata: the disk's own page cache */
	unsigned blkbits;
	u32 inodes_count, blocks_count, first_data_block;
	u32 blocks_per_group, inodes_per_group, nr_groups;
	u32 inode_size, first_ino;
	u32 free_blocks, free_inodes;
	bool filetype;	    /* directory entries tell the type */
	unsigned nr_errors; /* reported so far */
};

struct ext2_inode {
	struct inode vfs;
	u32 i_block[EXT2_NR_BLOCKS]; /* as on the disk, or a fast symbolic link's target */
};

static inline struct ext2_sb_info *EXT2_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct ext2_inode *EXT2_I(struct inode *inode)
{
	return container_of(inode, struct ext2_inode, vfs);
}

/* Tells of damage: a line on the console, unless there were very many. Returns -EIO. */
int ext2_error(struct super_block *sb, const char *fmt, ...) __printf(2, 3);
/* True when @block can hold data or metadata. */
static inline bool ext2_block_valid(const struct ext2_sb_info *sbi, u64 block)
{
	return block > sbi->first_data_block && block < sbi->blocks_count;
}

/*
 * The page of the disk's cache that holds byte @offset of metadata block @block, with a reference;
 * *p points at that byte. ERR_PTR.
 */
struct page *ext2_read_meta(struct super_block *sb, u32 block, unsigned offset, void **p);

/* Inode @ino with a reference, or ERR_PTR: -EIO when it is damaged or not in use. */
struct inode *ext2_iget(struct super_block *sb, u32 ino);

extern const struct inode_operations ext2_dir_iops, ext2_symlink_iops;
extern const struct file_operations ext2_dir_fops, ext2_file_fops;
extern const struct address_space_ops ext2_aops;

#endif
