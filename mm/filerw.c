/*
 * filerw.c - read() and write() through the page cache.
 *
 *	read    for each page: look up or read in -> copy to the user -> next
 *	write   for each page: look up, read in or make -> have its place on the disk ->
 *	        copy from the user -> size grows -> page is dirty
 *
 * No page is locked while user memory is touched: the user's buffer may be a mapping of the very
 * page that is copied, and its fault must find every lock free. A reference keeps the frame.
 *
 * Locks: none here; writers hold the inode's lock, which is outside mmap_lock.
 */
#include "arch/riscv/hart.h"
#include "arch/riscv/uaccess.h"
#include "lib/err.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/vmstat.h"

/*
 * @page of the cache at @pos, or NULL, becomes an up-to-date one with a reference; @len bytes from
 * @pos on are wanted. ERR_PTR(-errno).
 */
static inline struct page *bring_in(struct address_space *as, struct readahead *ra,
				    struct page *page, u64 pos, size_t len)
{
	unsigned long index = pos >> PAGE_SHIFT, end = DIV_ROUND_UP(pos + len, PAGE_SIZE);

	if (page && unlikely(page_flags(page) & PG_READAHEAD))
		filemap_use_ahead(as, ra, page);
	if (likely(page && (page_flags(page) & PG_UPTODATE))) {
		count_vm(VM_cache_hit);
	} else {
		if (page)
			page_put(page);
		page = read_file_page(as, ra, index, end - index);
	}
	WRITE_ONCE(ra->prev, index);
	return page;
}

struct page *filemap_get_page(struct address_space *as, struct readahead *ra, u64 pos, size_t len)
{
	return bring_in(as, ra, find_get_page(as, pos >> PAGE_SHIFT), pos, len);
}

/* How much of @len bytes at @pos, of a file of @size bytes, lies in the page there. */
static size_t piece_of(u64 pos, size_t len, u64 size)
{
	return min(min((u64)len, PAGE_SIZE - offset_in_page(pos)), size - pos);
}

/* Copies @n bytes at @pos, inside one page, out; @len are wanted. The bytes copied, or -errno. */
static ssize_t read_piece(struct address_space *as, struct readahead *ra, u64 pos, void *ubuf,
			  size_t n, size_t len)
{
	struct page *page = find_get_page(as, pos >> PAGE_SHIFT);
	size_t left;

	if (!page && as->ops->no_backing && filemap_is_hole(as, pos >> PAGE_SHIFT))
		return n - clear_user(ubuf, n);
	page = bring_in(as, ra, page, pos, len);
	if (IS_ERR(page))
		return PTR_ERR(page);
	left = copy_to_user(ubuf, (char *)page_address(page) + offset_in_page(pos), n);
	page_put(page);
	return n - left;
}

ssize_t filemap_read(struct address_space *as, struct readahead *ra, void *ubuf, size_t len,
		     u64 pos)
{
	size_t done = 0;
	ssize_t got = 0;

	while (done < len) {
		u64 size = READ_ONCE(as->size);
		size_t n;

		if (pos >= size)
			break;
		n = piece_of(pos, len - done, size);
		got = read_piece(as, ra, pos, (char *)ubuf + done, n, len - done);
		if (got > 0) {
			done += got;
			pos += got;
		}
		if (got != (ssize_t)n) {
			if (got >= 0)
				got = -EFAULT;
			break;
		}
		cond_resched();
	}
	return done > 0 || got >= 0 ? (ssize_t)done : got;
}

ssize_t filemap_read_kernel(struct address_space *as, struct readahead *ra, void *buf, size_t len,
			    u64 pos)
{
	size_t done = 0;

	while (done < len) {
		u64 size = READ_ONCE(as->size);
		struct page *page;
		size_t n;

		if (pos >= size)
			break;
		n = piece_of(pos, len - done, size);
		page = filemap_get_page(as, ra, pos, len - done);
		if (IS_ERR(page))
			return done > 0 ? (ssize_t)done : PTR_ERR(page);
		memcpy((char *)buf + done, (char *)page_address(page) + offset_in_page(pos), n);
		page_put(page);
		done += n;
		pos += n;
	}
	return done;
}

/* What a write that could not read its user's buffer left past the end of the file is zeroed. */
static void undo_overhang(struct address_space *as, char *dst, u64 pos, size_t n, size_t left)
{
	u64 keep = max(pos + n - left, as->size);

	if (pos + n > keep)
		memset(dst + (keep - pos), 0, pos + n - keep);
}

/*
 * Copies @n bytes, of user or kernel memory, into the page of position @pos, which they do not
 * leave. Returns the bytes copied or -errno. The size grows before the page becomes dirty: a
 * write-back between the two must see both.
 */
static ssize_t write_to_page(struct address_space *as, struct page *page, u64 pos, const void *buf,
			     size_t n, bool kernel_buf)
{
	unsigned offset = pos & (PAGE_SIZE - 1);
	size_t left = 0;
	char *dst;
	int err = 0;

	if (as->ops->map_page && !(page_flags(page) & PG_MAPPED))
		err = as->ops->map_page(as, page, offset, offset + n);
	if (err) {
		/* A hole that got its block all the same is zeros, not what the disk held. */
		filemap_set_dirty(as, page);
		return err;
	}
	dst = (char *)page_address(page) + offset;
	if (kernel_buf)
		memcpy(dst, buf, n);
	else
		left = copy_from_user(dst, buf, n);
	if (page_flags(page) & PG_ICACHE_CLEAN) /* what was written may be code */
		page_clear_flags(page, PG_ICACHE_CLEAN);
	if (unlikely(left > 0))
		undo_overhang(as, dst, pos, n, left);
	if (pos + n - left > as->size && left < n)
		WRITE_ONCE(as->size, pos + n - left);
	filemap_set_dirty(as, page);
	if (unlikely(left > 0) && as->ops->write_failed) {
		page_clear_flags(page, PG_MAPPED); /* blocks of it may go again */
		as->ops->write_failed(as);
	}
	return n - left;
}

static ssize_t write_piece(struct address_space *as, u64 pos, const void *buf, size_t n,
			   bool kernel_buf)
{
	struct page *page = read_mapping_page(as, pos >> PAGE_SHIFT);
	u64 old_size = as->size;
	bool grows = pos + n > old_size;
	ssize_t ret;

	if (IS_ERR(page))
		return PTR_ERR(page);
	if (grows)
		filemap_begin_grow(as);
	ret = write_to_page(as, page, pos, buf, n, kernel_buf);
	if (grows)
		filemap_end_grow(as, old_size);
	page_put(page);
	return ret;
}

static ssize_t write_pieces(struct address_space *as, const void *buf, size_t len, u64 pos,
			    bool kernel_buf)
{
	size_t done = 0;
	ssize_t put = 0;

	while (done < len) {
		unsigned offset = pos & (PAGE_SIZE - 1);
		size_t n = min(len - done, (size_t)PAGE_SIZE - offset);

		put = write_piece(as, pos, (const char *)buf + done, n, kernel_buf);
		if (put > 0) {
			done += put;
			pos += put;
		}
		if (put != (ssize_t)n) {
			if (put >= 0)
				put = -EFAULT;
			break;
		}
		balance_dirty_pages(as);
		cond_resched();
	}
	return done > 0 || put >= 0 ? (ssize_t)done : put;
}

ssize_t filemap_write(struct address_space *as, const void *ubuf, size_t len, u64 pos)
{
	return write_pieces(as, ubuf, len, pos, false);
}

ssize_t filemap_write_kernel(struct address_space *as, const void *buf, size_t len, u64 pos)
{
	return write_pieces(as, buf, len, pos, true);
}

int filemap_allocate(struct address_space *as, u64 pos, u64 len)
{
	u64 end = pos + len;
	int err = 0;

	while (pos < end && !err) {
		unsigned offset = pos & (PAGE_SIZE - 1);
		unsigned n = min(end - pos, (u64)PAGE_SIZE - offset);
		struct page *page = read_mapping_page(as, pos >> PAGE_SHIFT);

		if (IS_ERR(page))
			return PTR_ERR(page);
		if (as->ops->map_page && !(page_flags(page) & PG_MAPPED))
			err = as->ops->map_page(as, page, offset, offset + n);
		pos += n;
		if (!err && pos > as->size)
			filemap_grow(as, pos);
		filemap_set_dirty(as, page);
		page_put(page);
		balance_dirty_pages(as);
		cond_resched();
	}
	return err;
}
