/*
 * report.c - the line for a fault that killed: who, where, why, and what lies around.
 *
 *	prog[7]: store to 0x10 at pc 0x400: no area holds the address (SEGV_MAPERR);
 *	         below: none; above: 0x40002000-0x40004000 rw- anonymous
 */
#include "tests/host/unit/areas.h"
#include "tests/host/unit/console.h"

#include <string.h>

/* What the kernel prints; until the next time. */
static const char *report(struct mm *mm, unsigned long addr, enum fault_access access,
			  enum fault_result res)
{
	static char *text;

	free(text);
	console_start(&text);
	fault_report(mm, addr, 0x400, access, res);
	console_end();
	return text;
}

static struct mm *program(const char *drawing)
{
	strcpy(current->comm, "prog");
	current->pid = 7;
	return areas(drawing);
}

TEST(outside_of_every_area)
{
	struct mm *mm = program("..ww...rxRR");

	CHECK_STRING(report(mm, at(5), FAULT_WRITE, FAULT_SEGV_MAPERR),
		     "prog[7]: store to 0x40005000 at pc 0x400: no area holds the address "
		     "(SEGV_MAPERR); below: 0x40002000-0x40004000 rw- anonymous; "
		     "above: 0x40007000-0x40008000 r-- anonymous\n");
	CHECK_STRING(report(mm, at(1), FAULT_READ, FAULT_SEGV_MAPERR),
		     "prog[7]: load from 0x40001000 at pc 0x400: no area holds the address "
		     "(SEGV_MAPERR); below: none; above: 0x40002000-0x40004000 rw- anonymous\n");
	CHECK_STRING(report(mm, at(11), FAULT_EXEC, FAULT_SEGV_MAPERR),
		     "prog[7]: fetch from 0x4000b000 at pc 0x400: no area holds the address "
		     "(SEGV_MAPERR); below: 0x40009000-0x4000b000 r-- /file0; above: none\n");
	areas_done(mm);
}

TEST(inside_an_area)
{
	struct mm *mm = program("nrbhQ");

	area_file(0);
	CHECK_STRING(report(mm, at(0), FAULT_READ, FAULT_SEGV_ACCERR),
		     "prog[7]: load from 0x40000000 at pc 0x400: the area forbids it "
		     "(SEGV_ACCERR); area: 0x40000000-0x40001000 --- anonymous\n");
	CHECK_STRING(report(mm, at(2) + 1, FAULT_EXEC, FAULT_OOM),
		     "prog[7]: fetch from 0x40002001 at pc 0x400: out of memory; "
		     "area: 0x40002000-0x40003000 rwx anonymous\n");
	CHECK_STRING(report(mm, at(3), FAULT_WRITE, FAULT_OOM),
		     "prog[7]: store to 0x40003000 at pc 0x400: out of memory; "
		     "area: 0x40003000-0x40004000 rw- [heap]\n");
	CHECK_STRING(report(mm, at(4), FAULT_READ, FAULT_SIGBUS),
		     "prog[7]: load from 0x40004000 at pc 0x400: past the end of the file, or the "
		     "disk failed (SIGBUS); area: 0x40004000-0x40005000 r-- /file0\n");
	CHECK_STRING(report(mm, at(1), FAULT_READ, FAULT_KILLED),
		     "prog[7]: load from 0x40001000 at pc 0x400: not served; "
		     "area: 0x40001000-0x40002000 r-- anonymous\n");
	areas_done(mm);
}

/* A stack that ran into its limit says so: that is what a person needs to know. */
TEST(a_stack_overflow)
{
	struct mm *mm = program("......ssss.r");
	const char *text;

	limit(RLIMIT_STACK, pages(4));
	text = report(mm, at(5), FAULT_WRITE, FAULT_SEGV_MAPERR);
	CHECK(strstr(text, "above: 0x40006000-0x4000a000 rw- anonymous\n")); /* not the first */
	mm->start_stack = at(9);
	text = report(mm, at(5), FAULT_WRITE, FAULT_SEGV_MAPERR);
	CHECK(strstr(text, "below: none; above: 0x40006000-0x4000a000 rw- [stack]\n"));
	CHECK(strstr(text, "prog[7]: stack overflow: the stack may have 16 KiB (ulimit -s)\n"));
	/* Within the limit, far below it, or above it: something else went wrong. */
	limit(RLIMIT_STACK, pages(5));
	CHECK(!strstr(report(mm, at(5), FAULT_WRITE, FAULT_OOM), "overflow"));
	limit(RLIMIT_STACK, pages(4));
	CHECK(!strstr(report(mm, at(5) - (1UL << 21), FAULT_WRITE, FAULT_SEGV_MAPERR), "overflow"));
	CHECK(!strstr(report(mm, at(7), FAULT_EXEC, FAULT_SEGV_ACCERR), "overflow"));
	CHECK(!strstr(report(mm, at(10), FAULT_READ, FAULT_SEGV_MAPERR), "overflow"));
	areas_done(mm);
}
