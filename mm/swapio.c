/*
 * swapio.c - pages to their slots and back.
 *
 *	pages   [a][b][c][d]      slots in a row: one request, a piece for each page
 *	disk    .[a][b][c][d].    slot n begins at sector n * 8
 *
 * A request that fails says nothing of its single pages: each is tried again by itself.
 *
 * The requests lie on the stack of who waits for them, so that nothing is allocated on the way out,
 * when there is nothing to allocate.
 *
 * Locks: none but the pages', from the caller. The slots are kept by the cached pages.
 */
#include "kernel/panic.h"
#include "lib/string.h"
#include "mm/swap_internal.h"
#include "mm/vmstat.h"

static __noinline int transfer(enum bio_op op, struct page **pages, unsigned nr)
{
	struct bio bio;

	BUILD_BUG_ON(SWAP_CLUSTER > BIO_MAX_SEGS);
	memset(&bio, 0, sizeof(bio));
	bio.bdev = swap_areas[swap_entry_area(pages[0]->swap)]->bdev;
	bio.op = op;
	bio.sector = swap_entry_slot(pages[0]->swap) * SLOT_SECTORS;
	for (unsigned i = 0; i < nr; i++)
		bio_add_page(&bio, pages[i], 0, PAGE_SIZE);
	return submit_bio_wait(&bio);
}

u32 swap_transfer(enum bio_op op, struct page **pages, unsigned nr)
{
	u32 failed = 0;

	BUG_ON(nr == 0 || nr > SWAP_CLUSTER);
	count_vm(op == BIO_WRITE ? VM_swap_write_requests : VM_swap_read_requests);
	count_vm_n(op == BIO_WRITE ? VM_pswpout : VM_pswpin, nr);
	if (transfer(op, pages, nr) == 0)
		return 0;
	for (unsigned i = 0; i < nr; i++) {
		if (nr == 1 || transfer(op, &pages[i], 1) != 0)
			failed |= 1u << i;
	}
	return failed;
}
