/*
 * swapheader.h - the first page of a swap area, in the format of Linux.
 *
 *	0         1024      1036   1052    1068     1536          4086         4096
 *	| bootbits | version | UUID | label | unused | bad pages ... | SWAPSPACE2 |
 *	             last_page, nr_badpages
 *
 * Page 0 is the header and is never swapped to: an area of n pages has last_page n - 1, and room
 * for n - 1. Numbers are little-endian, as all machines are that run this.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 * Source: mkswap(8), and the image that it makes.
 */
#ifndef RAVEL_USR_LIB_SWAPHEADER_H
#define RAVEL_USR_LIB_SWAPHEADER_H

#include <stdint.h>

#define SWAP_PAGE_SIZE	  4096U
#define SWAP_MIN_PAGES	  10U
#define SWAP_MAX_BADPAGES 637U
#define SWAP_LABEL_SIZE	  16U /* with its NUL */
#define UUID_TEXT_SIZE	  37U /* with its NUL */

struct swap_header {
	uint8_t bootbits[1024];
	uint32_t version, last_page, nr_badpages;
	uint8_t uuid[16];
	char label[SWAP_LABEL_SIZE];
	uint32_t unused[117];
	uint32_t badpages[SWAP_MAX_BADPAGES];
	uint8_t padding[2];
	char magic[10];
};

_Static_assert(sizeof(struct swap_header) == SWAP_PAGE_SIZE, "the header is a page");

/*
 * Make @header that of an area of @pages pages without label, UUID or bad pages. Areas larger than
 * the format can tell are cut. Returns 0, or -1 when @pages is below SWAP_MIN_PAGES.
 */
int swap_header_make(struct swap_header *header, uint64_t pages);

/* Set the label, cut to what fits. Returns 0, or 1 when it was cut. */
int swap_header_set_label(struct swap_header *header, const char *label);

/* Note that page @page cannot be used. Returns 0, or -1 when there is no room to say so. */
int swap_header_add_bad(struct swap_header *header, uint32_t page);

/*
 * Is @header, the first page of something of @bytes bytes, one that can be used? Returns NULL, or
 * what is wrong with it in words.
 */
const char *swap_header_fault(const struct swap_header *header, uint64_t bytes);

/* "01234567-89ab-cdef-0123-456789abcdef" to 16 bytes. Returns 0, or -1 when it is not one. */
int uuid_parse(const char *text, uint8_t uuid[16]);

/* 16 bytes to text; @text has UUID_TEXT_SIZE bytes. */
void uuid_format(const uint8_t uuid[16], char *text);

/* A random UUID (version 4). Returns 0, or -1 with errno. */
int uuid_random(uint8_t uuid[16]);

#endif
