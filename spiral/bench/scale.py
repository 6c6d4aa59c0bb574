"""Training with more runners and with larger canvases: one setting changed at a time, each in a process tree of its own.

One tree runs at a time, so these rounds follow each other and do not alternate: compare CPU seconds, and wall time only
where the machine has nothing else to do.
"""

from __future__ import annotations

from spiral.bench.contestant import Contestant
from spiral.bench.measure import Measured, Options, Result, Watch
from spiral.bench.processes import memory_kind
from spiral.bench.train import NAMES, START_SECONDS, STEPS_A_SECOND, WARM_UP, by_process, memory_of, train_once, warm_up
from spiral.config import RunConfig, override

RUNNERS = (1, 2, 4, 8)
SIZES = (32, 64, 128)


def cases(options: Options) -> dict[str, RunConfig]:
    """Settings by what to call them."""
    if options.quick:
        return {_name(runners=2, size=16): _changed(options.run, 2, 16)}
    grid = [(runners, SIZES[0]) for runners in RUNNERS] + [(1, size) for size in SIZES[1:]]
    return {_name(*each): _changed(options.run, *each) for each in grid}


def _name(runners: int, size: int) -> str:
    return f"{runners} runner{'s' if runners > 1 else ''}, {size} px"


def _changed(run: RunConfig, runners: int, size: int) -> RunConfig:
    return override(run, [f"num_env_runners={runners}", f"env.width={size}", f"env.height={size}"])


def planned(options: Options) -> float:
    return len(cases(options)) * (START_SECONDS + options.steps * (options.rounds + WARM_UP) / STEPS_A_SECOND)


def measure(options: Options, watch: Watch) -> Result:
    result = Result(notes=[f"Memory is {memory_kind()}; pages that several processes share count once."])
    for case, run in cases(options).items():
        with Contestant("spiral", run) as contestant:
            warm_up(contestant, options, watch)
            rounds, roles = zip(*(train_once(contestant, options, watch) for _ in range(options.rounds)), strict=True)
            processes = contestant.memory()
        result.measured.append(Measured(case, NAMES["spiral"], "steps", rounds))
        result.figures += [*by_process(case, rounds, roles), *memory_of(case, processes)]
    return result
