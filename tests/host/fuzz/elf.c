/*
 * elf.c - the program loader on programs, damaged programs and rubbish, against the headers' words.
 *
 *	operations --> image[] (header, program headers, bytes) --elf_load()--> areas
 *	                   \--oracle: sums in 128 bits, no pages but borders--> areas that must be
 *
 * A program that the rules allow is loaded, with exactly the areas of its segments and the bytes of
 * its file in them; one that they do not is refused with ENOEXEC. Memory and the disk fail at
 * random: then ENOMEM or EIO, and afterwards nothing is left.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/mapping.h"
#include "kernel/elf.h"
#include "kernel/panic.h"
#include "lib/elf.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "tests/host/fuzz.h"

#define RAM_PAGES  1500
#define IMAGE_MAX  (5 * PAGE_SIZE)
#define HEADERS	   5 /* program headers at the start */
#define STACK_TOP  TASK_SIZE
#define STACK_SIZE (16UL * PAGE_SIZE)
#define MAX_AREAS  160

enum { OP_SEGMENT, OP_SEGMENT_TOO, OP_FIELD, OP_BYTE, OP_TYPE, OP_SIZE, OP_NEW, OP_LOAD, NR_CODES };

static u8 image[IMAGE_MAX];
static size_t image_size;

typedef unsigned __int128 u128;

static struct elf64_ehdr *header(void)
{
	return (struct elf64_ehdr *)image;
}

static void new_image(void)
{
	for (size_t i = 0; i < IMAGE_MAX; i++)
		image[i] = i * 7 + (i >> 8) + 1;
	*header() = (struct elf64_ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_RISCV,
		.e_version = EV_CURRENT,
		.e_entry = 0x10100,
		.e_phoff = sizeof(struct elf64_ehdr),
		.e_ehsize = sizeof(struct elf64_ehdr),
		.e_phentsize = sizeof(struct elf64_phdr),
		.e_phnum = HEADERS,
	};
	memset(image + sizeof(struct elf64_ehdr), 0, HEADERS * sizeof(struct elf64_phdr));
	image_size = IMAGE_MAX;
}

/* ---- the oracle: what the headers say ---- */

struct oracle_area {
	unsigned long start, end, pgoff;
	u32 prot;
	bool file;
};

struct oracle {
	bool valid;
	bool too_large; /* more to write to than there is memory */
	unsigned long bias, brk;
	unsigned nr;
	struct oracle_area areas[MAX_AREAS];
};

static bool header_valid(const struct elf64_ehdr *eh)
{
	static const u8 ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

	return image_size >= sizeof(*eh) && memcmp(eh->e_ident, ident, sizeof(ident)) == 0 &&
	       (eh->e_type == ET_EXEC || eh->e_type == ET_DYN) && eh->e_machine == EM_RISCV &&
	       eh->e_phentsize == 56 && eh->e_phnum >= 1 && eh->e_phnum * 56 <= 4096 &&
	       (u128)eh->e_phoff + eh->e_phnum * 56 <= image_size;
}

static bool loads(const struct elf64_phdr *ph)
{
	return ph->p_type == PT_LOAD && ph->p_memsz > 0;
}

static bool segment_valid(const struct elf64_phdr *ph)
{
	u128 file_end = (u128)ph->p_offset + ph->p_filesz;

	if ((u128)ph->p_vaddr + ph->p_memsz > TASK_SIZE || ph->p_filesz > ph->p_memsz ||
	    file_end > LONG_MAX)
		return false;
	if (ph->p_align > 1UL << 30 || __builtin_popcountl(ph->p_align) > 1)
		return false;
	if (ph->p_filesz == 0)
		return true;
	if (ph->p_vaddr % PAGE_SIZE != ph->p_offset % PAGE_SIZE)
		return false;
	if (ph->p_filesz == ph->p_memsz)
		return true;
	/* Zeros follow: they are written, unless a page ends there, into a page of the file. */
	return (ph->p_flags & PF_W) &&
	       (file_end % PAGE_SIZE == 0 || file_end / PAGE_SIZE * PAGE_SIZE < image_size);
}

static void oracle_add(struct oracle *oracle, struct oracle_area area)
{
	struct oracle_area *last = oracle->nr ? &oracle->areas[oracle->nr - 1] : NULL;

	if (area.start == area.end)
		return;
	if (last && last->end == area.start && last->prot == area.prot && last->file == area.file &&
	    (!area.file || last->pgoff + (last->end - last->start) / PAGE_SIZE == area.pgoff)) {
		last->end = area.end;
		return;
	}
	oracle->areas[oracle->nr++] = area;
}

static void oracle_segment(struct oracle *oracle, const struct elf64_phdr *ph)
{
	unsigned long start = (oracle->bias + ph->p_vaddr) / PAGE_SIZE * PAGE_SIZE;
	unsigned long end = oracle->bias + ph->p_vaddr + ph->p_memsz;
	unsigned long file_end = start;
	u32 prot = (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
		   (ph->p_flags & PF_X ? PROT_EXEC : 0);

	end = DIV_ROUND_UP(end, PAGE_SIZE) * PAGE_SIZE;
	if (ph->p_filesz)
		file_end = DIV_ROUND_UP(oracle->bias + ph->p_vaddr + ph->p_filesz, PAGE_SIZE) *
			   PAGE_SIZE;
	oracle_add(oracle,
		   (struct oracle_area){ start, file_end, ph->p_offset / PAGE_SIZE, prot, true });
	oracle_add(oracle, (struct oracle_area){ file_end, end, 0, prot, false });
	oracle->brk = end;
}

static const struct elf64_phdr *phdr_at(unsigned i)
{
	static struct elf64_phdr copy;

	memcpy(&copy, image + header()->e_phoff + i * sizeof(copy), sizeof(copy));
	return &copy;
}

/* The lowest address of a valid program; *align: the strictest alignment. */
static unsigned long check_all_segments(struct oracle *oracle, unsigned long *align)
{
	unsigned long low = TASK_SIZE, floor = 0;

	*align = PAGE_SIZE;
	oracle->valid = false;
	for (unsigned i = 0; i < header()->e_phnum; i++) {
		const struct elf64_phdr *ph = phdr_at(i);

		if (loads(ph) && (ph->p_flags & PF_W) &&
		    ph->p_memsz / PAGE_SIZE + 2 > nr_managed_pages())
			oracle->too_large = true;
		if (ph->p_type == PT_INTERP || (loads(ph) && !segment_valid(ph)))
			return oracle->valid = false;
		if (!loads(ph))
			continue;
		if (ph->p_vaddr / PAGE_SIZE * PAGE_SIZE < floor)
			return oracle->valid = false;
		floor = DIV_ROUND_UP(ph->p_vaddr + ph->p_memsz, PAGE_SIZE) * PAGE_SIZE;
		low = min(low, ph->p_vaddr / PAGE_SIZE * PAGE_SIZE);
		*align = max(*align, (unsigned long)ph->p_align);
		oracle->valid = true;
	}
	return low;
}

static void oracle_make(struct oracle *oracle)
{
	unsigned long low, align, base;

	memset(oracle, 0, sizeof(*oracle));
	if (!header_valid(header()))
		return;
	low = check_all_segments(oracle, &align);
	if (!oracle->valid)
		return;
	if (header()->e_type == ET_DYN) {
		/* Two thirds of the way up, at a multiple of 2 MiB and of the alignment. */
		base = DIV_ROUND_UP(TASK_SIZE / 3 * 2, PAGE_SIZE) * PAGE_SIZE >> 21 << 21;
		base = DIV_ROUND_UP(base, align) * align;
		oracle->bias = base - low / align * align;
	}
	if (header()->e_type == ET_EXEC && low < MMAP_MIN_ADDR)
		oracle->valid = false;
	for (unsigned i = 0; i < header()->e_phnum && oracle->valid; i++) {
		const struct elf64_phdr *ph = phdr_at(i);

		if (!loads(ph))
			continue;
		if ((u128)(oracle->bias + ph->p_vaddr) + ph->p_memsz > STACK_TOP - STACK_SIZE)
			oracle->valid = false;
		else
			oracle_segment(oracle, ph);
	}
}

/* ---- comparing ---- */

static void check_areas(const struct oracle *oracle, const struct mm *mm, const struct file *file)
{
	const struct vm_area *vma = mm->mmap;

	for (unsigned i = 0; i < oracle->nr; i++, vma = vma->vm_next) {
		const struct oracle_area *area = &oracle->areas[i];

		BUG_ON(!vma || vma->vm_start != area->start || vma->vm_end != area->end);
		BUG_ON(vma->vm_prot != area->prot);
		BUG_ON(vma->vm_file != (area->file ? file : NULL));
		BUG_ON(area->file && vma->vm_pgoff != area->pgoff);
	}
	BUG_ON(!vma || vma->vm_start != STACK_TOP - STACK_SIZE || vma->vm_next);
}

/* The byte at @n of segment @ph is the file's, or zero behind the file's part. */
static void check_byte(const struct oracle *oracle, const struct elf64_phdr *ph, u64 n)
{
	u64 pos = ph->p_offset + n;
	u8 byte, expected = n < ph->p_filesz && pos < image_size ? image[pos] : 0;
	bool inside =
		n >= DIV_ROUND_UP(ph->p_vaddr % PAGE_SIZE + ph->p_filesz, PAGE_SIZE) * PAGE_SIZE -
				ph->p_vaddr % PAGE_SIZE ||
		ph->p_filesz == 0 || pos / PAGE_SIZE * PAGE_SIZE < image_size;
	enum fault_result res;

	if (!(ph->p_flags & PF_R) || n >= ph->p_memsz)
		return;
	res = user_read(oracle->bias + ph->p_vaddr + n, &byte, 1);
	BUG_ON(res != (inside ? FAULT_OK : FAULT_SIGBUS));
	BUG_ON(inside && byte != expected);
}

static void check_contents(const struct oracle *oracle)
{
	for (unsigned i = 0; i < header()->e_phnum; i++) {
		struct elf64_phdr ph = *phdr_at(i);

		if (!loads(&ph))
			continue;
		check_byte(oracle, &ph, 0);
		check_byte(oracle, &ph, ph.p_filesz / 2);
		check_byte(oracle, &ph, ph.p_filesz - 1);
		check_byte(oracle, &ph, ph.p_filesz);
		check_byte(oracle, &ph, ph.p_filesz + 63);
		check_byte(oracle, &ph, ph.p_filesz + PAGE_SIZE);
		check_byte(oracle, &ph, ph.p_memsz - 1);
	}
}

static struct file *make_file(void)
{
	struct file *file = host_file(FILE_DISK, image_size);

	memcpy(host_file_disk(file, 0), image, image_size);
	return file;
}

static struct mm *make_mm(void)
{
	struct mm *mm = mm_alloc();
	long at = vm_mmap(mm, NULL, STACK_TOP - STACK_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);

	BUG_ON(at != (long)(STACK_TOP - STACK_SIZE));
	return mm;
}

static void check_loaded(const struct oracle *oracle, const struct elf_info *info, struct mm *mm,
			 const struct file *file)
{
	BUG_ON(!oracle->valid);
	check_areas(oracle, mm, file);
	BUG_ON(info->bias != oracle->bias || info->brk != oracle->brk);
	BUG_ON(info->entry != oracle->bias + header()->e_entry);
	BUG_ON(info->phnum != header()->e_phnum);
	machine_use_mm(mm);
	check_contents(oracle);
	machine_use_mm(NULL);
}

static void load(unsigned fail_alloc, unsigned fail_read)
{
	struct file *file = make_file();
	struct mm *mm = make_mm();
	struct elf_info info;
	static struct oracle oracle;
	int err;

	oracle_make(&oracle);
	current->fail_fired = 0;
	current->fail_alloc = fail_alloc;
	disk_fail_reads = fail_read;
	err = elf_load(file, mm, &info);
	current->fail_alloc = 0;
	if (oracle.too_large)
		BUG_ON(!err && !oracle.valid);
	else if (disk_fail_reads == fail_read && !current->fail_fired)
		BUG_ON(err != (oracle.valid ? 0 : -ENOEXEC));
	BUG_ON(err && err != -ENOEXEC && err != -ENOMEM && err != -EIO);
	disk_fail_reads = 0;
	if (!err)
		check_loaded(&oracle, &info, mm, file);
	mm_put(mm);
	BUG_ON(host_file_refs(file) != 1);
	file_put(file);
}

/* ---- the operations ---- */

/* One of the headers, mostly as a linker would write it. */
static struct elf64_phdr segment_of(const struct fuzz_op *op)
{
	unsigned i = op->a % HEADERS;
	u64 offset = op->b % (image_size + 1);
	struct elf64_phdr ph = {
		.p_type = op->a >> 8 & 15 ? PT_LOAD : PT_NOTE,
		.p_flags = op->c & 7,
		.p_offset = offset,
		.p_vaddr = 0x10000 + i * 0x6000 + offset % PAGE_SIZE,
		.p_filesz = (op->c >> 3) % (image_size - offset + 1),
		.p_align = PAGE_SIZE << (op->c >> 60),
	};

	ph.p_memsz = ph.p_filesz;
	if (op->c >> 56 & 1) {
		ph.p_memsz += (op->c >> 32) % 9000;
		ph.p_flags |= PF_W;
	}
	return ph;
}

/* 8, 4, 2 or 1 bytes of the headers become something that is often near an edge. */
static u64 field_value(const struct fuzz_op *op)
{
	static const u64 edges[] = { 0,		1,	  PAGE_SIZE, TASK_SIZE, 1UL << 30,
				     1UL << 31, LONG_MAX, ~0UL,	     EM_RISCV,	PT_INTERP };
	u64 edge = edges[op->c % ARRAY_SIZE(edges)];

	/* What together with a segment's address comes to an edge. */
	if (op->c >> 60 & 1)
		edge -= 0x10000 + op->a % HEADERS * 0x6000;

	return op->c >> 8 & 3 ? edge + ((op->c >> 10) % 5) - 2 : op->c >> 10;
}

static unsigned field_at(const struct fuzz_op *op)
{
	return op->b % ((sizeof(struct elf64_ehdr) + HEADERS * sizeof(struct elf64_phdr)) / 8) * 8;
}

static unsigned field_size(const struct fuzz_op *op)
{
	return op->a % 4 == 0 ? 1u << op->a / 4 % 4 : 8;
}

static size_t size_of(const struct fuzz_op *op)
{
	return op->a % 4 ? IMAGE_MAX - op->b % 5000 : op->b % (IMAGE_MAX + 1);
}

static void start(void)
{
	if (!nr_harts)
		machine_boot(RAM_PAGES, 1);
	new_image();
}

static void step(const struct fuzz_op *op)
{
	struct elf64_phdr ph = segment_of(op);
	u64 value = field_value(op);

	switch (op->code) {
	case OP_SEGMENT:
	case OP_SEGMENT_TOO:
		memcpy(image + sizeof(struct elf64_ehdr) + op->a % HEADERS * sizeof(ph), &ph,
		       sizeof(ph));
		break;
	case OP_FIELD:
		memcpy(image + field_at(op), &value, field_size(op));
		load(0, 0);
		break;
	case OP_BYTE:
		image[op->b % IMAGE_MAX] = op->c;
		break;
	case OP_TYPE:
		header()->e_type = op->a & 1 ? ET_DYN : ET_EXEC;
		break;
	case OP_SIZE:
		image_size = size_of(op);
		break;
	case OP_NEW:
		if (op->a % 2 == 0)
			new_image();
		break;
	default:
		load(op->a % 8 == 0 ? op->b % 16 : 0, op->a % 16 == 1);
		break;
	}
}

static void end(void)
{
	load(0, 0);
	machine_check_rest();
}

static void print(FILE *out, const struct fuzz_op *op)
{
	static bool begun;
	struct elf64_phdr ph;

	/* A segment lies within the file as large as it is by then. */
	if (!begun)
		image_size = IMAGE_MAX;
	begun = true;
	ph = segment_of(op);
	switch (op->code) {
	case OP_SEGMENT:
	case OP_SEGMENT_TOO:
		fprintf(out,
			"\t/* type, flags, offset, vaddr, filesz, memsz, align */\n"
			"\tsegment(%u, %u, 0x%x, 0x%lx, 0x%lx, 0x%lx, 0x%lx, 0x%lx);\n",
			op->a % HEADERS, ph.p_type, ph.p_flags, (unsigned long)ph.p_offset,
			(unsigned long)ph.p_vaddr, (unsigned long)ph.p_filesz,
			(unsigned long)ph.p_memsz, (unsigned long)ph.p_align);
		break;
	case OP_FIELD:
		fprintf(out, "\tput(%u, 0x%lx, %u); /* at, value, bytes */\n", field_at(op),
			(unsigned long)field_value(op), field_size(op));
		break;
	case OP_BYTE:
		fprintf(out, "\timage[%lu] = 0x%x;\n", (unsigned long)(op->b % IMAGE_MAX),
			(u8)op->c);
		break;
	case OP_TYPE:
		fprintf(out, "\theader()->e_type = %s;\n", op->a & 1 ? "ET_DYN" : "ET_EXEC");
		break;
	case OP_SIZE:
		image_size = size_of(op);
		fprintf(out, "\timage_size = %lu;\n", (unsigned long)image_size);
		break;
	case OP_NEW:
		if (op->a % 2 != 0)
			break;
		image_size = IMAGE_MAX;
		fprintf(out, "\tnew_image();\n");
		break;
	default:
		fprintf(out, "\tload(%u, %u); /* allocation, read to fail */\n",
			op->a % 8 == 0 ? op->b % 16 : 0, op->a % 16 == 1);
		break;
	}
}

const struct fuzz_target fuzz_target = {
	.name = "elf",
	.nr_codes = NR_CODES,
	.default_ops = 2000,
	.start = start,
	.step = step,
	.end = end,
	.print = print,
};
