# mapstore.py - what a guest stored through shared mappings, seen by debugfs after it switched off.
#
#   usr/host/mapstore.c stores, and never syncs --> power off --> debugfs, which shares no code with
#   us, copies the files out --> each byte is compared; what was past the end must be zeros on disk
import os
import subprocess
import tempfile

import ext2
import fsck
import machine

PROGRAMS = ("bin/init", "bin/sh", "host/mapstore")
PAGE = 4096
PAGES, TAIL = 40, 1234           # as in usr/host/mapstore.c
SIZE, CUT = PAGES * PAGE + TAIL, 5 * PAGE + 77


def stored(pages, size=SIZE):
    """A file of which these pages were stored to, and the first size bytes kept."""
    return b"".join(bytes((i * 7 + page) & 255 if page in pages and i < size else 0
                          for i in range(page * PAGE, min((page + 1) * PAGE, SIZE)))
                    for page in range(PAGES + 1))


FILES = {
    "/stored": stored(range(PAGES + 1)),
    "/hole": stored(range(0, PAGES + 1, 8)),
    "/cut": stored(range(PAGES + 1), CUT),
}


def dumped(disk, path, work):
    """A file's bytes, by debugfs."""
    copy = os.path.join(work, "copy")
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    subprocess.run(["debugfs", "-R", "dump %s %s" % (path, copy), disk], env=env, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(copy, "rb") as file:
        return file.read()


def differences(disk, work):
    for path, wanted in FILES.items():
        got = dumped(disk, path, work)
        if len(got) != len(wanted):
            return "%s has %d bytes, not %d" % (path, len(got), len(wanted))
        for at in range(len(got)):
            if got[at] != wanted[at]:
                return "%s: byte %d is %d, not %d" % (path, at, got[at], wanted[at])
    with ext2.Image(disk) as image:
        block, index = image.block_size, (SIZE - 1) // image.block_size
        inode = image.lookup("/stored")
        last = image.block(dict(image.blocks_of(inode))[index])
        if any(last[SIZE % block:]):
            return "/stored: what was stored past the end is on the disk"
        if len(list(image.blocks_of(image.lookup("/hole")))) * block > SIZE // 4:
            return "/hole has got blocks where nobody stored"
    return None


def examine(smp, block):
    """None, or words about what is wrong."""
    with tempfile.TemporaryDirectory(prefix="mapstore.", dir=machine.BUILD) as work:
        disk = os.path.join(work, "disk.img")
        with machine.locked_build():
            machine.make("all")
            machine.make_disk(disk, PROGRAMS, "", block=block)
        status, output = machine.run(disk, "/host/mapstore", SMP=smp)
        if status:
            return "status %d: %s" % (status, output[-2000:])
        return differences(disk, work) or fsck.check(disk)
