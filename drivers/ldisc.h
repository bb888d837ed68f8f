/*
 * ldisc.h - a terminal and its line discipline: what happens between a key and read(2).
 * drivers/ldisc.c has the drawing.
 *
 * Every function here wants tty->lock held, interrupts off, unless it says otherwise.
 */
#ifndef RAVEL_DRIVERS_LDISC_H
#define RAVEL_DRIVERS_LDISC_H

#include "kernel/lock.h"
#include "kernel/wait.h"
#include "lib/types.h"

/* termios(3), with the asm-generic values of riscv64 Linux. */
#define NCCS	19
#define VINTR	0
#define VQUIT	1
#define VERASE	2
#define VKILL	3
#define VEOF	4
#define VTIME	5
#define VMIN	6
#define VSUSP	10
#define VEOL	11
#define VWERASE 14
#define VEOL2	16

#define IGNBRK 0000001
#define BRKINT 0000002
#define IGNPAR 0000004
#define INPCK  0000020
#define ISTRIP 0000040
#define INLCR  0000100
#define IGNCR  0000200
#define ICRNL  0000400
#define IUTF8  0040000

#define OPOST 0000001
#define ONLCR 0000004

#define CS8	0000060
#define CREAD	0000200
#define HUPCL	0002000
#define CLOCAL	0004000
#define CBAUD	0010017
#define B115200 0010002

#define ISIG	0000001
#define ICANON	0000002
#define ECHO	0000010
#define ECHOE	0000020
#define ECHOK	0000040
#define ECHONL	0000100
#define NOFLSH	0000200
#define TOSTOP	0000400
#define ECHOCTL 0001000
#define ECHOKE	0004000
#define IEXTEN	0100000

struct termios_abi {
	u32 c_iflag, c_oflag, c_cflag, c_lflag;
	u8 c_line;
	u8 c_cc[NCCS];
};

struct winsize_abi {
	u16 ws_row, ws_col, ws_xpixel, ws_ypixel;
};

#define TTY_BUF_SIZE 4096 /* a power of two; the longest line */

struct tty {
	struct spinlock lock; /* guards all of this but readers, which has its own */
	struct termios_abi termios;
	struct winsize_abi winsize;
	pid_t session, pgrp; /* whose terminal; who may read. 0: nobody */

	/* Free-running positions: tail <= canon <= head <= tail + TTY_BUF_SIZE. */
	unsigned tail, canon, head;
	u8 buf[TTY_BUF_SIZE];
	unsigned long line_end[TTY_BUF_SIZE / 64]; /* bit: the byte ends a line; '\0': by VEOF */

	bool held; /* the UART keeps its input, for there is no room */

	unsigned column;      /* of the cursor, as far as we know */
	unsigned line_column; /* where the echo of the line being typed began */
	struct wait_queue readers;
};

struct ldisc_event {
	int signal; /* for the foreground group; 0: none */
	bool wake;  /* readers have something to look at */
};

/* Byte @c came in: edits the line, echoes. The caller sends and wakes, without the lock. */
void ldisc_receive(struct tty *tty, u8 c, struct ldisc_event *event);
/*
 * Is there room for a byte? Always while nothing can be read, since then nothing would ever make
 * room: a line that is too long loses its end instead. (As n_tty does on Linux.)
 */
bool ldisc_has_room(const struct tty *tty);
/*
 * Moves up to @size bytes that may be read into @buf; *end is set when the read(2) is complete
 * whatever its size: a line ended, or nothing is left. Returns the bytes.
 */
size_t ldisc_take(struct tty *tty, u8 *buf, size_t size, bool *end);
/* Bytes, or for a lone end-of-file 1, that a read could take now. */
unsigned ldisc_available(const struct tty *tty);
/* FIONREAD: bytes that could be read. */
unsigned ldisc_count(const struct tty *tty);
void ldisc_flush_input(struct tty *tty);
/* New settings; those flags that this terminal does not have are dropped, as termios(3) allows. */
void ldisc_set_termios(struct tty *tty, const struct termios_abi *termios);
/* Writes @n bytes of a program to the screen, with output processing. */
void ldisc_output(struct tty *tty, const u8 *buf, size_t n);

static inline bool ldisc_is_canonical(const struct tty *tty)
{
	return tty->termios.c_lflag & ICANON;
}

#endif
