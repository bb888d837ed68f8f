/*
 * readdir.c - getdents64: the entries of a directory.
 *
 *	file system --emit--> a page of kernel memory (entries in the user's format) --> user
 *
 * The file system may hold any lock while it emits; user memory is touched when it has returned.
 * Locks: the file's f_pos_lock, then the directory's inode lock.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "kernel/syscall.h"
#include "lib/string.h"
#include "mm/slab.h"

struct getdents {
	struct dir_context ctx;
	char *buf;
	size_t size, used;
	struct dirent64_abi *last; /* its d_off is known when the next one comes */
	bool full;
};

static bool getdents_emit(struct dir_context *ctx, const char *name, unsigned len, ino_t ino,
			  unsigned type)
{
	struct getdents *g = container_of(ctx, struct getdents, ctx);
	size_t size = ALIGN_UP(offsetof(struct dirent64_abi, d_name) + len + 1, 8);
	struct dirent64_abi *entry = (void *)(g->buf + g->used);

	if (len > NAME_MAX || size > g->size - g->used) {
		g->full = true;
		return false;
	}
	if (g->last)
		g->last->d_off = ctx->pos;
	memset(entry, 0, size);
	entry->d_ino = ino;
	entry->d_reclen = size;
	entry->d_type = type;
	memcpy(entry->d_name, name, len);
	g->last = entry;
	g->used += size;
	return true;
}

bool dir_emit_dots(struct file *file, struct dir_context *ctx)
{
	struct dentry *parent;
	ino_t parent_ino;

	if (ctx->pos == 0) {
		if (!dir_emit(ctx, ".", 1, file->f_inode->i_ino, DT_DIR))
			return false;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		parent = d_get_parent(file->f_dentry);
		parent_ino = parent->d_inode->i_ino;
		dput(parent);
		if (!dir_emit(ctx, "..", 2, parent_ino, DT_DIR))
			return false;
		ctx->pos = 2;
	}
	return true;
}

/* Fills @g from @file's offset on and moves it. */
static long fill(struct getdents *g, struct file *file)
{
	struct inode *dir = file->f_inode;
	long err;

	g->ctx.pos = file->f_pos;
	mutex_lock(&dir->lock);
	err = dir->i_nlink == 0 ? -ENOENT : file->f_op->iterate(file, &g->ctx);
	mutex_unlock(&dir->lock);
	if (g->last)
		g->last->d_off = g->ctx.pos;
	if (g->used > 0) {
		touch_atime(file, file->f_pos);
		return g->used;
	}
	return err ? err : g->full ? -EINVAL : 0;
}

SYSCALL_DEFINE3(getdents64, int, fdnum, void *, ubuf, size_t, size)
{
	struct getdents g = { .ctx.emit = getdents_emit, .size = min(size, (size_t)PAGE_SIZE) };
	struct fd fd = fd_begin(fdnum);
	struct file *file = fd.file;
	long ret = -ENOTDIR;

	if (!file)
		return -EBADF;
	if (!file->f_op->iterate)
		goto out;
	ret = -ENOMEM;
	g.buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!g.buf)
		goto out;
	mutex_lock(&file->f_pos_lock);
	ret = fill(&g, file);
	if (ret > 0 && copy_to_user(ubuf, g.buf, ret))
		ret = -EFAULT;
	if (ret >= 0)
		file->f_pos = g.ctx.pos;
	mutex_unlock(&file->f_pos_lock);
	kfree(g.buf);
out:
	fd_end(fd);
	return ret;
}
