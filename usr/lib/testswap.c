/*
 * testswap.c - a swap area for a TEST, on the second disk.  Locks: none.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/swap.h>
#include <unistd.h>

#include "usr/lib/swapheader.h"
#include "usr/lib/testswap.h"
#include "usr/lib/testutil.h"

unsigned long swap_area_make(unsigned long pages)
{
	static struct swap_header header;
	uint64_t bytes;
	int fd;

	swapoff(SWAP_DISK); /* of a test that failed */
	fd = open(SWAP_DISK, O_RDWR);
	if (fd < 0)
		SKIP("there is no second disk, or it is in use");
	CHECK_OK(ioctl(fd, BLKGETSIZE64, &bytes));
	if (pages == 0)
		pages = bytes / PAGE_SIZE;
	CHECK_EQ(swap_header_make(&header, pages), 0);
	CHECK_EQ(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	close(fd);
	return pages;
}

void swap_start(void)
{
	swap_area_make(0);
	CHECK_OK(swapon(SWAP_DISK, 0));
}

void swap_finish(void)
{
	CHECK_EQ(meminfo_kb("SwapFree"), meminfo_kb("SwapTotal"));
	CHECK_EQ(meminfo_kb("SwapCached"), 0);
	CHECK_OK(swapoff(SWAP_DISK));
	CHECK_EQ(meminfo_kb("SwapTotal"), 0);
}
