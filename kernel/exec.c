/*
 * exec.c - execve(2): another program in the same task.
 *
 *	path -> file -> "#!"?  up to 4 times: its interpreter is the file, and argv gets a prefix
 *	             -> new mm: stack area, segments, strings     (the old image is untouched)
 *	             -> point of no return: memory, descriptors, signals, registers change
 *
 * Invariants: everything that can fail happens before the point of no return, so a failed execve
 * leaves the caller as it was; after it nothing fails.
 * Locks: task_lock for the change of task->mm; none while the new image is built, which nobody
 * else sees.
 */
#include "arch/riscv/switch.h"
#include "arch/riscv/uaccess.h"
#include "fs/vfs.h"
#include "kernel/elf.h"
#include "kernel/execstack.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"

#define SCRIPT_LINE 256

/* One execve() under way: too large for the stack. */
struct exec {
	struct exec_strings strings;
	struct file *file;
	struct mm *mm;
	struct elf_info info;
	struct cred cred; /* the program's */
	unsigned long sp;
	/* The first bytes of what was opened; of scripts, the line cut into words. */
	char line[SCRIPT_DEPTH_MAX + 1][SCRIPT_LINE];
};

/* ---- scripts ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Cuts the line after "#!" into interpreter and argument (*arg NULL: none), in place. @len bytes of
 * the file are in @line, SCRIPT_LINE at most. -ENOEXEC: no interpreter, or its name is cut off.
 */
static int parse_script_line(char *line, size_t len, char **interp, char **arg)
{
	char *end = memchr(line, '\n', len);
	bool complete = end || len < SCRIPT_LINE;
	char *p = line + 2;

	if (!end)
		end = line + (complete ? len : SCRIPT_LINE - 1);
	while (end > p && is_blank(end[-1]))
		end--;
	*end = 0;
	while (is_blank(*p))
		p++;
	*interp = p;
	while (*p && !is_blank(*p))
		p++;
	if (p == *interp || (!*p && !complete))
		return -ENOEXEC;
	while (is_blank(*p))
		*p++ = 0;
	*arg = *p ? p : NULL;
	return 0;
}

/* Opens @path; while it is a script, its interpreter instead. */
static int open_program(struct exec *ex, const char *path)
{
	struct exec_strings *s = &ex->strings;

	for (unsigned depth = 0;; depth++) {
		char *line = ex->line[depth], *interp, *arg;
		ssize_t n;
		int err;

		ex->file = file_open_exec(path);
		if (IS_ERR(ex->file)) {
			err = PTR_ERR(ex->file);
			ex->file = NULL;
			return err;
		}
		/* Read once: another process may be writing to the file. */
		n = file_read_kernel(ex->file, line, SCRIPT_LINE, 0);
		if (n < 0)
			return n;
		if (n < 2 || line[0] != '#' || line[1] != '!')
			return 0;
		if (depth == SCRIPT_DEPTH_MAX)
			return -ELOOP;
		err = parse_script_line(line, n, &interp, &arg);
		if (err)
			return err;
		/*
		 * The name this script was found by, in place of argv[0] or of the last
		 * interpreter.
		 */
		if (s->nr_prefix)
			s->nr_prefix--;
		s->prefix[s->nr_prefix++] = path;
		if (arg)
			s->prefix[s->nr_prefix++] = arg;
		s->prefix[s->nr_prefix++] = interp;
		path = interp;
		file_put(ex->file);
		ex->file = NULL;
	}
}

/* ---- the new image ---- */

/*
 * The ids that the program gives: set-id bits count unless the file system is mounted nosuid. A
 * chown() under way gives either the old owner with the bits or the new one without.
 */
static void make_cred(struct exec *ex)
{
	struct inode *inode = ex->file->f_inode;
	mode_t mode;

	ex->cred = current->cred;
	mutex_lock(&inode->lock);
	mode = inode->i_mode;
	if (inode->i_sb->s_flags & SB_NOSUID)
		mode &= ~(S_ISUID | S_ISGID);
	cred_exec(&ex->cred, mode, inode->i_uid, inode->i_gid);
	mutex_unlock(&inode->lock);
}

/* Builds all of the new address space. On failure free_image() drops what there is. */
static int build_image(struct exec *ex)
{
	struct mm *mm;
	int err = exec_count_strings(&ex->strings);

	if (err)
		return err;
	make_cred(ex);
	ex->mm = mm = mm_alloc();
	if (!mm)
		return -ENOMEM;
	err = exec_make_stack(mm, &ex->strings);
	if (!err)
		err = elf_load(ex->file, mm, &ex->info);
	if (!err)
		err = exec_fill_stack(mm, &ex->strings, &ex->info, &ex->cred, &ex->sp);
	if (err)
		return err;
	mm->start_code = ex->info.start_code;
	mm->end_code = ex->info.end_code;
	mm->start_data = ex->info.start_data;
	mm->end_data = ex->info.end_data;
	mm->start_brk = mm->brk = ex->info.brk;
	mm->start_stack = ex->sp;
	mm->exe_file = file_get(ex->file);
	return 0;
}

static void free_image(struct exec *ex)
{
	if (ex->mm)
		mm_put(ex->mm);
	if (ex->file)
		file_put(ex->file);
}

/* ---- the change ---- */

/* Exchanges the address space; the old one is dropped, and a vfork parent goes on with it. */
static void install_mm(struct task *task, struct mm *mm)
{
	struct mm *old = task->mm;
	unsigned long flags;

	if (old && task->clear_child_tid && atomic_read(&old->users) > 1)
		put_user(0, task->clear_child_tid);
	flags = spin_lock_irqsave(&task_lock);
	task->mm = mm;
	spin_unlock(&task_lock);
	mm_switch(mm);
	local_irq_restore(flags);
	if (old) {
		task->max_rss = max(task->max_rss, max(old->hiwater_rss, mm_rss(old)));
		mm_put(old);
	}
	complete_vfork(task);
}

/* The last component of @path, cut to fit: what ps shows. */
static void set_comm(struct task *task, const char *path)
{
	const char *slash = strrchr(path, '/');

	strlcpy(task->comm, slash ? slash + 1 : path, sizeof(task->comm));
}

/* The point of no return. Takes over ex->mm. */
static void commit(struct exec *ex)
{
	struct task *task = current;
	unsigned long flags;

	install_mm(task, ex->mm);
	ex->mm = NULL;
	flags = spin_lock_irqsave(&task_lock);
	task->cred = ex->cred;
	spin_unlock_irqrestore(&task_lock, flags);
	set_comm(task, ex->strings.path);
	task->did_exec = true;
	task->is_kernel = false;
	task->exit_signal = SIGCHLD;
	task->clear_child_tid = task->set_child_tid = NULL;
	task->robust_list = NULL;
	flush_signal_handlers(task);
	files_close_on_exec(task->files);
	start_user(task_regs(task), ex->info.entry, ex->sp);
}

static int do_execve(struct exec *ex)
{
	int err = open_program(ex, ex->strings.path);

	if (!err)
		err = build_image(ex);
	if (!err)
		err = files_unshare();
	if (!err)
		commit(ex);
	free_image(ex);
	return err;
}

/* What execve(2) does; @path is kernel memory, @argv and @envp too if @kernel. */
static int exec_path(const char *path, const char *const *argv, const char *const *envp,
		     bool kernel)
{
	struct exec *ex = kmalloc(sizeof(*ex), GFP_KERNEL);
	int err;

	if (!ex)
		return -ENOMEM;
	ex->file = NULL;
	ex->mm = NULL;
	ex->strings.kernel = kernel;
	ex->strings.argv = argv;
	ex->strings.envp = envp;
	ex->strings.path = path;
	ex->strings.nr_prefix = 0;
	err = do_execve(ex);
	kfree(ex);
	return err;
}

int kernel_execve(const char *path, const char *const *argv, const char *const *envp)
{
	return exec_path(path, argv, envp, true);
}

SYSCALL_DEFINE3(execve, const char *, upath, const char *const *, argv, const char *const *, envp)
{
	char *path = path_from_user(upath);
	int err;

	if (IS_ERR(path))
		return PTR_ERR(path);
	err = exec_path(path, argv, envp, false);
	path_free(path);
	return err;
}
