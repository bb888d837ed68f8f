/*
 * machine.c - the machine as a whole: stat, uptime, version, cpuinfo, cmdline, loadavg, diskstats,
 * kmsg, exits.
 *
 * Processor time: a hart knows how long it was idle, a task how long it ran in user mode; so what
 * was not idle is divided on every hart as it is on all of them together. loadavg shows the tasks
 * that want a hart at this moment, three times: nobody takes samples.
 *
 * Invariant: no time that stat tells is ever less than it was: who reads it twice subtracts.
 * Locks: task_lock, interrupts off, around one pass over the tasks, and for what was told.
 */
#include "arch/riscv/machine.h"
#include "arch/riscv/uaccess.h"
#include "drivers/block.h"
#include "fs/proc/proc.h"
#include "kernel/console.h"
#include "kernel/exits.h"
#include "kernel/sched.h"
#include "kernel/uts.h"
#include "lib/string.h"
#include "mm/slab.h"

#define NS_PER_TICK (NSEC_PER_SEC / 100)

/* ---- processor time ---- */

/* Nanoseconds that @hart had nothing to do until @now. */
static u64 hart_idle_ns(const struct hart *hart, u64 now)
{
	u64 since = READ_ONCE(hart->idle_since), total = READ_ONCE(hart->idle_time);

	if (hart->idle && READ_ONCE(hart->idle->on_hart) && now > since)
		total += now - since;
	return min(total, now);
}

static u64 all_idle_ns(u64 now)
{
	u64 total = 0;

	for (unsigned i = 0; i < nr_harts; i++)
		total += harts[i].online ? hart_idle_ns(&harts[i], now) : 0;
	return total;
}

struct task_sums {
	u64 utime, stime; /* ns, of all tasks and of the children they waited for */
	unsigned blocked; /* tasks that wait for a disk or a lock */
	pid_t newest;
};

static void sum_tasks(struct task_sums *sums)
{
	struct task *task;
	unsigned long flags;

	*sums = (struct task_sums){};
	flags = spin_lock_irqsave(&task_lock);
	list_for_each_entry(task, &task_list, all_link) {
		sums->utime += READ_ONCE(task->utime) + task->ru_children.utime;
		sums->stime += READ_ONCE(task->stime) + task->ru_children.stime;
		sums->blocked += READ_ONCE(task->state) == TASK_UNINTERRUPTIBLE;
		sums->newest = task->pid;
	}
	spin_unlock_irqrestore(&task_lock, flags);
}

/* What was told last: of each hart, and, behind them, of all. Under task_lock. */
struct cpu_ticks {
	u64 user, system, idle;
};
static struct cpu_ticks told[MAX_HARTS + 1];

/* The quotient may fall, as when a task that nobody waited for goes: what was told stays. */
static void raise_ticks(struct cpu_ticks *last, struct cpu_ticks *now)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	u64 busy = max(now->user + now->system, last->user + last->system);

	now->user = max(now->user, last->user);
	now->system = max(busy - min(busy, now->user), last->system);
	now->user = busy - now->system;
	now->idle = max(now->idle, last->idle);
	*last = *now;
	spin_unlock_irqrestore(&task_lock, flags);
}

/* The line of @hart, or of all (MAX_HARTS): @busy ns divided as @sums say. */
static void put_cpu(struct seq_buf *seq, unsigned hart, u64 busy, u64 idle,
		    const struct task_sums *sums)
{
	u64 user_ticks = sums->utime / NS_PER_TICK;
	u64 all_ticks = user_ticks + sums->stime / NS_PER_TICK;
	u64 ticks = busy / NS_PER_TICK;
	struct cpu_ticks now = { .idle = idle / NS_PER_TICK };

	now.user = all_ticks ? ticks * user_ticks / all_ticks : 0;
	now.system = ticks - now.user;
	raise_ticks(&told[hart], &now);
	seq_printf(seq, " %lu 0 %lu %lu 0 0 0 0 0 0\n", (unsigned long)now.user,
		   (unsigned long)now.system, (unsigned long)now.idle);
}

int proc_show_stat(struct seq_buf *seq, struct task *task __maybe_unused)
{
	u64 now = ktime_ns(), idle = 0, busy = 0;
	unsigned long irqs = 0, switches = 0;
	struct task_sums sums;

	sum_tasks(&sums);
	for (unsigned i = 0; i < nr_harts; i++) {
		if (!harts[i].online)
			continue;
		idle += hart_idle_ns(&harts[i], now);
		busy += now - hart_idle_ns(&harts[i], now);
		irqs += READ_ONCE(harts[i].nr_irqs);
		switches += READ_ONCE(harts[i].nr_switches);
	}
	seq_printf(seq, "cpu ");
	put_cpu(seq, MAX_HARTS, busy, idle, &sums);
	for (unsigned i = 0; i < nr_harts; i++) {
		if (!harts[i].online)
			continue;
		idle = hart_idle_ns(&harts[i], now);
		seq_printf(seq, "cpu%u", i);
		put_cpu(seq, i, now - idle, idle, &sums);
	}
	seq_printf(seq, "intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\n", irqs, switches,
		   (unsigned long)((ktime_real_ns() - ktime_ns()) / NSEC_PER_SEC), nr_forks());
	seq_printf(seq, "procs_running %u\nprocs_blocked %u\n", nr_running(), sums.blocked);
	return 0;
}

int proc_show_uptime(struct seq_buf *seq, struct task *task __maybe_unused)
{
	u64 now = ktime_ns(), up = now / NS_PER_TICK, idle = all_idle_ns(now) / NS_PER_TICK;

	seq_printf(seq, "%lu.%02lu %lu.%02lu\n", (unsigned long)(up / 100),
		   (unsigned long)(up % 100), (unsigned long)(idle / 100),
		   (unsigned long)(idle % 100));
	return 0;
}

int proc_show_loadavg(struct seq_buf *seq, struct task *task __maybe_unused)
{
	unsigned running = nr_running();
	struct task_sums sums;

	sum_tasks(&sums);
	seq_printf(seq, "%u.00 %u.00 %u.00 %u/%u %d\n", running, running, running, running,
		   nr_tasks(), sums.newest);
	return 0;
}

/* ---- what it is ---- */

int proc_show_version(struct seq_buf *seq, struct task *task __maybe_unused)
{
	seq_printf(seq,
		   UTS_SYSNAME " version " UTS_RELEASE " (gcc " __VERSION__ ") " UTS_VERSION "\n");
	return 0;
}

int proc_show_cpuinfo(struct seq_buf *seq, struct task *task __maybe_unused)
{
	for (unsigned i = 0; i < nr_harts; i++) {
		if (harts[i].online)
			seq_printf(seq,
				   "processor\t: %u\nhart\t\t: %lu\n"
				   "isa\t\t: rv64imafdc\nmmu\t\t: sv39\n\n",
				   i, harts[i].hartid);
	}
	return 0;
}

int proc_show_cmdline(struct seq_buf *seq, struct task *task __maybe_unused)
{
	seq_printf(seq, "%s\n", machine.cmdline);
	return 0;
}

/* ---- the last processes that ended ---- */

/* Frames, the newest process last; a code below 0 is the signal that killed it. */
int proc_show_exits(struct seq_buf *seq, struct task *task __maybe_unused)
{
	struct exit_record record;
	unsigned n = 0;

	seq_printf(seq, "%6s %6s %9s %9s %9s %9s %9s %9s %s\n", "pid", "code", "peak", "anon",
		   "file", "tables", "kept_anon", "kept_file", "comm");
	while (exits_next(&n, &record))
		seq_printf(seq, "%6d %6d %9lu %9lu %9lu %9lu %9lu %9lu %s\n", record.pid,
			   record.code & 0x7f ? -(record.code & 0x7f) : record.code >> 8,
			   record.max_rss, record.freed.anon, record.freed.file,
			   record.freed.tables, record.freed.kept_anon, record.freed.kept_file,
			   record.comm);
	return 0;
}

/* ---- disks ---- */

/*
 * Linux's columns: reads, merged, sectors, ms; the same of writes; requests in flight, ms, ms
 * weighted; discards, merged, sectors, ms; flushes, ms. Nobody merges here, or takes their time:
 * those are 0.
 */
int proc_show_diskstats(struct seq_buf *seq, struct task *task __maybe_unused)
{
	for (struct block_device *bdev = block_next(NULL); bdev; bdev = block_next(bdev))
		seq_printf(seq, "%4u %7u %s %lu 0 %lu 0 %lu 0 %lu 0 %u 0 0 %lu 0 %lu 0 %lu 0\n",
			   MAJOR(bdev->dev), MINOR(bdev->dev), bdev->name,
			   READ_ONCE(bdev->nr_reads), READ_ONCE(bdev->sectors_read),
			   READ_ONCE(bdev->nr_writes), READ_ONCE(bdev->sectors_written),
			   READ_ONCE(bdev->in_flight), READ_ONCE(bdev->nr_discards),
			   READ_ONCE(bdev->sectors_discarded), READ_ONCE(bdev->nr_flushes));
	return 0;
}

/* ---- the order of locks ---- */

#ifdef CONFIG_DEBUG
/* `outer -> inner # who: where` for each pair that was ever held and wanted, in order of time. */
int proc_show_lockdep(struct seq_buf *seq, struct task *task __maybe_unused)
{
	char text[256];

	for (unsigned i = 0; i < lockdep_nr_orders(); i++)
		seq_printf(seq, "%s\n", lockdep_order_text(i, text, sizeof(text)));
	return 0;
}
#endif

/* ---- kmsg ---- */

/* The offset is the position in the stream of messages; its end is the end of the file. */
static ssize_t kmsg_read(struct file *file __maybe_unused, void *ubuf, size_t len, u64 *pos)
{
	char *buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	ssize_t done = 0, ret = 0;

	if (!buf)
		return -ENOMEM;
	while ((size_t)done < len) {
		u64 next = *pos;
		size_t n = dmesg_read(&next, buf, min(len - done, (size_t)PAGE_SIZE));

		if (n == 0)
			break;
		if (copy_to_user((char *)ubuf + done, buf, n)) {
			ret = -EFAULT;
			break;
		}
		done += n;
		*pos = next;
	}
	kfree(buf);
	return done ? done : ret;
}

const struct file_operations proc_kmsg_fops = { .read = kmsg_read };
