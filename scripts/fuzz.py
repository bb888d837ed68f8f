#!/usr/bin/env python3
# fuzz.py - `make fuzz SECONDS=n`: the fuzzers of tests/host/fuzz/ guided by coverage (libFuzzer).
#
# Each runs for SECONDS (60), one after the other; TEST='mm buddy' names some. What was found to be
# worth keeping stays in build/corpus/NAME, and is where the next run starts; an input that fails is
# left as build/crash-NAME-*, and shrunk to a unit test by the seeded program's --replay.
import glob
import os
import subprocess
import sys

import machine
import mmhost


def fuzz(name, seconds):
    """Returns True when nothing was found."""
    corpus = os.path.join(machine.BUILD, "corpus", name)
    os.makedirs(corpus, exist_ok=True)
    crash = os.path.join(machine.BUILD, "crash-%s-" % name)
    program = os.path.join(machine.BUILD, "host", "libfuzzer", name)
    before = set(glob.glob(crash + "*"))
    print("# %s: %d seconds" % (name, seconds), flush=True)
    done = subprocess.run([program, "-max_total_time=%d" % seconds, "-max_len=65536",
                           "-artifact_prefix=" + crash, "-print_final_stats=1", "-verbosity=0",
                           "-timeout=30", "-rss_limit_mb=4096", corpus], cwd=machine.ROOT,
                          check=False)
    for path in sorted(set(glob.glob(crash + "*")) - before):
        relative = os.path.relpath(path, machine.ROOT)
        print("# again, and shorter: build/host/fuzz/%s --shrink=%s" % (name, relative))
    return done.returncode == 0


def main():
    machine.need_tools("fuzz")
    words = os.environ.get("SECONDS") or "60"
    if not words.isdecimal() or int(words) == 0: # to libFuzzer 0 is for ever
        sys.exit("fuzz: SECONDS=%s is no number of seconds" % words)
    seconds = int(words)
    names = os.environ.get("TEST", "").replace(",", " ").split() or mmhost.fuzzers()
    unknown = sorted(set(names) - set(mmhost.fuzzers()))
    if unknown:
        sys.exit("fuzz: there is no fuzzer %s; there are: %s" % (
            " ".join(unknown), " ".join(mmhost.fuzzers())))
    with machine.locked_build():
        machine.make("host", "libfuzzer")
    bad = [name for name in names if not fuzz(name, seconds)]
    print("%d passed, %d failed%s" % (len(names) - len(bad), len(bad),
                                      ": " + " ".join(bad) if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
