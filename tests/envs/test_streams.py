"""Random numbers of many episodes side by side."""

import numpy as np
import pytest

from spiral.envs.streams import NORMAL_LIMIT, Streams


def seeded(*seeds):
    streams = Streams(len(seeds))
    streams.seed(seeds)
    return streams


def test_words_are_those_of_splitmix64():
    # The reference implementation's first outputs for this seed.
    words = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert seeded(1234567)._words(5)[0].tolist() == words


def test_a_stream_depends_on_its_seed_alone():
    together = seeded(3, 2**64 + 3, 2**63, 8)
    normals, choice = together.normals(5), together.below(1000)
    assert np.array_equal(normals[0], normals[1])
    for index, seed in enumerate((3, 3, 2**63, 8)):
        alone = seeded(seed)
        assert np.array_equal(alone.normals(5)[0], normals[index])
        assert alone.below(1000)[0] == choice[index]
    assert len(np.unique(normals[1:])) == 15


def test_without_a_seed_a_stream_goes_on():
    streams = seeded(1, 2)
    first = streams.normals(4)
    streams.seed([None, 2])
    then = streams.normals(4)
    assert np.array_equal(then[1], first[1])
    assert np.array_equal(then[0], seeded(1).normals(8)[0, 4:])


def test_streams_never_seeded_differ():
    assert not np.array_equal(Streams(2).normals(3), Streams(2).normals(3))


def test_normals_are_standard_normal_and_independent():
    normals = seeded(*range(5000)).normals(20)
    assert normals.dtype == np.float32 and np.abs(normals).max() < NORMAL_LIMIT == 6
    # Of 100,000: within five of their standard errors.
    assert normals.mean() == pytest.approx(0, abs=0.016)
    assert normals.std() == pytest.approx(1, abs=0.012)
    assert (normals**3).mean() == pytest.approx(0, abs=0.06)
    assert np.mean(np.abs(normals) < 1) == pytest.approx(0.6827, abs=0.012)
    beside, before = np.corrcoef(normals[:-1].ravel(), normals[1:].ravel()), np.corrcoef(normals.T)
    assert abs(beside[0, 1]) < 0.016 and np.abs(before - np.eye(20)).max() < 0.08


@pytest.mark.parametrize("limit", [1, 10, 2**32])
def test_integers_fill_their_range_evenly(limit):
    integers = seeded(*range(20_000)).below(limit)
    assert integers.dtype == np.int64 and 0 <= integers.min() and integers.max() < limit
    counts = np.bincount(integers * min(limit, 10) // limit, minlength=min(limit, 10))
    assert np.abs(counts - 20_000 / len(counts)).max() < 250
