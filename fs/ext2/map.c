/*
 * map.c - ext2: from a file's block to the disk's, making blocks and taking them away.
 *
 *	file block    0..11   12 .. 12+n-1    n*n more         n*n*n more       n = blocksize / 4
 *	i_block       [0..11] [12]->(n)       [13]->(n)->(n)   [14]->(n)->(n)->(n)
 *	              direct  indirect        double           triple
 *
 * A block number 0 is a hole, anywhere on the way. Every other is checked against the disk's size.
 *
 * Making a block:      [have]->(have)->(new)->(new)->data     the new part is a branch: built from
 *	                          ^                            its end, each pointer block on the
 *	                          linked last                  medium before what points to it
 *
 * So whatever a crash leaves of the metadata, no pointer leads to garbage that would be taken for
 * pointers or for directory entries. (Where it leads to a file's data that was not written, the
 * file has old bytes: fsync is for that.)
 *
 * Invariants: i_blocks counts data and pointer blocks, in units of 512 bytes.
 * Locks: map_lock for making and taking away; looking needs none: a pointer is one aligned word,
 * and truncation first waits for every reader of the pages that it takes (mm/filemap.c). map_lock
 * is inside the inode's lock and page locks of the file, outside page locks of metadata.
 */
#include "drivers/block.h"
#include "fs/ext2/ext2.h"
#include "fs/mpage.h"
#include "lib/string.h"
#include "mm/buddy.h"

#define MAX_DEPTH 4

/*
 * The way to file block @block: offsets[0] in i_block, then one in each pointer block. Returns how
 * many steps, 0 when no such block can exist.
 */
static unsigned block_path(unsigned blkbits, u64 block, u32 offsets[MAX_DEPTH])
{
	unsigned ptr_bits = blkbits - 2;
	u64 span = 1ULL << ptr_bits;

	if (block < EXT2_NR_DIRECT) {
		offsets[0] = block;
		return 1;
	}
	block -= EXT2_NR_DIRECT;
	for (unsigned depth = 1; depth <= 3; depth++, span <<= ptr_bits) {
		if (block >= span) {
			block -= span;
			continue;
		}
		offsets[0] = EXT2_NR_DIRECT + depth - 1;
		for (unsigned i = 1; i <= depth; i++)
			offsets[i] = block >> (depth - i) * ptr_bits & ((1u << ptr_bits) - 1);
		return depth + 1;
	}
	return 0;
}

/* How far the way to a block exists. */
struct chain {
	unsigned depth; /* steps in all */
	unsigned found; /* of them, those that lead somewhere; depth: the block is there */
	u32 offsets[MAX_DEPTH];
	u32 block;	   /* where the last step found leads; 0: none was */
	struct page *page; /* the pointer block that holds the first missing step; NULL: i_block */
};

static void chain_end(struct chain *c)
{
	if (c->page)
		page_put(c->page);
	c->page = NULL;
}

/* Follows the way to @block as far as it goes. 0 or -errno; chain_end() in any case. */
static int chain_start(struct inode *inode, u64 block, struct chain *c)
{
	struct super_block *sb = inode->i_sb;
	const u32 *slot;

	*c = (struct chain){ .depth = 0 };
	c->depth = block_path(EXT2_SB(sb)->blkbits, block, c->offsets);
	if (c->depth == 0)
		return ext2_error(sb, "inode %lu: no block %lu can exist", inode->i_ino, block);
	slot = &EXT2_I(inode)->i_block[c->offsets[0]];
	for (;;) {
		u32 next = READ_ONCE(*slot);

		if (next == 0)
			return 0;
		if (!ext2_block_valid(EXT2_SB(sb), next))
			return ext2_error(sb, "inode %lu: bad block number %u", inode->i_ino, next);
		c->block = next;
		if (++c->found == c->depth)
			return 0;
		chain_end(c);
		c->page = ext2_meta_read(sb, next);
		if (IS_ERR(c->page)) {
			int err = PTR_ERR(c->page);

			c->page = NULL;
			return err;
		}
		slot = (u32 *)page_address(c->page) + c->offsets[c->found];
	}
}

int ext2_get_block(struct address_space *as, u64 block, u64 *phys)
{
	struct chain c;
	int err = chain_start(as->host, block, &c);

	*phys = !err && c.found == c.depth ? c.block : BLOCK_HOLE;
	chain_end(&c);
	return err;
}

/* How many file blocks from @block on the first missing step of @c leaves without a place. */
static u64 hole_length(const struct ext2_sb_info *sbi, const struct chain *c, u64 block)
{
	unsigned ptr_bits = sbi->blkbits - 2, below = c->depth - c->found - 1;
	u64 span = 1ULL << below * ptr_bits, base = EXT2_NR_DIRECT;

	/* Blocks are counted from the start of what the same word of i_block spans. */
	for (unsigned depth = 2; depth < c->depth; depth++)
		base += 1ULL << (depth - 1) * ptr_bits;
	if (c->depth == 1)
		return 1;
	return span - (block - base) % span;
}

s64 ext2_seek(struct address_space *as, u64 pos, bool data)
{
	struct inode *inode = as->host;
	const struct ext2_sb_info *sbi = EXT2_SB(inode->i_sb);
	u64 first = pos >> sbi->blkbits, block = first, size = READ_ONCE(as->size);

	while (block << sbi->blkbits < size) {
		struct chain c;
		int err = chain_start(inode, block, &c);
		bool there = c.found == c.depth;
		u64 step = there ? 1 : hole_length(sbi, &c, block);

		chain_end(&c);
		if (err)
			return err;
		if (there == data)
			return block == first ? pos : block << sbi->blkbits;
		block += step;
		cond_resched();
	}
	return size;
}

/* ---- making blocks ---- */

/* Where a new block of @inode is looked for: behind the last one, or behind its pointer block. */
static u32 block_goal(struct inode *inode, const struct chain *c)
{
	u32 last = EXT2_I(inode)->last_block;

	if (last)
		return last + 1;
	return c->block ? c->block + 1 : 0;
}

/*
 * Takes blocks[0..nr), on failure none: blocks[0] the first new pointer block (or the data block),
 * the last one the data block.
 */
static int take_blocks(struct inode *inode, u32 goal, u32 *blocks, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		int err = ext2_new_block(inode, goal, &blocks[i]);

		if (err) {
			while (i-- > 0)
				ext2_free_blocks(inode->i_sb, blocks[i], 1);
			return err;
		}
		goal = blocks[i] + 1;
	}
	return 0;
}

/* Pointer block @block, whose entry @offset points to @child, is on the medium afterwards. */
static int make_pointer_block(struct super_block *sb, u32 block, u32 offset, u32 child)
{
	struct page *page = ext2_meta_new(sb, block);
	int err;

	if (IS_ERR(page))
		return PTR_ERR(page);
	((u32 *)page_address(page))[offset] = child;
	err = ext2_write_now(sb, page, 0, block);
	page_put(page);
	return err;
}

/* The branch blocks[0..nr): from its end, all but the data block. On failure nothing is left. */
static int make_branch(struct inode *inode, const struct chain *c, const u32 *blocks, unsigned nr)
{
	struct super_block *sb = inode->i_sb;

	for (unsigned i = nr - 1; i-- > 0;) {
		int err = make_pointer_block(sb, blocks[i], c->offsets[c->found + i + 1],
					     blocks[i + 1]);

		if (!err)
			continue;
		for (; i < nr - 1; i++)
			ext2_meta_forget(sb, blocks[i]);
		return err;
	}
	return 0;
}

/* Lets the first missing step of @c lead to @block. */
static void link_branch(struct inode *inode, struct chain *c, u32 block)
{
	struct ext2_inode *ei = EXT2_I(inode);

	if (c->page) {
		WRITE_ONCE(((u32 *)page_address(c->page))[c->offsets[c->found]], block);
		ext2_meta_dirty(inode->i_sb, c->page);
	} else {
		WRITE_ONCE(ei->i_block[c->offsets[0]], block);
	}
}

/*
 * File block @block, for which @page holds the bytes at @offset, gets its place unless it has one.
 * map_lock held. -EAGAIN: a commit may help.
 */
static int make_block(struct inode *inode, u64 block, struct page *page, unsigned offset)
{
	struct super_block *sb = inode->i_sb;
	u32 blocks[MAX_DEPTH];
	struct chain c;
	unsigned nr;
	int err = chain_start(inode, block, &c);

	if (err || c.found == c.depth)
		goto out;
	nr = c.depth - c.found;
	err = take_blocks(inode, block_goal(inode, &c), blocks, nr);
	if (err)
		goto out;
	/*
	 * Whoever reads a directory believes it: like a pointer block it is there before it counts.
	 */
	if (S_ISDIR(inode->i_mode))
		err = ext2_write_now(sb, page, offset, blocks[nr - 1]);
	if (!err)
		err = make_branch(inode, &c, blocks, nr);
	if (err) {
		for (unsigned i = 0; i < nr; i++)
			ext2_free_blocks(sb, blocks[i], 1);
		goto out;
	}
	link_branch(inode, &c, blocks[0]);
	WRITE_ONCE(EXT2_I(inode)->dir_grew, S_ISDIR(inode->i_mode));
	EXT2_I(inode)->last_block = blocks[nr - 1];
	inode->i_blocks += (u64)nr << (EXT2_SB(sb)->blkbits - SECTOR_SHIFT);
	inode_mark_dirty(inode, I_DIRTY_ATTR);
out:
	chain_end(&c);
	return err;
}

/* make_block() for each block of bytes [from, to) of @page. */
static int make_blocks(struct inode *inode, struct page *page, unsigned from, unsigned to)
{
	unsigned blkbits = EXT2_SB(inode->i_sb)->blkbits;
	u64 first = (u64)page->index << (PAGE_SHIFT - blkbits);
	int err = 0;

	mutex_lock(&EXT2_I(inode)->map_lock);
	for (unsigned i = from >> blkbits; !err && i << blkbits < to; i++)
		err = make_block(inode, first + i, page, i << blkbits);
	mutex_unlock(&EXT2_I(inode)->map_lock);
	return err;
}

int ext2_map_page(struct address_space *as, struct page *page, unsigned from, unsigned to)
{
	struct inode *inode = as->host;
	int err = make_blocks(inode, page, from, to);

	if (err == -EAGAIN) {
		err = ext2_commit(inode->i_sb);
		if (!err)
			err = make_blocks(inode, page, from, to);
	}
	if (err) {
		/* What was made past the end for the first blocks of the page goes again. */
		ext2_truncate_blocks(inode, as->size);
		return err == -EAGAIN ? -ENOSPC : err;
	}
	if (from >> EXT2_SB(inode->i_sb)->blkbits == 0 && to > PAGE_SIZE - inode->i_sb->s_blocksize)
		page_set_flags(page, PG_MAPPED);
	return 0;
}

/*
 * Nothing is taken back on failure: what was made lies in the file. If the file has become shorter
 * meanwhile, who makes it so waits for the page, and takes the blocks then.
 */
int ext2_map_locked_page(struct address_space *as, struct page *page, unsigned to)
{
	int err = make_blocks(as->host, page, 0, to);

	if (!err && to > PAGE_SIZE - as->host->i_sb->s_blocksize)
		page_set_flags(page, PG_MAPPED);
	return err;
}

int ext2_free_room(struct address_space *as)
{
	return ext2_commit(as->host->i_sb);
}

/* ---- taking blocks away ---- */

/* Blocks being given back: runs of consecutive ones together. */
struct freeing {
	struct inode *inode;
	u32 first, count;
	u64 total;
};

static void free_run(struct freeing *f)
{
	if (f->count)
		ext2_free_blocks(f->inode->i_sb, f->first, f->count);
	f->total += f->count;
	f->count = 0;
}

/* @block is pointed to no more. */
static void free_one(struct freeing *f, u32 block)
{
	if (f->count && block == f->first + f->count) {
		f->count++;
		return;
	}
	free_run(f);
	f->first = block;
	f->count = 1;
}

/*
 * *slot, in pointer block @holder (NULL: in i_block), leads nowhere any more. The commit that makes
 * the block free again must write this: so it is marked dirty before the block is given back.
 */
static void clear_slot(struct freeing *f, u32 *slot, struct page *holder)
{
	WRITE_ONCE(*slot, 0);
	if (holder)
		ext2_meta_dirty(f->inode->i_sb, holder);
	else
		inode_mark_dirty(f->inode, I_DIRTY_ATTR);
}

static void free_tree(struct freeing *f, u32 *slot, struct page *holder, unsigned levels, u64 keep);

/*
 * Takes away what the entries of pointer block @block lead to, but for the first @keep file blocks
 * of what it spans; @levels of pointer blocks lie at it and below. One that cannot be read keeps
 * what is below it: that is lost, but nothing else is.
 */
static void free_entries(struct freeing *f, u32 block, unsigned levels, u64 keep)
{
	struct super_block *sb = f->inode->i_sb;
	unsigned ptr_bits = EXT2_SB(sb)->blkbits - 2;
	u64 span = 1ULL << (levels - 1) * ptr_bits; /* file blocks below one entry */
	struct page *page = ext2_meta_read(sb, block);
	u32 *entries;

	if (IS_ERR(page)) {
		ext2_error(sb, "inode %lu: pointer block %u cannot be read", f->inode->i_ino,
			   block);
		return;
	}
	entries = page_address(page);
	for (u64 i = keep / span; i < 1u << ptr_bits; i++) {
		u64 before = i * span;

		free_tree(f, &entries[i], page, levels - 1, keep > before ? keep - before : 0);
	}
	page_put(page);
	cond_resched();
}

/*
 * *slot, in @holder, leads to a block of the file, or through @levels of pointer blocks to many:
 * all but the first @keep of them go, and *slot with them if @keep is 0. As each slot is cleared
 * before what it led to is looked at, a damaged map that leads in circles comes to an end.
 */
static void free_tree(struct freeing *f, u32 *slot, struct page *holder, unsigned levels, u64 keep)
{
	struct super_block *sb = f->inode->i_sb;
	u32 block = *slot;
	bool valid = ext2_block_valid(EXT2_SB(sb), block);

	if (block == 0 || (keep > 0 && levels == 0))
		return;
	if (keep == 0 || !valid)
		clear_slot(f, slot, holder);
	if (!valid) {
		ext2_error(sb, "inode %lu: bad block number %u", f->inode->i_ino, block);
		return;
	}
	if (levels > 0)
		free_entries(f, block, levels, keep);
	if (keep > 0)
		return;
	if (levels > 0)
		ext2_meta_forget(sb, block);
	free_one(f, block);
}

void ext2_truncate_blocks(struct inode *inode, u64 size)
{
	struct ext2_inode *ei = EXT2_I(inode);
	unsigned blkbits = EXT2_SB(inode->i_sb)->blkbits;
	u64 keep = DIV_ROUND_UP(size, 1u << blkbits), span = 1;
	struct freeing f = { .inode = inode };
	bool before = memory_must_begin();
	u64 sectors;

	mutex_lock(&ei->map_lock);
	for (unsigned i = 0; i < EXT2_NR_BLOCKS; i++) {
		unsigned levels = i < EXT2_NR_DIRECT ? 0 : i - EXT2_NR_DIRECT + 1;

		if (levels > 0)
			span <<= blkbits - 2;
		if (keep < span)
			free_tree(&f, &ei->i_block[i], NULL, levels, keep);
		keep = keep > span ? keep - span : 0;
	}
	free_run(&f);
	inode_mark_dirty(inode, I_DIRTY_ATTR); /* i_blocks */
	ei->last_block = 0;
	sectors = f.total << (blkbits - SECTOR_SHIFT);
	inode->i_blocks = inode->i_blocks > sectors ? inode->i_blocks - sectors : 0;
	mutex_unlock(&ei->map_lock);
	memory_must_end(before);
}
