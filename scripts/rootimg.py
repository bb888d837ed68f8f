# rootimg.py - build/root.img: the disk of `make run`, on which a person's files stay.
#
#   build/disk.img --first run--> build/root.img, build/root.base (what disk.img had then)
#   build/disk.img --rebuilt----> each file that changed in the build since root.base goes into
#                                 root.img, unless the person has changed it too: then it stays
#
# `make fresh` starts over. Tests never use root.img, and nothing ever writes to disk.img.
#
# Invariants: root.img is replaced whole, after e2fsck has found the new one clean; whoever changes
# it or runs on it holds build/root.lock.
import contextlib
import fcntl
import json
import os
import stat
import subprocess
import sys
import tempfile
import zlib

import ext2
import fsck
import machine

DISK = os.path.join(machine.BUILD, "disk.img")
ROOT = os.path.join(machine.BUILD, "root.img")
BASE = os.path.join(machine.BUILD, "root.base")
LOCK = os.path.join(machine.BUILD, "root.lock")


def say(text):
    print("root.img: " + text, file=sys.stderr, flush=True)


def lock():
    """Take root.lock for as long as the returned file is open (over exec too); None: in use."""
    os.makedirs(machine.BUILD, exist_ok=True)
    held = open(LOCK, "w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        return None
    os.set_inheritable(held.fileno(), True)
    return held


def manifest(path):
    """{path: [mode, size, CRC of the contents or of the link's target]} of all in an image."""
    found = {}
    with ext2.Image(path) as image:
        for where, inode in image.walk():
            data = b""
            if stat.S_ISREG(inode.mode):
                data = image.read(inode)
            elif stat.S_ISLNK(inode.mode):
                data = image.readlink(inode)
            if not stat.S_ISDIR(inode.mode) or where != b"/lost+found":
                found[os.fsdecode(where)] = [inode.mode, len(data), zlib.crc32(data)]
    return found


def base_of(path):
    """What is remembered of disk.img: its manifest, and its stamp to know it again quickly."""
    return {"stamp": stamp_of(path), "files": manifest(path)}


def stamp_of(path):
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


def write_base(base):
    with open(BASE + ".new", "w") as file:
        json.dump(base, file)
    os.replace(BASE + ".new", BASE)


def plan(base, new, mine):
    """What to do to `mine`: (paths to put, paths to remove, paths kept as the person has them)."""
    put, remove, kept = [], [], []
    for path in sorted(set(base) | set(new)):
        if base.get(path) == new.get(path) or mine.get(path) == new.get(path):
            continue
        if mine.get(path) != base.get(path):
            kept.append(path)
        elif path in new:
            put.append(path)
        elif not stat.S_ISDIR(base[path][0]):
            remove.append(path)
    return put, remove, kept


def quoted(text):
    """A word of debugfs' command language. It has no way to say a quote or a line's end."""
    if '"' in text or "\n" in text:
        raise SystemExit("root.img: debugfs cannot name %r; `make fresh` starts over" % text)
    return '"%s"' % text


def commands(source, put, remove, mine, work):
    """debugfs commands which bring the files `put` of the image `source`; contents go to work."""
    lines = ["rm " + quoted(path) for path in remove]
    for number, path in enumerate(put):
        inode = source.lookup(path, follow=False)
        parent, name = os.path.split(path)
        lines.append("cd " + quoted(parent))
        if path in mine and not stat.S_ISDIR(inode.mode):
            lines.append("rm " + quoted(name))
        if stat.S_ISDIR(inode.mode):
            lines += [] if path in mine else ["mkdir " + quoted(name)]
        elif stat.S_ISLNK(inode.mode):
            target = os.fsdecode(source.readlink(inode))
            lines.append("symlink %s %s" % (quoted(name), quoted(target)))
        else:
            host = os.path.join(work, str(number))
            with open(host, "wb") as file:
                file.write(source.read(inode))
            lines.append("write %s %s" % (quoted(host), quoted(name)))
        lines += ["sif %s %s %s" % (quoted(name), field, value) for field, value in (
            ("mode", "0%o" % inode.mode), ("uid", inode.uid), ("gid", inode.gid))]
    return lines


def renew(root, disk, base):
    """Bring what the build has changed since base into the image root. Returns the new base."""
    new, mine = base_of(disk), manifest(root)
    put, remove, kept = plan(base["files"], new["files"], mine)
    for path in kept:
        say("%s: you changed it, and the build has another: yours stays" % path)
    if not put and not remove:
        return new
    with tempfile.TemporaryDirectory(dir=os.path.dirname(root)) as work:
        fresh = os.path.join(work, "root.img")
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", root, fresh], check=True)
        with ext2.Image(disk) as source:
            wrong = fsck.debugfs(fresh, commands(source, put, remove, mine, work))
        wrong = wrong or fsck.check(fresh)
        if wrong:
            raise SystemExit("root.img: the rebuilt files do not go in (too full?); it is as it "
                             "was. `make fresh` starts over, `make get` saves files.\n" + wrong)
        os.replace(fresh, root)
    say("%d files brought up to date, %d removed; yours are kept" % (len(put), len(remove)))
    return new


def prepare():
    """root.img as `make run` wants it. The caller holds the lock."""
    if not os.path.exists(ROOT) or not os.path.exists(BASE):
        with contextlib.suppress(FileNotFoundError):
            os.rename(ROOT, ROOT + ".old")
            say("what it was made from is not known: now %s.old, a new one is made" % ROOT)
        write_base(base_of(DISK))
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", DISK, ROOT + ".new"], check=True)
        os.replace(ROOT + ".new", ROOT)
        return
    with ext2.Image(ROOT) as image:
        crashed = not image.super.state & ext2.STATE_CLEAN
    wrong = fsck.repair(ROOT)
    if wrong:
        raise SystemExit("root.img: e2fsck cannot mend it by itself: run `e2fsck build/root.img`, "
                         "or `make fresh`.\n" + wrong)
    if crashed:
        say("was not shut down cleanly; e2fsck has repaired it")
    with open(BASE) as file:
        base = json.load(file)
    if base["stamp"] != stamp_of(DISK):
        write_base(renew(ROOT, DISK, base))


def main():
    """scripts/rootimg.py run [QEMU_OPTION...] | fresh"""
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    if what not in ("run", "fresh"):
        sys.exit("usage: scripts/rootimg.py run [--interactive] | fresh")
    qemu = [os.path.join(machine.ROOT, "scripts", "qemu"), *sys.argv[2:]]
    if what == "run" and (os.environ.get("DISK") or os.environ.get("DRIVE")):
        os.execv(qemu[0], qemu)
    held = lock()
    if not held:
        sys.exit("root.img: a machine runs on it already; DISK=build/other.img uses another disk")
    if what == "fresh":
        for path in (ROOT, BASE, ROOT + ".old"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
        return 0
    prepare()
    os.environ["DISK"] = ROOT
    sys.stdout.flush()
    return os.execv(qemu[0], qemu)


if __name__ == "__main__":
    sys.exit(main())
