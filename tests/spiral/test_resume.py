"""A run that is stopped and gone on with is the run that was never stopped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spiral.agents.algorithm import SpiralConfig


def build(run):
    return SpiralConfig.from_run(run).reporting(min_time_s_per_iteration=0).build_algo()


def train(algorithm, iterations):
    for _ in range(iterations):
        algorithm.train_metrics()


def state_of(algorithm):
    return algorithm.learner_group.get_state()["learner"]


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
    elif isinstance(a, torch.Tensor | np.ndarray):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b), err_msg=where)
    else:
        assert a == b, where


@pytest.mark.parametrize("stop_after", [1, 4])
def test_a_restored_run_goes_on_bit_for_bit(on_ray, tiny_run, tmp_path, stop_after):
    whole, first, second = (build(tiny_run) for _ in range(3))
    try:
        train(whole, 7)
        train(first, stop_after)
        first.save_to_path(str(tmp_path))
        second.restore_from_path(str(tmp_path))
        train(second, 7 - stop_after)
        assert_same(state_of(whole), state_of(second))
    finally:
        for a in (whole, first, second):
            a.stop()
