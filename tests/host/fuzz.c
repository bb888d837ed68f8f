/*
 * fuzz.c - runs a fuzz target: NAME [--seed=N] [--ops=N] [--runs=N], NAME --replay=FILE, NAME
 * --shrink=FILE.
 *
 *	seed --> operations --fork--> child: start, step..., end
 *	                                | fails
 *	                                v
 *	shrink: take out halves, quarters, ... single operations, then make the numbers small, as
 *	long as a child still fails --> printed as a unit test, and kept in build/host/NAME.ops
 *
 * The last line is `NAME: R runs, N operations, no difference`. Exit status 1: a difference.
 * With -DLIBFUZZER there is no main(): libFuzzer brings the bytes, 16 for each operation.
 */
#include "tests/host/fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/panic.h"
#include "lib/prng.h"

#define CHILD_SECONDS  60
#define SHRINK_SECONDS 5	 /* a hang is a failure: of many, each must be found soon */
#define FILE_MAX       (1 << 24) /* bytes */

/* How many operations a child has begun; memory that it shares with us. */
static size_t *reached;

static void run_ops(const struct fuzz_op *ops, size_t nr)
{
	fuzz_target.start();
	for (size_t i = 0; i < nr; i++) {
		struct fuzz_op op = ops[i];

		op.code %= fuzz_target.nr_codes;
		if (reached)
			*reached = i + 1;
		fuzz_target.step(&op);
	}
	fuzz_target.end();
}

#ifdef LIBFUZZER

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t nr = size / sizeof(struct fuzz_op);
	struct fuzz_op *ops = malloc(nr * sizeof(*ops) + 1);

	memcpy(ops, data, nr * sizeof(*ops));
	run_ops(ops, nr);
	free(ops);
	return 0;
}

#else

/* True when a child process that does these operations fails. */
static bool fails(const struct fuzz_op *ops, size_t nr, bool quiet, unsigned seconds)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0) {
		if (quiet) {
			int null = open("/dev/null", O_WRONLY);

			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO);
		}
		alarm(seconds);
		run_ops(ops, nr);
		host_exit();
	}
	waitpid(pid, &status, 0);
	return status != 0;
}

/* ---- shrinking ---- */

/* Leaves out pieces of @len operations wherever it still fails without; returns how many stay. */
static size_t drop_pieces(struct fuzz_op *ops, size_t nr, size_t len)
{
	struct fuzz_op *trial = malloc(nr * sizeof(*ops));

	for (size_t at = 0; at < nr;) {
		size_t cut = nr - at < len ? nr - at : len;

		memcpy(trial, ops, at * sizeof(*ops));
		memcpy(trial + at, ops + at + cut, (nr - at - cut) * sizeof(*ops));
		if (fails(trial, nr - cut, true, SHRINK_SECONDS)) {
			nr -= cut;
			memcpy(ops, trial, nr * sizeof(*ops));
		} else {
			at += cut;
		}
	}
	free(trial);
	return nr;
}

/* Tries smaller numbers in operation @i: nothing, then halves. */
static void make_small(struct fuzz_op *ops, size_t nr, size_t i)
{
	struct fuzz_op keep;

#define TRY(field, value)                                                                          \
	({                                                                                         \
		bool still_;                                                                       \
		keep = ops[i];                                                                     \
		ops[i].field = (value);                                                            \
		still_ = ops[i].field != keep.field && fails(ops, nr, true, SHRINK_SECONDS);       \
		if (!still_)                                                                       \
			ops[i] = keep;                                                             \
		still_;                                                                            \
	})
	if (!TRY(a, 0))
		while (TRY(a, ops[i].a / 2))
			;
	if (!TRY(b, 0))
		while (TRY(b, ops[i].b / 2))
			;
	if (!TRY(c, 0))
		while (TRY(c, ops[i].c / 2))
			;
#undef TRY
}

static size_t shrink(struct fuzz_op *ops, size_t nr)
{
	size_t before = *reached;

	/* Most fail in the last operation that they reach, and not at the end. */
	if (before < nr && fails(ops, before, true, SHRINK_SECONDS))
		nr = before;
	do {
		before = nr;
		for (size_t len = (nr + 1) / 2; len > 0; len /= 2)
			nr = drop_pieces(ops, nr, len);
	} while (nr < before);
	for (size_t i = 0; i < nr; i++) {
		ops[i].code %= fuzz_target.nr_codes;
		make_small(ops, nr, i);
	}
	return nr;
}

/* A unit test made of what print() says. */
static void print_in_words(const struct fuzz_op *ops, size_t nr, u64 seed)
{
	printf("%s", fuzz_target.includes ? fuzz_target.includes : "");
	printf("\nTEST(%s_%llu)\n{\n%s", fuzz_target.name, (unsigned long long)seed,
	       fuzz_target.prologue ? fuzz_target.prologue : "");
	for (size_t i = 0; i < nr; i++)
		fuzz_target.print(stdout, &ops[i]);
	printf("%s}\n\n", fuzz_target.epilogue ? fuzz_target.epilogue : "");
}

/* A unit test that has the target do these operations; before it, what they are. */
static void print_operations(const struct fuzz_op *ops, size_t nr, u64 seed)
{
	const char *name = fuzz_target.name;

	printf("#if 0 /* what it does */\n");
	for (size_t i = 0; i < nr; i++)
		fuzz_target.print(stdout, &ops[i]);
	printf("#endif\n#define fuzz_target fuzz_target_%s_%llu\n", name, (unsigned long long)seed);
	printf("#include \"tests/host/fuzz/%s.c\"\n#include \"tests/host/test.h\"\n", name);
	printf("\nBARE_TEST(%s_%llu)\n{\n\tstatic const struct fuzz_op ops[] = {\n", name,
	       (unsigned long long)seed);
	for (size_t i = 0; i < nr; i++)
		printf("\t\t{ %u, 0x%x, 0x%x, 0x%llx },\n", ops[i].code, ops[i].a, ops[i].b,
		       (unsigned long long)ops[i].c);
	printf("\t};\n\n\tfuzz_target.start();\n\tfor (unsigned i = 0; i < ARRAY_SIZE(ops); i++)\n"
	       "\t\tfuzz_target.step(&ops[i]);\n\tfuzz_target.end();\n}\n\n");
}

static void report(const struct fuzz_op *ops, size_t nr, u64 seed)
{
	char path[128];
	FILE *file;

	printf("\n/* %s, seed %llu: the shortest that fails, %zu operations */\n", fuzz_target.name,
	       (unsigned long long)seed, nr);
	if (fuzz_target.includes || fuzz_target.prologue)
		print_in_words(ops, nr, seed);
	else
		print_operations(ops, nr, seed);
	snprintf(path, sizeof(path), "build/host/%s.ops", fuzz_target.name);
	file = fopen(path, "w");
	if (file) {
		fwrite(ops, sizeof(*ops), nr, file);
		fclose(file);
		printf("# again: build/host/fuzz/%s --replay=%s\n", fuzz_target.name, path);
	}
	fails(ops, nr, false, SHRINK_SECONDS);
}

/* ---- runs ---- */

static void make_ops(struct fuzz_op *ops, size_t nr, u64 seed)
{
	struct prng prng = { seed };

	for (size_t i = 0; i < nr; i++) {
		ops[i].code = prng_below(&prng, fuzz_target.nr_codes);
		ops[i].a = prng_next(&prng);
		ops[i].b = prng_next(&prng);
		ops[i].c = prng_next(&prng);
	}
}

static int one_run(u64 seed, size_t nr)
{
	struct fuzz_op *ops = malloc(nr * sizeof(*ops));
	int bad;

	make_ops(ops, nr, seed);
	bad = fails(ops, nr, true, CHILD_SECONDS);
	if (bad) {
		printf("%s: seed %llu fails at operation %zu of %zu\n", fuzz_target.name,
		       (unsigned long long)seed, *reached, nr);
		report(ops, shrink(ops, nr), seed);
	}
	free(ops);
	return bad;
}

/* The operations in file @path; their number in *nr. */
static struct fuzz_op *load(const char *path, size_t *nr)
{
	struct fuzz_op *ops = malloc(FILE_MAX);
	FILE *file = fopen(path, "r");

	if (!file) {
		perror(path);
		exit(2);
	}
	*nr = fread(ops, sizeof(*ops), FILE_MAX / sizeof(*ops), file);
	fclose(file);
	return ops;
}

static int shrink_file(const char *path)
{
	size_t nr;
	struct fuzz_op *ops = load(path, &nr);

	if (!fails(ops, nr, true, CHILD_SECONDS)) {
		printf("%s: %zu operations, no difference\n", fuzz_target.name, nr);
		return 0;
	}
	report(ops, shrink(ops, nr), 0);
	return 1;
}

static int replay(const char *path)
{
	size_t nr;
	struct fuzz_op *ops = load(path, &nr);

	for (size_t i = 0; i < nr; i++)
		fuzz_target.print(stdout, &ops[i]);
	fflush(NULL);
	run_ops(ops, nr);
	printf("%s: %zu operations, no difference\n", fuzz_target.name, nr);
	return 0;
}

static bool number(const char *arg, const char *name, u64 *value)
{
	size_t len = strlen(name);
	char *end;

	if (strncmp(arg, name, len) != 0)
		return false;
	*value = strtoull(arg + len, &end, 0);
	return end > arg + len && *end == '\0';
}

int main(int argc, char **argv)
{
	u64 seed = 1, ops = fuzz_target.default_ops, runs = 1;
	char symbol[128];

	/* Reads the debug information once, instead of in each child (lockdep asks for names). */
	host_symbol((unsigned long)main, symbol, sizeof(symbol));
	reached = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reached == MAP_FAILED)
		abort();
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--replay=", 9) == 0)
			return replay(argv[i] + 9);
		if (strncmp(argv[i], "--shrink=", 9) == 0)
			return shrink_file(argv[i] + 9);
		if (!number(argv[i], "--seed=", &seed) && !number(argv[i], "--ops=", &ops) &&
		    !number(argv[i], "--runs=", &runs)) {
			fprintf(stderr,
				"usage: %s [--seed=N] [--ops=N] [--runs=N] [--replay=FILE] "
				"[--shrink=FILE]\n",
				argv[0]);
			return 2;
		}
	}
	if (runs == 0 || ops == 0) {
		fprintf(stderr, "%s: nothing to do\n", fuzz_target.name);
		return 2;
	}
	for (u64 i = 0; i < runs; i++) {
		if (one_run(seed + i, ops))
			return 1;
	}
	printf("%s: %llu runs, %llu operations, no difference\n", fuzz_target.name,
	       (unsigned long long)runs, (unsigned long long)(runs * ops));
	return 0;
}

#endif
