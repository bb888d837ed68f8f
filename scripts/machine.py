# machine.py - starting Ravel's machine from Python, and watching it: what exec and test share.
#
#   build() -> a private copy of the image -> scripts/qemu -> watch(): chunks of console output
#
# Invariants: two users at a time never share an image (the build and the copy are made under one
# lock, and the guest writes to the copy); a machine that is silent for too long is ended, so that
# no caller waits for ever; whatever was started is ended when the caller leaves.
import contextlib
import fcntl
import os
import re
import select
import signal
import subprocess
import sys
import tempfile

import fsck

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build")
EXIT_IDLE = 124   # our own status when the watchdog ended the command
EXIT_PANIC = 125  # the kernel's status when it panicked (kernel/panic.h)
# Our own: the run left a disk that is not clean (scripts/exec under CHECK_DISK=1), or the debug
# kernel did not say that nothing leaked.
EXIT_UNCLEAN = 123
NO_LEAKS = "debug: no leaks"  # kernel/shutdown.c
TAIL_BYTES = 8192           # of output kept, for what is said last
COMMAND_LINE_LIMIT = 3000  # bytes of ravel.exec= once encoded

# Asked to end, we end what we started: the blocks that hold it are left by this exception.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

# OpenSBI's last line before it jumps to the kernel.
FIRMWARE_END = b"Boot HART MEDELEG"


def is_set(name):
    """Is this switch on in the environment? ICOUNT=0 and V=0 say no, as in the Makefile."""
    return os.environ.get(name, "") not in ("", "0")


def idle_limit():
    return float(os.environ.get("TIMEOUT_IDLE") or (240 if is_set("DEBUG") else 60))


def make(*targets):
    """Run make, quietly unless it fails. Raises SystemExit with make's words shown."""
    # Called by make itself: its variables count here too, its job server and -n do not.
    _, dashes, overrides = os.environ.get("MAKEFLAGS", "").partition("-- ")
    env = dict(os.environ, MAKEFLAGS=" " + dashes + overrides, MFLAGS="", MAKELEVEL="")
    jobs = "-j%d" % (os.cpu_count() or 1)
    done = subprocess.run(["make", "-C", ROOT, "--no-print-directory", jobs, *targets], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode or is_set("V"):
        sys.stderr.flush()
        sys.stderr.buffer.write(done.stdout)
    if done.returncode:
        raise SystemExit("the build failed (above)")


def need_tools(group):
    """Raises SystemExit when scripts/check-tools, which says what, finds a tool missing."""
    command = [os.path.join(ROOT, "scripts", "check-tools"), group]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit("the tools above are needed first")


@contextlib.contextmanager
def locked_build():
    """Hold the build directory: nobody else builds from a script meanwhile."""
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def second_disk_of(disk):
    """Where the second disk of a machine lies (SWAP= in the environment), beside its first."""
    return disk + ".swap"


@contextlib.contextmanager
def private_disk():
    """Build what is missing; gives the path of a copy of the image, gone at the end."""
    with locked_build():
        make("all")
        handle, path = tempfile.mkstemp(prefix="disk.", suffix=".img", dir=BUILD)
        os.close(handle)
        subprocess.run(["cp", "--sparse=always", "--reflink=auto",
                        os.path.join(BUILD, "disk.img"), path], check=True)
    try:
        yield path
    finally:
        os.unlink(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(second_disk_of(path))


def make_disk(path, programs, overlay, block=4096, slack_mib=32):
    """Make an image of some of the built programs (bin/sh, ...) with a directory laid over them."""
    env = dict(os.environ, BLOCK=str(block), SLACK_MIB=str(slack_mib))
    done = subprocess.run([os.path.join(ROOT, "scripts", "mkdisk"), path, BUILD, overlay], env=env,
                          cwd=ROOT, input="".join(name + "\n" for name in programs).encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise SystemExit("mkdisk: " + done.stdout.decode(errors="replace"))


def encode(line):
    """A command line as ravel.exec= carries it: letters, digits and -._/ stay, the rest is %XX."""
    keep = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/"
    encoded = "".join(chr(b) if b in keep else "%%%02X" % b for b in os.fsencode(line))
    if len(encoded) > COMMAND_LINE_LIMIT:
        raise SystemExit("the command line is too long: %d bytes once encoded, at most %d"
                         % (len(encoded), COMMAND_LINE_LIMIT))
    return encoded


class Watched:
    """A command whose output is read as it comes, and which is ended when it falls silent.

    with Watched(...) as watched: for chunk in watched.output(): ...; then idle and status are
    known. Whatever ends the block ends the command.
    """

    def __init__(self, argv, env):
        self.idle = False    # the watchdog ended it
        self.status = None   # exit status, 128 + n for a signal, EXIT_IDLE
        self.tail = b""      # what came last
        self._process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, cwd=ROOT,
                                         stdout=subprocess.PIPE, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()

    def output(self):
        """Yield chunks of bytes, without carriage returns, until the command ends or is idle."""
        fd = self._process.stdout.fileno()
        while select.select([fd], [], [], idle_limit())[0]:
            chunk = os.read(fd, 65536)
            if not chunk:
                break
            chunk = chunk.replace(b"\r", b"")
            self.tail = (self.tail + chunk)[-TAIL_BYTES:]
            yield chunk
        else:
            self.idle = True
            self.status = EXIT_IDLE
            return
        try:
            code = self._process.wait(timeout=idle_limit())
        except subprocess.TimeoutExpired:
            self.idle = True
            code = EXIT_IDLE
        self.status = code if code >= 0 else 128 - code


def environment_of(disk, **environment):
    """What scripts/qemu is started with. SWAP=64M among it: a second disk, of the guest's own."""
    env = dict(os.environ, DISK=disk or "", **environment)
    if disk and not env.get("SWAP_DISK"):
        env["SWAP_DISK"] = second_disk_of(disk)
    return env


def guest(disk, line, **environment):
    """A machine that runs one line of its shell and ends with that line's status.

    @disk: an image, or None where the environment has DRIVE= (scripts/qemu).
    """
    env = environment_of(disk, **environment)
    words = [env.get("APPEND", ""), "ravel.exec=" + encode(line)]
    if not is_set("V"):
        words.append("quiet")
    env["APPEND"] = " ".join(word for word in words if word)
    return Watched([os.path.join(ROOT, "scripts", "qemu")], env)


def run(disk, line, **environment):
    """Run one line in a guest. Returns (status, output without the firmware's).

    Status EXIT_UNCLEAN: there are leaks; else what the debug kernel says at the end is left out.
    """
    with guest(disk, line, **environment) as watched:
        output = b"".join(without_firmware(watched.output()))
    output = output.decode(errors="replace")
    leaks = leak_verdict(watched)
    if leaks:
        return EXIT_UNCLEAN, output
    return watched.status, without_debug(output)


def without_debug(output):
    """Without what the debug kernel says at the end."""
    return re.sub(r"^debug: .*\n", "", output, flags=re.M)


def powered_off(watched):
    """Only a kernel that switched the machine off has had its chance to put things in order."""
    return not (watched.idle or watched.status is None or watched.status == EXIT_PANIC)


def disk_verdict(watched, disk):
    """After a guest has run: None, or what e2fsck says of its disk."""
    return fsck.check(disk) if powered_off(watched) else None


def leak_verdict(watched):
    """After a guest has run: None, or what the debug kernel says was left in use (DEBUG=1)."""
    if not is_set("DEBUG") or not powered_off(watched):
        return None
    lines = watched.tail.decode(errors="replace").splitlines()
    if NO_LEAKS in lines:
        return None
    found = [line for line in lines if line.startswith("debug: ")]
    return "leaks: " + "; ".join(found or ["the debug kernel did not say that there are none"])


def without_firmware(chunks):
    """Drop the firmware's banner (V=1 keeps it); one that never leaves it has all shown."""
    held = b""
    through = is_set("V")
    for chunk in chunks:
        if through:
            yield chunk
            continue
        held += chunk
        at = held.find(FIRMWARE_END)
        end = held.find(b"\n", at)
        if at >= 0 and end >= 0:
            through = True
            if held[end + 1:]:
                yield held[end + 1:]
    if not through and held:
        yield held


def run_exec(line, **variables):
    """Runs scripts/exec. Returns (status, output)."""
    env = dict(os.environ, V="", APPEND="", ICOUNT="", SWAP="", CHECK_DISK="1")
    env.update(variables)
    done = subprocess.run([os.path.join(ROOT, "scripts", "exec"), line], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode(errors="replace")
