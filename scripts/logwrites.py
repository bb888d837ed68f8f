# logwrites.py - what QEMU's blklogwrites recorded of a disk, and the disk as a power cut leaves it.
#
#   log:  super block | entry, its data | entry, its data | ...    all in units of one sector
#
#   ... write  FLUSH  write  write  write | cut
#       `----------'  `-----------------'
#         on the disk   each, or a part of it by sectors, or nothing: as the seed says
#
# The format is that of Linux's dm-log-writes (Documentation/admin-guide/device-mapper/log-writes).
# An entry is logged when the write is done and before the guest hears of it: what was complete when
# a flush began lies before the flush in the log. Of unflushed writes any subset may have reached
# the disk; the order in which they did does not matter beside the subset, since of several writes
# of one sector each may be the last one that was kept.
#
# A block that is torn (some of its sectors are new, some old) is harmless where a record never
# crosses a sector: inodes, pointers, bitmaps. Entries of a directory do cross; no order of writes
# can help ext2 there, so directory blocks are taken to be written whole or not at all.
import collections
import os
import struct
import subprocess

MAGIC = 0x6A736677736872
VERSION = 1
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
SECTOR = 512

Entry = collections.namedtuple("Entry", "sector sectors flags data_at")


class BadLog(Exception):
    """This is not a log, or it is cut short."""


class Log:
    """The entries of a log, in order."""

    def __init__(self, path):
        self._file = open(path, "rb")
        size = os.fstat(self._file.fileno()).st_size
        magic, version, count, sector = struct.unpack("<QQQI", self._pread(0, 28))
        if (magic, version, sector) != (MAGIC, VERSION, SECTOR):
            raise BadLog("%s: magic %#x, version %d, sectors of %d bytes"
                         % (path, magic, version, sector))
        self.entries, at = [], SECTOR
        for _ in range(count):
            start, sectors, flags, _ = struct.unpack("<4Q", self._pread(at, 32))
            self.entries.append(Entry(start, sectors, flags, at + SECTOR))
            at += SECTOR * (1 if flags & DISCARD else 1 + sectors)
        if at > size:
            raise BadLog("%s: it ends within its entries" % path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def _pread(self, offset, size):
        data = os.pread(self._file.fileno(), size, offset)
        if len(data) != size:
            raise BadLog("it ends at %d, within an entry" % (offset + len(data)))
        return data

    def data(self, entry):
        return self._pread(entry.data_at, entry.sectors * SECTOR)


def is_write(entry):
    return entry.sectors > 0 and not entry.flags & DISCARD


def is_directory_block(block):
    """Do entries of a directory fill this block exactly?"""
    at = 0
    while at + 8 <= len(block):
        number, length, name_length = struct.unpack_from("<IHB", block, at)
        if length < 8 + name_length or length % 4 or (number and not name_length):
            return False
        at += length
    return at == len(block)


def write_log(path, entries):
    """Make a log of [(sector, bytes) or None for a flush]: what the checkers are tested with."""
    with open(path, "wb") as log:
        log.write(struct.pack("<QQQI", MAGIC, VERSION, len(entries), SECTOR).ljust(SECTOR, b"\0"))
        for entry in entries:
            sector, data = entry or (0, b"")
            head = struct.pack("<4Q", sector, len(data) // SECTOR, 0 if entry else FLUSH, 0)
            log.write(head.ljust(SECTOR, b"\0") + data)


def copy_image(source, target):
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", source, target], check=True)


class Replay:
    """Rebuilds images. The cuts are asked for in ascending order: the flushed part only grows."""

    def __init__(self, original, log, durable, block_size):
        """@durable: path of the image in which the flushed writes are gathered."""
        self._log = log
        self._block_size = block_size
        self._durable = durable
        self._applied = 0  # entries below it are in the durable image
        copy_image(original, durable)

    def cut(self, at, target, random):
        """Make @target the disk after a power cut just before entry @at. Returns what was done."""
        entries = self._log.entries
        if at < self._applied:
            raise ValueError("the flushed writes cannot be taken back")
        flush = max((i for i in range(self._applied, at) if entries[i].flags & FLUSH),
                    default=self._applied)
        with open(self._durable, "r+b") as disk:
            for entry in filter(is_write, entries[self._applied:flush]):
                disk.seek(entry.sector * SECTOR)
                disk.write(self._log.data(entry))
        self._applied = max(flush, self._applied)
        copy_image(self._durable, target)
        pending = [entry for entry in entries[self._applied:at] if is_write(entry)]
        kept, torn = self._apply_some(pending, target, random)
        return "%d unflushed writes; of their blocks %d kept, %d torn" % (len(pending), kept, torn)

    def _apply_some(self, pending, target, random):
        """Per file system block: kept, dropped, or torn into its sectors."""
        chance, tearing = random.choice((0.0, 0.0, 0.2, 0.5, 0.8)), random.choice((0.0, 0.3))
        kept = torn = 0
        with open(target, "r+b") as disk:
            for entry in pending:
                data = self._log.data(entry)
                for at in range(0, len(data), self._block_size):
                    if random.random() >= chance:
                        continue
                    block, sectors = data[at:at + self._block_size], None
                    if random.random() < tearing and not is_directory_block(block):
                        count = len(block) // SECTOR
                        sectors = random.sample(range(count), random.randrange(count))
                    for i in range(len(block) // SECTOR) if sectors is None else sectors:
                        disk.seek(entry.sector * SECTOR + at + i * SECTOR)
                        disk.write(block[i * SECTOR:(i + 1) * SECTOR])
                    kept += sectors is None
                    torn += sectors is not None
        return kept, torn
