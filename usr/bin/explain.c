/*
 * explain.c - what is at an address, and what an access to it would do now, and why.
 *
 *   /proc/<pid>/explain  -->  area, page table, frame, who else maps it, load / store / fetch
 *
 * The kernel decides with the functions of its own fault handler (mm/decide.h) and changes nothing;
 * here are only the sentences.
 *
 * Invariants: a row of the fault table that has no sentence here is printed by its name.
 * Locks: none.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/explanation.h"
#include "usr/lib/tool.h"

static struct answer answer;
static char value[ANSWER_SIZE];

/* The value of a line, or "" when there is none; valid till the next call. */
static const char *get(const char *key)
{
	if (!answer_value(&answer, key, value, sizeof(value)))
		value[0] = '\0';
	return value;
}

static unsigned long number(const char *key)
{
	unsigned long n = 0;

	answer_number(&answer, key, &n);
	return n;
}

/* ---- the area ---- */

static void print_line(const char *before, const char *key)
{
	if (*get(key))
		printf("  %s%s\n", before, value);
}

#define USER_END (1UL << 38) /* of the lower half of Sv39 */

/* The nearest areas, and what lies free between them. */
static void print_gap(void)
{
	unsigned long from = 0, to = USER_END;

	puts("  no area holds it");
	print_line("below: ", "below");
	sscanf(get("below"), "%*x-%lx", &from);
	print_line("above: ", "above");
	sscanf(get("above"), "%lx-", &to);
	if (strcmp(get("half"), "user") == 0)
		printf("  the gap: 0x%lx to 0x%lx, %lu pages\n", from, to, (to - from) / 4096);
}

static void print_area(void)
{
	char flags[128];

	puts("\nArea");
	if (!*get("area")) {
		print_gap();
		return;
	}
	print_line("", "area");
	snprintf(flags, sizeof(flags), "%s", get("vm_flags"));
	if (*get("file_page"))
		printf("  flags %s; page %s of the file\n", flags, value);
	else
		printf("  flags %s; page %s of the linear space\n", flags, get("linear_page"));
}

/* ---- the page table ---- */

static const char *meaning(int level, unsigned long entry)
{
	if ((entry & PTE_V) && !(entry & (PTE_R | PTE_W | PTE_X)))
		return "the next table";
	if ((entry & PTE_V) && level > 0)
		return "a leaf, of many pages";
	if (entry & PTE_V)
		return entry & PTE_SPECIAL ? "a leaf, not counted" : "a leaf";
	return entry ? "a frame hidden by PROT_NONE" : "empty";
}

static void print_tables(void)
{
	struct answer_entry entry;

	puts("\nPage table");
	if (!*get("root")) {
		puts(strcmp(get("half"), "none") ?
			     "  of the kernel's half: root may see it" :
			     "  none: bits 63 to 39 are not copies of bit 38, no entry is read");
		return;
	}
	printf("  %5s %5s %-14s %-18s  %s  %s\n", "level", "index", "entry at", "value",
	       ENTRY_BITS_TITLE, "PPN");
	for (int level = 2; level >= 0 && answer_entry(&answer, level, &entry); level--)
		printf("  %5d %5lu 0x%-12lx 0x%016lx %s  0x%lx  %s\n", level, entry.index, entry.at,
		       entry.value, entry_bits(entry.value), entry_ppn(entry.value),
		       meaning(level, entry.value));
}

/* ---- the frame ---- */

static void print_owner(void)
{
	static const char *const words[][2] = {
		{ "zero-page",
		  "the zero page, which all untouched memory shares and nobody counts" },
		{ "family", "anonymous memory of this process, or shared with its relatives" },
		{ "other-family", "anonymous memory of another family" },
		{ "area-file", "a page of the area's file, in the page cache" },
		{ "no-file", "a page of a file that the area does not map (any more)" },
		{ "kernel", "the kernel's" },
	};
	const char *owner = get("owner");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(owner, words[i][0]) == 0)
			printf("  %s\n", words[i][1]);
}

static void print_mappers(void)
{
	const char *at = NULL;
	unsigned long addr, hidden = 0;
	int pid, nr = 0;

	while (answer_next(&answer, &at, "mapper", value, sizeof(value))) {
		if (sscanf(value, "%d %lx", &pid, &addr) == 2)
			printf("  mapped by process %d at 0x%lx\n", pid, addr);
		nr++;
	}
	if (answer_number(&answer, "mappers_hidden", &hidden))
		printf("  and at %lu places that you may not look at\n", hidden);
	if (nr + hidden == 0 && strcmp(get("owner"), "zero-page") != 0)
		puts("  no process maps it in its user half");
}

static void print_cache(void)
{
	if (!*get("cache"))
		return;
	if (strcmp(value, "absent") == 0) {
		puts("  the page cache does not have the file's page");
		return;
	}
	printf("  the page cache has the file's page in frame 0x%lx%s\n", number("cache_pfn"),
	       strcmp(get("cache"), "here") == 0 ? "" : ", not up to date");
	printf("  its flags %s\n", get("cache_flags"));
}

static void print_frame(void)
{
	puts("\nFrame");
	if (!*get("pfn")) {
		puts("  none");
		print_cache();
		return;
	}
	printf("  0x%lx, so the physical address is 0x%lx\n", number("pfn"), number("physical"));
	if (!*get("type")) {
		puts("  no RAM: a device");
		return;
	}
	print_owner();
	printf("  refcount %lu, mapcount %lu", number("refcount"), number("mapcount"));
	printf(", type %s", get("type"));
	printf(", flags %s\n", get("page_flags"));
	if (*get("page_index"))
		printf("  page %s of its owner\n", value);
	print_mappers();
}

/* ---- what an access would do ---- */

static const char *sentence(const char *what)
{
	static const char *const words[][2] = {
		{ "stack_grow", "below a stack, within its limits: the area grows down to it" },
		{ "no_area", "no area holds the address, and no stack may grow to it" },
		{ "forbidden", "the area's protection forbids it" },
		{ "zero_page", "nothing is there yet: the shared zero page is mapped, read-only" },
		{ "demand_zero", "nothing is there yet: a fresh page of zeros is mapped" },
		{ "past_end", "the page begins past the end of the file" },
		{ "read_in",
		  "the file's page is read in (a major fault; without a disk it is made), and "
		  "the table gone through again" },
		{ "file_map", "the page-cache page is mapped, and its cached neighbours" },
		{ "file_copy", "private: the page-cache page is copied at once, the copy mapped" },
		{ "shared_write", "shared: the page gets its place, is dirty, and may be written" },
		{ "cow_reuse", "copy-on-write, and nobody else has the page: it is made writable" },
		{ "cow_copy", "copy-on-write: somebody else has the page, so it is copied" },
		{ "cow_zero", "the zero page gives way to a fresh page of zeros" },
		{ "access_bits", "the PTE grants it; the hart sets A or D, or traps and we do" },
		{ "allowed",
		  "the PTE grants it: no fault (if one comes, a TLB was stale: spurious)" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(what, words[i][0]) == 0)
			return words[i][1];
	return what;
}

/* @text: `ok read_in:fault_io_retry file_copy:fault_file_cow`. */
static void print_access(const char *key, const char *name)
{
	char text[256], room[32], *save, *word;
	char *result;

	snprintf(text, sizeof(text), "%s", get(key));
	result = strtok_r(text, " ", &save);
	printf("  %-9s%s\n", name, result && strcmp(result, "ok") ? result : "succeeds");
	while (result && (word = strtok_r(NULL, " ", &save)) != NULL) {
		char *counter = strchr(word, ':');

		if (counter)
			*counter++ = '\0';
		printf("           %s\n", sentence(word));
		if (counter && strcmp(word, "allowed") != 0)
			printf("           (%s, counted as %s)\n", word, counter);
	}
	snprintf(room, sizeof(room), "%s_needs_room", key);
	if (*get(room))
		puts("           SIGBUS instead if the file system finds no room for it");
}

int main(int argc, char **argv)
{
	unsigned long addr;
	long long pid;

	if (argc != 3 || parse_address(argv[2], &addr) < 0)
		usage("explain PID|self ADDRESS (hexadecimal)");
	if (strcmp(argv[1], "self") != 0 && parse_number(argv[1], 1, 1 << 30, &pid) < 0)
		usage("explain PID|self ADDRESS (hexadecimal)");
	if (ask_address(argv[1], addr, &answer) < 0)
		die_errno(STATUS_FAILED, "process %s", argv[1]);
	printf("0x%lx of process %s, %s\n", addr, argv[1],
	       strcmp(get("half"), "user") == 0	  ? "in the user half" :
	       strcmp(get("half"), "kernel") == 0 ? "in the kernel's half (U=0)" :
						    "which is not canonical");
	print_area();
	print_tables();
	print_frame();
	puts("\nNow");
	print_access("load", "a load");
	print_access("store", "a store");
	print_access("fetch", "a fetch");
	return close_stdout(0);
}
