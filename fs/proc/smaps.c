/*
 * smaps.c - what of each area is in memory: the text of /proc/<pid>/smaps and smaps_rollup.
 *
 *	400000-402000 r-xp ... /bin/sh      as in maps (maps.c)
 *	Size:                  8 kB         of the area
 *	Rss:                   8 kB         of that in memory; Pss: its share of it
 *	...                                 mm/smaps.c says what counts as what
 *	VmFlags: rd ex mr mw me             two letters each, as the kernel has it
 *
 * Lines of what Ravel does not have (huge pages, merged pages) are there and say 0: programs
 * that read this file want to find each line.
 *
 * Locks: mmap_lock for reading while an area is walked.
 * Source: proc_pid_smaps(5).
 */
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/slab.h"
#include "mm/walk.h"

/* The lines of both files; the usage is in pages, shares are in pages << PSS_SHIFT. */
struct smaps_text {
	char *buf; /* SMAPS_MAX bytes */
	size_t used;
};

static void put_kb(struct smaps_text *text, const char *name, unsigned long kb)
{
	char key[24];

	scnprintf(key, sizeof(key), "%s:", name);
	text->used += scnprintf(text->buf + text->used, SMAPS_MAX - text->used, "%-16s%8lu kB\n",
				key, kb);
}

static void put_pages(struct smaps_text *text, const char *name, unsigned long pages)
{
	put_kb(text, name, pages << (PAGE_SHIFT - 10));
}

static void put_share(struct smaps_text *text, const char *name, u64 share)
{
	put_kb(text, name, share >> (PSS_SHIFT + 10 - PAGE_SHIFT));
}

static void put_usage(struct smaps_text *text, const struct area_usage *usage, bool rollup)
{
	static const char *const absent[] = {
		"LazyFree",	 "AnonHugePages",  "ShmemPmdMapped",
		"FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb",
	};

	put_pages(text, "Rss",
		  usage->shared_clean + usage->shared_dirty + usage->private_clean +
			  usage->private_dirty);
	put_share(text, "Pss", usage_pss(usage));
	put_share(text, "Pss_Dirty", usage->pss_dirty);
	if (rollup) {
		put_share(text, "Pss_Anon", usage->pss_anon);
		put_share(text, "Pss_File", usage->pss_file);
		put_share(text, "Pss_Shmem", usage->pss_shmem);
	}
	put_pages(text, "Shared_Clean", usage->shared_clean);
	put_pages(text, "Shared_Dirty", usage->shared_dirty);
	put_pages(text, "Private_Clean", usage->private_clean);
	put_pages(text, "Private_Dirty", usage->private_dirty);
	put_pages(text, "Referenced", usage->referenced);
	put_pages(text, "Anonymous", usage->anon);
	for (unsigned i = 0; i < ARRAY_SIZE(absent); i++)
		put_pages(text, absent[i], 0);
	put_pages(text, "Swap", usage->swap);
	put_share(text, "SwapPss", usage->swap_share);
	put_share(text, "Locked", usage->pss_locked);
}

/* A file that was opened read-only is not written through a shared mapping, now or later. */
static bool may_become_writable(const struct vm_area *vma)
{
	return !(vma->vm_flags & VM_SHARED) || (vma->vm_flags & VM_MAYWRITE);
}

/* In the order of Linux' bits. */
static void put_flags(struct smaps_text *text, const struct vm_area *vma)
{
	const struct {
		char name[3];
		bool set;
	} flags[] = {
		{ "rd", vma->vm_prot & PROT_READ },
		{ "wr", vma->vm_prot & PROT_WRITE },
		{ "ex", vma->vm_prot & PROT_EXEC },
		{ "sh", vma->vm_flags & VM_SHARED },
		{ "mr", true },
		{ "mw", may_become_writable(vma) },
		{ "me", !vma->vm_file || file_can_exec(vma->vm_file) },
		{ "ms", vma->vm_flags & VM_SHARED },
		{ "gd", vma->vm_flags & VM_GROWSDOWN },
		{ "lo", vma->vm_flags & VM_LOCKED },
		{ "sr", vma->vm_flags & VM_SEQ },
		{ "rr", vma->vm_flags & VM_RAND },
		{ "dc", vma->vm_flags & VM_DONTCOPY },
		{ "lf", vma->vm_flags & VM_LOCKONFAULT },
		{ "nr", vma->vm_flags & VM_NORESERVE },
		{ "wf", vma->vm_flags & VM_WIPEONFORK },
		{ "dd", vma->vm_flags & VM_DONTDUMP },
	};

	text->used += scnprintf(text->buf + text->used, SMAPS_MAX - text->used, "VmFlags: ");
	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].set)
			text->used += scnprintf(text->buf + text->used, SMAPS_MAX - text->used,
						"%s ", flags[i].name);
	text->used += scnprintf(text->buf + text->used, SMAPS_MAX - text->used, "\n");
}

size_t smaps_put_area(const struct vm_area *vma, char *buf)
{
	struct smaps_text text = { .buf = buf };
	struct area_usage usage = {};

	vma_add_usage(vma, &usage);
	put_kb(&text, "Size", (vma->vm_end - vma->vm_start) >> 10);
	put_pages(&text, "KernelPageSize", 1);
	put_pages(&text, "MMUPageSize", 1);
	put_usage(&text, &usage, false);
	text.used += scnprintf(buf + text.used, SMAPS_MAX - text.used, "THPeligible:    %8d\n", 0);
	put_flags(&text, vma);
	return text.used;
}

/* The sums over all areas of @mm; the addresses where the first begins and the last ends. */
static void sum_areas(struct mm *mm, struct area_usage *usage, unsigned long *start,
		      unsigned long *end)
{
	down_read(&mm->mmap_lock);
	*start = mm->mmap ? mm->mmap->vm_start : 0;
	*end = 0;
	for (const struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next) {
		vma_add_usage(vma, usage);
		*end = vma->vm_end;
	}
	up_read(&mm->mmap_lock);
}

int proc_show_smaps_rollup(struct seq_buf *seq, struct task *task)
{
	struct mm *mm = task_get_mm(task);
	struct area_usage usage = {};
	struct smaps_text text = {};
	char header[NAME_COLUMN + 1];
	unsigned long start, end;

	if (!mm)
		return -ESRCH;
	sum_areas(mm, &usage, &start, &end);
	mm_put(mm);
	text.buf = kmalloc(SMAPS_MAX, GFP_KERNEL);
	if (!text.buf)
		return -ENOMEM;
	put_usage(&text, &usage, true);
	scnprintf(header, sizeof(header), "%08lx-%08lx ---p 00000000 00:00 0 ", start, end);
	seq_printf(seq, "%-*s[rollup]\n", NAME_COLUMN, header);
	seq_write(seq, text.buf, text.used);
	kfree(text.buf);
	return 0;
}
