/*
 * memfd.c - memfd_create(2) and seals; /dev/shm, which is the same kind of file with a name.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "usr/lib/testutil.h"

#define RW	(PROT_READ | PROT_WRITE)
#define SEALING MFD_ALLOW_SEALING

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#define MFD_EXEC	16U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

static int make(unsigned flags, off_t size)
{
	int fd = CHECK_OK(memfd_create("name", flags));

	CHECK_OK(ftruncate(fd, size));
	return fd;
}

static volatile char *map(int fd, int prot, int flags)
{
	void *p = mmap(NULL, PAGE_SIZE, prot, flags, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

TEST(it_is_a_file_without_a_name)
{
	int fd = make(0, 3 * PAGE_SIZE);
	char path[64], target[64];
	struct stat st;
	char byte;

	CHECK_OK(fstat(fd, &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_mode & 0777, 0777);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(st.st_size, 3 * PAGE_SIZE);
	CHECK_EQ(pread(fd, &byte, 1, PAGE_SIZE), 1);
	CHECK_EQ(byte, 0);
	CHECK_EQ(write(fd, "text", 4), 4);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(target, 0, sizeof(target));
	CHECK_OK(readlink(path, target, sizeof(target) - 1));
	CHECK_STRING(target, "/memfd:name (deleted)");
	CHECK_OK(close(fd));
}

TEST(mapped_and_inherited)
{
	int fd = make(MFD_CLOEXEC, PAGE_SIZE);
	volatile char *p = map(fd, RW, MAP_SHARED);
	char byte;

	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_CHILD({ p[3] = 'c'; });
	CHECK_EQ(pread(fd, &byte, 1, 3), 1);
	CHECK_EQ(byte, 'c');
	CHECK_EQ(pwrite(fd, "w", 1, 4), 1);
	CHECK_EQ(p[4], 'w');
	CHECK_OK(close(fd));
	CHECK_EQ(p[4], 'w');
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
}

TEST(past_its_end_is_sigbus)
{
	int fd = make(0, 0);
	volatile char *p = map(fd, RW, MAP_SHARED);

	CHECK_SIGNAL({ p[0] = 1; }, SIGBUS);
	CHECK_OK(ftruncate(fd, 10));
	p[0] = 1;
	CHECK_OK(ftruncate(fd, 0));
	CHECK_SIGNAL({ (void)p[0]; }, SIGBUS);
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	CHECK_OK(close(fd));
}

TEST(wrong_names_and_flags)
{
	char name[300];

	memset(name, 'x', sizeof(name));
	name[249] = 0;
	CHECK_OK(close(CHECK_OK(memfd_create(name, 0))));
	name[249] = 'x';
	name[250] = 0;
	CHECK_ERRNO(memfd_create(name, 0), EINVAL);
	CHECK_OK(close(CHECK_OK(memfd_create("", 0))));
	CHECK_ERRNO(memfd_create("a", 0x1000), EINVAL);
	CHECK_ERRNO(memfd_create("a", -1), EINVAL);
	CHECK_ERRNO(memfd_create("a", MFD_EXEC | MFD_NOEXEC_SEAL), EINVAL);
	CHECK_ERRNO(memfd_create((char *)KERNEL_ADDRESS, 0), EFAULT);
	CHECK_ERRNO(memfd_create(NULL, 0), EFAULT);
}

TEST(seals_must_be_allowed)
{
	int fd = make(0, PAGE_SIZE), ro, ends[2];
	char path[64];

	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	CHECK_OK(close(fd));
	fd = make(SEALING, PAGE_SIZE);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, 0x100), EINVAL);
	CHECK_OK(fcntl(fd, F_ADD_SEALS, 0));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = CHECK_OK(open(path, O_RDONLY));
	CHECK_ERRNO(fcntl(ro, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	CHECK_EQ(fcntl(ro, F_GET_SEALS), 0);
	CHECK_OK(close(ro));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SEAL));
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SEAL);
	CHECK_OK(close(fd));
	CHECK_OK(pipe(ends));
	CHECK_ERRNO(fcntl(ends[0], F_GET_SEALS), EINVAL);
	CHECK_ERRNO(fcntl(ends[1], F_ADD_SEALS, 0), EINVAL);
	CHECK_OK(close(ends[0]));
	CHECK_OK(close(ends[1]));
	CHECK_ERRNO(fcntl(-1, F_GET_SEALS), EBADF);
}

TEST(sealed_sizes)
{
	int fd = make(SEALING, 2 * PAGE_SIZE);

	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	CHECK_ERRNO(ftruncate(fd, PAGE_SIZE), EPERM);
	CHECK_OK(ftruncate(fd, 2 * PAGE_SIZE));
	CHECK_OK(ftruncate(fd, 3 * PAGE_SIZE));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	CHECK_ERRNO(ftruncate(fd, 4 * PAGE_SIZE), EPERM);
	CHECK_ERRNO(pwrite(fd, "x", 1, 3 * PAGE_SIZE), EPERM);
	CHECK_EQ(pwrite(fd, "x", 1, 3 * PAGE_SIZE - 1), 1);
	CHECK_OK(close(fd));
}

TEST(sealed_against_writes)
{
	int fd = make(SEALING, PAGE_SIZE);
	volatile char *p = map(fd, RW, MAP_SHARED), *q;

	p[0] = 'a';
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK_OK(mprotect((void *)p, PAGE_SIZE, PROT_READ));
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
	q = map(fd, RW, MAP_PRIVATE);
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK_ERRNO(pwrite(fd, "x", 1, 0), EPERM);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, fd, 0), EPERM);
	q[0] = 'q';
	CHECK_OK(munmap((void *)q, PAGE_SIZE));
	p = map(fd, PROT_READ, MAP_PRIVATE);
	CHECK_EQ(p[0], 'a');
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	CHECK_OK(close(fd));
}

TEST(sealed_against_future_writes)
{
	int fd = make(SEALING, PAGE_SIZE);
	volatile char *p = map(fd, RW, MAP_SHARED), *q;

	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	p[0] = 'a';
	CHECK_ERRNO(pwrite(fd, "x", 1, 0), EPERM);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, fd, 0), EPERM);
	q = map(fd, PROT_READ, MAP_SHARED);
	CHECK_EQ(q[0], 'a');
	p[0] = 'b';
	CHECK_EQ(q[0], 'b');
	CHECK_ERRNO(mprotect((void *)q, PAGE_SIZE, RW), EACCES);
	CHECK_OK(munmap((void *)q, PAGE_SIZE));
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	CHECK_OK(close(fd));
}

TEST(not_to_be_executed)
{
	int fd = CHECK_OK(memfd_create("n", MFD_NOEXEC_SEAL));
	struct stat st;

	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_mode & 0777, 0666);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
	CHECK_ERRNO(fchmod(fd, 0777), EPERM);
	CHECK_OK(fchmod(fd, 0600));
	CHECK_OK(close(fd));
}

TEST(dev_shm_is_shared_memory_with_a_name)
{
	int fd = CHECK_OK(shm_open("/ravel-test", O_RDWR | O_CREAT | O_EXCL, 0600));
	volatile char *p, *q;
	int again;

	CHECK_OK(ftruncate(fd, PAGE_SIZE));
	p = map(fd, RW, MAP_SHARED);
	again = CHECK_OK(open("/dev/shm/ravel-test", O_RDWR));
	q = map(again, RW, MAP_SHARED);
	p[9] = 'n';
	CHECK_EQ(q[9], 'n');
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	CHECK_OK(shm_unlink("/ravel-test"));
	CHECK_ERRNO(shm_unlink("/ravel-test"), ENOENT);
	q[9] = 'm';
	CHECK_EQ(p[9], 'm');
	CHECK_OK(munmap((void *)p, PAGE_SIZE));
	CHECK_OK(munmap((void *)q, PAGE_SIZE));
	CHECK_OK(close(fd));
	CHECK_OK(close(again));
}
