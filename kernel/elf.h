/*
 * elf.h - the program loader: kernel/elf.c has the drawing.
 */
#ifndef RAVEL_KERNEL_ELF_H
#define RAVEL_KERNEL_ELF_H

#include "lib/types.h"

struct file;
struct mm;

/* What the rest of exec must know of the loaded program; user addresses. */
struct elf_info {
	unsigned long bias; /* added to every address of the file; 0 for ET_EXEC */
	unsigned long entry;
	unsigned long phdr; /* the program headers in memory, 0: in no segment */
	unsigned phnum;
	unsigned long start_code, end_code, start_data, end_data, brk;
};

/*
 * Maps the segments of @file into @mm, which runs nowhere yet and has its stack already. 0;
 * -ENOEXEC for a file that is not a program for this machine; -ENOMEM; -EIO. On failure the
 * caller drops @mm.
 */
int elf_load(struct file *file, struct mm *mm, struct elf_info *info);

#endif
