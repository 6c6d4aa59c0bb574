import numpy as np
import pytest

from spiral.agents.image_buffer import ImageBuffer

SHAPE = (2, 3, 1)


def canvases(*values):
    """Canvases that are told apart by their grey."""
    return np.array(values, np.uint8).reshape(-1, 1, 1, 1) * np.ones(SHAPE, np.uint8)


def held(buffer):
    """Greys in the buffer, oldest first."""
    examples = buffer.get_state()["examples"]
    return examples["canvas"][:, 0, 0, 0].tolist() if examples else []


def sampled(buffer, count, seed=0):
    return buffer.sample(count, np.random.default_rng(seed))["canvas"][:, 0, 0, 0].tolist()


def filled(capacity, *values):
    buffer = ImageBuffer(capacity)
    buffer.add({"canvas": canvases(*values)})
    return buffer


@pytest.mark.parametrize("capacity", [1, 3, 7])
def test_the_buffer_holds_what_the_end_of_a_list_holds(capacity):
    buffer, everything = ImageBuffer(capacity), []
    rng, grey = np.random.default_rng(0), 0
    for _ in range(30):
        values = range(grey, grey + int(rng.integers(0, 2 * capacity + 2)))
        grey = (grey + len(values)) % 100
        buffer.add({"canvas": canvases(*values)})
        everything.extend(values)
        assert len(buffer) == min(len(everything), capacity)
        assert held(buffer) == everything[-capacity:]
        if everything:
            assert set(sampled(buffer, 50)) <= set(everything[-capacity:])


def test_of_more_than_the_capacity_at_once_the_last_are_kept():
    buffer = filled(3, 1, 2)
    buffer.add({"canvas": canvases(3, 4, 5, 6, 7, 8, 9)})
    assert held(buffer) == [7, 8, 9]


def test_the_buffer_keeps_copies_and_gives_copies():
    given = canvases(1, 2)
    buffer = ImageBuffer(2)
    buffer.add({"canvas": given})
    given[:] = 99
    buffer.sample(5, np.random.default_rng(0))["canvas"][:] = 99
    buffer.get_state()["examples"]["canvas"][:] = 99
    assert held(buffer) == [1, 2]


@pytest.mark.parametrize("values", [range(4), range(7)], ids=["half full", "wrapped around"])
def test_samples_are_uniform_with_replacement(values):
    buffer, count = filled(5, *values), 10_000
    _, counts = np.unique(sampled(buffer, count), return_counts=True)
    expected = count / len(buffer)
    assert len(counts) == len(buffer)
    assert ((counts - expected) ** 2 / expected).sum() < 18.5  # 0.999 quantile of chi-square, 4 degrees of freedom


def test_samples_are_whole_canvases_and_the_same_for_the_same_seed():
    buffer = filled(5, *range(5))
    sample = buffer.sample(8, np.random.default_rng(0))["canvas"]
    assert sample.shape == (8, *SHAPE)
    assert sample.dtype == np.uint8
    assert sampled(buffer, 8, seed=0) == sampled(buffer, 8, seed=0) != sampled(buffer, 8, seed=1)


def test_an_empty_buffer_says_what_is_missing():
    with pytest.raises(ValueError, match="the image buffer is empty: add canvases before sampling from it"):
        ImageBuffer(3).sample(1, np.random.default_rng(0))


@pytest.mark.parametrize("values", [(), (1, 2), (1, 2, 3, 4, 5, 6, 7)], ids=["empty", "half full", "wrapped around"])
def test_a_restored_buffer_goes_on_as_the_first_would(values):
    first, restored = filled(5, *values), filled(5, 50, 51, 52)
    restored.set_state(first.get_state())
    for more in [(8,), (9, 10, 11)]:
        assert held(restored) == held(first)
        for buffer in (first, restored):
            buffer.add({"canvas": canvases(*more)})
        assert sampled(restored, 20) == sampled(first, 20)


@pytest.mark.parametrize("capacity, expected", [(3, [5, 6, 7]), (8, [3, 4, 5, 6, 7])])
def test_a_buffer_of_another_capacity_takes_over_what_it_can(capacity, expected):
    buffer = ImageBuffer(capacity)
    buffer.set_state(filled(5, 1, 2, 3, 4, 5, 6, 7).get_state())
    assert held(buffer) == expected
    assert set(sampled(buffer, 100)) == set(expected)


def asked(values):
    """Canvases with a target and a label of their own."""
    return {"canvas": canvases(*values), "target": 100 + canvases(*values), "label": np.array(values)}


def test_a_canvas_keeps_its_own_target_and_label():
    buffer, restored = ImageBuffer(5), ImageBuffer(7)
    for values in ([1, 2, 3], [4, 5, 6], range(10, 18), [7, 8]):
        buffer.add(asked(list(values)))
    restored.set_state(buffer.get_state())
    restored.add(asked([9, 19, 20]))
    for one, newest in ((buffer, {15, 16, 17, 7, 8}), (restored, {16, 17, 7, 8, 9, 19, 20})):
        sample = one.sample(200, np.random.default_rng(0))
        assert set(sample["label"].tolist()) == newest
        assert sample["label"].dtype == np.int64
        greys = sample["label"][:, None, None, None]
        assert (sample["canvas"] == greys).all() and (sample["target"] == 100 + greys).all()
