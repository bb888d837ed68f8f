# session.py - somebody at the terminal: a machine whose console is a pseudo terminal, typed on.
#
#   python3 scripts/session.py          the machine checks terminal-session-smpN, one after another
#
#   pty master  <- what is typed, ^C ^Z ^\ ^D among it; what the guest prints ->
#   pty slave   QEMU's standard input and output (scripts/qemu --interactive): raw, so that control
#               characters are the guest's, whose terminal makes signals of them
#
# Invariant: nothing sleeps for a fixed time: each step waits for words that only success prints.
import functools
import os
import pty
import re
import select
import signal
import sys
import time

import fsck
import machine

PROMPT = "ready> "
LIMIT = 60  # seconds without the words that are waited for


class Wrong(Exception):
    pass


class Session:
    """A guest's shell. Whatever ends the block ends the machine."""

    def __init__(self, disk, **environment):
        self.raw = b""    # all that came
        self.seen = ""    # the same as text, without what moves the cursor
        self.read_to = 0  # what of it was waited for already
        env = machine.environment_of(disk, **environment)
        env["APPEND"] = (env.get("APPEND", "") + " quiet").strip()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            qemu = os.path.join(machine.ROOT, "scripts", "qemu")
            os.execve(qemu, [qemu, "--interactive"], env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def read_more(self, deadline):
        """False at the end of the machine."""
        if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
            raise Wrong("nothing more came")
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.raw += data
        self.seen = re.sub("\x1b\\[[0-9;?]*[A-Za-z]|\r", "", self.raw.decode(errors="replace"))
        return bool(data)

    def wait(self, words):
        """Wait until these words come."""
        deadline = time.monotonic() + LIMIT
        while self.seen.find(words, self.read_to) < 0:
            try:
                if not self.read_more(deadline):
                    raise Wrong("the machine ended")
            except Wrong as wrong:
                raise Wrong("%s; no %r after %r" % (wrong, words,
                                                     self.seen[self.read_to:][-2000:])) from None
        self.read_to = self.seen.find(words, self.read_to) + len(words)

    def type(self, text):
        while text:
            text = text[os.write(self.fd, text.encode()):]

    def command(self, line):
        """Type a line at the prompt, and wait until it was echoed."""
        self.type(line + "\n")
        self.wait(line + "\n")

    def begin(self, line):
        """Run a line in front; it runs when this returns: what is typed before is the shell's."""
        self.command("sh -c 'echo begun; exec %s'" % line)
        self.wait("begun\n")

    def resume(self):
        """fg: it has said which job it brings to the front."""
        self.command("fg")
        self.wait("exec cat'\n")

    def result(self, line, words):
        """Run a line that prints these words, to its end."""
        self.command(line)
        self.wait(words)
        self.wait(PROMPT)

    def end(self):
        """Power off. Returns the machine's status."""
        self.command("poweroff")
        deadline = time.monotonic() + LIMIT
        while self.read_more(deadline):
            pass
        status = os.waitpid(self.pid, 0)[1]
        self.pid = 0
        return os.waitstatus_to_exitcode(status)


def interrupted_read(session):
    """^C at a read of the terminal: nothing of the line that was begun is read by the shell."""
    session.begin("cat")
    session.type("hello\n")
    session.wait("hello\nhello\n")
    session.type("half a line")
    session.wait("half a line")
    session.type("\x03")
    session.wait(PROMPT)
    session.result("echo status $?", "status 130\n")


def other_signals(session):
    session.begin("sleep 1000")
    session.type("\x03")
    session.wait(PROMPT)
    session.result("echo status $?", "status 130\n")
    session.begin("cat")
    session.type("\x1c")
    session.wait(PROMPT)
    session.result("echo status $?", "status 131\n")
    # A program that never sleeps; and all of a pipeline.
    session.begin("yes >/dev/null")
    session.type("\x03")
    session.wait(PROMPT)
    session.begin("cat | cat | cat")
    session.type("through\n")
    session.wait("through\nthrough\n")
    session.type("\x03")
    session.wait(PROMPT)
    session.result("echo status $?", "status 130\n")


def stopped_read(session):
    """^Z at a read, fg: it is made again, and gets what is typed."""
    session.begin("cat")
    session.type("one\n")
    session.wait("one\none\n")
    session.type("\x1a")
    session.wait(PROMPT)
    session.result("jobs", "cat")
    session.resume()
    session.type("two\n")
    session.wait("two\ntwo\n")
    session.type("\x1a")
    session.wait(PROMPT)
    # In the background its read stops it again: it does not steal what the shell reads.
    session.command("bg")
    session.wait(PROMPT)
    session.result("echo mine", "mine\n")
    session.resume()
    session.type("three\n")
    session.wait("three\nthree\n")
    session.type("\x04")
    session.wait(PROMPT)
    session.result("echo status $?", "status 0\n")


def background(session):
    """Only the job in front gets ^C."""
    session.command("sleep 1000 &")
    session.wait(PROMPT)
    session.begin("sleep 1001")
    session.type("\x03")
    session.wait(PROMPT)
    session.result("jobs", "sleep 1000")
    session.result("kill %1; wait; echo gone", "gone\n")


def examine(smp):
    """None, or words about what is wrong."""
    with machine.private_disk() as disk:
        with Session(disk, SMP=smp) as session:
            try:
                session.wait("# ")
                session.type("PS1='%s'\n" % PROMPT)
                session.wait("\n" + PROMPT)
                for part in (interrupted_read, other_signals, stopped_read, background):
                    part(session)
                status = session.end()
            except Wrong as wrong:
                return str(wrong)
        return "status %d" % status if status else fsck.check(disk)


CHECKS = {"terminal-session-smp" + smp: functools.partial(examine, smp)
          for smp in ([os.environ["SMP"]] if os.environ.get("SMP") else ["1", "4"])}


if __name__ == "__main__":
    for check_name, check in CHECKS.items():
        wrong_words = check()
        print(check_name, wrong_words or "ok")
        if wrong_words:
            sys.exit(1)
