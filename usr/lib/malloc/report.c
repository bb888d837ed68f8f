/*
 * report.c - what the debugging modes say, on standard error.
 *
 * A call site is the address behind the call: `addr2line -fie build/usr/bin/NAME ADDRESS` names the
 * line. Nothing here allocates.  Locks: that of umalloc.c, or none in the handler of fence.c.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/malloc/debug.h"

#define MAX_SITES 64 /* that are told apart in a leak report */
#define SHOWN	  10

void um_say(const char *format, ...)
{
	char line[256];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	if (write(STDERR_FILENO, line, length) < 0)
		return; /* nobody listens */
}

void um_say_place(const struct record *record, const void *address)
{
	const char *at = address, *end = record->payload + record->size;

	if (at >= end)
		um_say("  0x%lx is %td bytes behind the end of the block 0x%lx of %zu bytes\n",
		       (unsigned long)at, at - end, (unsigned long)record->payload, record->size);
	else if (at < record->payload)
		um_say("  0x%lx is %td bytes before the block 0x%lx of %zu bytes\n",
		       (unsigned long)at, record->payload - at, (unsigned long)record->payload,
		       record->size);
	else
		um_say("  0x%lx is byte %td of the block 0x%lx of %zu bytes\n", (unsigned long)at,
		       at - record->payload, (unsigned long)record->payload, record->size);
}

void um_say_sites(const struct record *record)
{
	um_say("  allocated at 0x%lx\n", (unsigned long)record->allocated);
	if (record->freed)
		um_say("  freed at 0x%lx\n", (unsigned long)record->freed);
}

/* ---- leaks ---- */

struct site {
	const void *address;
	size_t blocks, bytes;
};

struct leaks {
	struct site all, sites[MAX_SITES];
	size_t nr;
};

static void add(struct site *site, const struct record *record)
{
	site->blocks++;
	site->bytes += record->size;
}

static bool count(struct record *record, void *arg)
{
	struct leaks *leaks = arg;
	size_t i = 0;

	if (record->freed)
		return false;
	add(&leaks->all, record);
	while (i < leaks->nr && leaks->sites[i].address != record->allocated)
		i++;
	if (i == MAX_SITES)
		return false; /* only one of all */
	if (i == leaks->nr)
		leaks->sites[leaks->nr++].address = record->allocated;
	add(&leaks->sites[i], record);
	return false;
}

/* The site with the most bytes that was not told yet. */
static struct site *largest(struct leaks *leaks)
{
	struct site *best = NULL;

	for (size_t i = 0; i < leaks->nr; i++)
		if (leaks->sites[i].blocks && (!best || leaks->sites[i].bytes > best->bytes))
			best = &leaks->sites[i];
	return best;
}

void um_report_leaks(void)
{
	struct leaks leaks = { .nr = 0 };
	struct site *site;

	um_record_each(count, &leaks);
	um_say("umalloc: %zu bytes in %zu blocks are still in use\n", leaks.all.bytes,
	       leaks.all.blocks);
	for (int i = 0; i < SHOWN && (site = largest(&leaks)); i++) {
		um_say("  %zu bytes in %zu blocks allocated at 0x%lx\n", site->bytes, site->blocks,
		       (unsigned long)site->address);
		leaks.all.bytes -= site->bytes;
		leaks.all.blocks -= site->blocks;
		site->blocks = 0;
	}
	if (leaks.all.blocks)
		um_say("  %zu bytes in %zu blocks allocated elsewhere\n", leaks.all.bytes,
		       leaks.all.blocks);
}
