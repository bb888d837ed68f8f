/*
 * tty.c - the console terminal as a file: read, write, ioctl, poll.
 *
 *	/dev/console --.                 .-- drivers/ldisc.c <--> UART
 *	/dev/tty     --+--> struct tty --+
 *	(current->tty) '                 '-- drivers/tty_job.c: whose terminal it is, who may read
 *
 * Invariants: output is never queued; input only in the line discipline. When there is no room for
 * more the UART's input is held, so that a long paste waits with its sender and is not lost.
 * Locks: tty->lock (interrupts off; the UART's interrupt takes it). User memory is copied, signals
 * are sent and readers are woken without it. Two readers at once may share a line.
 */
#include "drivers/tty.h"

#include "arch/riscv/uaccess.h"
#include "drivers/ldisc.h"
#include "drivers/tty_job.h"
#include "drivers/uart.h"
#include "fs/chrdev.h"
#include "kernel/panic.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "lib/string.h"

#define TCGETS	   0x5401
#define TCSETS	   0x5402
#define TCSETSW	   0x5403
#define TCSETSF	   0x5404
#define TCSBRK	   0x5409
#define TCFLSH	   0x540b
#define TIOCOUTQ   0x5411
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define TCSBRKP	   0x5425

#define TCIFLUSH  0
#define TCOFLUSH  1
#define TCIOFLUSH 2

#define TTY_MAJOR  5
#define CHUNK	   256
#define DECISECOND (NSEC_PER_SEC / 10)

#define CTRL(c) ((c)&0x1f)

static struct tty console = {
	.lock = SPINLOCK_INIT,
	.termios = {
		.c_iflag = ICRNL | IUTF8,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL,
		.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		.c_cc = {
			[VINTR] = CTRL('C'), [VQUIT] = CTRL('\\'), [VERASE] = 0x7f,
			[VKILL] = CTRL('U'), [VEOF] = CTRL('D'), [VMIN] = 1,
			[VSUSP] = CTRL('Z'), [VWERASE] = CTRL('W'),
		},
	},
	.winsize = {.ws_row = 24, .ws_col = 80},
	.readers = WAIT_QUEUE_INIT(console.readers),
};

bool tty_has_room(void)
{
	struct tty *tty = &console;
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	bool room = ldisc_has_room(tty);

	if (!room) {
		tty->held = true;
		uart_hold_input(true);
	}
	spin_unlock_irqrestore(&tty->lock, flags);
	return room;
}

/* Input was read or dropped, or the modes have changed: more may come. With tty->lock. */
static void release_input(struct tty *tty)
{
	if (!tty->held || !ldisc_has_room(tty))
		return;
	tty->held = false;
	uart_hold_input(false);
}

void tty_input(char c)
{
	struct tty *tty = &console;
	struct ldisc_event event;
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	pid_t pgrp;

	ldisc_receive(tty, (u8)c, &event);
	pgrp = tty->pgrp;
	spin_unlock_irqrestore(&tty->lock, flags);
	if (event.signal && pgrp)
		kill_pgrp(pgrp, event.signal);
	if (event.wake)
		wake_up_all(&tty->readers);
}

/* ---- read ---- */

/* What a read waits for, as the settings are now. */
struct read_rule {
	bool raw;
	unsigned min; /* bytes */
	u64 time;     /* ns: between bytes (min > 0), or in all (min 0); 0: for ever */
	unsigned available;
};

static struct read_rule get_read_rule(struct tty *tty, size_t want)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	struct read_rule rule = { .raw = !ldisc_is_canonical(tty),
				  .min = 1,
				  .available = ldisc_available(tty) };

	if (rule.raw) {
		rule.min = min((size_t)tty->termios.c_cc[VMIN], want);
		rule.time = tty->termios.c_cc[VTIME] * DECISECOND;
	}
	spin_unlock_irqrestore(&tty->lock, flags);
	return rule;
}

/* 1: there is enough to read; 0: read what there is, if anything; -EAGAIN, -ERESTARTSYS. */
static int wait_for_input(struct tty *tty, size_t want, bool nonblock)
{
	struct wait_entry entry = WAIT_ENTRY_INIT;
	unsigned seen = 0;
	u64 deadline = 0;
	int ret;

	for (;;) {
		struct read_rule rule;

		prepare_to_wait(&tty->readers, &entry, TASK_INTERRUPTIBLE);
		rule = get_read_rule(tty, want);
		ret = 1;
		if (rule.available && rule.available >= rule.min)
			break;
		ret = 0;
		if (rule.raw && rule.min == 0 && rule.time == 0)
			break;
		ret = rule.available ? 1 : -EAGAIN;
		if (nonblock)
			break;
		ret = -ERESTARTSYS;
		if (signal_ends_sleep(TASK_INTERRUPTIBLE))
			break;
		/* VTIME runs from the call when VMIN is 0, else anew from each byte. */
		if (rule.time && (rule.min == 0 ? deadline == 0 : rule.available > seen))
			deadline = ktime_ns() + rule.time;
		seen = rule.available;
		ret = 0;
		if (!deadline || !rule.time)
			schedule();
		else if (schedule_until(deadline))
			break;
	}
	finish_wait(&tty->readers, &entry);
	return ret;
}

static ssize_t tty_read(struct file *file, void *ubuf, size_t len, u64 *pos __maybe_unused)
{
	struct tty *tty = file->private_data;
	u8 chunk[CHUNK];
	size_t done = 0;
	bool end = false;

	if (len == 0)
		return 0;
	while (done < len && !end) {
		unsigned long flags;
		size_t n;
		int ret = tty_check_read(tty);

		if (!ret && done == 0)
			ret = wait_for_input(tty, len, file->f_flags & O_NONBLOCK);
		if (ret < 0)
			return done ? (ssize_t)done : ret;
		flags = spin_lock_irqsave(&tty->lock);
		n = ldisc_take(tty, chunk, min(len - done, sizeof(chunk)), &end);
		release_input(tty);
		spin_unlock_irqrestore(&tty->lock, flags);
		if (n && copy_to_user((u8 *)ubuf + done, chunk, n))
			return done ? (ssize_t)done : -EFAULT;
		done += n;
		/* Another reader was faster: wait again, unless the time for it is over. */
		if (n == 0 && (done || ret == 0))
			break;
		if (n == 0 && !ldisc_is_canonical(tty))
			end = false;
	}
	return done;
}

/* ---- write ---- */

static void output(struct tty *tty, const u8 *buf, size_t n)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);

	ldisc_output(tty, buf, n);
	spin_unlock_irqrestore(&tty->lock, flags);
}

static int check_write(struct tty *tty)
{
	return READ_ONCE(tty->termios.c_lflag) & TOSTOP ? tty_check_change(tty) : 0;
}

static ssize_t tty_write(struct file *file, const void *ubuf, size_t len, u64 *pos __maybe_unused)
{
	struct tty *tty = file->private_data;
	u8 chunk[CHUNK];
	size_t done = 0;
	int err = check_write(tty);

	while (!err && done < len) {
		size_t n = min(len - done, sizeof(chunk));

		n -= copy_from_user(chunk, (const u8 *)ubuf + done, n);
		output(tty, chunk, n);
		done += n;
		if (n == 0)
			err = -EFAULT;
		else if (signal_pending(current) && done < len)
			err = -ERESTARTSYS;
		cond_resched();
	}
	return done ? (ssize_t)done : err;
}

static ssize_t tty_write_kernel(struct file *file, const void *buf, size_t len,
				u64 *pos __maybe_unused)
{
	struct tty *tty = file->private_data;
	int err = check_write(tty);

	if (err)
		return err;
	for (size_t done = 0; done < len; done += CHUNK)
		output(tty, (const u8 *)buf + done, min(len - done, (size_t)CHUNK));
	return len;
}

/* ---- ioctl ---- */

static long get_termios(struct tty *tty, void *uarg)
{
	struct termios_abi termios;
	unsigned long flags = spin_lock_irqsave(&tty->lock);

	termios = tty->termios;
	spin_unlock_irqrestore(&tty->lock, flags);
	return copy_to_user(uarg, &termios, sizeof(termios)) ? -EFAULT : 0;
}

/* Output is never queued, so that TCSETSW has nothing to wait for. */
static long set_termios(struct tty *tty, const void *uarg, bool flush)
{
	struct termios_abi termios;
	unsigned long flags;
	int err = tty_check_change(tty);

	BUILD_BUG_ON(sizeof(struct termios_abi) != 36);
	if (err)
		return err;
	if (copy_from_user(&termios, uarg, sizeof(termios)))
		return -EFAULT;
	flags = spin_lock_irqsave(&tty->lock);
	if (flush)
		ldisc_flush_input(tty);
	ldisc_set_termios(tty, &termios);
	release_input(tty);
	spin_unlock_irqrestore(&tty->lock, flags);
	wake_up_all(&tty->readers);
	return 0;
}

static long get_winsize(struct tty *tty, void *uarg)
{
	struct winsize_abi winsize;
	unsigned long flags = spin_lock_irqsave(&tty->lock);

	winsize = tty->winsize;
	spin_unlock_irqrestore(&tty->lock, flags);
	return copy_to_user(uarg, &winsize, sizeof(winsize)) ? -EFAULT : 0;
}

static long set_winsize(struct tty *tty, const void *uarg)
{
	struct winsize_abi winsize;
	unsigned long flags;
	bool changed;
	pid_t pgrp;

	if (copy_from_user(&winsize, uarg, sizeof(winsize)))
		return -EFAULT;
	flags = spin_lock_irqsave(&tty->lock);
	changed = memcmp(&winsize, &tty->winsize, sizeof(winsize));
	tty->winsize = winsize;
	pgrp = tty->pgrp;
	spin_unlock_irqrestore(&tty->lock, flags);
	if (changed && pgrp)
		kill_pgrp(pgrp, SIGWINCH);
	return 0;
}

static long flush(struct tty *tty, unsigned long queue)
{
	unsigned long flags;
	int err = tty_check_change(tty);

	if (err)
		return err;
	if (queue > TCIOFLUSH)
		return -EINVAL;
	if (queue == TCOFLUSH)
		return 0;
	flags = spin_lock_irqsave(&tty->lock);
	ldisc_flush_input(tty);
	release_input(tty);
	spin_unlock_irqrestore(&tty->lock, flags);
	return 0;
}

static long count_input(struct tty *tty, int *uarg)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	int n = ldisc_count(tty);

	spin_unlock_irqrestore(&tty->lock, flags);
	return put_user(n, uarg);
}

static long tty_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
	struct tty *tty = file->private_data;

	switch (cmd) {
	case TCGETS:
		return get_termios(tty, (void *)arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(tty, (const void *)arg, cmd == TCSETSF);
	case TIOCGWINSZ:
		return get_winsize(tty, (void *)arg);
	case TIOCSWINSZ:
		return set_winsize(tty, (const void *)arg);
	case TCFLSH:
		return flush(tty, arg);
	case TCSBRK: /* drains, or sends a break, of which the console makes nothing */
	case TCSBRKP:
		return tty_check_change(tty);
	case FIONREAD:
		return count_input(tty, (int *)arg);
	case TIOCOUTQ: /* output is never queued */
		return put_user(0, (int *)arg);
	default:
		return tty_job_ioctl(tty, cmd, arg);
	}
}

/* ---- the files ---- */

static unsigned tty_poll(struct file *file, struct poll_table *pt)
{
	struct tty *tty = file->private_data;
	struct read_rule rule;

	poll_wait(file, &tty->readers, pt);
	rule = get_read_rule(tty, ULONG_MAX);
	if (rule.raw && rule.time)
		rule.min = 1;
	return POLLOUT | POLLWRNORM |
	       (rule.available && rule.available >= rule.min ? POLLIN | POLLRDNORM : 0);
}

static int console_open(struct inode *inode __maybe_unused, struct file *file)
{
	file->private_data = &console;
	file->f_mode |= FMODE_STREAM;
	return 0;
}

static int tty_open(struct inode *inode __maybe_unused, struct file *file)
{
	pid_t pgrp;

	if (!current->tty || !tty_is_controlling(current->tty, &pgrp))
		return -ENXIO;
	file->private_data = current->tty;
	file->f_mode |= FMODE_STREAM;
	return 0;
}

static const struct file_operations console_fops = {
	.open = console_open,
	.read = tty_read,
	.write = tty_write,
	.write_kernel = tty_write_kernel,
	.llseek = no_llseek,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
};

static const struct file_operations tty_fops = {
	.open = tty_open,
	.read = tty_read,
	.write = tty_write,
	.write_kernel = tty_write_kernel,
	.llseek = no_llseek,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
};

void tty_init(void)
{
	if (chrdev_register(TTY_MAJOR, 1, "console", &console_fops) ||
	    chrdev_register(TTY_MAJOR, 0, "tty", &tty_fops))
		panic("no memory for the terminal");
}
