#!/usr/bin/env python3
# mutants.py - `make mutate`: seeded bugs, each of which a test must catch.
#
#   tests/mutations/NAME.patch    what is broken, in words; then a line `caught by: TEST`; the diff
#   build/mutate/                 a copy of the tree, in which one patch at a time is applied
#
# TEST is what TEST= of make test takes: host.SUITE.NAME, host.fuzz.NAME, PROGRAM.NAME. First the
# unchanged copy must pass it, then the broken one must fail it; only if it does not, all tests on
# the host and then make test are asked, and the patch is a failure that says who caught it. A
# survivor is a missing test. MUTANT=NAME tries one. Last line: `N passed, N failed`.
import glob
import os
import re
import shutil
import signal
import subprocess
import sys

import machine

PATCHES = os.path.join(machine.ROOT, "tests", "mutations")
COPY = os.path.join(machine.BUILD, "mutate")
BUILT_TREES = ("host", "kernel", "usr")
BUILT_FILES = (".flags", ".sources", ".files", "sources", "disk.img")
SECONDS = 1800  # of one test: a mutant that hangs is caught by that


class Mutant:
    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)[:-len(".patch")]
        with open(path) as file:
            self.words, _, rest = file.read().partition("\ncaught by: ")
        self.test = rest.split("\n", 1)[0].strip()
        if not self.test:
            sys.exit("mutate: %s: there is no line `caught by: TEST`" % self.path)


def copy_tree():
    """The files that git knows, with their dates, and what was built of them."""
    shutil.rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                            cwd=machine.ROOT, check=True, stdout=subprocess.PIPE).stdout
    for name in listed.decode().splitlines():
        if os.path.exists(os.path.join(machine.ROOT, name)):
            target = os.path.join(COPY, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(machine.ROOT, name), target, follow_symlinks=False)
    os.mkdir(os.path.join(COPY, "build"))
    for entry in os.listdir(machine.BUILD):
        source = os.path.join(machine.BUILD, entry)
        if entry in BUILT_TREES:
            shutil.copytree(source, os.path.join(COPY, "build", entry), symlinks=True)
        elif entry.startswith("tools-") or entry.endswith(BUILT_FILES):
            shutil.copy2(source, os.path.join(COPY, "build", entry))


def patch(mutant, *flags):
    done = subprocess.run(["patch", "-p1", "--quiet", "--forward", "--no-backup-if-mismatch",
                           *flags, "-i", mutant.path],
                          cwd=COPY, check=False)
    return done.returncode == 0


def run_test(test):
    """Runs TEST=test in the copy. Returns (status 0: passed, 1: failed; output)."""
    env = dict(os.environ, TEST=test, SEED=os.environ.get("SEED", "1"), NO_INSTALL="1")
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        env.pop(name, None)
    host = all(word.startswith("host") for word in test.split()) and test
    words = " ".join(word[len("host."):] for word in test.split()) if host else test
    env["TEST"] = words
    command = ["make", "--no-print-directory", "test-host" if host else "test"]
    with subprocess.Popen(command, cwd=COPY, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as done:
        try:
            output = done.communicate(timeout=SECONDS)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(done.pid, signal.SIGKILL)       # make, and all that it started
            return 1, "not ok: %s: no end after %d seconds" % (test, SECONDS)
    if not re.search(r"^\d+ passed, \d+ failed$", output, re.M):
        return None, output                           # it was not built, or found no test
    return int(done.returncode != 0), output


def who_else():
    """Who catches what is in the copy now: the first failure, or None."""
    for test in ("host", ""):
        status, output = run_test(test)
        if status:
            failed = re.search(r"^not ok: (\S+?):? ", output, re.M)
            return failed.group(1) if failed else test or "make test"
    return None


def try_mutant(mutant):
    """None when its test catches it, else what is wrong."""
    if not patch(mutant):
        return "the patch does not apply"
    try:
        status, output = run_test(mutant.test)
        if status is None:
            return "it does not build, or there is no such test:\n" + output[-2000:]
        if status:
            return None
        print("# %s: not caught by %s; all tests are asked, which takes long" % (
            mutant.name, mutant.test), flush=True)
        other = who_else()
        return "%s does not see it; %s" % (mutant.test, "but %s does" % other if other else
                                           "nor does any other: A SURVIVOR")
    finally:
        patch(mutant, "-R")


def main():
    wanted = os.environ.get("MUTANT", "").split()
    mutants = [Mutant(path) for path in sorted(glob.glob(os.path.join(PATCHES, "*.patch")))]
    mutants = [mutant for mutant in mutants if not wanted or mutant.name in wanted]
    unknown = sorted(set(wanted) - {mutant.name for mutant in mutants})
    if unknown or not mutants:
        sys.exit("mutate: there is no %s.patch in tests/mutations/" % (
            " nor ".join(unknown) or "*"))
    with machine.locked_build():
        machine.make("all", "host")
    copy_tree()
    tests = " ".join(sorted({mutant.test for mutant in mutants}))
    for group in ([t for t in tests.split() if t.startswith("host")],
                  [t for t in tests.split() if not t.startswith("host")]):
        if not group:
            continue
        status, output = run_test(" ".join(group))
        if status != 0:
            print(output)
            sys.exit("mutate: the tests do not pass without any mutation")
    failed = 0
    for mutant in mutants:
        wrong = try_mutant(mutant)
        failed += bool(wrong)
        print("%s - %s # %s" % ("not ok" if wrong else "ok", mutant.name,
                                wrong or "caught by " + mutant.test), flush=True)
    print("%d mutants caught of %d tried" % (len(mutants) - failed, len(mutants)))
    print("%d passed, %d failed" % (len(mutants) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
