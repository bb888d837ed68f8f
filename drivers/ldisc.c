/*
 * ldisc.c - the line discipline of a terminal: editing, echo, signals, lines.
 *
 *	key --> ldisc_receive() --> buf   | finished lines    | line being typed |
 *	              |                   tail            canon               head
 *	              v echo                 --> ldisc_take() --> read(2)
 *	          ldisc_output() --> UART
 *
 * Raw mode (no ICANON): everything between tail and head may be read, and canon is not used.
 *
 * Invariants: tail <= canon <= head <= tail + TTY_BUF_SIZE (free-running, so by subtraction); the
 * last place of the buffer is kept for the end of a line, so that one that is too long can end.
 * Locks: tty->lock, interrupts off, held by every caller; the UART's lock is inside it.
 * Source: termios(3); POSIX.1-2017, chapter 11 "General Terminal Interface".
 */
#include "drivers/ldisc.h"

#include "drivers/uart.h"
#include "kernel/signal.h"
#include "lib/bitmap.h"
#include "lib/string.h"

#define IFLAG_SUPPORTED (IGNBRK | BRKINT | IGNPAR | INPCK | ISTRIP | INLCR | IGNCR | ICRNL | IUTF8)
#define OFLAG_SUPPORTED (OPOST | ONLCR)
#define LFLAG_SUPPORTED                                                                            \
	(ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHONL | NOFLSH | TOSTOP | ECHOCTL | ECHOKE |      \
	 IEXTEN)

#define TAB_WIDTH 8
#define DEL	  0x7f

static bool has_lflag(const struct tty *tty, u32 flag)
{
	return tty->termios.c_lflag & flag;
}

/* True when @c is control character @which; '\0' there means that the key is not in use. */
static bool is_cc(const struct tty *tty, u8 c, unsigned which)
{
	return c && tty->termios.c_cc[which] == c;
}

static bool is_control(u8 c)
{
	return c < ' ' || c == DEL;
}

static bool is_utf8_continuation(const struct tty *tty, u8 c)
{
	return (tty->termios.c_iflag & IUTF8) && (c & 0xc0) == 0x80;
}

static u8 *slot(struct tty *tty, unsigned position)
{
	return &tty->buf[position % TTY_BUF_SIZE];
}

/* ---- output ---- */

/* Writes @c to @out (room for two) as it goes to the screen; returns how many bytes. */
static unsigned process_output(struct tty *tty, u8 c, char *out)
{
	u32 oflag = tty->termios.c_oflag;

	switch (c) {
	case '\n':
		if ((oflag & OPOST) && (oflag & ONLCR)) {
			tty->column = 0;
			out[0] = '\r';
			out[1] = '\n';
			return 2;
		}
		break;
	case '\r':
		tty->column = 0;
		break;
	case '\t':
		tty->column = (tty->column / TAB_WIDTH + 1) * TAB_WIDTH;
		break;
	case '\b':
		if (tty->column)
			tty->column--;
		break;
	default:
		if (!is_control(c) && !is_utf8_continuation(tty, c))
			tty->column++;
	}
	out[0] = (char)c;
	return 1;
}

void ldisc_output(struct tty *tty, const u8 *buf, size_t n)
{
	char out[128];
	unsigned len = 0;

	for (size_t i = 0; i < n; i++) {
		len += process_output(tty, buf[i], out + len);
		if (len > sizeof(out) - 2) {
			uart_write(out, len);
			len = 0;
		}
	}
	if (len)
		uart_write(out, len);
}

/* ---- echo ---- */

static void echo_raw(struct tty *tty, u8 c)
{
	ldisc_output(tty, &c, 1);
}

/* Shows @c, control characters as ^X if so wanted. */
static void echo(struct tty *tty, u8 c)
{
	if (!has_lflag(tty, ECHO)) {
		if (c == '\n' && has_lflag(tty, ECHONL))
			echo_raw(tty, c);
		return;
	}
	if (is_control(c) && c != '\n' && c != '\t' && has_lflag(tty, ECHOCTL)) {
		echo_raw(tty, '^');
		echo_raw(tty, c ^ 0x40);
	} else {
		echo_raw(tty, c);
	}
}

/* The column after @c was echoed at column @column. */
static unsigned column_after(const struct tty *tty, unsigned column, u8 c)
{
	if (c == '\t')
		return (column / TAB_WIDTH + 1) * TAB_WIDTH;
	if (is_control(c))
		return column + (has_lflag(tty, ECHOCTL) ? 2 : 0);
	return column + !is_utf8_continuation(tty, c);
}

/* Columns that the character at @position of the line being typed takes. */
static unsigned echo_width(struct tty *tty, unsigned position)
{
	unsigned column = tty->line_column;

	for (unsigned i = tty->canon; i != position; i++)
		column = column_after(tty, column, *slot(tty, i));
	return column_after(tty, column, *slot(tty, position)) - column;
}

/* ---- editing the line being typed ---- */

static void erase_char(struct tty *tty)
{
	unsigned width;

	if (tty->head == tty->canon)
		return;
	do
		tty->head--;
	while (tty->head != tty->canon && is_utf8_continuation(tty, *slot(tty, tty->head)));
	if (!has_lflag(tty, ECHO))
		return;
	if (!has_lflag(tty, ECHOE)) {
		echo(tty, tty->termios.c_cc[VERASE]);
		return;
	}
	for (width = echo_width(tty, tty->head); width; width--)
		ldisc_output(tty, (const u8 *)"\b \b", 3);
}

static bool last_is_space(struct tty *tty)
{
	u8 c = *slot(tty, tty->head - 1);

	return c == ' ' || c == '\t';
}

static void erase_word(struct tty *tty)
{
	while (tty->head != tty->canon && last_is_space(tty))
		erase_char(tty);
	while (tty->head != tty->canon && !last_is_space(tty))
		erase_char(tty);
}

static void erase_line(struct tty *tty)
{
	if (has_lflag(tty, ECHOKE) && has_lflag(tty, ECHOE)) {
		while (tty->head != tty->canon)
			erase_char(tty);
		return;
	}
	tty->head = tty->canon;
	echo(tty, tty->termios.c_cc[VKILL]);
	if (has_lflag(tty, ECHOK))
		echo(tty, '\n');
}

/* The erase key: as set, and when it is one of BS and DEL also the other, for all keyboards. */
static bool is_erase(const struct tty *tty, u8 c)
{
	u8 erase = tty->termios.c_cc[VERASE];

	if (is_cc(tty, c, VERASE))
		return true;
	return (c == '\b' && erase == DEL) || (c == DEL && erase == '\b');
}

/* True when @c was a key that edits the line. */
static bool edit_line(struct tty *tty, u8 c)
{
	if (is_erase(tty, c))
		erase_char(tty);
	else if (is_cc(tty, c, VKILL))
		erase_line(tty);
	else if (is_cc(tty, c, VWERASE) && has_lflag(tty, IEXTEN))
		erase_word(tty);
	else
		return false;
	return true;
}

/* ---- input ---- */

static void put_byte(struct tty *tty, u8 c, bool ends_line)
{
	unsigned place = tty->head % TTY_BUF_SIZE;

	tty->buf[place] = c;
	if (ends_line)
		set_bit(place, tty->line_end);
	else
		clear_bit(place, tty->line_end);
	tty->head++;
}

static int signal_of(const struct tty *tty, u8 c)
{
	if (!has_lflag(tty, ISIG))
		return 0;
	if (is_cc(tty, c, VINTR))
		return SIGINT;
	if (is_cc(tty, c, VQUIT))
		return SIGQUIT;
	return is_cc(tty, c, VSUSP) ? SIGTSTP : 0;
}

/* Input mapping; false: the byte vanishes. */
static bool map_input(const struct tty *tty, u8 *c)
{
	u32 iflag = tty->termios.c_iflag;

	if (iflag & ISTRIP)
		*c &= 0x7f;
	if (*c == '\r') {
		if (iflag & IGNCR)
			return false;
		if (iflag & ICRNL)
			*c = '\n';
	} else if (*c == '\n' && (iflag & INLCR)) {
		*c = '\r';
	}
	return true;
}

static void receive_canonical(struct tty *tty, u8 c, struct ldisc_event *event)
{
	unsigned used = tty->head - tty->tail;
	bool eof = is_cc(tty, c, VEOF);
	bool ends = eof || c == '\n' || is_cc(tty, c, VEOL) || is_cc(tty, c, VEOL2);

	if (edit_line(tty, c) || used == TTY_BUF_SIZE || (used == TTY_BUF_SIZE - 1 && !ends))
		return;
	if (tty->head == tty->canon)
		tty->line_column = tty->column;
	put_byte(tty, eof ? '\0' : c, ends);
	if (!eof)
		echo(tty, c);
	if (ends) {
		tty->canon = tty->head;
		event->wake = true;
	}
}

void ldisc_receive(struct tty *tty, u8 c, struct ldisc_event *event)
{
	event->signal = 0;
	event->wake = false;
	if (!map_input(tty, &c))
		return;
	event->signal = signal_of(tty, c);
	if (event->signal) {
		if (!has_lflag(tty, NOFLSH))
			ldisc_flush_input(tty);
		echo(tty, c);
	} else if (ldisc_is_canonical(tty)) {
		receive_canonical(tty, c, event);
	} else if (tty->head - tty->tail < TTY_BUF_SIZE) {
		put_byte(tty, c, false);
		echo(tty, c);
		event->wake = true;
	}
}

bool ldisc_has_room(const struct tty *tty)
{
	return tty->head - tty->tail < TTY_BUF_SIZE - 1 || ldisc_available(tty) == 0;
}

/* ---- reading ---- */

/* True when the byte at @position is the mark that VEOF left. */
static bool is_eof_mark(const struct tty *tty, unsigned position)
{
	unsigned place = position % TTY_BUF_SIZE;

	return tty->buf[place] == '\0' && test_bit(place, tty->line_end);
}

static size_t take_line(struct tty *tty, u8 *buf, size_t size, bool *end)
{
	size_t n = 0;

	*end = false;
	while (n < size && tty->tail != tty->canon && !is_eof_mark(tty, tty->tail)) {
		*end = test_bit(tty->tail % TTY_BUF_SIZE, tty->line_end);
		buf[n++] = *slot(tty, tty->tail++);
		if (*end)
			return n;
	}
	/* The mark goes with the bytes before it: alone it would be an end of file. */
	if (tty->tail != tty->canon && is_eof_mark(tty, tty->tail)) {
		tty->tail++;
		*end = true;
	}
	return n;
}

size_t ldisc_take(struct tty *tty, u8 *buf, size_t size, bool *end)
{
	size_t n = 0;

	if (ldisc_is_canonical(tty))
		return take_line(tty, buf, size, end);
	while (n < size && tty->tail != tty->head)
		buf[n++] = *slot(tty, tty->tail++);
	*end = tty->tail == tty->head;
	return n;
}

unsigned ldisc_available(const struct tty *tty)
{
	return (ldisc_is_canonical(tty) ? tty->canon : tty->head) - tty->tail;
}

unsigned ldisc_count(const struct tty *tty)
{
	unsigned n = ldisc_available(tty);

	if (!ldisc_is_canonical(tty))
		return n;
	for (unsigned i = tty->tail; i != tty->canon; i++)
		n -= is_eof_mark(tty, i);
	return n;
}

void ldisc_flush_input(struct tty *tty)
{
	tty->tail = tty->head;
	tty->canon = tty->head;
}

void ldisc_set_termios(struct tty *tty, const struct termios_abi *termios)
{
	bool was_canonical = ldisc_is_canonical(tty);

	tty->termios = *termios;
	tty->termios.c_iflag &= IFLAG_SUPPORTED;
	tty->termios.c_oflag &= OFLAG_SUPPORTED;
	tty->termios.c_lflag &= LFLAG_SUPPORTED;
	tty->termios.c_cflag = (termios->c_cflag & (HUPCL | CLOCAL)) | CS8 | CREAD | B115200;
	tty->termios.c_line = 0;
	if (was_canonical || !ldisc_is_canonical(tty))
		return;
	/* What was typed in raw mode may be read as it is: it becomes a line that has ended. */
	tty->canon = tty->head;
	if (tty->head != tty->tail)
		set_bit((tty->head - 1) % TTY_BUF_SIZE, tty->line_end);
}
