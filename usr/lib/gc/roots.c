/*
 * roots.c - where pointers into the heap may stand outside of it.
 *
 *	/proc/self/maps
 *	  00010000-00073000 r-xp ... /bin/prog
 *	  00077000-0007a000 rw-p ... /bin/prog       what of it is in a writable segment of the
 *	  0007a000-0008f000 rw-p                     program or a library: data and bss
 *	  0008f000-000b1000 rw-p     [heap]          malloc's: no root
 *	  3fb0000000-3fb0400000 rw-p                 mmap's, of files or not: no root
 *	  3fffffa000-3ffffff000 rw-p [stack]         from the frame of the collector up
 *
 *	segments, thread-local	from the program headers (PT_LOAD, PT_TLS): libc keeps the latter in
 *	variables		one of the areas that are no roots
 *
 * The maps say what may be read at this moment, the headers what belongs to a variable: a file that
 * the program maps for itself may be shorter than its area, and a load behind its end is SIGBUS.
 *
 * The stack that runs is the area that holds the collector's frame, and those that touch it above;
 * if that is not [stack] (a coroutine, sigaltstack), [stack] is a root too, all of it.
 *
 * The kernel joins anonymous areas that touch, so the collector's own mapping is cut out of
 * whatever was found: its mark stack and its garbage must not count.
 *
 * Nothing here allocates: a collection runs when there is no memory.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/gc/internal.h"

/* Returns 0, or -1 with ENOMEM: there are too many. */
static int add_range(uintptr_t start, uintptr_t end, enum gc_root_kind kind)
{
	if (start >= end)
		return 0;
	if (gc->nr_roots == GC_MAX_ROOTS) {
		errno = ENOMEM;
		return -1;
	}
	gc->roots[gc->nr_roots++] = (struct gc_range){ start, end, kind };
	return 0;
}

/* The same, without the collector's mapping. */
static int add_root(uintptr_t start, uintptr_t end, enum gc_root_kind kind)
{
	uintptr_t own = (uintptr_t)gc;

	if (end <= own || start >= gc->end)
		return add_range(start, end, kind);
	if (add_range(start, own, kind))
		return -1;
	return add_range(start > gc->end ? start : gc->end, end, kind);
}

/* ---- /proc/self/maps ---- */

struct area {
	uintptr_t start, end;
	bool writable; /* and private */
	bool stack;    /* [stack] */
	bool nameless; /* so may be a part of a stack */
};

/* Take "start-end access offset device inode   name" apart. Returns false: it is no such line. */
static bool parse_line(const char *line, struct area *area)
{
	char *at;

	area->start = strtoul(line, &at, 16);
	if (*at != '-')
		return false;
	area->end = strtoul(at + 1, &at, 16);
	if (*at != ' ')
		return false;
	at++;
	area->writable = memcmp(at, "rw", 2) == 0 && at[3] == 'p';
	for (int column = 0; column < 4; column++) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	area->stack = strcmp(at, "[stack]") == 0;
	area->nameless = *at == '\0';
	return true;
}

struct search {
	uintptr_t frame;
	bool stack_found;
	struct area area; /* the last ones that touch, as one; at first none, of no bytes */
};

/* What of an area lies in the writable segments of an object: its data and bss. */
static int add_data(struct dl_phdr_info *object, size_t size, void *arg)
{
	const struct area *area = arg;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + segment->p_vaddr;
		uintptr_t end = start + segment->p_memsz;

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W))
			continue;
		start = start > area->start ? start : area->start;
		end = end < area->end ? end : area->end;
		if (start < end && add_root(start, end, GC_DATA))
			return -1;
	}
	return 0;
}

/* The stack may lie among the variables: who puts one into an array has an area that is both. */
static int add_area(struct search *search)
{
	struct area *area = &search->area;
	bool runs = search->frame >= area->start && search->frame < area->end;

	if (!area->writable)
		return 0;
	search->stack_found |= runs;
	if ((runs || area->stack) &&
	    add_root(runs ? search->frame : area->start, area->end, GC_STACK))
		return -1;
	return dl_iterate_phdr(add_data, area);
}

/*
 * Wait with an area for what follows: a stack of which mlock() or madvise() was told a part is in
 * several areas, and only the highest says [stack].
 */
static int consider(struct search *search, const struct area *next)
{
	struct area *area = &search->area;

	if (area->end == next->start && area->writable && next->writable && area->nameless &&
	    (next->nameless || next->stack)) {
		area->end = next->end;
		area->nameless = next->nameless;
		area->stack = next->stack;
		return 0;
	}
	if (add_area(search))
		return -1;
	*area = *next;
	return 0;
}

/* Consider each whole line of the @have bytes of gc->maps. Returns the bytes used up, or -1. */
static ssize_t consider_lines(struct search *search, size_t have)
{
	char *line = gc->maps, *end;
	struct area area;

	while ((end = memchr(line, '\n', have - (line - gc->maps)))) {
		*end = '\0';
		if (!parse_line(line, &area)) {
			errno = EIO;
			return -1;
		}
		if (consider(search, &area))
			return -1;
		line = end + 1;
	}
	return line - gc->maps;
}

static int read_areas(int fd, struct search *search)
{
	size_t have = 0;
	ssize_t n, used;

	while ((n = read(fd, gc->maps + have, sizeof(gc->maps) - have)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		have += n;
		used = consider_lines(search, have);
		if (used < 0)
			return -1;
		if (used == 0 && have == sizeof(gc->maps)) {
			errno = EIO; /* a line of 8 KiB: no path is so long */
			return -1;
		}
		have -= used;
		memmove(gc->maps, gc->maps + used, have);
	}
	return 0;
}

static int add_areas(uintptr_t frame)
{
	struct search search = { .frame = frame };
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), status, saved;

	if (fd < 0)
		return -1;
	status = read_areas(fd, &search);
	if (status == 0)
		status = add_area(&search);
	saved = errno;
	close(fd);
	errno = saved;
	if (status == 0 && !search.stack_found) {
		errno = EFAULT;
		status = -1;
	}
	return status;
}

/* ---- thread-local variables ---- */

static int add_tls(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t start = (uintptr_t)info->dlpi_tls_data;

	(void)size;
	(void)arg;
	for (int i = 0; start && i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS &&
		    add_root(start, start + info->dlpi_phdr[i].p_memsz, GC_TLS))
			return -1;
	return 0;
}

int gc_find_roots(uintptr_t frame)
{
	gc->nr_roots = 0;
	if (add_areas(frame))
		return -1;
	if (dl_iterate_phdr(add_tls, NULL))
		return -1;
	for (size_t i = 0; i < gc->nr_added; i++)
		if (add_range(gc->added[i].start, gc->added[i].end, GC_ADDED))
			return -1;
	return 0;
}

/* ---- what the program adds ---- */

int gc_add_roots(const void *start, const void *end)
{
	if (!gc && gc_init(GC_DEFAULT_LIMIT))
		return -1;
	if (gc->nr_added == GC_MAX_ADDED) {
		errno = ENOMEM;
		return -1;
	}
	gc->added[gc->nr_added++] = (struct gc_range){ (uintptr_t)start, (uintptr_t)end, GC_ADDED };
	return 0;
}

int gc_remove_roots(const void *start)
{
	for (size_t i = 0; gc && i < gc->nr_added; i++)
		if (gc->added[i].start == (uintptr_t)start) {
			gc->added[i] = gc->added[--gc->nr_added];
			return 0;
		}
	errno = ENOENT;
	return -1;
}
