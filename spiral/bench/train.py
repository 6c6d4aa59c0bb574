"""Training as a whole, beside the bare loop and beside stock RLlib, each in a process tree of its own.

All three use the same networks, batches and numbers of updates. The bare loop (`spiral.bench.bare_loop`) is one process
of one thread; stock RLlib (`spiral.bench.stock`) has no discriminator to train, so a comparison without ours is told
too. They take turns: while one trains the others wait for their next turn.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Sequence

from spiral.bench.contestant import Contestant
from spiral.bench.measure import Figure, Measured, Options, Result, Round, Watch, ratio, wall_ms
from spiral.bench.processes import DISCRIMINATOR, RAY, Process, memory_kind

START_SECONDS = 15.0  # a tree's processes, until it trains
WARM_UP = 0.25  # share of a measurement's steps, trained before the first
STEPS_A_SECOND = 3000.0  # to say how long it may take
CASE = "training"
NAMES = {"spiral": "spiral train", "bare": "bare loop", "stock": "stock RLlib"}
MOST_MEMORY_MB = 3000.0


def planned(options: Options) -> float:
    return len(NAMES) * (START_SECONDS + options.steps * (options.rounds + WARM_UP) / STEPS_A_SECOND)


def measure(options: Options, watch: Watch) -> Result:
    rounds: dict[str, list[Round]] = {kind: [] for kind in NAMES}
    roles: dict[str, list[dict[str, float]]] = {kind: [] for kind in NAMES}
    with contextlib.ExitStack() as stack:
        contestants = {}
        for kind in NAMES:
            contestants[kind] = stack.enter_context(Contestant(kind, options.run))
            warm_up(contestants[kind], options, watch)
        for _ in range(options.rounds):
            for kind, contestant in contestants.items():
                each, by_role = train_once(contestant, options, watch)
                rounds[kind].append(each)
                roles[kind].append(by_role)
        processes = {kind: contestant.memory() for kind, contestant in contestants.items()}

    measured = {kind: Measured(CASE, NAMES[kind], "steps", rounds[kind]) for kind in NAMES}
    lean = [
        each._replace(cpu_seconds=each.cpu_seconds - cpu[DISCRIMINATOR])
        for each, cpu in zip(rounds["spiral"], roles["spiral"], strict=True)
    ]
    without = Measured(CASE, "without its discriminator", "steps", lean)
    spiral, bare, stock = measured.values()
    return Result(
        [*measured.values(), without],
        [
            ratio("CPU of spiral train / of the bare loop", spiral, bare, at_most=1.25),
            ratio("wall time of spiral train / of the bare loop", spiral, bare, wall_ms, at_most=1.0),
            ratio("steps a CPU second of spiral train / of stock RLlib", stock, spiral, at_least=2.0),
            ratio("the same without spiral's discriminator", stock, without),
            *by_process(CASE, rounds["spiral"], roles["spiral"]),
            *memory_of(CASE, processes["spiral"], MOST_MEMORY_MB),
            *[memory_of(NAMES[kind], processes[kind])[-1] for kind in ("bare", "stock")],
        ],
        [
            "All with the same networks, batches and numbers of updates; stock RLlib trains no discriminator.",
            f"Memory is {memory_kind()}, all processes together; pages that several share count once.",
        ],
    )


def warm_up(contestant: Contestant, options: Options, watch: Watch) -> None:
    """Start its processes, and train until they are at their pace."""
    steps = round(options.steps * WARM_UP)
    contestant.train(steps)
    watch(START_SECONDS + steps / STEPS_A_SECOND, f"{NAMES[contestant.kind]} is started")


def train_once(contestant: Contestant, options: Options, watch: Watch) -> tuple[Round, dict[str, float]]:
    answer = contestant.train(options.steps)
    watch(options.steps / STEPS_A_SECOND, NAMES[contestant.kind])
    return answer


def by_process(case: str, rounds: Sequence[Round], roles: Sequence[dict[str, float]]) -> list[Figure]:
    """CPU milliseconds per 1,000 steps of each kind of process."""
    figures = []
    for role in roles[0]:
        median = statistics.median(1e6 * cpu[role] / each.units for each, cpu in zip(rounds, roles, strict=True))
        figures.append(Figure(case, f"CPU of {_processes_of(role)}", median, unit="ms/1,000"))
    return figures


def memory_of(case: str, processes: Sequence[Process], at_most: float | None = None) -> list[Figure]:
    """Memory of each process that is not Ray's, of Ray's own, of its object store, and of all."""
    figures = [
        Figure(case, f"memory of the {each.role} process", each.memory_mb, unit="MB")
        for each in processes
        if each.role != RAY
    ]
    own = [each for each in processes if each.role == RAY]
    figures += [
        Figure(case, f"memory of Ray's own {len(own)} processes", sum(each.memory_mb for each in own), unit="MB"),
        Figure(case, "of all that, Ray's object store", sum(each.store_mb for each in processes), unit="MB"),
        Figure(case, "memory of all processes", sum(each.memory_mb for each in processes), unit="MB", at_most=at_most),
    ]
    return figures


def _processes_of(role: str) -> str:
    return "Ray's own processes" if role == RAY else f"the {role} process"
