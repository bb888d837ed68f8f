# terminal.py - a terminal in memory, and a shell on it, for scripts/shell-edit-test.
#
#   check --keys--> pty --> shell
#     '--- looks at <-- Terminal <--'
#
# Nothing sleeps: a check waits until the screen shows what it should, and fails when it does not
# within LIMIT seconds.
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time

LIMIT = 10.0  # seconds for anything to happen
PROMPT = "$ "
UP, DOWN, RIGHT, LEFT = "\033[A", "\033[B", "\033[C", "\033[D"
HOME, END, DELETE = "\033[H", "\033[F", "\033[3~"
CTRL_LEFT, CTRL_RIGHT = "\033[1;5D", "\033[1;5C"


def ctrl(letter):
    return chr(ord(letter) & 0x1F)


class Terminal:
    """What a terminal makes of the bytes: a grid of characters, all of width 1."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.bells = 0
        self.pending = ""

    def line_feed(self):
        if self.row == self.rows - 1:
            self.cells.append([" "] * self.columns)
            del self.cells[0]
        else:
            self.row += 1

    def sequence(self, number, final):
        count = int(number or 1)
        if final == "A":
            self.row = max(0, self.row - count)
        elif final == "B":
            self.row = min(self.rows - 1, self.row + count)
        elif final == "C":
            self.column = min(self.columns - 1, self.column + count)
        elif final == "D":
            # Behind the last character the cursor counts as on it.
            self.column = max(0, min(self.column, self.columns - 1) - count)
        elif final == "H":
            self.row = self.column = 0
        elif final in "KJ":
            start = min(self.column, self.columns - 1)
            self.cells[self.row][start:] = [" "] * (self.columns - start)
            if final == "J":
                for row in range(self.row + 1, self.rows):
                    self.cells[row] = [" "] * self.columns
        elif final != "m":
            raise ValueError("sequence ESC [ %s %s" % (number, final))

    def feed(self, text):
        text, self.pending = self.pending + text, ""
        while text:
            if text[0] == "\033":
                match = re.match(r"\033\[([0-9;]*)([A-Za-z])", text)
                if not match:
                    self.pending = text
                    return
                self.sequence(*match.groups())
                text = text[match.end():]
                continue
            char, text = text[0], text[1:]
            if char == "\r":
                self.column = 0
            elif char == "\n":
                self.line_feed()
            elif char == "\b":
                self.column = max(0, self.column - 1)
            elif char == "\a":
                self.bells += 1
            else:
                if self.column == self.columns:
                    self.column = 0
                    self.line_feed()
                self.cells[self.row][self.column] = char
                self.column += 1

    def lines(self):
        """The rows, without blanks at their ends, down to the last that has anything."""
        rows = ["".join(row).rstrip() for row in self.cells]
        while rows and not rows[-1]:
            rows.pop()
        return rows


class Failed(Exception):
    pass


class Shell:
    """A shell on a terminal, in a directory of its own."""

    def __init__(self, program, columns=40, rows=10, directory=None, **environment):
        self.terminal = Terminal(columns or 80, rows or 24)
        self.directory = directory or tempfile.mkdtemp(prefix="shell-edit.")
        self.owns_directory = directory is None
        self.raw = b""
        env = {"PATH": "/bin:/usr/bin", "HOME": self.directory, "TERM": "vt100", "PS1": PROMPT}
        env.update(environment)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Only the parent knows the size; until it has set it nothing may be drawn.
            os.kill(os.getpid(), signal.SIGSTOP)
            # As a login has them: under nohup(1), for one, SIGHUP would be ignored by all below.
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            os.chdir(self.directory)
            os.execve(program, ["sh", "-i"], env)
        os.waitpid(self.pid, os.WUNTRACED)
        self.resize(columns, rows)
        os.kill(self.pid, signal.SIGCONT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.fd)
        if self.owns_directory:
            shutil.rmtree(self.directory)

    def resize(self, columns, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def file(self, name, text=""):
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def type(self, *keys):
        os.write(self.fd, "".join(keys).encode())

    def read_more(self, deadline):
        """Returns False at the end of the shell."""
        if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
            raise Failed("nothing more came")
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            data = b""
        self.raw += data
        # Whole characters only: the rest comes with the next bytes.
        whole = self.raw.decode(errors="ignore")
        self.terminal.feed(whole)
        self.raw = self.raw[len(whole.encode()):]
        return bool(data)

    def wait(self, what, predicate):
        deadline = time.monotonic() + LIMIT
        while not predicate():
            try:
                more = self.read_more(deadline)
            except Failed:
                more = False
            if not more and not predicate():
                raise Failed("no %s on the screen %r, cursor at %d,%d" % (
                    what, self.terminal.lines(), self.terminal.row, self.terminal.column))

    def see(self, *lines):
        """Wait until these are the last lines of the screen."""
        self.wait(lines, lambda: self.terminal.lines()[-len(lines):] ==
                  [line.rstrip() for line in lines])

    def cursor(self, row_from_last, column):
        """Wait until the cursor is here; the row counts upwards from the last one in use."""
        self.wait("cursor", lambda: len(self.terminal.lines()) - 1 - self.terminal.row ==
                  row_from_last and self.terminal.column == column)

    def prompt(self):
        self.wait("prompt", lambda: (self.terminal.lines() or [""])[-1] == PROMPT.rstrip() and
                  self.terminal.column == len(PROMPT))

    def status(self):
        """Wait for the end. Returns the status as os.waitpid() does."""
        deadline = time.monotonic() + LIMIT
        while self.read_more(deadline):
            pass
        return os.waitpid(self.pid, 0)[1]

    def modes(self):
        return termios.tcgetattr(self.fd)[3]
