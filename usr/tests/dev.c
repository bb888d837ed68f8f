/*
 * dev.c - /dev/null, zero, random, urandom and what they promise.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "usr/lib/testutil.h"

static int device(const char *path, int number)
{
	struct stat st;
	int fd = CHECK_OK(open(path, O_RDWR));

	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(major(st.st_rdev), 1);
	CHECK_EQ(minor(st.st_rdev), number);
	return fd;
}

TEST(null)
{
	int fd = device("/dev/null", 3);
	char byte;

	CHECK_EQ(write(fd, "gone", 4), 4);
	CHECK_EQ(read(fd, &byte, 1), 0);
}

TEST(zero)
{
	static char buffer[20000];
	int fd = device("/dev/zero", 5);

	memset(buffer, 1, sizeof(buffer));
	CHECK_EQ(read(fd, buffer, sizeof(buffer)), sizeof(buffer));
	for (size_t i = 0; i < sizeof(buffer); i++)
		CHECK_EQ(buffer[i], 0);
	CHECK_EQ(write(fd, "gone", 4), 4);
}

/* Two draws differ, and each byte's bits are spread: a thousand bytes hold many values. */
static void check_random(const unsigned char *a, const unsigned char *b)
{
	bool seen[256] = { false };
	int values = 0;

	CHECK(memcmp(a, b, 1000) != 0);
	for (int i = 0; i < 1000; i++)
		seen[a[i]] = true;
	for (int i = 0; i < 256; i++)
		values += seen[i];
	CHECK(values > 200);
}

TEST(random_and_urandom)
{
	static const char *const paths[] = { "/dev/random", "/dev/urandom" };
	static unsigned char a[1000], b[1000];

	for (int i = 0; i < 2; i++) {
		int fd = device(paths[i], 8 + i);

		CHECK_EQ(read(fd, a, 1000), 1000);
		CHECK_EQ(read(fd, b, 1000), 1000);
		check_random(a, b);
	}
}

TEST(getrandom_call)
{
	static unsigned char a[1000], b[1000];

	CHECK_EQ(getrandom(a, 1000, 0), 1000);
	CHECK_EQ(getrandom(b, 1000, GRND_NONBLOCK), 1000);
	check_random(a, b);
	CHECK_ERRNO(getrandom(a, 1, 0x100), EINVAL);
}

TEST(dev_is_a_directory_of_devices)
{
	struct stat st;

	CHECK_OK(stat("/dev", &st));
	CHECK(S_ISDIR(st.st_mode));
	CHECK_ERRNO(open("/dev/no such device", O_RDONLY), ENOENT);
}
