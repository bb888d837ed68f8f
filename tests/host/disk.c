/*
 * disk.c - the disk of the host machine's files: an array for each, and a queue of requests.
 *
 * A request ends while somebody sleeps (schedule()), in the order in which they came; reads and
 * writes can be made to fail.
 */
#include <string.h>

#include "kernel/panic.h"
#include "lib/errno.h"
#include "tests/host/file.h"

#define MAX_REQUESTS 64
#define MAX_PAGES    64 /* of a request */

static struct request {
	struct file *file;
	bool write;
	unsigned nr;
	struct page *pages[MAX_PAGES];
} queue[MAX_REQUESTS];
static unsigned nr_queued;
static u8 taken[MAX_REQUESTS][MAX_PAGES][PAGE_SIZE]; /* the bytes of a write */

unsigned disk_fail_reads, disk_fail_writes;

static void submit(struct address_space *as, struct page **pages, unsigned nr, bool write)
{
	struct request *r = &queue[nr_queued++];

	BUG_ON(nr_queued > MAX_REQUESTS || nr > MAX_PAGES);
	*r = (struct request){ container_of(as, struct file, as), write, nr, {} };
	memcpy(r->pages, pages, nr * sizeof(*pages));
	/* The disk takes the bytes as soon as it may: what is written later comes too late. */
	for (unsigned i = 0; write && i < nr; i++)
		memcpy(taken[r - queue][i], page_address(pages[i]), PAGE_SIZE);
}

static void read_one(struct file *file, struct page *page)
{
	u64 size = READ_ONCE(file->as.size), pos = (u64)page->index << PAGE_SHIFT;
	size_t valid = pos < size ? min(size - pos, (u64)PAGE_SIZE) : 0;
	u8 *to = page_address(page);

	BUG_ON(page->index >= file->disk_pages);
	memcpy(to, host_file_disk(file, page->index), valid);
	memset(to + valid, 0, PAGE_SIZE - valid);
}

static void end_read(const struct request *r)
{
	bool ok = disk_fail_reads == 0 || disk_fail_reads-- == 0;

	for (unsigned i = 0; i < r->nr; i++) {
		if (ok)
			read_one(r->file, r->pages[i]);
		page_end_read(r->pages[i], ok);
	}
}

static void end_write(const struct request *r)
{
	bool ok = disk_fail_writes == 0 || disk_fail_writes-- == 0;

	for (unsigned i = 0; i < r->nr; i++) {
		BUG_ON(r->pages[i]->index >= r->file->disk_pages);
		if (ok)
			memcpy(host_file_disk(r->file, r->pages[i]->index), taken[r - queue][i],
			       PAGE_SIZE);
		page_end_writeback(r->pages[i], ok ? 0 : -EIO);
	}
}

bool disk_complete(void)
{
	bool any = nr_queued > 0;

	for (unsigned i = 0; i < nr_queued; i++) {
		if (queue[i].write)
			end_write(&queue[i]);
		else
			end_read(&queue[i]);
	}
	nr_queued = 0;
	return any;
}

static void disk_read_pages(struct address_space *as, struct page **pages, unsigned nr)
{
	submit(as, pages, nr, false);
}

static void disk_write_pages(struct address_space *as, struct page **pages, unsigned nr)
{
	submit(as, pages, nr, true);
}

const struct address_space_ops disk_aops = {
	.read_pages = disk_read_pages,
	.write_pages = disk_write_pages,
};
