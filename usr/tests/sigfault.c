/*
 * sigfault.c - handlers of faults: where and why, retrying, jumping out, and frames that cannot be.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>

#include "usr/lib/testsignal.h"
#include "usr/lib/testutil.h"

static sigjmp_buf jump;
static volatile int code;
static void *volatile address;
/* An address that nothing has: the compiler is not to know. */
static char *volatile nowhere = (char *)8;

static void jump_out(int signal, siginfo_t *info, void *context __attribute__((unused)))
{
	code = info->si_code;
	address = info->si_addr;
	siglongjmp(jump, signal);
}

static void jump_on(int signal, int flags)
{
	struct sigaction action = { .sa_sigaction = jump_out, .sa_flags = flags | SA_SIGINFO };

	CHECK_OK(sigaction(signal, &action, NULL));
}

/* The signal that a load (or, with write, a store) causes, or 0. */
static int touch(volatile char *p, bool write)
{
	int signal;

	code = 0;
	address = NULL;
	signal = sigsetjmp(jump, 1);
	if (signal)
		return signal;
	if (write)
		*p = 1;
	else
		(void)*p;
	return 0;
}

/* ---- where and why ---- */

TEST(maperr_and_accerr)
{
	char *p;

	jump_on(SIGSEGV, 0); /* first: it may map the page that handlers return to */
	p = mmap(NULL, 3 * PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_OK(munmap(p + PAGE_SIZE, PAGE_SIZE));
	for (int round = 0; round < 50; round++) {
		size_t offset = test_random_below(PAGE_SIZE);

		CHECK_EQ(touch(p + offset, false), 0);
		CHECK_EQ(touch(p + offset, true), SIGSEGV);
		CHECK_EQ(code, SEGV_ACCERR);
		CHECK_EQ(address, p + offset);
		CHECK_EQ(touch(p + PAGE_SIZE + offset, round % 2), SIGSEGV);
		CHECK_EQ(code, SEGV_MAPERR);
		CHECK_EQ(address, p + PAGE_SIZE + offset);
	}
	CHECK_OK(mprotect(p, PAGE_SIZE, PROT_NONE));
	CHECK_EQ(touch(p, false), SIGSEGV);
	CHECK_EQ(code, SEGV_ACCERR);
	CHECK_EQ(touch(nowhere, false), SIGSEGV);
	CHECK_EQ(code, SEGV_MAPERR);
	CHECK_EQ(address, nowhere);
	CHECK_EQ(touch((char *)KERNEL_ADDRESS, true), SIGSEGV);
}

TEST(a_fetch_faults_too)
{
	void *p;

	jump_on(SIGSEGV, 0);
	p = map_anon(PAGE_SIZE);
	if (sigsetjmp(jump, 1) == 0)
		((void (*)(void))p)();
	CHECK_EQ(code, SEGV_ACCERR);
	CHECK_EQ(address, p);
	CHECK_OK(munmap(p, PAGE_SIZE));
	if (sigsetjmp(jump, 1) == 0)
		((void (*)(void))p)();
	CHECK_EQ(code, SEGV_MAPERR);
	CHECK_EQ(address, p);
}

TEST(sigbus_past_the_end_of_a_file)
{
	int fd = CHECK_OK(open(tmp_path("bus"), O_CREAT | O_RDWR, 0600));
	char *p;

	CHECK_OK(unlink(tmp_path("bus")));
	CHECK_OK(ftruncate(fd, PAGE_SIZE));
	p = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	jump_on(SIGBUS, 0);
	CHECK_EQ(touch(p + PAGE_SIZE - 1, false), 0);
	CHECK_EQ(touch(p + PAGE_SIZE + 5, false), SIGBUS);
	CHECK_EQ(code, BUS_ADRERR);
	CHECK_EQ(address, p + PAGE_SIZE + 5);
	CHECK_OK(ftruncate(fd, 2 * PAGE_SIZE));
	CHECK_EQ(touch(p + PAGE_SIZE + 5, true), 0);
}

TEST(a_system_call_gets_efault_instead)
{
	int fds[2];

	CHECK_OK(pipe(fds));
	CHECK_OK(write(fds[1], "x", 1));
	on_signal(SIGSEGV, 0);
	CHECK_ERRNO(read(fds[0], nowhere, 1), EFAULT);
	CHECK_EQ(signal_calls, 0);
}

TEST(blocked_or_ignored_faults_kill)
{
	CHECK_SIGNAL(
		{
			on_signal(SIGSEGV, 0);
			signal_mask(SIG_BLOCK, SIGSEGV);
			*nowhere = 1;
		},
		SIGSEGV);
	CHECK_SIGNAL(
		{
			signal(SIGSEGV, SIG_IGN);
			*nowhere = 1;
		},
		SIGSEGV);
}

static void fault_again(int signal __attribute__((unused)))
{
	*nowhere = 1;
}

TEST(a_fault_in_its_own_handler_kills)
{
	CHECK_SIGNAL(
		{
			signal(SIGSEGV, fault_again);
			*nowhere = 1;
		},
		SIGSEGV);
}

/* ---- serving one's own faults ---- */

#define NR_PAGES 1000

static char *paged;
static volatile int served;

static void serve(int signal __attribute__((unused)), siginfo_t *info,
		  void *context __attribute__((unused)))
{
	char *page = (char *)((uintptr_t)info->si_addr & -PAGE_SIZE);

	if (page < paged || page >= paged + NR_PAGES * PAGE_SIZE)
		_exit(3);
	CHECK_OK(mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE));
	memset(page, (page - paged) / PAGE_SIZE & 0xff, PAGE_SIZE);
	served++;
}

TEST(a_pager_of_a_thousand_pages)
{
	struct sigaction action = { .sa_sigaction = serve, .sa_flags = SA_SIGINFO };

	paged = mmap(NULL, NR_PAGES * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(paged != MAP_FAILED);
	CHECK_OK(sigaction(SIGSEGV, &action, NULL));
	for (int i = 0; i < NR_PAGES; i++) {
		int page = i * 7 % NR_PAGES;

		CHECK_EQ((unsigned char)paged[page * PAGE_SIZE + i], page & 0xff);
		paged[page * PAGE_SIZE + i] = 1;
	}
	CHECK_EQ(served, NR_PAGES);
}

TEST(jumping_out_again_and_again)
{
	jump_on(SIGSEGV, 0);
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(touch(nowhere, true), SIGSEGV);
	CHECK(!signal_is_blocked(SIGSEGV));
}

/* ---- stacks ---- */

static char space[65536] __attribute__((aligned(16)));

static void use_stack(void *sp, size_t size)
{
	stack_t stack = { .ss_sp = sp, .ss_size = size };

	CHECK_OK(sigaltstack(&stack, NULL));
}

static volatile unsigned long depth;

static int __attribute__((noinline)) recurse(int n)
{
	volatile char frame[512];

	frame[0] = n;
	depth++;
	return n < 1 << 30 ? recurse(n + 1) + frame[0] : 0;
}

TEST(stack_overflow_is_survived)
{
	struct rlimit limit = { 256 << 10, RLIM_INFINITY };

	CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
	use_stack(space, sizeof(space));
	jump_on(SIGSEGV, SA_ONSTACK);
	for (volatile int round = 0; round < 10; round++) {
		depth = 0;
		if (sigsetjmp(jump, 1) == 0)
			recurse(0);
		CHECK(depth > 50);
		CHECK((char *)address < (char *)__builtin_frame_address(0));
		CHECK((char *)address > (char *)__builtin_frame_address(0) - (1 << 20));
	}
}

TEST(stack_overflow_without_another_stack_kills)
{
	struct rlimit limit = { 256 << 10, RLIM_INFINITY };

	CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
	CHECK_SIGNAL(
		{
			jump_on(SIGSEGV, 0);
			recurse(0);
		},
		SIGSEGV);
}

/* A frame that cannot be pushed is SIGSEGV; its handler may have a better stack, or none. */
static void bad_stack(void *sp, size_t size)
{
	CHECK_SIGNAL(
		{
			use_stack(sp, size);
			on_signal(SIGUSR1, SA_ONSTACK);
			raise(SIGUSR1);
		},
		SIGSEGV);
	CHECK_SIGNAL(
		{
			use_stack(sp, size);
			on_signal(SIGUSR1, SA_ONSTACK);
			jump_on(SIGSEGV, SA_ONSTACK);
			raise(SIGUSR1);
		},
		SIGSEGV);
	CHECK_CHILD({
		use_stack(sp, size);
		on_signal(SIGUSR1, SA_ONSTACK);
		jump_on(SIGSEGV, 0);
		if (sigsetjmp(jump, 1) == 0) {
			raise(SIGUSR1);
			_exit(2);
		}
		CHECK_EQ(code, SI_KERNEL);
		CHECK_EQ(signal_calls, 0);
	});
}

TEST(frames_on_impossible_stacks)
{
	char *p = map_anon(8 * PAGE_SIZE);

	CHECK_OK(mprotect(p, 4 * PAGE_SIZE, PROT_READ));
	bad_stack(p, 4 * PAGE_SIZE);
	CHECK_OK(mprotect(p, 4 * PAGE_SIZE, PROT_NONE));
	bad_stack(p, 4 * PAGE_SIZE);
	CHECK_OK(munmap(p, 4 * PAGE_SIZE));
	bad_stack(p, 4 * PAGE_SIZE);
	bad_stack((void *)16, 4096);
	bad_stack((void *)KERNEL_ADDRESS, 65536);
	bad_stack((void *)-65536, 65536 - 16);
}

static void nest(int signal)
{
	raise(signal);
}

static void nest_for_ever(char *sp, size_t size)
{
	struct sigaction action = { .sa_handler = nest, .sa_flags = SA_ONSTACK | SA_NODEFER };

	use_stack(sp, size);
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
}

/* Handlers that nest for ever come to the end of their stack, and not below it. */
TEST(the_alternate_stack_overflows)
{
	char *p = map_anon(16 * PAGE_SIZE);

	CHECK_SIGNAL({ nest_for_ever(p + 8 * PAGE_SIZE, 8 * PAGE_SIZE); }, SIGSEGV);
}

/* ---- riscv: what the frame holds, and what the kernel believes of it ---- */

#ifdef __riscv

TEST(codes_of_other_exceptions)
{
	jump_on(SIGILL, 0);
	jump_on(SIGTRAP, 0);
	if (sigsetjmp(jump, 1) == 0)
		__asm__ volatile(".word 0xffffffff");
	CHECK_EQ(code, ILL_ILLOPC);
	CHECK(address);
	if (sigsetjmp(jump, 1) == 0)
		__asm__ volatile("ebreak");
	CHECK_EQ(code, TRAP_BRKPT);
	CHECK(address);
	/* A privileged instruction. */
	code = 0;
	if (sigsetjmp(jump, 1) == 0)
		__asm__ volatile("csrr t0, sstatus" : : : "t0");
	CHECK_EQ(code, ILL_ILLOPC);
}

static void skip_instruction(int signal __attribute__((unused)), siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	unsigned long *regs = uc->uc_mcontext.__gregs;

	CHECK_EQ(info->si_addr, (void *)8);
	CHECK_EQ(regs[28], 0x1234567); /* t3 */
	CHECK_EQ(regs[29], 8);	       /* t4 */
	CHECK_EQ(uc->uc_mcontext.__fpregs.__d.__f[20], 0x4025000000000000);
	CHECK((uintptr_t)uc % 16 == 0);
	regs[0] += 4;
	regs[28] = 77;
	uc->uc_mcontext.__fpregs.__d.__f[20] = 0x4000000000000000;
	sigaddset(&uc->uc_sigmask, SIGHUP);
	sigaddset(&uc->uc_sigmask, SIGKILL);
}

TEST(the_handler_may_change_the_context)
{
	struct sigaction action = { .sa_sigaction = skip_instruction, .sa_flags = SA_SIGINFO };
	unsigned long t3;
	double f20;

	CHECK_OK(sigaction(SIGSEGV, &action, NULL));
	__asm__ volatile("li t3, 0x1234567\n"
			 "li t4, 8\n"
			 "fmv.d f20, %2\n"
			 ".option push\n.option norvc\n"
			 "sd zero, 0(t4)\n"
			 ".option pop\n"
			 "mv %0, t3\n"
			 "fmv.d %1, f20\n"
			 : "=r"(t3), "=f"(f20)
			 : "f"(10.5)
			 : "t3", "t4", "f20", "memory");
	CHECK_EQ(t3, 77);
	CHECK(f20 == 2);
	CHECK(signal_is_blocked(SIGHUP));
	CHECK(!signal_is_blocked(SIGKILL));
}

struct frame {
	siginfo_t info;
	ucontext_t uc;
};

/* rt_sigreturn with sp on this frame. */
static void __attribute__((noreturn)) sigreturn_from(void *sp)
{
	__asm__ volatile("mv sp, %0\n li a7, 139\n ecall\n ebreak" : : "r"(sp));
	__builtin_unreachable();
}

static void arrive(void)
{
	_exit(42);
}

/* A frame that goes to arrive(). */
static struct frame *good_frame(void)
{
	static struct frame frame;
	unsigned long *regs = frame.uc.uc_mcontext.__gregs;

	memset(&frame, 0, sizeof(frame));
	frame.uc.uc_stack.ss_flags = SS_DISABLE;
	regs[0] = (unsigned long)arrive;
	regs[2] = (unsigned long)space + sizeof(space);
	__asm__ volatile("mv %0, gp\n mv %1, tp" : "=r"(regs[3]), "=r"(regs[4]));
	return &frame;
}

static int end_of(struct frame *frame)
{
	int status;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		struct rlimit no_stack = { 64 << 10, 64 << 10 };

		setrlimit(RLIMIT_STACK, &no_stack);
		alarm(10);
		sigreturn_from(frame);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

TEST(a_made_up_frame)
{
	struct frame *frame = good_frame();

	CHECK_EQ(end_of(frame), 42 << 8);
	memset(&frame->uc.uc_sigmask, 0xff, sizeof(frame->uc.uc_sigmask));
	frame->uc.uc_mcontext.__fpregs.__d.__fcsr = 0xffffffff;
	frame->uc.uc_stack.ss_flags = 77;
	CHECK_EQ(end_of(frame), 42 << 8);
}

TEST(sigreturn_without_a_frame)
{
	static unsigned long addresses[] = {
		0,	 8,	0x10000,   USER_TOP - 16, KERNEL_ADDRESS,
		-1088UL, -16UL, 1UL << 63, 1UL << 38,	  USER_TOP
	};

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		CHECK_EQ(end_of((struct frame *)addresses[i]), SIGSEGV);
}

TEST(frames_that_claim_too_much)
{
	struct frame *frame = good_frame();
	uint32_t *end = (uint32_t *)((char *)&frame->uc.uc_mcontext + 776);

	frame->uc.uc_mcontext.__gregs[0] = KERNEL_ADDRESS;
	CHECK_EQ(end_of(frame), SIGSEGV);
	frame->uc.uc_mcontext.__gregs[0] = -1UL;
	CHECK_EQ(end_of(frame), SIGSEGV);
	frame = good_frame();
	end[0] = 0x53465457; /* vector state */
	CHECK_EQ(end_of(frame), SIGSEGV);
	end[0] = 0;
	end[1] = 8;
	CHECK_EQ(end_of(frame), SIGSEGV);
	end[1] = 0;
	end[-1] = 1;
	CHECK_EQ(end_of(frame), SIGSEGV);
	end[-1] = 0;
	CHECK_EQ(end_of(frame), 42 << 8);
}

/* Any bits at all: the process may do what it likes to itself, and to nobody else. */
TEST(random_frames)
{
	struct frame *frame = good_frame();

	for (int round = 0; round < 60; round++) {
		unsigned char *bytes = (unsigned char *)frame;
		bool keep_pc = round % 2, keep_end = round % 4 < 3;
		int status;

		for (size_t i = 0; i < sizeof(*frame); i++)
			bytes[i] = test_random();
		if (keep_end)
			memset(bytes + 128 + 176 + 772, 0, 12);
		if (keep_pc)
			frame->uc.uc_mcontext.__gregs[0] = (unsigned long)arrive & ~1UL;
		status = end_of(frame);
		CHECK(WIFSIGNALED(status) || WIFEXITED(status));
		test_progress();
	}
}

#endif
