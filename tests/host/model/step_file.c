/*
 * step_file.c - steps that read, write and cut files, and that shake the page cache under them.
 */
#include <string.h>

#include "fs/mapping.h"
#include "arch/riscv/mmu.h"
#include "kernel/panic.h"
#include "kernel/task.h"
#include "lib/err.h"
#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/vma.h"
#include "tests/host/model/step.h"

static struct address_space *mapping_of(const struct step *s)
{
	return host_file_mapping(oracle_files[s->file].file);
}

static struct readahead *readahead_of(const struct step *s)
{
	return file_readahead(oracle_files[s->file].file);
}

/* @got of @must bytes is less, but there was a reason. */
static bool may_fail(ssize_t got)
{
	return (step_alloc_failed() && (got >= 0 || got == -ENOMEM || got == -EFAULT)) ||
	       (step_disk_failed() && (got >= 0 || got == -EIO || got == -EFAULT));
}

static void check_result(const struct step *s, ssize_t got, ssize_t must)
{
	if (got != must && !((got < 0 || got < must) && may_fail(got)))
		panic("step: %s of file %d at %llu gives %zd, must give %zd", step_name[s->kind],
		      s->file, (unsigned long long)s->pos, got, must);
}

/* Who executes the bytes of a file while he writes to it makes fetches see it. */
static void fence_for(int file, u64 pos, u64 len)
{
	for (unsigned m = 0; m < ORACLE_MMS; m++) {
		for (unsigned i = 0; i < ORACLE_PAGES; i++) {
			const struct oracle_page *page = &oracle_mms[m].pages[i];

			if (page->mapped && page->file == file && (page->prot & PROT_EXEC) &&
			    page->pgoff >= pos / PAGE_SIZE &&
			    page->pgoff <= (pos + len - 1) / PAGE_SIZE) {
				flush_icache_all();
				return;
			}
		}
	}
}

/* ---- reading ---- */

/* What [pos, pos + nr) may read as: as it was before, and after each step of another hart. */
#define MAX_SEEN 8
static u8 seen[MAX_SEEN][PAGE_SIZE];

void step_note_file(void)
{
	const struct oracle_file *of = &oracle_files[outer.step->file];

	if (outer.nr_seen < MAX_SEEN && outer.pos < sizeof(of->bytes) - outer.nr)
		memcpy(seen[outer.nr_seen++], of->bytes + outer.pos, outer.nr);
}

static bool was_seen(unsigned i, u8 byte)
{
	for (unsigned n = 0; n < outer.nr_seen; n++) {
		if (seen[n][i] == byte)
			return true;
	}
	return false;
}

static ssize_t readable(const struct oracle_file *of, u64 pos, size_t len)
{
	return pos < of->size ? (ssize_t)min((u64)len, of->size - pos) : 0;
}

static void do_read(const struct step *s, struct oracle_file *of)
{
	size_t len = step_piece(s->pos, min(s->len, 2 * PAGE_SIZE));
	ssize_t before = readable(of, s->pos, len), got, must;
	bool single = len <= PAGE_SIZE && !inside;
	u8 buf[2 * PAGE_SIZE];

	if (single) {
		outer.pos = s->pos;
		outer.nr = len;
		step_note_file();
	}
	got = filemap_read_kernel(mapping_of(s), readahead_of(s), buf, len, s->pos);
	must = readable(of, s->pos, len);
	if (!single || got != before)
		check_result(s, got, must);
	for (ssize_t i = 0; i < got; i++) {
		u8 byte = of->bytes[s->pos + i];

		if (buf[i] != byte && !(single && was_seen(i, buf[i])))
			panic("step: byte %llu of file %d must be 0x%x, is read as 0x%x",
			      (unsigned long long)s->pos + i, s->file, byte, buf[i]);
	}
}

/* ---- writing ---- */

static void commit_bytes(int file, u64 pos, const u8 *bytes, size_t len)
{
	struct oracle_file *of = &oracle_files[file];

	if (len == 0)
		return;
	/* What was stored past the end is not the file's now either. */
	if (pos + len > of->size)
		memset(of->bytes + of->size, 0, sizeof(of->bytes) - of->size);
	memcpy(of->bytes + pos, bytes, len);
	of->size = max(of->size, pos + len);
	fence_for(file, pos, len);
}

/* The moment when the bytes of the outer step arrive in the page cache is seen by looking there. */
void step_note_written(void)
{
	struct address_space *as = mapping_of(outer.step);
	const struct page *page = radix_tree_lookup(&as->pages, outer.pos / PAGE_SIZE);

	if (outer.nr == 0 || !page || as->size < outer.pos + outer.nr ||
	    memcmp((u8 *)page_address(page) + outer.pos % PAGE_SIZE, outer.bytes, outer.nr) != 0)
		return;
	commit_bytes(outer.step->file, outer.pos, outer.bytes, outer.nr);
	outer.committed = true;
}

static void do_write(const struct step *s, struct oracle_file *of)
{
	size_t len = s->pos < sizeof(of->bytes) ?
			     min((u64)min(s->len, 2 * PAGE_SIZE), sizeof(of->bytes) - s->pos) :
			     0;
	u8 buf[2 * PAGE_SIZE];
	ssize_t got;

	len = step_piece(s->pos, len);
	step_fill(buf, len);
	if (!inside && len <= PAGE_SIZE) {
		outer.pos = s->pos;
		outer.nr = len;
		memcpy(outer.bytes, buf, len);
	}
	got = filemap_write_kernel(mapping_of(s), buf, len, s->pos);
	check_result(s, got, len);
	if (got > 0 && (inside || !outer.committed))
		commit_bytes(s->file, s->pos, buf, got);
}

/* ---- read(2) and write(2) with a buffer in user memory ---- */

/* The buffer's fault may have grown a stack although the call failed. */
static enum fault_result touch_buffer(struct oracle_mm *om, const struct step *s, ssize_t got,
				      enum fault_access access)
{
	if (got < 0 && !vma_lookup(om->mm, s->addr))
		return oracle_allows(om, s->addr, access);
	return oracle_touch(om, s->addr, access);
}

/* The buffer is the very page of the file: memcpy() to itself is the harness' problem alone. */
static bool is_page_of(const struct oracle_page *page, const struct step *s)
{
	return page && page->file == s->file && !page->own && page->pgoff == s->pos / PAGE_SIZE;
}

static void do_user_read(const struct step *s, struct oracle_mm *om, struct oracle_file *of)
{
	size_t len = min(s->len, PAGE_SIZE - offset_in_page(s->addr));
	ssize_t n = readable(of, s->pos, min(len, PAGE_SIZE - offset_in_page(s->pos))), got, must;
	struct oracle_page *page = oracle_page(om, s->addr);

	if (is_page_of(page, s))
		return;
	got = filemap_read(mapping_of(s), readahead_of(s), (void *)s->addr, n, s->pos);
	must = n;
	if (n > 0 && touch_buffer(om, s, got, FAULT_WRITE) != FAULT_OK)
		must = -EFAULT;
	check_result(s, got, must);
	if (got <= 0)
		return;
	memcpy(oracle_own(page) + offset_in_page(s->addr), of->bytes + s->pos, got);
	if (oracle_is_code(page))
		flush_icache_all();
}

static void do_user_write(const struct step *s, struct oracle_mm *om, struct oracle_file *of)
{
	size_t n = min(min(s->len, PAGE_SIZE - offset_in_page(s->addr)),
		       PAGE_SIZE - offset_in_page(s->pos));
	struct oracle_page *page = oracle_page(om, s->addr);
	ssize_t got, must = n;

	if (s->pos >= sizeof(of->bytes) || !page || is_page_of(page, s))
		return;
	got = filemap_write(mapping_of(s), (void *)s->addr, n, s->pos);
	if (n > 0 && touch_buffer(om, s, got, FAULT_READ) != FAULT_OK)
		must = -EFAULT;
	check_result(s, got, must);
	if (got > 0)
		commit_bytes(s->file, s->pos, oracle_bytes(page) + offset_in_page(s->addr), got);
}

/* ---- cutting ---- */

void step_note_truncated(void)
{
	struct oracle_file *of = &oracle_files[outer.step->file];

	if (of->size == outer.pos || mapping_of(outer.step)->size != outer.pos)
		return;
	fence_for(outer.step->file, outer.pos, of->size);
	oracle_truncate(of, outer.pos);
	outer.committed = true;
}

/* As a file system does: the last page comes in first, and blocks past the end are given back. */
static void do_truncate(const struct step *s, struct oracle_file *of)
{
	struct address_space *as = mapping_of(s);
	u64 size = min(s->pos, (u64)sizeof(of->bytes));
	struct page *tail = NULL;

	if (!inside)
		outer.pos = size;
	if (of->kind == FILE_DISK && size < of->size && offset_in_page(size)) {
		tail = read_mapping_page(as, size / PAGE_SIZE);
		if (IS_ERR(tail) && !step_disk_failed() && !step_alloc_failed())
			panic("step: the tail cannot be read");
		if (IS_ERR(tail))
			return;
	}
	filemap_truncate(as, size);
	if (tail)
		page_put(tail);
	for (unsigned i = DIV_ROUND_UP(size, PAGE_SIZE); i < ORACLE_FILE_PAGES; i++) {
		memset(host_file_disk(of->file, i), 0, PAGE_SIZE);
		of->lossy[i] = false;
	}
	fence_for(s->file, size, sizeof(of->bytes));
	oracle_truncate(of, size);
}

static void do_sync(const struct step *s)
{
	int err = filemap_write_all(mapping_of(s));

	if (err && !(err == -EIO && step_disk_failed()))
		panic("step: sync gives %d", err);
	if (outer.nr_inside == 0 && !inside && !err && !step_alloc_failed() &&
	    filemap_is_dirty(mapping_of(s)))
		panic("step: file %d is dirty after a sync", s->file);
}

void step_file(const struct step *s)
{
	struct oracle_mm *om = oracle_of(s->hart);
	struct oracle_file *of = s->file == NO_FILE ? NULL : &oracle_files[s->file];

	if (s->kind == STEP_SHRINK) {
		shrink_page_cache(s->len);
		return;
	}
	if (!of || of->kind == FILE_ZERO_DEVICE)
		return;
	if (s->kind == STEP_FILE_READ)
		do_read(s, of);
	else if (s->kind == STEP_FILE_WRITE)
		do_write(s, of);
	else if (s->kind == STEP_USER_READ && om)
		do_user_read(s, om, of);
	else if (s->kind == STEP_USER_WRITE && om)
		do_user_write(s, om, of);
	else if (s->kind == STEP_TRUNCATE)
		do_truncate(s, of);
	else if (s->kind == STEP_DROP && of->kind == FILE_DISK)
		filemap_drop_clean(mapping_of(s), 0, ~0UL);
	else if (s->kind == STEP_SYNC)
		do_sync(s);
}
