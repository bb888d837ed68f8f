/*
 * maps.c - /proc/<pid>/maps and smaps: the areas of an address space, a window of the text at a
 * time.
 *
 *	text   0 ......... start ======= start + used .........
 *	                     the window: lines of whole areas
 *	areas            ... shown, up to next_addr | the first with vm_end > next_addr, ...
 *
 * Reading on moves the window: mmap_lock for reading, lines until the buffer is nearly full,
 * unlock, copy out. Each window costs one look-up and a step for each line, the memory is bounded,
 * and the process may change its map between two windows; a line is never torn. Reading back
 * starts over.
 *
 * Locks: reader->lock outside of mmap_lock; user memory is touched with reader->lock alone.
 */
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/mm.h"
#include "mm/slab.h"

#define WINDOW_SIZE (2 * PAGE_SIZE)
#define LINE_MAX    (NAME_COLUMN + PATH_MAX + 1)

/* Puts what the file says of @vma at @buf, which has LINE_MAX + SMAPS_MAX bytes; its length. */
typedef size_t (*put_area_fn)(const struct vm_area *vma, char *buf);

struct maps_reader {
	struct mutex lock;
	put_area_fn put;
	u64 start; /* offset in the text of buf[0] */
	size_t used;
	unsigned long next_addr;
	char *buf; /* WINDOW_SIZE bytes */
};

/* Puts the name of @vma at @buf, @size bytes; its length, 0: it has none. */
static size_t put_name(const struct vm_area *vma, char *buf, size_t size)
{
	if (vma->vm_file)
		file_path(vma->vm_file, buf, size);
	else if (vma->vm_flags & VM_HEAP)
		strlcpy(buf, "[heap]", size);
	else if (vma_is_stack(vma))
		strlcpy(buf, "[stack]", size);
	else
		return 0;
	return strlen(buf);
}

/* The line of maps. */
static size_t put_line(const struct vm_area *vma, char *buf)
{
	unsigned long offset = vma->vm_file ? vma->vm_pgoff << PAGE_SHIFT : 0;
	size_t len, name_len;
	dev_t dev = 0;
	ino_t ino = 0;

	if (vma->vm_file)
		file_dev_ino(vma->vm_file, &dev, &ino);
	len = scnprintf(buf, LINE_MAX, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", vma->vm_start,
			vma->vm_end, vma->vm_prot & PROT_READ ? 'r' : '-',
			vma->vm_prot & PROT_WRITE ? 'w' : '-', vma->vm_prot & PROT_EXEC ? 'x' : '-',
			vma->vm_flags & VM_SHARED ? 's' : 'p', offset, MAJOR(dev), MINOR(dev),
			(unsigned long)ino);
	if (vma->vm_file || (vma->vm_flags & VM_HEAP) || vma_is_stack(vma)) {
		while (len < NAME_COLUMN)
			buf[len++] = ' ';
		name_len = put_name(vma, buf + len, LINE_MAX - len - 1);
		len += name_len;
	}
	buf[len++] = '\n';
	return len;
}

/* The line, and what of the area is in memory. */
static size_t put_smaps(const struct vm_area *vma, char *buf)
{
	size_t len = put_line(vma, buf);

	return len + smaps_put_area(vma, buf + len);
}

/* Moves the window of @reader to what follows it; empty at the end. */
static void next_window(struct maps_reader *reader, struct task *task)
{
	struct mm *mm;
	struct vm_area *vma;

	reader->start += reader->used;
	reader->used = 0;
	/* Since the file was opened the task may have become somebody else, by exec. */
	mm = proc_may_look(task) ? task_get_mm(task) : NULL;
	if (!mm)
		return;
	down_read(&mm->mmap_lock);
	vma = find_vma(mm, reader->next_addr);
	for (; vma && WINDOW_SIZE - reader->used >= LINE_MAX + SMAPS_MAX; vma = vma->vm_next) {
		reader->used += reader->put(vma, reader->buf + reader->used);
		reader->next_addr = vma->vm_end;
	}
	up_read(&mm->mmap_lock);
	mm_put(mm);
}

/* Makes the window hold the byte at @pos; false: the text is shorter. */
static bool seek_window(struct maps_reader *reader, struct task *task, u64 pos)
{
	if (pos == 0 || pos < reader->start) {
		reader->start = 0;
		reader->used = 0;
		reader->next_addr = 0;
	}
	while (pos >= reader->start + reader->used) {
		next_window(reader, task);
		if (reader->used == 0)
			return false;
		cond_resched();
	}
	return true;
}

void proc_seq_area(struct seq_buf *seq, const struct vm_area *vma)
{
	char *line = kmalloc(LINE_MAX, GFP_KERNEL);

	if (!line) {
		seq->err = -ENOMEM;
		return;
	}
	seq_write(seq, line, put_line(vma, line));
	kfree(line);
}

static ssize_t maps_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	struct maps_reader *reader = file->private_data;
	ssize_t done = 0, n = 0;

	mutex_lock(&reader->lock);
	while ((size_t)done < len && seek_window(reader, file_task(file), *pos)) {
		u64 at = *pos - reader->start;

		n = simple_read((char *)ubuf + done, len - done, &at, reader->buf, reader->used);
		if (n <= 0)
			break;
		done += n;
		*pos += n;
	}
	mutex_unlock(&reader->lock);
	return done ? done : n;
}

static int open_reader(struct inode *inode, struct file *file, put_area_fn put)
{
	struct maps_reader *reader;

	if (!proc_may_look(proc_i(inode)->task))
		return -EACCES;
	reader = kzalloc(sizeof(*reader), GFP_KERNEL);
	if (!reader)
		return -ENOMEM;
	reader->buf = kmalloc(WINDOW_SIZE, GFP_KERNEL);
	if (!reader->buf) {
		kfree(reader);
		return -ENOMEM;
	}
	mutex_init(&reader->lock);
	reader->put = put;
	file->private_data = reader;
	return 0;
}

static int maps_open(struct inode *inode, struct file *file)
{
	return open_reader(inode, file, put_line);
}

static int smaps_open(struct inode *inode, struct file *file)
{
	return open_reader(inode, file, put_smaps);
}

static void maps_release(struct file *file)
{
	struct maps_reader *reader = file->private_data;

	kfree(reader->buf);
	kfree(reader);
}

const struct file_operations proc_maps_fops = {
	.open = maps_open,
	.release = maps_release,
	.read = maps_read,
};

const struct file_operations proc_smaps_fops = {
	.open = smaps_open,
	.release = maps_release,
	.read = maps_read,
};
