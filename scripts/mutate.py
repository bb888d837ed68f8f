#!/usr/bin/env python3
# mutate.py - damaged disks: errors are in order, a panic, a hang or a loop is not.
#
#   a sound image (1 KiB or 4 KiB blocks) --some lies--> image N --> 7 at a time into one guest
#                                                                    usr/host/fswalk.c uses each
#
# usage: scripts/mutate.py [--images N] [--seed S] [--only NUMBER]
#
# Most lies go into a field that means something (super block, group descriptor, inode, directory
# entry, pointer block, link), with a value from the edges of what can be there; the others are
# bytes at random near such fields. Image N depends on the seed and N alone: `--only N` repeats it.
import argparse
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
import tempfile

import ext2
import ktap
import machine

PROGRAMS = ("bin/init", "bin/sh", "host/fswalk")
PER_BOOT = 7  # QEMU's virt machine has eight virtio slots, and one is the root's
IMAGE_KIB = 2048
UUID = "5241564c-0000-4000-8000-000000000003"

# (offset, size) of what ext2 reads there: linux/Documentation/filesystems/ext2.rst
SUPER_FIELDS = [(i * 4, 4) for i in range(11)] + [
    (52, 2), (54, 2), (56, 2), (58, 2), (60, 2), (76, 4), (84, 4), (88, 2), (90, 2), (92, 4),
    (96, 4), (100, 4), (206, 2)]
GROUP_FIELDS = [(0, 4), (4, 4), (8, 4), (12, 2), (14, 2), (16, 2)]
INODE_FIELDS = [(0, 2), (2, 2), (4, 4), (20, 4), (24, 2), (26, 2), (28, 4), (32, 4), (104, 4),
                (108, 4), (128, 2)] + [(40 + i * 4, 4) for i in range(15)] * 2
ENTRY_FIELDS = [(0, 4), (0, 4), (4, 2), (4, 2), (6, 1), (7, 1), (8, 1), (9, 1)]


def make_tree(top):
    """One of everything that can be damaged."""
    os.makedirs(top + "/deep/er/and/deeper")
    os.makedirs(top + "/many")
    for number in range(90):
        with open("%s/many/%s%d" % (top, "name" * 8, number), "wb") as file:
            file.write(b"%d" % number)
    for name, size in (("small", 100), ("indirect", 100 << 10), ("double", 400 << 10)):
        with open("%s/deep/%s" % (top, name), "wb") as file:
            file.write(b"%-64d" % size * (size // 64))
    with open(top + "/deep/er/holes", "wb") as file:
        file.seek(5 << 20)
        file.write(b"end")
    os.link(top + "/deep/small", top + "/deep/er/link")
    os.symlink("deep/small", top + "/short")
    os.symlink("deep/" + "./" * 60 + "small", top + "/far")


def make_sound(path, block):
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
               E2FSPROGS_FAKE_TIME="1704067200")
    with tempfile.TemporaryDirectory() as tree:
        make_tree(tree)
        subprocess.run(["mke2fs", "-q", "-t", "ext2", "-b", str(block), "-N", "256", "-U", UUID,
                        "-E", "hash_seed=" + UUID, "-d", tree, path, "%dk" % IMAGE_KIB], env=env,
                       stdout=subprocess.DEVNULL, check=True)


class Layout:
    """Where the things of a sound image are, in bytes."""

    def __init__(self, path):
        with ext2.Image(path) as image:
            self.super = image.super
            size = image.block_size
            self.groups = [(image.super.first_data_block + 1) * size + 32 * i
                           for i in range(len(image.groups))]
            self.bitmaps = [block * size for group in image.groups
                            for block in (group.block_bitmap, group.inode_bitmap)]
            self.inodes, self.entries, self.links, self.pointers = [], [], [], []
            for _, inode in image.walk():
                self._add(image, inode)

    def _add(self, image, inode):
        size, pointers = image.block_size, set()
        self.inodes.append(image.inode_offset(inode.number))
        if image.is_fast_symlink(inode):
            self.links.append((self.inodes[-1] + 40, inode.size))
            return
        blocks = dict(image.blocks_of(inode, pointers))
        self.pointers += [block * size for block in pointers]
        if stat.S_ISLNK(inode.mode):
            self.links.append((blocks[0] * size, inode.size))
        if stat.S_ISDIR(inode.mode):
            self.entries += [blocks[entry.offset // size] * size + entry.offset % size
                             for entry in image.entries(inode)]


class Mutator:
    """Tells lies in an image, which is a bytearray."""

    def __init__(self, data, layout, rng):
        self.data, self.layout, self.rng = data, layout, rng
        self.said = []

    def put(self, what, at, size):
        """A value from the edges, or one near to what was there, or any."""
        form, rng = {1: "<B", 2: "<H", 4: "<I"}[size], self.rng
        old = struct.unpack_from(form, self.data, at)[0]
        top, blocks = (1 << 8 * size) - 1, self.layout.super.blocks
        value = rng.choice((0, 1, 2, top, top >> 1, (top >> 1) + 1, old + 1, old - 1, old ^ 1 <<
                            rng.randrange(8 * size), blocks - 1, blocks, rng.randrange(blocks),
                            self.some_block(), rng.randrange(top))) & top
        struct.pack_into(form, self.data, at, value)
        self.said.append("%s at %d: %d was %d" % (what, at, value, old))

    def some_block(self):
        """The number of a block that is in use for something else."""
        layout = self.layout
        at = self.rng.choice(layout.pointers + layout.bitmaps + layout.entries + layout.inodes)
        return at // layout.super.block_size

    def field(self, what, starts, fields):
        offset, size = self.rng.choice(fields)
        self.put(what, self.rng.choice(starts) + offset, size)

    def bitmap(self):
        at, size = self.rng.choice(self.layout.bitmaps), self.layout.super.block_size
        byte = self.rng.choice((0, 255, self.rng.randrange(256)))
        self.data[at:at + size] = bytes([byte]) * size
        self.said.append("bitmap at %d: all %#x" % (at, byte))

    def pointer(self):
        start = self.rng.choice(self.layout.pointers)
        reach = self.rng.choice((2, 20, self.layout.super.block_size // 4))  # the first are in use
        self.put("pointer", start + 4 * self.rng.randrange(reach), 4)

    def link(self):
        at, length = self.rng.choice(self.layout.links)
        self.put("link", at + self.rng.randrange(length), 1)

    def anything(self):
        layout = self.layout
        near = layout.inodes + layout.entries + layout.pointers + layout.groups + layout.bitmaps
        for _ in range(self.rng.choice((1, 8, 64))):
            self.put("byte", self.rng.choice(near) + self.rng.randrange(256), 1)

    def lie(self):
        layout = self.layout
        self.rng.choice((
            lambda: self.field("super block", [1024], SUPER_FIELDS),
            lambda: self.field("group", layout.groups, GROUP_FIELDS),
            self.bitmap, self.pointer, self.pointer, self.link, self.anything,
            *[lambda: self.field("inode", layout.inodes, INODE_FIELDS)] * 4,
            *[lambda: self.field("entry", layout.entries, ENTRY_FIELDS)] * 4))()


def damage(sound, layout, target, seed, number):
    """Write image number @number. Returns the lies told."""
    rng = random.Random("%s:%d" % (seed, number))
    with open(sound, "rb") as file:
        mutator = Mutator(bytearray(file.read()), layout, rng)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        mutator.lie()
    with open(target, "wb") as file:
        file.write(mutator.data)
    return mutator.said


def boot(root, images, **environment):
    """One guest with these disks. Returns (None or what was wrong, how many could be mounted)."""
    devices = " ".join("-drive if=none,id=damaged%d,format=raw,file=%s -device virtio-blk-device,"
                       "drive=damaged%d" % (i, path, i) for i, path in enumerate(images))
    names = ["/dev/vd" + letter for letter in "bcdefgh"[:len(images)]]
    status, output = machine.run(root, "/host/fswalk " + " ".join(names), QEMU_EXTRA=devices,
                                 **environment)
    missing = [name for name in names if "%s: " % name not in output]
    wrong = None
    if status or missing or ktap.KERNEL.search(output):
        wrong = "status %d: %s" % (status, output[-3000:])
    return wrong, output.count(" names, ")


def examine(seed, count, only=None, progress=None, **environment):
    """Damage and use so many images. None or words; what failed is kept in build/damaged-SEED.*."""
    work = tempfile.mkdtemp(prefix="damaged-%s." % seed, dir=machine.BUILD)
    root = os.path.join(work, "root.img")
    with machine.locked_build():
        machine.make("all")
        os.mkdir(work + "/overlay")
        os.mkdir(work + "/overlay/mnt")
        machine.make_disk(root, PROGRAMS, work + "/overlay", slack_mib=2)
    sounds = []
    for block in (1024, 4096):
        sounds.append(os.path.join(work, "sound-%d.img" % block))
        make_sound(sounds[-1], block)
    layouts = [Layout(path) for path in sounds]
    numbers, used = list(range(count)) if only is None else [only], 0
    for at in range(0, len(numbers), PER_BOOT):
        batch, lies = numbers[at:at + PER_BOOT], []
        images = [os.path.join(work, "%d.img" % number) for number in batch]
        for number, path in zip(batch, images):
            lies.append("image %d: %s" % (number, "; ".join(damage(
                sounds[number % 2], layouts[number % 2], path, seed, number)[:9])))
        wrong, mounted = boot(root, images, **environment)
        used += mounted
        if wrong:
            return "%s\n%s\nagain: scripts/mutate.py --seed %s --images %d (or --only N); in %s" % (
                wrong, "\n".join(lies), seed, count, work)
        for path in images:
            os.unlink(path)
        if progress:
            progress(at + len(batch), len(numbers))
    shutil.rmtree(work)
    return None if used or only is not None else "not one of the disks could be mounted"


def main():
    parser = argparse.ArgumentParser(prog="mutate.py")
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--seed",
                        default=os.environ.get("SEED") or str(random.randrange(1, 1 << 31)))
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    print("mutate: seed %s" % given.seed, flush=True)
    wrong = examine(given.seed, given.images, given.only)
    print(wrong or "mutate: ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
