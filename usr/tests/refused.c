/*
 * refused.c - what a call of memory or signals refuses, it refuses with the man page's errno, and
 * changes nothing: tables of wrong requests, and the whole state of the process around each.
 *
 *	state   /proc/self/maps, the mask, what waits, every action, the alternate stack, timers,
 *		the seals and the size of a memfd, the bytes of the areas
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "usr/lib/testsignal.h"
#include "usr/lib/testutil.h"

#define RW	 (PROT_READ | PROT_WRITE)
#define RX	 (PROT_READ | PROT_EXEC)
#define KERNEL	 ((long)KERNEL_ADDRESS)
#define PAGE	 ((long)PAGE_SIZE)
#define SIGSETS	 8  /* bytes of the kernel's sigset_t */
#define NSIG_ALL 64 /* the last signal */
#define CLOSED	 97 /* no such descriptor */

#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* ---- the state ---- */

struct state {
	char maps[16384];
	char pending[256]; /* of /proc/self/status: the lines about signals */
	struct sigaction actions[NSIG_ALL + 1];
	stack_t stack;
	struct itimerval timers[3];
	struct stat memfd;
	int seals;
};

static struct state before, after;

static int memfd, sealed, ro, wo, path_fd, dir, ends[2], segment;
static char *map, *shm; /* four pages of the memfd, shared; the segment */

static void look(struct state *s)
{
	sigset_t mask, pending;

	memset(s, 0, sizeof(*s));
	CHECK(read_text("/proc/self/maps", s->maps, sizeof(s->maps)) > 0);
	CHECK_OK(sigprocmask(SIG_SETMASK, NULL, &mask));
	CHECK_OK(sigpending(&pending));
	memcpy(s->pending, &mask, SIGSETS);
	memcpy(s->pending + SIGSETS, &pending, SIGSETS);
	for (int i = 1; i <= NSIG_ALL; i++)
		raw_syscall(SYS_rt_sigaction, i, 0, (long)&s->actions[i], SIGSETS, 0, 0);
	CHECK_OK(sigaltstack(NULL, &s->stack));
	for (int i = 0; i < 3; i++)
		CHECK_OK(getitimer(i, &s->timers[i]));
	CHECK_OK(fstat(memfd, &s->memfd));
	s->seals = CHECK_OK(fcntl(memfd, F_GET_SEALS));
}

static void start(void)
{
	const char *name = tmp_path("refused");

	memfd = CHECK_OK(memfd_create("m", MFD_ALLOW_SEALING));
	CHECK_OK(ftruncate(memfd, 4 * PAGE_SIZE));
	map = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, RW, MAP_SHARED, memfd, 0));
	memset(map, 'm', 4 * PAGE_SIZE);
	sealed = CHECK_OK(memfd_create("s", MFD_ALLOW_SEALING));
	CHECK_OK(ftruncate(sealed, PAGE_SIZE));
	CHECK_OK(fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
	write_file(name, "text", 4);
	ro = CHECK_OK(open(name, O_RDONLY));
	wo = CHECK_OK(open(name, O_WRONLY));
	path_fd = CHECK_OK(open(name, O_PATH));
	dir = CHECK_OK(open("/", O_RDONLY | O_DIRECTORY));
	CHECK_OK(unlink(name));
	CHECK_OK(pipe(ends));
	segment = CHECK_OK(shmget(IPC_PRIVATE, 2 * PAGE_SIZE, 0600));
	shm = CHECK_OK(shmat(segment, NULL, 0));
	close(CLOSED);
	look(&before);
}

static void finish(void)
{
	CHECK_OK(shmdt(shm));
	CHECK_OK(shmctl(segment, IPC_RMID, NULL));
}

/* A wrong request, and what it must give. */
struct request {
	const char *what;
	long nr, args[6];
	int error;
};

static void refuse(const struct request *requests, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct request *r = &requests[i];
		const long *a = r->args;
		long got = raw_syscall(r->nr, a[0], a[1], a[2], a[3], a[4], a[5]);

		if (got != -r->error)
			test_fail(__FILE__, __LINE__, "%s: expected %s, got %ld", r->what,
				  strerrorname_np(r->error), got);
		look(&after);
		CHECK_STRING(after.maps, before.maps);
		if (memcmp(&after, &before, sizeof(before)) != 0)
			test_fail(__FILE__, __LINE__, "%s: something has changed", r->what);
		for (long b = 0; b < 4 * PAGE; b += 512)
			CHECK_EQ(map[b], 'm');
	}
}

#define REFUSE(...)                                                                                \
	do {                                                                                       \
		const struct request list_[] = { __VA_ARGS__ };                                    \
		refuse(list_, ARRAY_LEN(list_));                                                   \
	} while (0)

/* ---- shared mappings ---- */

#define MMAP(what, error, ...)                                                                     \
	{                                                                                          \
		"mmap: " what, SYS_mmap, { __VA_ARGS__ }, error                                    \
	}

TEST(mmap_shared)
{
	const int shared = MAP_SHARED, validate = MAP_SHARED_VALIDATE;

	start();
	REFUSE(MMAP("no such descriptor", EBADF, 0, PAGE, PROT_READ, shared, CLOSED, 0),
	       MMAP("descriptor -1", EBADF, 0, PAGE, PROT_READ, shared, -1, 0),
	       MMAP("O_PATH", EBADF, 0, PAGE, PROT_READ, shared, path_fd, 0),
	       MMAP("write to O_RDONLY", EACCES, 0, PAGE, RW, shared, ro, 0),
	       MMAP("read of O_WRONLY", EACCES, 0, PAGE, PROT_READ, shared, wo, 0),
	       MMAP("write to O_WRONLY", EACCES, 0, PAGE, PROT_WRITE, shared, wo, 0),
	       MMAP("a directory", ENODEV, 0, PAGE, PROT_READ, shared, dir, 0),
	       MMAP("a pipe", ENODEV, 0, PAGE, PROT_READ, shared, ends[0], 0),
	       MMAP("sealed", EPERM, 0, PAGE, RW, shared, sealed, 0),
	       MMAP("no type", EINVAL, 0, PAGE, PROT_READ, 0, memfd, 0),
	       MMAP("type 15", EINVAL, 0, PAGE, PROT_READ, 15, memfd, 0),
	       MMAP("no length", EINVAL, 0, 0, PROT_READ, shared, memfd, 0),
	       MMAP("offset in a page", EINVAL, 0, PAGE, PROT_READ, shared, memfd, 100),
	       MMAP("too long", ENOMEM, 0, 1L << 48, PROT_READ, shared, memfd, 0),
	       MMAP("rounds up to 0", ENOMEM, 0, -1L, PROT_READ, shared, memfd, 0),
	       MMAP("offset overflows", EOVERFLOW, 0, 2 * PAGE, PROT_READ, shared, memfd, -PAGE),
	       MMAP("address in a page", EINVAL, (long)map + 1, PAGE, RW, shared | MAP_FIXED, memfd,
		    0),
	       MMAP("the kernel's half", ENOMEM, KERNEL, PAGE, RW, shared | MAP_FIXED, memfd, 0),
	       MMAP("across the end", ENOMEM, -PAGE, 2 * PAGE, RW, shared | MAP_FIXED, memfd, 0),
	       MMAP("what is mapped", EEXIST, (long)map + PAGE, PAGE, RW,
		    shared | MAP_FIXED_NOREPLACE, memfd, 0),
	       MMAP("fixed, refused", EACCES, (long)map, PAGE, RW, shared | MAP_FIXED, ro, 0),
	       MMAP("fixed, sealed", EPERM, (long)map, PAGE, RW, shared | MAP_FIXED, sealed, 0),
	       MMAP("MAP_SYNC", EOPNOTSUPP, 0, PAGE, RW, validate | MAP_SYNC, memfd, 0),
	       MMAP("unknown flag", EOPNOTSUPP, 0, PAGE, RW, validate | 1 << 25, memfd, 0),
	       MMAP("validate nothing", EINVAL, 0, PAGE, RW, validate | MAP_ANONYMOUS, -1, 0),
	       MMAP("growing down", EINVAL, 0, PAGE, RW, shared | MAP_GROWSDOWN, memfd, 0), );
	finish();
}

#define CALL(error, name, ...)                                                                     \
	{                                                                                          \
#name ": " #__VA_ARGS__, SYS_##name, { __VA_ARGS__ }, error                        \
	}

TEST(munmap_mprotect_msync)
{
	long at = (long)map;

	start();
	at = (long)map;
	CHECK_OK(mmap(map, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, sealed, 0));
	CHECK_OK(mmap(map, PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, memfd, 0));
	REFUSE(CALL(EINVAL, munmap, at + 1, PAGE), CALL(EINVAL, munmap, at, 0),
	       CALL(EINVAL, munmap, at, -PAGE), CALL(EINVAL, munmap, KERNEL, PAGE),
	       CALL(EINVAL, munmap, -PAGE, PAGE), CALL(EINVAL, mprotect, at + 1, PAGE, PROT_READ),
	       CALL(EINVAL, mprotect, at, PAGE, 0x40), CALL(EINVAL, mprotect, at, PAGE, -1),
	       CALL(ENOMEM, mprotect, at, -PAGE, PROT_READ),
	       CALL(ENOMEM, mprotect, KERNEL, PAGE, PROT_READ),
	       CALL(EINVAL, msync, at, PAGE, MS_SYNC | MS_ASYNC), CALL(EINVAL, msync, at, PAGE, 8),
	       CALL(EINVAL, msync, at + 1, PAGE, MS_SYNC), CALL(ENOMEM, msync, at, -PAGE, MS_SYNC),
	       CALL(ENOMEM, msync, KERNEL, PAGE, MS_SYNC),
	       CALL(ENOMEM, msync, KERNEL, PAGE, MS_ASYNC), );
	finish();
}

/* A mapping of what may not be written does not become writable; its neighbours stay too. */
TEST(mprotect_of_what_was_not_opened_for_writing)
{
	char *p;

	start();
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, ro, 0));
	CHECK_EQ(p[0], 't');
	look(&before);
	REFUSE(CALL(EACCES, mprotect, (long)p, PAGE, RW),
	       CALL(EACCES, mprotect, (long)p, PAGE, PROT_WRITE), );
	CHECK_SIGNAL({ p[0] = 1; }, SIGSEGV);
	finish();
}

TEST(memfd_and_seals)
{
	start();
	REFUSE(CALL(EINVAL, memfd_create, (long)"a", 0x1000),
	       CALL(EINVAL, memfd_create, (long)"a", -1), CALL(EFAULT, memfd_create, KERNEL, 0),
	       CALL(EFAULT, memfd_create, 0, 0),
	       CALL(EBUSY, fcntl, memfd, F_ADD_SEALS, F_SEAL_WRITE),
	       CALL(EBUSY, fcntl, memfd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW),
	       CALL(EINVAL, fcntl, memfd, F_ADD_SEALS, 0x8000),
	       CALL(EPERM, fcntl, sealed, F_ADD_SEALS, F_SEAL_GROW),
	       CALL(EINVAL, fcntl, dir, F_GET_SEALS, 0),
	       CALL(EINVAL, fcntl, ends[0], F_GET_SEALS, 0),
	       CALL(EBADF, fcntl, CLOSED, F_GET_SEALS, 0),
	       CALL(EBADF, fcntl, CLOSED, F_ADD_SEALS, 0),
	       CALL(EBADF, fcntl, path_fd, F_ADD_SEALS, 0),
	       CALL(EPERM, write, sealed, (long)"x", 1), CALL(EBADF, ftruncate, CLOSED, 0),
	       CALL(EINVAL, ftruncate, memfd, -1), );
	finish();
}

TEST(system_v)
{
	struct shmid_ds ds;
	long at, data = (long)&ds;

	start();
	at = (long)shm;
	CHECK_OK(shmctl(segment, IPC_STAT, &ds));
	REFUSE(CALL(EINVAL, shmget, IPC_PRIVATE, 0, 0600),
	       CALL(EINVAL, shmget, IPC_PRIVATE, -1, 0600),
	       CALL(ENOENT, shmget, 0x52fedcba, PAGE, 0600), CALL(EINVAL, shmat, -1, 0, 0),
	       CALL(EINVAL, shmat, segment + 1, 0, 0), CALL(EINVAL, shmat, segment, at + 1, 0),
	       CALL(EINVAL, shmat, segment, at, 0), CALL(EINVAL, shmat, segment, 0, SHM_REMAP),
	       CALL(EINVAL, shmdt, at + 1), CALL(EINVAL, shmdt, at + PAGE),
	       CALL(EINVAL, shmdt, (long)map), CALL(EINVAL, shmdt, KERNEL), CALL(EINVAL, shmdt, 0),
	       CALL(EINVAL, shmctl, -1, IPC_STAT, data),
	       CALL(EINVAL, shmctl, segment + 1, IPC_RMID, 0),
	       CALL(EINVAL, shmctl, segment, 999, data),
	       CALL(EFAULT, shmctl, segment, IPC_STAT, KERNEL),
	       CALL(EFAULT, shmctl, segment, IPC_SET, KERNEL), );
	CHECK_OK(shmctl(segment, IPC_STAT, &ds));
	CHECK_EQ(ds.shm_nattch, 1);
	finish();
}

/* ---- signals ---- */

static void handle(int signal)
{
	(void)signal;
}

/* Something that a wrong call could spoil. */
static void start_signals(void)
{
	static char stack[65536];

	start();
	on_signal(SIGUSR1, 0);
	signal_mask(SIG_BLOCK, SIGUSR2);
	CHECK_OK(raise(SIGUSR2));
	CHECK_OK(sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL));
	look(&before);
}

TEST(sigaction)
{
	struct sigaction action = { .sa_handler = handle };
	long act = (long)&action;

	start_signals();
	REFUSE(CALL(EINVAL, rt_sigaction, 0, act, 0, SIGSETS),
	       CALL(EINVAL, rt_sigaction, 65, act, 0, SIGSETS),
	       CALL(EINVAL, rt_sigaction, -1, act, 0, SIGSETS),
	       CALL(EINVAL, rt_sigaction, SIGKILL, act, 0, SIGSETS),
	       CALL(EINVAL, rt_sigaction, SIGSTOP, act, 0, SIGSETS),
	       CALL(EINVAL, rt_sigaction, SIGUSR1, act, 0, 4),
	       CALL(EINVAL, rt_sigaction, SIGUSR1, act, 0, 16),
	       CALL(EFAULT, rt_sigaction, SIGUSR1, KERNEL, 0, SIGSETS),
	       CALL(EFAULT, rt_sigaction, SIGUSR1, 8, 0, SIGSETS),
	       CALL(EFAULT, rt_sigaction, SIGUSR1, 0, KERNEL, SIGSETS), );
	finish();
}

TEST(masks)
{
	sigset_t set;
	long all = (long)&set;

	start_signals();
	sigfillset(&set);
	REFUSE(CALL(EINVAL, rt_sigprocmask, 3, all, 0, SIGSETS),
	       CALL(EINVAL, rt_sigprocmask, -1, all, 0, SIGSETS),
	       CALL(EINVAL, rt_sigprocmask, SIG_BLOCK, all, 0, 4),
	       CALL(EFAULT, rt_sigprocmask, SIG_BLOCK, KERNEL, 0, SIGSETS),
	       CALL(EFAULT, rt_sigprocmask, SIG_BLOCK, 0, KERNEL, SIGSETS),
	       CALL(EINVAL, rt_sigpending, all, 16), CALL(EFAULT, rt_sigpending, KERNEL, SIGSETS),
	       CALL(EINVAL, rt_sigsuspend, all, 4), CALL(EFAULT, rt_sigsuspend, KERNEL, SIGSETS), );
	finish();
}

TEST(sigtimedwait)
{
	struct timespec negative = { -1, 0 }, odd = { 0, 1000000000 }, now = { 0, 0 };
	siginfo_t info;
	sigset_t set;
	long all = (long)&set, at = (long)&info;

	start_signals();
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	REFUSE(CALL(EINVAL, rt_sigtimedwait, all, at, (long)&negative, SIGSETS),
	       CALL(EINVAL, rt_sigtimedwait, all, at, (long)&odd, SIGSETS),
	       CALL(EINVAL, rt_sigtimedwait, all, at, (long)&now, 4),
	       CALL(EFAULT, rt_sigtimedwait, KERNEL, at, (long)&now, SIGSETS),
	       CALL(EFAULT, rt_sigtimedwait, all, at, KERNEL, SIGSETS),
	       CALL(EAGAIN, rt_sigtimedwait, all, at, (long)&now, SIGSETS), );
	finish();
}

TEST(sigaltstack)
{
	stack_t tiny = { .ss_sp = map, .ss_size = 100 },
		flags = { .ss_sp = map, .ss_flags = 0x100 };

	start_signals();
	flags.ss_size = 65536;
	REFUSE(CALL(ENOMEM, sigaltstack, (long)&tiny, 0),
	       CALL(EINVAL, sigaltstack, (long)&flags, 0), CALL(EFAULT, sigaltstack, KERNEL, 0),
	       CALL(EFAULT, sigaltstack, 0, KERNEL), );
	finish();
}

TEST(sending)
{
	siginfo_t info = { .si_code = SI_USER };
	long self, at = (long)&info, nobody;
	pid_t gone;

	start_signals();
	self = getpid();
	gone = CHECK_OK(fork());
	if (gone == 0)
		_exit(0);
	CHECK_EXIT(gone, 0);
	nobody = gone;
	look(&before);
	REFUSE(CALL(EINVAL, kill, self, 65), CALL(EINVAL, kill, self, -1),
	       CALL(ESRCH, kill, nobody, 0), CALL(ESRCH, kill, nobody, SIGKILL),
	       CALL(ESRCH, kill, -nobody, SIGTERM), CALL(EINVAL, tgkill, self, self, 65),
	       CALL(EINVAL, tgkill, self, self, -1), CALL(EINVAL, tgkill, 0, self, 0),
	       CALL(EINVAL, tgkill, self, 0, 0), CALL(EINVAL, tgkill, -1, self, 0),
	       CALL(ESRCH, tgkill, nobody, self, 0), CALL(ESRCH, tgkill, self, nobody, 0),
	       CALL(EINVAL, tkill, 0, SIGTERM), CALL(EINVAL, tkill, self, 65),
	       CALL(ESRCH, tkill, nobody, 0), CALL(EINVAL, rt_sigqueueinfo, self, 65, at),
	       CALL(EFAULT, rt_sigqueueinfo, self, SIGTERM, KERNEL),
	       CALL(EPERM, rt_sigqueueinfo, getppid(), SIGTERM, at),
	       CALL(EPERM, rt_sigqueueinfo, nobody, 0, at), );
	finish();
}

TEST(timers)
{
	struct itimerval usec = { .it_value = { 1, 1000000 } }, minus = { .it_value = { -1, 0 } },
			 again = { .it_interval = { 0, -1 }, .it_value = { 1, 0 } };

	start_signals();
	REFUSE(CALL(EINVAL, setitimer, 3, (long)&minus, 0), CALL(EINVAL, setitimer, -1, 0, 0),
	       CALL(EINVAL, setitimer, ITIMER_REAL, (long)&usec, 0),
	       CALL(EINVAL, setitimer, ITIMER_REAL, (long)&minus, 0),
	       CALL(EINVAL, setitimer, ITIMER_VIRTUAL, (long)&again, 0),
	       CALL(EFAULT, setitimer, ITIMER_REAL, KERNEL, 0),
	       CALL(EINVAL, getitimer, 3, (long)&usec),
	       CALL(EFAULT, getitimer, ITIMER_REAL, KERNEL), );
	finish();
}
