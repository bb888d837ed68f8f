#!/usr/bin/env python3
# coverage.py - `make coverage`: how much of mm/ and lib/ the tests on the host reach (gcov).
#
#   build/host/coverage/{unit,FUZZER} --run--> *.gcda --gcov--> lines and branches of each file
#
# A branch that a line of BUG_ON(), WARN_ON() or BUILD_BUG_ON() has is not counted: that it is never
# taken is what it is for. What is not reached must be listed, with why, in tests/host/unreached:
# lines `FILE FUNCTION why`, FUNCTION * for a whole file, which then is not counted either.
# Exit status 1: less than 90 % of the lines or 80 % of the branches, or something that is neither
# reached nor listed, or listed and reached, or a file that the tests do not have at all.
import collections
import glob
import json
import os
import subprocess
import sys

import machine
import mmhost

ASSERTIONS = ("BUG_ON(", "WARN_ON(", "BUILD_BUG_ON(")
LEAST_LINES, LEAST_BRANCHES = 90.0, 80.0
UNREACHED = os.path.join(mmhost.HOST, "unreached")


class Source:
    """Counts of one source file, over all objects that contain some of it."""

    def __init__(self, path):
        self.lines = {}                               # number: count
        self.branches = {}                            # (line, index): count
        self.function = {}                            # line: name
        with open(path) as file:
            self.text = [""] + file.read().splitlines()

    def add(self, line):
        number = line["line_number"]
        self.lines[number] = self.lines.get(number, 0) + line["count"]
        self.function[number] = line.get("function_name", "?")
        if any(word in self.text[number] for word in ASSERTIONS):
            return
        for index, branch in enumerate(line["branches"]):
            key = (number, index)
            self.branches[key] = self.branches.get(key, 0) + branch["count"]

    def missed_functions(self):
        """function: its lines that were never reached."""
        missed = collections.defaultdict(list)
        for number in sorted(self.lines):
            if not self.lines[number]:
                missed[self.function[number]].append(number)
        return missed


def is_subject(path):
    return path.startswith(("mm/", "lib/"))


def read_counts(objects):
    """Runs gcov over all objects. Returns {path: Source} of what is measured."""
    sources = {}
    notes = glob.glob(os.path.join(objects, "**", "*.gcda"), recursive=True)
    gcov = os.environ.get("GCOV", "gcov")
    # To stdout, a line each: as files, those of mm/buddy.c and unit/buddy.c had one name.
    done = subprocess.run([gcov, "--json-format", "--branch-probabilities", "--stdout", *notes],
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for document in done.stdout.splitlines():
        for entry in json.loads(document)["files"]:
            name = os.path.relpath(os.path.join(machine.ROOT, entry["file"]), machine.ROOT)
            if not is_subject(name):
                continue
            source = sources.setdefault(name, Source(os.path.join(machine.ROOT, name)))
            for line in entry["lines"]:
                source.add(line)
    return sources


def unmeasured(sources, reasons):
    """Sources that no object of the tests has, and that are not listed as a whole."""
    paths = glob.glob("mm/*.c", root_dir=machine.ROOT) + glob.glob("lib/*.c", root_dir=machine.ROOT)
    return sorted(path for path in paths if path not in sources and (path, "*") not in reasons)


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def show(name, source):
    lines = [bool(count) for count in source.lines.values()]
    branches = [bool(count) for count in source.branches.values()]
    print("%-24s %5d lines %6.1f %%  %5d branches %6.1f %%" % (
        name, len(lines), percent(sum(lines), len(lines)),
        len(branches), percent(sum(branches), len(branches))))
    return sum(lines), len(lines), sum(branches), len(branches)


def read_reasons():
    reasons = {}
    with open(UNREACHED) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                path, function, why = line.split(None, 2)
                reasons[path, function] = why.strip()
    return reasons


def check_reasons(sources, reasons):
    """Prints what is not reached, with why. Returns the disagreements as lines."""
    faults = []
    used = set()
    print("\nnot reached:")
    for name, source in sorted(sources.items()):
        for function, numbers in source.missed_functions().items():
            why = reasons.get((name, function))
            used.add((name, function))
            where = "%s:%s %s" % (name, ",".join(map(str, numbers)), function)
            if why:
                print("  %s: %s" % (where, why))
            else:
                faults.append("%s: not listed in tests/host/unreached" % where)
    for name, function in sorted(set(reasons) - used):
        if function == "*":
            print("  %s: %s" % (name, reasons[name, function]))
        else:
            faults.append("%s %s: listed in tests/host/unreached, but reached" % (name, function))
    return faults


def main():
    machine.need_tools("host")
    with machine.locked_build():
        machine.make("host-coverage")
    objects = os.path.join(machine.BUILD, "host", "cov")
    for path in glob.glob(os.path.join(objects, "**", "*.gcda"), recursive=True):
        os.remove(path)
    programs = os.path.join(machine.BUILD, "host", "coverage")
    for name in ["unit", *mmhost.fuzzers()]:
        runs = [] if name == "unit" else ["--runs=%d" % mmhost.runs_of(name)]
        done = subprocess.run([os.path.join(programs, name), *runs], cwd=machine.ROOT,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            sys.stdout.write(done.stdout.decode(errors="replace"))
            sys.exit("coverage: %s failed" % name)
    reasons = read_reasons()
    sources = {name: source for name, source in read_counts(objects).items()
               if (name, "*") not in reasons}
    totals = [0, 0, 0, 0]
    for name, source in sorted(sources.items()):
        totals = [sum(pair) for pair in zip(totals, show(name, source))]
    lines, branches = percent(*totals[:2]), percent(*totals[2:])
    faults = check_reasons(sources, reasons)
    faults += ["%s: not listed in tests/host/unreached, and not in the tests" % name
               for name in unmeasured(sources, reasons)]
    if lines < LEAST_LINES or branches < LEAST_BRANCHES:
        faults.append("needed are %g %% and %g %%" % (LEAST_LINES, LEAST_BRANCHES))
    print("\ncoverage: %.1f %% of %d lines, %.1f %% of %d branches" % (
        lines, totals[1], branches, totals[3]))
    for fault in faults:
        print("coverage: wrong: " + fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
