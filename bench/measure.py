"""What a benchmark gives, how it is printed, and how time and memory are taken."""

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

MEBIBYTE = 2**20
ROUNDS = 9  # of what takes less than a second
REPEATS = 3  # of a limit that takes seconds: the median counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measurement: `ours` and `limit` in one unit, `ratio` = ours / limit, and the ratio wanted first.

    `higher` says whether a higher ratio is the better one. `notes` are lines printed below.
    """

    name: str
    ours: float
    limit: float
    unit: str
    target: float
    higher: bool = True
    size: str = ""
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """Ours over the limit."""
        return self.ours / self.limit

    @property
    def met(self) -> bool:
        """Whether the first target is reached."""
        return self.ratio >= self.target if self.higher else self.ratio <= self.target

    def line(self) -> str:
        """As printed: `name: ours, limit, ratio`, which way is good, and whether the first target is met."""
        name = f"{self.name} ({self.size})" if self.size else self.name
        way = "higher" if self.higher else "lower"
        met = "met" if self.met else "missed"
        return (
            f"{name}: {figure(self.ours)} {self.unit}, {figure(self.limit)} {self.unit}, {figure(self.ratio)}"
            f" ({way} is better; first target {figure(self.target)}: {met})"
        )


@dataclass(slots=True)
class Clock:
    """Seconds that a block took."""

    seconds: float = field(default=0.0)


@contextmanager
def clocked() -> Iterator[Clock]:
    """Take the time of a block."""
    clock = Clock()
    begun = perf_counter()
    yield clock
    clock.seconds = perf_counter() - begun


def seconds_of(work: Callable[[], object], *, before: Callable[[], object] | None = None) -> float:
    """The median time of some runs of `work`; `before` makes each of them ready and is not counted."""
    times = []
    for _ in range(REPEATS):
        if before is not None:
            before()
        with clocked() as clock:
            work()
        times.append(clock.seconds)
    return median(times)


def seconds_in_turn(*works: Callable[[], object]) -> list[float]:
    """The least time of some runs of each, one after the other, so that what else the machine does hits them alike."""
    least = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for i, work in enumerate(works):
            with clocked() as clock:
                work()
            least[i] = min(least[i], clock.seconds)
    return least


def peak_memory() -> str:
    """The most memory that this process, and any one that it started, has had so far, in words; the database's own is
    not in it."""
    own, others = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return f"peak memory {_memory(own)}" + (f", of a process started {_memory(others)}" if others > own else "")


def _memory(peak: int) -> str:
    return f"{figure(peak * (1 if sys.platform == 'darwin' else 1024) / MEBIBYTE)} MiB"


def figure(number: float) -> str:
    """A number in at most three digits that say something, and in thousands: `21,300`, `0.0471`."""
    if number >= 1000:
        places = len(str(int(number))) - 3
        return f"{int(number / 10**places + 0.5) * 10**places:,}"
    return f"{number:.3g}"
