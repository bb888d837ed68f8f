# outside.py - the tree that usr/tests/fsmodel.c left on a disk, compared from outside of the guest.
#
#   fsmodel with KEEP_TREE=/fsmodel --> the tree, and /fsmodel.manifest, what its model says of it
#   power off --> e2fsck -fn, then ext2.py reads the image: the same names, contents, links, modes?
#             --> debugfs copies the tree out: the same names, types, contents?
#
# A line of the manifest: TYPE MODE(octal) NLINK SIZE CRC32HEX PATH [-> TARGET]; TYPE f, d or l.
# SIZE and CRC of a directory mean nothing, nor does the CRC of a link.
#
# Invariant: both ways round: what the manifest lacks is as wrong as what the image lacks.
import os
import stat
import subprocess
import tempfile
import zlib

import ext2
import fsck
import machine

TREE, MANIFEST = "/fsmodel", "/fsmodel.manifest"
PROGRAMS = ("bin/init", "bin/sh", "bin/env", "bin/runtests", "tests/fsmodel")
SLACK_MIB = 64
FEWEST = 20  # names; a model that left less has tested nothing
TYPES = {"f": stat.S_IFREG, "d": stat.S_IFDIR, "l": stat.S_IFLNK}


def read_manifest(text):
    """{path: (type, mode, nlink, size, crc, target)}; paths from the root of the disk."""
    found = {}
    for line in text.splitlines():
        line, _, target = line.partition(" -> ")
        kind, mode, nlink, size, crc, path = line.split(" ", 5)
        path = path if path.startswith("/") else TREE + "/" + path
        found[os.path.normpath(path)] = (TYPES[kind], int(mode, 8) & 0o7777, int(nlink), int(size),
                                         int(crc, 16), target)
    return found


def differs(image, inode, expected):
    """How one inode is not what the model says; None if it is."""
    kind, mode, nlink, size, crc, target = expected
    if stat.S_IFMT(inode.mode) != kind:
        return "type %o" % stat.S_IFMT(inode.mode)
    if kind != stat.S_IFLNK and stat.S_IMODE(inode.mode) != mode:
        return "mode %o, expected %o" % (stat.S_IMODE(inode.mode), mode)
    if inode.nlink != nlink:
        return "%d links, expected %d" % (inode.nlink, nlink)
    if kind == stat.S_IFLNK and os.fsdecode(image.readlink(inode)) != target:
        return "target %r, expected %r" % (image.readlink(inode), target)
    if kind != stat.S_IFREG:
        return None
    found = 0
    for piece in image.chunks(inode):
        while isinstance(piece, int) and piece > 1 << 20:
            found, piece = zlib.crc32(bytes(1 << 20), found), piece - (1 << 20)
        found = zlib.crc32(bytes(piece) if isinstance(piece, int) else piece, found)
    if (inode.size, found) != (size, crc):
        return "%d bytes of CRC %08x, expected %d of %08x" % (inode.size, found, size, crc)
    return None


def compare(path):
    """None, or the first differences between the manifest and the tree in the image at @path."""
    with ext2.Image(path) as image:
        expected = read_manifest(os.fsdecode(image.read(image.lookup(MANIFEST))))
        expected.pop(TREE, None)  # where the tree hangs is not part of it
        wrong = []
        if len(expected) < FEWEST:
            wrong.append("%d names in the manifest prove little" % len(expected))
        for where, inode in image.walk(TREE):
            where = os.fsdecode(where)
            if where == TREE:
                continue
            if where not in expected:
                wrong.append("%s: not in the model" % where)
                continue
            said = differs(image, inode, expected.pop(where))
            if said:
                wrong.append("%s (inode %d): %s" % (where, inode.number, said))
        wrong += ["%s: not on the disk" % where for where in sorted(expected)]
    return "\n".join(wrong[:10]) if wrong else None


def crc_of_file(path):
    """(size, CRC) of a file of the host, whose holes may be large."""
    found = 0
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 20):
            found = zlib.crc32(piece, found)
    return os.path.getsize(path), found


def copied_differs(path, expected):
    """How a copy that debugfs made is not what the model says; None if it is."""
    kind, _, _, size, crc, target = expected
    if not os.path.lexists(path):
        return "was not copied"
    if stat.S_IFMT(os.lstat(path).st_mode) != kind:
        return "type %o" % stat.S_IFMT(os.lstat(path).st_mode)
    if kind == stat.S_IFLNK and os.readlink(path) != target:
        return "target %r, expected %r" % (os.readlink(path), target)
    if kind == stat.S_IFREG and crc_of_file(path) != (size, crc):
        return "%d bytes of CRC %08x, expected %d of %08x" % (*crc_of_file(path), size, crc)
    return None


def compare_with_debugfs(disk, work):
    """As compare(), by e2fsprogs' own reader, which shares no line with ours."""
    env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    for command in ("rdump %s %s" % (TREE, work), "dump %s %s/manifest" % (MANIFEST, work)):
        subprocess.run(["debugfs", "-R", command, disk], env=env, check=True, capture_output=True)
    with open(os.path.join(work, "manifest")) as manifest:
        expected = read_manifest(manifest.read())
    copied = 0
    wrong = []
    for where, said in sorted(expected.items()):
        if where == TREE:
            continue
        path = os.path.join(work, os.path.relpath(where, "/"))
        difference = copied_differs(path, said)
        if difference:
            wrong.append("debugfs: %s: %s" % (where, difference))
    for _, directories, files in os.walk(os.path.join(work, TREE.strip("/"))):
        copied += len(directories) + len(files)
    if copied != len(expected) - (TREE in expected):
        wrong.append("debugfs: %d names, the model has %d" % (copied, len(expected)))
    return "\n".join(wrong[:10]) if wrong else None


def examine(smp, block, seed):
    """Run fsmodel on a disk of its own, then compare. None or words."""
    with tempfile.TemporaryDirectory(prefix="outside.", dir=machine.BUILD) as work:
        disk = os.path.join(work, "disk.img")
        with machine.locked_build():
            machine.make("all")
            machine.make_disk(disk, PROGRAMS, "", block=block, slack_mib=SLACK_MIB)
        line = "env KEEP_TREE=%s runtests fsmodel" % TREE
        status, output = machine.run(disk, line, SMP=str(smp), SEED=str(seed))
        if status:
            return "runtests fsmodel: status %d: %s" % (status, output[-2000:])
        try:
            return fsck.check(disk) or compare(disk) or compare_with_debugfs(disk, work)
        except (ext2.Damage, ValueError) as error:
            return "%s" % error
