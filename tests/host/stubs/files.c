/*
 * files.c - fs/mapping.h on the host machine: files without names, and the descriptors of a task.
 */
#include "tests/host/file.h"

#include <stdlib.h>
#include <string.h>

#include "fs/mapping.h"
#include "kernel/panic.h"
#include "mm/filemap.h"

#define MAX_FDS 8

static LIST_HEAD(files);
static unsigned nr_files;
static struct file *fds[MAX_FDS];

/* ---- making files ---- */

u8 file_pattern(unsigned nr, u64 pos)
{
	return (pos >> PAGE_SHIFT) * 31 + nr * 97 + pos % 251 + 1;
}

u8 *host_file_disk(struct file *file, unsigned long index)
{
	return file->disk + index * PAGE_SIZE;
}

struct file *host_file(enum file_kind kind, u64 bytes)
{
	struct file *file = calloc(1, sizeof(*file));

	*file = (struct file){
		.kind = kind,
		.refs = 1,
		.nr = nr_files++,
		.readable = true,
		.writable = true,
		.executable = true,
		.disk_pages = DIV_ROUND_UP(bytes, PAGE_SIZE) + 256,
	};
	readahead_init(&file->ra);
	mapping_init(&file->as, NULL, kind == FILE_TMPFS ? &shmem_aops : &disk_aops);
	file->as.size = bytes;
	file->disk = calloc(file->disk_pages, PAGE_SIZE);
	for (u64 pos = 0; pos < bytes; pos++)
		file->disk[pos] = file_pattern(file->nr, pos);
	list_add_tail(&file->link, &files);
	return file;
}

struct address_space *host_file_mapping(struct file *file)
{
	return &file->as;
}

unsigned host_file_nr(const struct file *file)
{
	return file->nr;
}

int host_file_refs(const struct file *file)
{
	return file->refs;
}

void host_file_mode(struct file *file, bool readable, bool writable, bool executable)
{
	file->readable = readable;
	file->writable = writable;
	file->executable = executable;
}

int host_fd(struct file *file)
{
	for (int fd = 0; fd < MAX_FDS; fd++) {
		if (!fds[fd]) {
			fds[fd] = file;
			return fd;
		}
	}
	panic("host: no descriptor free");
}

void host_files_check_gone(void)
{
	if (!list_empty(&files))
		panic("leak: file %u has %d references",
		      list_first_entry(&files, struct file, link)->nr,
		      list_first_entry(&files, struct file, link)->refs);
}

/* ---- fs/mapping.h ---- */

struct file *file_get(struct file *file)
{
	BUG_ON(file->refs <= 0);
	file->refs++;
	return file;
}

void file_put(struct file *file)
{
	BUG_ON(file->refs <= 0);
	might_sleep();
	if (--file->refs > 0)
		return;
	for (int fd = 0; fd < MAX_FDS; fd++) {
		if (fds[fd] == file)
			fds[fd] = NULL;
	}
	mapping_destroy(&file->as);
	list_del(&file->link);
	free(file->disk);
	free(file);
}

struct file *fd_get(int fd)
{
	return fd >= 0 && fd < MAX_FDS && fds[fd] ? file_get(fds[fd]) : NULL;
}

/* fs/vfs.h's, for kernel/elf.c. */
ssize_t file_read_kernel(struct file *file, void *buf, size_t len, u64 pos)
{
	return filemap_read_kernel(&file->as, &file->ra, buf, len, pos);
}

struct address_space *file_mapping(const struct file *file)
{
	return file->kind == FILE_PIPE ? NULL : (struct address_space *)&file->as;
}

struct readahead *file_readahead(struct file *file)
{
	return &file->ra;
}

bool file_is_zero_device(const struct file *file)
{
	return file->kind == FILE_ZERO_DEVICE;
}

bool file_can_read(const struct file *file)
{
	return file->readable;
}

bool file_can_write(const struct file *file)
{
	return file->writable;
}

bool file_can_exec(const struct file *file)
{
	return file->executable;
}

bool is_privileged(void)
{
	return current->cred.euid == 0;
}

/* Who may write to a file may be told of its pages. */
bool file_shows_cache(const struct file *file)
{
	return file->writable;
}

int file_punch_hole(struct file *file, unsigned long first, unsigned long last)
{
	if (file->kind != FILE_TMPFS)
		return -EOPNOTSUPP;
	filemap_punch(&file->as, (u64)first << PAGE_SHIFT, (u64)(last + 1) << PAGE_SHIFT);
	return 0;
}

void file_path(const struct file *file, char *buf, size_t size)
{
	snprintf(buf, size, "/file%u", file->nr);
}

struct file *shared_memory_file(u64 bytes)
{
	return host_file(FILE_TMPFS, bytes);
}

int file_sync_pages(struct file *file, unsigned long first, unsigned long last)
{
	errseq_t since = errseq_now(&file->as.wb_err);

	filemap_start_write(&file->as, first, last);
	filemap_wait_write(&file->as, first, last);
	return errseq_since(&file->as.wb_err, since);
}

void mapping_written(struct address_space *as)
{
	container_of(as, struct file, as)->times_written++;
}

bool mapping_is_data(const struct address_space *as)
{
	return !as->ops->no_backing;
}

void mapping_dirtied(struct address_space *as)
{
	container_of(as, struct file, as)->dirty = true;
}

void flusher_wake(void)
{
}

void flusher_wait(void)
{
	struct file *file;

	list_for_each_entry(file, &files, link) {
		if (file->dirty)
			filemap_write_all(&file->as);
		file->dirty = false;
	}
}

unsigned long fs_shrink(unsigned long nr)
{
	(void)nr;
	return 0;
}
