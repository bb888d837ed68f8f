/*
 * swapheader.c - the first page of a swap area; the contracts and a drawing are in swapheader.h.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#include "usr/lib/swapheader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define VERSION 1

static const char magic[] = "SWAPSPACE2";

int swap_header_make(struct swap_header *header, uint64_t pages)
{
	if (pages < SWAP_MIN_PAGES)
		return -1;
	memset(header, 0, sizeof(*header));
	header->version = VERSION;
	header->last_page = pages > UINT32_MAX ? UINT32_MAX - 1 : pages - 1;
	memcpy(header->magic, magic, sizeof(header->magic));
	return 0;
}

int swap_header_set_label(struct swap_header *header, const char *label)
{
	size_t length = strlen(label);
	int cut = length >= sizeof(header->label);

	if (cut)
		length = sizeof(header->label) - 1;
	memset(header->label, 0, sizeof(header->label));
	memcpy(header->label, label, length);
	return cut;
}

int swap_header_add_bad(struct swap_header *header, uint32_t page)
{
	if (header->nr_badpages == SWAP_MAX_BADPAGES)
		return -1;
	header->badpages[header->nr_badpages++] = page;
	return 0;
}

const char *swap_header_fault(const struct swap_header *header, uint64_t bytes)
{
	if (memcmp(header->magic, magic, sizeof(header->magic)) != 0)
		return "no swap signature";
	if (header->version != VERSION)
		return "unsupported swap version";
	if (header->last_page == 0)
		return "empty swap area";
	if (header->last_page >= bytes / SWAP_PAGE_SIZE)
		return "swap area larger than the device";
	if (header->nr_badpages > SWAP_MAX_BADPAGES)
		return "too many bad pages";
	for (uint32_t i = 0; i < header->nr_badpages; i++) {
		if (header->badpages[i] == 0 || header->badpages[i] > header->last_page)
			return "bad page outside of the swap area";
	}
	return NULL;
}

static int is_dash(size_t position)
{
	return position == 8 || position == 13 || position == 18 || position == 23;
}

int uuid_parse(const char *text, uint8_t uuid[16])
{
	size_t at = 0;

	if (strlen(text) != UUID_TEXT_SIZE - 1)
		return -1;
	for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++) {
		if (is_dash(i) ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return -1;
	}
	for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i += 2) {
		char digits[3];

		i += is_dash(i);
		memcpy(digits, text + i, 2);
		digits[2] = '\0';
		uuid[at++] = strtoul(digits, NULL, 16);
	}
	return 0;
}

void uuid_format(const uint8_t uuid[16], char *text)
{
	for (size_t i = 0, at = 0; i < 16; i++) {
		if (is_dash(at))
			text[at++] = '-';
		at += sprintf(text + at, "%02x", uuid[i]);
	}
}

int uuid_random(uint8_t uuid[16])
{
	if (getrandom(uuid, 16, 0) != 16)
		return -1;
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	return 0;
}
