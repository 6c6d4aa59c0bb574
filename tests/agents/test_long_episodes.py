"""What the papers' longest paintings are made of: compound strokes, costs, large drawing, a thousand actions."""

from __future__ import annotations

import math

import pytest
import torch

from spiral import config
from spiral.agents.algorithm import SpiralConfig
from spiral.agents.painter import Painter
from spiral.metrics import METRICS, pen_lifts
from spiral.paint import paint
from spiral.program import matches_checksum


def trained(run, updates):
    """The last row of the metrics, and the painter, after so many updates in one process."""
    algorithm = SpiralConfig.from_run(run).training(iteration_s=0).build_algo()
    try:
        rows = [algorithm.train_metrics() for _ in range(updates)]
        weights = {name: torch.as_tensor(value) for name, value in algorithm.average_weights().items()}
    finally:
        algorithm.stop()
    painter = Painter(run.painter, run.env)
    painter.load_state_dict(weights)
    return rows[-1], painter.eval()


@pytest.mark.parametrize("reward", ["final", "difference"])
def test_compound_strokes_are_learned_with(on_ray, tiny_run, reward):
    settings = [
        "env.strokes=compound",
        "env.episode_length=6",
        "env.renderer=cairo@4",
        "env.stroke_cost=0.1",
        "env.length_cost=0.05",
        "env.blank_cost=1.0",
        "painter.lstm=16",
        f"objective.reward={reward}",
    ]
    run = config.override(tiny_run, settings)
    row, painter = trained(run, updates=3)
    assert row["env_steps_trained"] == 3 * 8 * 6
    assert all(math.isfinite(value) for value in row.values()) and set(row) <= set(METRICS)
    assert (
        0 < row["entropy/flag"] <= math.log(3)
        and 0 < row["entropy/size"] < math.log(6)
        and "entropy/control" not in row
    )
    programs = paint(painter, run.env, 50).programs
    assert all(map(matches_checksum, programs))
    links = sum(len(program.strokes) for program in programs)
    lines = sum(pen_lifts(program) + bool(program.strokes) for program in programs)
    assert links > 1.5 * lines, "most strokes are chains"


def test_a_thousand_actions_are_learned_from(on_ray, tiny_run):
    settings = ["env.episode_length=1000", "num_envs=2", "learner.minibatch=1", "objective.reward=difference"]
    run = config.override(tiny_run, settings)
    row, painter = trained(run, updates=1)
    assert row["env_steps_trained"] == 2 * 1000
    assert all(math.isfinite(value) for value in row.values())
    assert all(parameter.isfinite().all() for parameter in painter.parameters())
