"""A rollout alone: the painter paints one episode on every canvas, in this process and one thread."""

from __future__ import annotations

import itertools

import torch

from spiral.agents.painter import Painter
from spiral.agents.rollout import paint_rollout
from spiral.bench.env import draw_alone
from spiral.bench.measure import Contest, Options, Result, Watch, interleaved, ratio
from spiral.envs.vector import PaintVectorEnv


def planned(options: Options) -> float:
    return 2 * options.rounds * options.seconds


def measure(options: Options, watch: Watch) -> Result:
    torch.set_num_threads(1)  # as in training, where Ray gives a runner one
    run = options.run
    env = PaintVectorEnv(run.num_envs, run.env)
    painter, generator, seeds = Painter(run.painter, run.env), torch.Generator(), itertools.count()

    def paint() -> int:
        return len(paint_rollout(env, painter, generator, seed=next(seeds)))

    paint()
    variants = {"rollout": paint, "its rendering alone": draw_alone(env.programs(), run.env)}
    measured = interleaved(Contest(f"{run.num_envs} canvases", "steps", variants), options, watch)
    figure = ratio("CPU of a rollout / of its rendering", *measured)
    return Result(measured, [figure], ["The painter has learned nothing: it paints with half of its actions."])
