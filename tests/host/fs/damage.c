/*
 * damage.c - a sound ext2 image becomes a damaged one, where it matters.
 *
 *	super block | group table | bitmaps | inodes in use | blocks of directories, of pointers
 *	                                \      |      /
 *	        one thing is drawn, up to three fields of it, and for each a value:
 *	        0, 1, ~0, near to what was there, the number of a block that is in use, the edges of
 *	        the disk and of a block, any
 */
#include "tests/host/fs/damage.h"

#include <string.h>

#include "fs/ext2/ext2.h"
#include "kernel/panic.h"

#define MAX_PLACES 600
#define ANYWHERE   (60U << 10) /* bytes from the start: what is there is in use */

struct field {
	u8 at, size;
};

#define FIELD(type, member)                                                                        \
	{                                                                                          \
		offsetof(struct type, member), sizeof(((struct type *)0)->member)                  \
	}

static const struct field super_fields[] = {
	FIELD(ext2_super, s_inodes_count),
	FIELD(ext2_super, s_blocks_count),
	FIELD(ext2_super, s_first_data_block),
	FIELD(ext2_super, s_log_block_size),
	FIELD(ext2_super, s_blocks_per_group),
	FIELD(ext2_super, s_inodes_per_group),
	FIELD(ext2_super, s_free_blocks_count),
	FIELD(ext2_super, s_free_inodes_count),
	FIELD(ext2_super, s_magic),
	FIELD(ext2_super, s_state),
	FIELD(ext2_super, s_rev_level),
	FIELD(ext2_super, s_first_ino),
	FIELD(ext2_super, s_inode_size),
	FIELD(ext2_super, s_inode_size),
	FIELD(ext2_super, s_feature_incompat),
	FIELD(ext2_super, s_feature_ro_compat),
};
static const struct field group_fields[] = {
	FIELD(ext2_group_desc, bg_block_bitmap),      FIELD(ext2_group_desc, bg_inode_bitmap),
	FIELD(ext2_group_desc, bg_inode_table),	      FIELD(ext2_group_desc, bg_free_blocks_count),
	FIELD(ext2_group_desc, bg_free_inodes_count), FIELD(ext2_group_desc, bg_used_dirs_count),
};
static const struct field inode_fields[] = {
	FIELD(ext2_disk_inode, i_mode),	       FIELD(ext2_disk_inode, i_mode),
	FIELD(ext2_disk_inode, i_size),	       FIELD(ext2_disk_inode, i_size),
	FIELD(ext2_disk_inode, i_size_high),   FIELD(ext2_disk_inode, i_links_count),
	FIELD(ext2_disk_inode, i_blocks),      FIELD(ext2_disk_inode, i_flags),
	FIELD(ext2_disk_inode, i_file_acl),    FIELD(ext2_disk_inode, i_block[0]),
	FIELD(ext2_disk_inode, i_block[1]),    FIELD(ext2_disk_inode, i_block[12]),
	FIELD(ext2_disk_inode, i_block[13]),   FIELD(ext2_disk_inode, i_block[14]),
	{ sizeof(struct ext2_disk_inode), 2 }, /* i_extra_isize */
};
static const struct field entry_fields[] = {
	FIELD(ext2_dirent, inode),    FIELD(ext2_dirent, rec_len),  FIELD(ext2_dirent, rec_len),
	FIELD(ext2_dirent, name_len), FIELD(ext2_dirent, name_len), FIELD(ext2_dirent, file_type),
	{ EXT2_DIRENT_MIN, 1 },	      { EXT2_DIRENT_MIN + 1, 1 },
};
static const struct field word[] = { { 0, 4 } };

/* ---- what there is, while the image is sound ---- */

static u8 *image;
static u32 block_size;
/* Where things are, in bytes. */
static struct places {
	unsigned nr;
	u32 at[MAX_PLACES];
} groups, bitmaps, inodes, root_entries, entries, dir_blocks, pointers;

static void add_place(struct places *places, u64 at)
{
	if (places->nr < MAX_PLACES)
		places->at[places->nr++] = at;
}

static void look_at_dir_block(u64 at, bool is_root)
{
	const struct ext2_dirent *entry;

	add_place(&dir_blocks, at);
	for (u32 offset = 0; offset < block_size; offset += entry->rec_len) {
		entry = (void *)(image + at + offset);
		BUG_ON(entry->rec_len < EXT2_DIRENT_MIN);
		if (entry->inode || offset == 0)
			add_place(is_root ? &root_entries : &entries, at + offset);
	}
}

static void look_at_inode(u32 ino, u64 at)
{
	const struct ext2_disk_inode *raw = (void *)(image + at);
	bool is_dir = (raw->i_mode & S_IFMT) == S_IFDIR;

	if (raw->i_links_count == 0 || (ino < EXT2_GOOD_OLD_FIRST_INO && ino != EXT2_ROOT_INO))
		return;
	add_place(&inodes, at);
	for (unsigned i = 0; is_dir && i < EXT2_NR_DIRECT; i++) {
		if (raw->i_block[i])
			look_at_dir_block((u64)raw->i_block[i] * block_size, ino == EXT2_ROOT_INO);
	}
	if (is_dir || (raw->i_mode & S_IFMT) == S_IFREG) {
		for (unsigned i = 0; raw->i_block[EXT2_NR_DIRECT] && i < block_size / 4; i += 7)
			add_place(&pointers,
				  (u64)raw->i_block[EXT2_NR_DIRECT] * block_size + i * 4);
	}
}

static void look_at_image(void)
{
	const struct ext2_super *super = (void *)(image + EXT2_SUPER_OFFSET);
	struct places *all[] = { &groups,  &bitmaps,	&inodes,  &root_entries,
				 &entries, &dir_blocks, &pointers };
	const struct ext2_group_desc *desc;

	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		all[i]->nr = 0;
	block_size = 1024 << super->s_log_block_size;
	desc = (void *)(image + (super->s_first_data_block + 1) * block_size);
	for (u32 ino = 1; ino <= super->s_inodes_count; ino++) {
		u32 group = (ino - 1) / super->s_inodes_per_group;
		u32 nth = (ino - 1) % super->s_inodes_per_group;

		if (nth == 0) {
			add_place(&groups, (u8 *)&desc[group] - image);
			add_place(&bitmaps, (u64)desc[group].bg_block_bitmap * block_size);
			add_place(&bitmaps, (u64)desc[group].bg_inode_bitmap * block_size);
		}
		look_at_inode(ino, (u64)desc[group].bg_inode_table * block_size +
					   (u64)nth * super->s_inode_size);
	}
}

/* ---- lies ---- */

static u32 any_of(const struct places *places, struct prng *prng)
{
	return places->nr ? places->at[prng_below(prng, places->nr)] : EXT2_SUPER_OFFSET;
}

static u32 draw_value(u32 old, struct prng *prng)
{
	const struct ext2_super *super = (void *)(image + EXT2_SUPER_OFFSET);

	switch (prng_below(prng, 16)) {
	case 0:
		return 0;
	case 1:
		return 1;
	case 2:
		return ~0u;
	case 3:
		return old + 1;
	case 4:
		return old - 1;
	case 5:
		return old + 4;
	case 6:
		return old - 4;
	case 7:
		return old ^ 1u << prng_below(prng, 32);
	case 8:
		return old ^ prng_below(prng, 16) << 12; /* another type of file */
	case 9:
		return INT32_MAX + prng_below(prng, 2);
	case 10:
		return super->s_blocks_count - prng_below(prng, 2);
	case 11:
		return any_of(&pointers, prng) / block_size;
	case 12:
		return any_of(&dir_blocks, prng) / block_size;
	case 13:
		return block_size - 4 + 4 * prng_below(prng, 3);
	case 14:
		return 1u << prng_below(prng, 16);
	default:
		return prng_next(prng);
	}
}

static void put(struct damage *damage, u32 at, u32 size, u32 value)
{
	struct damage_field *field = &damage->fields[damage->nr++];

	BUG_ON(damage->nr > DAMAGE_MAX);
	*field = (struct damage_field){ .at = at, .size = size };
	memcpy(&field->old, image + at, size);
	memcpy(&field->value, &value, size);
	memcpy(image + at, &value, size);
}

static void lie(struct damage *damage, const char *what, u32 at, const struct field *fields,
		unsigned nr, struct prng *prng)
{
	unsigned lies = 1 + (prng_below(prng, 4) == 0) * prng_below(prng, DAMAGE_MAX);

	damage->what = what;
	while (lies-- > 0) {
		const struct field *field = &fields[prng_below(prng, nr)];
		u32 old = 0;

		memcpy(&old, image + at + field->at, field->size);
		put(damage, at + field->at, field->size, draw_value(old, prng));
	}
}

/* An entry right before the end of a block, which its name or its length may overstep. */
static void lie_at_end(struct damage *damage, struct prng *prng)
{
	u32 block = any_of(&dir_blocks, prng), left = 8 + 4 * prng_below(prng, 8);
	u32 at = block + block_size - left, rec_len = left;
	u8 name_len = prng_below(prng, 2) ? left - EXT2_DIRENT_MIN : prng_next(prng);

	if (prng_below(prng, 4) != 0)
		rec_len = prng_below(prng, 2) ? left + 4 * prng_below(prng, 80) : ~3u;
	damage->what = "end of a directory's block";
	put(damage, block + offsetof(struct ext2_dirent, rec_len), 2, block_size - left);
	put(damage, at, 4, EXT2_GOOD_OLD_FIRST_INO + prng_below(prng, 12));
	put(damage, at + offsetof(struct ext2_dirent, rec_len), 4, (u16)rec_len | name_len << 16);
}

#define LIE(what, at, fields) lie(damage, what, at, fields, ARRAY_SIZE(fields), prng)

void damage_image(u8 *disk, struct prng *prng, struct damage *damage)
{
	image = disk;
	look_at_image();
	*damage = (struct damage){ .nr = 0 };
	switch (prng_below(prng, 16)) {
	case 0:
	case 1:
		LIE("super block", EXT2_SUPER_OFFSET, super_fields);
		break;
	case 2:
		LIE("group", any_of(&groups, prng), group_fields);
		break;
	case 3:
		LIE("bitmap", any_of(&bitmaps, prng) + 4 * prng_below(prng, 16), word);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		LIE("inode", any_of(&inodes, prng), inode_fields);
		break;
	case 8:
	case 9:
		LIE("entry of the root", any_of(&root_entries, prng), entry_fields);
		break;
	case 10:
	case 11:
	case 12:
		LIE("entry", any_of(&entries, prng), entry_fields);
		break;
	case 13:
		lie_at_end(damage, prng);
		break;
	case 14:
		LIE("pointer block", any_of(&pointers, prng), word);
		break;
	default:
		LIE("anything", 4 * prng_below(prng, ANYWHERE / 4), word);
		break;
	}
}

/* In an image of two groups with 32 inodes each. */
static const struct {
	const char *what;
	struct damage_field field;
} known[] = {
	/* All 64 are in the first group; a new directory looked for one in the second. */
	{ "inodes of a group",
	  { EXT2_SUPER_OFFSET + offsetof(struct ext2_super, s_inodes_per_group), 4, 0, 128 } },
};

bool damage_known(u8 *disk, unsigned i, struct damage *damage)
{
	if (i >= ARRAY_SIZE(known))
		return false;
	image = disk;
	*damage = (struct damage){ .what = known[i].what };
	put(damage, known[i].field.at, known[i].field.size, known[i].field.value);
	return true;
}
