#!/usr/bin/env python3
# powercut.py - what was confirmed is not lost: a recorded run, and the power cut again and again.
#
#   crashload in the guest -- console: KEEP, MOVE, CONFIRMED --> promises
#            '--- disk --- blklogwrites --> log --> at each cut: an image (logwrites.py)
#                                                    e2fsck -p, e2fsck -fn, then the promises
#
# usage: scripts/powercut.py [--points N] [--block 1024|4096] [--seed S] [--rounds R] [--pressure]
#        scripts/powercut.py --replay DIRECTORY [--cut N]     again, from what a failure left
#
# What holds at a cut: the last marker of a worker in the log before it says up to where its
# promises count (crashload writes it after the fsync); what it touched between this CONFIRMED and
# its next may be either way. What e2fsck puts in lost+found was not confirmed and is not read.
# SMP= and MEM= as everywhere. The seed chooses the cuts, what was kept and what the guest does; its
# timing is its own, so a failure keeps the recorded run in build/powercut-SEED.*.
# --pressure: on a machine of PRESSURE's size, where something else wants more memory than there is:
# files are written back because their pages are needed, whenever that may be.
import argparse
import contextlib
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import zlib

import ext2
import fsck
import logwrites
import machine

TOP, MARKERS = "/crash", "/crash.markers"
MARKER_MAGIC, MARKER_STEP, WORKERS = b"RAVELMRK", 4096, 4
PROGRAMS = ("bin/init", "bin/sh", "host/crashload")
DISK_MIB = 24
PRESSURE = {"MEM": "48M", "SWAP": "128M"}
PRESSURE_PROGRAMS = ("bin/mkswap", "bin/swapon", "bin/kill", "host/memload")
PRESSURE_LINE = "mkswap /dev/vdb >/dev/null 2>&1 && swapon /dev/vdb && " \
    "{ /host/memload 65536 30 & load=$!; %s; status=$?; kill $load; wait $load; " \
    "[ $? = 143 ] && exit $status; exit 99; }"


# ---- promises

class Promises:
    """What one worker said, in order: [(word, path, what or the other path)]."""

    def __init__(self):
        self.lines = []
        self.ends = [0]  # [n]: how many lines lie before CONFIRMED n

    def add(self, words):
        if words[0] == "CONFIRMED":
            if int(words[1]) != len(self.ends):
                raise ValueError("CONFIRMED %s is not the next" % words[1])
            self.ends.append(len(self.lines))
        elif words[0] == "KEEP":
            kind, size, crc, path = words[1:]
            self.lines.append(("KEEP", path, (kind, int(size), int(crc, 16))))
        elif words[0] in ("TOUCH", "MOVE"):
            self.lines.append((words[0], words[1], words[-1]))
        else:
            raise ValueError("no such line")

    def at(self, marker):
        """{paths: (type, size, crc)}: under one of them it must be when this marker is the last."""
        kept = {}  # its newest name: (all its names, what)
        following = self.ends[marker + 1] if marker + 1 < len(self.ends) else len(self.lines)
        for index, (word, path, other) in enumerate(self.lines[:following]):
            if word == "MOVE" and path in kept:
                names, what = kept.pop(path)
                kept[other] = (names + (other,), what)
            elif word == "TOUCH":
                kept.pop(path, None)
            elif word == "KEEP" and index < self.ends[marker]:
                kept[path] = ((path,), other)
        return dict(kept.values())


def read_promises(text):
    """{worker: Promises} out of the console's output, which must be the workers' lines only.

    But for the debug kernel's last words.
    """
    found = {}
    for line in text.splitlines():
        if line.startswith("debug: "):
            continue
        worker, _, rest = line.partition(" ")
        try:
            found.setdefault(int(worker), Promises()).add(rest.split())
        except ValueError as error:
            raise SystemExit("powercut: not a line of crashload: %r (%s)" % (line, error))
    return found


def marker_record(worker, number):
    """The start of a marker's block, as crashload writes it."""
    head = MARKER_MAGIC + struct.pack("<2I", worker, number)
    return head + struct.pack("<I", zlib.crc32(head))


def read_markers(original, log):
    """[(entry, worker, number)]: which entry of the log carries which marker."""
    with ext2.Image(original) as image:
        size = image.block_size
        blocks = dict(image.blocks_of(image.lookup(MARKERS)))
        at = {blocks[worker * MARKER_STEP // size] * size // logwrites.SECTOR: worker
              for worker in range(WORKERS)}
    found = []
    for index, entry in enumerate(log.entries):
        if not logwrites.is_write(entry):
            continue
        for sector, worker in at.items():
            if not entry.sector <= sector < entry.sector + entry.sectors:
                continue
            record = log.data(entry)[(sector - entry.sector) * logwrites.SECTOR:][:20]
            number = struct.unpack_from("<I", record, 12)[0]
            if record == marker_record(worker, number):
                found.append((index, worker, number))
            elif record.startswith(MARKER_MAGIC):
                raise SystemExit("powercut: entry %d: a broken marker: %r" % (index, record))
    return found


def broken_promise(image, path, what):
    """None, or how the file at @path is not what was promised."""
    kind, size, crc = what
    try:
        inode = image.lookup(path, follow=False)
    except ext2.Damage as error:
        return None if kind == "-" and "no such file" in str(error) else str(error)
    if kind == "-":
        return "%s: is there, and was confirmed removed" % path
    try:
        data = image.readlink(inode) if stat.S_ISLNK(inode.mode) else image.read(inode)
    except ext2.Damage as error:
        return "%s: %s" % (path, error)
    if (kind == "l") != stat.S_ISLNK(inode.mode):
        return "%s: mode %o, promised type %s" % (path, inode.mode, kind)
    if (len(data), zlib.crc32(data)) != (size, crc):
        return "%s (inode %d): %d bytes of CRC %08x, confirmed were %d of %08x" % (
            path, inode.number, len(data), zlib.crc32(data), size, crc)
    return None


# ---- the cuts

class Case:
    """A recorded run: a directory with original.img, log and console.txt."""

    def __init__(self, directory):
        self.directory = directory
        self.original = os.path.join(directory, "original.img")
        self.log = logwrites.Log(os.path.join(directory, "log"))
        with open(os.path.join(directory, "console.txt"), errors="replace") as console:
            self.promises = read_promises(console.read())
        self.markers = read_markers(self.original, self.log)
        with ext2.Image(self.original) as image:  # nobody wrote to these
            self.block_size = image.block_size
            self.others = {(path.decode(),): ("f", inode.size, zlib.crc32(image.read(inode)))
                           for path, inode in image.walk("/bin") if stat.S_ISREG(inode.mode)}
        self.checked = 0  # promises looked at, all cuts together

    def points(self, count, rng):
        """Seeded cuts, each after a write: most of them just after a marker, others anywhere."""
        fresh = [index + 1 for index, _, _ in self.markers
                 if logwrites.is_write(self.log.entries[index - 1])]
        found = set(rng.sample(fresh, min(count * 2 // 3, len(fresh))))
        known = [i + 1 for i, entry in enumerate(self.log.entries)
                 if logwrites.is_write(entry) and i + 1 not in found]
        return sorted(found | set(rng.sample(known, min(count - len(found), len(known)))))

    def expected(self, at):
        """{paths: what} of all that is promised when the power goes before entry @at."""
        last = {}
        for index, worker, number in self.markers:
            if index < at:
                last[worker] = number
        found = dict(self.others)
        for worker, number in last.items():
            for paths, what in self.promises[worker].at(number).items():
                found[tuple("%s/w%d/%s" % (TOP, worker, path) for path in paths)] = what
        return found

    def verdict(self, at, image_path):
        """e2fsck, then every promise. None or words."""
        wrong = fsck.repair(image_path) or fsck.check(image_path, unmounted=False)
        if wrong:
            return wrong
        with ext2.Image(image_path) as image:
            for paths, what in sorted(self.expected(at).items()):
                self.checked += 1
                wrong = [broken_promise(image, path, what) for path in paths]
                if all(wrong):
                    return "; ".join(wrong)
        return None

    def run(self, points, seed, progress=None):
        """Cut at each of the points. Returns [(point, words)] of the failures."""
        failures = []
        with tempfile.TemporaryDirectory(prefix="cut.", dir=self.directory) as work:
            replay = logwrites.Replay(self.original, self.log, os.path.join(work, "durable.img"),
                                      self.block_size)
            target = os.path.join(work, "cut.img")
            for done, at in enumerate(points):
                how = replay.cut(at, target, random.Random("%s:%d" % (seed, at)))
                wrong = self.verdict(at, target)
                if wrong:
                    kept = os.path.join(self.directory, "cut-%d.img" % at)
                    replay.cut(at, kept, random.Random("%s:%d" % (seed, at)))
                    failures.append((at, "cut before entry %d (%s), image as it was: %s\n%s"
                                     % (at, how, kept, wrong)))
                if progress:
                    progress(done + 1, len(points))
        return failures


# ---- the recorded run

def make_original(path, block):
    """A small disk with what the run needs: our programs, the markers' blocks, a place to work."""
    with machine.locked_build(), tempfile.TemporaryDirectory(dir=machine.BUILD) as overlay:
        machine.make("all")
        os.mkdir(overlay + TOP)
        with open(overlay + MARKERS, "wb") as markers:
            markers.write(b"no marker yet...".ljust(MARKER_STEP, b".") * WORKERS)
        machine.make_disk(path, PROGRAMS + PRESSURE_PROGRAMS, overlay, block=block,
                          slack_mib=DISK_MIB)


def record(directory, seed, block, rounds, pressure=False, **environment):
    """Run the guest on a disk that logs. Returns None or what was wrong."""
    original = os.path.join(directory, "original.img")
    disk, log = os.path.join(directory, "disk.img"), os.path.join(directory, "log")
    make_original(original, block)
    logwrites.copy_image(original, disk)
    open(log, "wb").close()
    line = "/host/crashload %s %s %d %d %s" % (TOP, MARKERS, WORKERS, rounds, seed)
    if pressure:
        line = PRESSURE_LINE % line
        environment = dict(PRESSURE, **environment)
    drive = "driver=blklogwrites,file.driver=file,file.filename=%s," \
        "log.driver=file,log.filename=%s,log-sector-size=%d" % (disk, log, logwrites.SECTOR)
    status, text = machine.run(None, line, DRIVE=drive, **environment)
    with open(os.path.join(directory, "console.txt"), "w") as console:
        console.write(text)
    if status:
        return "the run ended with status %s: %s" % (status, text[-2000:])
    return fsck.check(disk)


@contextlib.contextmanager
def workplace(seed):
    """A directory in build/, kept when the block sets keep[0]."""
    os.makedirs(machine.BUILD, exist_ok=True)
    directory, keep = tempfile.mkdtemp(prefix="powercut-%s." % seed, dir=machine.BUILD), [False]
    try:
        yield directory, keep
    finally:
        if not keep[0]:
            shutil.rmtree(directory)


def examine(seed, points, block=4096, rounds=300, progress=None, pressure=False, **environment):
    """The whole test. Returns (None or words, a summary)."""
    with workplace(seed) as (directory, keep):
        wrong = record(directory, seed, block, rounds, pressure, **environment)
        if wrong:
            return wrong, ""
        case = Case(directory)
        failures = case.run(case.points(points, random.Random(seed)), seed, progress)
        summary = "%d points in %d disk requests, %d markers, %d promises looked at" % (
            points, len(case.log.entries), len(case.markers), case.checked)
        if not case.markers or case.checked < points:
            return "too little was recorded: " + summary, summary
        if not failures:
            return None, summary
        keep[0] = True
        again = "again: scripts/powercut.py --replay %s --seed %s --cut %d" % (
            os.path.relpath(directory, machine.ROOT), seed, failures[0][0])
        return "%d of %d points: %s\n%s" % (len(failures), points, failures[0][1], again), summary


def main():
    parser = argparse.ArgumentParser(prog="powercut.py")
    parser.add_argument("--points", type=int, default=30)
    parser.add_argument("--block", type=int, default=4096, choices=(1024, 4096))
    parser.add_argument("--seed",
                        default=os.environ.get("SEED") or str(random.randrange(1, 1 << 31)))
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--pressure", action="store_true")
    parser.add_argument("--replay", metavar="DIRECTORY")
    parser.add_argument("--cut", type=int)
    given = parser.parse_args()
    print("powercut: seed %s" % given.seed)
    if not given.replay:
        wrong, summary = examine(given.seed, given.points, given.block, given.rounds,
                                 pressure=given.pressure)
        print(wrong or "powercut: ok, " + summary)
        return 1 if wrong else 0
    case = Case(given.replay)
    points = [given.cut] if given.cut else case.points(given.points, random.Random(given.seed))
    failures = case.run(points, given.seed)
    for _, wrong in failures:
        print(wrong)
    print("powercut: %d of %d points failed" % (len(failures), len(points)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
