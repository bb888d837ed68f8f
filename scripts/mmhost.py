# mmhost.py - mm/ and lib/ as programs of this machine (tests/host/): "host" of `make test`.
#
#   build/host/unit        unit tests, KTAP; host.SUITE, host.SUITE.NAME
#   build/host/fuzz/NAME   model fuzzers, seeded; host.fuzz.NAME
#
# With AddressSanitizer and UBSan built in. `make test-host` is the whole of it, seconds.
import glob
import os
import re
import subprocess

import ktap
import machine

HOST = os.path.join(machine.ROOT, "tests", "host")
RUNS = {"mm": 20}  # runs of a fuzzer with seeds one after the other; others: DEFAULT_RUNS
DEFAULT_RUNS = 10
SUMMARY = re.compile(r"(\S+): (\d+) runs?, (\d+) operations, no difference")


def names_in(folder):
    return sorted(os.path.basename(path)[:-2]
                  for path in glob.glob(os.path.join(HOST, folder, "*.c")))


def suites():
    """Files with tests; what they share lies beside them."""
    with_tests = []
    for name in names_in("unit"):
        with open(os.path.join(HOST, "unit", name + ".c")) as file:
            if re.search(r"^(BARE_)?TEST\(", file.read(), re.M):
                with_tests.append(name)
    return with_tests


def fuzzers():
    return names_in("fuzz")


def split(names):
    """Splits what stands behind `host.` into (names for unit, fuzzers). "": all of both.

    Raises SystemExit for a suite or a fuzzer that is not there.
    """
    if "" in names:
        return suites(), fuzzers()
    units, fuzz = [], []
    for name in names:
        head, _, rest = name.partition(".")
        if head == "fuzz":
            fuzz += [rest] if rest else fuzzers()
        else:
            units.append(name)
    for word, known in [(word.partition(".")[0], suites()) for word in units] + \
            [(word, fuzzers()) for word in fuzz]:
        if word not in known:
            raise SystemExit("%s: no such test on the host; there are: %s" % (
                word, " ".join(known)))
    return units, fuzz


def build(*targets):
    machine.need_tools("host")
    with machine.locked_build():
        machine.make(*targets)


def run_units(names, echo):
    """Runs these tests. Returns a finished ktap.Report."""
    report = ktap.Report(names)
    command = [os.path.join(machine.BUILD, "host", "unit"), *names]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          cwd=machine.ROOT) as run:
        said = ""
        for line in run.stdout:
            text = line.decode(errors="replace").rstrip("\n")
            echo(text)
            if ktap.RESULT.match(text.strip()):
                report.line(text + ": " + said if said and "# " in text else text)
                said = ""
            elif ktap.KERNEL.search(text):
                said = text.strip()               # it belongs to the result that follows
            else:
                report.line(text)
    report.finish(run.returncode)
    return report


def runs_of(fuzzer):
    return RUNS.get(fuzzer, DEFAULT_RUNS)


def run_fuzzer(name, seed, runs=None):
    """Returns (None or what is wrong, operations done, output)."""
    command = [os.path.join(machine.BUILD, "host", "fuzz", name), "--seed=%d" % seed,
               "--runs=%d" % (runs or runs_of(name))]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, cwd=machine.ROOT, check=False)
    output = done.stdout.decode(errors="replace")
    summary = SUMMARY.search(output)
    if done.returncode == 0 and summary:
        return None, int(summary.group(3)), output
    return "exit status %d: %s" % (done.returncode, " ".join(command)), 0, output


def run(suite, names, seed, echo):
    """The checks of @names (behind `host.`) into @suite of scripts/test."""
    units, fuzz = split(names)
    build("host")
    if units:
        report = run_units(units, echo)
        suite.passed += report.passed
        suite.skipped += report.skipped
        for failure in report.failures:
            suite.fail("host." + failure.name, failure.reason)
    for name in fuzz:
        wrong, operations, output = run_fuzzer(name, seed % (1 << 31))
        if wrong:
            echo(output)
        suite.check("host.fuzz.%s%s" % (name, "" if wrong else ": %d operations" % operations),
                    wrong, repeat="host.fuzz." + name)
