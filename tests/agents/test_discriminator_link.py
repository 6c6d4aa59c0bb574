"""The learner's end of the wire to the discriminator learner, in this process and in one of its own."""

from __future__ import annotations

import os
import signal

import numpy as np
import psutil
import pytest
import torch

from spiral import config
from spiral.agents.discriminator_link import DiscriminatorLink
from spiral.errors import ProcessError, SpiralError


def connect(run, *settings):
    run = config.override(run, list(settings))
    return DiscriminatorLink(run.scoring, "cpu")


def canvases(number):
    return np.random.default_rng(number).integers(256, size=(8, 16, 16, 1), dtype=np.uint8)


def pid(link):
    from ray._private.state import actors

    return actors(link._actor._actor_id.hex())["Pid"]


def same(weights, others):
    return weights.keys() == others.keys() and all(np.array_equal(weights[name], others[name]) for name in weights)


@pytest.fixture
def remote(on_ray, tiny_run):
    link = connect(tiny_run, "discriminator.remote=true")
    yield link
    link.stop()


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_the_lag_is_as_configured(tiny_run, lag):
    link = connect(tiny_run, f"discriminator.max_lag={lag}")
    versions = [link.exchange({"canvas": canvases(i)}).version for i in range(6)]
    assert versions == [max(0, i + 1 - lag) for i in range(6)]
    assert link.lag == lag


def test_in_its_own_process_it_gives_the_same_bits(remote, tiny_run):
    torch.set_num_threads(1)  # as the learner does, and as Ray does in a process with one CPU
    local = connect(tiny_run)
    for i in range(4):
        here, there = local.exchange({"canvas": canvases(i)}), remote.exchange({"canvas": canvases(i)})
        assert here.version == there.version
        assert here.metrics == there.metrics
        assert same(here.weights, there.weights)
    assert remote.restarts == 0


def test_a_restored_link_goes_on_bit_for_bit(tiny_run):
    whole, first, second = (connect(tiny_run, "discriminator.max_lag=2") for _ in range(3))
    for i in range(3):
        whole.exchange({"canvas": canvases(i)})
        first.exchange({"canvas": canvases(i)})
    second.set_state(first.get_state())
    for i in range(3, 7):
        assert same(whole.exchange({"canvas": canvases(i)}).weights, second.exchange({"canvas": canvases(i)}).weights)


@pytest.mark.faults("the discriminator is killed in the middle of its work")
def test_killed_in_the_middle_of_its_work(remote):
    for i in range(3):
        newest = remote.exchange({"canvas": canvases(i)})
    os.kill(pid(remote), signal.SIGKILL)
    after = [remote.exchange({"canvas": canvases(i)}) for i in range(3, 7)]
    assert remote.restarts == 1
    versions = [publication.version for publication in after]
    assert versions == sorted(versions)
    assert versions[0] >= newest.version
    assert versions[-1] > newest.version


@pytest.mark.faults("the discriminator is killed while it is idle")
def test_killed_while_idle(remote):
    """Nothing fails then: the new process answers as if nothing had been, from version 0."""
    for i in range(3):
        remote.exchange({"canvas": canvases(i)})
    remote._resolve(remote._pending.pop())  # nothing is on its way
    version = remote._latest.version
    os.kill(pid(remote), signal.SIGKILL)
    versions = [remote.exchange({"canvas": canvases(i)}).version for i in range(3, 7)]
    assert remote.restarts == 1
    assert min(versions) >= version - 1
    assert versions[-1] > version


@pytest.mark.faults("the discriminator is killed before its state is asked for")
def test_killed_before_its_state_is_asked_for(remote):
    for i in range(3):
        remote.exchange({"canvas": canvases(i)})
    remote._resolve(remote._pending.pop())
    latest = remote._latest
    os.kill(pid(remote), signal.SIGKILL)
    state = remote.get_state()
    assert state["learner"]["version"] == latest.version
    assert same(state["learner"]["weights"], latest.weights)


@pytest.mark.faults("NaN in the weights of a discriminator whose state is asked for")
def test_what_spoils_the_weights_is_said_before_a_state_is_taken(remote):
    newest = remote.exchange({"canvas": canvases(0)})
    spoiled = {name: np.full_like(value, np.nan) for name, value in newest.weights.items()}
    remote._call("set_weights", 5, spoiled)
    remote.exchange({"canvas": canvases(1)})
    with pytest.raises(SpiralError, match=r"^losses of the discriminator are not finite, version 6$"):
        remote.get_state()


@pytest.mark.faults("the discriminator is stopped for ever; the wait has a limit")
def test_no_answer_in_time(remote, monkeypatch):
    monkeypatch.setattr("spiral.agents.discriminator_link.WAIT_S", 2.0)
    newest = remote.exchange({"canvas": canvases(0)})
    stalled = pid(remote)
    os.kill(stalled, signal.SIGSTOP)
    try:
        with pytest.raises(
            ProcessError,
            match=r"^the discriminator's process gave no answer in 2 s; is Ray short of CPUs or GPUs for it "
            rf"\(it asks for 1 and 0\)\? \(stopped: {stalled} \(ray::Disc.*\)\)$",
        ):
            for i in range(1, 3):
                remote.exchange({"canvas": canvases(i)})
    finally:
        os.kill(stalled, signal.SIGCONT)
    assert remote.exchange({"canvas": canvases(3)}).version > newest.version


@pytest.mark.faults("the discriminator does not come back")
def test_a_process_that_is_gone_for_good(on_ray, tiny_run):
    link = connect(tiny_run, "discriminator.remote=true")
    on_ray.kill(link._actor, no_restart=True)
    link.exchange({"canvas": canvases(0)})
    with pytest.raises(ProcessError, match="the discriminator's process ended and cannot be started again"):
        link.exchange({"canvas": canvases(1)})


def test_stopping_ends_the_process(on_ray, tiny_run):
    link = connect(tiny_run, "discriminator.remote=true")
    actor = link._actor
    link.exchange({"canvas": canvases(0)})
    process = psutil.Process(pid(link))
    link.stop()
    link.stop()
    process.wait(timeout=60)  # Ray takes a while to end it; a call until then is still answered
    with pytest.raises(on_ray.exceptions.RayActorError):
        on_ray.get(actor.publication.remote(), timeout=60)
