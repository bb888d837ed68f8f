/*
 * fs/mapping.h - all that mm/ knows of files: an opaque file, and the mapping it gives.
 *
 * The address_space itself and its operations are mm/'s (mm/filemap.h); file systems fill them in.
 */
#ifndef RAVEL_FS_MAPPING_H
#define RAVEL_FS_MAPPING_H

#include "lib/types.h"

struct file;
struct address_space;
struct readahead;

/* A reference more, or one less (the last one closes the file; may sleep). */
struct file *file_get(struct file *file);
void file_put(struct file *file);

/* The open file of descriptor @fd of the current task with a reference, or NULL (EBADF). */
struct file *fd_get(int fd);

/* The pages of @file, or NULL when it cannot be mapped (ENODEV: pipes, terminals, directories). */
struct address_space *file_mapping(const struct file *file);
/* What @file was asked for so far, and is likely to be asked for next. */
struct readahead *file_readahead(struct file *file);
/* True for /dev/zero: a private mapping of it is anonymous memory. */
bool file_is_zero_device(const struct file *file);

/*
 * A file of @bytes of zeros that has no name and no disk, for reading and writing: memory that
 * processes share. The caller's is the one reference. ERR_PTR(-ENOMEM), -ENOSPC.
 */
struct file *shared_memory_file(u64 bytes);

/*
 * Pages [first, last] of @file, and what is needed to find them, are on the disk afterwards: what
 * msync(2) asks for. 0 or -errno, of a failed write once to each open file.
 */
int file_sync_pages(struct file *file, unsigned long first, unsigned long last);

/*
 * Bytes of pages [first, last] of @file are zeros afterwards, and what they took is given back. 0,
 * or -errno of fallocate(2): -EOPNOTSUPP where the file system makes no holes.
 */
int file_punch_hole(struct file *file, unsigned long first, unsigned long last);
/* May the current task know which pages of @file are in the page cache? Spinlocks may be held. */
bool file_shows_cache(const struct file *file);

bool file_can_read(const struct file *file);
bool file_can_write(const struct file *file);
/* False on a file system mounted noexec: no part of @file may be mapped executable. */
bool file_can_exec(const struct file *file);

/* Path of @file for people (maps, fault reports) into @buf; always terminated. */
void file_path(const struct file *file, char *buf, size_t size);
/* Identity for /proc/<pid>/maps. */
void file_dev_ino(const struct file *file, dev_t *dev, ino_t *ino);

/* The mapping has a dirty page: its inode is remembered for write-back. No spinlock held. */
void mapping_dirtied(struct address_space *as);
/* The file was written to through a mapping: its times are now. Page locks may be held. */
void mapping_written(struct address_space *as);
/* True when dirty pages of @as may be written in any order: those of regular files. */
bool mapping_is_data(const struct address_space *as);
/* Too much is dirty: the flusher starts now. Any context. */
void flusher_wake(void);
/* How often it looks by itself, in 1/100 s; 0: never. Who changes it wakes it. */
extern unsigned long dirty_writeback_centisecs;
/* Sleeps until the flusher has been once through all that is dirty now. */
void flusher_wait(void);

/*
 * Reclaim's, after the page cache: frees about @nr unused names and inodes without pages, and
 * returns how many; 0: there are none. No spinlock may be held; mutexes, mmap_lock and page locks
 * may. Takes spinlocks only, allocates nothing and waits for nothing.
 */
unsigned long fs_shrink(unsigned long nr);

#endif
