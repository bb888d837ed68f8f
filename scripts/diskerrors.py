# diskerrors.py - a disk with sectors that fail (QEMU's blkdebug), and what the guest makes of it.
#
#   ext2.py finds where the files below /errors lie --> rules for blkdebug --> usr/host/diskerrors.c
#
# The rules name sectors, so the rest of the disk, programs included, works. Inodes that shall fail
# lie in a block of the inode table with nothing but fillers.
#
# Invariants: a kernel that meets errors reports them, goes on, and switches the machine off.
import os
import tempfile

import ext2
import fsck
import ktap
import machine

PROGRAMS = ("bin/init", "bin/sh", "host/diskerrors")
BLOCKS, BAD = 16, 5          # as in usr/host/diskerrors.c
PAGE = 4096
FILES = ("data", "once", "indirect", "sync")
FILLERS = 64                 # inodes before and after the one that fails: more than a block of them


def contents():
    return b"".join(bytes((block * 7 + i) & 255 for i in range(PAGE)) for block in range(BLOCKS))


def make_tree(top):
    """What lies below /errors, in the order in which mke2fs numbers the inodes: that of names."""
    os.makedirs(top + "/errors/dir")
    for name in FILES:
        with open("%s/errors/%s" % (top, name), "wb") as file:
            file.write(contents())
    with open(top + "/errors/dir/file", "wb"):
        pass
    os.symlink("x" * 100, top + "/errors/link")
    for number in range(FILLERS):
        for where in ("errors/before", "errors/zafter"):
            os.makedirs(os.path.join(top, where), exist_ok=True)
            with open("%s/%s/%d" % (top, where, number), "wb"):
                pass


def inode_to_fail(image):
    """A filler inode whose neighbours in its block of the inode table are fillers all."""
    fillers = {inode.number for name in ("before", "zafter")
               for _, inode in image.walk("/errors/" + name)}
    per_block = image.block_size // image.super.inode_size
    for number in sorted(fillers):
        if (number - 1) % per_block == 0 and set(range(number, number + per_block)) <= fillers:
            return number + 1
    raise SystemExit("diskerrors: no block of the inode table is the fillers' alone")


def sectors(image, inode_number):
    """{what: the first sector of it}"""
    def block_of(path, index):
        inode = image.lookup(path, follow=False)
        return dict(image.blocks_of(inode))[index] * image.block_size // 512

    found = {name: block_of("/errors/" + name, BAD) for name in FILES if name != "indirect"}
    found["dir"], found["link"] = block_of("/errors/dir", 0), block_of("/errors/link", 0)
    found["indirect"] = image.lookup("/errors/indirect").blocks[12] * image.block_size // 512
    found["inode"] = image.inode_offset(inode_number) // image.block_size * image.block_size // 512
    return found


def rules(kind, where):
    """QEMU's options: requests of this kind (read, write) fail on these sectors."""
    words = ["driver=blkdebug", "image.driver=file"]
    wanted = ("data", "once", "indirect", "dir", "inode", "link") if kind == "read" else \
        ("data", "once", "sync", "inode", "dir")
    for number, name in enumerate(wanted):
        words += ["inject-error.%d.%s" % (number, word) for word in (
            "event=none", "iotype=" + kind, "errno=5", "sector=%d" % where[name],
            "once=" + ("on" if name == "once" else "off"))]
    return ",".join(words)


def make_disk(path):
    """The disk; returns {what: sector}."""
    with tempfile.TemporaryDirectory(dir=machine.BUILD) as tree, machine.locked_build():
        machine.make("all")
        make_tree(tree)
        machine.make_disk(path, PROGRAMS, tree)
    with ext2.Image(path) as image:
        number = inode_to_fail(image)
        where = next(name for name, inode in image.walk("/errors") if inode.number == number)
    fsck.debugfs(path, ["link %s /errors/inode" % os.fsdecode(where),
                           "sif /errors/inode links_count 2"])
    with ext2.Image(path) as image:
        return sectors(image, number)


def examine(kind, smp):
    """Run the tests of one kind, read or write. None or words."""
    with tempfile.TemporaryDirectory(prefix="errors.", dir=machine.BUILD) as work:
        disk = os.path.join(work, "disk.img")
        drive = rules(kind, make_disk(disk)) + ",image.filename=" + disk
        names = tests(kind)
        line = "/host/diskerrors " + " ".join(names)
        status, output = machine.run(None, line, DRIVE=drive, SMP=str(smp))
        passed = [name for name in names if "- " + name + "\n" in output and
                  "not ok" not in output]
        if status or len(passed) != len(names) or ktap.KERNEL.search(output):
            return "status %d: %s" % (status, output[-3000:])
        return None


def tests(kind):
    """The names of usr/host/diskerrors.c's TESTs of this kind."""
    with open(os.path.join(machine.ROOT, "usr", "host", "diskerrors.c")) as source:
        found = [line[5:].rstrip(")\n") for line in source if line.startswith("TEST(")]
    return [name for name in found if name.startswith(kind + "_")]
