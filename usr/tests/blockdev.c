/*
 * blockdev.c - a disk as a file, /dev/vdb: written to by write(2), mappings and tools, and who may
 * not. ravel-only: on the host it would cost somebody his disk.
 *
 * The disk is the one of SWAP= (docs/build.md); what it holds is lost. Where there is none, or it
 * is in use, there is nothing to test.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testtools.h"
#include "usr/lib/testutil.h"

#define DISK   "/dev/vdb"
#define MEDLEY (1024 * 1024 + 777)

static unsigned char written[MEDLEY], got[MEDLEY];

static int open_disk(int flags)
{
	int fd = open(DISK, flags);

	if (fd < 0 && (errno == ENOENT || errno == EBUSY))
		SKIP("there is no second disk, or it is in use");
	return CHECK_OK(fd);
}

static off_t size_of(int fd)
{
	off_t size = CHECK_OK(lseek(fd, 0, SEEK_END));
	uint64_t bytes;

	CHECK_OK(ioctl(fd, BLKGETSIZE64, &bytes));
	CHECK_EQ((uint64_t)size, bytes);
	return size;
}

TEST(what_is_written_is_there)
{
	static const off_t places[5] = { 0, 4096, 511, 3 * 4096 - 5, 2 * 1024 * 1024 + 100 };

	sync(); /* what tests of files have left */
	for (unsigned int i = 0; i < 5; i++) {
		int fd = open_disk(O_RDWR);

		fill_pattern(written, MEDLEY, i + 1, 0);
		CHECK_EQ(pwrite(fd, written, MEDLEY, places[i]), MEDLEY);
		CHECK_EQ(pread(fd, got, MEDLEY, places[i]), MEDLEY);
		CHECK(memcmp(written, got, MEDLEY) == 0);
		close(fd);
		/* All was on the disk when it was closed: nothing is in memory now. */
		CHECK_EQ(vmstat("nr_dirty"), 0);
		CHECK(drop_caches());
		fd = open_disk(O_RDONLY);
		CHECK_EQ(pread(fd, got, MEDLEY, places[i]), MEDLEY);
		CHECK(memcmp(written, got, MEDLEY) == 0);
		close(fd);
	}
}

/* A write changes its bytes, and none of their neighbours in the sector and the page. */
TEST(neighbours_stay)
{
	int fd = open_disk(O_RDWR);

	fill_pattern(written, 3 * 4096, 9, 0);
	CHECK_EQ(pwrite(fd, written, 3 * 4096, 0), 3 * 4096);
	close(fd);
	fd = open_disk(O_RDWR);
	memset(written + 4000, '!', 200);
	CHECK_EQ(pwrite(fd, written + 4000, 200, 4000), 200);
	close(fd);
	CHECK(drop_caches());
	fd = open_disk(O_RDONLY);
	CHECK_EQ(read(fd, got, 3 * 4096), 3 * 4096);
	CHECK(memcmp(written, got, 3 * 4096) == 0);
	close(fd);
}

TEST(the_end)
{
	int fd = open_disk(O_RDWR);
	off_t size = size_of(fd);
	int append;

	memset(written, 7, 300);
	CHECK_EQ(pwrite(fd, written, 300, size - 100), 100);
	CHECK_ERRNO(pwrite(fd, written, 300, size), ENOSPC);
	CHECK_ERRNO(pwrite(fd, written, 1, size + 4096), ENOSPC);
	CHECK_EQ(pwrite(fd, written, 0, size), 0);
	CHECK_EQ(pread(fd, got, 300, size - 100), 100);
	CHECK(memcmp(written, got, 100) == 0);
	CHECK_EQ(pread(fd, got, 300, size), 0);
	CHECK_EQ(lseek(fd, -100, SEEK_END), size - 100);
	CHECK_EQ(write(fd, written, 300), 100);
	CHECK_ERRNO(write(fd, written, 300), ENOSPC);
	append = open_disk(O_WRONLY | O_APPEND);
	CHECK_ERRNO(write(append, written, 1), ENOSPC);
	CHECK_EQ(lseek(fd, 0, SEEK_END), size);
	close(append);
	close(fd);
}

TEST(calls_that_sync)
{
	static const int flags[] = { O_SYNC, O_DSYNC };
	int fd = open_disk(O_RDWR);

	sync(); /* what tests of files have left */
	fill_pattern(written, MEDLEY, 3, 0);
	CHECK_EQ(pwrite(fd, written, MEDLEY, 0), MEDLEY);
	CHECK(vmstat("nr_dirty") > 0);
	CHECK_OK(fsync(fd));
	CHECK_EQ(vmstat("nr_dirty"), 0);
	CHECK_EQ(pwrite(fd, written, 5000, 100), 5000);
	CHECK_OK(fdatasync(fd));
	CHECK_EQ(vmstat("nr_dirty"), 0);
	CHECK_EQ(pwrite(fd, written, 5000, 100), 5000);
	sync();
	CHECK_EQ(vmstat("nr_dirty"), 0);
	CHECK_EQ(pwrite(fd, written, 5000, 100), 5000);
	CHECK_OK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
	CHECK_EQ(vmstat("nr_dirty"), 0);
	close(fd);
	for (int i = 0; i < 2; i++) {
		fd = open_disk(O_WRONLY | flags[i]);
		CHECK_EQ(write(fd, written, 100), 100);
		CHECK_EQ(vmstat("nr_dirty"), 0);
		close(fd);
	}
}

TEST(the_flusher_writes_it_too)
{
	int fd = open_disk(O_RDWR);

	CHECK_EQ(write(fd, "late", 4), 4);
	WAIT_UNTIL(vmstat("nr_dirty") == 0);
	close(fd);
}

TEST(mappings)
{
	int fd = open_disk(O_RDWR);
	unsigned char *p = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);

	CHECK(p != MAP_FAILED);
	sync(); /* what tests of files have left */
	fill_pattern(written, 8 * 4096, 4, 0);
	memcpy(p, written, 8 * 4096);
	CHECK_EQ(pread(fd, got, 8 * 4096, 4096), 8 * 4096);
	CHECK(memcmp(written, got, 8 * 4096) == 0);
	CHECK_OK(msync(p, 8 * 4096, MS_SYNC));
	CHECK_EQ(vmstat("nr_dirty"), 0);
	p[5] = written[5] = '!';
	CHECK_ERRNO(mount(DISK, "/mnt", "ext2", 0, NULL), EBUSY);
	close(fd);
	CHECK_ERRNO(mount(DISK, "/mnt", "ext2", 0, NULL), EBUSY); /* the mapping has it open */
	CHECK_OK(munmap(p, 8 * 4096));
	CHECK_EQ(vmstat("nr_dirty"), 0);
	CHECK(drop_caches());
	fd = open_disk(O_RDONLY);
	CHECK_EQ(pread(fd, got, 8 * 4096, 4096), 8 * 4096);
	CHECK(memcmp(written, got, 8 * 4096) == 0);
	CHECK_ERRNO((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	close(fd);
}

/* The place for a mount, on the disk, where the root file system can be written. */
static void mount_fails(int error)
{
	test_dir();
	CHECK_OK(mkdir("place", 0755));
	CHECK_ERRNO(mount(DISK, "place", "ext2", 0, NULL), error);
	test_dir_leave();
}

TEST(who_writes_keeps_others_from_mounting)
{
	int fd = open_disk(O_WRONLY), second;

	memset(written, 0, 8192);
	CHECK_EQ(write(fd, written, 8192), 8192); /* no super block of ext2 */
	second = open_disk(O_RDWR);
	mount_fails(EBUSY);
	close(fd);
	mount_fails(EBUSY);
	close(second);
	mount_fails(EINVAL);
	fd = open_disk(O_RDONLY); /* who reads does not */
	mount_fails(EINVAL);
	close(fd);
}

TEST(a_mounted_disk_is_not_written)
{
	char byte;
	int fd;

	fd = CHECK_OK(open("/dev/vda", O_RDONLY));
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_ERRNO(write(fd, &byte, 1), EBADF);
	close(fd);
	CHECK_ERRNO(open("/dev/vda", O_WRONLY), EBUSY);
	CHECK_ERRNO(open("/dev/vda", O_RDWR), EBUSY);
	CHECK_ERRNO(open("/dev/vda", O_WRONLY | O_CREAT | O_TRUNC, 0666), EBUSY);
}

TEST(what_is_refused)
{
	int fd = open_disk(O_RDWR);

	CHECK_ERRNO(ftruncate(fd, 4096), EINVAL);
	CHECK_ERRNO(fallocate(fd, 0, 0, 4096), ENODEV);
	CHECK_EQ(raw_syscall(SYS_pwrite64, fd, 8, 10, 0, 0, 0), -EFAULT);
	CHECK_ERRNO(ioctl(fd, 0x1234, 0), ENOTTY);
	close(fd);
	CHECK_CHILD({
		CHECK_OK(setgid(65534));
		CHECK_OK(setuid(65534));
		CHECK_ERRNO(open(DISK, O_WRONLY), EACCES);
		CHECK_ERRNO(open(DISK, O_RDONLY), EACCES);
	});
}

/* Tools, shell and all: dd with seek=, into the middle; and cat, until the disk is full. */
TEST(dd_and_cat)
{
	char output[512];
	off_t size;
	int fd = open_disk(O_RDONLY);

	size = size_of(fd);
	close(fd);
	tools_path();
	CHECK_EQ(run_line("printf 0123456789 | dd of=" DISK " bs=5 seek=1000 status=none;"
			  "dd if=" DISK " bs=5 skip=1000 count=2 status=none",
			  output, sizeof(output)),
		 0);
	CHECK_STRING(output, "0123456789");
	CHECK_EQ(run_line("cat /dev/zero >" DISK, output, sizeof(output)), 1);
	CHECK(strstr(output, "No space left on device"));
	fd = open_disk(O_RDONLY);
	CHECK_EQ(pread(fd, got, 100, size - 100), 100);
	memset(written, 0, 100);
	CHECK(memcmp(written, got, 100) == 0);
	CHECK_EQ(pread(fd, got, 10, 5000), 10);
	CHECK(memcmp(written, got, 10) == 0);
	close(fd);
}
