# hosttests.py - the host's own tools, tried on small hand-made images: "parser" of `make test`.
#
#   ext2 reader       against the tree that mke2fs was given, with 1 KiB and 4 KiB blocks
#   fsck, get, root   a wrong link count is found; files come out; a rebuilt image goes in
#   power cuts        a good record passes, records with each kind of lie in them do not
#   flat              a machine that has less left after each round is found out, by two pages;
#                     one that has more the one time and less the other is not
#   bench of malloc   its goals: met, and each way of missing one
#   traces            a program is recorded, converted, replayed and drawn
#   replacement       FIFO, clock, LRU and OPT by hand, and beside the plainest form of each
#
# Invariant: a checker that lets a mutant pass is a failure, as one that refuses the good record.
import contextlib
import io
import os
import random
import stat
import subprocess
import tempfile
import xml.etree.ElementTree
import zlib

import bench
import ext2
import fsck
import get
import logwrites
import machine
import mallocplot
import malloctrace
import memsoak
import outside
import policies
import powercut
import refpatterns
import rootimg

BLOCK = 4096


def make_image(path, tree, block=BLOCK, blocks=1024):
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    subprocess.run(["mke2fs", "-q", "-t", "ext2", "-b", str(block), "-E", "root_owner=0:0",
                    "-d", tree, path, str(blocks)], env=env, stdout=subprocess.DEVNULL,
                   check=True)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


# ---- the reader

def reader(work, block):
    tree, image = os.path.join(work, "tree"), os.path.join(work, "disk.img")
    os.makedirs(tree + "/many/deep/er")
    for number in range(200):
        write("%s/many/%s%d" % (tree, "long" * 20, number), b"%d" % number)
    write(tree + "/big", random.Random(1).randbytes(300 * block))
    with open(tree + "/holes", "wb") as file:
        for at in (0, 11 * block, 12 * block, (14 + block // 4) * block, 70 << 20):
            file.seek(at)
            file.write(b"here %d" % at)
    os.symlink("many/deep", tree + "/short")
    os.symlink("x" * 100, tree + "/far")
    os.link(tree + "/big", tree + "/many/deep/er/again")
    make_image(image, tree, block, (8 << 20) // block)
    with ext2.Image(image) as disk:
        seen = 0
        for where, inode in disk.walk():
            host = os.fsencode(tree) + where
            if where.startswith(b"/lost+found"):
                continue
            seen += 1
            if stat.S_ISREG(inode.mode) and disk.read(inode) != read(host):
                return "%s: other contents" % where
            if stat.S_ISLNK(inode.mode) and disk.readlink(inode) != os.readlink(host):
                return "%s: another target" % where
            if (inode.mode, inode.size if stat.S_ISREG(inode.mode) else 0) != (
                    os.lstat(host).st_mode, os.path.getsize(host) if os.path.isfile(host)
                    and not os.path.islink(host) else 0):
                return "%s: other mode or size" % where
        if seen != 209 or disk.lookup("/short/er/again").nlink != 2:
            return "%d things seen" % seen
        try:
            return "%s is there" % (disk.lookup("/many/nothing"),)
        except ext2.Damage:
            return None


# ---- fsck, get, root.img

def finds_damage(work):
    tree, image = os.path.join(work, "tree"), os.path.join(work, "disk.img")
    os.mkdir(tree)
    write(tree + "/file", b"x")
    make_image(image, tree)
    wrong = fsck.check(image)
    if wrong:
        return wrong
    fsck.debugfs(image, ["sif /file links_count 7"])
    if not fsck.check(image):
        return "a wrong link count is not found"
    fsck.debugfs(image, ["ssv state 0"])  # else -p takes the super block's word
    if fsck.repair(image) or fsck.check(image):
        return "it is not repaired"
    fsck.debugfs(image, ["ssv state 0"])
    return None if fsck.check(image) else "an image not marked clean is not found"


def comes_out(work):
    tree, image = os.path.join(work, "tree"), os.path.join(work, "disk.img")
    out = os.path.join(work, "out")
    os.makedirs(tree + "/dir/below")
    write(tree + "/dir/below/file", b"y" * 70000)
    os.symlink("below/file", tree + "/dir/link")
    make_image(image, tree)
    if get.get(image, "/dir", out) or read(out + "/dir/link") != b"y" * 70000:
        return "a directory does not come out"
    if get.get(image, "/dir/link", out) or read(out + "/link") != b"y" * 70000:
        return "a linked file does not come out"
    try:
        return "status %d for a file that is not there" % get.get(image, "/dir/no", out)
    except ext2.Damage:
        return None


def goes_in(work):
    """Each way in which the build and a person may have changed a file, together."""
    first, second = os.path.join(work, "first"), os.path.join(work, "second")
    for tree, text in ((first, b"old"), (second, b"new")):
        os.makedirs(tree + "/bin")
        for name in ("both", "build"):
            write("%s/bin/%s" % (tree, name), text)
        write(tree + "/bin/mine", b"old")
    write(first + "/bin/gone", b"old")
    os.mkdir(second + "/dir")
    write(second + "/dir/a name", b"new")
    os.symlink("mine", second + "/dir/link")
    disk, root = os.path.join(work, "disk.img"), os.path.join(work, "root.img")
    make_image(root, first)
    base = rootimg.base_of(root)
    for name in ("both", "mine", "extra"):
        write(os.path.join(work, name), b"person's")
        fsck.debugfs(root, ["cd /bin", "rm " + name, "write %s/%s %s" % (work, name, name)])
    make_image(disk, second)
    new = rootimg.renew(root, disk, base)
    with ext2.Image(root) as image:
        found = {os.fsdecode(where): image.read(inode) for where, inode in image.walk()
                 if stat.S_ISREG(inode.mode)}
        link = image.readlink(image.lookup("/dir/link", follow=False))
    expected = {"/bin/both": b"person's", "/bin/mine": b"person's", "/bin/extra": b"person's",
                "/bin/build": b"new", "/dir/a name": b"new"}
    if found != expected or link != b"mine":
        return "found %r" % found
    return None if new["files"] == rootimg.manifest(disk) else "another base"


def outside_sees(work):
    """The comparison with a model: right, and each way of being wrong."""
    tree, image = os.path.join(work, "tree"), os.path.join(work, "disk.img")
    os.makedirs(tree + "/fsmodel/d")
    os.chmod(tree + "/fsmodel/d", 0o750)
    lines = ["d 0750 2 0 0 /fsmodel/d"]
    for number in range(20):
        write("%s/fsmodel/d/%d" % (tree, number), b"%d" % number)
        os.chmod("%s/fsmodel/d/%d" % (tree, number), 0o640)
        lines.append("f 0640 1 %d %08x /fsmodel/d/%d"
                     % (len(str(number)), zlib.crc32(b"%d" % number), number))
    os.symlink("to where", tree + "/fsmodel/link")
    lines.append("l 0777 1 8 0 /fsmodel/link -> to where")
    for change in (None, ("0640 1 1 ", "0644 1 1 "), ("0640 1 ", "0640 2 "), ("to where", "to"),
                   ("d/7", "d/no"), (" %08x " % zlib.crc32(b"11"), " 0000000a ")):
        text = "\n".join(lines) + "\n"
        write(tree + "/fsmodel.manifest", text.replace(*(change or ("", ""))).encode())
        make_image(image, tree)
        wrong = outside.compare(image)
        if bool(wrong) != bool(change):
            return "with %s changed: %s" % (change, wrong)
    return None


# ---- power cuts

class Recorder:
    """Makes a record as a perfect kernel would: change, flush, marker, flush; six times."""

    def __init__(self, work):
        self.work, self.entries, self.console = work, [], []
        tree = os.path.join(work, "tree")
        os.makedirs(tree + "/crash/w0")
        os.mkdir(tree + "/bin")
        write(tree + "/bin/sh", b"never changed")
        write(tree + "/crash.markers", b"-" * powercut.MARKER_STEP * powercut.WORKERS)
        self.disk = os.path.join(work, "disk.img")
        make_image(self.disk, tree)
        logwrites.copy_image(self.disk, os.path.join(work, "original.img"))
        with ext2.Image(self.disk) as image:
            self.marker_block = dict(image.blocks_of(image.lookup("/crash.markers")))[0]
        for number in range(1, 7):
            self.step(number)

    def step(self, number):
        data, before = (b"file %d " % number) * 1000, read(self.disk)
        write(os.path.join(self.work, "data"), data)
        lines = ["cd /crash/w0", "write %s/data f%d" % (self.work, number)]
        if number == 4:
            lines.append("rm f1")
            self.console += ["0 TOUCH f1", "0 KEEP - 0 0 f1"]
        if number == 5:
            lines += ["rm f2", "write %s/data f2" % self.work]
            self.console += ["0 TOUCH f2"]
        fsck.debugfs(self.disk, lines)
        after = read(self.disk)
        for at in range(0, len(after), BLOCK):
            if after[at:at + BLOCK] != before[at:at + BLOCK]:
                self.entries.append((at // 512, after[at:at + BLOCK]))
        self.entries.append(None)
        record = powercut.marker_record(0, number).ljust(512, b"\0")
        with open(self.disk, "r+b") as disk:
            disk.seek(self.marker_block * BLOCK)
            disk.write(record)
        self.entries += [(self.marker_block * BLOCK // 512, record), None]
        self.console += ["0 KEEP f %d %08x f%d" % (len(data), zlib.crc32(data), number),
                         "0 CONFIRMED %d" % number]

    def failures(self, entries):
        """How many of the cuts after each entry the checker refuses, with everything else lost."""
        with open(os.path.join(self.work, "console.txt"), "w") as console:
            console.write("\n".join(self.console) + "\n")
        logwrites.write_log(os.path.join(self.work, "log"), entries)
        case = powercut.Case(self.work)
        after = [index + 1 for index, _, _ in case.markers]
        return len(case.run(after, "fixed")), case.checked


def promises(_):
    """What is still promised after each CONFIRMED, with names that move and change."""
    said = powercut.read_promises("\n".join("0 " + line for line in (
        "KEEP f 1 a x", "KEEP f 2 b y", "CONFIRMED 1", "MOVE x z", "TOUCH y", "CONFIRMED 2",
        "MOVE z w", "KEEP - 0 0 x", "CONFIRMED 3", "TOUCH w", "CONFIRMED 4")))[0]
    expected = [{}, {("x", "z"): ("f", 1, 10)}, {("x", "z", "w"): ("f", 1, 10)},
                {("x",): ("-", 0, 0)}, {("x",): ("-", 0, 0)}]
    for marker, what in enumerate(expected):
        if said.at(marker) != what:
            return "at marker %d: %r" % (marker, said.at(marker))
    return None


def is_data(entry):
    return entry is not None and entry[1].startswith(b"file 3 ")


def power_cuts(work):
    recorder = Recorder(work)
    good = recorder.entries
    failed, checked = recorder.failures(good)
    if failed or checked != 6 + 1 + 2 + 2 + 3 + 4 + 5:  # /bin/sh six times, and less what changes
        return "the good record: %d cuts refused, %d promises looked at" % (failed, checked)
    markers = [i for i, entry in enumerate(good)
               if entry and entry[1].startswith(powercut.MARKER_MAGIC)]
    early = list(good)
    early.insert(markers[1] + 2, early.pop(markers[2]))  # marker 3 before what it promises
    lies = {
        "a flushed write is lost": [entry for entry in good if not is_data(entry)],
        "a marker comes before its promise": early,
        "nothing is flushed": [entry for entry in good if entry],
        "a write goes wrong": [(entry[0], b"X" + entry[1][1:]) if is_data(entry) else entry
                               for entry in good],
    }
    for name, entries in lies.items():
        if not recorder.failures(entries)[0]:
            return "not seen: " + name
    return None


# ---- what a soak leaves behind

def soak_text(numbers):
    return "".join("noise\nround %d\nMemTotal:  50000 kB\nMemFree:   %d kB\nSwapFree: 99 kB\n"
                   "Buffers: 9 kB\nCached: 9 kB\nSlab: 9 kB\nKernelStack: 9 kB\n"
                   "# name <active_objs>\ntask  %d  40  512 8 1 : tunables 0 0 0 : slabdata 5 5 0\n"
                   % (index, free, tasks) for index, (free, tasks) in enumerate(numbers))


def flat(_):
    rng = random.Random(3)
    cases = ((((40000, 9), (39900, 9), (39800, 12)), False), (((40000, 9), (39000, 9)), True),
             (((40000, 9), (40000, 99)), True), (((40000, 9),), True), ((), True),
             ([(40000, 9)] * 30, False),
             ([(39000, 5)] + [(39400, 9)] * 30, False),                        # the first warms up
             ([(40000 - 8 * n, 9) for n in range(30)], True),                  # two pages a round
             ([(40000, 9 + n // 4) for n in range(30)], True),                 # an object of four
             ([(40000 - n // 2 * 4, 9) for n in range(30)], True),             # a page of two
             ([(40000 - n // 2 * 4, 9) for n in range(8)], False),             # too few to say
             ([(40000 + rng.randint(-80, 80), 9 + rng.randint(-4, 4)) for n in range(30)], False),
             ([(40000 - 8 * n + rng.randint(-80, 80), 9) for n in range(30)], True))
    for numbers, is_wrong in cases:
        said = memsoak.judge(memsoak.rounds_of(soak_text(numbers)))
        if bool(said) != is_wrong:
            return "%r: %s" % (numbers, said)
    return None


# ---- malloc

def bench_text(rows):
    """What mallocbench prints for {trace: (utilisation of umalloc, of glibc, cost, cost)}."""
    lines = ["# find", ""]
    for title, at, form in (("utilisation", 0, "%.3f"), ("cost per op", 2, "%.1f")):
        lines.append("%-14s %8s %8s" % (title, "umalloc", "glibc"))
        rest = list(rows.items())
        means = [sum(row[at + who] for row in rows.values()) / len(rows) for who in (0, 1)]
        for name, pair in [(name, row[at:at + 2]) for name, row in rest] + [("mean", means)]:
            lines.append("%-14s %8s %8s" % (name, form % pair[0], form % pair[1]))
        lines.append("")
    return "\n".join(lines + ["mean umalloc 0.950 1.000"]) + "\n"


def bench_of_malloc(_):
    good = {"find": (0.94, 0.65, 100, 81), "gcc": (0.96, 0.88, 100, 110)}
    cases = (({}, 0), ({"gcc": (0.89, 0.5, 100, 110)}, 1), ({"gcc": (0.96, 0.99, 1, 2)}, 0),
             ({"gcc": (0.93, 1.3, 100, 110)}, 1),
             ({"find": (0.94, 0.6, 100, 69), "gcc": (0.96, 0.88, 100, 120)}, 1),
             ({"find": (0.79, 0.6, 100, 100), "gcc": (0.99, 0.8, 100, 100)}, 2),
             ({"gcc": (0.96, 0.88, 100, 89)}, 1), ({"gcc": (0, 0, 0, 0)}, 4))
    for changes, count in cases:
        misses = bench.malloc_misses(bench_text(dict(good, **changes)))
        if len(misses) != count:
            return "%r: %r" % (changes, misses)
    return None if bench.malloc_misses("") else "nothing at all is content"


SMALL_PROGRAM = """
#include <stdlib.h>
int main(void)
{
	char *volatile a = malloc(100), *volatile b = calloc(3, 50), *volatile c;

	a = realloc(a, 5000);
	c = aligned_alloc(64, 640);
	free(b);
	b = malloc(77);
	free(a);
	free(c);
	return b ? 0 : 1;
}
"""


def traces(work):
    """The recorder, the converter, the bench and the plot, one behind the other."""
    source, program = os.path.join(work, "small.c"), os.path.join(work, "small")
    machine.need_tools("oracle")
    trace, picture = os.path.join(work, "small.rep"), os.path.join(work, "small.svg")
    write(source, SMALL_PROGRAM.encode())
    subprocess.run(["gcc", "-O0", source, "-o", program], check=True)
    ops, ids = malloctrace.convert(malloctrace.record([program], work), 1000)
    if ops != ["a 0 100", "a 1 150", "r 0 5000", "a 2 640", "f 1", "a 1 77", "f 0", "f 2"]:
        return "recorded: %r" % ops
    write(trace, ("%d\n%d\n%s\n" % (ids, len(ops), "\n".join(ops))).encode())
    with machine.locked_build():
        machine.make("umalloc")
    replay = subprocess.run([mallocplot.BENCH, "-a", "umalloc,kr", trace], check=False,
                            capture_output=True, text=True)
    if replay.returncode or "fails" in replay.stdout or "\nsmall " not in replay.stdout:
        return "replayed: %s" % replay.stdout
    runs = {name: mallocplot.samples(name, trace) for name in ("umalloc", "glibc", "kr")}
    if max(payload for _, payload, _ in runs["kr"]) != 5000 + 150 + 640:
        return "the most payload: %r" % runs["kr"]
    write(picture, "\n".join(mallocplot.draw("small", runs)).encode())
    root = xml.etree.ElementTree.parse(picture).getroot()
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    return None if len(lines) == 2 * len(runs) else "%d lines are drawn" % len(lines)


# ---- page replacement

TEXTBOOK = (7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1)
BELADY = (1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5)


def plain_misses(policy, trace, frames):
    """FIFO, LRU and OPT in a line each, of a list: what came or was used first is in front."""
    here, count = [], 0
    for when, page in enumerate(trace):
        rest = trace[when + 1:]
        if page in here:
            if policy == "lru":
                here.append(here.pop(here.index(page)))
            continue
        count += 1
        if len(here) == frames:
            here.remove(here[0] if policy != "opt" else max(
                here, key=lambda old: rest.index(old) if old in rest else len(rest)))
        here.append(page)
    return count


def replacement(_):
    by_hand = ((TEXTBOOK, 3, {"fifo": 15, "lru": 12, "opt": 9}),
               (BELADY, 3, {"fifo": 9, "lru": 10, "opt": 7}),
               (BELADY, 4, {"fifo": 10, "lru": 8, "opt": 6}),  # more frames, more misses
               ((1, 2, 3, 1, 4, 1, 2), 3, {"fifo": 6, "clock": 6, "lru": 5, "opt": 4}),
               ((1, 2, 3, 4, 1, 5, 1), 3, {"clock": 6, "fifo": 6}),
               ((1, 2, 3, 4, 2, 5, 2), 3, {"clock": 5, "fifo": 6}),  # 2 has its second chance
               ((1, 1, 1), 1, {"fifo": 1, "clock": 1, "lru": 1, "opt": 1}))
    for trace, frames, expected in by_hand:
        for policy, count in expected.items():
            found = refpatterns.misses(policy, trace, frames)
            if found != count:
                return "%s, %d frames: %d misses, not %d" % (policy, frames, found, count)
    rng = random.Random(5)
    for _ in range(200):
        trace = [rng.randrange(9) for _ in range(40)]
        frames = rng.randrange(1, 10)
        found = {policy: refpatterns.misses(policy, trace, frames)
                 for policy in refpatterns.POLICIES}
        for policy in ("fifo", "lru", "opt"):
            if found[policy] != plain_misses(policy, trace, frames):
                return "%s, %d frames: %r" % (policy, frames, trace)
        if min(found.values()) != found["opt"] or max(found.values()) > 40:
            return "OPT is not the best of %r" % found
    return None


# usr/tests/workingset.c expects the same of the program's own generator.
CHECKSUMS = {"loop": 0xe2a59168b144088, "random": 0x4d907a89d24264d7,
             "80-20": 0xe9dfe30141ef64a1, "stack": 0x1aa9048aca21033f}


def patterns(_):
    for kind, expected in CHECKSUMS.items():
        trace = refpatterns.Pattern(kind, 1000, 7).take(10000)
        if refpatterns.checksum(trace) != expected:
            return "%s: %#x" % (kind, refpatterns.checksum(trace))
        if min(trace) != 0 or max(trace) != 999:
            return "%s: pages %d to %d" % (kind, min(trace), max(trace))
    hot = sum(page < 200 for page in refpatterns.Pattern("80-20", 1000, 7).take(10000))
    if not 7800 < hot < 8200:
        return "%d of 10000 references go to a fifth of the pages" % hot
    words = policies.parse("# noise\npattern loop pages 10 references 60 seed 1 check %#x "
                           "resident 9.2 minflt 50 majflt 10 pswpin 61 seconds 0.1\n"
                           % refpatterns.checksum(refpatterns.Pattern("loop", 10, 1).take(60)))
    run = policies.Run("fifo", words[0])
    if len(words) != 1 or (run.frames, run.misses, run.ideal) != (
            9, 60, {"lru": 60, "opt": 6, "fifo": 60}):
        return "a line of refpatterns: %r" % vars(run)
    return None


def self_test():
    """[(name, None or what was wrong)]"""
    tests = (("ext2 reader, 1 KiB blocks", lambda work: reader(work, 1024)),
             ("ext2 reader, 4 KiB blocks", lambda work: reader(work, 4096)),
             ("fsck", finds_damage), ("get", comes_out), ("root.img", goes_in),
             ("a tree from outside", outside_sees),
             ("promises", promises), ("power cuts", power_cuts),
             ("a soak's end is flat", flat), ("bench of malloc", bench_of_malloc),
             ("traces of malloc", traces), ("page replacement", replacement),
             ("reference patterns", patterns))
    for name, test in tests:
        with tempfile.TemporaryDirectory() as work, contextlib.redirect_stderr(io.StringIO()), \
                contextlib.redirect_stdout(io.StringIO()):
            wrong = test(work)
        yield name, wrong
