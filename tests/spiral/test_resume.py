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
    algorithm = SpiralConfig.from_run(run).reporting(min_time_s_per_iteration=0).build_algo()
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
