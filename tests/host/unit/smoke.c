/*
 * smoke.c - the machine itself: it boots, serves faults, and comes to rest.
 */
#include "tests/host/test.h"

#include "fs/mapping.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

TEST(memory_is_zero_and_keeps_what_is_written)
{
	struct mm *mm = mm_alloc();
	unsigned long addr;
	char text[16];

	machine_use_mm(mm);
	addr = vm_mmap(mm, NULL, 0, 4 * PAGE_SIZE, RW, ANON, 0);
	CHECK_EQ(user_read(addr, text, sizeof(text)), FAULT_OK);
	CHECK_EQ(text[0], 0);
	CHECK_EQ(user_write(addr + PAGE_SIZE - 4, "some bytes", 11), FAULT_OK);
	CHECK_EQ(user_read(addr + PAGE_SIZE - 4, text, 11), FAULT_OK);
	CHECK_STRING(text, "some bytes");
	machine_check();
	CHECK_EQ(vm_munmap(mm, addr, 4 * PAGE_SIZE), 0);
	CHECK_EQ(user_read(addr, text, 1), FAULT_SEGV_MAPERR);
	machine_use_mm(NULL);
	mm_put(mm);
}

TEST(a_file_is_read_from_its_disk)
{
	struct file *file = host_file(FILE_DISK, 3 * PAGE_SIZE + 100);
	struct mm *mm = mm_alloc();
	unsigned long addr;
	u8 byte;
	u64 word;

	machine_use_mm(mm);
	addr = vm_mmap(mm, file, 0, 8 * PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, PAGE_SIZE);
	CHECK_EQ(user_read(addr + 5, &byte, 1), FAULT_OK);
	CHECK_EQ(byte, file_pattern(host_file_nr(file), PAGE_SIZE + 5));
	CHECK_EQ(user_read(addr + 2 * PAGE_SIZE + 100, &byte, 1), FAULT_OK);
	CHECK_EQ(byte, 0);
	CHECK_EQ(user_fetch(addr, &word), FAULT_OK);
	CHECK_EQ(user_read(addr + 3 * PAGE_SIZE, &byte, 1), FAULT_SIGBUS);
	machine_check();
	machine_use_mm(NULL);
	mm_put(mm);
	file_put(file);
}
