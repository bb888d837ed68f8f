# ext2.py - a plain reader of ext2 images: what the host sees of the guest's files. It never writes.
#
#   with Image(path) as image:  image.lookup("/a/b") -> Inode;  image.read(inode) -> bytes
#
#   super block (at 1024) -> group descriptors -> inode tables -> 12 direct blocks, 3 trees -> data
#
# As an independent second opinion on the kernel's ext2 it shares nothing with it, and it shows also
# where things lie (blocks_of), which the power-cut and the mutation tests need.
#
# Invariant: a damaged image raises Damage and never makes us loop or read outside of the image.
import collections
import os
import stat
import struct

ROOT_INODE = 2
MAGIC = 0xEF53
NAME_MAX = 255
STATE_CLEAN = 1
FEATURE_FILETYPE = 0x0002          # the only incompatible feature that we know
FEATURE_LARGE_FILE = 0x0002        # (read-only compatible) regular files of 2 GiB and more
SYMLINKS_MAX = 40

Super = collections.namedtuple("Super", (
    "inodes", "blocks", "free_blocks", "free_inodes", "first_data_block", "block_size",
    "blocks_per_group", "inodes_per_group", "magic", "state", "revision", "first_inode",
    "inode_size", "compat", "incompat", "ro_compat"))
Group = collections.namedtuple("Group", "block_bitmap inode_bitmap inode_table")
Inode = collections.namedtuple("Inode", "number mode uid gid size nlink sectors blocks raw")
Entry = collections.namedtuple("Entry", "inode name offset")


class Damage(Exception):
    """The image contradicts itself, or the path is not there (errno-like text)."""


def read_super(data):
    """The super block out of its 1024 bytes."""
    words = struct.unpack_from("<11I", data)
    magic, state = struct.unpack_from("<2H", data, 56)
    revision = struct.unpack_from("<I", data, 76)[0]
    first_inode, inode_size = struct.unpack_from("<IH", data, 84) if revision else (11, 128)
    compat, incompat, ro_compat = struct.unpack_from("<3I", data, 92) if revision else (0, 0, 0)
    if magic != MAGIC:
        raise Damage("no ext2: magic %#x" % magic)
    if words[6] > 6 or not words[8] or not words[10] or inode_size < 128:
        raise Damage("a super block out of all bounds")
    return Super(words[0], words[1], words[3], words[4], words[5], 1024 << words[6], words[8],
                 words[10], magic, state, revision, first_inode, inode_size, compat, incompat,
                 ro_compat)


class Image:
    """An ext2 image, open for reading."""

    def __init__(self, path):
        self._file = open(path, "rb")
        try:
            self._length = os.fstat(self._file.fileno()).st_size
            self.super = read_super(self._pread(1024, 1024))
            self.block_size = self.super.block_size
            if self.super.incompat & ~FEATURE_FILETYPE:
                raise Damage("features %#x that are not ext2's" % self.super.incompat)
            self.groups = self._read_groups()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def _pread(self, offset, size):
        data = os.pread(self._file.fileno(), size, offset)
        if len(data) != size:
            raise Damage("bytes %d to %d lie outside of the image" % (offset, offset + size))
        return data

    def block(self, number):
        if number >= self.super.blocks:
            raise Damage("block %d of %d" % (number, self.super.blocks))
        return self._pread(number * self.block_size, self.block_size)

    def _read_groups(self):
        sb = self.super
        count = -(-(sb.blocks - sb.first_data_block) // sb.blocks_per_group)
        start = (sb.first_data_block + 1) * self.block_size
        table = self._pread(start, count * 32)
        return [Group(*struct.unpack_from("<3I", table, at)) for at in range(0, len(table), 32)]

    # ---- inodes

    def inode_offset(self, number):
        """Where in the image inode @number lies, in bytes."""
        group, index = divmod(number - 1, self.super.inodes_per_group)
        if number < 1 or group >= len(self.groups):
            raise Damage("inode %d" % number)
        return self.groups[group].inode_table * self.block_size + index * self.super.inode_size

    def inode(self, number):
        raw = self._pread(self.inode_offset(number), 128)
        mode, uid, size = struct.unpack_from("<HHI", raw)
        gid, nlink, sectors = struct.unpack_from("<HHI", raw, 24)
        uid_high, gid_high = struct.unpack_from("<HH", raw, 120)
        if stat.S_ISREG(mode):
            size |= struct.unpack_from("<I", raw, 108)[0] << 32
        return Inode(number, mode, uid | uid_high << 16, gid | gid_high << 16, size, nlink, sectors,
                     struct.unpack_from("<15I", raw, 40), raw)

    def is_fast_symlink(self, inode):
        acl = struct.unpack_from("<I", inode.raw, 104)[0]
        own = self.block_size // 512 if acl else 0
        return stat.S_ISLNK(inode.mode) and inode.sectors == own

    def _tree(self, pointer, level, first, last, seen):
        """Yield (logical block, block) under an indirect block, for logical blocks first..last."""
        if not pointer:
            return
        if pointer in seen:
            raise Damage("block %d is twice in one tree" % pointer)
        seen.add(pointer)
        per_block = self.block_size // 4
        reach = per_block ** (level - 1)
        for index, below in enumerate(struct.unpack("<%dI" % per_block, self.block(pointer))):
            at = first + index * reach
            if at > last:
                break
            if below and level == 1:
                yield at, below
            elif below:
                yield from self._tree(below, level - 1, at, last, seen)

    def blocks_of(self, inode, pointers=None):
        """Yield (logical block, block on disk) of the file's data, holes left out.

        The pointer blocks that were passed are added to the set @pointers.
        """
        last = -(-inode.size // self.block_size) - 1
        for index in range(min(12, last + 1)):
            if inode.blocks[index]:
                yield index, inode.blocks[index]
        first, seen = 12, set() if pointers is None else pointers
        for level in (1, 2, 3):
            if first <= last:
                yield from self._tree(inode.blocks[11 + level], level, first, last, seen)
            first += (self.block_size // 4) ** level

    def chunks(self, inode):
        """Yield the file's contents in order as bytes, or as a number: so many zeroes of a hole."""
        at = 0
        for logical, block in self.blocks_of(inode):
            start = logical * self.block_size
            if start > at:
                yield start - at
            data = self.block(block)[:inode.size - start]
            yield data
            at = start + len(data)
        if at < inode.size:
            yield inode.size - at

    def read(self, inode):
        """All of a file, which must fit in memory."""
        if inode.size > 1 << 30:
            raise Damage("inode %d: %d bytes are too many to read at once"
                         % (inode.number, inode.size))
        return b"".join(piece if isinstance(piece, bytes) else bytes(piece)
                        for piece in self.chunks(inode))

    def readlink(self, inode):
        if not self.is_fast_symlink(inode):
            return self.read(inode)
        if inode.size >= 60:
            raise Damage("inode %d: a link of %d bytes" % (inode.number, inode.size))
        return inode.raw[40:40 + inode.size]

    # ---- directories: names are bytes

    def entries(self, inode):
        """The Entries of a directory, with `.` and `..`; offset is that in the directory."""
        if not stat.S_ISDIR(inode.mode):
            raise Damage("inode %d: not a directory" % inode.number)
        data, found = self.read(inode), []
        for block in range(0, len(data), self.block_size):
            at, end = block, min(block + self.block_size, len(data))
            while at < end:
                if end - at < 8:
                    raise Damage("inode %d: a torn entry at %d" % (inode.number, at))
                number, length, name_length = struct.unpack_from("<IHB", data, at)
                if length < 8 + name_length or length % 4 or at + length > end:
                    raise Damage("inode %d: a broken entry at %d" % (inode.number, at))
                if number:
                    found.append(Entry(number, data[at + 8:at + 8 + name_length], at))
                at += length
        return found

    def children(self, inode):
        """{name: inode number} of a directory, without `.` and `..`."""
        found = {}
        for entry in self.entries(inode):
            if entry.name in found:
                raise Damage("inode %d: %r is twice in it" % (inode.number, entry.name))
            found[entry.name] = entry.inode
        found.pop(b".", None)
        found.pop(b"..", None)
        return found

    def lookup(self, path, follow=True):
        """The Inode at an absolute path; links on the way (and at its end) are followed."""
        todo = [name for name in os.fsencode(path).split(b"/") if name]
        trail, links = [self.inode(ROOT_INODE)], 0
        while todo:
            name = todo.pop(0)
            if name in (b".", b".."):
                trail = trail[:-1] if name == b".." and len(trail) > 1 else trail
                continue
            number = self.children(trail[-1]).get(name)
            if number is None:
                raise Damage("%s: no such file or directory" % os.fsdecode(path))
            child = self.inode(number)
            if not stat.S_ISLNK(child.mode) or (not todo and not follow):
                trail.append(child)
                continue
            links += 1
            if links > SYMLINKS_MAX:
                raise Damage("%s: too many symbolic links" % os.fsdecode(path))
            target = self.readlink(child)
            trail = trail[:1] if target.startswith(b"/") else trail
            todo = [part for part in target.split(b"/") if part] + todo
        return trail[-1]

    def walk(self, path="/"):
        """Yield (path as bytes, Inode) of everything at and below @path, parents first."""
        start = os.fsencode(path).rstrip(b"/")
        todo, seen = [(start or b"/", self.lookup(path, follow=False))], set()
        while todo:
            where, inode = todo.pop()
            yield where, inode
            if not stat.S_ISDIR(inode.mode):
                continue
            if inode.number in seen:
                raise Damage("inode %d: a directory with two parents" % inode.number)
            seen.add(inode.number)
            below = sorted(self.children(inode).items(), reverse=True)
            todo += [(where.rstrip(b"/") + b"/" + name, self.inode(number))
                     for name, number in below]
