/*
 * seq.c - files whose contents are made when they are read.
 *
 *	open            struct proc_text: lock, empty buffer
 *	read at 0       show() writes the text into kernel memory; the piece asked for is copied out
 *	read at n       a piece of the same text
 *	release         all is freed
 *
 * A read at offset 0 makes the text anew, so that a descriptor that is kept open (pread) always
 * tells what is true now, and reads that go on from there never see two texts mixed.
 *
 * Locks: text->lock, for pread is not under f_pos_lock. User memory is touched with it alone.
 */
#include "fs/proc/proc.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/slab.h"

#define SEQ_FIRST_SIZE 1024

struct proc_text {
	struct mutex lock;
	bool made;
	struct seq_buf seq;
};

/* Room for @more bytes; false: no memory, and the buffer is marked bad. */
static bool seq_grow(struct seq_buf *seq, size_t more)
{
	size_t size = seq->size ? seq->size : SEQ_FIRST_SIZE;
	char *buf;

	if (seq->err)
		return false;
	if (more <= seq->size - seq->used)
		return true;
	while (size - seq->used < more)
		size *= 2;
	buf = kmalloc(size, GFP_KERNEL);
	if (!buf) {
		seq->err = -ENOMEM;
		return false;
	}
	if (seq->used)
		memcpy(buf, seq->buf, seq->used);
	kfree(seq->buf);
	seq->buf = buf;
	seq->size = size;
	return true;
}

void seq_write(struct seq_buf *seq, const void *data, size_t len)
{
	if (!seq_grow(seq, len))
		return;
	memcpy(seq->buf + seq->used, data, len);
	seq->used += len;
}

void seq_printf(struct seq_buf *seq, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	/* vsnprintf() ends with a NUL, which the next text overwrites. */
	if (len < 0 || !seq_grow(seq, (size_t)len + 1))
		return;
	va_start(ap, fmt);
	vsnprintf(seq->buf + seq->used, (size_t)len + 1, fmt, ap);
	va_end(ap);
	seq->used += len;
}

unsigned seq_path(struct seq_buf *seq, const char *path)
{
	unsigned len = 0;

	for (; *path; path++) {
		bool plain = !strchr(" \t\n\\", *path);

		if (plain)
			seq_write(seq, path, 1);
		else
			seq_printf(seq, "\\%03o", (unsigned)*path);
		len += plain ? 1 : 4;
	}
	return len;
}

static bool may_read(const struct proc_inode *pi)
{
	return !pi->entry->guarded || proc_may_look(pi->task);
}

/*
 * Makes the text; text->lock held. 0 or -errno, and then there is no text: -EACCES when the task
 * became somebody else since the file was opened, by exec.
 */
static int text_make(struct proc_text *text, const struct proc_inode *pi)
{
	int err = may_read(pi) ? -ESRCH : -EACCES;

	text->made = false;
	text->seq.used = 0;
	text->seq.err = 0;
	if (err == -ESRCH && (!pi->task || proc_task_exists(pi->task)))
		err = pi->entry->show(&text->seq, pi->task);
	if (!err)
		err = text->seq.err;
	text->made = !err;
	return err;
}

static ssize_t text_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	struct proc_text *text = file->private_data;
	ssize_t ret = 0;

	mutex_lock(&text->lock);
	if (!text->made || *pos == 0)
		ret = text_make(text, proc_i(file->f_inode));
	if (!ret)
		ret = simple_read(ubuf, len, pos, text->seq.buf, text->seq.used);
	mutex_unlock(&text->lock);
	return ret;
}

static int text_open(struct inode *inode, struct file *file)
{
	struct proc_text *text;

	if (!may_read(proc_i(inode)))
		return -EACCES;
	text = kzalloc(sizeof(*text), GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	mutex_init(&text->lock);
	file->private_data = text;
	return 0;
}

static void text_release(struct file *file)
{
	struct proc_text *text = file->private_data;

	kfree(text->seq.buf);
	kfree(text);
}

const struct file_operations proc_text_fops = {
	.open = text_open,
	.release = text_release,
	.read = text_read,
};
