/*
 * mm.c - the model fuzzer of whole address spaces: areas, tables, pages, files, harts.
 *
 *	fuzz_op --decode--> struct step --> step()       to the real code and to the oracle
 *	                               \-> meanwhile()   one in four: in the windows of the next
 *
 * What each step does, and what is compared after it: tests/host/model/step.c.
 */
#include "tests/host/fuzz.h"
#include "tests/host/model/step.h"

#define MEANWHILE_ONE_IN 4
#define FAIL_ONE_IN	 8

/* How often which kind. */
static const u8 often[NR_STEP_KINDS] = {
	[STEP_MMAP] = 5,      [STEP_MUNMAP] = 2,     [STEP_MPROTECT] = 3,  [STEP_BRK] = 2,
	[STEP_MADVISE] = 6,   [STEP_MLOCK] = 2,	     [STEP_MLOCKALL] = 1,  [STEP_READ] = 4,
	[STEP_WRITE] = 8,     [STEP_FETCH] = 3,	     [STEP_COPY_FROM] = 1, [STEP_COPY_TO] = 3,
	[STEP_FORK] = 3,      [STEP_EXEC] = 1,	     [STEP_EXIT] = 1,	   [STEP_SWITCH] = 3,
	[STEP_FILE_READ] = 1, [STEP_FILE_WRITE] = 3, [STEP_USER_READ] = 1, [STEP_USER_WRITE] = 1,
	[STEP_TRUNCATE] = 3,  [STEP_SHRINK] = 2,     [STEP_DROP] = 2,	   [STEP_SYNC] = 1,
	[STEP_DISK_FAIL] = 1, [STEP_FILE_MODE] = 1,  [STEP_RLIMIT] = 1,	   [STEP_MSYNC] = 2,
	[STEP_MREMAP] = 4,    [STEP_SWAPOFF] = 1,    [STEP_CLEAR_REFS] = 2,
};
#define NR_CODES 74 /* the sum */

static enum step_kind kind_of(unsigned code)
{
	unsigned kind = 0;

	for (code %= NR_CODES; code >= often[kind]; kind++)
		code -= often[kind];
	return kind;
}

/* Takes a number below @n out of *@bits. */
static unsigned draw(u64 *bits, unsigned n)
{
	unsigned value = *bits % n;

	*bits /= n;
	return value;
}

/* Places of which most are used again and again. */
static unsigned long draw_addr(u64 *bits)
{
	const struct zone *zone = &zones[draw(bits, NR_ZONES)];
	unsigned near = draw(bits, 2) ? 8 : min(zone->nr, 32u);
	unsigned index = draw(bits, near);

	if (zone == &zones[ZONE_STACK])
		index = draw(bits, 8) ? zone->nr - 1 - index : index * zone->nr / near;
	else if (zone == &zones[ZONE_MMAP])
		index = zone->nr - 1 - index;
	return zone->start + index * PAGE_SIZE;
}

static unsigned long draw_len(u64 *bits)
{
	static const u16 more[] = { 1, 2, 3, 16, 40, 200 };
	unsigned pages = draw(bits, 6);

	if (pages == 5)
		pages = more[draw(bits, 6)];
	return (pages + 1) * PAGE_SIZE - (draw(bits, 8) ? 0 : 0x123);
}

static u64 draw_pos(u64 *bits)
{
	u64 pos = draw(bits, draw(bits, 2) ? 4 : 13) * PAGE_SIZE;

	return draw(bits, 2) ? pos + draw(bits, PAGE_SIZE) : pos;
}

static void decode_mmap(struct step *s, u64 *bits)
{
	static const u32 extra[] = {
		MAP_FIXED, MAP_FIXED, MAP_FIXED, MAP_FIXED_NOREPLACE, 0, 0, 0
	};

	s->flags = extra[draw(bits, 7)];
	s->flags |= draw(bits, 5) < 2 ? MAP_SHARED : MAP_PRIVATE;
	s->file = draw(bits, 2) ? (int)draw(bits, ORACLE_FILES) : NO_FILE;
	if (s->file == NO_FILE)
		s->flags |= MAP_ANONYMOUS;
	s->pos = draw(bits, draw(bits, 2) ? 3 : 11) * PAGE_SIZE;
	if (draw(bits, 4) == 0)
		s->flags |= MAP_POPULATE;
	if (draw(bits, 8) == 0 && !(s->flags & MAP_SHARED)) /* memory of any size, maybe */
		s->flags |= MAP_NORESERVE;
	if (draw(bits, 16) == 0)
		s->flags |= MAP_LOCKED;
	if (draw(bits, 5) == 0)
		s->addr = 0;
	if (draw(bits, 2))
		s->where = STEP_AT;
}

/* Arguments that make no sense. */
static void spoil(struct step *s, u64 *bits)
{
	static const unsigned long lens[] = { 0, 1UL << 30, 1UL << 37, TASK_SIZE, ~0UL };
	static const u32 flags[] = {
		MAP_SHARED | MAP_HUGETLB,      MAP_PRIVATE | MAP_GROWSDOWN, 0,
		MAP_PRIVATE | MAP_HUGETLB,     MAP_SHARED | MAP_GROWSDOWN,  MAP_SHARED_VALIDATE,
		MAP_SHARED_VALIDATE | MAP_SYNC
	};

	s->where = STEP_AT;
	switch (draw(bits, 5)) {
	case 0:
		s->addr += 1 + draw(bits, PAGE_SIZE - 1);
		break;
	case 1:
		s->len = lens[draw(bits, 5)];
		break;
	case 2:
		s->addr = draw(bits, 2) ? TASK_SIZE - PAGE_SIZE : ~0UL << draw(bits, 64);
		break;
	case 3:
		s->flags = s->kind == STEP_MMAP ? flags[draw(bits, ARRAY_SIZE(flags))] :
						  draw(bits, 20);
		break;
	default:
		s->prot = draw(bits, 32);
		s->pos = ~0UL << 12;
		break;
	}
}

static void decode_mremap(struct step *s, u64 *bits)
{
	static const u32 flags[] = {
		MREMAP_MAYMOVE,
		MREMAP_MAYMOVE | MREMAP_FIXED,
		MREMAP_MAYMOVE | MREMAP_FIXED,
		MREMAP_MAYMOVE | MREMAP_FIXED,
		0,
		MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
		MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
	};

	s->flags = flags[draw(bits, 7)];
	s->pos = s->flags & MREMAP_DONTUNMAP || draw(bits, 3) ? s->len : draw_len(bits);
	s->to = draw(bits, 4) ? draw_addr(bits) : s->addr + draw(bits, 20) * PAGE_SIZE;
	if (draw(bits, 16) == 15)
		s->len = 0;
}

static void decode_file(struct step *s, u64 *bits)
{
	s->file = draw(bits, ORACLE_FILES);
	s->pos = draw_pos(bits);
	if (s->kind == STEP_FILE_MODE)
		s->prot = draw(bits, 4) ? PROT_MASK : draw(bits, PROT_MASK + 1);
	if (s->kind != STEP_USER_READ && s->kind != STEP_USER_WRITE)
		s->addr = 0;
}

static void decode_rest(struct step *s, u64 *bits)
{
	static const u8 mlock_flags[] = { 0, 1, 1, STEP_MUNLOCK, STEP_MUNLOCK };

	switch (s->kind) {
	case STEP_MMAP:
		decode_mmap(s, bits);
		break;
	case STEP_BRK:
		s->addr = zones[ZONE_HEAP].start + draw(bits, ZONE_PAGES_HEAP * PAGE_SIZE);
		break;
	case STEP_MADVISE:
		s->flags = draw(bits, 5) ? draw(bits, 26) : 4;
		if (draw(bits, 2))
			s->flags = 21; /* MADV_PAGEOUT */
		break;
	case STEP_MLOCK:
		s->flags = mlock_flags[draw(bits, ARRAY_SIZE(mlock_flags))];
		break;
	case STEP_MLOCKALL:
		s->flags = draw(bits, 3) ? STEP_MUNLOCK : draw(bits, 9);
		break;
	case STEP_MREMAP:
		decode_mremap(s, bits);
		break;
	case STEP_DISK_FAIL:
		s->len = draw(bits, 3);
		s->pos = draw(bits, 3);
		break;
	case STEP_SWAPOFF:
		s->pos = draw(bits, 3) ? 0 : 1 + draw(bits, 99);
		s->where = STEP_AT;
		break;
	case STEP_RLIMIT:
		s->len = draw(bits, 5) ? 0 : 40 + draw(bits, 200);
		s->pos = draw(bits, 5) ? 0 : 10 + draw(bits, 100);
		s->where = STEP_AT;
		s->addr = draw(bits, 3) ? 0 : 1 + draw(bits, 100);
		break;
	case STEP_CLEAR_REFS:
		s->flags = draw(bits, 3);
		break;
	case STEP_SHRINK:
		s->len = 1 + draw(bits, 40);
		break;
	case STEP_MSYNC:
		s->addr &= draw(bits, 16) ? (unsigned long)PAGE_MASK : ~0UL;
		s->len = draw_len(bits);
		s->flags = draw(bits, 4) ? 4 : draw(bits, 9);
		break;
	default:
		if (s->kind >= STEP_FILE_READ)
			decode_file(s, bits);
		break;
	}
}

static bool takes_pages(enum step_kind kind)
{
	return kind <= STEP_MREMAP;
}

/* True: it is one for meanwhile(), in window *window. */
static bool decode(const struct fuzz_op *op, struct step *s, unsigned *window)
{
	static const u8 where[] = { STEP_AT, STEP_NEXT_MAPPED, STEP_NEXT_USABLE, STEP_NEXT_USABLE,
				    STEP_NEXT_USABLE };
	u64 a = op->a, b = op->b, c = op->c;
	bool other = draw(&b, MEANWHILE_ONE_IN) == MEANWHILE_ONE_IN - 1;

	*s = (struct step){ .kind = kind_of(op->code), .file = NO_FILE };
	s->there = other && draw(&a, 3);
	s->hart = draw(&a, ORACLE_HARTS);
	s->slot = draw(&a, ORACLE_MMS);
	s->where = s->kind == STEP_BRK ? STEP_AT : where[draw(&a, 5)];
	if (s->kind == STEP_SWITCH && draw(&a, 16) == 15)
		s->slot = ORACLE_MMS;
	*window = draw(&b, 4);
	s->prot = draw(&a, 3) ? PROT_READ | PROT_WRITE : draw(&a, PROT_MASK + 1);
	s->addr = draw_addr(&b);
	s->len = draw_len(&c);
	if (!takes_pages(s->kind)) {
		s->addr += draw(&c, 2) ? draw(&c, PAGE_SIZE) : 0;
		s->len = 1 + draw(&c, draw(&c, 4) ? 16 : PAGE_SIZE);
	}
	if (draw(&c, FAIL_ONE_IN) == FAIL_ONE_IN - 1)
		s->fail = 1 + draw(&c, 14);
	if (takes_pages(s->kind) && s->kind != STEP_BRK && draw(&c, 16) == 15) {
		decode_rest(s, &c);
		spoil(s, &c);
	} else {
		decode_rest(s, &c);
	}
	return other;
}

/* ---- the target ---- */

static bool started; /* the first step is told the options of the MMU */

static void start(void)
{
	started = false;
}

static struct mmu_options options_of(const struct fuzz_op *op)
{
	return (struct mmu_options){
		.svade = op->a & 1,
		.keeps_invalid = op->a & 2,
		.keeps_tables = op->a & 4,
	};
}

static void do_op(const struct fuzz_op *op)
{
	struct step s;
	unsigned window;

	if (!started) {
		model_start(options_of(op));
		started = true;
	} else if (decode(op, &s, &window)) {
		meanwhile(window, &s);
	} else {
		step(&s);
	}
}

static void end(void)
{
	if (started)
		model_end();
}

/* ---- as a unit test ---- */

static void print_flags(FILE *out, const struct step *s)
{
	static const struct {
		u32 bit;
		const char *name;
	} names[] = {
		{ MAP_SHARED, "MAP_SHARED" },
		{ MAP_PRIVATE, "MAP_PRIVATE" },
		{ MAP_FIXED, "MAP_FIXED" },
		{ MAP_ANONYMOUS, "MAP_ANONYMOUS" },
		{ MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE" },
		{ MAP_POPULATE, "MAP_POPULATE" },
		{ MAP_NORESERVE, "MAP_NORESERVE" },
		{ MAP_LOCKED, "MAP_LOCKED" },
	};
	u32 rest = s->flags;
	const char *before = ", .flags = ";

	for (unsigned i = 0; s->kind == STEP_MMAP && i < ARRAY_SIZE(names); i++) {
		if (!(rest & names[i].bit))
			continue;
		fprintf(out, "%s%s", before, names[i].name);
		before = " | ";
		rest &= ~names[i].bit;
	}
	if (rest)
		fprintf(out, "%s0x%x", before, rest);
}

static void print_step(FILE *out, const struct step *s)
{
	fprintf(out, "&(struct step){ .kind = STEP_%s", step_name[s->kind]);
	if (s->hart)
		fprintf(out, ", .hart = %u", s->hart);
	if (s->slot && s->kind >= STEP_COPY_FROM && s->kind <= STEP_SWITCH)
		fprintf(out, ", .slot = %u", s->slot);
	if (s->addr)
		fprintf(out, ", .addr = 0x%lx", s->addr);
	if (s->len)
		fprintf(out, ", .len = 0x%lx", s->len);
	if (s->to)
		fprintf(out, ", .to = 0x%lx", s->to);
	if (s->prot)
		fprintf(out, ", .prot = %u", s->prot);
	print_flags(out, s);
	if (s->file)
		fprintf(out, ", .file = %d", s->file);
	if (s->pos)
		fprintf(out, ", .pos = 0x%llx", (unsigned long long)s->pos);
	if (s->fail)
		fprintf(out, ", .fail = %u", s->fail);
	if (s->where != STEP_AT)
		fprintf(out, ", .where = %s",
			s->where == STEP_NEXT_MAPPED ? "STEP_NEXT_MAPPED" : "STEP_NEXT_USABLE");
	if (s->there)
		fprintf(out, ", .there = true");
	fprintf(out, " });\n");
}

static void print(FILE *out, const struct fuzz_op *op)
{
	static bool printed;
	struct mmu_options options = options_of(op);
	unsigned window;
	struct step s;

	if (!printed) {
		fprintf(out, "\tmodel_start((struct mmu_options){ %d, %d, %d });\n", options.svade,
			options.keeps_invalid, options.keeps_tables);
		printed = true;
		return;
	}
	if (decode(op, &s, &window))
		fprintf(out, "\tmeanwhile(%u, ", window);
	else
		fprintf(out, "\tstep(");
	print_step(out, &s);
}

const struct fuzz_target fuzz_target = {
	.name = "mm",
	.nr_codes = NR_CODES,
	.default_ops = 2000,
	.start = start,
	.step = do_op,
	.end = end,
	.print = print,
	.includes = "#include \"tests/host/model/step.h\"\n#include \"tests/host/test.h\"\n",
	.epilogue = "\tmodel_end();\n",
};
