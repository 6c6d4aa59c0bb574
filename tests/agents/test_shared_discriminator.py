"""One discriminator for several painters: in this process, and in one of its own with members that come, stop and die."""

from __future__ import annotations

import os
import signal
from itertools import pairwise

import numpy as np
import pytest

from spiral import config
from spiral.agents.algorithm import Spiral, SpiralConfig
from spiral.agents.newest_canvases import OLD
from spiral.agents.shared_discriminator import SharedDiscriminator, SharedDiscriminatorLearner, SharedDiscriminatorLink
from spiral.datasets import load_pictures
from spiral.errors import InputError, SpiralError
from spiral.state_file import load_state, save_state

NAME = "population"
LONGEST = 400  # iterations until something must have happened


def canvases(number):
    return {"canvas": np.random.default_rng(number).integers(256, size=(8, 16, 16, 1), dtype=np.uint8)}


def same(weights, others):
    return weights.keys() == others.keys() and all(np.array_equal(weights[name], others[name]) for name in weights)


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory):
    """With digits from a file, which is quicker to read than all of them are."""
    digits = load_pictures("digits", "test", width=16, height=16, channels=1)
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(path, images=digits.images[::2, ..., 0], labels=digits.labels[::2])
    return config.override(tiny_run, [f"data={path}", f"discriminator.shared={NAME}"])


# In this process.


@pytest.fixture
def learner(run):
    return SharedDiscriminatorLearner(run.scoring)


def test_every_rollout_of_every_member_brings_a_version(learner):
    versions = [learner.train(canvases(i), member, 0).version for i, member in enumerate("abbabbb")]
    assert versions == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("condition", ["pair", "complement"])
def test_what_was_asked_for_goes_with_the_canvases(run, condition):
    asked = config.override(run, ["env.target=true", "env.classes=10", f"discriminator.condition={condition}"])
    learner = SharedDiscriminatorLearner(asked.scoring)
    labels = np.arange(8)
    for turn, member in enumerate("aba"):
        examples = canvases(turn) | {"target": canvases(turn + 10)["canvas"], "label": labels}
        publication = learner.train(examples, member, 0)
    assert all(np.isfinite(value) for value in publication.metrics.values())
    assert {"loss", "class_loss"} <= publication.metrics.keys()


def test_one_that_is_not_as_far_as_a_member_learns_nothing_until_it_is(learner):
    ahead = learner.train(canvases(0), "a", 0)
    before = learner.publication()
    refused = learner.train(canvases(1), "a", 5)
    assert refused.version == 1
    assert same(refused.weights, before.weights)
    learner.set_weights(5, ahead.weights)
    assert learner.train(canvases(1), "a", 5).version == 6


def test_the_newest_weights_that_are_brought_back_stay(learner):
    others = {name: value + 1 for name, value in learner.publication().weights.items()}
    learner.set_weights(7, others)
    for version in (6, 7):
        learner.set_weights(version, {name: value + 1 for name, value in others.items()})
    assert learner.publication().version == 7
    assert same(learner.publication().weights, others)


def test_weights_that_are_spoiled_get_into_no_checkpoint(learner):
    learner.set_weights(3, {name: np.full_like(value, np.nan) for name, value in learner.publication().weights.items()})
    with pytest.raises(SpiralError, match=r"^weights of the discriminator are not finite, version 3$"):
        learner.get_state()


def test_ray_tune_reserves_no_room_for_it_in_every_member(run):
    own, shared = (
        config.override(run, ["discriminator.remote=true", f"discriminator.shared={name}"]) for name in ('""', "x")
    )
    bundles = [Spiral.default_resource_request(SpiralConfig.from_run(run)).bundles for run in (own, shared)]
    assert bundles[0] == [*bundles[1], {"CPU": 1.0}]


# In a process of its own.


@pytest.fixture(scope="module")
def shared(on_ray, run):
    discriminator = SharedDiscriminator(run.scoring, NAME)
    yield discriminator
    discriminator.stop()


def connect(run, *settings):
    run = config.override(run, list(settings))
    return SharedDiscriminatorLink(run.scoring, "cpu")


@pytest.fixture
def member(shared, run):
    """Makes members that leave after the test."""
    links = []

    def make(*settings):
        links.append(connect(run, *settings))
        return links[-1]

    yield make
    for link in links:
        link.stop()


def members(shared):
    return set(shared.get_state()["buffer"]["rollouts"])


def version(shared):
    return shared.get_state()["version"]


def test_members_score_with_one_line_of_weights(shared, member):
    one, other = (member("discriminator.max_lag=0") for _ in range(2))
    first = version(shared)
    for turn in range(3):
        assert one.exchange(canvases(turn)).version == first + 2 * turn + 1
        publication = other.exchange(canvases(turn + 10))
        assert publication.version == first + 2 * turn + 2
    state = shared.get_state()
    assert state["version"] == publication.version
    assert same(state["weights"], publication.weights)
    assert {one._member, other._member} <= members(shared)
    third = member()
    assert third._newest.version == publication.version
    assert same(third._newest.weights, publication.weights)


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_each_member_has_a_lag_of_its_own(member, lag):
    patient, other = member(f"discriminator.max_lag={lag}"), member("discriminator.max_lag=0")
    known = [patient._newest.version]
    for turn in range(5):
        before = other.exchange(canvases(turn)).version
        scored_with = patient.exchange(canvases(turn)).version
        known.append(before + 1)
        assert scored_with == known[max(0, turn + 1 - lag)]
        assert patient.lag == min(lag, turn + 1)


def test_a_member_that_stops_in_the_middle_leaves_it_to_the_others(shared, member):
    one, other = member("discriminator.max_lag=3"), member()
    for turn in range(3):
        one.exchange(canvases(turn))
        other.exchange(canvases(turn))
    one.stop()
    one.stop()
    last = [other.exchange(canvases(turn)).version for turn in range(3)]
    assert last == sorted(set(last))
    assert other._member in members(shared)
    assert one._member not in members(shared)


def test_a_fast_member_keeps_no_slow_one_waiting_and_may_die(on_ray, shared, run, member):
    """In a process of its own it sends as fast as it can."""
    settings = config.override(run, ["discriminator.max_lag=3"])
    examples = canvases(0)

    class Fast:
        def begin(self):
            self._link = SharedDiscriminatorLink(settings.scoring, "cpu")
            self._link.exchange(examples)
            return self._link._member

        def go_on(self):
            while True:
                self._link.exchange(examples)

    fast = on_ray.remote(num_cpus=0)(Fast).remote()
    name = on_ray.get(fast.begin.remote(), timeout=300)
    slow = member("discriminator.max_lag=0")
    under_way = fast.go_on.remote()
    versions = [slow.exchange(canvases(1)).version for _ in range(20)]
    waited_for = [after - before - 1 for before, after in pairwise(versions)]  # rollouts of the fast one
    assert max(waited_for) > 0
    # Those under way. More where this process was itself kept from sending, so not every time.
    assert min(waited_for) <= 4
    assert {name, slow._member} <= members(shared)

    on_ray.kill(fast)
    with pytest.raises(on_ray.exceptions.RayActorError):
        on_ray.get(under_way, timeout=300)
    for _ in range(10):  # what the dead one had under way may still come in between
        last = slow.exchange(canvases(1)).version
    assert [slow.exchange(canvases(1)).version for _ in range(3 * OLD)] == list(range(last + 1, last + 3 * OLD + 1))
    assert members(shared) == {slow._member}


def pid(shared):
    from ray._private.state import actors

    return actors(shared._actor._actor_id.hex())["Pid"]


def test_killed_it_goes_on_for_all_from_the_newest_weights(shared, member):
    one, other = member("discriminator.max_lag=0"), member("discriminator.max_lag=2")
    saved = shared.get_state()
    for turn in range(4):
        one.exchange(canvases(turn))
        other.exchange(canvases(turn))
    newest = one._latest
    os.kill(pid(shared), signal.SIGKILL)
    state = shared.get_state()
    assert state["version"] >= saved["version"] > 0, "no checkpoint holds it as it was at its beginning"
    ones, others = [], []
    for turn in range(5):
        ones.append(one.exchange(canvases(turn)))
        others.append(other.exchange(canvases(turn)))
    assert one.restarts == other.restarts == 1
    for published in (ones, others):
        versions = [publication.version for publication in published]
        assert versions == sorted(versions)
        assert versions[0] >= newest.version - 2
        assert versions[-1] > newest.version
    # Trained on from those weights, not from the beginning.
    moved = max(np.abs(ones[-1].weights[name] - newest.weights[name]).max() for name in newest.weights)
    assert 0 < moved < 0.05


def test_the_state_is_gone_on_from_bit_for_bit(shared, run, member, tmp_path):
    before = [member("discriminator.max_lag=0") for _ in range(2)]
    for turn in range(2):
        for link in before:
            link.exchange(canvases(turn))
    save_state(tmp_path / "discriminator.npz", shared.get_state())
    restored = SharedDiscriminator(run.scoring, "restored", load_state(tmp_path / "discriminator.npz"))
    try:
        after = [connect(run, "discriminator.max_lag=0", "discriminator.shared=restored") for _ in range(2)]
        for link, model in zip(after, before):
            link._member = model._member
        for turn in range(2, 5):
            for link, model in zip(after, before):
                publication, expected = link.exchange(canvases(turn)), model.exchange(canvases(turn))
                assert publication.version == expected.version
                assert publication.metrics == expected.metrics
                assert same(publication.weights, expected.weights)
    finally:
        restored.stop()
    with pytest.raises(
        SpiralError, match=r"^the shared discriminator 'restored' ended and cannot be started again \(.*kill"
    ):
        after[0].exchange(canvases(5))


def test_no_answer_in_time(shared, member, monkeypatch):
    link = member("discriminator.max_lag=0")
    monkeypatch.setattr("spiral.agents.discriminator_link.WAIT_S", 1.0)
    os.kill(pid(shared), signal.SIGSTOP)
    try:
        with pytest.raises(
            SpiralError, match=f"^the shared discriminator '{NAME}' gave no answer in 1 s; is Ray short"
        ):
            link.exchange(canvases(0))
    finally:
        os.kill(pid(shared), signal.SIGCONT)


STARTED_WITH = (
    "the shared discriminator 'population' was started with {}; set it as there, or leave discriminator.shared out"
)
NOBODY = (
    "no shared discriminator 'nobody' runs on this Ray; `spiral tune --shared-discriminator` starts one for its runs; "
    "leave discriminator.shared out, and the run has its own"
)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("discriminator.shared=nobody", NOBODY),
        ("env.width=32", STARTED_WITH.format("env.width=16, got 32")),
        ("discriminator.updates=3", STARTED_WITH.format("discriminator.updates=2, got 3")),
        ("data=digits", None),
    ],
)
@pytest.mark.parametrize("learners", [0, 2])
def test_what_cannot_be_shared_is_said_before_anything_is_started(shared, run, setting, message, learners):
    changed = config.override(run, [setting, f"num_learners={learners}"])
    with pytest.raises(InputError) as error:
        SpiralConfig.from_run(changed).build_algo()
    assert str(error.value) == (message or STARTED_WITH.format(f"data='{run.data}', got 'digits'"))


def test_what_members_may_choose_for_themselves(shared, member):
    own = (
        "discriminator.max_lag=0",
        "objective.reward=difference",
        "seed=77",
        "learner.entropy=0.5",
        "env.blank_cost=1",
    )
    before = shared.get_state()["version"]
    assert member(*own).exchange(canvases(0)).version == before + 1


def test_two_of_one_name(shared, run):
    with pytest.raises(InputError, match=f"^a shared discriminator '{NAME}' runs already; choose another name$"):
        SharedDiscriminator(run.scoring, NAME)


# In whole runs.


def build(run, *settings):
    run = config.override(run, list(settings))
    return SpiralConfig.from_run(run).training(iteration_s=0).build_algo()


def scorers(state):
    return [own["scorer"] for own in state["learner"]["spiral"]["learners"]]


def test_runs_train_on_it_and_restoring_one_does_not_set_it_back(shared, run):
    algorithms = [build(run, f"seed={seed}") for seed in (5, 6)]
    try:
        began = version(shared)
        for _ in range(3):
            rows = [algorithm.train_metrics() for algorithm in algorithms]
        assert version(shared) == began + 6
        assert all(row["discriminator_lag"] == 1 for row in rows)
        state = algorithms[0].run_state()
        assert scorers(state) == [{"restarts": 0}]
        for algorithm in algorithms:
            algorithm.set_run_state(state)
        assert version(shared) == began + 6
        algorithms.pop(0).stop()
        algorithms[0].train_metrics()
        assert version(shared) == began + 7
    finally:
        for algorithm in algorithms:
            algorithm.stop()


def test_learners_of_one_run_share_it(shared, run):
    began, algorithm = version(shared), build(run, "num_env_runners=0", "num_learners=2", "learner.passes=2")
    try:
        for _ in range(LONGEST):
            if algorithm.train_metrics().get("env_steps_trained", 0) >= 24 * 8:
                break
        state = algorithm.run_state()
        assert len(members(shared)) == 2
        assert version(shared) >= began + 8
        assert scorers(state) == [{"restarts": 0}] * 2
        algorithm.set_run_state(state)
    finally:
        algorithm.stop()
