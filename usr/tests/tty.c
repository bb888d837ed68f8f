/*
 * tty.c - ravel-only: the console's terminal calls, as far as ^C and a shell need them.
 *
 * The tests run with a pipe as output, so the terminal is opened by its name.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "usr/lib/testutil.h"

static int console(void)
{
	/* A TEST is a background process group: changing a terminal would stop it. */
	signal(SIGTTOU, SIG_IGN);
	return CHECK_OK(open("/dev/console", O_RDWR | O_NOCTTY));
}

TEST(the_console_is_a_terminal)
{
	struct termios termios;
	int fd = console();

	CHECK_EQ(isatty(fd), 1);
	CHECK_OK(tcgetattr(fd, &termios));
	CHECK(termios.c_lflag & ICANON);
	CHECK(termios.c_lflag & ECHO);
	CHECK(termios.c_lflag & ISIG);
	CHECK_EQ(termios.c_cc[VINTR], 3);
	CHECK_EQ(termios.c_cc[VEOF], 4);
}

TEST(settings_are_kept)
{
	struct termios before, termios;
	int fd = console();

	CHECK_OK(tcgetattr(fd, &before));
	termios = before;
	termios.c_lflag &= ~(ICANON | ECHO);
	CHECK_OK(tcsetattr(fd, TCSANOW, &termios));
	CHECK_OK(tcgetattr(fd, &termios));
	CHECK_EQ(termios.c_lflag & (ICANON | ECHO), 0);
	CHECK_OK(tcsetattr(fd, TCSANOW, &before));
	CHECK_OK(tcgetattr(fd, &termios));
	CHECK_EQ(termios.c_lflag, before.c_lflag);
}

TEST(other_files_are_not_terminals)
{
	struct termios termios;
	int fds[2], fd = CHECK_OK(open("/dev/null", O_RDWR));

	CHECK_OK(pipe(fds));
	CHECK_ERRNO(tcgetattr(fd, &termios), ENOTTY);
	CHECK_ERRNO(tcgetattr(fds[0], &termios), ENOTTY);
	CHECK_ERRNO(ioctl(console(), 0x1234567, 0), ENOTTY);
	CHECK_ERRNO(ioctl(99, TCGETS, &termios), EBADF);
}

TEST(bad_pointers)
{
	int fd = console();

	CHECK_ERRNO(ioctl(fd, TCGETS, KERNEL_ADDRESS), EFAULT);
	CHECK_ERRNO(ioctl(fd, TCSETS, KERNEL_ADDRESS), EFAULT);
	CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, KERNEL_ADDRESS), EFAULT);
	CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, 0xfff8), EFAULT);
}

TEST(writing)
{
	CHECK_EQ(write(console(), "", 0), 0);
}
