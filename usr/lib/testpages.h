/*
 * testpages.h - readers of /proc/<pid>/smaps and pagemap, and of the frames of the machine.
 *
 * Each fails the TEST when the file cannot be read or is not as Linux writes it. They allocate
 * nothing.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TESTPAGES_H
#define RAVEL_USR_LIB_TESTPAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One area of smaps, or smaps_rollup; KiB. */
struct smaps {
	unsigned long start, end;
	long long size, rss, pss, pss_dirty;
	long long shared_clean, shared_dirty, private_clean, private_dirty;
	long long referenced, anonymous, swap, locked;
	char flags[128]; /* " rd wr ...", each with a blank before and behind it */
};

/* The area of process @pid (0: this one) that holds @address. */
void smaps_of(pid_t pid, const void *address, struct smaps *area);
/* The sums over all areas of @pid, as smaps tells them and as smaps_rollup does. */
void smaps_sum(pid_t pid, struct smaps *sum);
void smaps_rollup(pid_t pid, struct smaps *sum);

#define PAGE_PRESENT   (1ULL << 63)
#define PAGE_SWAPPED   (1ULL << 62)
#define PAGE_OF_FILE   (1ULL << 61)
#define PAGE_EXCLUSIVE (1ULL << 56)
#define PAGE_PFN       ((1ULL << 55) - 1)

/* The entries of pagemap of @pid (0: this one) for @count pages from @address on. */
void pagemap_read(pid_t pid, const void *address, size_t count, uint64_t *entries);
/* That of one page of this process. */
uint64_t pagemap_entry(const void *address);

/* /proc/kpagecount and /proc/kpageflags of frame @pfn. */
uint64_t frame_count(uint64_t pfn);
uint64_t frame_flags(uint64_t pfn);

#endif
