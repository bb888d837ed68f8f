/*
 * toymem.c - an exercise: the toy machine of usr/lib/toymem.h, and questions about addresses in it.
 *
 *   toymem               shows TLB, page table and cache; asks; says what was right
 *   toymem -s 7 -n 3     the machine of seed 7, three addresses
 *   toymem -a -s 7       the same addresses with the answers worked
 *
 * Answers are hexadecimal, y or n; an empty line gives an answer up, q ends. The machine does not
 * change between questions. Status: 0 when every answer was right.
 *
 * Invariants: each question has one right answer, which toy_translate() says.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/tool.h"
#include "usr/lib/toymem.h"

static struct toy toy;
static unsigned right, asked;

/* ---- the tables ---- */

static void print_tlb(void)
{
	puts("\nTLB: 16 entries, 4 ways in 4 sets");
	puts("set   tag PPN V   tag PPN V   tag PPN V   tag PPN V");
	for (int set = 0; set < TOY_TLB_SETS; set++) {
		printf("%3d", set);
		for (int way = 0; way < TOY_TLB_WAYS; way++)
			printf("    %02X  %02X %d", toy.tlb[set][way].tag, toy.tlb[set][way].ppn,
			       toy.tlb[set][way].valid);
		putchar('\n');
	}
}

#define COLUMNS 4

static void print_pages(void)
{
	puts("\nPage table: the first 32 of 256 entries");
	puts("VPN PPN V    VPN PPN V    VPN PPN V    VPN PPN V");
	for (int row = 0; row < TOY_SHOWN_PAGES / COLUMNS; row++) {
		for (int i = 0; i < COLUMNS; i++) {
			int vpn = i * (TOY_SHOWN_PAGES / COLUMNS) + row;
			const struct toy_pte *pte = &toy.pages[vpn];

			if (pte->valid)
				printf(" %02X  %02X 1", vpn, pte->ppn);
			else
				printf(" %02X   - 0", vpn);
			fputs(i < COLUMNS - 1 ? "    " : "\n", stdout);
		}
	}
}

static void print_line(int index)
{
	const struct toy_line *line = &toy.cache[index];

	printf("  %X   %02X %d ", index, line->tag, line->valid);
	for (int i = 0; i < TOY_LINE_BYTES; i++) {
		if (line->valid)
			printf(" %02X", line->bytes[i]);
		else
			fputs("  -", stdout);
	}
}

static void print_cache(void)
{
	puts("\nCache: 16 lines of 4 bytes, direct mapped, by physical address");
	puts("idx  tag V  B0 B1 B2 B3     idx  tag V  B0 B1 B2 B3");
	for (int i = 0; i < TOY_LINES / 2; i++) {
		print_line(i);
		fputs("    ", stdout);
		print_line(i + TOY_LINES / 2);
		putchar('\n');
	}
}

/* ---- an address ---- */

/* Bits [low, low + count) of @number, and a blank, or behind the lowest a line's end. */
static void print_bits(unsigned number, int low, int count)
{
	for (int i = low + count - 1; i >= low; i--)
		putchar(number >> i & 1 ? '1' : '0');
	putchar(low ? ' ' : '\n');
}

static void print_question(unsigned nr, unsigned va)
{
	printf("\n%u. virtual address 0x%04x = ", nr + 1, va);
	print_bits(va, 0, TOY_VA_BITS);
}

static void print_frame(const struct toy_answer *a)
{
	if (a->tlb_hit)
		printf("   TLB hit: set %u has tag 0x%02X, valid, with PPN 0x%02X\n", a->tlbi,
		       a->tlbt, a->ppn);
	else if (a->page_fault)
		printf("   TLB miss; the PTE of VPN 0x%02X is not valid: a page fault\n", a->vpn);
	else
		printf("   TLB miss; the PTE of VPN 0x%02X is valid, with PPN 0x%02X\n", a->vpn,
		       a->ppn);
}

static void print_worked(unsigned va, const struct toy_answer *a)
{
	fputs("   TLBT TLBI VPO: ", stdout);
	print_bits(va, 8, 6);
	print_bits(va, 6, 2);
	print_bits(va, 0, 6);
	printf("   VPN 0x%02X, VPO 0x%02X; of the VPN TLBI 0x%X, TLBT 0x%02X\n", a->vpn, a->vpo,
	       a->tlbi, a->tlbt);
	print_frame(a);
	if (a->page_fault)
		return;
	printf("   physical address = PPN || PPO = 0x%02X || 0x%02X = 0x%03X\n", a->ppn, a->ppo,
	       a->pa);
	fputs("   CT CI CO: ", stdout);
	print_bits(a->pa, 6, 6);
	print_bits(a->pa, 2, 4);
	print_bits(a->pa, 0, 2);
	printf("   CO 0x%X, CI 0x%X, CT 0x%02X\n", a->co, a->ci, a->ct);
	if (a->cache_hit)
		printf("   cache hit: line 0x%X has the tag, valid; byte %u is 0x%02X\n", a->ci,
		       a->co, a->byte);
	else
		printf("   cache miss: memory has to be asked, and says 0x%02X\n", a->byte);
}

/* ---- asking ---- */

/* One line of the answerer, without its end; false: he has gone, or says q. */
static bool read_line(const char *prompt, char *line, size_t size)
{
	printf("   %-12s", prompt);
	fflush(stdout);
	if (!fgets(line, size, stdin)) {
		putchar('\n');
		return false;
	}
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, "q") != 0;
}

static void judge(bool is_right, const char *answer)
{
	asked++;
	right += is_right;
	if (is_right)
		puts("               right");
	else
		printf("               no: %s\n", answer);
}

static bool ask_number(const char *prompt, unsigned expected)
{
	char line[64], text[16], *end;
	unsigned long got;

	if (!read_line(prompt, line, sizeof(line)))
		return false;
	got = strtoul(line, &end, 16);
	snprintf(text, sizeof(text), "0x%X", expected);
	judge(end != line && *end == '\0' && got == expected, text);
	return true;
}

static bool ask_yes(const char *prompt, bool expected)
{
	char line[64];

	if (!read_line(prompt, line, sizeof(line)))
		return false;
	judge(line[0] == (expected ? 'y' : 'n') && line[1] == '\0', expected ? "y" : "n");
	return true;
}

/* All that there is to ask about an address; false: q. */
static bool ask_all(const struct toy_answer *a)
{
	if (!ask_number("VPN?", a->vpn) || !ask_number("VPO?", a->vpo) ||
	    !ask_number("TLBI?", a->tlbi) || !ask_number("TLBT?", a->tlbt) ||
	    !ask_yes("TLB hit?", a->tlb_hit) || !ask_yes("page fault?", a->page_fault))
		return false;
	if (a->page_fault)
		return true;
	if (!ask_number("PPN?", a->ppn) || !ask_number("PPO?", a->ppo) ||
	    !ask_number("CO?", a->co) || !ask_number("CI?", a->ci) || !ask_number("CT?", a->ct) ||
	    !ask_yes("cache hit?", a->cache_hit))
		return false;
	return !a->cache_hit || ask_number("byte?", a->byte);
}

/* Returns the exit status. */
static int run(unsigned questions, bool answers)
{
	struct toy_answer answer;
	bool more = true;

	for (unsigned nr = 0; nr < questions && more; nr++) {
		unsigned va = toy_question(&toy);

		print_question(nr, va);
		toy_translate(&toy, va, &answer);
		if (answers)
			print_worked(va, &answer);
		else
			more = ask_all(&answer);
	}
	if (answers)
		return 0;
	printf("\nright: %u of %u\n", right, asked);
	return right == asked && more ? 0 : STATUS_FAILED;
}

#define SYNOPSIS "toymem [-a] [-n questions] [-s seed]"

int main(int argc, char **argv)
{
	long long seed = time(NULL) % 100000, questions = 5;
	bool answers = false;
	int option;

	while ((option = getopt(argc, argv, "an:s:")) != -1) {
		if (option == 'a')
			answers = true;
		else if (option == '?' ||
			 (option == 'n' && parse_number(optarg, 1, 10000, &questions)) ||
			 (option == 's' && parse_number(optarg, 0, 1LL << 62, &seed)))
			usage(SYNOPSIS);
	}
	if (optind < argc)
		usage(SYNOPSIS);
	toy_make(&toy, seed);
	printf("The machine of seed %lld: addresses of 14 bits, memory of 12, pages of 64 bytes.\n",
	       seed);
	print_tlb();
	print_pages();
	print_cache();
	if (!answers)
		puts("\nAnswers are hexadecimal, y or n. An empty line gives up, q ends.");
	return close_stdout(run(questions, answers));
}
