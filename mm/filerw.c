/*
 * filerw.c - read() and write() through the page cache.
 *
 *	read    for each page: look up or read in -> copy to the user -> next
 *	write   (tmpfs) for each page: look up or make -> copy from the user -> size grows
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

/* Copies [offset, offset + n) of page @index out. Returns the bytes copied or -errno. */
static ssize_t read_piece(struct address_space *as, unsigned long index, void *ubuf,
			  unsigned offset, size_t n)
{
	struct page *page = find_get_page(as, index);
	size_t left;

	if (!page && as->ops->no_backing) /* a hole */
		return n - clear_user(ubuf, n);
	if (likely(page && (page_flags(page) & PG_UPTODATE))) {
		count_vm(VM_cache_hit);
	} else {
		if (page)
			page_put(page);
		page = read_mapping_page(as, index);
		if (IS_ERR(page))
			return PTR_ERR(page);
	}
	left = copy_to_user(ubuf, (char *)page_address(page) + offset, n);
	page_put(page);
	return n - left;
}

ssize_t filemap_read(struct address_space *as, void *ubuf, size_t len, u64 pos)
{
	size_t done = 0;
	ssize_t got = 0;

	while (done < len) {
		u64 size = READ_ONCE(as->size);
		unsigned offset = pos & (PAGE_SIZE - 1);
		size_t n = min(len - done, (size_t)PAGE_SIZE - offset);

		if (pos >= size)
			break;
		n = min((u64)n, size - pos);
		got = read_piece(as, pos >> PAGE_SHIFT, (char *)ubuf + done, offset, n);
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

ssize_t filemap_read_kernel(struct address_space *as, void *buf, size_t len, u64 pos)
{
	size_t done = 0;

	while (done < len && pos < READ_ONCE(as->size)) {
		unsigned offset = pos & (PAGE_SIZE - 1);
		size_t n = min(len - done, (size_t)PAGE_SIZE - offset);
		struct page *page;

		n = min((u64)n, READ_ONCE(as->size) - pos);
		page = read_mapping_page(as, pos >> PAGE_SHIFT);
		if (IS_ERR(page))
			return done > 0 ? (ssize_t)done : PTR_ERR(page);
		memcpy((char *)buf + done, (char *)page_address(page) + offset, n);
		page_put(page);
		done += n;
		pos += n;
	}
	return done;
}

/*
 * Copies @n bytes into page @index at @offset, which is position @pos. Returns the bytes copied or
 * -errno; what a failed copy may have left past the end of the file is zeroed again.
 */
static ssize_t write_piece(struct address_space *as, u64 pos, const void *ubuf, size_t n)
{
	unsigned offset = pos & (PAGE_SIZE - 1);
	struct page *page = read_mapping_page(as, pos >> PAGE_SHIFT);
	size_t left;
	char *dst;

	if (IS_ERR(page))
		return PTR_ERR(page);
	dst = (char *)page_address(page) + offset;
	left = copy_from_user(dst, ubuf, n);
	if (page_flags(page) & PG_ICACHE_CLEAN) /* what was written may be code */
		page_clear_flags(page, PG_ICACHE_CLEAN);
	if (unlikely(left > 0) && pos + n > as->size) {
		u64 keep = max(pos + n - left, as->size);

		memset(dst + (keep - pos), 0, pos + n - keep);
	}
	page_put(page);
	return n - left;
}

ssize_t filemap_write(struct address_space *as, const void *ubuf, size_t len, u64 pos)
{
	size_t done = 0;
	ssize_t put = 0;

	while (done < len) {
		unsigned offset = pos & (PAGE_SIZE - 1);
		size_t n = min(len - done, (size_t)PAGE_SIZE - offset);

		put = write_piece(as, pos, (const char *)ubuf + done, n);
		if (put > 0) {
			done += put;
			pos += put;
			if (pos > as->size)
				WRITE_ONCE(as->size, pos);
		}
		if (put != (ssize_t)n) {
			if (put >= 0)
				put = -EFAULT;
			break;
		}
		cond_resched();
	}
	return done > 0 || put >= 0 ? (ssize_t)done : put;
}
