#!/usr/bin/env python3
# soak.py - the whole of `make soak`: what `make test` does of the disk, for ten minutes.
#
#   200 power cuts     in four recorded runs: 1 KiB and 4 KiB blocks, 1 hart and 4
#   500 damaged disks  half of them with 1 hart, half with 4
#   40 models          fsmodel with seeds of its own, compared from outside
#
# CUTS= IMAGES= MODELS= SEED= change that. Prints where it is and, at the end, a line for each part;
# the exit status is 0 only if nothing failed. After a failure it goes on with the next part.
import os
import random
import sys
import time

import mutate
import outside
import powercut

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
    soak.power_cuts(number("CUTS", 200))
    soak.damaged(number("IMAGES", 500))
    soak.models(number("MODELS", 40))
    return soak.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
