/*
 * devfs.c - the table of character devices, and the directory /dev that shows it.
 *
 *	chrdevs: [1:3 null] -> [1:5 zero] -> ... -> [5:1 console]     in order of registration
 *	disks:   block_next() (drivers/block.c)
 *	links:   fd, stdin, stdout, stderr -> /proc/self/fd...
 *	shm:     an empty directory, for a tmpfs to be mounted on
 *
 *	readdir positions: 0 ".", 1 "..", 2 "shm", then the links, then devices by number in the
 *	table
 *
 * Invariant: nothing is ever taken out of the tables, so positions and inode numbers stay.
 * Locks: chrdev_lock guards the list of character devices.
 */
#include "drivers/block.h"
#include "fs/internal.h"
#include "lib/string.h"
#include "mm/slab.h"

#define DEVFS_MAGIC 0x64657666
#define ROOT_INO    1UL
#define SHM_INO	    2UL
#define LINK_INO    3UL /* of the first link */
#define SHM_POS	    2UL
#define FIRST_POS   3UL /* of the first link in the directory */
#define DISK_MODE   0600
#define CONSOLE_DEV MKDEV(5, 1)

struct chrdev {
	dev_t dev;
	const char *name;
	const struct file_operations *fops;
	struct list_head link;
};

static struct spinlock chrdev_lock = SPINLOCK_INIT;
static LIST_HEAD(chrdevs);

/* ---- the table ---- */

int chrdev_register(unsigned major, unsigned minor, const char *name,
		    const struct file_operations *fops)
{
	struct chrdev *new = kmalloc(sizeof(*new), GFP_KERNEL), *other;

	if (!new)
		return -ENOMEM;
	*new = (struct chrdev){ .dev = MKDEV(major, minor), .name = name, .fops = fops };
	spin_lock(&chrdev_lock);
	list_for_each_entry(other, &chrdevs, link) {
		if (other->dev == new->dev || strcmp(other->name, name) == 0) {
			spin_unlock(&chrdev_lock);
			kfree(new);
			return -EEXIST;
		}
	}
	list_add_tail(&new->link, &chrdevs);
	spin_unlock(&chrdev_lock);
	return 0;
}

const struct file_operations *chrdev_find(dev_t dev)
{
	const struct file_operations *fops = NULL;
	struct chrdev *chrdev;

	spin_lock(&chrdev_lock);
	list_for_each_entry(chrdev, &chrdevs, link) {
		if (chrdev->dev == dev) {
			fops = chrdev->fops;
			break;
		}
	}
	spin_unlock(&chrdev_lock);
	return fops;
}

/* Character device number *@i into @entry; false: *@i less the number of them. */
static bool get_chrdev(unsigned *i, struct dev_entry *entry)
{
	struct chrdev *chrdev;
	bool found = false;

	spin_lock(&chrdev_lock);
	list_for_each_entry(chrdev, &chrdevs, link) {
		if (*i == 0) {
			*entry = (struct dev_entry){ chrdev->name, S_IFCHR, chrdev->dev };
			found = true;
			break;
		}
		--*i;
	}
	spin_unlock(&chrdev_lock);
	return found;
}

bool dev_get_entry(unsigned i, struct dev_entry *entry)
{
	struct block_device *bdev;

	if (get_chrdev(&i, entry))
		return true;
	for (bdev = block_next(NULL); bdev; bdev = block_next(bdev)) {
		if (i-- == 0) {
			*entry = (struct dev_entry){ bdev->name, S_IFBLK, bdev->dev };
			return true;
		}
	}
	return false;
}

/* ---- the directory ---- */

static const struct dev_link {
	const char *name, *target;
} dev_links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

static ino_t dev_ino(const struct dev_entry *entry)
{
	return LINK_INO + ARRAY_SIZE(dev_links) + entry->dev * 2 + (entry->type == S_IFBLK);
}

static bool name_is(const char *mine, const char *name, unsigned len)
{
	return strlen(mine) == len && memcmp(mine, name, len) == 0;
}

static int devfs_readlink(struct inode *inode, char *buf, size_t size)
{
	const struct dev_link *link = inode->i_private;
	size_t len = min(strlen(link->target), size);

	memcpy(buf, link->target, len);
	return len;
}

static const struct inode_operations devfs_link_iops = { .readlink = devfs_readlink };
static const struct inode_operations devfs_node_iops;

static struct inode *make_link(struct super_block *sb, unsigned i)
{
	struct inode *inode =
		simple_inode(sb, LINK_INO + i, S_IFLNK | 0777, &devfs_link_iops, NULL);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_private = (void *)&dev_links[i];
	inode->i_data.size = strlen(dev_links[i].target);
	return inode;
}

static struct inode *make_directory(struct super_block *sb, ino_t ino,
				    const struct inode_operations *i_op,
				    const struct file_operations *i_fop)
{
	struct inode *inode = simple_inode(sb, ino, S_IFDIR | 0755, i_op, i_fop);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_nlink = 2;
	return inode;
}

static struct inode *lookup_nothing(struct inode *dir __maybe_unused,
				    const char *name __maybe_unused, unsigned len __maybe_unused)
{
	return NULL;
}

static int iterate_nothing(struct file *file, struct dir_context *ctx)
{
	dir_emit_dots(file, ctx);
	return 0;
}

static const struct inode_operations empty_dir_iops = { .lookup = lookup_nothing };
static const struct file_operations empty_dir_fops = { .iterate = iterate_nothing };

static struct inode *make_node(struct super_block *sb, const struct dev_entry *entry)
{
	bool private = entry->type == S_IFBLK || entry->dev == CONSOLE_DEV;
	struct inode *inode =
		simple_inode(sb, dev_ino(entry), entry->type | (private ? DISK_MODE : 0666),
			     &devfs_node_iops, NULL);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_rdev = entry->dev;
	return inode;
}

static struct inode *devfs_lookup(struct inode *dir, const char *name, unsigned len)
{
	struct dev_entry entry;

	if (name_is("shm", name, len))
		return make_directory(dir->i_sb, SHM_INO, &empty_dir_iops, &empty_dir_fops);
	for (unsigned i = 0; i < ARRAY_SIZE(dev_links); i++) {
		if (name_is(dev_links[i].name, name, len))
			return make_link(dir->i_sb, i);
	}
	for (unsigned i = 0; dev_get_entry(i, &entry); i++) {
		if (name_is(entry.name, name, len))
			return make_node(dir->i_sb, &entry);
	}
	return NULL;
}

static int devfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct dev_entry entry;

	if (!dir_emit_dots(file, ctx))
		return 0;
	if (ctx->pos == SHM_POS) {
		if (!dir_emit(ctx, "shm", 3, SHM_INO, DT_DIR))
			return 0;
		ctx->pos++;
	}
	while (ctx->pos < FIRST_POS + ARRAY_SIZE(dev_links)) {
		const char *name = dev_links[ctx->pos - FIRST_POS].name;

		if (!dir_emit(ctx, name, strlen(name), LINK_INO + ctx->pos - FIRST_POS, DT_LNK))
			return 0;
		ctx->pos++;
	}
	if (ctx->pos > INT_MAX)
		return 0;
	while (dev_get_entry(ctx->pos - FIRST_POS - ARRAY_SIZE(dev_links), &entry)) {
		if (!dir_emit(ctx, entry.name, strlen(entry.name), dev_ino(&entry),
			      mode_to_dtype(entry.type)))
			return 0;
		ctx->pos++;
	}
	return 0;
}

static const struct inode_operations devfs_dir_iops = { .lookup = devfs_lookup };
static const struct file_operations devfs_dir_fops = { .iterate = devfs_iterate };

static int devfs_fill_super(struct super_block *sb)
{
	struct inode *root;

	sb->s_blocksize = PAGE_SIZE;
	sb->s_magic = DEVFS_MAGIC;
	root = make_directory(sb, ROOT_INO, &devfs_dir_iops, &devfs_dir_fops);
	if (IS_ERR(root))
		return PTR_ERR(root);
	root->i_nlink = 3;
	return sb_make_root(sb, root);
}

void devfs_init(void)
{
	static struct fs_type devfs_type = { .name = "devfs", .fill_super = devfs_fill_super };

	fs_register(&devfs_type);
}
