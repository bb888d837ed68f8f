/*
 * mem.c - the machine's memory: meminfo, vmstat, buddyinfo, slabinfo; and its check.
 *
 *	RAM = KernelReserved (image, page array, never given to the buddy allocator)
 *	    + MemTotal = MemFree + Cached + Slab + KernelStack + PageTables + AnonPages + the rest
 *
 * AnonPages and Mapped are sums over address spaces: a page that two processes share counts twice.
 *
 * Locks: each number is taken under its owner's lock, one after the other: together they are only
 * about right while the machine runs.
 */
#include "arch/riscv/uaccess.h"
#include "fs/proc/proc.h"
#include "mm/buddy.h"
#include "mm/early.h"
#include "mm/fragment.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/vmstat.h"

#define CHECK_TEXT_MAX 4

/* ---- meminfo ---- */

static unsigned long reserved_pages(void)
{
	unsigned long pages = 0, managed = nr_managed_pages();

	for (unsigned i = 0; i < early_ram.nr; i++)
		pages += (early_ram.range[i].end - early_ram.range[i].start) >> PAGE_SHIFT;
	return pages > managed ? pages - managed : 0;
}

int proc_show_meminfo(struct seq_buf *seq, struct task *task __maybe_unused)
{
	unsigned long available, cached, shmem = shmem_nr_pages(), unused = nr_free_pages();
	struct mm_totals totals;

	cached = filemap_nr_pages();
	available = unused + (cached > shmem ? cached - shmem : 0);
	mm_totals(&totals);
	{
		const struct {
			const char *name;
			unsigned long pages;
		} lines[] = {
			{ "MemTotal:", nr_managed_pages() },
			{ "MemFree:", unused },
			{ "MemAvailable:", available },
			{ "Buffers:", 0 },
			{ "Cached:", cached },
			{ "Dirty:", filemap_nr_dirty() },
			{ "Writeback:", filemap_nr_writeback() },
			{ "SwapTotal:", 0 },
			{ "SwapFree:", 0 },
			{ "AnonPages:", totals.anon },
			{ "Mapped:", totals.file },
			{ "Shmem:", shmem },
			{ "Slab:", slab_nr_pages() },
			{ "KernelStack:", kstack_nr_pages() },
			{ "PageTables:", totals.tables },
			{ "KernelReserved:", reserved_pages() },
		};

		for (unsigned i = 0; i < ARRAY_SIZE(lines); i++)
			seq_printf(seq, "%-15s %8lu kB\n", lines[i].name,
				   lines[i].pages << (PAGE_SHIFT - 10));
	}
	return 0;
}

/* ---- vmstat ---- */

int proc_show_vmstat(struct seq_buf *seq, struct task *task __maybe_unused)
{
	struct mm_totals totals;

	mm_totals(&totals);
	seq_printf(seq, "nr_free_pages %lu\n", nr_free_pages());
	seq_printf(seq, "nr_anon_pages %lu\n", totals.anon);
	seq_printf(seq, "nr_file_pages %lu\n", filemap_nr_pages());
	seq_printf(seq, "nr_shmem %lu\n", shmem_nr_pages());
	seq_printf(seq, "nr_dirty %lu\n", filemap_nr_dirty());
	seq_printf(seq, "nr_writeback %lu\n", filemap_nr_writeback());
	seq_printf(seq, "nr_slab %lu\n", slab_nr_pages());
	seq_printf(seq, "nr_page_table_pages %lu\n", totals.tables);
	seq_printf(seq, "nr_kernel_stack %lu\n", kstack_nr_pages());
	seq_printf(seq, "nr_kernel_stack_reserve %lu\n", kstack_nr_reserved());
	seq_printf(seq, "kernel_stack_deepest %u\n", kstack_deepest());
	for (int i = 0; i < NR_VMSTAT; i++)
		seq_printf(seq, "%s %lu\n", vmstat_name[i], vmstat_sum(i));
	return 0;
}

/* ---- the allocators ---- */

int proc_show_buddyinfo(struct seq_buf *seq, struct task *task __maybe_unused)
{
	struct buddy_stats stats;

	buddy_get_stats(&stats);
	seq_printf(seq, "Node %d, zone %8s ", 0, "Normal");
	for (unsigned order = 0; order <= MAX_ORDER; order++)
		seq_printf(seq, "%6lu ", stats.nr_free[order]);
	seq_printf(seq, "\n");
	return 0;
}

/* "0.286 " or "-1.000 ": thousandths, as Linux's debugfs/extfrag prints them. */
static void put_index(struct seq_buf *seq, int index)
{
	int size = index < 0 ? -index : index;

	seq_printf(seq, "%s%d.%03d ", index < 0 ? "-" : "", size / 1000, size % 1000);
}

typedef int (*index_fn)(const struct buddy_stats *stats, unsigned order);

static int show_indexes(struct seq_buf *seq, index_fn index)
{
	struct buddy_stats stats;

	buddy_get_stats(&stats);
	seq_printf(seq, "Node %d, zone %8s ", 0, "Normal");
	for (unsigned order = 0; order <= MAX_ORDER; order++)
		put_index(seq, index(&stats, order));
	seq_printf(seq, "\n");
	return 0;
}

int proc_show_unusable_index(struct seq_buf *seq, struct task *task __maybe_unused)
{
	return show_indexes(seq, unusable_index);
}

int proc_show_extfrag_index(struct seq_buf *seq, struct task *task __maybe_unused)
{
	return show_indexes(seq, extfrag_index);
}

int proc_show_slabinfo(struct seq_buf *seq, struct task *task __maybe_unused)
{
	struct slab_info info;

	seq_printf(seq, "slabinfo - version: 2.1\n"
			"# name            <active_objs> <num_objs> <objsize> <objperslab> "
			"<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata "
			"<active_slabs> <num_slabs> <sharedavail>\n");
	for (unsigned i = 0; slab_get_info(i, &info); i++) {
		seq_printf(seq, "%-17s %6lu %6lu %6lu %4lu %4lu", info.name, info.active_objs,
			   info.num_objs, info.objsize, info.objperslab, info.pagesperslab);
		seq_printf(seq, " : tunables %4u %4u %4u : slabdata %6lu %6lu %6u\n", 0, 0, 0,
			   info.nr_slabs, info.nr_slabs, 0);
	}
	return 0;
}

/* ---- /proc/sys/vm: files that make something happen ---- */

/* The one digit, maybe with a line's end, that a user writes to a switch; or -errno. */
static int digit_from_user(const void *ubuf, size_t len)
{
	char text[CHECK_TEXT_MAX];

	if (len == 0 || len > 2)
		return -EINVAL;
	if (copy_from_user(text, ubuf, len))
		return -EFAULT;
	if (text[0] < '0' || text[0] > '9' || (len == 2 && text[1] != '\n'))
		return -EINVAL;
	return text[0] - '0';
}

/* "1" verifies all of memory: -EIO when something is wrong, which the console tells. */
static ssize_t check_all_write(struct file *file __maybe_unused, const void *ubuf, size_t len,
			       u64 *pos)
{
	int digit = digit_from_user(ubuf, len);

	if (digit != 1)
		return digit < 0 ? digit : -EINVAL;
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
	int what = digit_from_user(ubuf, len);

	if (what < 1 || what > (DROP_PAGES | DROP_INODES))
		return what < 0 ? what : -EINVAL;
	if (what & DROP_PAGES)
		shrink_page_cache(~0UL);
	if (what & DROP_INODES)
		fs_shrink(~0UL);
	*pos += len;
	return len;
}

const struct file_operations proc_drop_caches_fops = { .write = drop_caches_write };
