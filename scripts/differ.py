# differ.py - the same random memory calls on Ravel and on this machine's Linux, step by step.
#
#   python3 scripts/differ.py [FIRST_SEED [SEEDS]]
#
#   usr/tests/differ.c --child=log SEED STEPS   built for both --> two logs --> the first line in
#   which they differ, with some before it, is the report
#
# Invariant: Linux's log is the judge. A difference that Linux may have for reasons of its own is
# kept out of the program, not of the comparison.
import functools
import os
import subprocess
import sys

import machine

SEEDS, STEPS = 4, 250   # of one check
BEFORE = 6              # lines before a difference that are shown


def linux_log(seed):
    program = os.path.join(machine.BUILD, "oracle", "tests", "differ")
    done = subprocess.run([program, "--child=log", str(seed), str(STEPS)], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode(errors="replace").splitlines()


def ravel_logs(seeds, smp):
    """{seed: log} of one machine that runs them all, and what it said besides."""
    line = "; ".join("echo log %d; /tests/differ --child=log %d %d" % (seed, seed, STEPS)
                     for seed in seeds)
    status, output = machine.run_exec(line, SMP=smp)
    logs, log = {}, []
    for text in output.splitlines():
        if text.startswith("log "):
            log = logs.setdefault(int(text[4:]), [])
        elif not text.startswith("debug: "):  # the debug kernel's last words
            log.append(text)
    return logs, "status %d" % status if status else None


def difference(seed, linux, ravel):
    """None, or the first lines in which two logs differ."""
    for at in range(max(len(linux), len(ravel))):
        here = [log[at] if at < len(log) else "(the log ends)" for log in (linux, ravel)]
        if here[0] != here[1]:
            before = "".join("\n          " + line for line in linux[max(0, at - BEFORE):at])
            return ("seed %d:%s\n  Linux:  %s\n  Ravel:  %s\n"
                    "  repeat: python3 scripts/differ.py %d 1" % (seed, before, *here, seed))
    return None if len(linux) == STEPS else "seed %d: %d lines" % (seed, len(linux))


def examine(smp, first, count):
    """None, or words about what is different."""
    with machine.locked_build():
        machine.make("all", "oracle")
    seeds = range(first, first + count)
    logs, wrong = ravel_logs(seeds, smp)
    for seed in seeds:
        found = difference(seed, linux_log(seed), logs.get(seed, []))
        if found:
            return found
    return wrong


def _first():
    return int(os.environ.get("SEED") or "1") % 1000000


CHECKS = {"differential-smp" + smp: functools.partial(examine, smp, _first(), SEEDS)
          for smp in ([os.environ["SMP"]] if os.environ.get("SMP") else ["1", "4"])}


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    said = examine(os.environ.get("SMP") or "2", *(given + [_first(), SEEDS][len(given):]))
    print(said or "no difference")
    sys.exit(1 if said else 0)
