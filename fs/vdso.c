/*
 * vdso.c - [vdso]: one page of code to which signal handlers return.
 *
 *	arch/riscv/vdso.S --"read" when first touched--> a page of the cache --> mm, R-X
 *
 * rt_sigaction(2) maps it when a program first has a handler; exec and fork of others cost nothing.
 * It is a private mapping of a file that no directory has, so fork, munmap, mprotect and
 * copy-on-write treat it like any program text. It is no ELF image: AT_SYSINFO_EHDR is not given.
 * Locks: none; the file is made at boot and never goes.
 */
#include "kernel/vdso.h"

#include "fs/internal.h"
#include "kernel/panic.h"
#include "lib/string.h"
#include "mm/mm.h"

extern const char vdso_start[], vdso_end[];

static struct fs_type vdso_type = { .name = "vdso" };
static const struct super_operations vdso_sops;
static const struct file_operations vdso_fops;
static struct file *vdso_file;

static void vdso_read_pages(struct address_space *as __maybe_unused, struct page **pages,
			    unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		clear_page(page_address(pages[i]));
		memcpy(page_address(pages[i]), vdso_start, vdso_end - vdso_start);
		page_end_read(pages[i], true);
	}
}

static const struct address_space_ops vdso_aops = { .read_pages = vdso_read_pages };

void vdso_init(void)
{
	struct super_block *sb = sb_new(&vdso_type, NULL);
	struct inode *inode;

	BUG_ON(!sb || vdso_end - vdso_start > PAGE_SIZE);
	sb->s_op = &vdso_sops;
	inode = simple_inode(sb, 0, S_IFREG | 0444, NULL, &vdso_fops);
	BUG_ON(!inode);
	inode->i_ino = 0; /* as Linux shows it */
	sb->s_dev = 0;
	inode->i_data.ops = &vdso_aops;
	inode->i_data.size = PAGE_SIZE;
	vdso_file = file_alloc_anon(inode, &vdso_fops, O_RDONLY);
	BUG_ON(!vdso_file);
	vdso_file->f_mapping = &inode->i_data;
}

bool file_is_vdso(const struct file *file)
{
	return file == vdso_file;
}

int vdso_map(struct mm *mm)
{
	unsigned long none = 0;
	long addr;

	if (READ_ONCE(mm->vdso))
		return 0;
	addr = vm_mmap(mm, vdso_file, 0, PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0);
	if (addr < 0)
		return addr;
	/* Of two tasks that share the mm, the first one's counts. */
	if (!__atomic_compare_exchange_n(&mm->vdso, &none, addr, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		vm_munmap(mm, addr, PAGE_SIZE);
	return 0;
}
