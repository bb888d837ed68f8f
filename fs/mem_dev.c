/*
 * mem_dev.c - the character devices that are made of nothing but memory.
 *
 *	1:3 null     reads end, writes vanish
 *	1:5 zero     reads zeros, writes vanish; a private mapping is anonymous memory (mm/mmap.c)
 *	1:7 full     reads zeros, writes say that the disk is full
 *	1:8 random, 1:9 urandom    the same: the generator is always ready
 *
 * No state, no locks.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "kernel/panic.h"
#include "kernel/random.h"
#include "kernel/signal.h"

#define MEM_MAJOR  1
#define RANDOM_BUF 256u /* bytes made at a time, on the stack */

static ssize_t null_read(struct file *file __maybe_unused, void *ubuf __maybe_unused,
			 size_t len __maybe_unused, u64 *pos __maybe_unused)
{
	return 0;
}

/* From user or kernel memory: nobody looks. */
static ssize_t null_write(struct file *file __maybe_unused, const void *buf __maybe_unused,
			  size_t len, u64 *pos __maybe_unused)
{
	return len;
}

static ssize_t full_write(struct file *file __maybe_unused, const void *buf __maybe_unused,
			  size_t len __maybe_unused, u64 *pos __maybe_unused)
{
	return len ? -ENOSPC : 0;
}

/* Any seek ends at 0: reads and writes do not look at the offset. */
static s64 mem_llseek(struct file *file __maybe_unused, s64 offset __maybe_unused,
		      int whence __maybe_unused)
{
	return 0;
}

static size_t give_zeros(char *ubuf, size_t n)
{
	n = min(n, (size_t)PAGE_SIZE);
	return n - clear_user(ubuf, n);
}

static size_t give_random(char *ubuf, size_t n)
{
	u8 buf[RANDOM_BUF];

	n = min(n, sizeof(buf));
	random_bytes(buf, n);
	return n - copy_to_user(ubuf, buf, n);
}

/*
 * Fills @len bytes by @give, which returns how many it could; a signal ends a long request
 * early.
 */
static ssize_t fill(char *ubuf, size_t len, size_t (*give)(char *ubuf, size_t n))
{
	size_t done = 0;

	while (done < len) {
		size_t n = give(ubuf + done, len - done);

		if (n == 0)
			return done ? (ssize_t)done : -EFAULT;
		done += n;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return done;
}

static ssize_t zero_read(struct file *file __maybe_unused, void *ubuf, size_t len,
			 u64 *pos __maybe_unused)
{
	return fill(ubuf, len, give_zeros);
}

static ssize_t random_read(struct file *file __maybe_unused, void *ubuf, size_t len,
			   u64 *pos __maybe_unused)
{
	return fill(ubuf, len, give_random);
}

static const struct file_operations null_fops = {
	.read = null_read,
	.write = null_write,
	.write_kernel = null_write,
	.llseek = mem_llseek,
};

const struct file_operations zero_fops = {
	.read = zero_read,
	.write = null_write,
	.write_kernel = null_write,
	.llseek = mem_llseek,
};

static const struct file_operations full_fops = {
	.read = zero_read,
	.write = full_write,
	.write_kernel = full_write,
	.llseek = mem_llseek,
};

static const struct file_operations random_fops = {
	.read = random_read,
	.llseek = mem_llseek,
};

void mem_dev_init(void)
{
	static const struct {
		unsigned minor;
		const char *name;
		const struct file_operations *fops;
	} devices[] = {
		{ 3, "null", &null_fops },	{ 5, "zero", &zero_fops },
		{ 7, "full", &full_fops },	{ 8, "random", &random_fops },
		{ 9, "urandom", &random_fops },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
		BUG_ON(chrdev_register(MEM_MAJOR, devices[i].minor, devices[i].name,
				       devices[i].fops) != 0);
}
