"""The learner alone: updates by one recorded rollout, in this process and one thread, beside the same without RLlib.

The discriminator only scores: it is not trained here.
"""

from __future__ import annotations

import logging

import torch

from spiral.bench.measure import Contest, Options, Result, Watch, interleaved, ratio
from spiral.config import override


def planned(options: Options) -> float:
    return 2 * options.rounds * options.seconds


def measure(options: Options, watch: Watch) -> Result:
    from ray.rllib.core import DEFAULT_MODULE_ID
    from ray.rllib.core.learner.training_data import TrainingData

    from spiral.agents.algorithm import SpiralConfig
    from spiral.agents.rollout import paint_rollout
    from spiral.bench.bare_loop import BareLoop

    # It warns of what it does itself. Only now, since importing it sets its level.
    logging.getLogger("ray.rllib").setLevel(logging.ERROR)
    torch.set_num_threads(1)  # as in training
    run = override(options.run, ["discriminator.remote=false", "discriminator.updates=0", "num_learners=0"])
    bare = BareLoop(run)
    batch, finals = bare.paint()
    rollout = paint_rollout(bare.env, bare.painter, bare.generator, seed=0)
    spaces = {DEFAULT_MODULE_ID: (bare.env.single_observation_space, bare.env.single_action_space)}
    learner = SpiralConfig.from_run(run).build_learner(spaces=spaces)

    def update() -> int:
        learner.update(training_data=TrainingData(episodes=[rollout]), timesteps={})
        return len(rollout)

    def bare_update() -> int:
        bare.train_painter(batch, bare.rewards(finals, gap=0.0))
        return len(rollout)

    variants = {"SpiralLearner": update, "bare loop": bare_update}
    measured = interleaved(Contest("an update", "steps", variants), options, watch)
    return Result(measured, [ratio("CPU of the learner / of the bare loop", *measured)])
