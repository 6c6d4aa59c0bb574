"""Processes of a run die; the run goes on."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from spiral import config
from spiral.agents.algorithm import SpiralConfig

LONGEST = 400  # iterations of about a tenth of a second until something must have happened


@pytest.fixture(scope="module")
def run(tiny_run):
    return config.override(tiny_run, ["num_env_runners=1", "discriminator.remote=true"])


@pytest.fixture(scope="module")
def algorithm(on_ray, run):
    algorithm = SpiralConfig.from_run(run).training(iteration_s=0.1).build_algo()
    yield algorithm
    algorithm.stop()


def runner_pids(algorithm):
    return algorithm.env_runner_group.foreach_env_runner(lambda runner: os.getpid(), local_env_runner=False)


def discriminator_pid(algorithm):
    from ray._private.state import actors

    link = algorithm.learner_group._learner._scorer._link
    return actors(link._actor._actor_id.hex())["Pid"]


def train_until(algorithm, reached):
    for _ in range(LONGEST):
        row = algorithm.train_metrics()
        if reached(row):
            return row
    raise AssertionError(f"not reached in {LONGEST} iterations; the last row: {row}")


@pytest.mark.faults("a runner is killed")
def test_a_killed_runner_comes_back_with_the_newest_weights(algorithm):
    before = algorithm.train_metrics()
    (victim,) = runner_pids(algorithm)
    os.kill(victim, signal.SIGKILL)
    row = train_until(algorithm, lambda row: row["runner_restarts"] > before["runner_restarts"])
    assert runner_pids(algorithm) != [victim]
    row = train_until(algorithm, lambda after: after["env_steps_trained"] > row["env_steps_trained"] + 100)
    assert 0 <= row["policy_lag"] <= 3


def version(algorithm):
    return algorithm.learner_group._learner._scorer._link._newest.version


@pytest.mark.faults("the discriminator is killed")
def test_a_killed_discriminator_goes_on_from_its_newest_weights(algorithm):
    before = train_until(algorithm, lambda row: version(algorithm) > 5)
    newest = version(algorithm)
    os.kill(discriminator_pid(algorithm), signal.SIGKILL)
    row = train_until(algorithm, lambda row: row["discriminator_restarts"] == before["discriminator_restarts"] + 1)
    assert version(algorithm) >= newest
    row = train_until(algorithm, lambda row: version(algorithm) > newest + 5)
    assert row["discriminator_lag"] == 1
    assert row["discriminator_restarts"] == before["discriminator_restarts"] + 1


@pytest.mark.faults("runner and discriminator are killed at once")
def test_both_killed_at_once(algorithm):
    before = algorithm.train_metrics()
    for victim in (*runner_pids(algorithm), discriminator_pid(algorithm)):
        os.kill(victim, signal.SIGKILL)
    row = train_until(
        algorithm,
        lambda row: all(row[f"{who}_restarts"] > before[f"{who}_restarts"] for who in ("runner", "discriminator")),
    )
    train_until(algorithm, lambda after: after["env_steps_trained"] > row["env_steps_trained"])


@pytest.mark.faults("Ray's object store is full")
def test_the_object_store_is_full(on_ray, algorithm):
    quarter = np.zeros(int(on_ray.cluster_resources()["object_store_memory"] / 4), np.uint8)
    kept = [on_ray.put(quarter) for _ in range(6)]  # more than it holds: Ray writes to the disk what nobody needs now
    before = algorithm.train_metrics()
    train_until(algorithm, lambda after: after["env_steps_trained"] > before["env_steps_trained"] + 100)
    del kept
