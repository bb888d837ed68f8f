/*
 * mapstore.c - stores to files of the disk through shared mappings, and asks nobody to write them:
 * scripts/mapstore.py looks at the disk after the machine was switched off.
 *
 *	/stored    PAGES pages and TAIL bytes; this process stores the even pages, a child the odd
 *	           ones; also past the end, which must not come to the disk
 *	/hole      as large; only each eighth page is stored to
 *	/cut       stored to, then cut off to CUT bytes, then as large again
 *	/gone      stored to, and removed while it is mapped
 *
 * Byte i of a file is (i * 7 + i / 4096) mod 256 where it was stored to, else 0.
 * For Ravel only. Invariants: none. Locks: none.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>

#define PAGES 40
#define TAIL  1234
#define SIZE  (PAGES * PAGE_SIZE + TAIL)
#define CUT   (5 * PAGE_SIZE + 77)
#define RW    (PROT_READ | PROT_WRITE)

static volatile unsigned char *map_file(const char *path)
{
	int fd = CHECK_OK(open(path, O_RDWR | O_CREAT | O_EXCL, 0644));
	void *p;

	CHECK_OK(ftruncate(fd, SIZE));
	p = CHECK_OK(mmap(NULL, SIZE, RW, MAP_SHARED, fd, 0));
	CHECK_OK(close(fd));
	return p;
}

static void store_page(volatile unsigned char *p, size_t page)
{
	for (size_t i = page * PAGE_SIZE; i < (page + 1) * PAGE_SIZE && i < SIZE; i++)
		p[i] = i * 7 + i / PAGE_SIZE;
}

static void store_from(volatile unsigned char *p, size_t first, size_t step)
{
	for (size_t page = first; page <= PAGES; page += step)
		store_page(p, page);
}

TEST(store)
{
	volatile unsigned char *p = map_file("/stored");

	CHECK_CHILD({ store_from(p, 1, 2); });
	store_from(p, 0, 2);
	memset((void *)(p + SIZE), 0xee, PAGE_SIZE - TAIL);
	CHECK_OK(munmap((void *)p, SIZE));

	p = map_file("/hole");
	store_from(p, 0, 8);

	p = map_file("/cut");
	store_from(p, 0, 1);
	CHECK_OK(truncate("/cut", CUT));
	CHECK_OK(truncate("/cut", SIZE));

	p = map_file("/gone");
	store_from(p, 0, 1);
	CHECK_OK(unlink("/gone"));
	store_from(p, 0, 1);
}
