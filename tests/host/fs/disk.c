/*
 * disk.c - fs/ over a disk in memory: what fs/ext2 stands on is the kernel's own, what is below and
 * beside that is here.
 *
 *	fs/ext2, and of fs inode.c dcache.c super.c mpage.c writeback.c bdev.c ...   unchanged
 *	drivers/block.c                                                                  unchanged
 *	disk_submit()    bios wait in a queue, and end while somebody sleeps
 *	                 (the next disk_fail_reads or disk_fail_writes of them fail)
 *
 * Instead of stubs/files.c. No area maps a file here, and no process has any.
 */
#include "tests/host/fs/disk.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/block.h"
#include "fs/mpage.h"
#include "kernel/cred.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "mm/buddy.h"
#include "mm/slab.h"
#include "tests/host/host.h"

#define NR_CACHES 64

static u8 *bytes;
static LIST_HEAD(queue);
static struct fs_type *type;
static unsigned long objects_at_rest[NR_CACHES], pages_at_rest;

unsigned disk_fail_reads, disk_fail_writes;

/* ---- the disk ---- */

static void disk_submit(struct bio *bio)
{
	list_add_tail(&bio->link, &queue);
}

static int transfer(struct bio *bio)
{
	unsigned *fail = bio->op == BIO_READ ? &disk_fail_reads : &disk_fail_writes;
	u8 *at = bytes + (bio->sector << SECTOR_SHIFT);

	if (bio->op == BIO_FLUSH)
		return 0;
	if (*fail > 0) {
		--*fail;
		return -EIO;
	}
	for (unsigned i = 0; i < bio->nr_segs; i++) {
		u8 *memory = (u8 *)page_address(bio->segs[i].page) + bio->segs[i].offset;

		if (bio->op == BIO_READ)
			memcpy(memory, at, bio->segs[i].len);
		else
			memcpy(at, memory, bio->segs[i].len);
		at += bio->segs[i].len;
	}
	return 0;
}

bool disk_complete(void)
{
	bool any = !list_empty(&queue);

	while (!list_empty(&queue)) {
		struct bio *bio = list_first_entry(&queue, struct bio, link);

		list_del(&bio->link);
		bio_complete(bio, transfer(bio));
	}
	return any;
}

static struct block_device disk = {
	.name = "host",
	.dev = MKDEV(254, 0),
	.submit = disk_submit,
};

/* ---- mounting ---- */

void fs_register(struct fs_type *fs)
{
	type = fs;
}

struct super_block *disk_mount(unsigned flags)
{
	struct super_block *sb = sb_new(type, &disk);
	int err;

	if (!sb)
		return ERR_PTR(-ENOMEM);
	sb->s_flags = flags;
	err = type->fill_super(sb);
	if (!err)
		return sb;
	kfree(sb);
	return ERR_PTR(err);
}

void disk_unmount(struct super_block *sb)
{
	sync_filesystem(sb);
	sb_kill(sb);
}

/* ---- at rest ---- */

static unsigned long pages_in_use(void)
{
	mpage_drop_spares();
	bio_drop_spares();
	filemap_drop_clean(bdev_mapping(&disk), 0, ~0UL);
	while (fs_shrink(NR_CACHES) > 0)
		;
	return nr_managed_pages() - nr_free_pages() - slab_nr_pages();
}

void disk_set_size(size_t size)
{
	filemap_drop_clean(bdev_mapping(&disk), 0, ~0UL);
	disk.nr_sectors = size >> SECTOR_SHIFT;
	bdev_mapping(&disk)->size = size;
}

u8 *disk_boot(size_t size)
{
	struct slab_info info;

	bytes = calloc(1, size);
	inode_init();
	dcache_init();
	mpage_init();
	ext2_init();
	BUG_ON(block_register(&disk) != 0);
	disk_set_size(size);
	pages_at_rest = pages_in_use();
	for (unsigned i = 0; slab_get_info(i, &info); i++)
		objects_at_rest[i] = info.active_objs;
	return bytes;
}

void disk_check_rest(void)
{
	unsigned long pages = pages_in_use();
	struct slab_info info;

	for (unsigned i = 0; slab_get_info(i, &info); i++) {
		if (info.active_objs != objects_at_rest[i])
			panic("leak: %ld objects of %s",
			      (long)(info.active_objs - objects_at_rest[i]), info.name);
	}
	if (pages != pages_at_rest)
		panic("leak: %ld pages", (long)(pages - pages_at_rest));
	machine_check();
}

/* ---- time, and who is asked ---- */

u64 ktime_real_ns(void)
{
	static u64 now = 1700000000 * NSEC_PER_SEC;

	return now += NSEC_PER_SEC / 100;
}

bool in_fs_group(u32 gid __maybe_unused)
{
	return true;
}

bool is_privileged(void)
{
	return true;
}

/* ---- what nobody asks for here: there are no areas of files, no processes, no flusher ---- */

#define NOT_REACHED(result, name, ...)                                                             \
	result name(__VA_ARGS__)                                                                   \
	{                                                                                          \
		panic("host: %s() was called", __func__);                                          \
	}

#define FILE_ARG	 const struct file *file __maybe_unused
#define MUTABLE_FILE_ARG struct file *file __maybe_unused

NOT_REACHED(struct file *, file_get, MUTABLE_FILE_ARG)
NOT_REACHED(void, file_put, MUTABLE_FILE_ARG)
NOT_REACHED(struct file *, fd_get, int fd __maybe_unused)
NOT_REACHED(struct address_space *, file_mapping, FILE_ARG)
NOT_REACHED(struct readahead *, file_readahead, MUTABLE_FILE_ARG)
NOT_REACHED(bool, file_is_zero_device, FILE_ARG)
NOT_REACHED(bool, file_can_read, FILE_ARG)
NOT_REACHED(bool, file_can_write, FILE_ARG)
NOT_REACHED(bool, file_can_exec, FILE_ARG)
NOT_REACHED(struct file *, shared_memory_file, u64 bytes __maybe_unused)
NOT_REACHED(bool, file_shows_cache, FILE_ARG)
NOT_REACHED(int, file_punch_hole, MUTABLE_FILE_ARG, unsigned long first __maybe_unused,
	    unsigned long last __maybe_unused)
NOT_REACHED(int, file_sync_pages, MUTABLE_FILE_ARG, unsigned long first __maybe_unused,
	    unsigned long last __maybe_unused)
NOT_REACHED(int, seals_allow_write, const struct inode *inode __maybe_unused,
	    u64 pos __maybe_unused, u64 len __maybe_unused)
NOT_REACHED(void, file_path, FILE_ARG, char *buf __maybe_unused, size_t size __maybe_unused)
NOT_REACHED(int, vfs_fsync, MUTABLE_FILE_ARG, bool datasync __maybe_unused)
NOT_REACHED(ssize_t, generic_file_read, MUTABLE_FILE_ARG, void *ubuf __maybe_unused,
	    size_t len __maybe_unused, u64 *pos __maybe_unused)
NOT_REACHED(struct super_block *, sb_get_next, struct super_block *prev __maybe_unused)
NOT_REACHED(struct dentry *, fs_get_root, struct fs_context *fs __maybe_unused)
NOT_REACHED(struct task *, kernel_thread, void (*fn)(void *) __maybe_unused,
	    void *arg __maybe_unused, const char *name __maybe_unused)

void host_files_check_gone(void)
{
}
