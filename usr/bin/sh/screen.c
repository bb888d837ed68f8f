/*
 * screen.c - drawing the line; see screen.h.
 *
 * The escape sequences are the five that every terminal since the VT100 has: cursor up, down and
 * right, erase to the end of the row, erase to the end of the screen.
 *
 * Invariants: the terminal's cursor is never left beyond the last column, where terminals differ.
 * Locks: none.
 * Source: ECMA-48 for the sequences; Unicode's East Asian Width (UAX 11) for the wide ranges.
 */
#include "usr/bin/sh/screen.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "usr/lib/tool.h"

#define DEFAULT_COLUMNS 80
#define DEFAULT_ROWS	24
#define LEAST_COLUMNS	8 /* less is no terminal: take the default */
#define TAB_STOP	8

static char output[512];
static size_t nr_output;

/* A terminal that is gone is noticed by the next read. */
static void flush(void)
{
	write_all(STDERR_FILENO, output, nr_output);
	nr_output = 0;
}

static void put(const char *bytes, size_t length)
{
	if (nr_output + length > sizeof(output))
		flush();
	if (length > sizeof(output)) {
		write_all(STDERR_FILENO, bytes, length);
		return;
	}
	memcpy(output + nr_output, bytes, length);
	nr_output += length;
}

static void put_text(const char *text)
{
	put(text, strlen(text));
}

static void put_move(int count, char direction)
{
	char sequence[16];

	if (count > 0)
		put(sequence, snprintf(sequence, sizeof(sequence), "\033[%d%c", count, direction));
}

/* ---- layout ---- */

static int code_width(int32_t code)
{
	static const struct {
		int32_t first, last;
		int width;
	} ranges[] = {
		{ 0x0300, 0x036f, 0 },	 { 0x1100, 0x115f, 2 },	  { 0x200b, 0x200f, 0 },
		{ 0x20d0, 0x20ff, 0 },	 { 0x2e80, 0x303e, 2 },	  { 0x3041, 0xa4cf, 2 },
		{ 0xac00, 0xd7a3, 2 },	 { 0xf900, 0xfaff, 2 },	  { 0xfe00, 0xfe0f, 0 },
		{ 0xfe30, 0xfe6f, 2 },	 { 0xff00, 0xff60, 2 },	  { 0xffe0, 0xffe6, 2 },
		{ 0x1f300, 0x1f64f, 2 }, { 0x1f680, 0x1f6ff, 2 }, { 0x1f900, 0x1f9ff, 2 },
		{ 0x20000, 0x3fffd, 2 },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return ranges[i].width;
	return 1;
}

/*
 * How the character at @text looks at @column: its picture (room for TAB_STOP + 1 bytes) and its
 * width. Returns its bytes in @text.
 */
static size_t picture_of(const char *text, size_t length, int column, char *picture, int *width)
{
	int32_t code;
	size_t bytes = utf8_decode(text, length, &code);

	*width = 1;
	if (code == '\t') {
		*width = TAB_STOP - column % TAB_STOP;
		sprintf(picture, "%*s", *width, "");
	} else if (code >= 0 && (code < ' ' || code == 0x7f)) {
		*width = 2;
		sprintf(picture, "^%c", (char)(code ^ 0x40));
	} else if (code < 0 || (code >= 0x80 && code < 0xa0)) {
		strcpy(picture, "?"); /* as it is it could do anything to the terminal */
	} else {
		*width = code_width(code);
		sprintf(picture, "%.*s", (int)bytes, text);
	}
	return bytes;
}

int screen_width(const char *text)
{
	size_t length = strlen(text);
	char picture[TAB_STOP + 1];
	int sum = 0;
	int width;

	for (size_t i = 0; i < length; sum += width)
		i += picture_of(text + i, length - i, sum, picture, &width);
	return sum;
}

static bool is_seen(const struct screen *screen, int row)
{
	return row >= screen->top && row < screen->top + screen->rows;
}

/* The end of @place's row was reached; on the terminal too when @draw. */
static void next_row(struct screen *screen, struct place *place, bool draw)
{
	bool full = place->column >= screen->columns;

	place->row++;
	place->column = 0;
	if (!draw || !is_seen(screen, place->row - 1))
		return;
	if (is_seen(screen, place->row)) {
		/* In a full row the terminal's cursor is still on the last character. */
		put_text(full ? "\r\n" : "\033[K\r\n");
		screen->at = *place;
	} else {
		put_text("\r");
		screen->at.column = 0;
	}
}

/* Go on from @place over @length bytes of @text, drawing them where they are seen when @draw. */
static void lay_out(struct screen *screen, struct place *place, const char *text, size_t length,
		    bool draw)
{
	char picture[TAB_STOP + 1];
	int width;

	for (size_t i = 0; i < length;) {
		i += picture_of(text + i, length - i, place->column, picture, &width);
		if (place->column + width > screen->columns)
			next_row(screen, place, draw);
		place->column += width;
		if (draw && is_seen(screen, place->row)) {
			put_text(picture);
			screen->at = *place;
		}
		if (place->column >= screen->columns)
			next_row(screen, place, draw);
	}
}

/* ---- drawing ---- */

/*
 * Inside a row the cursor moves relatively: when the prompt stands behind the end of some output,
 * column 0 is not where it began.
 */
static void go_to(struct screen *screen, struct place place)
{
	put_move(screen->at.row - place.row, 'A');
	put_move(place.row - screen->at.row, 'B');
	if (screen->at.row != place.row) {
		put_text("\r");
		screen->at.column = 0;
	}
	put_move(place.column - screen->at.column, 'C');
	put_move(screen->at.column - place.column, 'D');
	screen->at = place;
}

/* Draw the prompt at `at`, column 0 of its row. A sequence ESC [ ... letter takes no room. */
static void draw_prompt(struct screen *screen)
{
	struct place place = { 0, 0 };

	for (const char *p = screen->prompt; *p;) {
		size_t length;

		if (p[0] == '\033' && p[1] == '[') {
			length = 2 + strspn(p + 2, "0123456789;?");
			length += p[length] != '\0';
			put(p, length);
		} else {
			int32_t code;

			length = utf8_decode(p, strlen(p), &code);
			lay_out(screen, &place, p, length, true);
		}
		p += length;
	}
	screen->text_start = place;
	line_set(&screen->drawn, "");
}

static void start(struct screen *screen)
{
	struct winsize size;

	screen->columns = DEFAULT_COLUMNS;
	screen->rows = DEFAULT_ROWS;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0) {
		if (size.ws_col >= LEAST_COLUMNS)
			screen->columns = size.ws_col;
		if (size.ws_row)
			screen->rows = size.ws_row;
	}
	screen->top = 0;
	screen->at = (struct place){ 0, 0 };
	draw_prompt(screen);
}

void screen_begin(struct screen *screen, const char *prompt)
{
	screen->prompt = prompt;
	start(screen);
	flush();
}

/* Move the window to @cursor. Returns true when everything has to be drawn again. */
static bool move_window(struct screen *screen, struct place cursor)
{
	int top = screen->top;

	if (cursor.row < top)
		top = cursor.row;
	else if (cursor.row >= top + screen->rows)
		top = cursor.row - screen->rows + 1;
	if (top == screen->top)
		return false;
	go_to(screen, (struct place){ screen->top, 0 });
	put_text("\r\033[J");
	screen->top = top;
	screen->at = (struct place){ top, 0 };
	return true;
}

/* How many bytes, whole characters, the line that is drawn and @line have in common. */
static size_t common_bytes(const struct screen *screen, const struct line *line)
{
	const struct line *drawn = &screen->drawn;
	size_t offset = 0;
	size_t end = line_after(line, 0);

	while (end > offset && line_after(drawn, offset) == end &&
	       memcmp(line->text + offset, drawn->text + offset, end - offset) == 0) {
		offset = end;
		end = line_after(line, offset);
	}
	return offset;
}

void screen_draw(struct screen *screen, const struct line *line)
{
	struct place cursor = screen->text_start;
	struct place place;
	size_t same;

	lay_out(screen, &cursor, line->text, line->cursor, false);
	if (move_window(screen, cursor))
		draw_prompt(screen);
	same = common_bytes(screen, line);
	place = screen->text_start;
	lay_out(screen, &place, line->text, same, false);
	if (same < line->length || same < screen->drawn.length) {
		if (is_seen(screen, place.row))
			go_to(screen, place);
		lay_out(screen, &place, line->text + same, line->length - same, true);
		if (same < screen->drawn.length && is_seen(screen, place.row))
			put_text("\033[J");
		line_set(&screen->drawn, line->text);
	}
	go_to(screen, cursor);
	flush();
}

void screen_change_prompt(struct screen *screen, const char *prompt)
{
	go_to(screen, (struct place){ screen->top, 0 });
	put_text("\r\033[J");
	screen->prompt = prompt;
	start(screen);
	flush();
}

void screen_leave(struct screen *screen)
{
	struct place end = screen->text_start;

	lay_out(screen, &end, screen->drawn.text, screen->drawn.length, false);
	if (end.row >= screen->top + screen->rows)
		end.row = screen->top + screen->rows - 1;
	go_to(screen, end);
	put_text(end.column || end.row == 0 ? "\033[K\r\n" : "\033[K");
	flush();
}

void screen_clear(struct screen *screen)
{
	put_text("\033[H\033[J");
	start(screen);
	flush();
}

void screen_print(const char *text, int width, bool last)
{
	char picture[TAB_STOP + 1];
	size_t length = strlen(text);
	int column = 0;
	int taken;

	for (size_t i = 0; i < length; column += taken) {
		i += picture_of(text + i, length - i, column, picture, &taken);
		put_text(picture);
	}
	for (; !last && column < width; column++)
		put_text(" ");
	if (last)
		put_text("\r\n");
	flush();
}

void screen_bell(void)
{
	put_text("\a");
	flush();
}
