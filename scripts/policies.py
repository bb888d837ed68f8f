#!/usr/bin/env python3
# policies.py - the whole of `make policies`: how often each policy of page replacement misses on
# four reference patterns, beside exact LRU and OPT.
#
#   for each policy: boot with MEM=64M and swap -> echo POLICY >/proc/sys/vm/policy
#     -> /bench/refpatterns for each pattern -> a line of figures
#   here: the same trace again (refpatterns.py) -> LRU, OPT and the policy itself, as the textbook
#     has it, with as many frames as the program had pages resident on average
#
# A miss is a reference to a page that is not mapped: a fault. Swap reads no neighbours of a page
# where the kernel lets that be chosen (page-cluster), so that a miss is one page read.
# What the guests printed is kept in build/policies.txt.
#
# Exit status 1: a guest failed, or two-list is not as good as it is meant to be (GOALS).
import os
import sys

import machine
import refpatterns

POLICIES = ("fifo", "clock", "two-list")
# Pattern, pages in percent of the memory that is available, rounds over that many references.
JOBS = (("loop", 110, 3), ("random", 150, 2), ("80-20", 200, 4), ("stack", 200, 3))
RAW = os.path.join(machine.BUILD, "policies.txt")
SETUP = ("mkswap /dev/vdb >/tmp/mkswap && swapon /dev/vdb && "
         "echo %s >/proc/sys/vm/policy || exit 9; "
         "[ ! -e /proc/sys/vm/page-cluster ] || echo 0 >/proc/sys/vm/page-cluster")
STATUS_SETUP = 9
FORM = "%-8s %-9s %6s %6s %8s %8s %8s %8s %8s %8s %7s %7s"


class Run:
    """What refpatterns printed of one run, and what ideal policies make of the same trace."""

    def __init__(self, policy, words):
        self.policy, self.kind = policy, words["pattern"]
        self.pages, self.frames = int(words["pages"]), round(float(words["resident"]))
        self.misses = int(words["minflt"]) + int(words["majflt"])
        self.waits, self.read = int(words["majflt"]), words.get("pswpin", "-")
        pattern = refpatterns.Pattern(self.kind, self.pages, int(words["seed"]))
        trace = pattern.take(int(words["references"]))
        if refpatterns.checksum(trace) != int(words["check"], 16):
            raise ValueError("the guest's trace of %s is another one than ours" % self.kind)
        # Each page is written once before the pattern begins.
        whole = list(range(self.pages)) + trace
        self.ideal = {name: refpatterns.misses(name, whole, self.frames, self.pages)
                      for name in ("lru", "opt") + ((policy,) if policy in
                                                    refpatterns.POLICIES else ())}

    def ratio(self, name):
        return self.misses / max(self.ideal[name], 1)

    def row(self):
        return (self.kind, self.policy, self.pages, self.frames, self.misses, self.waits,
                self.read, self.ideal.get(self.policy, "-"), self.ideal["lru"],
                self.ideal["opt"], "%.2f" % self.ratio("lru"), "%.2f" % self.ratio("opt"))


# What two-list is meant to be: pattern, misses at most this often those of LRU.
GOALS = (("80-20", 1.15), ("loop", 0.999))


def parse(text):
    """Lines of refpatterns -> [{key: value}]"""
    found = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["pattern"] and len(words) % 2 == 0:
            found.append(dict(zip(words[::2], words[1::2])))
    return found


def measure(policy, raw):
    """Boot and run all patterns. Returns ([Run], None or what went wrong)."""
    line = SETUP % policy + "".join(
        "; /bench/refpatterns -w 0 -m %d -r %d %s || exit" % (percent, rounds, kind)
        for kind, percent, rounds in JOBS)
    with machine.private_disk() as disk:
        status, text = machine.run(disk, line)
    raw.write("# policy %s\n%s" % (policy, text))
    if status == STATUS_SETUP:
        return [], "this kernel has no swap, or no policy %s" % policy
    found = parse(text)
    if status or len(found) != len(JOBS):
        return [], "status %d, %d of %d patterns\n%s" % (status, len(found), len(JOBS), text)
    try:
        return [Run(policy, words) for words in found], None
    except (KeyError, ValueError) as error:
        return [], "the figures make no sense: %r" % error


def table(runs):
    print(FORM % ("pattern", "policy", "pages", "frames", "misses", "waited", "read", "ideal",
                  "LRU", "OPT", "of LRU", "of OPT"))
    for kind, _, _ in JOBS:
        for run in runs:
            if run.kind == kind:
                print(FORM % run.row())


def verdicts(runs):
    """Print whether the goals are met. True: all are."""
    good = True
    for run in runs:
        for kind, limit in GOALS:
            if (run.policy, run.kind) == ("two-list", kind):
                met = run.ratio("lru") <= limit
                good = good and met
                print("two-list on %s: %.3f of exact LRU's misses, wanted: at most %.3f: %s"
                      % (kind, run.ratio("lru"), limit, "ok" if met else "WORSE"))
    return good


def report():
    """Measure and print everything. Returns the exit status."""
    # make hands on what nobody has set, too: as nothing.
    for name, value in (("MEM", "64M"), ("SWAP", "256M"), ("SMP", "1"), ("TIMEOUT_IDLE", "300")):
        os.environ[name] = os.environ.get(name) or value
    runs, failed = [], False
    os.makedirs(machine.BUILD, exist_ok=True)
    with open(RAW, "w") as raw:
        for policy in POLICIES:
            done, wrong = measure(policy, raw)
            runs += done
            if wrong:
                print("%s: %s" % (policy, wrong))
                failed = True
    if not runs:
        return 1
    print("page replacement: MEM=%s SWAP=%s; raw figures: %s"
          % (os.environ["MEM"], os.environ["SWAP"], os.path.relpath(RAW)))
    table(runs)
    print("misses: references to pages that were not mapped; waited: for the disk; read: pages\n"
          "ideal: the same policy as textbooks have it; all with as many frames as were resident")
    return 0 if verdicts(runs) and not failed else 1


if __name__ == "__main__":
    try:
        sys.exit(report())
    except KeyboardInterrupt:
        sys.exit(130)
