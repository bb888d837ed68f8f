/*
 * elf.c - the ELF loader against hostile files: each is refused with an errno or kills its own
 * process; none may hang or panic the machine.
 *
 * The files are built here: headers, then a page of code in which every aligned entry point leads
 * to exit(42).
 *
 *	0          64             64 + 56 n        0x1000            0x2000
 *	| Elf64_Ehdr | Elf64_Phdr[n] |     0       | exit(42) code   | data "DATA" ... | end
 */
#include "usr/lib/test.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "usr/lib/testutil.h"

#define BASE 0x400000UL

#if defined(__riscv)
#define MACHINE EM_RISCV
#define FOREIGN EM_X86_64
/* li a0, 42; li a7, 93; ecall; nop */
static const uint32_t exit_code[] = { 0x02a00513, 0x05d00893, 0x00000073, 0x00000013 };
#else
#define MACHINE EM_X86_64
#define FOREIGN EM_RISCV
/* mov $42, %edi; mov $60, %eax; syscall; nops */
static const unsigned char exit_code[] = { 0xbf, 42, 0,	   0, 0,    0xb8, 60,	0,
					   0,	 0,  0x0f, 5, 0x90, 0x90, 0x90, 0x90 };
#endif

static struct image {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[4];
	char pad[PAGE_SIZE - sizeof(Elf64_Ehdr) - 4 * sizeof(Elf64_Phdr)];
	char code[PAGE_SIZE];
	char data[PAGE_SIZE];
} image;

static Elf64_Phdr segment(int flags, unsigned long offset, unsigned long vaddr, unsigned long size)
{
	return (Elf64_Phdr){ .p_type = PT_LOAD,
			     .p_flags = flags,
			     .p_offset = offset,
			     .p_vaddr = vaddr,
			     .p_paddr = vaddr,
			     .p_filesz = size,
			     .p_memsz = size,
			     .p_align = PAGE_SIZE };
}

/* A good program: text at BASE + 0x1000, data and bss after it. */
static void good_image(void)
{
	memset(&image, 0, sizeof(image));
	memcpy(image.ehdr.e_ident, ELFMAG, SELFMAG);
	image.ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	image.ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	image.ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	image.ehdr.e_type = ET_EXEC;
	image.ehdr.e_machine = MACHINE;
	image.ehdr.e_version = EV_CURRENT;
	image.ehdr.e_entry = BASE + PAGE_SIZE;
	image.ehdr.e_phoff = sizeof(Elf64_Ehdr);
	image.ehdr.e_ehsize = sizeof(Elf64_Ehdr);
	image.ehdr.e_phentsize = sizeof(Elf64_Phdr);
	image.ehdr.e_phnum = 2;
	image.phdr[0] = segment(PF_R | PF_X, 0, BASE, 2 * PAGE_SIZE);
	image.phdr[1] = segment(PF_R | PF_W, 2 * PAGE_SIZE, BASE + 2 * PAGE_SIZE, 100);
	image.phdr[1].p_memsz = 5 * PAGE_SIZE;
	for (size_t i = 0; i < PAGE_SIZE; i += sizeof(exit_code))
		memcpy(image.code + i, exit_code, sizeof(exit_code));
	strcpy(image.data, "DATA");
}

/* Execute the first size bytes of the image. Returns the wait status; exit 128 + errno: refused. */
static int run_image(size_t size)
{
	char *path = (char *)tmp_path("elf");
	char *argv[] = { "elf", NULL };
	int status;
	pid_t pid;

	write_file(path, &image, size);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		execve(path, argv, argv + 1);
		_exit(128 + errno);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_OK(unlink(path));
	return status;
}

static bool is_refused(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) > 128;
}

#define CHECK_REFUSED(size, error)                                                                 \
	do {                                                                                       \
		int refused_status = run_image(size);                                              \
		CHECK_EQ(WIFEXITED(refused_status), 1);                                            \
		CHECK_EQ(WEXITSTATUS(refused_status), 128 + (error));                              \
	} while (0)

/* Refused with any errno, or dead by a signal: but it may not run. */
#define CHECK_BAD(size)                                                                            \
	do {                                                                                       \
		int bad_status = run_image(size);                                                  \
		CHECK(is_refused(bad_status) || WIFSIGNALED(bad_status));                          \
	} while (0)

TEST(a_good_file_runs)
{
	good_image();
	CHECK_EQ(run_image(sizeof(image)), W_EXITCODE(42, 0));
}

TEST(truncated_in_the_header)
{
	static const size_t sizes[] = { 0, 1, 3, 4, 16, 63 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		good_image();
		CHECK_REFUSED(sizes[i], ENOEXEC);
	}
}

TEST(truncated_in_the_program_headers)
{
	good_image();
	CHECK_BAD(64);
	CHECK_BAD(64 + 56);
	CHECK_BAD(64 + 111);
}

/* The segments are mapped, not read: pages past the end of the file are SIGBUS when touched. */
TEST(truncated_before_the_code)
{
	good_image();
	CHECK_BAD(PAGE_SIZE);
	CHECK_BAD(500);
}

TEST(foreign_files)
{
	good_image();
	image.ehdr.e_machine = FOREIGN;
	CHECK_REFUSED(sizeof(image), ENOEXEC);
	good_image();
	image.ehdr.e_type = ET_REL;
	CHECK_REFUSED(sizeof(image), ENOEXEC);
	good_image();
	image.ehdr.e_type = ET_CORE;
	CHECK_REFUSED(sizeof(image), ENOEXEC);
	good_image();
	image.ehdr.e_ident[0] = 'x';
	CHECK_REFUSED(sizeof(image), ENOEXEC);
}

TEST(class_and_byte_order)
{
	if (!on_ravel())
		SKIP("Linux does not look at them");
	good_image();
	image.ehdr.e_ident[EI_CLASS] = ELFCLASS32;
	CHECK_REFUSED(sizeof(image), ENOEXEC);
	good_image();
	image.ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
	CHECK_REFUSED(sizeof(image), ENOEXEC);
}

TEST(huge_header_tables)
{
	good_image();
	image.ehdr.e_phnum = 0xffff;
	CHECK_REFUSED(sizeof(image), ENOEXEC);
	good_image();
	image.ehdr.e_phnum = 0;
	CHECK_BAD(sizeof(image));
	good_image();
	image.ehdr.e_phentsize = 57;
	CHECK_REFUSED(sizeof(image), ENOEXEC);
	good_image();
	image.ehdr.e_phnum = 1100;
	CHECK_BAD(sizeof(image));
}

TEST(header_tables_out_of_the_file)
{
	static const unsigned long offsets[] = { 1UL << 20, 1UL << 62, -1UL, -56UL, 1UL << 63 };

	for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
		good_image();
		image.ehdr.e_phoff = offsets[i];
		CHECK_BAD(sizeof(image));
	}
}

TEST(addresses_of_the_kernel)
{
	static const unsigned long addresses[] = { KERNEL_ADDRESS, 1UL << 63, -PAGE_SIZE,
						   (1UL << 47) - PAGE_SIZE, 1UL << 50 };

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		good_image();
		image.phdr[1].p_vaddr = addresses[i];
		CHECK_BAD(sizeof(image));
	}
	if (on_ravel()) {
		good_image();
		image.phdr[1].p_vaddr = USER_TOP - PAGE_SIZE;
		CHECK_BAD(sizeof(image));
		good_image();
		image.phdr[1].p_vaddr = 0x1000;
		CHECK_BAD(sizeof(image));
	}
}

TEST(huge_segments)
{
	good_image();
	image.phdr[1].p_memsz = 1UL << 62;
	CHECK_BAD(sizeof(image));
	good_image();
	image.phdr[1].p_memsz = -1UL;
	CHECK_BAD(sizeof(image));
	good_image();
	image.phdr[1].p_filesz = image.phdr[1].p_memsz = -PAGE_SIZE;
	CHECK_BAD(sizeof(image));
	good_image();
	image.phdr[1].p_memsz = USER_TOP;
	if (on_ravel())
		CHECK_BAD(sizeof(image));
}

TEST(more_in_the_file_than_in_memory)
{
	good_image();
	image.phdr[1].p_filesz = PAGE_SIZE;
	image.phdr[1].p_memsz = 10;
	CHECK_BAD(sizeof(image));
}

TEST(offset_and_address_that_disagree_in_the_page)
{
	good_image();
	image.phdr[1].p_offset += 0x10;
	CHECK_BAD(sizeof(image));
}

/* The loader may refuse these or run them; the machine must survive, and so does this process. */
TEST(overlapping_segments)
{
	good_image();
	image.ehdr.e_phnum = 3;
	image.phdr[2] = segment(PF_R | PF_W, PAGE_SIZE, BASE + PAGE_SIZE, PAGE_SIZE);
	run_image(sizeof(image));
	good_image();
	image.phdr[1].p_vaddr = BASE;
	run_image(sizeof(image));
	good_image();
	image.phdr[1].p_vaddr = BASE - PAGE_SIZE;
	image.phdr[1].p_memsz = 3 * PAGE_SIZE;
	run_image(sizeof(image));
}

TEST(entry_points_to_nowhere)
{
	static const unsigned long entries[] = { 0, BASE + 64 * PAGE_SIZE, KERNEL_ADDRESS,
						 BASE + 2 * PAGE_SIZE };

	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		good_image();
		image.ehdr.e_entry = entries[i];
		CHECK_BAD(sizeof(image));
	}
}

TEST(no_segment_to_load)
{
	good_image();
	image.phdr[0].p_type = image.phdr[1].p_type = PT_NULL;
	CHECK_BAD(sizeof(image));
}

TEST(an_interpreter_that_is_not_there)
{
	good_image();
	image.ehdr.e_phnum = 3;
	image.phdr[2] = segment(PF_R, 2 * PAGE_SIZE, BASE + 2 * PAGE_SIZE, 5);
	image.phdr[2].p_type = PT_INTERP;
	CHECK_BAD(sizeof(image));
}

/* One to three random bytes of the headers changed: any end is good, as long as there is one. */
TEST(random_headers)
{
	unsigned char *bytes = (unsigned char *)&image;

	if (!on_ravel())
		SKIP("the host is not to be tried with random programs");
	for (int i = 0; i < 120; i++) {
		good_image();
		for (uint64_t n = 1 + test_random_below(3); n; n--)
			bytes[test_random_below(64 + 2 * 56)] = test_random();
		run_image(sizeof(image));
		test_progress();
	}
}
