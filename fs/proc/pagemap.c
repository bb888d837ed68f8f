/*
 * pagemap.c - /proc/<pid>/pagemap, /proc/kpagecount, /proc/kpageflags: arrays of 64-bit entries.
 *
 *	offset 8 * n  -->  entry of page n of the process, or of frame n of the machine
 *
 * Offsets and lengths are whole entries, else EINVAL. A read fills a page of entries at a time in
 * kernel memory, so that user memory is touched with no lock held. Frame numbers in pagemap are for
 * who was root when he opened the file: they tell others' secrets (Rowhammer).
 *
 * Locks: those of mm/pagemap.c.
 * Source: proc_pid_pagemap(5), proc_kpagecount(5), proc_kpageflags(5).
 */
#include "arch/riscv/uaccess.h"
#include "fs/proc/proc.h"
#include "kernel/signal.h"
#include "mm/slab.h"
#include "mm/walk.h"

#define ENTRY_SIZE   sizeof(u64)
#define ENTRIES_A_GO (PAGE_SIZE / ENTRY_SIZE)

/* Fills entries [first, first + nr) of what a file shows. */
typedef void (*fill_fn)(void *arg, unsigned long first, unsigned nr, u64 *entry);

/* A read from an array of @total entries; bytes, or -errno. */
static ssize_t entries_read(void *ubuf, size_t len, u64 *pos, unsigned long total, fill_fn fill,
			    void *arg)
{
	unsigned long first = *pos / ENTRY_SIZE;
	size_t left = len / ENTRY_SIZE, done = 0;
	ssize_t err = 0;
	u64 *entry;

	if ((*pos | len) % ENTRY_SIZE)
		return -EINVAL;
	if (first >= total || left == 0)
		return 0;
	left = min(left, total - first);
	entry = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	while (left > 0 && !err) {
		unsigned nr = min(left, ENTRIES_A_GO);

		fill(arg, first, nr, entry);
		if (copy_to_user((char *)ubuf + done, entry, nr * ENTRY_SIZE)) {
			err = -EFAULT;
			break;
		}
		done += nr * ENTRY_SIZE;
		first += nr;
		left -= nr;
		cond_resched();
		err = signal_pending(current) ? -EINTR : 0;
	}
	kfree(entry);
	*pos += done;
	return done ? (ssize_t)done : err;
}

/* ---- /proc/<pid>/pagemap ---- */

struct pagemap_reader {
	struct mm *mm;
	bool pfns;
};

static void fill_pagemap(void *arg, unsigned long first, unsigned nr, u64 *entry)
{
	const struct pagemap_reader *reader = arg;

	mm_pagemap(reader->mm, first << PAGE_SHIFT, nr, reader->pfns, entry);
}

static ssize_t pagemap_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	struct task *task = file_task(file);
	struct pagemap_reader reader = { .pfns = file->private_data != NULL };
	ssize_t ret;

	/* Since the file was opened the task may have become somebody else, by exec. */
	reader.mm = proc_may_look(task) ? task_get_mm(task) : NULL;
	if (!reader.mm)
		return 0;
	ret = entries_read(ubuf, len, pos, TASK_SIZE >> PAGE_SHIFT, fill_pagemap, &reader);
	mm_put(reader.mm);
	return ret;
}

static int pagemap_open(struct inode *inode, struct file *file)
{
	if (!proc_may_look(proc_i(inode)->task))
		return -EACCES;
	file->private_data = is_privileged() ? file : NULL;
	return 0;
}

const struct file_operations proc_pagemap_fops = { .open = pagemap_open, .read = pagemap_read };

/* ---- /proc/kpagecount, /proc/kpageflags ---- */

static void fill_counts(void *arg __maybe_unused, unsigned long first, unsigned nr, u64 *entry)
{
	for (unsigned i = 0; i < nr; i++)
		entry[i] = frame_count(first + i);
}

static ssize_t kpagecount_read(struct file *file __maybe_unused, void *ubuf, size_t len, u64 *pos)
{
	return entries_read(ubuf, len, pos, frame_end(), fill_counts, NULL);
}

const struct file_operations proc_kpagecount_fops = { .read = kpagecount_read };

static void fill_flags(void *arg __maybe_unused, unsigned long first, unsigned nr, u64 *entry)
{
	for (unsigned i = 0; i < nr; i++)
		entry[i] = frame_flags(first + i);
}

static ssize_t kpageflags_read(struct file *file __maybe_unused, void *ubuf, size_t len, u64 *pos)
{
	return entries_read(ubuf, len, pos, frame_end(), fill_flags, NULL);
}

const struct file_operations proc_kpageflags_fops = { .read = kpageflags_read };
