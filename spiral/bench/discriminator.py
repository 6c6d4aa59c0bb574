"""The discriminator learner alone: its updates for one batch of finished canvases, in this process and one thread."""

from __future__ import annotations

import torch

from spiral.agents.discriminator_learner import DiscriminatorLearner
from spiral.agents.rollout import paint_rollout
from spiral.bench.measure import Contest, Options, Result, Watch, interleaved
from spiral.envs.vector import PaintVectorEnv


def planned(options: Options) -> float:
    return options.rounds * options.seconds


def measure(options: Options, watch: Watch) -> Result:
    torch.set_num_threads(1)  # as in training, where Ray gives it one
    run = options.run
    rollout = paint_rollout(PaintVectorEnv(run.num_envs, run.env), None, torch.Generator(), seed=0)
    learner = DiscriminatorLearner(run.scoring)

    def train() -> int:
        learner.train({"canvas": rollout.finals} | rollout.task)
        return len(rollout)

    case = f"{run.discriminator.updates} updates a rollout"
    return Result(interleaved(Contest(case, "steps", {"DiscriminatorLearner": train}), options, watch))
