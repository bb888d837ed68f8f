/*
 * oom_report.c - what the console says when somebody is killed for want of memory.
 *
 *	oom: hog[12]: store to 0x2000301000: no page: order 0, flags 0x2, asked by anon_fault+0x3c
 *	oom: of 13440 pages: 20 free, 12900 anonymous, 25 of files (3 dirty, 2 shared memory), ...
 *	oom:   pid      rss  swapped tables   adj   points name
 *	oom:    12    12850        0     28     0    12878 hog
 *	oom:     3      180        0      4     0      184 sh
 *	oom: and 4 more
 *
 * Bounded: OOM_ROWS rows, whatever runs. Nothing is allocated.
 *
 * Locks: those of who counts, one after the other; none while it is printed.
 */
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/kstack.h"
#include "mm/oom.h"
#include "mm/slab.h"
#include "mm/swap.h"
#include "mm/vmstat.h"

void oom_table_add(struct oom_table *table, const struct task *task,
		   const struct oom_weight *weight)
{
	unsigned i = min(table->nr, (unsigned)OOM_ROWS - 1);

	table->all++;
	if (table->nr < OOM_ROWS)
		table->nr++;
	else if (table->row[i].weight.points >= weight->points)
		return;
	for (; i > 0 && table->row[i - 1].weight.points < weight->points; i--)
		table->row[i] = table->row[i - 1];
	table->row[i].pid = task->pid;
	table->row[i].weight = *weight;
	strlcpy(table->row[i].comm, task->comm, TASK_COMM_LEN);
}

static void report_request(unsigned long addr, enum fault_access access)
{
	static const char *const verb[] = {
		[FAULT_READ] = "load from",
		[FAULT_WRITE] = "store to",
		[FAULT_EXEC] = "fetch from",
	};
	const struct failed_alloc *failed = &current->failed_alloc;
	char asked[64] = "nobody";

	if (failed->caller)
		symbol_name((unsigned long)failed->caller, asked, sizeof(asked));
	printk("oom: %s[%d]: %s 0x%lx: no memory: order %u, flags 0x%x, asked by %s\n",
	       current->comm, current->pid, verb[access], addr, failed->order, failed->gfp, asked);
}

static void report_memory(void)
{
	struct mm_totals totals;

	mm_totals(&totals);
	printk("oom: of %lu pages: %lu free, %ld anonymous, %lu of files (%lu dirty, %lu shared "
	       "memory),\n",
	       nr_managed_pages(), nr_free_pages(), totals.anon - gauge_sum(GAUGE_SHARED_ANON),
	       filemap_nr_pages(), filemap_nr_dirty(), shmem_nr_pages());
	printk("oom: %lu slab, %lu page tables, %lu kernel stacks; swap: %lu of %lu pages free\n",
	       slab_nr_pages(), totals.tables, kstack_nr_pages(), swap_nr_free(), swap_nr_slots());
}

static void report_row(const struct oom_row *row)
{
	const struct oom_weight *w = &row->weight;

	printk("oom: %5d %8lu %8lu %6lu %5d %8ld %s\n", row->pid, w->rss, w->swap, w->tables,
	       w->adj, w->points, row->comm);
}

void oom_report(const struct oom_table *table, unsigned long addr, enum fault_access access)
{
	report_request(addr, access);
	report_memory();
	printk("oom:   pid      rss  swapped tables   adj   points name\n");
	for (unsigned i = 0; i < table->nr; i++)
		report_row(&table->row[i]);
	if (table->all > table->nr)
		printk("oom: and %u more\n", table->all - table->nr);
}
