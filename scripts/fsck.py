# fsck.py - e2fsck and debugfs on an image. A verdict is None, or words about what is wrong.
#
# Invariant: check() never changes the image; repair() changes what `e2fsck -p` dares to.
import os
import subprocess

import ext2

FIXED = 1       # e2fsck's status bits: errors were corrected
UNCORRECTED = 4
ENOUGH = 3000   # characters of its output that are worth showing


def _run(options, image):
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin", LC_ALL="C")
    done = subprocess.run(["e2fsck", options, image], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(errors="replace")[-ENOUGH:]


def check(image, unmounted=True):
    """e2fsck -fn finds nothing; unmounted: and its last user has marked it as clean."""
    status, output = _run("-fn", image)
    if status:
        return "e2fsck -fn: status %d\n%s" % (status, output)
    with ext2.Image(image) as disk:
        if unmounted and not disk.super.state & ext2.STATE_CLEAN:
            return "e2fsck finds nothing, but the super block is not marked clean"
    return None


def repair(image):
    """e2fsck -p, as a machine runs it when it boots. None: it is a good file system now."""
    status, output = _run("-p", image)
    if status & ~FIXED:
        return "e2fsck -p: status %d\n%s" % (status, output)
    return None


def debugfs(image, lines):
    """Change an image by debugfs' commands. Returns what it complained of, or an empty string."""
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    done = subprocess.run(["debugfs", "-w", "-f", "-", image], env=env, check=False,
                          input="".join(line + "\n" for line in lines).encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return "\n".join(line for line in done.stdout.decode(errors="replace").splitlines()
                     if line and not line.startswith(("debugfs", "Allocated inode:")))
