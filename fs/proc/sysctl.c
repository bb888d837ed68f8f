/*
 * sysctl.c - /proc/sys: numbers of the kernel that can be changed, and files that do something.
 *
 *	echo 2 > /proc/sys/vm/overcommit_memory
 *	         a number in decimal, blanks and a line's end around it; else EINVAL, and when it is
 *	         out of its range: then nothing has changed
 *
 *	echo clock > /proc/sys/vm/policy
 *	         a word; reading shows all that there are, the chosen one in brackets
 *
 * Every number here is used: a knob that nothing is tied to is not in the table.
 *
 * Locks: none; a number is a word, and who uses it reads it once.
 * Source: proc_sys_vm(5), proc_sys_kernel(5).
 */
#include "arch/riscv/uaccess.h"
#include "fs/proc/proc.h"
#include "kernel/uts.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/buddy.h"
#include "mm/commit.h"
#include "mm/filemap.h"
#include "mm/policy.h"
#include "mm/readahead.h"
#include "mm/swap.h"
#include "mm/vma.h"
#include "mm/watermark.h"

#define TEXT_MAX 32

/* ---- numbers ---- */

struct number {
	const char *name;
	unsigned long *value;
	unsigned long min, max;
	void (*changed)(void);
};

static const struct number numbers[] = {
	{ "overcommit_memory", &overcommit_memory, 0, OVERCOMMIT_NEVER, NULL },
	{ "overcommit_ratio", &overcommit_ratio, 0, INT_MAX, NULL },
	{ "max_map_count", &max_map_count, 0, INT_MAX, NULL },
	{ "swappiness", &swappiness, 0, 200, NULL },
	{ "page-cluster", &page_cluster, 0, PAGE_CLUSTER_MAX, NULL },
	/* With no reserve at all nobody could be told to reclaim, or could. */
	{ "min_free_kbytes", &min_free_kbytes, MIN_FREE_KBYTES_MIN, INT_MAX, watermarks_changed },
	{ "fail_page_alloc", &fail_page_alloc, 0, INT_MAX, NULL },
	{ "readahead_pages", &readahead_pages, 0, READAHEAD_MAX, NULL },
	{ "dirty_ratio", &dirty_ratio, 0, 100, writeback_set_limits },
	{ "dirty_background_ratio", &dirty_background_ratio, 0, 100, writeback_set_limits },
	{ "dirty_writeback_centisecs", &dirty_writeback_centisecs, 0, INT_MAX, flusher_wake },
};

/* The number that the file is named after: the table of names is made with the same names. */
static const struct number *number_of(const struct file *file)
{
	const char *name = proc_i(file->f_inode)->entry->name;
	unsigned i = 0;

	while (strcmp(numbers[i].name, name) != 0)
		i++;
	return &numbers[i];
}

static ssize_t number_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	char text[TEXT_MAX];
	int n = scnprintf(text, sizeof(text), "%lu\n", READ_ONCE(*number_of(file)->value));

	return simple_read(ubuf, len, pos, text, n);
}

/* What a user writes, without blanks around it: *@word, in @text. 0, -EINVAL or -EFAULT. */
static int word_from_user(const void *ubuf, size_t len, char text[TEXT_MAX], char **word)
{
	if (len >= TEXT_MAX)
		return -EINVAL;
	if (copy_from_user(text, ubuf, len))
		return -EFAULT;
	while (len > 0 && strchr(" \t\n", text[len - 1]))
		len--;
	text[len] = '\0';
	*word = text;
	while (**word == ' ' || **word == '\t')
		(*word)++;
	return 0;
}

int number_from_user(const void *ubuf, size_t len, unsigned long max, unsigned long *value)
{
	char text[TEXT_MAX], *word;
	int err = word_from_user(ubuf, len, text, &word);

	if (err)
		return err;
	return kstrtoul(word, 10, value) || *value > max ? -EINVAL : 0;
}

static ssize_t number_write(struct file *file, const void *ubuf, size_t len, u64 *pos)
{
	const struct number *number = number_of(file);
	unsigned long value;
	int err;

	if (*pos != 0)
		return -EINVAL;
	err = number_from_user(ubuf, len, number->max, &value);
	if (!err && value < number->min)
		err = -EINVAL;
	if (err)
		return err;
	WRITE_ONCE(*number->value, value);
	if (number->changed)
		number->changed();
	*pos += len;
	return len;
}

const struct file_operations proc_number_fops = { .read = number_read, .write = number_write };

/* ---- who goes when memory is short (mm/policy.h) ---- */

static ssize_t policy_read(struct file *file __maybe_unused, void *ubuf, size_t len, u64 *pos)
{
	const char *chosen = policy_now()->name, *name;
	char text[2 * TEXT_MAX];
	int n = 0;

	for (unsigned i = 0; (name = policy_name(i)); i++)
		n += scnprintf(text + n, sizeof(text) - n, strcmp(name, chosen) ? "%s " : "[%s] ",
			       name);
	text[n - 1] = '\n';
	return simple_read(ubuf, len, pos, text, n);
}

static ssize_t policy_write(struct file *file __maybe_unused, const void *ubuf, size_t len,
			    u64 *pos)
{
	char text[TEXT_MAX], *word;
	int err = *pos != 0 ? -EINVAL : word_from_user(ubuf, len, text, &word);

	if (!err)
		err = policy_choose(word);
	if (err)
		return err;
	*pos += len;
	return len;
}

const struct file_operations proc_policy_fops = { .read = policy_read, .write = policy_write };

/* ---- switches: writing makes something happen ---- */

/* "1" verifies all of memory: -EIO when something is wrong, which the console tells. */
static ssize_t check_all_write(struct file *file __maybe_unused, const void *ubuf, size_t len,
			       u64 *pos)
{
	unsigned long what = 0;
	int err = number_from_user(ubuf, len, 1, &what);

	if (err || what != 1)
		return err ? err : -EINVAL;
	if (vm_check_all())
		return -EIO;
	*pos += len;
	return len;
}

const struct file_operations proc_check_all_fops = { .write = check_all_write };

#define DROP_PAGES  1
#define DROP_INODES 2

/* "1" drops clean pages of files, "2" unused names and inodes, "3" both. proc_sys_vm(5). */
static ssize_t drop_caches_write(struct file *file __maybe_unused, const void *ubuf, size_t len,
				 u64 *pos)
{
	unsigned long what = 0;
	int err = number_from_user(ubuf, len, DROP_PAGES | DROP_INODES, &what);

	if (err || what == 0)
		return err ? err : -EINVAL;
	if (what & DROP_PAGES)
		shrink_page_cache(~0UL);
	if (what & DROP_INODES)
		fs_shrink(~0UL);
	*pos += len;
	return len;
}

const struct file_operations proc_drop_caches_fops = { .write = drop_caches_write };

/* ---- /proc/sys/kernel ---- */

int proc_show_ostype(struct seq_buf *seq, struct task *task __maybe_unused)
{
	seq_printf(seq, UTS_SYSNAME "\n");
	return 0;
}

int proc_show_osrelease(struct seq_buf *seq, struct task *task __maybe_unused)
{
	seq_printf(seq, UTS_RELEASE "\n");
	return 0;
}

int proc_show_uts_version(struct seq_buf *seq, struct task *task __maybe_unused)
{
	seq_printf(seq, UTS_VERSION "\n");
	return 0;
}

int proc_show_hostname(struct seq_buf *seq, struct task *task __maybe_unused)
{
	seq_printf(seq, UTS_NODENAME "\n");
	return 0;
}

/* The first number that no process gets. */
int proc_show_pid_max(struct seq_buf *seq, struct task *task __maybe_unused)
{
	seq_printf(seq, "%d\n", PID_MAX + 1);
	return 0;
}
