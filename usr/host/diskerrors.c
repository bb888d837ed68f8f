/*
 * diskerrors.c - what a program sees of a disk that fails.  scripts/diskerrors.py makes a disk on
 * which certain sectors of the files below /errors cannot be read, or not be written, and runs
 *
 *	diskerrors TEST...     read_* where reads fail, write_* where writes do
 *
 * Each file has BLOCKS blocks of 4096 bytes, byte i of block b being (b * 7 + i); BAD is the
 * block that fails.  A failure concerns what lies on the sector, and nothing beside it.
 *
 * For Ravel only, which alone has this disk.  Invariants: none.  Locks: none.
 */
#include "usr/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BLOCKS 16
#define BAD    5

static char buffer[PAGE_SIZE];

static void check_block(const char *bytes, int block)
{
	for (size_t i = 0; i < PAGE_SIZE; i++)
		CHECK_EQ((unsigned char)bytes[i], (unsigned char)(block * 7 + i));
}

static void fill_block(int block)
{
	for (size_t i = 0; i < PAGE_SIZE; i++)
		buffer[i] = block * 7 + i;
}

static ssize_t read_block(int fd, int block)
{
	return pread(fd, buffer, PAGE_SIZE, block * PAGE_SIZE);
}

static ssize_t write_block(int fd, int block)
{
	fill_block(block);
	return pwrite(fd, buffer, PAGE_SIZE, block * PAGE_SIZE);
}

/* ---- reads */

TEST(read_data_gives_eio_for_that_block_only)
{
	int fd = CHECK_OK(open("/errors/data", O_RDONLY));

	for (int block = 0; block < BLOCKS; block++) {
		if (block == BAD) {
			CHECK_ERRNO(read_block(fd, block), EIO);
			continue;
		}
		CHECK_EQ(read_block(fd, block), PAGE_SIZE);
		check_block(buffer, block);
	}
	CHECK_ERRNO(read_block(fd, BAD), EIO);
}

TEST(read_stops_short_before_the_error)
{
	static char all[BLOCKS * PAGE_SIZE];
	int fd = CHECK_OK(open("/errors/data", O_RDONLY));

	CHECK_EQ(read(fd, all, sizeof(all)), BAD * PAGE_SIZE);
	check_block(all + (BAD - 1) * PAGE_SIZE, BAD - 1);
	CHECK_ERRNO(read(fd, all, sizeof(all)), EIO);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), BAD * PAGE_SIZE);
}

TEST(read_of_a_mapping_is_sigbus_there)
{
	int fd = CHECK_OK(open("/errors/data", O_RDONLY)), ends[2];
	const char *map = mmap(NULL, BLOCKS * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK(map != MAP_FAILED);
	check_block(map + (BAD + 1) * PAGE_SIZE, BAD + 1);
	CHECK_SIGNAL({ *(volatile const char *)(map + BAD * PAGE_SIZE); }, SIGBUS);
	CHECK_OK(pipe(ends));
	CHECK_ERRNO(write(ends[1], map + BAD * PAGE_SIZE, 8), EFAULT);
}

/* The request for many pages fails, the one for this page does not. */
TEST(read_that_failed_once_is_tried_again)
{
	int fd = CHECK_OK(open("/errors/once", O_RDONLY));

	CHECK_EQ(read_block(fd, BAD), PAGE_SIZE);
	check_block(buffer, BAD);
}

TEST(read_of_a_pointer_block_hides_what_is_behind_it)
{
	int fd = CHECK_OK(open("/errors/indirect", O_RDONLY));

	CHECK_EQ(read_block(fd, 11), PAGE_SIZE);
	check_block(buffer, 11);
	CHECK_ERRNO(read_block(fd, 12), EIO);
	CHECK_ERRNO(read_block(fd, 15), EIO);
}

TEST(read_of_a_directory_is_eio)
{
	struct stat st;
	DIR *dir = opendir("/errors/dir");

	CHECK(dir != NULL);
	errno = 0;
	CHECK(readdir(dir) == NULL);
	CHECK_EQ(errno, EIO);
	CHECK_ERRNO(stat("/errors/dir/file", &st), EIO);
	CHECK_OK(stat("/errors/dir", &st));
}

TEST(read_of_an_inode_is_eio)
{
	struct stat st;

	CHECK_ERRNO(stat("/errors/inode", &st), EIO);
	CHECK_ERRNO(open("/errors/inode", O_RDONLY), EIO);
	CHECK_ERRNO(stat("/errors/nothing", &st), ENOENT);
}

TEST(read_of_a_link_is_eio)
{
	struct stat st;

	CHECK_ERRNO(readlink("/errors/link", buffer, sizeof(buffer)), EIO);
	CHECK_ERRNO(stat("/errors/link", &st), EIO);
	CHECK_OK(lstat("/errors/link", &st));
}

/* ---- writes */

/* Once for each who had the file open, whoever asked first; the file then works again. */
TEST(write_that_failed_is_reported_once_to_each_opener)
{
	int first = CHECK_OK(open("/errors/once", O_RDWR));
	int second = CHECK_OK(open("/errors/once", O_RDONLY));
	int third;

	CHECK_EQ(write_block(first, BAD), PAGE_SIZE);
	CHECK_ERRNO(fsync(first), EIO);
	CHECK_OK(fsync(first));
	third = CHECK_OK(open("/errors/once", O_RDONLY));
	CHECK_ERRNO(fdatasync(second), EIO);
	CHECK_OK(fsync(second));
	CHECK_OK(fsync(third));
	CHECK_EQ(write_block(first, BAD), PAGE_SIZE);
	CHECK_OK(fsync(first));
}

TEST(write_that_always_fails_says_so_each_time)
{
	int fd = CHECK_OK(open("/errors/data", O_RDWR));

	for (int round = 0; round < 3; round++) {
		CHECK_EQ(write_block(fd, BAD), PAGE_SIZE);
		CHECK_ERRNO(fsync(fd), EIO);
	}
	CHECK_OK(close(fd));
	fd = CHECK_OK(open("/errors/data", O_RDWR));
	CHECK_EQ(write_block(fd, BAD + 2), PAGE_SIZE);
	CHECK_EQ(read_block(fd, BAD + 2), PAGE_SIZE);
	check_block(buffer, BAD + 2);
}

TEST(write_with_o_sync_is_eio)
{
	int fd = CHECK_OK(open("/errors/sync", O_RDWR | O_SYNC));

	CHECK_EQ(write_block(fd, BAD - 1), PAGE_SIZE);
	CHECK_ERRNO(write_block(fd, BAD), EIO);
	CHECK_EQ(write_block(fd, BAD + 1), PAGE_SIZE);
}

TEST(write_of_an_inode_is_reported_by_fsync)
{
	int fd = CHECK_OK(open("/errors/inode", O_RDWR));

	CHECK_OK(fchmod(fd, 0600));
	CHECK_ERRNO(fsync(fd), EIO);
	CHECK_OK(close(fd));
}

TEST(write_of_a_directory_is_reported_by_fsync)
{
	int dir = CHECK_OK(open("/errors/dir", O_RDONLY | O_DIRECTORY));

	CHECK_OK(close(CHECK_OK(openat(dir, "new", O_CREAT | O_EXCL | O_WRONLY, 0600))));
	CHECK_ERRNO(fsync(dir), EIO);
	CHECK_OK(close(dir));
}

/* Errors elsewhere do not keep the rest of the disk from being written. */
TEST(write_goes_on_elsewhere)
{
	int fd = CHECK_OK(open("/errors/good", O_RDWR | O_CREAT, 0600));

	CHECK_EQ(write_block(fd, 0), PAGE_SIZE);
	CHECK_OK(fsync(fd));
	CHECK_OK(unlink("/errors/sync"));
	sync();
}
