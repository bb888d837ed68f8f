/*
 * fence.c - UMALLOC=fence: each block ends where a page without access begins.
 *
 *	base						   fence
 *	| fb fb fb ... | cd cd ... (size bytes) | fe ... |  PROT_NONE  |
 *			 payload		  at most 7 bytes
 *
 * A load or store behind the block faults at the instruction that does it, and the handler says
 * whose block that was. A freed block loses its pages and keeps its addresses for a while: using it
 * faults, too. It costs two pages and two areas for each block, however small.
 *
 * A payload of malloc() is aligned as far as its size is, from 8 to 16: an object of 24 bytes never
 * needs more than 8, and ends at the fence to the byte.
 *
 * Locks: that of umalloc.c; the handler takes none.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "usr/lib/malloc/debug.h"
#include "usr/lib/malloc/heap.h"

bool um_fence_alloc(struct record *record, size_t alignment)
{
	size_t bytes = (record->size + PAGE - 1) & -PAGE;
	char *fence;

	if (alignment == 0)
		alignment = record->size % ALIGNMENT ? ALIGNMENT / 2 : ALIGNMENT;
	if (alignment > ALIGNMENT)
		bytes = (record->size + alignment + PAGE - 1) & -PAGE;
	if (bytes == 0)
		bytes = PAGE;
	record->total = bytes + PAGE;
	record->base = mmap(NULL, record->total, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (record->base == MAP_FAILED)
		return false;
	if (mprotect(record->base, bytes, PROT_READ | PROT_WRITE)) {
		munmap(record->base, record->total);
		return false;
	}
	fence = record->base + bytes;
	record->payload = (char *)((uintptr_t)(fence - record->size) & -alignment);
	memset(record->base, FRONT_FILL, record->payload - record->base);
	memset(record->payload, NEW_FILL, record->size);
	memset(record->payload + record->size, BACK_FILL, fence - (record->payload + record->size));
	return true;
}

const char *um_fence_wrong(const struct record *record, const char **at)
{
	const char *fence = record->base + record->total - PAGE;

	if (record->freed)
		return NULL; /* nobody can have stored there */
	if ((*at = um_other_byte(record->payload + record->size, fence, BACK_FILL)))
		return "a store behind the end of a block";
	if ((*at = um_other_byte(record->base, record->payload, FRONT_FILL)))
		return "a store before the beginning of a block";
	return NULL;
}

void um_fence_retire(struct record *record)
{
	if (mmap(record->base, record->total, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		mprotect(record->base, record->total, PROT_NONE);
}

void um_fence_release(struct record *record)
{
	munmap(record->base, record->total);
}

/* Say what is at the address, and let the fault happen again: the kernel ends the process. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
	struct record *record = um_record_around(info->si_addr);

	(void)context;
	sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	if (!record)
		return;
	um_say("umalloc: %s\n",
	       record->freed ? "use of a block that is free" : "access behind the end of a block");
	um_say_place(record, info->si_addr);
	um_say_sites(record);
}

void um_fence_watch(void)
{
	struct sigaction old, action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	if (sigaction(SIGSEGV, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
		sigaction(SIGSEGV, &action, NULL);
}
