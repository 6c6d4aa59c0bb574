"""Tiny tasks must be learned: four strokes, of which each picture or label asks for one."""

import numpy as np
import pytest
import torch

from spiral import config
from spiral.agents.algorithm import SpiralConfig
from spiral.agents.painter import Painter
from spiral.envs.vector import PaintVectorEnv
from spiral.metrics import squared_error
from spiral.paint import paint

SETTINGS = [
    "num_env_runners=0",
    "num_envs=64",
    "minutes=none",
    "env_steps=12_000",
    "env.width=16",
    "env.height=16",
    "env.grid=2",
    "env.episode_length=1",
    "env.sizes=[0.25]",
    "env.pressures=[1.0]",
    "env.noise_size=0",
    "env.start=[0.5, 0.5]",
    "painter.hidden=32",
    "painter.channels=[4, 8]",
    "painter.location_embedding=4",
    "discriminator.remote=false",
    "discriminator.channels=[8, 16]",
    "discriminator.learning_rate=2e-3",
    "discriminator.batch_size=32",
    "discriminator.updates=2",
    "discriminator.buffer_size=512",
    "learner.minibatch=32",
    "learner.learning_rate=5e-3",
    "learner.entropy=0.05",
    "learner.average=0.9",
]


def four_strokes():
    """A straight stroke from the middle to each corner, uint8 [4, 16, 16, 1]."""
    easels = PaintVectorEnv(4, config.override(config.RunConfig(), SETTINGS).env)
    easels.reset()
    easels.step(np.array([[1, corner, corner, 0, 0] for corner in range(4)]))
    return easels.canvases()


@pytest.mark.parametrize(
    "settings",
    [
        ["env.target=true", "objective.name=hinge"],
        ["env.classes=4", "objective.name=hinge"],
    ],
    ids=["pair", "label"],
)
def test_the_painter_learns_to_paint_what_it_is_asked_for(on_ray, tmp_path, settings):
    run = config.override(config.RunConfig(), [*SETTINGS, *settings, f"data={tmp_path / 'strokes.npz'}"])
    strokes = four_strokes()
    np.savez(tmp_path / "strokes.npz", images=np.tile(strokes, (50, 1, 1, 1)), labels=np.tile(np.arange(4), 50))
    algorithm = SpiralConfig.from_run(run).training(iteration_s=0).build_algo()
    try:
        while algorithm.train_metrics().get("env_steps_trained", 0) < run.env_steps:
            pass
        weights = algorithm.average_weights()
    finally:
        algorithm.stop()
    given = {"target": strokes} if run.env.target else {"label": np.arange(4)}

    def error(painter):
        return squared_error(paint(painter, run.env, 4, greedy=True, given=given).canvases, strokes)

    painter = Painter(run.painter, run.env)
    blank = squared_error(np.full_like(strokes, 255), strokes)
    assert error(painter.eval()) > blank / 2
    painter.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
    assert error(painter) < blank / 10
