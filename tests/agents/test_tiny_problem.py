"""A tiny problem must be learned: pictures with ink in one quadrant only, painted after seconds of training."""

import numpy as np
import torch

from spiral import config
from spiral.agents.algorithm import SpiralConfig
from spiral.agents.painter import Painter
from spiral.paint import paint

SETTINGS = [
    "num_env_runners=0",
    "num_envs=64",
    "minutes=none",
    "env_steps=30_000",
    "env.width=16",
    "env.height=16",
    "env.grid=4",
    "env.episode_length=3",
    "env.sizes=[0.1, 0.2]",
    "env.pressures=[1.0]",
    "env.noise_size=2",
    "env.start=[0.5, 0.5]",
    "painter.hidden=32",
    "painter.channels=[4, 8]",
    "painter.location_embedding=4",
    "discriminator.remote=false",
    "discriminator.channels=[8, 16]",
    "discriminator.learning_rate=1e-3",
    "discriminator.batch_size=32",
    "discriminator.updates=2",
    "discriminator.buffer_size=1024",
    "learner.minibatch=32",
    "learner.learning_rate=2e-3",
]


def pictures_with_ink_in_the_upper_left(path, count=200):
    """Short dark bars at random places of the upper left quadrant of white 16x16 pictures, to an .npz file."""
    rng = np.random.default_rng(0)
    images = np.full((count, 16, 16, 1), 255, np.uint8)
    for image, (row, column) in zip(images, rng.integers(0, 5, size=(count, 2))):
        image[row : row + 3, column : column + 4] = 0
    np.savez(path, images=images)


def share_of_ink_in_the_upper_left(painter, env):
    ink = 255.0 - paint(painter, env, count=200).canvases
    return ink[:, :8, :8].sum() / ink.sum()


def test_the_painter_learns_where_the_ink_is(on_ray, tmp_path):
    data = tmp_path / "pictures.npz"
    pictures_with_ink_in_the_upper_left(data)
    run = config.override(config.RunConfig(), [*SETTINGS, f"data='{data}'"])
    algorithm = SpiralConfig.from_run(run).build_algo()
    try:
        while algorithm.train_metrics().get("env_steps_trained", 0) < run.env_steps:
            pass
        weights = algorithm.average_weights()
    finally:
        algorithm.stop()
    painter = Painter(run.painter, run.env)
    assert share_of_ink_in_the_upper_left(painter.eval(), run.env) < 0.45
    painter.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
    assert share_of_ink_in_the_upper_left(painter.eval(), run.env) > 0.75
