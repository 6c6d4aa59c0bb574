"""Every preset trains: its own network, objective, actions and rewards, with few canvases and few steps."""

import math

import numpy as np
import pytest

from spiral import config
from spiral.agents.algorithm import SpiralConfig
from spiral.datasets import DATASETS

FEW = [
    "num_env_runners=0",
    "num_envs=4",
    "env.episode_length=3",
    "learner.minibatch=4",
    "learner.warmup_steps=0",
    "discriminator.remote=false",
    "discriminator.updates=1",
    "discriminator.batch_size=4",
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Discs of ten sizes, which are their labels; paths of them in grey and in colour by the number of channels."""
    folder, paths = tmp_path_factory.mktemp("pictures"), {}
    y, x = np.indices((32, 32)) - 15.5
    grey = (
        np.stack([np.where(np.hypot(x, y) < radius, 0, 255) for radius in range(3, 13)]).astype(np.uint8).repeat(6, 0)
    )
    for channels, images in ((1, grey), (3, np.stack([grey, grey // 2, 255 - grey], axis=-1))):
        paths[channels] = folder / f"{channels}.npz"
        np.savez(paths[channels], images=images, labels=np.arange(10).repeat(6))
    return paths


@pytest.mark.parametrize("name", config.preset_names())
def test_a_preset_trains(on_ray, pictures, name):
    preset = config.preset(name)
    run = config.override(preset, [f"data={pictures[preset.env.channels]}", *FEW])
    algorithm = SpiralConfig.from_run(run).training(iteration_s=0).build_algo()
    try:
        before = algorithm.average_weights()
        rows = [algorithm.train_metrics() for _ in range(2)]
        after = algorithm.average_weights()
    finally:
        algorithm.stop()
    assert rows[-1]["env_steps_trained"] == 2 * 4 * run.env.episode_length
    assert all(math.isfinite(value) for row in rows for value in row.values())
    assert all(np.isfinite(value).all() for value in after.values())
    assert any((before[name] != after[name]).any() for name in before)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("spiral-mnist", ["env.blank_cost=1.0", "env.stroke_cost=0.05", "discriminator.buffer_size=1280"]),
        ("spiral-omniglot", ["env.target=true", "objective.name=wasserstein", "env.blank_cost=0.0"]),
        ("spiral-celeba", ["env.target=true", "env.channels=3", "env.episode_length=20", "env.stroke_cost=0.0"]),
        ("spiralpp-celebahq", ["env.target=false", "env.channels=3", "objective.name=gan", "learner.discount=0.9"]),
        ("spiralpp-omniglot", ["env.target=true", "discriminator.condition=complement", "env.strokes=compound"]),
    ],
)
def test_a_paper_is_followed_also_through_the_bases_of_its_preset(name, settings):
    preset = config.preset(name)
    assert config.override(preset, settings) == preset
    assert (preset.painter.network, preset.painter.lstm, preset.env.grid) == ("spiral", 256, 32)
    later = name.startswith("spiralpp")
    assert preset.objective.reward == ("difference" if later else "final")
    assert preset.env.renderer == ("cairo@4" if later else "cairo")


def test_what_comes_with_no_preset_is_said_in_its_description():
    for name in config.preset_names():
        preset = config.preset(name)
        assert (preset.data not in DATASETS.names()) == ("wants --data " in preset.description), name
