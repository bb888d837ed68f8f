/*
 * explain.c - /proc/<pid>/explain: write an address, read back all that is known of it.
 *
 *	write "0x3ffffff008"    mm_explain() under mmap_lock; the answer is kept as text; then every
 *	                        process is asked: do you map the frame?
 *	read                    the text; before the first write there is none
 *
 * Lines `key value...`; what does not apply is left out. Addresses, PTEs, flags and frame numbers
 * are hexadecimal with 0x, counts are decimal. docs/explain.md lists the keys; explain(1) and
 * translate(1) make sentences of them.
 *
 * Who may look at the process (proc_may_look()) sees its tables, frame numbers included; the kernel
 * half is root's.
 *
 * Invariant: the answer changes nothing in the address space, and is all of one moment, but for
 * the list of who else maps the frame, which is made after it.
 * Locks: asked->lock, inside it the mmap_lock of one address space at a time. User memory is
 * touched with asked->lock alone, or before it.
 */
#include "mm/explain.h"

#include "arch/riscv/uaccess.h"
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/slab.h"

#define ADDRESS_TEXT_MAX 24
#define MAPPERS_MAX	 8 /* addresses of one process that are told */

struct asked {
	struct mutex lock;
	struct seq_buf text;
};

struct bit_name {
	u32 bit;
	const char *name;
};

/* " a,b" of the @nr names whose bits are in @bits; " -" for none. */
static void put_bits(struct seq_buf *seq, u32 bits, const struct bit_name *names, unsigned nr)
{
	const char *before = " ";

	for (unsigned i = 0; i < nr; i++) {
		if (!(bits & names[i].bit))
			continue;
		seq_printf(seq, "%s%s", before, names[i].name);
		before = ",";
	}
	seq_printf(seq, "%s\n", *before == ' ' ? " -" : "");
}

/* ---- areas ---- */

static void put_flags(struct seq_buf *seq, u32 flags)
{
	static const struct bit_name names[] = {
		{ VM_GROWSDOWN, "growsdown" },	 { VM_HEAP, "heap" },
		{ VM_NORESERVE, "noreserve" },	 { VM_SHARED, "shared" },
		{ VM_MAYWRITE, "maywrite" },	 { VM_LOCKED, "locked" },
		{ VM_LOCKONFAULT, "onfault" },	 { VM_DONTCOPY, "dontcopy" },
		{ VM_WIPEONFORK, "wipeonfork" }, { VM_SEQ, "sequential" },
		{ VM_RAND, "random" },		 { VM_DONTDUMP, "dontdump" },
	};

	seq_printf(seq, "vm_flags 0x%x", flags);
	put_bits(seq, flags, names, ARRAY_SIZE(names));
}

static void put_area(struct seq_buf *seq, const char *key, const struct vm_area *vma)
{
	if (!vma)
		return;
	seq_printf(seq, "%s ", key);
	proc_seq_area(seq, vma);
}

static void put_areas(struct seq_buf *seq, const struct explanation *e)
{
	put_area(seq, "area", e->vma);
	if (e->vma) {
		put_flags(seq, e->vma->vm_flags);
		seq_printf(seq, "%s 0x%lx\n", e->vma->vm_file ? "file_page" : "linear_page",
			   e->file_index);
		return;
	}
	put_area(seq, "below", e->below);
	put_area(seq, "above", e->above);
}

/* ---- the walk, the frame ---- */

static void put_walk(struct seq_buf *seq, const struct explanation *e)
{
	for (unsigned i = 0; i < e->nr_entries; i++)
		seq_printf(seq, "pte%u %u 0x%lx 0x%lx\n", e->entries[i].level, e->entries[i].index,
			   e->entries[i].at, e->entries[i].pte.val);
	if (e->is_leaf)
		seq_printf(seq, "physical 0x%lx\n", e->pa);
}

static void put_page_flags(struct seq_buf *seq, const char *key, u32 flags)
{
	static const struct bit_name names[] = {
		{ PG_LOCKED, "locked" },       { PG_UPTODATE, "uptodate" },
		{ PG_ERROR, "error" },	       { PG_REFERENCED, "referenced" },
		{ PG_ICACHE_CLEAN, "icache" }, { PG_WAITERS, "waiters" },
		{ PG_BUDDY, "buddy" },	       { PG_PCP, "pcp" },
		{ PG_DIRTY, "dirty" },	       { PG_WRITEBACK, "writeback" },
		{ PG_MAPPED, "mappedtodisk" }, { PG_KEPT, "kept" },
		{ PG_SHMEM, "shmem" },	       { PG_READAHEAD, "readahead" },
	};

	seq_printf(seq, "%s 0x%x", key, flags);
	put_bits(seq, flags, names, ARRAY_SIZE(names));
}

/* Whose the frame is, in a word. */
static const char *owner(const struct explanation *e)
{
	const struct explained_frame *frame = &e->frame;
	const struct file *file = e->vma ? e->vma->vm_file : NULL;

	if (frame->is_zero)
		return "zero-page";
	if (frame->type == PAGE_ANON)
		return frame->is_family ? "family" : "other-family";
	if (frame->type != PAGE_FILE)
		return "kernel";
	return file && file_mapping(file) == frame->mapping ? "area-file" : "no-file";
}

static void put_frame(struct seq_buf *seq, const struct explanation *e)
{
	const struct explained_frame *frame = &e->frame;

	if (!frame->exists)
		return;
	seq_printf(seq, "pfn 0x%lx\n", frame->pfn);
	if (!frame->is_ram)
		return;
	seq_printf(seq, "type %s\n", page_type_name(pfn_to_page(frame->pfn)));
	seq_printf(seq, "owner %s\n", owner(e));
	seq_printf(seq, "refcount %d\nmapcount %d\n", frame->refcount, frame->mapcount);
	put_page_flags(seq, "page_flags", frame->flags);
	if (frame->type == PAGE_ANON || frame->type == PAGE_FILE)
		seq_printf(seq, "page_index 0x%lx\n", frame->index);
}

static void put_cache(struct seq_buf *seq, const struct explanation *e)
{
	if (!e->vma || !e->vma->vm_file)
		return;
	if (!e->cache.exists) {
		seq_printf(seq, "cache absent\n");
		return;
	}
	seq_printf(seq, "cache %s\ncache_pfn 0x%lx\n", e->cache.is_here ? "here" : "reading",
		   e->cache.pfn);
	put_page_flags(seq, "cache_flags", e->cache.flags);
}

/* ---- what an access would do ---- */

static const char *result_name(enum fault_result res)
{
	switch (res) {
	case FAULT_SEGV_MAPERR:
		return "SIGSEGV:SEGV_MAPERR";
	case FAULT_SEGV_ACCERR:
		return "SIGSEGV:SEGV_ACCERR";
	case FAULT_SIGBUS:
		return "SIGBUS:BUS_ADRERR";
	default:
		return "ok";
	}
}

/* `store ok read_in:fault_io_retry file_copy:fault_file_cow` */
static void put_access(struct seq_buf *seq, const char *key, const struct explained_access *told)
{
	enum fault_case end = told->cases[told->nr - 1];

	seq_printf(seq, "%s %s", key, result_name(fault_case_result(end)));
	for (unsigned i = 0; i < told->nr; i++)
		seq_printf(seq, " %s:%s", fault_case_name(told->cases[i]),
			   vmstat_name[fault_case_counter(told->cases[i])]);
	seq_printf(seq, "\n");
	if (told->needs_room)
		seq_printf(seq, "%s_needs_room 1\n", key);
}

static const char *half(const struct explanation *e)
{
	if (!e->is_canonical)
		return "none";
	return e->is_kernel ? "kernel" : "user";
}

/* mmap_lock held for reading. */
static void put_explanation(struct seq_buf *seq, struct mm *mm, const struct explanation *e)
{
	seq_printf(seq, "address 0x%lx\nhalf %s\n", e->addr, half(e));
	put_areas(seq, e);
	if (e->nr_entries > 0)
		seq_printf(seq, "root 0x%lx\n", virt_to_phys(mm->pgd));
	put_walk(seq, e);
	put_frame(seq, e);
	put_cache(seq, e);
	put_access(seq, "load", &e->access[FAULT_READ]);
	put_access(seq, "store", &e->access[FAULT_WRITE]);
	put_access(seq, "fetch", &e->access[FAULT_EXEC]);
}

/* ---- who else maps the frame ---- */

/* `mapper PID ADDRESS` for each; how many there are that are not told. */
static unsigned put_mappers_of(struct seq_buf *seq, struct task *task, const struct explanation *e)
{
	struct mm *mm = task_get_mm(task);
	unsigned long addrs[MAPPERS_MAX];
	unsigned nr, told = 0;

	if (!mm)
		return 0;
	down_read(&mm->mmap_lock);
	nr = mm_find_frame(mm, e, addrs, MAPPERS_MAX);
	up_read(&mm->mmap_lock);
	mm_put(mm);
	if (proc_may_look(task))
		told = min(nr, (unsigned)MAPPERS_MAX);
	for (unsigned i = 0; i < told; i++)
		seq_printf(seq, "mapper %d 0x%lx\n", task->pid, addrs[i]);
	return nr - told;
}

static void put_mappers(struct seq_buf *seq, const struct explanation *e)
{
	unsigned hidden = 0;
	struct task *task;

	if (!e->frame.is_ram || e->frame.is_zero || e->frame.mapcount == 0)
		return;
	for (pid_t pid = 1; (task = task_next_get(pid)) != NULL; pid++) {
		pid = task->pid;
		hidden += put_mappers_of(seq, task, e);
		task_put(task);
		cond_resched();
	}
	if (hidden)
		seq_printf(seq, "mappers_hidden %u\n", hidden);
}

/* ---- the file ---- */

/* Makes the text for @addr of @task. 0 or -errno, and then there is none. */
static int explain(struct seq_buf *seq, struct task *task, unsigned long addr)
{
	struct explanation *e;
	struct mm *mm;

	seq->used = 0;
	seq->err = 0;
	/* Since the file was opened the task may have become somebody else, by exec. */
	if (!proc_may_look(task))
		return -EACCES;
	mm = task_get_mm(task);
	if (!mm)
		return -ESRCH;
	e = kmalloc(sizeof(*e), GFP_KERNEL);
	if (e) {
		down_read(&mm->mmap_lock);
		mm_explain(mm, addr, task->rlim, current->cred.fsuid == 0, e);
		put_explanation(seq, mm, e);
		up_read(&mm->mmap_lock);
		put_mappers(seq, e);
		kfree(e);
	} else {
		seq->err = -ENOMEM;
	}
	mm_put(mm);
	if (seq->err)
		seq->used = 0;
	return seq->err;
}

/* One hexadecimal number, maybe with 0x, blanks and a line's end around it; -EINVAL. */
static int parse_address(char *text, unsigned long *addr)
{
	size_t len = strlen(text);
	char *start = text;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	while (*start == ' ')
		start++;
	return kstrtoul(start, 16, addr) ? -EINVAL : 0;
}

/* The position goes back to the start: the next read is of the answer's first byte. */
static ssize_t explain_write(struct file *file, const void *ubuf, size_t len, u64 *pos)
{
	struct asked *asked = file->private_data;
	char text[ADDRESS_TEXT_MAX];
	unsigned long addr;
	int err;

	if (len == 0 || len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, ubuf, len))
		return -EFAULT;
	text[len] = '\0';
	if (parse_address(text, &addr))
		return -EINVAL;
	mutex_lock(&asked->lock);
	err = explain(&asked->text, file_task(file), addr);
	mutex_unlock(&asked->lock);
	if (err)
		return err;
	*pos = 0;
	return len;
}

static ssize_t explain_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	struct asked *asked = file->private_data;
	ssize_t n;

	mutex_lock(&asked->lock);
	n = simple_read(ubuf, len, pos, asked->text.buf, asked->text.used);
	mutex_unlock(&asked->lock);
	return n;
}

static int explain_open(struct inode *inode, struct file *file)
{
	struct asked *asked;

	if (!proc_may_look(proc_i(inode)->task))
		return -EACCES;
	asked = kzalloc(sizeof(*asked), GFP_KERNEL);
	if (!asked)
		return -ENOMEM;
	mutex_init(&asked->lock);
	file->private_data = asked;
	return 0;
}

static void explain_release(struct file *file)
{
	struct asked *asked = file->private_data;

	kfree(asked->text.buf);
	kfree(asked);
}

const struct file_operations proc_explain_fops = {
	.open = explain_open,
	.release = explain_release,
	.read = explain_read,
	.write = explain_write,
};
