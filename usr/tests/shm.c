/*
 * shm.c - System V shared memory: keys, attaching, detaching, removing, permissions, limits.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <time.h>

#include "usr/lib/testutil.h"

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

/* A key that nobody else on the host has. */
static key_t own_key(void)
{
	return 0x52000000 | (getpid() & 0xffffff);
}

static int make(size_t size)
{
	return CHECK_OK(shmget(IPC_PRIVATE, size, IPC_CREAT | 0600));
}

static volatile char *attach(int id, int flags)
{
	void *p = shmat(id, NULL, flags);

	CHECK(p != (void *)-1);
	return p;
}

static void destroy(int id)
{
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
}

static struct shmid_ds status(int id)
{
	struct shmid_ds ds;

	CHECK_OK(shmctl(id, IPC_STAT, &ds));
	return ds;
}

TEST(children_share_it)
{
	int id = make(3 * PAGE_SIZE);
	volatile char *p = attach(id, 0);

	CHECK_EQ(p[0], 0);
	CHECK_CHILD({
		volatile char *q = attach(id, 0);

		CHECK(q != p);
		q[0] = 1;
		p[2 * PAGE_SIZE] = 2;
		CHECK_OK(shmdt((void *)q));
	});
	CHECK_EQ(p[0], 1);
	CHECK_EQ(p[2 * PAGE_SIZE], 2);
	CHECK_OK(shmdt((void *)p));
	p = attach(id, 0);
	CHECK_EQ(p[0], 1);
	CHECK_OK(shmdt((void *)p));
	CHECK_SIGNAL({ p[0] = 1; }, SIGSEGV);
	destroy(id);
}

TEST(status_tells_the_truth)
{
	time_t now = time(NULL);
	int id = make(PAGE_SIZE + 1);
	struct shmid_ds ds = status(id);
	volatile char *p, *q;

	CHECK_EQ(ds.shm_segsz, PAGE_SIZE + 1);
	CHECK_EQ(ds.shm_nattch, 0);
	CHECK_EQ(ds.shm_perm.mode & 0777, 0600);
	CHECK_EQ(ds.shm_perm.uid, geteuid());
	CHECK_EQ(ds.shm_perm.cgid, getegid());
	CHECK_EQ(ds.shm_cpid, getpid());
	CHECK_EQ(ds.shm_lpid, 0);
	CHECK_EQ(ds.shm_atime, 0);
	CHECK_EQ(ds.shm_dtime, 0);
	CHECK_RANGE(ds.shm_ctime, now - 2, now + 100);
	p = attach(id, 0);
	q = attach(id, SHM_RDONLY);
	ds = status(id);
	CHECK_EQ(ds.shm_nattch, 2);
	CHECK_EQ(ds.shm_lpid, getpid());
	CHECK_RANGE(ds.shm_atime, now - 2, now + 100);
	CHECK_CHILD({ CHECK_EQ(status(id).shm_nattch, 4); });
	CHECK_EQ(status(id).shm_nattch, 2);
	p[PAGE_SIZE + 5] = 7;
	CHECK_EQ(q[PAGE_SIZE + 5], 7);
	CHECK_OK(shmdt((void *)p));
	ds = status(id);
	CHECK_EQ(ds.shm_nattch, 1);
	CHECK_RANGE(ds.shm_dtime, now - 2, now + 100);
	CHECK_OK(shmdt((void *)q));
	destroy(id);
}

TEST(a_key_finds_it)
{
	key_t key = own_key();
	int id = CHECK_OK(shmget(key, PAGE_SIZE, IPC_CREAT | IPC_EXCL | 0600));

	CHECK_EQ(shmget(key, PAGE_SIZE, 0600), id);
	CHECK_EQ(shmget(key, 1, IPC_CREAT | 0600), id);
	CHECK_EQ(shmget(key, 0, 0), id);
	CHECK_ERRNO(shmget(key, PAGE_SIZE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	CHECK_ERRNO(shmget(key, PAGE_SIZE + 1, 0600), EINVAL);
	CHECK_EQ(status(id).shm_perm.__key, key);
	destroy(id);
	CHECK_ERRNO(shmget(key, PAGE_SIZE, 0600), ENOENT);
	CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);
}

TEST(ids_are_not_used_twice)
{
	int first = make(PAGE_SIZE), second;

	destroy(first);
	second = make(PAGE_SIZE);
	CHECK(second != first);
	CHECK_ERRNO((long)shmat(first, NULL, 0), EINVAL);
	destroy(second);
}

TEST(removed_while_attached)
{
	key_t key = own_key();
	int id = CHECK_OK(shmget(key, PAGE_SIZE, IPC_CREAT | IPC_EXCL | 0600)), other;
	volatile char *p = attach(id, 0), *q;
	struct shmid_ds ds;

	p[0] = 1;
	destroy(id);
	ds = status(id);
	CHECK(ds.shm_perm.mode & SHM_DEST);
	CHECK_EQ(ds.shm_perm.__key, IPC_PRIVATE);
	CHECK_EQ(ds.shm_nattch, 1);
	CHECK_ERRNO(shmget(key, PAGE_SIZE, 0600), ENOENT);
	other = CHECK_OK(shmget(key, PAGE_SIZE, IPC_CREAT | IPC_EXCL | 0600));
	CHECK(other != id);
	q = attach(id, 0);
	CHECK_EQ(q[0], 1);
	CHECK_OK(shmdt((void *)p));
	q[0] = 2;
	CHECK_OK(shmdt((void *)q));
	CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EINVAL);
	destroy(other);
}

TEST(an_exit_detaches)
{
	int id = make(PAGE_SIZE);
	pid_t pid;

	pid = CHECK_OK(fork());
	if (pid == 0) {
		attach(id, 0)[0] = 5;
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	CHECK_EQ(status(id).shm_nattch, 0);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		volatile char *p = attach(id, 0);

		CHECK_EQ(p[0], 5);
		destroy(id);
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);
}

TEST(where_it_is_attached)
{
	int id = make(2 * PAGE_SIZE);
	char *hole = map_anon(8 * PAGE_SIZE), *p;

	CHECK_OK(munmap(hole, 8 * PAGE_SIZE));
	CHECK_ERRNO((long)shmat(id, hole + 1, 0), EINVAL);
	p = shmat(id, hole + PAGE_SIZE + 1, SHM_RND);
	CHECK_EQ(p, hole + PAGE_SIZE);
	CHECK_ERRNO((long)shmat(id, hole + PAGE_SIZE, 0), EINVAL);
	CHECK_ERRNO((long)shmat(id, hole, 0), EINVAL);
	CHECK_ERRNO((long)shmat(id, NULL, SHM_REMAP), EINVAL);
	p[0] = 4;
	CHECK_EQ(shmat(id, hole, SHM_REMAP), hole);
	CHECK_EQ(hole[0], 4);
	CHECK_ERRNO((long)shmat(id, (void *)KERNEL_ADDRESS, 0), ENOMEM);
	CHECK_OK(shmdt(hole));
	/* What the remap left of the first attach. */
	CHECK_EQ(hole[2 * PAGE_SIZE], 0);
	CHECK_OK(shmdt(hole + PAGE_SIZE));
	CHECK(range_unmapped((unsigned long)hole, (unsigned long)hole + 4 * PAGE_SIZE));
	destroy(id);
}

TEST(detaching)
{
	int id = make(4 * PAGE_SIZE);
	char *p = (char *)attach(id, 0), *anon = map_anon(PAGE_SIZE);

	CHECK_ERRNO(shmdt(p + 1), EINVAL);
	CHECK_ERRNO(shmdt(p + PAGE_SIZE), EINVAL);
	CHECK_ERRNO(shmdt(anon), EINVAL);
	CHECK_ERRNO(shmdt((void *)KERNEL_ADDRESS), EINVAL);
	p[0] = 1;
	CHECK_OK(munmap(p + PAGE_SIZE, PAGE_SIZE));
	CHECK_EQ(status(id).shm_nattch, 2);
	CHECK_OK(mprotect(p + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ));
	CHECK_EQ(status(id).shm_nattch, 3);
	CHECK_OK(shmdt(p));
	CHECK(range_unmapped((unsigned long)p, (unsigned long)p + 4 * PAGE_SIZE));
	CHECK_ERRNO(shmdt(p), EINVAL);
	CHECK_OK(munmap(anon, PAGE_SIZE));
	destroy(id);
}

TEST(read_only)
{
	int id = make(PAGE_SIZE);
	volatile char *p = attach(id, SHM_RDONLY);

	CHECK_EQ(p[0], 0);
	CHECK_SIGNAL({ p[0] = 1; }, SIGSEGV);
	CHECK_ERRNO(mprotect((void *)p, PAGE_SIZE, PROT_READ | PROT_WRITE), EACCES);
	CHECK_OK(shmdt((void *)p));
	destroy(id);
}

TEST(others_need_permission)
{
	int id = make(PAGE_SIZE);
	struct shmid_ds ds = status(id);

	if (geteuid() != 0)
		SKIP("only root can become somebody else");
	CHECK_CHILD({
		CHECK_OK(setgid(12345));
		CHECK_OK(setuid(12345));
		CHECK_ERRNO((long)shmat(id, NULL, 0), EACCES);
		CHECK_ERRNO((long)shmat(id, NULL, SHM_RDONLY), EACCES);
		CHECK_ERRNO(shmctl(id, IPC_STAT, &ds), EACCES);
		CHECK_ERRNO(shmctl(id, IPC_SET, &ds), EPERM);
		CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EPERM);
		CHECK_ERRNO(shmctl(id, SHM_LOCK, NULL), EPERM);
	});
	ds.shm_perm.mode = 0604;
	CHECK_OK(shmctl(id, IPC_SET, &ds));
	CHECK_EQ(status(id).shm_perm.mode & 0777, 0604);
	CHECK_CHILD({
		CHECK_OK(setgid(12345));
		CHECK_OK(setuid(12345));
		CHECK_ERRNO((long)shmat(id, NULL, 0), EACCES);
		CHECK_OK(shmdt((void *)attach(id, SHM_RDONLY)));
		CHECK_OK(shmctl(id, IPC_STAT, &ds));
	});
	ds.shm_perm.uid = 12345;
	CHECK_OK(shmctl(id, IPC_SET, &ds));
	CHECK_CHILD({
		CHECK_OK(setgid(12345));
		CHECK_OK(setuid(12345));
		CHECK_OK(shmdt((void *)attach(id, 0)));
		destroy(id);
	});
	CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EINVAL);
}

static void limit_locking(rlim_t bytes)
{
	struct rlimit limit;

	CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &limit));
	limit.rlim_cur = bytes;
	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
}

TEST(locking_takes_the_right_and_the_room)
{
	if (geteuid() != 0)
		SKIP("only root can become somebody else");
	CHECK_CHILD({
		int id;

		CHECK_OK(setgid(12345));
		CHECK_OK(setuid(12345));
		id = make(2 * PAGE_SIZE);
		limit_locking(2 * PAGE_SIZE);
		CHECK_OK(shmctl(id, SHM_LOCK, NULL));
		CHECK_OK(shmctl(id, SHM_UNLOCK, NULL));
		limit_locking(PAGE_SIZE);
		CHECK_ERRNO(shmctl(id, SHM_LOCK, NULL), ENOMEM);
		CHECK(!(status(id).shm_perm.mode & SHM_LOCKED));
		limit_locking(0);
		CHECK_ERRNO(shmctl(id, SHM_LOCK, NULL), EPERM);
		CHECK_OK(shmctl(id, SHM_UNLOCK, NULL));
		destroy(id);
	});
}

TEST(limits_and_wrong_requests)
{
	struct shminfo info;
	struct shmid_ds ds;
	int id, highest;

	highest = CHECK_OK(shmctl(0, IPC_INFO, (struct shmid_ds *)&info));
	CHECK(highest >= 0);
	CHECK_EQ(info.shmmin, 1);
	CHECK(info.shmmax > 0);
	CHECK(info.shmmni > 0);
	CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_ERRNO(shmget(IPC_PRIVATE, info.shmmax + 1, 0600), EINVAL);
	CHECK_ERRNO(shmget(IPC_PRIVATE, -1UL, 0600), EINVAL);
	CHECK_ERRNO(shmget(own_key(), PAGE_SIZE, 0600), ENOENT);
	CHECK_ERRNO(shmctl(-1, IPC_STAT, &ds), EINVAL);
	CHECK_ERRNO(shmctl(0x7fffffff, IPC_STAT, &ds), EINVAL);
	CHECK_ERRNO((long)shmat(-1, NULL, 0), EINVAL);
	CHECK_ERRNO((long)shmat(0x7fffffff, NULL, 0), EINVAL);
	id = make(PAGE_SIZE);
	CHECK_ERRNO(shmctl(id, 999, &ds), EINVAL);
	CHECK_ERRNO(shmctl(id, IPC_STAT, (void *)KERNEL_ADDRESS), EFAULT);
	CHECK_ERRNO(shmctl(id, IPC_SET, (void *)KERNEL_ADDRESS), EFAULT);
	CHECK_ERRNO(shmctl(0, IPC_INFO, (void *)KERNEL_ADDRESS), EFAULT);
	CHECK_ERRNO(shmctl(0, SHM_INFO, (void *)KERNEL_ADDRESS), EFAULT);
	CHECK_OK(shmctl(id, SHM_LOCK, NULL));
	CHECK(status(id).shm_perm.mode & SHM_LOCKED);
	CHECK_OK(shmctl(id, SHM_UNLOCK, NULL));
	CHECK(!(status(id).shm_perm.mode & SHM_LOCKED));
	destroy(id);
}

TEST(by_index_and_in_proc)
{
	int id = make(5 * PAGE_SIZE), highest;
	struct shm_info info;
	char text[16384], *line;
	bool found = false;
	struct shmid_ds ds;

	highest = CHECK_OK(shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	CHECK(info.used_ids >= 1);
	CHECK(info.shm_tot >= 5);
	for (int i = 0; i <= highest; i++)
		found |= shmctl(i, SHM_STAT, &ds) == id && ds.shm_segsz == 5 * PAGE_SIZE;
	CHECK(found);
	found = false;
	for (int i = 0; i <= highest; i++)
		found |= shmctl(i, SHM_STAT_ANY, &ds) == id;
	CHECK(found);
	CHECK(read_text("/proc/sysvipc/shm", text, sizeof(text)) > 0);
	found = false;
	for (line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
		int key, its_id, mode;
		unsigned long size;

		CHECK_EQ(sscanf(line + 1, "%d %d %o %lu", &key, &its_id, &mode, &size), 4);
		found |= its_id == id && mode == 0600 && size == 5 * PAGE_SIZE;
	}
	CHECK(found);
	CHECK(read_text("/proc/sys/kernel/shmmni", text, sizeof(text)) > 0);
	CHECK(atoi(text) > 0);
	destroy(id);
}
