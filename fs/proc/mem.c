/*
 * mem.c - the machine's memory: meminfo, vmstat, buddyinfo, slabinfo.
 *
 *	RAM = Firmware + KernelImage + KernelTables + PageArray       never given to the allocator
 *	    + MemTotal
 *
 *	MemTotal = MemFree + Buffers + Cached + AnonPages             programs and their files
 *	         + Slab + PageTables + KernelStack + KernelOther      the kernel for them
 *
 * Each frame is in one of these lines. KernelOther is what remains: large kmalloc()s, rings of
 * devices, the zero page, and for moments pages that nobody maps yet, or any more.
 *
 * Locks: each number is taken under its owner's lock, one after the other, so while the machine
 * runs a frame may be seen twice or not at all. Then the numbers are taken again, a few times.
 */
#include "drivers/block.h"
#include "fs/proc/proc.h"
#include "mm/buddy.h"
#include "mm/commit.h"
#include "mm/early.h"
#include "mm/fragment.h"
#include "mm/kstack.h"
#include "mm/lru.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/swap.h"
#include "mm/vmstat.h"
#include "mm/watermark.h"

/* ---- meminfo ---- */

/* Every frame, by what it is for; pages. */
struct memory {
	unsigned long total, unused, buffers, cached, shmem, anon, mapped, slab, tables, stacks,
		other;
	unsigned long firmware, image, early_tables, page_array;
};

extern char _stext[], _end[];

/* What the allocator never got. */
static void look_at_reserved(struct memory *m)
{
	unsigned long ram = 0;

	for (unsigned i = 0; i < early_ram.nr; i++)
		ram += (early_ram.range[i].end - early_ram.range[i].start) >> PAGE_SHIFT;
	m->total = nr_managed_pages();
	m->image = PAGE_ALIGN(_end - _stext) >> PAGE_SHIFT;
	m->page_array = PAGE_ALIGN(mem_map_nr * sizeof(struct page)) >> PAGE_SHIFT;
	m->early_tables = early_nr_allocated - m->page_array;
	m->firmware = ram - m->total - m->image - early_nr_allocated;
}

/* Frames, of the sum over processes, in which a frame counts once for each that maps it. */
static unsigned long once(long sum, enum vm_gauge gauge)
{
	return max(sum - gauge_sum(gauge), 0L);
}

/* False when frames moved meanwhile so that they were seen twice. */
static bool look_at_memory(struct memory *m)
{
	struct mm_totals totals;
	unsigned long pages, known;

	look_at_reserved(m);
	mm_totals(&totals);
	m->tables = totals.tables;
	m->unused = nr_free_pages();
	m->anon = once(totals.anon, GAUGE_SHARED_ANON);
	m->mapped = once(totals.file, GAUGE_SHARED_FILE);
	m->buffers = filemap_nr_buffers();
	m->shmem = shmem_nr_pages();
	pages = filemap_nr_pages();
	m->cached = pages > m->buffers ? pages - m->buffers : 0;
	m->slab = slab_nr_pages();
	m->stacks = kstack_nr_pages();
	known = m->unused + m->anon + m->buffers + m->cached + m->slab + m->tables + m->stacks;
	m->other = m->total > known ? m->total - known : 0;
	return known <= m->total;
}

#define LOOKS 8

int proc_show_meminfo(struct seq_buf *seq, struct task *task __maybe_unused)
{
	unsigned looks = 0;
	struct memory m;

	while (!look_at_memory(&m) && ++looks < LOOKS)
		;
	lru_flush_all();
	{
		const struct {
			const char *name;
			unsigned long pages;
		} lines[] = {
			{ "MemTotal:", m.total },
			{ "MemFree:", m.unused },
			{ "MemAvailable:", m.unused + m.buffers + m.cached - m.shmem },
			{ "Buffers:", m.buffers },
			{ "Cached:", m.cached },
			{ "SwapCached:", swap_nr_cached() },
			{ "SwapTotal:", swap_nr_slots() },
			{ "SwapFree:", swap_nr_free() },
			{ "Active:", lru_nr(LRU_ACTIVE_ANON) + lru_nr(LRU_ACTIVE_FILE) },
			{ "Inactive:", lru_nr(LRU_INACTIVE_ANON) + lru_nr(LRU_INACTIVE_FILE) },
			{ "Active(anon):", lru_nr(LRU_ACTIVE_ANON) },
			{ "Inactive(anon):", lru_nr(LRU_INACTIVE_ANON) },
			{ "Active(file):", lru_nr(LRU_ACTIVE_FILE) },
			{ "Inactive(file):", lru_nr(LRU_INACTIVE_FILE) },
			{ "Dirty:", filemap_nr_dirty() },
			{ "Writeback:", filemap_nr_writeback() },
			{ "AnonPages:", m.anon },
			{ "Mapped:", m.mapped },
			{ "Shmem:", m.shmem },
			{ "Slab:", m.slab },
			{ "KernelStack:", m.stacks },
			{ "PageTables:", m.tables },
			{ "CommitLimit:", commit_limit() },
			{ "Committed_AS:", committed_pages() },
			{ "KernelOther:", m.other },
			{ "KernelImage:", m.image },
			{ "KernelTables:", m.early_tables },
			{ "PageArray:", m.page_array },
			{ "Firmware:", m.firmware },
		};

		for (unsigned i = 0; i < ARRAY_SIZE(lines); i++)
			seq_printf(seq, "%-15s %8lu kB\n", lines[i].name,
				   lines[i].pages << (PAGE_SHIFT - 10));
	}
	return 0;
}

/* ---- vmstat ---- */

/* KiB that came from all disks, or went to them. */
static unsigned long disk_kib(bool written)
{
	unsigned long sectors = 0;

	for (struct block_device *bdev = block_next(NULL); bdev; bdev = block_next(bdev))
		sectors += READ_ONCE(*(written ? &bdev->sectors_written : &bdev->sectors_read));
	return sectors / 2;
}

int proc_show_vmstat(struct seq_buf *seq, struct task *task __maybe_unused)
{
	struct mm_totals totals;

	mm_totals(&totals);
	lru_flush_all();
	seq_printf(seq, "nr_free_pages %lu\n", nr_free_pages());
	seq_printf(seq, "nr_anon_pages %lu\n", once(totals.anon, GAUGE_SHARED_ANON));
	seq_printf(seq, "nr_mapped %lu\n", once(totals.file, GAUGE_SHARED_FILE));
	seq_printf(seq, "nr_file_pages %lu\n", filemap_nr_pages());
	seq_printf(seq, "nr_inactive_anon %lu\n", lru_nr(LRU_INACTIVE_ANON));
	seq_printf(seq, "nr_active_anon %lu\n", lru_nr(LRU_ACTIVE_ANON));
	seq_printf(seq, "nr_inactive_file %lu\n", lru_nr(LRU_INACTIVE_FILE));
	seq_printf(seq, "nr_active_file %lu\n", lru_nr(LRU_ACTIVE_FILE));
	seq_printf(seq, "nr_isolated %lu\n", lru_nr_isolated());
	seq_printf(seq, "mark_min %lu\nmark_low %lu\nmark_high %lu\n", mark_min, mark_low,
		   mark_high);
	seq_printf(seq, "nr_dirty %lu\n", filemap_nr_dirty());
	seq_printf(seq, "nr_writeback %lu\n", filemap_nr_writeback());
	seq_printf(seq, "nr_shmem %lu\n", shmem_nr_pages());
	seq_printf(seq, "nr_slab %lu\n", slab_nr_pages());
	seq_printf(seq, "nr_page_table_pages %lu\n", totals.tables);
	seq_printf(seq, "nr_kernel_stack %lu\n", kstack_nr_pages());
	seq_printf(seq, "nr_kernel_stack_reserve %lu\n", kstack_nr_reserved());
	seq_printf(seq, "kernel_stack_deepest %u\n", kstack_deepest());
	seq_printf(seq, "pgpgin %lu\npgpgout %lu\n", disk_kib(false), disk_kib(true));
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
