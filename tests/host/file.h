/*
 * file.h - a file of the host machine, for stubs/files.c and for its disk (disk.c).
 *
 *	struct file --> address_space --> page cache (mm/filemap.c)
 *	           \--> disk[]                 requests queue up, and end while somebody sleeps
 */
#ifndef RAVEL_HOST_FILE_H
#define RAVEL_HOST_FILE_H

#include "mm/filemap.h"
#include "tests/host/host.h"

struct file {
	struct address_space as;
	struct list_head link;
	enum file_kind kind;
	int refs;
	unsigned nr;
	bool readable, writable, executable, dirty;
	unsigned times_written;
	struct readahead ra;
	u8 *disk;
	unsigned long disk_pages;
};

extern const struct address_space_ops disk_aops;

#endif
