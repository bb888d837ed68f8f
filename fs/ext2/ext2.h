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

#define EXT2_INCOMPAT_FILETYPE	 0x2
#define EXT2_RO_COMPAT_SPARSE	 0x1 /* copies of the super block only in some groups */
#define EXT2_RO_COMPAT_LARGEFILE 0x2 /* some file has 2 GiB or more */
#define EXT2_VALID_FS		 0x1 /* s_state: unmounted cleanly */
#define EXT2_ERROR_FS		 0x2 /* s_state: damage was seen */

#define EXT2_LINK_MAX	  32000
#define EXT2_MAX_LEVEL	  8 /* new directories below each other in one commit */
#define EXT2_IMMUTABLE_FL 0x10
#define EXT2_APPEND_FL	  0x20
#define EXT2_INDEX_FL	  0x1000 /* a directory has an index of hashes; edits here forget it */

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

/* What inodes larger than 128 bytes go on with: the finer part of the times. */
struct ext2_inode_extra {
	u16 i_extra_isize; /* bytes of this that are in use */
	u16 i_pad;
	u32 i_ctime_extra, i_mtime_extra, i_atime_extra, i_crtime, i_crtime_extra;
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

/* A group of blocks, as its descriptor says: checked at mount, written back by each commit. */
struct ext2_group {
	u32 block_bitmap, inode_bitmap, inode_table; /* block numbers */
	u16 free_blocks, free_inodes, used_dirs;     /* ext2_sb_info.lock */
};

/* Bits of what was freed: not to be used again before the commit that forgets who had it. */
struct ext2_freed {
	unsigned long *blocks; /* bit n: block first_data_block + n */
	unsigned long *inodes; /* bit n: inode n + 1 */
};

struct ext2_sb_info {
	struct super_block *sb;
	struct address_space meta; /* the metadata: page n holds block n, at its start */
	unsigned blkbits;
	u32 inodes_count, blocks_count, first_data_block, reserved_blocks;
	u32 blocks_per_group, inodes_per_group, nr_groups;
	u32 inode_size, first_ino, desc_blocks; /* desc_blocks: of the group table */
	bool filetype;				/* directory entries tell the type */
	unsigned nr_errors;			/* reported so far */

	struct spinlock lock; /* what follows, and the bits of all bitmaps */
	struct ext2_group *groups;
	u64 free_blocks, free_inodes; /* what was freed and awaits its commit included */
	struct ext2_freed freed[2];   /* [freed_now]: since the last commit began; else closing */
	unsigned freed_now;
	u32 generation; /* of the next new inode */

	bool lost_writes; /* a commit failed: what it freed is not used again by this mount */
	bool had_errors;  /* damage was seen: the disk is to be checked */
	bool writing;	  /* the super block on the disk says so */
	bool read_only;	  /* it has features that only readers may ignore */
	bool was_valid;	  /* it was unmounted cleanly before this mount */

	struct rwsem
		removal_sem; /* read: removals; write: the stages of a commit that order them */
	u32 has_deaths;	     /* the inode tables in memory tell of deaths, the disk does not */
	struct mutex commit_mutex; /* one commit at a time */
	u64 commit_seq;		   /* number of the commit to come: changes made now are in it */
	u64 committed_seq;	   /* all commits up to this are on the disk */
};

struct ext2_inode {
	struct inode vfs;
	struct mutex map_lock;	     /* makes and takes away blocks; inside inode and page lock */
	u32 i_block[EXT2_NR_BLOCKS]; /* as on the disk, or a fast symbolic link's target */
	u32 i_flags, i_generation, i_file_acl;
	bool is_new;	/* made by this mount and never written to the table */
	bool dir_grew;	/* a directory that the disk knows with fewer blocks */
	unsigned level; /* of a new directory: 1 and more below a directory that is not new */
	struct list_head commit_link; /* in the commit that is going on */
	u64 born_seq;		      /* commit that first has this inode; 0: it was on the disk */
	u64 name_seq;		      /* commit that first has the newest name; ~0: has none yet */
	u32 last_block;		      /* allocated lately: the next goes behind it */
	u64 dir_room_pos;	      /* directories: no room for an entry is below this position */
};

static inline struct ext2_sb_info *EXT2_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct ext2_inode *EXT2_I(struct inode *inode)
{
	return container_of(inode, struct ext2_inode, vfs);
}

/* ---- super.c ---- */

/*
 * Tells of damage: a line on the console, unless there were very many; the super block remembers.
 * Returns -EIO.
 */
int ext2_error(struct super_block *sb, const char *fmt, ...) __printf(2, 3);
/* True when @block can hold data or metadata. */
static inline bool ext2_block_valid(const struct ext2_sb_info *sbi, u64 block)
{
	return block > sbi->first_data_block && block < sbi->blocks_count;
}

/* ---- meta.c: blocks of metadata, each a page of sbi->meta ---- */

/* Block @block with a reference, its bytes at page_address(); ERR_PTR. May sleep. */
struct page *ext2_meta_read(struct super_block *sb, u32 block);
/* The same for a block that was just allocated: zeros, not read; ERR_PTR(-ENOMEM). */
struct page *ext2_meta_new(struct super_block *sb, u32 block);
/* The page was changed: the next commit writes it. */
void ext2_meta_dirty(struct super_block *sb, struct page *page);
/* Block @block is freed: it is not written any more. Waits for a write under way. */
void ext2_meta_forget(struct super_block *sb, u32 block);
/*
 * Writes block @block, whose bytes lie at @offset of @page, and does not return before it is on the
 * medium: what is pointed to comes before the pointer. 0 or -EIO.
 */
int ext2_write_now(struct super_block *sb, struct page *page, unsigned offset, u32 block);
/* Mount: an empty cache for a disk of @nr_blocks. */
void ext2_meta_init(struct ext2_sb_info *sbi, u64 nr_blocks);

/* ---- balloc.c, ialloc.c: the bitmaps ---- */

/*
 * A free block for @inode, near @goal (0: near its inode), now in use. -EIO; -EAGAIN: none is left.
 * The caller tries a commit first, before that is -ENOSPC: it makes freed blocks free, and a commit
 * that is under way may hold the last reference of a file that was removed.
 */
int ext2_new_block(struct inode *inode, u32 goal, u32 *block);
/*
 * @count blocks from @block on are free again once the next commit is done. Nothing points there.
 */
void ext2_free_blocks(struct super_block *sb, u32 block, u32 count);
/*
 * A new inode for directory @dir (locked) with all set but its contents: mode, owner, times, one
 * link; dirty, with a reference, not yet named. ERR_PTR: -ENOSPC, -EIO, -ENOMEM. To undo: i_nlink =
 * 0 and inode_put(). May commit.
 */
struct inode *ext2_new_inode(struct inode *dir, mode_t mode);
/* Number @ino is free again once the next commit is done. */
void ext2_free_ino(struct super_block *sb, u32 ino, bool is_dir);

/* ---- map.c: from a file's blocks to the disk's ---- */

/* fs/mpage.h's get_block_fn: BLOCK_HOLE where there is none. */
int ext2_get_block(struct address_space *as, u64 block, u64 *phys);
/* An address_space's seek. */
s64 ext2_seek(struct address_space *as, u64 pos, bool data);
/*
 * An address_space's map_page: bytes [from, to) of @page, which is up to date, have their blocks
 * afterwards. What was a hole is written as zeros by a later write-back: the caller marks the page
 * dirty even if it then writes nothing into it. For directories the new block is on the medium,
 * with the bytes that the page has now, before it is pointed to. May commit.
 */
int ext2_map_page(struct address_space *as, struct page *page, unsigned from, unsigned to);
int ext2_map_locked_page(struct address_space *as, struct page *page, unsigned to);
int ext2_free_room(struct address_space *as);
/* Frees all blocks past @size bytes. Damage is told and leaves blocks behind. */
void ext2_truncate_blocks(struct inode *inode, u64 size);

/* ---- inode.c ---- */

/* Inode @ino with a reference, or ERR_PTR: -EIO when it is damaged or not in use. */
struct inode *ext2_iget(struct super_block *sb, u32 ino);
/* Operations by the type in i_mode; -EIO for a type that does not exist. */
int ext2_set_operations(struct inode *inode);
/* Copies @inode to its table in memory; a commit's. 0 or -EIO, -ENOMEM. */
int ext2_write_inode(struct inode *inode);
/* The same for one whose link count has just become 0: the next commit begins with that. */
int ext2_write_death(struct inode *inode);
void ext2_evict_inode(struct inode *inode);

/* ---- commit.c ---- */

/*
 * All metadata, as it was when this was called or newer, is on the medium afterwards. 0 or -errno.
 * Locks: takes commit_mutex; inode locks and directory locks may be held, page and map locks not.
 */
int ext2_commit(struct super_block *sb);
/* super_operations.sync_inode. */
int ext2_sync_inode(struct inode *inode, bool datasync);
/* Tells the disk, at once, that it is in use (not @clean), or was left in order. 0 or -errno. */
int ext2_mark_super(struct super_block *sb, bool clean);
/*
 * @inode is about to lose a name and keeps another: makes sure that the disk knows the other first.
 * 0 or -errno.
 */
int ext2_keep_name(struct inode *inode);
/* @inode got a name in @dir. */
void ext2_named(struct inode *inode, struct inode *dir);
/*
 * Around the removal of an entry and the death of the inode that it named (i_nlink falls to 0, and
 * the inode is marked dirty): both are in the same commit.
 */
void ext2_begin_removal(struct super_block *sb);
void ext2_end_removal(struct super_block *sb);

/* ---- dir.c, diredit.c: entries; the directory is locked ---- */

/*
 * An entry in its directory. Its page is held: what was found, or added, can be changed later,
 * while the directory is locked, without a failure. Starts as zeros; ext2_place_end() lets the page
 * go.
 */
struct ext2_place {
	struct inode *dir;
	struct page *page;
	u64 pos;		   /* of the block, bytes */
	struct ext2_dirent *entry; /* NULL: not found */
};

static inline void ext2_place_end(struct ext2_place *place)
{
	if (place->page)
		page_put(place->page);
	place->page = NULL;
}

/*
 * The bytes of @dir's block at position @pos, or ERR_PTR. *page is the page of the last call, or
 * NULL at first, and is exchanged for the one that is needed; the caller puts the last.
 */
char *ext2_dir_block(struct inode *dir, u64 pos, struct page **page);
/* The entry at @offset of @block, which lies at @block_pos; ERR_PTR(-EIO) if it cannot be one. */
struct ext2_dirent *ext2_dir_entry(struct inode *dir, char *block, unsigned offset, u64 block_pos);
/* Finds @name. 0, -ENOENT, -EIO, -ENOMEM; ext2_place_end() in any case. */
int ext2_find_entry(struct inode *dir, const char *name, unsigned len, struct ext2_place *place);
/* The same for "..": here the lock of @dir's parent is enough. */
int ext2_find_dotdot(struct inode *dir, struct ext2_place *place);
/*
 * Adds the entry @name for @inode, at @place, which is ext2_place_end()'s in any case. -ENOSPC,
 * -EIO, -ENOMEM; nothing has changed then. Directory times and dirtiness are seen to; dcache and
 * link counts are not.
 */
int ext2_add_entry(struct inode *dir, const char *name, unsigned len, struct inode *inode,
		   struct ext2_place *place);
/* Sees to it that a name of @len bytes can be added without a new block. */
int ext2_make_room(struct inode *dir, unsigned len);
/* Removes the entry at @place, which was found, or added, since the directory was locked. */
void ext2_remove_entry(struct ext2_place *place);
/* Lets the entry at @place name @inode instead, in one sector's write. */
void ext2_set_entry(struct ext2_place *place, const struct inode *inode);
/* Lets ".." at @place name @parent, with the locks of the old and the new parent. */
void ext2_set_parent(struct ext2_place *place, const struct inode *parent);
/* Two entries of one sector change what they name, in one write. */
void ext2_swap_entries(struct ext2_place *a, struct ext2_place *b);
/* Contents of a new directory: "." and ".."; on the medium afterwards. */
int ext2_make_empty(struct inode *dir, struct inode *parent);
/* 1: nothing but "." and ".."; 0: more; -errno. */
int ext2_is_empty(struct inode *dir);

/* ---- namei.c, rename.c, symlink.c: the inode_operations of directories (fs/vfs.h) ---- */

/* 0, or -EPERM: the disk says that @dir, or @inode unless it is NULL, is not to be changed. */
int ext2_may_edit(struct inode *dir, struct inode *inode);
/* The link count of @inode, or what it is called, changed: its ctime, and it is dirty. */
void ext2_touch_links(struct inode *inode);
/* One link more, or less: a damaged count does not wrap. */
void ext2_add_link(struct inode *inode);
void ext2_drop_link(struct inode *inode);
/*
 * @inode is about to lose a name, a directory its only one: counts that. If it was the last, the
 * inode table says so from now on. 0, or -EIO with nothing changed. In a removal.
 */
int ext2_lose_name(struct inode *inode);
/* Undoes it: @nlink links, as before. */
void ext2_regain_name(struct inode *inode, u32 nlink);
/* 0: @inode, locked, is an empty directory, or none at all; -ENOTEMPTY, -EIO. */
int ext2_check_empty(struct inode *inode);
/* As ext2_find_entry(); -EIO if the entry is not @inode's, as the VFS believes. */
int ext2_find_name_of(struct inode *dir, const char *name, unsigned len, const struct inode *inode,
		      struct ext2_place *place);

struct inode *ext2_create(struct inode *dir, const char *name, unsigned len, mode_t mode);
struct inode *ext2_mknod(struct inode *dir, const char *name, unsigned len, mode_t mode,
			 dev_t rdev);
struct inode *ext2_tmpfile(struct inode *dir, mode_t mode);
struct inode *ext2_symlink(struct inode *dir, const char *name, unsigned len, const char *to);
/* Names new @inode; on failure it goes, and the error is returned in its place. */
struct inode *ext2_name_new(struct inode *dir, const char *name, unsigned len, struct inode *inode);
int ext2_link(struct inode *dir, const char *name, unsigned len, struct inode *inode);
int ext2_unlink(struct inode *dir, const char *name, unsigned len, struct inode *inode);
int ext2_rmdir(struct inode *dir, const char *name, unsigned len, struct inode *inode);
int ext2_rename(struct inode *old_dir, const char *old_name, unsigned old_len, struct inode *inode,
		struct inode *new_dir, const char *new_name, unsigned new_len,
		struct inode *victim);
int ext2_exchange(struct inode *old_dir, const char *old_name, unsigned old_len,
		  struct inode *old_inode, struct inode *new_dir, const char *new_name,
		  unsigned new_len, struct inode *new_inode);

extern const struct inode_operations ext2_dir_iops, ext2_file_iops, ext2_symlink_iops;
extern const struct file_operations ext2_dir_fops, ext2_file_fops;
extern const struct address_space_ops ext2_aops;

#endif
