/*
 * mkswap.c - swap areas as mkswap makes them: every byte, and what it refuses.
 *
 * What the bytes have to be is told here by offsets, not by the structure that the tool uses; on
 * the host util-linux's own mkswap, where it is, has to write the very same.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "usr/lib/swapheader.h"
#include "usr/lib/testdir.h"
#include "usr/lib/testtools.h"
#include "usr/lib/testutil.h"

#define UUID	  "01234567-89ab-cdef-0123-456789abcdef"
#define HOST_TOOL "/sbin/mkswap"
#define AREA_SIZE (100 * 1024)

static const unsigned char uuid[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
					0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
static char output[4096];

/* A file "area" without holes in a new directory; nothing of it is zero by luck. */
static void make_area(const char *name, size_t size)
{
	static unsigned char bytes[AREA_SIZE + 1];

	CHECK(size <= sizeof(bytes));
	fill_pattern(bytes, size, 7, 0);
	write_file(name, bytes, size);
	CHECK_OK(chmod(name, 0600));
}

static size_t read_area(const char *name, unsigned char *bytes, size_t size)
{
	int fd = CHECK_OK(open(name, O_RDONLY));
	ssize_t n = CHECK_OK(read(fd, bytes, size));

	close(fd);
	return n;
}

static void put32(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = value >> (8 * i);
}

/* The first page of an area of @pages pages. */
static void expect_header(unsigned char *page, uint32_t pages, const char *label)
{
	memset(page, 0, PAGE_SIZE);
	put32(page + 1024, 1);
	put32(page + 1028, pages - 1);
	memcpy(page + 1036, uuid, 16);
	memcpy(page + 1052, label, strlen(label));
	memcpy(page + 4086, "SWAPSPACE2", 10);
}

/* @expected_size bytes of "area" are what they must be: the header, then what was there before. */
static void check_area(size_t expected_size, uint32_t pages, const char *label)
{
	static unsigned char got[AREA_SIZE + 2], expected[AREA_SIZE + 2];

	CHECK_EQ(read_area("area", got, sizeof(got)), expected_size);
	fill_pattern(expected, expected_size, 7, 0);
	expect_header(expected, pages, label);
	for (size_t i = 0; i < expected_size; i++) {
		if (got[i] != expected[i])
			test_fail(__FILE__, __LINE__, "byte %zu: expected %d, got %d", i,
				  expected[i], got[i]);
	}
}

/* util-linux's mkswap with the same words makes a file of the same bytes, and says the same. */
static void check_with_host(size_t size, const char *words)
{
	char command[512];

	if (on_ravel() || access(HOST_TOOL, X_OK) < 0)
		return;
	make_area("theirs", size);
	snprintf(command, sizeof(command),
		 HOST_TOOL " %s theirs >said 2>errors; mkswap %s area >ours 2>errors;"
			   "cmp area theirs && cmp ours said",
		 words, words);
	CHECK_EQ(run_line(command, output, sizeof(output)), 0);
	CHECK_STRING(output, "");
}

TEST(the_bytes_of_an_area)
{
	tools_path();
	test_dir();
	make_area("area", AREA_SIZE);
	CHECK_EQ(run_line("mkswap -U " UUID " area", output, sizeof(output)), 0);
	CHECK_STRING(output, "Setting up swapspace version 1, size = 96 KiB (98304 bytes)\n"
			     "no label, UUID=" UUID "\n");
	check_area(AREA_SIZE, AREA_SIZE / PAGE_SIZE, "");
	check_with_host(AREA_SIZE, "-U " UUID);
	test_dir_leave();
}

TEST(the_label)
{
	tools_path();
	test_dir();
	make_area("area", AREA_SIZE);
	CHECK_EQ(run_line("mkswap -L pages -U " UUID " area", output, sizeof(output)), 0);
	CHECK_STRING(output, "Setting up swapspace version 1, size = 96 KiB (98304 bytes)\n"
			     "LABEL=pages, UUID=" UUID "\n");
	check_area(AREA_SIZE, AREA_SIZE / PAGE_SIZE, "pages");
	check_with_host(AREA_SIZE, "-L pages -U " UUID);

	make_area("area", AREA_SIZE);
	CHECK_EQ(run_line("mkswap -L abcdefghijklmnopq -U " UUID " area", output, sizeof(output)),
		 0);
	CHECK_STRING(output, "mkswap: Label was truncated.\n"
			     "Setting up swapspace version 1, size = 96 KiB (98304 bytes)\n"
			     "LABEL=abcdefghijklmno, UUID=" UUID "\n");
	check_area(AREA_SIZE, AREA_SIZE / PAGE_SIZE, "abcdefghijklmno");
	check_with_host(AREA_SIZE, "-L abcdefghijklmnopq -U " UUID);
	test_dir_leave();
}

TEST(the_last_part_of_a_page_is_not_used)
{
	tools_path();
	test_dir();
	make_area("area", AREA_SIZE + 1);
	CHECK_EQ(run_line("mkswap -U " UUID " area", output, sizeof(output)), 0);
	check_area(AREA_SIZE + 1, AREA_SIZE / PAGE_SIZE, "");
	make_area("area", AREA_SIZE - 1);
	CHECK_EQ(run_line("mkswap -U " UUID " area", output, sizeof(output)), 0);
	check_area(AREA_SIZE - 1, AREA_SIZE / PAGE_SIZE - 1, "");
	check_with_host(AREA_SIZE - 1, "-U " UUID);
	test_dir_leave();
}

TEST(a_size_on_the_command_line)
{
	tools_path();
	test_dir();
	make_area("area", AREA_SIZE);
	CHECK_EQ(run_line("mkswap -U " UUID " area 43", output, sizeof(output)), 0);
	check_area(AREA_SIZE, 10, "");
	make_area("area", AREA_SIZE);
	CHECK_EQ(run_line("mkswap area 101", output, sizeof(output)), 1);
	CHECK_STRING(output, "mkswap: error: size 101 KiB is larger than device size 100 KiB\n");
	CHECK_EQ(run_line("mkswap -f -U " UUID " area 2000", output, sizeof(output)), 0);
	CHECK_STRING(output, "Setting up swapspace version 1, size = 1.9 MiB (2043904 bytes)\n"
			     "no label, UUID=" UUID "\n");
	check_area(AREA_SIZE, 500, "");
	test_dir_leave();
}

TEST(warnings)
{
	tools_path();
	test_dir();
	make_area("area", AREA_SIZE);
	CHECK_OK(chmod("area", 0644));
	CHECK_EQ(run_line("mkswap -U clear area", output, sizeof(output)), 0);
	CHECK_STRING(output, "mkswap: area: insecure permissions 0644, fix with: chmod 0600 area\n"
			     "Setting up swapspace version 1, size = 96 KiB (98304 bytes)\n"
			     "no label, UUID=00000000-0000-0000-0000-000000000000\n");
	CHECK_EQ(run_line("mkswap area 2>&1 >/dev/null | tail -n 1", output, sizeof(output)), 0);
	CHECK_STRING(output, "mkswap: area: warning: wiping old swap signature.\n");
	CHECK_EQ(run_line("chmod 600 area; mkswap -c area 2>&1 >/dev/null | head -n 1", output,
			  sizeof(output)),
		 0);
	CHECK_STRING(output, "mkswap: warning: checking bad blocks from swap file is not "
			     "supported: area\n");
	test_dir_leave();
}

TEST(a_random_uuid)
{
	static unsigned char first[PAGE_SIZE], second[PAGE_SIZE];

	tools_path();
	test_dir();
	make_area("area", AREA_SIZE);
	CHECK_EQ(run_line("mkswap area", output, sizeof(output)), 0);
	read_area("area", first, PAGE_SIZE);
	CHECK_EQ(run_line("mkswap -U random area", output, sizeof(output)), 0);
	read_area("area", second, PAGE_SIZE);
	CHECK(memcmp(first + 1036, second + 1036, 16) != 0);
	CHECK_EQ(second[1036 + 6] >> 4, 4); /* the version: random numbers */
	CHECK_EQ(second[1036 + 8] >> 6, 2);
	test_dir_leave();
}

/* Each leaves the file as it was. */
static void check_refused(const char *command, const char *words)
{
	CHECK_EQ(run_line(command, output, sizeof(output)), 1);
	CHECK_STRING(output, words);
}

TEST(refused)
{
	static unsigned char got[AREA_SIZE], expected[AREA_SIZE];

	tools_path();
	test_dir();
	make_area("area", 10 * PAGE_SIZE - 1);
	check_refused("mkswap area", "mkswap: error: swap area needs to be at least 40 KiB\n");
	check_refused("mkswap area 20", "mkswap: error: swap area needs to be at least 40 KiB\n");
	check_refused("mkswap nosuch", "mkswap: cannot open nosuch: No such file or directory\n");
	check_refused("mkswap .", "mkswap: cannot open .: Is a directory\n");
	check_refused("mkswap", "mkswap: error: Nowhere to set up swap on?\n");
	make_area("area", AREA_SIZE);
	check_refused("mkswap -U 0123 area", "mkswap: error: parsing UUID failed\n");
	check_refused("mkswap -U 01234567-89ab-cdef-0123x456789abcdef area",
		      "mkswap: error: parsing UUID failed\n");
	CHECK_EQ(read_area("area", got, sizeof(got)), AREA_SIZE);
	fill_pattern(expected, AREA_SIZE, 7, 0);
	CHECK(memcmp(got, expected, AREA_SIZE) == 0);
	test_dir_leave();
}

TEST(not_writable)
{
	tools_path();
	test_dir();
	if (geteuid() != 0)
		SKIP("needs root, to become nobody");
	make_area("area", AREA_SIZE);
	CHECK_OK(chmod("area", 0444));
	CHECK_CHILD({
		CHECK_OK(setuid(65534));
		CHECK_EQ(run_line("mkswap area", output, sizeof(output)), 1);
		CHECK_STRING(output, "mkswap: cannot open area: Permission denied\n");
	});
	test_dir_leave();
}

/*
 * The first line of /proc/mounts that names a device: the root disk. Never on the host: a mkswap
 * that is wrong would cost it its disk.
 */
TEST(a_mounted_disk)
{
	char command[512], words[512], source[256];

	if (!on_ravel())
		SKIP("Ravel's disk alone is put at risk");
	tools_path();
	if (run_line("grep -o '^/dev/[^ ]*' /proc/mounts | head -n 1", source, sizeof(source)) ||
	    !source[0])
		SKIP("no disk is mounted");
	source[strcspn(source, "\n")] = '\0';
	snprintf(command, sizeof(command), "mkswap %s", source);
	snprintf(words, sizeof(words), "mkswap: error: %s is mounted; will not make swapspace\n",
		 source);
	check_refused(command, words);
}

/* The second disk (SWAP=) as a whole; on Ravel only, as above. */
TEST(a_disk)
{
	static unsigned char got[PAGE_SIZE], expected[PAGE_SIZE];
	uint64_t size;
	int fd;

	if (!on_ravel())
		SKIP("Ravel's disk alone is put at risk");
	fd = open("/dev/vdb", O_RDWR);
	if (fd < 0)
		SKIP("there is no second disk, or it is in use");
	CHECK_OK(ioctl(fd, BLKGETSIZE64, &size));
	memset(got, 0, PAGE_SIZE); /* no header of an earlier test */
	CHECK_EQ(write(fd, got, PAGE_SIZE), PAGE_SIZE);
	close(fd);
	tools_path();
	CHECK_EQ(run_line("mkswap -L disk -U " UUID " /dev/vdb 2>&1 >/dev/null", output,
			  sizeof(output)),
		 0);
	CHECK_STRING(output, "");
	CHECK(drop_caches());
	CHECK_EQ(read_area("/dev/vdb", got, PAGE_SIZE), PAGE_SIZE);
	expect_header(expected, size / PAGE_SIZE, "disk");
	CHECK(memcmp(got, expected, PAGE_SIZE) == 0);
	CHECK_EQ(run_line("mkswap -c -U " UUID " /dev/vdb | head -n 1", output, sizeof(output)), 0);
	CHECK(strstr(output, "0 bad pages\n"));
}

TEST(headers_that_are_wrong)
{
	static struct swap_header good, bad;

	CHECK_EQ(swap_header_make(&good, 9), -1);
	CHECK_EQ(swap_header_make(&good, 10), 0);
	CHECK(!swap_header_fault(&good, 10 * PAGE_SIZE));
	CHECK_STRING(swap_header_fault(&good, 10 * PAGE_SIZE - 1),
		     "swap area larger than the device");
	bad = good;
	bad.magic[9] = '1';
	CHECK_STRING(swap_header_fault(&bad, AREA_SIZE), "no swap signature");
	bad = good;
	bad.version = 2;
	CHECK_STRING(swap_header_fault(&bad, AREA_SIZE), "unsupported swap version");
	bad = good;
	bad.last_page = 0;
	CHECK_STRING(swap_header_fault(&bad, AREA_SIZE), "empty swap area");
	bad = good;
	bad.nr_badpages = SWAP_MAX_BADPAGES + 1;
	CHECK_STRING(swap_header_fault(&bad, AREA_SIZE), "too many bad pages");
	bad = good;
	CHECK_EQ(swap_header_add_bad(&bad, 9), 0);
	CHECK(!swap_header_fault(&bad, AREA_SIZE));
	CHECK_EQ(swap_header_add_bad(&bad, 10), 0);
	CHECK_STRING(swap_header_fault(&bad, AREA_SIZE), "bad page outside of the swap area");
	bad.nr_badpages = SWAP_MAX_BADPAGES;
	CHECK_EQ(swap_header_add_bad(&bad, 9), -1);
}
