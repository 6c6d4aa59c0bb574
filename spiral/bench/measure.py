"""What is measured: variants of the same work, in interleaved rounds, by the CPU seconds they take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from spiral.config import RunConfig


@dataclass(frozen=True)
class Options:
    """What to measure with.

    Attributes:
        run: settings of the run whose parts are measured.
        rounds: of every comparison; each round measures every variant once.
        seconds: wall time of one measurement inside this process.
        steps: environment steps of one measurement of training.
        quick: only the smallest cases.
    """

    run: RunConfig
    rounds: int
    seconds: float
    steps: int
    quick: bool = False


class Round(NamedTuple):
    """One measurement: how much was done, and what it took. CPU seconds are those of every process of the work."""

    units: int
    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Measured:
    """All rounds of one variant.

    Attributes:
        case: what was done, such as "64 px".
        variant: by which code.
        unit: what is counted: "strokes" or "steps".
    """

    case: str
    variant: str
    unit: str
    rounds: Sequence[Round]

    @property
    def per_cpu_second(self) -> float:
        return statistics.median(each.units / each.cpu_seconds for each in self.rounds)

    @property
    def per_second(self) -> float:
        return statistics.median(each.units / each.wall_seconds for each in self.rounds)

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds per 1,000 units."""
        return statistics.median(map(cpu_ms, self.rounds))

    @property
    def spread(self) -> float:
        """Half of the range of ``cpu_ms`` over the rounds, as a share of it."""
        return spread(list(map(cpu_ms, self.rounds)))


def cpu_ms(each: Round) -> float:
    return 1e6 * each.cpu_seconds / each.units


def wall_ms(each: Round) -> float:
    return 1e6 * each.wall_seconds / each.units


def spread(values: Sequence[float]) -> float:
    """Half of the range of values, as a share of their median."""
    return (max(values) - min(values)) / 2 / statistics.median(values)


@dataclass(frozen=True)
class Figure:
    """A number with a meaning.

    Attributes:
        case: what it was measured on.
        name: what it says.
        value: the number, of ratios the median of the rounds' own, since one round's variants saw the same machine.
        spread: half of its range over the rounds, as a share of it; None where it was measured once.
        unit: of the number; "x" of ratios.
        at_most, at_least: what is aimed at, where something is.
    """

    case: str
    name: str
    value: float
    spread: float | None = None
    unit: str = "x"
    at_most: float | None = None
    at_least: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least


def ratio(
    name: str, over: Measured, under: Measured, cost: Callable[[Round], float] = cpu_ms, **aim: float | None
) -> Figure:
    """How many times the cost of ``under`` that of ``over`` is, round by round."""
    values = [cost(a) / cost(b) for a, b in zip(over.rounds, under.rounds, strict=True)]
    return Figure(over.case, name, statistics.median(values), spread(values), **aim)


@dataclass
class Result:
    """What a part found.

    Attributes:
        measured: every variant of every case.
        figures: what follows from them.
        notes: how to read them, sentences.
    """

    measured: list[Measured] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Contest(NamedTuple):
    """The same work by several variants; each does a piece of it when called and returns how many units that was."""

    case: str
    unit: str
    variants: dict[str, Callable[[], int]]


Watch = Callable[[float, str], None]
"""Told, after each measurement, how many seconds it was expected to take and what it was."""


def interleaved(contest: Contest, options: Options, watch: Watch) -> list[Measured]:
    """Measure all variants in turn, round after round, in this process."""
    for work in contest.variants.values():
        work()  # what is made at the first call is no part of it
    rounds: dict[str, list[Round]] = {name: [] for name in contest.variants}
    for _ in range(options.rounds):
        for name, work in contest.variants.items():
            rounds[name].append(_measured(work, options.seconds))
            watch(options.seconds, f"{contest.case}: {name}")
    return [Measured(contest.case, name, contest.unit, each) for name, each in rounds.items()]


def expected_seconds(contests: Iterable[Contest], options: Options) -> float:
    """How long ``interleaved`` takes for all of these."""
    return sum(options.rounds * options.seconds * len(contest.variants) for contest in contests)


def _measured(work: Callable[[], int], seconds: float) -> Round:
    began, cpu_began = time.perf_counter(), time.process_time()  # of all threads; no work here starts a process
    units, wall = 0, 0.0
    while wall < seconds:
        units += work()
        wall = time.perf_counter() - began
    return Round(units, wall, time.process_time() - cpu_began)
