/*
 * execstack.c - the first contents of a program's stack, as Linux lays them out.
 *
 *	STACK_TOP  ----> 8 zero bytes
 *	                 path of the program          <- AT_EXECFN
 *	                 envp strings ... argv strings, ascending from arg_start
 *	                 16 random bytes              <- AT_RANDOM
 *	                 auxv pairs ... AT_NULL
 *	                 envp pointers, NULL
 *	                 argv pointers, NULL
 *	sp, 16-aligned > argc
 *
 * The strings go from the old memory straight into the pages of the new stack, one page at a time;
 * they are measured first, because what lies below depends on their size. Another task that shares
 * the old memory may change them meanwhile: what counts then is what is copied, in the space that
 * was measured, and each copy is terminated.
 *
 * Invariants: nothing is written outside the measured block; sp is known before the first byte is.
 * Locks: none; a page of the new stack is held by reference while it is written.
 */
#include "kernel/execstack.h"

#include "arch/riscv/uaccess.h"
#include "kernel/elf.h"
#include "kernel/random.h"
#include "lib/elf.h"
#include "lib/string.h"
#include "mm/mm.h"

#define ARG_STRING_MAX (32UL * PAGE_SIZE)
#define ARG_TOTAL_MAX  (6UL << 20)
#define ARG_TOTAL_MIN  (32UL * PAGE_SIZE)
/* Below the strings at the start: room for the first calls, so that they need no growth. */
#define STACK_SLACK (4UL * PAGE_SIZE)

#define AUXV_PAIRS   17 /* with AT_NULL */
#define RANDOM_BYTES 16
#define CLOCK_TICKS  100
/* The letters of the base ISA as bits, a = 0. */
#define ISA(letter) (1UL << ((letter) - 'a'))
#define HWCAP	    (ISA('i') | ISA('m') | ISA('a') | ISA('f') | ISA('d') | ISA('c'))

/* ---- reading the strings ---- */

/* String @i of @list, or NULL past its end; -EFAULT. */
static int list_entry_at(const struct exec_strings *s, const char *const *list, unsigned i,
			 const char **str)
{
	if (s->kernel) {
		*str = list ? list[i] : NULL;
		return 0;
	}
	*str = NULL;
	return list ? get_user(*str, &list[i]) : 0;
}

/* Length with NUL of @str, at most @max; -EFAULT; -E2BIG when it is longer. */
static ssize_t string_size(bool kernel, const char *str, size_t max)
{
	size_t n = kernel ? strnlen(str, max) + 1 : strnlen_user(str, max);

	if (n == 0)
		return -EFAULT;
	return n > max ? -E2BIG : (ssize_t)n;
}

/* argv[0] of a script's call, which the prefix replaces. */
static unsigned skipped(const struct exec_strings *s)
{
	return s->nr_prefix ? 1 : 0;
}

/* Adds the strings of @list to the sums; *count counts them all. */
static int count_list(struct exec_strings *s, const char *const *list, unsigned skip,
		      unsigned *count)
{
	const char *str;
	ssize_t n;

	for (unsigned i = 0;; i++) {
		int err = list_entry_at(s, list, i, &str);

		if (err)
			return err;
		if (!str)
			return 0;
		if (i < skip)
			continue;
		n = string_size(s->kernel, str, ARG_STRING_MAX);
		if (n < 0)
			return n;
		s->bytes += n;
		++*count;
		if (s->bytes + (s->argc + s->envc) * sizeof(char *) > ARG_TOTAL_MAX)
			return -E2BIG;
		if (i % 1024 == 1023)
			cond_resched();
	}
}

int exec_count_strings(struct exec_strings *s)
{
	size_t limit = min(current->rlim[RLIMIT_STACK].cur / 4, ARG_TOTAL_MAX);
	int err;

	s->bytes = strlen(s->path) + 1;
	s->argc = s->envc = 0;
	for (unsigned i = 0; i < s->nr_prefix; i++)
		s->bytes += strlen(s->prefix[i]) + 1;
	s->argc = s->nr_prefix;
	err = count_list(s, s->argv, skipped(s), &s->argc);
	if (!err)
		err = count_list(s, s->envp, 0, &s->envc);
	if (err)
		return err;
	if (s->argc == 0) { /* as Linux: a program never sees argc 0 */
		s->argc = 1;
		s->bytes++;
	}
	if (s->bytes + (s->argc + s->envc) * sizeof(char *) > max(limit, ARG_TOTAL_MIN))
		return -E2BIG;
	return 0;
}

/* ---- writing the new stack ---- */

/* A place on the new stack to which is written, ascending; keeps its current page. */
struct writer {
	struct mm *mm;
	unsigned long addr, end; /* user addresses */
	struct page *page;	 /* holds addr, if not NULL */
	struct writer *beside;	 /* may be in the same page */
};

static void writer_finish(struct writer *w)
{
	if (w->page)
		page_put(w->page);
	w->page = NULL;
}

/*
 * The page of w->addr, with a reference; NULL: no memory. The one that the other writer has, where
 * that is the same: if it has gone to swap meanwhile, a fault for writing would make a copy, since
 * he holds it, and what he writes after that would be lost.
 */
static struct page *writer_page(const struct writer *w)
{
	const struct writer *other = w->beside;
	enum fault_result res;

	if (!other->page || ((w->addr ^ other->addr) & PAGE_MASK))
		return get_user_page(w->mm, w->addr, FAULT_WRITE, &res);
	page_get(other->page);
	return other->page;
}

/* The kernel's view of w->addr, and how many bytes of the page follow; NULL: no memory. */
static char *writer_window(struct writer *w, size_t *room)
{
	if (!w->page)
		w->page = writer_page(w);
	if (!w->page)
		return NULL;
	*room = min(PAGE_SIZE - offset_in_page(w->addr), w->end - w->addr);
	return (char *)page_address(w->page) + offset_in_page(w->addr);
}

static void writer_advance(struct writer *w, size_t n)
{
	w->addr += n;
	if (offset_in_page(w->addr) == 0)
		writer_finish(w);
}

/* Writes @len bytes from @src; -ENOMEM, -EFAULT (source), -E2BIG (no room left). */
static int writer_put(struct writer *w, bool kernel, const void *src, size_t len)
{
	const char *from = src;

	if (len > w->end - w->addr)
		return -E2BIG;
	while (len > 0) {
		size_t n;
		char *to = writer_window(w, &n);

		if (!to)
			return -ENOMEM;
		n = min(n, len);
		if (kernel)
			memcpy(to, from, n);
		else if (copy_from_user(to, from, n))
			return -EFAULT;
		writer_advance(w, n);
		from += n;
		len -= n;
	}
	return 0;
}

static int writer_put_word(struct writer *w, unsigned long word)
{
	return writer_put(w, true, &word, sizeof(word));
}

/* One string to @strings and its address to @pointers. */
static int put_string(struct writer *strings, struct writer *pointers, bool kernel, const char *str)
{
	ssize_t n = string_size(kernel, str, ARG_STRING_MAX);
	int err;

	if (n < 0)
		return n;
	err = writer_put_word(pointers, strings->addr);
	if (!err)
		err = writer_put(strings, kernel, str, n - 1);
	if (!err)
		err = writer_put(strings, true, "", 1);
	return err;
}

/* Exactly @count strings of @list, after the first @skip, and the NULL that ends the pointers. */
static int put_list(const struct exec_strings *s, struct writer *strings, struct writer *pointers,
		    const char *const *list, unsigned skip, unsigned count)
{
	const char *str;
	int err;

	for (unsigned i = skip; i < skip + count; i++) {
		err = list_entry_at(s, list, i, &str);
		if (err)
			return err;
		if (!str)
			return -EFAULT; /* it was there when they were counted */
		err = put_string(strings, pointers, s->kernel, str);
		if (err)
			return err;
	}
	return writer_put_word(pointers, 0);
}

static int put_argv(const struct exec_strings *s, struct writer *strings, struct writer *pointers)
{
	unsigned from_list = s->argc - s->nr_prefix;
	const char *first = NULL;
	int err = 0;

	for (unsigned i = s->nr_prefix; i-- > 0 && !err;)
		err = put_string(strings, pointers, true, s->prefix[i]);
	if (!err && !s->nr_prefix)
		err = list_entry_at(s, s->argv, 0, &first);
	if (err)
		return err;
	if (!s->nr_prefix && !first) {
		err = put_string(strings, pointers, true, "");
		from_list--;
	}
	return err ? err : put_list(s, strings, pointers, s->argv, skipped(s), from_list);
}

static void make_auxv(struct mm *mm, const struct elf_info *info, const struct cred *cred,
		      unsigned long random, unsigned long execfn)
{
	bool secure = cred->uid != cred->euid || cred->gid != cred->egid;
	const unsigned long pairs[AUXV_PAIRS * 2] = {
		AT_HWCAP,    HWCAP,	  AT_PAGESZ,   PAGE_SIZE, AT_CLKTCK,
		CLOCK_TICKS, AT_PHDR,	  info->phdr,  AT_PHENT,  sizeof(struct elf64_phdr),
		AT_PHNUM,    info->phnum, AT_BASE,     0,	  AT_FLAGS,
		0,	     AT_ENTRY,	  info->entry, AT_UID,	  cred->uid,
		AT_EUID,     cred->euid,  AT_GID,      cred->gid, AT_EGID,
		cred->egid,  AT_SECURE,	  secure,      AT_RANDOM, random,
		AT_EXECFN,   execfn,	  AT_NULL,     0,
	};

	BUILD_BUG_ON(sizeof(pairs) > sizeof(mm->auxv));
	memcpy(mm->auxv, pairs, sizeof(pairs));
}

/* Words from argc to the end of auxv. */
static size_t table_words(const struct exec_strings *s)
{
	return 1 + s->argc + 1 + s->envc + 1 + AUXV_PAIRS * 2;
}

static unsigned long strings_start(const struct exec_strings *s)
{
	return STACK_TOP - sizeof(long) - s->bytes;
}

/* The address of the random bytes, and below them, 16-aligned, the program's sp. */
static unsigned long random_start(const struct exec_strings *s)
{
	return (strings_start(s) - RANDOM_BYTES) & ~15UL;
}

static unsigned long stack_pointer(const struct exec_strings *s)
{
	return (random_start(s) - table_words(s) * sizeof(long)) & ~15UL;
}

int exec_make_stack(struct mm *mm, const struct exec_strings *s)
{
	unsigned long bottom = (stack_pointer(s) - STACK_SLACK) & PAGE_MASK;

	return vm_make_stack(mm, STACK_TOP, STACK_TOP - bottom, PROT_READ | PROT_WRITE);
}

int exec_fill_stack(struct mm *mm, const struct exec_strings *s, const struct elf_info *info,
		    const struct cred *cred, unsigned long *sp)
{
	unsigned long random = random_start(s), start = strings_start(s);
	unsigned long execfn = STACK_TOP - sizeof(long) - (strlen(s->path) + 1);
	struct writer strings = { .mm = mm, .addr = start, .end = execfn };
	struct writer table = { .mm = mm, .addr = stack_pointer(s), .end = start };
	u8 seed[RANDOM_BYTES];
	int err;

	strings.beside = &table;
	table.beside = &strings;
	*sp = table.addr;
	random_bytes(seed, sizeof(seed));
	make_auxv(mm, info, cred, random, execfn);

	err = writer_put_word(&table, s->argc);
	mm->arg_start = start;
	if (!err)
		err = put_argv(s, &strings, &table);
	mm->arg_end = mm->env_start = strings.addr;
	if (!err)
		err = put_list(s, &strings, &table, s->envp, 0, s->envc);
	mm->env_end = strings.addr;
	if (!err)
		err = writer_put(&table, true, mm->auxv, AUXV_PAIRS * 2 * sizeof(long));
	if (!err) {
		writer_finish(&table);
		table.addr = random;
		err = writer_put(&table, true, seed, sizeof(seed));
	}
	if (!err) {
		writer_finish(&strings);
		strings.addr = execfn;
		strings.end = STACK_TOP;
		err = writer_put(&strings, true, s->path, strlen(s->path) + 1);
	}
	writer_finish(&strings);
	writer_finish(&table);
	return err;
}
