/*
 * translate.c - an Sv39 translation worked step by step on live page tables.
 *
 *      63    39 38    30 29    21 20    12 11          0
 *     | as 38  | VPN[2] | VPN[1] | VPN[0] | page offset |
 *                  |        |        |
 *     satp -> root[VPN[2]] -> table[VPN[1]] -> table[VPN[0]] -> PPN || offset
 *
 * The entries come from /proc/<pid>/explain; the arithmetic is done and shown here, so that it can
 * be checked: each entry must lie where this program says.
 *
 * Source: RISC-V privileged specification, "Virtual Address Translation Process".
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/explanation.h"
#include "usr/lib/tool.h"

#define LEVELS	   3
#define PAGE_SHIFT 12
#define VPN_BITS   9

static struct answer answer;

/* The low @bits of @number in binary; one of two static buffers in turn. */
static const char *binary(unsigned long number, int bits)
{
	static char buffers[2][65];
	static int turn;
	char *text = buffers[turn ^= 1];

	for (int i = 0; i < bits; i++)
		text[i] = number >> (bits - 1 - i) & 1 ? '1' : '0';
	text[bits] = '\0';
	return text;
}

static unsigned long vpn(unsigned long addr, int level)
{
	return addr >> (PAGE_SHIFT + VPN_BITS * level) & ((1UL << VPN_BITS) - 1);
}

static void print_parts(unsigned long addr)
{
	printf("virtual address 0x%016lx\n", addr);
	printf("  bits 63..39  %s\n", binary(addr >> 39, 25));
	for (int level = LEVELS - 1; level >= 0; level--)
		printf("  VPN[%d]       %s = %lu\n", level, binary(vpn(addr, level), VPN_BITS),
		       vpn(addr, level));
	printf("  offset       %s = 0x%03lx\n", binary(addr, PAGE_SHIFT), addr & 0xfff);
}

/* What each kind of access does, where the walk ends without a frame. */
static void print_page_fault(const char *why)
{
	printf("  %s: a page fault\n", why);
	puts("  scause 13 for a load, 15 for a store, 12 for a fetch; stval is the address");
}

/* The rights that a leaf grants a program, with the exception of each that it does not. */
static void print_rights(unsigned long pte)
{
	static const struct {
		const char *name;
		unsigned long needs;
		int cause;
	} kinds[] = {
		{ "load", PTE_R, 13 },
		{ "store", PTE_R | PTE_W, 15 },
		{ "fetch", PTE_X, 12 },
	};

	for (int i = 0; i < 3; i++) {
		unsigned long needs = kinds[i].needs | PTE_U;

		printf("  a %-6s needs V, U and %s: ", kinds[i].name,
		       i == 0 ? "R" :
		       i == 1 ? "W" :
				"X");
		if ((pte & needs) == needs)
			puts("granted");
		else
			printf("page fault (scause %d), %s\n", kinds[i].cause,
			       pte & PTE_U ? "that bit is clear" : "U is clear: the kernel's page");
	}
}

static void print_leaf(unsigned long addr, unsigned long pte, int level)
{
	int offset_bits = PAGE_SHIFT + VPN_BITS * level;
	unsigned long offset = addr & ((1UL << offset_bits) - 1);
	unsigned long base = (entry_ppn(pte) << PAGE_SHIFT) & ~((1UL << offset_bits) - 1);

	printf("  V=1 and one of R W X is set: a leaf\n");
	if (level > 0)
		printf("  of level %d: the low %d bits of the address are the offset\n", level,
		       offset_bits);
	print_rights(pte);
	printf("physical address = PPN 0x%lx || offset 0x%lx = 0x%lx\n", entry_ppn(pte), offset,
	       base | offset);
}

/* One step; false: the walk ends here. @table: the physical address that it should read in. */
static bool print_step(unsigned long addr, int level, unsigned long *table)
{
	struct answer_entry entry;
	unsigned long at = *table + vpn(addr, level) * 8;

	if (!answer_entry(&answer, level, &entry))
		return false;
	printf("level %d: table at 0x%lx, entry at 0x%lx + %lu * 8 = 0x%lx\n", level, *table,
	       *table, vpn(addr, level), at);
	if (entry.at != at)
		die(STATUS_FAILED, "the kernel read an entry at 0x%lx", entry.at);
	printf("  holds 0x%016lx\n", entry.value);
	printf("  %-44s  %s\n", "PPN (bits 53..10)", ENTRY_BITS_TITLE);
	printf("  %s  %s\n", binary(entry_ppn(entry.value), 44), entry_bits(entry.value));
	if (!(entry.value & PTE_V)) {
		print_page_fault(entry.value ?
					 "V=0, and the rest is the kernel's note (PROT_NONE)" :
					 "V=0, the entry is empty");
		return false;
	}
	if (entry.value & (PTE_R | PTE_W | PTE_X)) {
		print_leaf(addr, entry.value, level);
		return false;
	}
	printf("  V=1, R=W=X=0: a pointer to the next table, at PPN 0x%lx * 4096\n",
	       entry_ppn(entry.value));
	*table = entry_ppn(entry.value) << PAGE_SHIFT;
	return true;
}

static void print_walk(unsigned long addr)
{
	unsigned long table;
	char half[16] = "";

	answer_value(&answer, "half", half, sizeof(half));
	if (strcmp(half, "none") == 0) {
		print_page_fault("bits 63..39 are not all equal to bit 38: not canonical");
		return;
	}
	if (!answer_number(&answer, "root", &table)) {
		puts("  bit 38 is 1: the kernel's half, whose tables only root may see");
		print_page_fault("U=0 in every leaf there");
		return;
	}
	printf("satp: mode Sv39, PPN 0x%lx: the root table is at 0x%lx\n", table >> PAGE_SHIFT,
	       table);
	for (int level = LEVELS - 1; level >= 0; level--)
		if (!print_step(addr, level, &table))
			return;
}

int main(int argc, char **argv)
{
	const char *pid = "self";
	unsigned long addr;
	long long number;
	int option;

	while ((option = getopt(argc, argv, "p:")) != -1) {
		if (option == '?' || parse_number(optarg, 1, 1 << 30, &number) < 0)
			usage("translate [-p PID] ADDRESS (hexadecimal)");
		pid = optarg;
	}
	if (optind != argc - 1 || parse_address(argv[optind], &addr) < 0)
		usage("translate [-p PID] ADDRESS (hexadecimal)");
	if (ask_address(pid, addr, &answer) < 0)
		die_errno(STATUS_FAILED, "process %s", pid);
	print_parts(addr);
	print_walk(addr);
	return close_stdout(0);
}
