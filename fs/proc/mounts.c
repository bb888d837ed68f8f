/*
 * mounts.c - /proc/mounts, /proc/self/mountinfo, /proc/filesystems: what is mounted and where.
 *
 *	mounts      /dev/vda / ext2 ro 0 0
 *	mountinfo   1 1 254:0 / / ro - ext2 /dev/vda ro      id, parent's id, device, root, place
 *
 * Locks: mounts_lock() around each pass, so nothing in it comes or goes.
 */
#include "drivers/block.h"
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "mm/slab.h"

static void put_options(struct seq_buf *seq, const struct super_block *sb)
{
	seq_printf(seq, "%s%s%s%s", sb->s_flags & SB_RDONLY ? "ro" : "rw",
		   sb->s_flags & SB_NOSUID ? ",nosuid" : "", sb->s_flags & SB_NODEV ? ",nodev" : "",
		   sb->s_flags & SB_NOEXEC ? ",noexec" : "");
}

static void put_source(struct seq_buf *seq, const struct super_block *sb)
{
	seq_printf(seq, "%s%s", sb->s_bdev ? "/dev/" : "",
		   sb->s_bdev ? sb->s_bdev->name : sb->s_type->name);
}

/* Gives each mounted file system and its place to @put. 0 or -ENOMEM. */
static int show_all(struct seq_buf *seq,
		    void (*put)(struct seq_buf *seq, const struct super_block *sb,
				const char *path))
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL);

	if (!buf)
		return -ENOMEM;
	mounts_lock();
	for (struct super_block *sb = sb_next(NULL); sb; sb = sb_next(sb)) {
		const char *path = dentry_path(sb->s_root, buf, PATH_MAX);

		put(seq, sb, path ? path : "?");
	}
	mounts_unlock();
	kfree(buf);
	return 0;
}

static void put_mounts_line(struct seq_buf *seq, const struct super_block *sb, const char *path)
{
	put_source(seq, sb);
	seq_printf(seq, " ");
	seq_path(seq, path);
	seq_printf(seq, " %s ", sb->s_type->name);
	put_options(seq, sb);
	seq_printf(seq, " 0 0\n");
}

int proc_show_mounts(struct seq_buf *seq, struct task *task __maybe_unused)
{
	return show_all(seq, put_mounts_line);
}

static void put_mountinfo_line(struct seq_buf *seq, const struct super_block *sb, const char *path)
{
	const struct super_block *parent = sb->s_mountpoint ? sb->s_mountpoint->d_sb : sb;

	seq_printf(seq, "%u %u %u:%u / ", sb->s_id, parent->s_id, MAJOR(sb->s_dev),
		   MINOR(sb->s_dev));
	seq_path(seq, path);
	seq_printf(seq, " ");
	put_options(seq, sb);
	seq_printf(seq, " - %s ", sb->s_type->name);
	put_source(seq, sb);
	seq_printf(seq, " %s\n", sb->s_flags & SB_RDONLY ? "ro" : "rw");
}

int proc_show_mountinfo(struct seq_buf *seq, struct task *task __maybe_unused)
{
	return show_all(seq, put_mountinfo_line);
}

int proc_show_filesystems(struct seq_buf *seq, struct task *task __maybe_unused)
{
	const struct fs_type *type = NULL;

	while ((type = fs_type_next(type)))
		seq_printf(seq, "%s\t%s\n", type->needs_disk ? "" : "nodev", type->name);
	return 0;
}
