/*
 * report.c - the line for a fault that killed: who, where, why, and what lies around.
 *
 *	prog[7]: store to 0x10 at pc 0x400: no area holds the address (SEGV_MAPERR);
 *	         below: none; above: 0x40002000-0x40004000 rw- anonymous
 */
#include "tests/host/unit/areas.h"

#include <string.h>
#include <unistd.h>

/* What the kernel prints while @statement runs. */
#define PRINTED(statement)                                                                         \
	({                                                                                         \
		int saved_ = capture_begin();                                                      \
		statement;                                                                         \
		capture_end(saved_);                                                               \
	})

static FILE *captured;

static int capture_begin(void)
{
	int saved = dup(STDERR_FILENO);

	captured = tmpfile();
	fflush(stderr);
	dup2(fileno(captured), STDERR_FILENO);
	return saved;
}

static const char *capture_end(int saved)
{
	static char text[1024];
	size_t n;

	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(captured);
	n = fread(text, 1, sizeof(text) - 1, captured);
	text[n] = '\0';
	fclose(captured);
	return text;
}

static struct mm *program(const char *drawing)
{
	strcpy(current->comm, "prog");
	current->pid = 7;
	return areas(drawing);
}

#define REPORT(mm, addr, access, res) PRINTED(fault_report(mm, addr, 0x400, access, res))

TEST(outside_of_every_area)
{
	struct mm *mm = program("..ww...rxRR");

	CHECK_STRING(REPORT(mm, at(5), FAULT_WRITE, FAULT_SEGV_MAPERR),
		     "prog[7]: store to 0x40005000 at pc 0x400: no area holds the address "
		     "(SEGV_MAPERR); below: 0x40002000-0x40004000 rw- anonymous; "
		     "above: 0x40007000-0x40008000 r-- anonymous\n");
	CHECK_STRING(REPORT(mm, at(1), FAULT_READ, FAULT_SEGV_MAPERR),
		     "prog[7]: load from 0x40001000 at pc 0x400: no area holds the address "
		     "(SEGV_MAPERR); below: none; above: 0x40002000-0x40004000 rw- anonymous\n");
	CHECK_STRING(REPORT(mm, at(11), FAULT_EXEC, FAULT_SEGV_MAPERR),
		     "prog[7]: fetch from 0x4000b000 at pc 0x400: no area holds the address "
		     "(SEGV_MAPERR); below: 0x40009000-0x4000b000 r-- /file0; above: none\n");
	areas_done(mm);
}

TEST(inside_an_area)
{
	struct mm *mm = program("nrbhQ");

	area_file(0);
	CHECK_STRING(REPORT(mm, at(0), FAULT_READ, FAULT_SEGV_ACCERR),
		     "prog[7]: load from 0x40000000 at pc 0x400: the area forbids it "
		     "(SEGV_ACCERR); area: 0x40000000-0x40001000 --- anonymous\n");
	CHECK_STRING(REPORT(mm, at(2) + 1, FAULT_EXEC, FAULT_OOM),
		     "prog[7]: fetch from 0x40002001 at pc 0x400: out of memory; "
		     "area: 0x40002000-0x40003000 rwx anonymous\n");
	CHECK_STRING(REPORT(mm, at(3), FAULT_WRITE, FAULT_OOM),
		     "prog[7]: store to 0x40003000 at pc 0x400: out of memory; "
		     "area: 0x40003000-0x40004000 rw- [heap]\n");
	CHECK_STRING(REPORT(mm, at(4), FAULT_READ, FAULT_SIGBUS),
		     "prog[7]: load from 0x40004000 at pc 0x400: past the end of the file, or the "
		     "disk failed (SIGBUS); area: 0x40004000-0x40005000 r-- /file0\n");
	CHECK_STRING(REPORT(mm, at(1), FAULT_READ, FAULT_KILLED),
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
	text = REPORT(mm, at(5), FAULT_WRITE, FAULT_SEGV_MAPERR);
	CHECK(strstr(text, "below: none; above: 0x40006000-0x4000a000 rw- [stack]\n"));
	CHECK(strstr(text, "prog[7]: stack overflow: the stack may have 16 KiB (ulimit -s)\n"));
	/* Within the limit, far below it, or above it: something else went wrong. */
	limit(RLIMIT_STACK, pages(5));
	CHECK(!strstr(REPORT(mm, at(5), FAULT_WRITE, FAULT_OOM), "overflow"));
	limit(RLIMIT_STACK, pages(4));
	CHECK(!strstr(REPORT(mm, at(5) - (1UL << 21), FAULT_WRITE, FAULT_SEGV_MAPERR), "overflow"));
	CHECK(!strstr(REPORT(mm, at(7), FAULT_EXEC, FAULT_SEGV_ACCERR), "overflow"));
	CHECK(!strstr(REPORT(mm, at(10), FAULT_READ, FAULT_SEGV_MAPERR), "overflow"));
	areas_done(mm);
}
