"""The algorithm on a real Ray, in every arrangement of processes."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from spiral import config
from spiral.agents.algorithm import Spiral, SpiralConfig
from spiral.config import EnvConfig
from spiral.metrics import METRICS

LONGEST = 300  # iterations of at least 0.1 s
TRAINING_ROWS = (
    set(METRICS) - {"seconds", "cpu_seconds"} - set(list(METRICS)[: list(METRICS).index("env_steps_sampled")])
)


def build(run, *settings, iteration=0.0):
    run = config.override(run, list(settings))
    return SpiralConfig.from_run(run).training(iteration_s=iteration).build_algo()


def test_an_iteration_ends_where_the_clock_on_the_wall_is_set_back(built, monkeypatch):
    algorithm = built(iteration=0.3)
    began, now = time.monotonic(), time.time

    def set_back():
        """By a minute, as soon as there was an iteration's first look at it."""
        return now() - (60.0 if time.monotonic() > began + 0.1 else 0.0)

    monkeypatch.setattr(time, "time", set_back)
    algorithm.train_metrics()
    assert 0.3 <= time.monotonic() - began < 30


@pytest.fixture
def built(on_ray, tiny_run):
    """Makes algorithms that are stopped after the test."""
    algorithms = []

    def make(*settings, **options):
        algorithms.append(build(tiny_run, *settings, **options))
        return algorithms[-1]

    yield make
    for algorithm in algorithms:
        algorithm.stop()


def train_to(algorithm, env_steps):
    rows = []
    for _ in range(LONGEST):
        rows.append(algorithm.train_metrics())
        if rows[-1].get("env_steps_trained", 0) >= env_steps:
            return rows
    raise AssertionError(f"not there after {LONGEST} iterations: {rows[-1]}")


def same(weights, others):
    return all(np.array_equal(weights[name], others[name]) for name in weights)


@pytest.mark.parametrize(
    ("runners", "learners"), [(0, 0), (1, 0), (2, 0), (0, 1), (2, 1)], ids=lambda count: str(count)
)
def test_every_arrangement_trains_and_drops_nothing(built, runners, learners):
    slow = ["discriminator.updates=40"] if learners else []  # so that rollouts queue up before the learner
    algorithm = built(
        f"num_env_runners={runners}", f"num_learners={learners}", "discriminator.remote=true", *slow, iteration=0.1
    )
    assert (algorithm._env_runner_state_server is not None) == (runners > 1)
    rows = train_to(algorithm, 24 * 20)
    last = rows[-1]
    assert last["env_steps_dropped"] == 0
    # Under way at most: what waits for a learner, what it was given, and what each runner has just painted.
    under_way = (runners + 1 + 2 * algorithm.config.max_requests_in_flight_per_learner * learners) * 24
    assert 0 <= last["env_steps_sampled"] - last["env_steps_trained"] <= under_way
    assert last["discriminator_lag"] == 1
    assert last["policy_lag"] >= 0
    assert all(math.isfinite(value) for row in rows for value in row.values())
    assert all(set(row) <= set(METRICS) for row in rows)


@pytest.mark.parametrize(
    "settings",
    [
        ["objective.reward=difference"],
        ["objective.name=hinge"],
        ["painter.lstm=8"],
        ["env.channels=3", "env.color_levels=3"],
        ["objective.name=hinge", "objective.reward=difference", "painter.lstm=8", "env.height=24", "env.noise_size=0"],
    ],
    ids=" ".join,
)
def test_every_kind_of_run_trains(built, settings):
    algorithm = built(*settings)
    before = algorithm.average_weights()
    rows = train_to(algorithm, 48)
    assert all(math.isfinite(value) for value in rows[-1].values())
    after = algorithm.average_weights()
    assert not same(before, after)
    assert all(np.isfinite(value).all() for value in after.values())


def test_every_row_of_training_metrics_is_logged_by_a_run_in_colour_and_by_classes(built):
    rows = train_to(
        built("env.channels=3", "env.classes=10"), 48
    )  # the first rollout is scored before the discriminator has learned
    assert set(rows[-1]) == TRAINING_ROWS - {"entropy/color"}  # of a palette, see test_plotter_painter.py


def test_the_released_agents_network_learns(on_ray):
    run = config.override(
        config.preset("spiral-mnist"),
        ["num_envs=2", "num_env_runners=0", "learner.minibatch=2", "env.episode_length=2"]
        + ["discriminator.remote=false", "discriminator.updates=1", "discriminator.batch_size=2"],
    )
    algorithm = build(run)
    try:
        before = algorithm.average_weights()
        assert sum(value.size for value in before.values()) > 1e6
        (row,) = train_to(algorithm, 4)
        assert row["env_steps_trained"] == 4
        assert not same(before, algorithm.average_weights())
    finally:
        algorithm.stop()


def run_through(algorithm, iterations=4):
    rows = [algorithm.train_metrics() for _ in range(iterations)]
    return rows, algorithm.average_weights()


def test_a_seed_fixes_the_whole_run(built):
    (rows, weights), (same_rows, same_weights) = run_through(built()), run_through(built())
    assert rows == same_rows
    assert same(weights, same_weights)
    other_rows, other_weights = run_through(built("seed=6"))
    assert rows != other_rows
    assert not same(weights, other_weights)


def test_the_discriminator_in_its_own_process_changes_no_bit(built):
    (rows, weights), (remote_rows, remote_weights) = (
        run_through(built()),
        run_through(built("discriminator.remote=true")),
    )
    assert rows == remote_rows
    assert same(weights, remote_weights)


def test_the_first_updates_weights_already_reach_the_runner(built):
    algorithm = built()
    assert [algorithm.train_metrics()["policy_lag"] for _ in range(3)] == [0, 0, 0]


def test_ray_tune_reserves_room_for_the_discriminator_of_each_learner():
    bundle = {"CPU": 2.0, "GPU": 0.5}
    for settings, learners, bundles in (
        ({"remote": True, "num_cpus": 2.0, "num_gpus": 0.5}, 0, [bundle]),
        ({"remote": True, "num_cpus": 2.0, "num_gpus": 0.5}, 2, [bundle, bundle]),
        ({"remote": False}, 2, []),
    ):
        algorithm_config = SpiralConfig().discriminator(**settings).learners(num_learners=learners)
        without = super(Spiral, Spiral).default_resource_request(algorithm_config).bundles
        request = Spiral.default_resource_request(algorithm_config)
        assert request.bundles == without + bundles


def test_single_settings_by_the_methods_of_the_configuration():
    algorithm_config = (
        SpiralConfig()
        .painting(width=32, height=24, grid=8)
        .objective(name="hinge")
        .discriminator(updates=3)
        .training(trace=0.5, average=0.9, lr=0.1)
    )
    assert algorithm_config.env_settings == EnvConfig(width=32, height=24, grid=8)
    assert algorithm_config.env_config["height"] == 24
    assert algorithm_config.objective_config.name == "hinge"
    assert algorithm_config.discriminator_config.updates == 3
    assert (algorithm_config.trace, algorithm_config.average, algorithm_config.lr) == (0.5, 0.9, 0.1)
    with pytest.raises(TypeError, match="widht"):
        SpiralConfig().painting(widht=3)
