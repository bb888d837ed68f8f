/*
 * oomscore.c - whom the OOM killer would take (mm/oom.c), and the table it shows (mm/oom_report.c).
 *
 *	points = resident + swapped + tables + oom_score_adj thousandths of all
 */
#include <stdlib.h>

#include "kernel/task.h"
#include "lib/string.h"
#include "mm/oom.h"
#include "tests/host/unit/space.h"

#define RAM 2048 /* pages */

static struct mm *mm;

static struct oom_weight weight_of(const struct task *task)
{
	struct oom_weight weight;

	oom_weigh(task, task->mm, &weight);
	return weight;
}

/* Hart 1's task has eight pages. */
static struct task *boot_with_eight_pages(void)
{
	unsigned long addr;

	machine_boot(RAM, 3);
	machine_run_on(1);
	mm = space_new();
	addr = map_anon(mm, 8, RW);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(user_put(addr + i * PAGE_SIZE, 1), FAULT_OK);
	return current;
}

static void done(void)
{
	for (unsigned i = 0; i < 3; i++)
		host_tasks[i].mm = i == 1 ? mm : NULL;
	space_end(mm);
	machine_check_rest();
}

BARE_TEST(a_weight_is_a_sum)
{
	struct task *task = boot_with_eight_pages();
	struct oom_weight weight = weight_of(task);

	CHECK_EQ(weight.rss, 8);
	CHECK_EQ(weight.swap, 0);
	CHECK_EQ(weight.tables, 3);
	CHECK_EQ(weight.points, 11);
	task->oom_score_adj = 500;
	CHECK_EQ(weight_of(task).points, 11 + (long)nr_managed_pages() / 2);
	task->oom_score_adj = -500;
	CHECK_EQ(weight_of(task).points, 11 - (long)nr_managed_pages() / 2);
	task->oom_score_adj = -999;
	CHECK(weight_of(task).points != OOM_NEVER);
	done();
}

BARE_TEST(some_are_never_chosen)
{
	struct task *task = boot_with_eight_pages();

	task->oom_score_adj = -1000;
	CHECK_EQ(weight_of(task).points, OOM_NEVER);
	task->oom_score_adj = 0;
	task->state = TASK_ZOMBIE;
	CHECK_EQ(weight_of(task).points, OOM_NEVER);
	task->state = TASK_RUNNING;
	CHECK(weight_of(task).points != OOM_NEVER);
	/* A thread of the kernel, and init. */
	CHECK_EQ(weight_of(&host_tasks[2]).points, OOM_NEVER);
	host_tasks[0].mm = mm;
	CHECK_EQ(weight_of(&host_tasks[0]).points, OOM_NEVER);
	/* Who shares init's memory, and who shares that of one who is spared. */
	CHECK_EQ(weight_of(task).points, OOM_NEVER);
	host_tasks[0].mm = NULL;
	host_tasks[2].mm = mm;
	mm_get(mm);
	CHECK(weight_of(task).points != OOM_NEVER);
	host_tasks[2].oom_score_adj = -1000;
	CHECK_EQ(weight_of(task).points, OOM_NEVER);
	host_tasks[2].oom_score_adj = 0;
	mm_put(mm);
	done();
}

BARE_TEST(scores)
{
	struct task *task = boot_with_eight_pages();

	CHECK_EQ(oom_score(task), (1000 + 11000 / nr_managed_pages()) * 2 / 3);
	task->oom_score_adj = 1000;
	CHECK_EQ(oom_score(task), (2000 + 11000 / nr_managed_pages()) * 2 / 3);
	task->oom_score_adj = -999;
	CHECK(oom_score(task) <= 10);
	task->oom_score_adj = -1000;
	CHECK_EQ(oom_score(task), 0);
	task->oom_score_adj = 0;
	done();
}

BARE_TEST(who_may_wish_what)
{
	struct task *task = boot_with_eight_pages();

	CHECK_EQ(oom_set_score_adj(task, 1001, false), -EINVAL);
	CHECK_EQ(oom_set_score_adj(task, -1001, false), -EINVAL);
	CHECK_EQ(oom_set_score_adj(task, 100, false), 0);
	current->cred.euid = 1000;
	CHECK_EQ(oom_set_score_adj(task, 99, false), -EACCES);
	CHECK_EQ(oom_set_score_adj(task, 300, false), 0);
	CHECK_EQ(oom_set_score_adj(task, 100, false), 0); /* what root set */
	CHECK_EQ(oom_set_score_adj(task, 300, true), 0);
	CHECK_EQ(oom_set_score_adj(task, 100, true), -EACCES); /* the older file: never lower */
	current->cred.euid = 0;
	CHECK_EQ(oom_set_score_adj(task, 0, false), 0);
	CHECK_EQ(task->oom_score_adj, 0);
	done();
}

BARE_TEST(who_shares_memory_shares_the_wish)
{
	struct task *task = boot_with_eight_pages();
	struct wait_queue parent;

	host_tasks[2].mm = mm;
	CHECK_EQ(oom_set_score_adj(task, 7, false), 0);
	CHECK_EQ(host_tasks[2].oom_score_adj, 7);
	CHECK_EQ(host_tasks[0].oom_score_adj, 0);
	/* A child of vfork(), which will soon be a program of its own. */
	host_tasks[2].vfork_done = &parent;
	CHECK_EQ(oom_set_score_adj(&host_tasks[2], 8, false), 0);
	CHECK_EQ(host_tasks[2].oom_score_adj, 8);
	CHECK_EQ(task->oom_score_adj, 7);
	host_tasks[2].vfork_done = NULL;
	host_tasks[2].oom_score_adj = task->oom_score_adj = 0;
	done();
}

/* ---- the table ---- */

static struct oom_table table;

static void add(long points)
{
	struct task task = { .pid = points, .comm = "x" };
	struct oom_weight weight = { .points = points };

	oom_table_add(&table, &task, &weight);
}

BARE_TEST(the_table_has_the_heaviest_in_order)
{
	machine_boot(RAM, 1);
	for (unsigned i = 0; i < 100; i++)
		add((i * 37) % 100);
	CHECK_EQ(table.nr, OOM_ROWS);
	CHECK_EQ(table.all, 100);
	for (unsigned i = 0; i < OOM_ROWS; i++)
		CHECK_EQ(table.row[i].weight.points, 99 - i);
}

BARE_TEST(the_report_is_bounded)
{
	char *text = NULL;
	unsigned lines = 0;
	size_t size;

	machine_boot(RAM, 1);
	for (unsigned i = 0; i < 100; i++)
		add(i);
	host_console = open_memstream(&text, &size);
	oom_report(&table, 0x1000, FAULT_WRITE);
	fclose(host_console);
	host_console = NULL;
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	CHECK_EQ(lines, 4 + OOM_ROWS + 1);
	CHECK(strstr(text, "store to 0x1000") != NULL);
	CHECK(strstr(text, "and 90 more") != NULL);
	free(text);
}
