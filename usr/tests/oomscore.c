/*
 * oomscore.c - /proc/PID/oom_score, oom_score_adj and oom_adj: what they tell, who may write what,
 * and who inherits it. Nobody is killed here: that is oom.c.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "usr/lib/testutil.h"

#define NOBODY 65534
#define MB     (1UL << 20)

static int number_of(const char *name)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	CHECK(read_text(path, text, sizeof(text)) > 0);
	CHECK(text[strlen(text) - 1] == '\n');
	return atoi(text);
}

/* What write() of @value says; -1 with errno. */
static ssize_t set(const char *name, const char *value)
{
	char path[64];
	int fd, saved;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	fd = CHECK_OK(open(path, O_WRONLY | O_CLOEXEC));
	n = write(fd, value, strlen(value));
	saved = errno;
	close(fd);
	errno = saved;
	return n;
}

#define CHECK_SET(name, value) CHECK_EQ(set(name, value), (ssize_t)strlen(value))

TEST(a_number_is_kept)
{
	CHECK_SET("oom_score_adj", "123");
	CHECK_EQ(number_of("oom_score_adj"), 123);
	CHECK_SET("oom_score_adj", " 7\n");
	CHECK_EQ(number_of("oom_score_adj"), 7);
	CHECK_SET("oom_score_adj", "1000");
	CHECK_EQ(number_of("oom_score_adj"), 1000);
}

TEST(what_is_no_number_or_out_of_range_changes_nothing)
{
	static const char *const wrong[] = { "1001", "-1001", "x", "-", "1x", "99999999999" };

	CHECK_SET("oom_score_adj", "300");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		CHECK_ERRNO(set("oom_score_adj", wrong[i]), EINVAL);
	CHECK_EQ(number_of("oom_score_adj"), 300);
	CHECK_ERRNO(set("oom_adj", "16"), EINVAL);
	CHECK_ERRNO(set("oom_adj", "-18"), EINVAL);
	CHECK_EQ(number_of("oom_score_adj"), 300);
}

TEST(the_older_name_is_the_same_number)
{
	CHECK_SET("oom_adj", "15");
	CHECK_EQ(number_of("oom_score_adj"), 1000);
	CHECK_EQ(number_of("oom_adj"), 15);
	CHECK_SET("oom_score_adj", "500");
	CHECK_EQ(number_of("oom_adj"), 8);
	CHECK_SET("oom_score_adj", "999");
	CHECK_EQ(number_of("oom_adj"), 15); /* not 16 */
}

TEST(a_child_inherits_it)
{
	CHECK_SET("oom_score_adj", "77");
	CHECK_CHILD({
		CHECK_EQ(number_of("oom_score_adj"), 77);
		CHECK_SET("oom_score_adj", "78");
	});
	CHECK_EQ(number_of("oom_score_adj"), 77);
}

CHILD(tell)
{
	return number_of("oom_score_adj") == atoi(argv[2]) ? 0 : 1;
}

TEST(a_new_program_keeps_it)
{
	CHECK_SET("oom_score_adj", "88");
	CHECK_EXIT(spawn_self("tell", "88", NULL, NULL), 0);
}

static void become_nobody(void)
{
	CHECK_OK(setresgid(NOBODY, NOBODY, NOBODY));
	CHECK_OK(setresuid(NOBODY, NOBODY, NOBODY));
}

/* Nobody may make himself more likely to be chosen, and take that back; not more. */
TEST(only_root_lowers_it)
{
	int fd;

	if (geteuid() != 0)
		SKIP("needs root");
	CHECK_SET("oom_score_adj", "100");
	fd = CHECK_OK(open("/proc/self/oom_score_adj", O_RDWR));
	become_nobody();
	CHECK_EQ(pwrite(fd, "50", 2, 0), -1);
	CHECK_EQ(errno, EACCES);
	CHECK_EQ(pwrite(fd, "600", 3, 0), 3);
	CHECK_EQ(pwrite(fd, "100", 3, 0), 3);
	CHECK_EQ(pwrite(fd, "99", 2, 0), -1);
	CHECK_EQ(errno, EACCES);
	CHECK_EQ(number_of("oom_score_adj"), 100);
	close(fd);
}

TEST(the_score_follows_size_and_wish)
{
	int plain, wished, large;
	char *p;

	CHECK_SET("oom_score_adj", "0");
	plain = number_of("oom_score");
	CHECK_RANGE(plain, 660, 1000);
	CHECK_SET("oom_score_adj", "300");
	wished = number_of("oom_score");
	CHECK_RANGE(wished, plain + 195, plain + 205);
	CHECK_SET("oom_score_adj", "1000");
	CHECK_RANGE(number_of("oom_score"), 1326, 1333 + 667);
	if (!on_ravel())
		return;
	/* An eighth of 128 MiB is told from nothing. */
	CHECK_SET("oom_score_adj", "0");
	p = map_anon(16 * MB);
	memset(p, 1, 16 * MB);
	large = number_of("oom_score");
	CHECK(large > plain);
	munmap(p, 16 * MB);
	CHECK_SET("oom_score_adj", "-1000");
	CHECK_EQ(number_of("oom_score"), 0);
}
