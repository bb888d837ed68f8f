#!/usr/bin/env python3
# soak.py - the whole of `make soak`: what `make test` does of the disk, for ten minutes, then power
# cuts while memory is short, and memory that is short for thirty minutes.
#
#   200 power cuts     in four recorded runs: 1 KiB and 4 KiB blocks, 1 hart and 4
#   500 damaged disks  half of them with 1 hart, half with 4
#   40 models          fsmodel with seeds of its own, compared from outside
#
#   50 seeds           of power cuts while memory is short: a recorded run with each, 1 hart and 4
#                      by turns, cut at 4 points
#   30 minutes         of memory pressure in one boot, nothing left over at the end (memsoak.py)
#
# CUTS= IMAGES= MODELS= PRESSURE_CUTS= MINUTES= SEED= change that; 0 leaves a part out. Prints where
# it is and, at the end, a line for each part; the exit status is 0 only if nothing failed. After a
# failure it goes on with the next part. A seed of the power cuts while memory is short takes 11 s
# with one hart and 16 s with four, so all of them a quarter of an hour at most.
import itertools
import os
import random
import sys
import time

import memsoak
import mutate
import outside
import powercut

PRESSURE_POINTS = 4  # cuts of one recorded run
LAYOUTS = [(smp, block) for smp in ("1", "4") for block in (4096, 1024)]


def number(name, default):
    return int(os.environ.get(name) or default)


def say(text):
    print(text, flush=True)


class Soak:
    """Runs parts and remembers how they ended."""

    def __init__(self, seed):
        self.seed, self.results, self.start = seed, [], time.monotonic()

    def progress(self, name):
        """A function to tell how far a part is: a line for each tenth of it."""
        def tell(done, total):
            if done * 10 // total != (done - 1) * 10 // total:
                say("# %5d s  %s: %d of %d" % (time.monotonic() - self.start, name, done, total))
        return tell

    def part(self, name, wrong, summary=""):
        self.results.append((name, wrong, summary))
        say("%s - %s%s" % ("not ok" if wrong else "ok", name, "\n" + wrong if wrong else ""))

    def power_cuts(self, count):
        for index, (smp, block) in enumerate(LAYOUTS):
            name = "power cuts, SMP=%s, %d-byte blocks" % (smp, block)
            points = count * (index + 1) // len(LAYOUTS) - count * index // len(LAYOUTS)
            self.part(name, *powercut.examine(self.seed + index, points, block, rounds=600,
                                              progress=self.progress(name), SMP=smp))

    def damaged(self, count):
        for index, smp in enumerate(("1", "4")):
            name = "damaged disks, SMP=" + smp
            self.part(name, mutate.examine(self.seed + index, (count + index) // 2,
                                           progress=self.progress(name), SMP=smp))

    def models(self, count):
        for index in range(count):
            smp, block = LAYOUTS[index % len(LAYOUTS)]
            self.part("model, SMP=%s, %d-byte blocks, SEED=%d" % (smp, block, self.seed + index),
                      outside.examine(smp, block, self.seed + index))

    def pressure_cuts(self, count):
        name = "power cuts while memory is short, SMP=%s, SEED=%d"
        for index, smp in zip(range(count), itertools.cycle(("1", "4"))):
            seed = self.seed + index
            self.part(name % (smp, seed),
                      *powercut.examine(seed, PRESSURE_POINTS, rounds=120, pressure=True, SMP=smp))

    def pressure(self, minutes):
        def tell(done):
            say("# %5d s  memory pressure: round %d" % (time.monotonic() - self.start, done))

        self.part("memory pressure for %d minutes" % minutes,
                  *memsoak.examine(minutes, self.seed, progress=tell, SMP="4"))

    def close(self):
        failed = [result for result in self.results if result[1]]
        say("")
        for name, wrong, summary in self.results:
            say("%-7s %s%s" % ("FAILED" if wrong else "ok", name, summary and ": " + summary))
        say("%d parts passed, %d failed; seed %d, %d s"
            % (len(self.results) - len(failed), len(failed), self.seed,
               time.monotonic() - self.start))
        return 1 if failed or not self.results else 0


def main():
    seed = number("SEED", random.randrange(1, 1 << 31))
    say("# seed %d" % seed)
    soak = Soak(seed)
    for part, name, default in ((soak.power_cuts, "CUTS", 200), (soak.damaged, "IMAGES", 500),
                                (soak.models, "MODELS", 40),
                                (soak.pressure_cuts, "PRESSURE_CUTS", 50),
                                (soak.pressure, "MINUTES", 30)):
        if number(name, default):
            part(number(name, default))
    return soak.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
