"""A run that is stopped and gone on with is the run that was never stopped."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from spiral import config
from spiral.agents.algorithm import SpiralConfig
from spiral.state_file import load_state, save_state


@contextlib.contextmanager
def started(run):
    algorithm = SpiralConfig.from_run(run).training(iteration_s=0).build_algo()
    try:
        yield algorithm
    finally:
        algorithm.stop()


def train(algorithm, iterations):
    for _ in range(iterations):
        row = algorithm.train_metrics()
    return row


def assert_same(a, b, where="state"):
    """Two nested states are equal bit for bit."""
    assert type(a) is type(b), where
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_same(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), where
        for index, (x, y) in enumerate(zip(a, b)):
            assert_same(x, y, f"{where}/{index}")
    elif isinstance(a, np.ndarray):
        np.testing.assert_array_equal(a, b, err_msg=where)
        assert a.dtype == b.dtype, where
    else:
        assert a == b, where


@pytest.mark.parametrize("remote", ["false", "true"])
@pytest.mark.parametrize("stop_after", [1, 4])
def test_a_restored_run_goes_on_bit_for_bit(on_ray, tiny_run, tmp_path, stop_after, remote):
    run = config.override(tiny_run, [f"discriminator.remote={remote}"])
    with started(run) as whole, started(run) as first, started(run) as second:
        train(whole, 7)
        train(first, stop_after)
        save_state(tmp_path / "state.npz", first.run_state())
        second.set_run_state(load_state(tmp_path / "state.npz"))
        train(second, 7 - stop_after)
        assert_same(whole.run_state(), second.run_state())


def canvases_of(learner):
    return learner["scorer"]["learner"]["buffer"]["examples"]["canvas"]


@pytest.mark.parametrize(("learners", "remote"), [(1, "false"), (2, "true")])
def test_learners_in_other_processes_are_restored_each_with_its_own_discriminator(
    on_ray, tiny_run, tmp_path, learners, remote
):
    run = config.override(tiny_run, ["num_env_runners=1", f"num_learners={learners}", f"discriminator.remote={remote}"])
    with started(run) as first:
        while train(first, 1).get("env_steps_trained", 0) < 100:
            pass
        saved = first.run_state()
        painters = first._ask_learners(lambda learner: learner.average_weights())
    assert_same(painters, learners * painters[:1])
    one, *others = saved["learner"]["spiral"]["learners"]
    assert len(others) == learners - 1
    # Every step of every learner counts.
    steps_a_learner = saved["learner"]["spiral"]["updates"] * run.num_envs * run.env.episode_length
    assert {learner["env_steps"] for learner in (one, *others)} == {learners * steps_a_learner}
    assert all(not np.array_equal(canvases_of(one), canvases_of(other)) for other in others)
    save_state(tmp_path / "state.npz", saved)
    with started(run) as second:
        second.set_run_state(load_state(tmp_path / "state.npz"))
        assert_same(second.run_state(), saved)
        while train(second, 1).get("env_steps_trained", 0) < one["env_steps"] + 100:
            pass
    with started(config.override(run, ["num_learners=0", "num_env_runners=0"])) as alone:
        alone.set_run_state(load_state(tmp_path / "state.npz"))
        assert_same(alone.run_state()["learner"]["spiral"]["learners"], [one])


def test_what_does_not_fit_is_said_by_learners_in_other_processes(on_ray, tiny_run):
    with started(tiny_run) as algorithm:
        train(algorithm, 1)
        state = algorithm.run_state()
    with (
        started(config.override(tiny_run, ["num_env_runners=1", "num_learners=1", "painter.hidden=32"])) as other,
        pytest.raises(Exception, match="size mismatch"),
    ):
        other.set_run_state(state)


def test_counters_go_on(on_ray, tiny_run):
    with started(tiny_run) as first:
        sampled = train(first, 2)["env_steps_sampled"]
        state = first.run_state()
    with started(tiny_run) as second:
        second.set_run_state(state)
        assert second.run_state()["counters"] == state["counters"]
        assert train(second, 1)["env_steps_sampled"] > sampled
