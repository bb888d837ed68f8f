/*
 * ext2.c - the ext2 file system on images from mke2fs, and on damaged ones.
 *
 *	ext2-tree/ --mke2fs--> image --damage--> mount, create, write, rename, walk ..., unmount
 *	       \                                    |
 *	        tree: names, kinds, bytes <--------/   (tests/host/fs/tree.h, the oracle)
 *
 * While the image is undamaged each result is the oracle's, a walk finds exactly the tree, and at
 * the end e2fsck has nothing to say. Now and then it is damaged (tests/host/fs/damage.h), used, and
 * put back as it was; meanwhile an operation may do anything that ends: no panic, nothing out of
 * bounds, nothing left after unmounting. Work is done in two directories, the root and "sub". What
 * fs/namei.c and fs/dirops.c check before they call a file system is checked here too.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/panic.h"
#include "tests/host/fs/damage.h"
#include "tests/host/fs/disk.h"
#include "tests/host/fs/limit.h"
#include "tests/host/fs/tree.h"
#include "tests/host/fuzz.h"

#define RAM_PAGES 8192
#define DISK_SIZE (512UL << 10)
#define ROOM	  (400UL << 10) /* bytes of the largest file */
#define NR_NAMES  12
#define MAX_DEPTH 6
/* The n-th lock of its class, as in fs/dirops.c. */
#define LOCK_SECOND_DIR 1
#define LOCK_ENTRY	2
#define MAX_VISITED	500    /* entries in one walk of a damaged image */
#define MAX_ROUNDS	5      /* of damaging, for one operation */
#define ROUND_USEC	400000 /* of CPU time for one: some hundred times what it needs */

enum {
	OP_CREATE,
	OP_CREATE_TOO,
	OP_WRITE,
	OP_WRITE_TOO,
	OP_TRUNCATE,
	OP_REMOVE,
	OP_RENAME,
	OP_LINK,
	OP_WALK,
	OP_SYNC,
	OP_REMOUNT,
	OP_DAMAGE,
	OP_DAMAGE_TOO,
	OP_NEW,
	NR_CODES,
};

static const char *const images[] = { "build/host/ext2-1k.img", "build/host/ext2-4k.img" };
static u8 *disk;
static struct super_block *sb; /* NULL: not mounted */
static struct tree_node *tree;
static bool damaged; /* for one round: then the image is as it was */
static u8 *sound;    /* what the disk held before */

/* ---- results ---- */

static void begin(const struct fuzz_op *op)
{
	current->fail_fired = 0;
	current->fail_alloc = op->a % 8 == 7 ? 1 + op->c % 10 : 0;
}

/*
 * Ends what begin() began. True: it worked, so the tree changes too. It may fail for want of
 * memory or space, and on a damaged image for any reason.
 */
static bool worked(long result)
{
	bool fired = current->fail_fired;

	current->fail_alloc = 0;
	if (result < 0 && !damaged && result != -ENOSPC && !(fired && result == -ENOMEM))
		panic("an operation failed with %ld", result);
	return result >= 0 && !damaged;
}

/* ---- names ---- */

static const char *name_of(unsigned i)
{
	static char names[2][TREE_NAME_MAX];
	static unsigned turn;
	char *name = names[turn ^= 1];

	/* Long ones fill the directories' blocks. */
	if (i % 3 == 0)
		snprintf(name, TREE_NAME_MAX, "n%02u%0*u", i, 40 + i * 16, 0);
	else
		snprintf(name, TREE_NAME_MAX, "n%02u", i);
	return name;
}

/* A place: name number @name in the root (@sub false) or in "sub". */
struct place {
	bool sub;
	unsigned name;
};

static struct place place_of(u32 bits)
{
	return (struct place){ .sub = bits >> 4 & 1, .name = bits % 16 % NR_NAMES };
}

static struct tree_node *tree_dir(struct place place)
{
	return place.sub ? tree_find(tree, "sub") : tree;
}

static struct tree_node *tree_at(struct place place)
{
	return tree_find(tree_dir(place), name_of(place.name));
}

/* The inode of @name in locked @dir with a reference; NULL: none, or one that is locked already. */
static struct inode *find_locked(struct inode *dir, const char *name)
{
	struct inode *inode = dir->i_op->lookup(dir, name, strlen(name));

	if (IS_ERR(inode)) {
		BUG_ON(!damaged && !(current->fail_fired && PTR_ERR(inode) == -ENOMEM));
		return NULL;
	}
	/* A directory has one name (fs/dcache.c): the others are refused. */
	if (inode && (inode == dir || inode == sb->s_root->d_inode)) {
		BUG_ON(!damaged);
		inode_put(inode);
		return NULL;
	}
	return inode;
}

static struct inode *find(struct inode *dir, const char *name)
{
	struct inode *inode;

	mutex_lock(&dir->lock);
	inode = find_locked(dir, name);
	mutex_unlock(&dir->lock);
	return inode;
}

/* The directory of @place with a reference; NULL: damaged. */
static struct inode *get_dir(struct place place)
{
	struct inode *root = sb->s_root->d_inode, *dir;

	if (!place.sub)
		return inode_get(root);
	dir = find(root, "sub");
	if (dir && S_ISDIR(dir->i_mode))
		return dir;
	inode_put(dir);
	return NULL;
}

/* ---- mounting ---- */

static void mount(void)
{
	sb = disk_mount(0);
	if (!IS_ERR(sb))
		return;
	BUG_ON(!damaged);
	sb = NULL;
}

static void unmount(void)
{
	if (sb)
		disk_unmount(sb);
	sb = NULL;
	disk_check_rest();
}

static void fresh(unsigned which)
{
	unmount();
	if (tree)
		tree_free(tree);
	tree = tree_load("build/host/ext2-tree", ROOM);
	tree_add(tree, "lost+found", tree_new('d', 0));
	BUG_ON(tree_read_file(images[which % 2], disk, DISK_SIZE) != DISK_SIZE);
	disk_set_size(DISK_SIZE);
	damaged = false;
	mount();
}

/* ---- looking ---- */

static struct readahead habits; /* of one who has many files open as if they were one */

static void check_bytes(struct inode *inode, const struct tree_node *node)
{
	static u8 buf[ROOM];
	size_t done = 0;

	BUG_ON(inode->i_data.size != node->size);
	while (done < node->size) {
		ssize_t n = filemap_read_kernel(&inode->i_data, &habits, buf, 9999, done);

		BUG_ON(n <= 0 || memcmp(buf, node->data + done, n) != 0);
		done += n;
	}
	BUG_ON(filemap_read_kernel(&inode->i_data, &habits, buf, 1, done) != 0);
}

struct listing {
	struct dir_context ctx;
	unsigned nr, max;
	char (*names)[TREE_NAME_MAX];
};

static bool emit(struct dir_context *ctx, const char *name, unsigned len, ino_t ino, unsigned type)
{
	struct listing *list = container_of(ctx, struct listing, ctx);

	BUG_ON(len >= TREE_NAME_MAX || ino == 0 || type > 15);
	/* It lies in a page: a name that oversteps its block is one of the next block's bytes. */
	BUG_ON(offset_in_page(name) % sb->s_blocksize + len > sb->s_blocksize);
	if (list->nr == list->max)
		return false;
	memcpy(list->names[list->nr], name, len);
	list->names[list->nr++][len] = '\0';
	return true;
}

/* @depth: the list of another may be in use meanwhile. */
static void list_dir(struct inode *dir, struct listing *list, unsigned depth)
{
	static char names[MAX_DEPTH + 1][MAX_VISITED][TREE_NAME_MAX];
	struct file file = { .f_inode = dir, .f_mapping = &dir->i_data };
	int err;

	*list = (struct listing){ .ctx.emit = emit, .max = MAX_VISITED, .names = names[depth] };
	mutex_lock(&dir->lock);
	err = dir->i_fop->iterate(&file, &list->ctx);
	mutex_unlock(&dir->lock);
	BUG_ON(err && !damaged);
}

static void compare(struct inode *inode, const struct tree_node *node);

/* Every name of the tree is in @dir, and there are no more than these. */
static void compare_dir(struct inode *dir, const struct tree_node *node)
{
	struct listing list;
	unsigned nr = 2; /* "." and ".." */

	for (struct tree_name *entry = node->names; entry; entry = entry->next, nr++) {
		struct inode *inode = find(dir, entry->name);

		BUG_ON(!inode);
		compare(inode, entry->node);
		inode_put(inode);
	}
	list_dir(dir, &list, 0);
	BUG_ON(list.nr != nr);
}

static void compare(struct inode *inode, const struct tree_node *node)
{
	char target[ROOM / 64];
	int len;

	switch (node->kind) {
	case 'd':
		BUG_ON(!S_ISDIR(inode->i_mode));
		compare_dir(inode, node);
		break;
	case 'f':
		BUG_ON(!S_ISREG(inode->i_mode) || inode->i_nlink != node->links);
		check_bytes(inode, node);
		break;
	default:
		BUG_ON(!S_ISLNK(inode->i_mode));
		len = inode->i_op->readlink(inode, target, sizeof(target));
		BUG_ON(len != (int)node->size || memcmp(target, node->data, len) != 0);
		break;
	}
}

/* Of a damaged image: all that there is, as far as it goes. */
static void roam(struct inode *dir, unsigned depth, unsigned *visited)
{
	struct listing list;

	list_dir(dir, &list, depth);
	for (unsigned i = 0; i < list.nr && ++*visited < MAX_VISITED; i++) {
		struct inode *inode = find(dir, list.names[i]);
		u8 buf[3000];

		if (!inode)
			continue;
		if (S_ISDIR(inode->i_mode) && depth < MAX_DEPTH) {
			roam(inode, depth + 1, visited);
		} else if (S_ISLNK(inode->i_mode)) {
			inode->i_op->readlink(inode, (char *)buf, sizeof(buf));
		} else if (S_ISREG(inode->i_mode)) {
			u64 size = inode->i_data.size;

			for (u64 pos = 0; pos < min(size, ROOM); pos += 7 * sizeof(buf))
				filemap_read_kernel(&inode->i_data, &habits, buf, sizeof(buf), pos);
			filemap_read_kernel(&inode->i_data, &habits, buf, sizeof(buf),
					    size > sizeof(buf) ? size - sizeof(buf) : size);
			inode->i_data.ops->seek(&inode->i_data, 0, false);
			inode->i_data.ops->seek(&inode->i_data, 0, true);
		}
		inode_put(inode);
	}
}

static void walk(void)
{
	struct inode *root = sb->s_root->d_inode;
	unsigned visited = 0;

	if (damaged)
		roam(root, 0, &visited);
	else
		compare(root, tree);
}

/* ---- doing ---- */

static char kind_of(const struct fuzz_op *op)
{
	return "ffldlff"[op->a % 7];
}

/* 60 bytes are the most that an inode could hold, and one too many. */
static size_t target_len(const struct fuzz_op *op)
{
	return op->c & 1 ? 59 + (op->c >> 1) % 3 : 1 + op->c % 130;
}

static void do_create(const struct fuzz_op *op, struct inode *dir, struct place place)
{
	const char *name = name_of(place.name);
	struct inode *inode = find_locked(dir, name);
	char kind = kind_of(op), target[256];
	struct tree_node *node;

	if (inode || (current->fail_fired && !damaged)) {
		inode_put(inode);
		return;
	}
	snprintf(target, sizeof(target), "%0*u", (int)target_len(op), 7);
	if (kind == 'l')
		inode = dir->i_op->symlink(dir, name, strlen(name), target);
	else
		inode = dir->i_op->create(dir, name, strlen(name),
					  kind == 'd' ? S_IFDIR | 0755 : S_IFREG | 0644);
	if (worked(IS_ERR(inode) ? PTR_ERR(inode) : 0)) {
		node = tree_new(kind, ROOM);
		if (kind == 'l') {
			node->size = target_len(op);
			memcpy(node->data, target, node->size);
		}
		tree_add(tree_dir(place), name, node);
	}
	if (!IS_ERR(inode))
		inode_put(inode);
}

static size_t write_pos(const struct fuzz_op *op)
{
	return op->c % (op->c >> 40 & 7 ? 30000 : ROOM - 20000);
}

static size_t write_len(const struct fuzz_op *op)
{
	return 1 + (op->b >> 8) % (op->b >> 7 & 1 ? 18000 : 600);
}

static void do_write(const struct fuzz_op *op, struct inode *inode, struct tree_node *node)
{
	struct file file = { .f_inode = inode, .f_mapping = &inode->i_data };
	static u8 buf[20000];
	u64 pos = write_pos(op);
	ssize_t n;

	memset(buf, op->a, write_len(op));
	n = generic_file_write_kernel(&file, buf, write_len(op), &pos);
	if (!worked(n))
		return;
	memcpy(node->data + write_pos(op), buf, n);
	node->size = max(node->size, write_pos(op) + n);
}

static void do_truncate(const struct fuzz_op *op, struct inode *inode, struct tree_node *node)
{
	size_t size = op->c % (op->a & 8 ? ROOM : 20000);
	int err;

	mutex_lock(&inode->lock);
	err = inode->i_op->truncate(inode, size);
	mutex_unlock(&inode->lock);
	if (!worked(err))
		return;
	if (size < node->size)
		memset(node->data + size, 0, node->size - size);
	node->size = size;
}

/* Operations on a regular file that is there. */
static void with_file(const struct fuzz_op *op, struct place place)
{
	struct inode *dir = get_dir(place), *inode;

	if (!dir)
		return;
	inode = find(dir, name_of(place.name));
	if (inode && S_ISREG(inode->i_mode)) {
		struct tree_node *node = damaged ? NULL : tree_at(place);

		BUG_ON(!damaged && (!node || node->kind != 'f'));
		if (op->code == OP_TRUNCATE)
			do_truncate(op, inode, node);
		else
			do_write(op, inode, node);
	}
	inode_put(inode);
	inode_put(dir);
}

static void do_remove(struct inode *dir, struct place place)
{
	const char *name = name_of(place.name);
	struct inode *inode = find_locked(dir, name);
	int err;

	if (!inode)
		return;
	mutex_lock_nested(&inode->lock, LOCK_ENTRY);
	err = S_ISDIR(inode->i_mode) ? dir->i_op->rmdir(dir, name, strlen(name), inode) :
				       dir->i_op->unlink(dir, name, strlen(name), inode);
	mutex_unlock(&inode->lock);
	if (worked(err))
		tree_remove(tree_dir(place), name);
	inode_put(inode);
}

static void do_link(struct inode *dir, struct place old, struct place new, struct inode *inode)
{
	const char *name = name_of(new.name);
	struct inode *there;
	int err;

	if (S_ISDIR(inode->i_mode) || inode->i_nlink == 0)
		return;
	mutex_lock(&dir->lock);
	there = find_locked(dir, name);
	if (there || (current->fail_fired && !damaged)) {
		mutex_unlock(&dir->lock);
		inode_put(there);
		return;
	}
	mutex_lock_nested(&inode->lock, LOCK_ENTRY);
	err = dir->i_op->link(dir, name, strlen(name), inode);
	mutex_unlock(&inode->lock);
	mutex_unlock(&dir->lock);
	if (worked(err))
		tree_add(tree_dir(new), name, tree_at(old));
}

static void tree_rename(struct place old, struct place new, struct inode *victim)
{
	struct tree_node *node = tree_at(old);

	if (victim)
		tree_remove(tree_dir(new), name_of(new.name));
	tree_add(tree_dir(new), name_of(new.name), node);
	tree_remove(tree_dir(old), name_of(old.name));
}

/* Both directories (perhaps one) are locked; @inode is what the old name names. */
static void rename_locked(struct inode *old_dir, struct inode *new_dir, struct place old,
			  struct place new, struct inode *inode)
{
	const char *from = name_of(old.name), *to = name_of(new.name);
	struct inode *victim = find_locked(new_dir, to);
	int err;

	if (victim == inode || victim == old_dir || inode == new_dir ||
	    (current->fail_fired && !damaged) ||
	    (victim && S_ISDIR(victim->i_mode) != S_ISDIR(inode->i_mode)))
		goto out;
	if (victim)
		mutex_lock_nested(&victim->lock, LOCK_ENTRY);
	err = old_dir->i_op->rename(old_dir, from, strlen(from), inode, new_dir, to, strlen(to),
				    victim);
	if (victim)
		mutex_unlock(&victim->lock);
	if (worked(err))
		tree_rename(old, new, victim);
out:
	inode_put(victim);
}

static void do_rename(struct inode *old_dir, struct inode *new_dir, struct place old,
		      struct place new, struct inode *inode)
{
	bool root_is_old = !old.sub;

	if (old_dir == new_dir) {
		mutex_lock(&old_dir->lock);
	} else {
		mutex_lock(root_is_old ? &old_dir->lock : &new_dir->lock);
		mutex_lock_nested(root_is_old ? &new_dir->lock : &old_dir->lock, LOCK_SECOND_DIR);
	}
	rename_locked(old_dir, new_dir, old, new, inode);
	mutex_unlock(&old_dir->lock);
	if (old_dir != new_dir)
		mutex_unlock(&new_dir->lock);
}

/* Operations on two names. */
static void with_two(const struct fuzz_op *op, struct place old, struct place new)
{
	struct inode *old_dir = get_dir(old), *new_dir = get_dir(new), *inode = NULL;

	if (old_dir && new_dir)
		inode = find(old_dir, name_of(old.name));
	if (inode && inode != new_dir) {
		if (op->code == OP_LINK)
			do_link(new_dir, old, new, inode);
		else if (!damaged || old_dir == new_dir || !S_ISDIR(inode->i_mode))
			do_rename(old_dir, new_dir, old, new, inode);
	}
	inode_put(inode);
	inode_put(new_dir);
	inode_put(old_dir);
}

/* Operations on a name. */
static void with_name(const struct fuzz_op *op, struct place place)
{
	struct inode *dir = get_dir(place);

	if (!dir)
		return;
	mutex_lock(&dir->lock);
	if (op->code == OP_REMOVE)
		do_remove(dir, place);
	else if (dir->i_nlink > 0)
		do_create(op, dir, place);
	mutex_unlock(&dir->lock);
	inode_put(dir);
}

/* Operations on a mounted file system that may be written. */
static void edit(const struct fuzz_op *op)
{
	struct place place = place_of(op->b), other = place_of(op->b >> 5);

	begin(op);
	switch (op->code) {
	case OP_WRITE:
	case OP_WRITE_TOO:
	case OP_TRUNCATE:
		with_file(op, place);
		break;
	case OP_RENAME:
	case OP_LINK:
		with_two(op, place, other);
		break;
	default:
		with_name(op, place);
		break;
	}
	current->fail_alloc = 0;
	current->fail_fired = 0;
}

/* ---- damage ---- */

static void edit_if_writable(const struct fuzz_op *op)
{
	if (sb_want_write(sb) != 0)
		return;
	edit(op);
	sb_done_write(sb);
}

/* Some operations on a damaged image that was mounted. */
static void use(struct prng *prng)
{
	for (unsigned i = 0; i < 4; i++) {
		struct fuzz_op op = { .code = prng_below(prng, OP_WALK) };

		op.a = prng_next(prng);
		op.b = prng_next(prng);
		op.c = prng_next(prng);
		edit_if_writable(&op);
	}
}

static unsigned nr_rounds(const struct fuzz_op *op)
{
	return 1 + op->a % MAX_ROUNDS;
}

/* The image, which is sound and not mounted, is damaged from here to damage_end(). */
static void damage_begin(void)
{
	memcpy(sound, disk, DISK_SIZE);
	damaged = true;
	limit_cpu(ROUND_USEC);
}

static void damage_end(void)
{
	unmount();
	limit_cpu(0);
	damaged = false;
	memcpy(disk, sound, DISK_SIZE);
	disk_set_size(DISK_SIZE);
}

static void damage_mount(void)
{
	disk_set_size(DISK_SIZE);
	mount();
}

static void damage_round(u64 draw)
{
	struct prng prng = { draw };
	struct damage damage;

	damage_begin();
	damage_image(disk, &prng, &damage);
	damage_mount();
	if (sb) {
		walk();
		use(&prng);
		walk();
	}
	damage_end();
}

/* What was found once; then a file of each kind is made. False: there are no more than @i. */
static bool known_round(unsigned i)
{
	struct damage damage;
	bool more;

	damage_begin();
	more = damage_known(disk, i, &damage);
	damage_mount();
	for (unsigned n = 0; sb && n < 7; n++) {
		struct fuzz_op op = { .code = OP_CREATE, .a = n, .b = n };

		edit_if_writable(&op);
	}
	damage_end();
	return more;
}

/* On the new image, which is mounted. */
static void try_known_damages(void)
{
	unsigned i = 0;

	unmount();
	while (known_round(i))
		i++;
	mount();
}

static void do_damage(const struct fuzz_op *op)
{
	unmount();
	for (unsigned i = 0; i < nr_rounds(op); i++)
		damage_round(op->c + i);
	mount();
}

/* ---- the frame ---- */

static void start(void)
{
	bool first = !disk;

	if (first) {
		machine_boot(RAM_PAGES, 1);
		disk = disk_boot(DISK_SIZE);
		sound = malloc(DISK_SIZE);
	}
	fresh(0);
	if (first)
		try_known_damages();
}

static void step(const struct fuzz_op *op)
{
	if (op->code == OP_NEW) {
		if (op->a % 8 == 0)
			fresh(op->b);
	} else if (op->code == OP_DAMAGE || op->code == OP_DAMAGE_TOO) {
		do_damage(op);
	} else if (op->code == OP_WALK) {
		walk();
	} else if (op->code == OP_SYNC) {
		BUG_ON(sync_filesystem(sb) != 0);
	} else if (op->code == OP_REMOUNT) {
		unmount();
		mount();
	} else {
		BUG_ON(sb_want_write(sb) != 0);
		edit(op);
		sb_done_write(sb);
	}
}

static void check_by_e2fsck(void)
{
#ifndef LIBFUZZER
	char path[64], command[256];
	FILE *file;

	snprintf(path, sizeof(path), "build/host/ext2-%d.tmp", getpid());
	file = fopen(path, "w");
	BUG_ON(!file || fwrite(disk, 1, DISK_SIZE, file) != DISK_SIZE);
	fclose(file);
	snprintf(command, sizeof(command), "PATH=$PATH:/usr/sbin:/sbin e2fsck -fn %s 1>&2", path);
	if (system(command) != 0)
		panic("e2fsck found what is printed above");
	unlink(path);
#endif
}

static void end(void)
{
	walk();
	unmount();
	check_by_e2fsck();
}

static void print(FILE *out, const struct fuzz_op *op)
{
	struct place place = place_of(op->b), other = place_of(op->b >> 5);
	static const char *const verbs[] = { "create",	"create", "write",  "write", "truncate",
					     "remove",	"rename", "link",   "walk",  "sync",
					     "remount", "damage", "damage", "new" };

	if (op->a % 8 == 7 && op->code <= OP_LINK)
		fprintf(out, "\tcurrent->fail_alloc = %u;\n", 1 + (unsigned)(op->c % 10));
	fprintf(out, "\t%s(", verbs[op->code]);
	switch (op->code) {
	case OP_CREATE:
	case OP_CREATE_TOO:
		fprintf(out, "%s, %u, '%c', %zu", place.sub ? "sub" : "root", place.name,
			kind_of(op), target_len(op));
		break;
	case OP_WRITE:
	case OP_WRITE_TOO:
		fprintf(out, "%s, %u, %zu, %zu", place.sub ? "sub" : "root", place.name,
			write_pos(op), write_len(op));
		break;
	case OP_TRUNCATE:
		fprintf(out, "%s, %u, %zu", place.sub ? "sub" : "root", place.name,
			(size_t)(op->c % (op->a & 8 ? ROOM : 20000)));
		break;
	case OP_RENAME:
	case OP_LINK:
		fprintf(out, "%s, %u, %s, %u", place.sub ? "sub" : "root", place.name,
			other.sub ? "sub" : "root", other.name);
		break;
	case OP_REMOVE:
		fprintf(out, "%s, %u", place.sub ? "sub" : "root", place.name);
		break;
	case OP_DAMAGE:
	case OP_DAMAGE_TOO:
		fprintf(out, "%u, 0x%llx", nr_rounds(op), (unsigned long long)op->c);
		break;
	default:
		break;
	}
	fprintf(out, ");\n");
}

const struct fuzz_target fuzz_target = {
	.name = "ext2",
	.nr_codes = NR_CODES,
	.default_ops = 400,
	.start = start,
	.step = step,
	.end = end,
	.print = print,
	.prologue = "\tfresh(0);\n",
	.epilogue = "\tunmount();\n",
};
