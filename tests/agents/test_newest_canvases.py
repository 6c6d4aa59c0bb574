"""What the discriminator of a population draws its fakes from: one rollout of each member."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from spiral.agents.newest_canvases import OLD, NewestCanvases

SHAPE = (2, 3, 1)


def rollout(*greys):
    """Canvases that are told apart by their grey, which is their label, too."""
    greys = np.array(greys, np.uint8)
    return {"canvas": greys.reshape(-1, 1, 1, 1) * np.ones(SHAPE, np.uint8), "label": greys}


def sampled(canvases, count, seed=0):
    return canvases.sample(count, np.random.default_rng(seed))["canvas"][:, 0, 0, 0].tolist()


def members(canvases):
    return set(canvases.get_state()["rollouts"])


@pytest.fixture
def three():
    canvases = NewestCanvases()
    for member, greys in (("a", range(10, 20)), ("b", range(20, 28)), ("c", [30])):
        canvases.add(member, rollout(*greys))
    return canvases


@pytest.mark.parametrize("count", [1, 2, 3, 10, 64])
def test_of_each_member_as_many_in_every_part_of_a_batch(three, count):
    greys = np.array(sampled(three, count))
    for part in (greys[: count // 2], greys[count // 2 :], greys):
        shares = [(part // 10 == member).sum() for member in (1, 2, 3)]
        assert max(shares) - min(shares) <= 1


def test_where_it_does_not_come_out_even_chance_decides(three):
    counts = Counter(sampled(three, 1, seed)[0] // 10 for seed in range(300))
    assert min(counts[member] for member in (1, 2, 3)) > 70


def test_all_canvases_of_a_rollout_are_drawn_with_their_labels(three):
    drawn = three.sample(1000, np.random.default_rng(0))
    greys = drawn["canvas"][:, 0, 0, 0]
    assert set(greys.tolist()) == {*range(10, 20), *range(20, 28), 30}
    assert (drawn["canvas"] == greys[:, None, None, None]).all()
    assert (drawn["label"] == greys).all()
    assert drawn["canvas"].dtype == np.uint8


def test_no_older_canvases_are_drawn(three):
    three.add("a", rollout(50))
    assert set(sampled(three, 200)) == {*range(20, 28), 30, 50}


def test_a_fast_member_crowds_out_no_slow_one():
    canvases, greys = NewestCanvases(), Counter()
    for turn in range(200):
        if turn % 20 == 0:
            canvases.add("slow", rollout(1, 1))
        canvases.add("fast", rollout(*[2] * 8))
        greys.update(sampled(canvases, 10, turn))
    assert greys == {1: 1000, 2: 1000}


def test_one_that_sends_nothing_any_more_is_forgotten(three):
    for turn in range(1, 3 * OLD + 3):
        three.add("ab"[turn % 2], rollout(1))
        assert ("c" in members(three)) == (turn <= 3 * OLD)
    assert set(sampled(three, 50)) == {1}
    three.add("c", rollout(30))
    assert members(three) == {"a", "b", "c"}


def test_alone_it_waits_for_nobody():
    canvases = NewestCanvases()
    for grey in range(3 * OLD):
        canvases.add("a", rollout(grey))
        assert set(sampled(canvases, 5)) == {grey}


def test_one_that_stops_is_forgotten_at_once(three):
    three.forget("b")
    three.forget("b")
    three.forget("never heard of")
    assert set(sampled(three, 200)) == {*range(10, 20), 30}


def test_there_must_be_some():
    with pytest.raises(ValueError, match="add some"):
        sampled(NewestCanvases(), 1)


def test_copies_are_kept_and_given():
    given, canvases = rollout(1, 2), NewestCanvases()
    canvases.add("a", given)
    given["canvas"][:] = 99
    canvases.sample(5, np.random.default_rng(0))["canvas"][:] = 99
    assert set(sampled(canvases, 50)) == {1, 2}


def test_a_state_is_gone_on_from_and_not_changed(three):
    for turn in range(90):
        three.add("abc"[turn % 3], rollout(turn))
    state, restored = three.get_state(), NewestCanvases()
    restored.set_state(state)
    for canvases in (three, restored):
        canvases.forget("b")
        for turn in range(40):
            canvases.add("a", rollout(turn))
        assert members(canvases) == {"a"}
    again = NewestCanvases()
    again.set_state(state)
    assert members(again) == {"a", "b", "c"}
    assert len(again) == 3
