# refpatterns.py - reference patterns, and how often ideal policies of replacement miss on them.
#
#   Pattern(kind, pages, seed) -> page numbers, the very ones that usr/lib/refpattern.c makes
#   misses(policy, trace, frames, skip=n) -> misses after the first n references
#
#   fifo   out goes what came first                              a queue
#   clock  ... unless it was used since the hand passed          a ring and a bit for each page
#   lru    out goes what was used longest ago                    an ordered dictionary
#   opt    out goes what will be used again last (Belady)        a heap of next uses
#
# fifo, clock and lru take a step or few for each reference, opt O(log frames).
#
# Source: Belady, "A study of replacement algorithms for a virtual-storage computer", 1966; Mattson
# et al., "Evaluation techniques for storage hierarchies", 1970.
import collections
import heapq

KINDS = ("loop", "random", "80-20", "stack")
MASK = (1 << 64) - 1


class Pattern:
    """An endless sequence of page numbers in [0, pages)."""

    def __init__(self, kind, pages, seed):
        if kind not in KINDS or pages < 1:
            raise ValueError("no such pattern: %s of %d pages" % (kind, pages))
        self.step = {"loop": self.loop, "random": self.random, "80-20": self.eighty_twenty,
                     "stack": self.stack}[kind]
        self.pages, self.state = pages, seed
        self.depth = self.target = 0

    def number(self):
        """splitmix64 (Steele, Lea and Flood, 2014)."""
        self.state = (self.state + 0x9e3779b97f4a7c15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & MASK
        z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & MASK
        return z ^ (z >> 31)

    def below(self, limit):
        return ((self.number() >> 32) * limit) >> 32

    def loop(self):
        page = self.depth
        self.depth = (self.depth + 1) % self.pages
        return page

    def random(self):
        return self.below(self.pages)

    def eighty_twenty(self):
        hot = max(self.pages // 5, 1)
        if hot == self.pages or self.below(100) < 80:
            return self.below(hot)
        return hot + self.below(self.pages - hot)

    def stack(self):
        if self.depth == self.target:
            length = 1 << self.below(self.pages.bit_length())
            if self.below(2):
                self.target = min(self.depth + length, self.pages - 1)
            else:
                self.target = max(self.depth - length, 0)
        self.depth += (self.depth < self.target) - (self.depth > self.target)
        return self.depth

    def take(self, count):
        return [self.step() for _ in range(count)]


def checksum(trace):
    """What the program prints of its trace, so that both are known to be the same."""
    total = 0
    for page in trace:
        total = (total * 31 + page + 1) & MASK
    return total


# ---- the policies: each yields True for a miss, False for a hit, reference by reference

def fifo(trace, frames):
    here, queue = set(), collections.deque()
    for page in trace:
        miss = page not in here
        if miss:
            if len(here) == frames:
                here.remove(queue.popleft())
            here.add(page)
            queue.append(page)
        yield miss


def clock(trace, frames):
    used, ring, hand = {}, [], 0
    for page in trace:
        miss = page not in used
        if miss and len(ring) < frames:
            ring.append(page)
        elif miss:
            while used[ring[hand]]:
                used[ring[hand]] = False
                hand = (hand + 1) % frames
            del used[ring[hand]]
            ring[hand] = page
            hand = (hand + 1) % frames
        used[page] = True
        yield miss


def lru(trace, frames):
    here = collections.OrderedDict()
    for page in trace:
        miss = page not in here
        if miss:
            if len(here) == frames:
                here.popitem(last=False)
            here[page] = None
        else:
            here.move_to_end(page)
        yield miss


def next_uses(trace):
    """For each reference, when its page is used again; never: the length of the trace."""
    uses, later = [0] * len(trace), {}
    for when in range(len(trace) - 1, -1, -1):
        uses[when] = later.get(trace[when], len(trace))
        later[trace[when]] = when
    return uses


def opt(trace, frames):
    uses, here, heap = next_uses(trace), {}, []
    for when, page in enumerate(trace):
        miss = page not in here
        if miss and len(here) == frames:
            # What was used since it was pushed has a later entry, too.
            while here.get(heap[0][1]) != -heap[0][0]:
                heapq.heappop(heap)
            del here[heapq.heappop(heap)[1]]
        here[page] = uses[when]
        heapq.heappush(heap, (-uses[when], page))
        yield miss


POLICIES = {"fifo": fifo, "clock": clock, "lru": lru, "opt": opt}


def misses(policy, trace, frames, skip=0):
    """How often @policy misses with @frames frames (at least 1), not counting the first @skip."""
    return sum(miss for when, miss in enumerate(POLICIES[policy](trace, max(frames, 1)))
               if when >= skip)
